//! An engine that is as good as new for each run.

use std::mem::{ManuallyDrop, forget};
use std::time::Duration;

use devrig_core::snippet::{Budget, Failure, FailureKind, Run, SourceHash};
use devrig_core::{Code, Error};
use rquickjs::context::intrinsic;
use rquickjs::{Context, Ctx, Function, Object, Persistent, Result, Runtime, Value};

use super::cache::{Cache, Compiled};
use super::eval;
use super::failure::Thrown;
use super::images::{Base, Images, Kind};
use super::natives::{self, NO_MODULES, NoModules};
use super::outside::{Outside, Stop};
use super::region::Region;
use crate::engine::STACK;
use crate::parts::Parts;

/// What every snippet gets, and what reads its result.
const SNIPPET: Parts = Parts(include_bytes!(concat!(env!("OUT_DIR"), "/snippet.bin")));

/// Names whose parts are loaded on first use. A source that has one of them starts from an image
/// with the parts loaded, so that no run of it has to.
const WEB: &[&str] = &[
    "console",
    "URL",
    "TextEncoder",
    "TextDecoder",
    "structuredClone",
    "crypto",
    "atob",
    "btoa",
    "queueMicrotask",
    "performance",
    "DOMException",
    "Abort",
    "Event",
];

/// Everything of the language but what the web parts bring themselves.
type Language = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
    intrinsic::WeakRef,
);

/// The fields of the input, as the snippet's own names.
const FIELDS: &str = "input, trigger, nodes, variables, loop";

/// So much heap a run may use before garbage is looked for. The image alone is close to the
/// engine's own bound, and looking costs more than most snippets run.
const FIRST_COLLECTION: usize = 2 * 1024 * 1024;

/// Room beyond a run's heap for the words about how it ended.
const LAST_WORDS: usize = 1024 * 1024;

/// Heap for loading the web parts, whatever the run has that first wants them.
const WEB_HEAP: u64 = 4 * 1024 * 1024;

/// The engine. It is never taken down: on the way it would look for values that are gone.
pub struct Machine {
    region: Region,
    images: Images,
    runtime: ManuallyDrop<Runtime>,
    context: ManuallyDrop<Context>,
    hooks: ManuallyDrop<Persistent<Object<'static>>>,
    outside: Outside,
    cache: Cache,
    /// The image that the region was put back to last.
    kind: Kind,
    /// The source whose state the region holds, as long as nothing ran in it.
    ready: Option<SourceHash>,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// JSON text.
    pub output: std::result::Result<String, Failure>,
    /// [`devrig_core::snippet::ConsoleLine`]s as a JSON array; empty when there are none.
    pub console: String,
    pub cpu: Duration,
}

impl Machine {
    /// An engine whose runs have at most so many bytes of heap.
    pub fn new(heap_bytes: u64) -> devrig_core::Result<Self> {
        let region = Region::new(Self::address_space(heap_bytes))
            .ok_or_else(|| Error::new(Code::QuotaExceeded, "there is no memory for an engine"))?;
        Self::begin(region)
            .map_err(|error| Error::internal(format!("the engine does not start: {error}")))
    }

    /// What an engine for that heap takes of the address space: a half more, because not every
    /// hole between two blocks can be used, so that it is the heap that is full first.
    pub fn address_space(heap_bytes: u64) -> usize {
        let heap = heap(heap_bytes);
        heap + heap / 2 + 8 * LAST_WORDS
    }

    fn begin(region: Region) -> Result<Self> {
        let runtime = Runtime::new_with_alloc(region.allocator())?;
        runtime.set_max_stack_size(STACK);
        let context = Context::custom::<Language>(&runtime)?;
        let outside = Outside::new();
        let hooks = context.with(|ctx| furnish(&ctx, &outside))?;
        outside.listen(&runtime, &hooks);
        runtime.set_loader(NoModules, NoModules);
        Ok(Self {
            images: Images::new(Base::of(&region, &runtime)),
            region,
            runtime: ManuallyDrop::new(runtime),
            context: ManuallyDrop::new(context),
            hooks: ManuallyDrop::new(hooks),
            outside,
            cache: Cache::default(),
            kind: Kind::Plain,
            ready: None,
        })
    }

    /// Runs a snippet, in an engine where nothing ran before. `None` when its source is neither
    /// known nor given.
    pub fn run(&mut self, run: &Run<'_>) -> Option<Outcome> {
        if !self.cache.knows(&run.hash) && run.source.is_none() {
            return None;
        }
        self.outside.begin(&run.budget);
        let output = self.output(run);
        let (console, cpu) = (self.outside.console.take(), self.outside.meter.used());
        Some(Outcome { output, console, cpu })
    }

    fn output(&mut self, run: &Run<'_>) -> std::result::Result<String, Failure> {
        if let Some(source) = run.source.filter(|_| !self.cache.knows(&run.hash)) {
            let compiled = self.compile(source, &run.budget)?;
            self.cache.keep(run.hash, compiled);
        }
        self.prepare(&run.hash)?;
        if run.input.is_empty() {
            return Ok("null".to_owned());
        }
        self.execute(run)
    }

    /// Puts the engine to the state before a run of this source; worth calling while there is
    /// nothing else to do.
    ///
    /// # Errors
    /// What is wrong with a source that does not parse.
    pub fn prepare(&mut self, hash: &SourceHash) -> std::result::Result<(), Failure> {
        if self.ready.as_ref() == Some(hash) {
            return Ok(());
        }
        match self.cache.get(hash) {
            Some(Compiled::Broken(failure)) => return Err(failure.clone()),
            Some(Compiled::Ready(kind, delta)) => {
                self.images.of(*kind).put_back(&mut self.region, Some(delta));
                self.kind = *kind;
            }
            None => return Ok(()),
        }
        self.ready = Some(*hash);
        Ok(())
    }

    fn execute(&mut self, run: &Run<'_>) -> std::result::Result<String, Failure> {
        self.ready = None;
        self.limit_heap(&run.budget, 0);
        let (outside, input) = (&self.outside, run.input);
        let end = self.with_hooks(|ctx, hooks| Ok(outside.run(ctx, &hooks, input)));
        let output = end
            .unwrap_or(Err(Stop::Thrown))
            .map_err(|stop| self.failure(stop, FailureKind::Thrown, &run.budget))?;
        Outside::fit(output, &run.budget)
    }

    /// Compiles a source, and takes down what that changes in the image. A failure that has other
    /// reasons than the source is an error, since it may not happen again.
    fn compile(&mut self, source: &str, budget: &Budget) -> std::result::Result<Compiled, Failure> {
        let kind =
            if WEB.iter().any(|name| source.contains(name)) { Kind::Web } else { Kind::Plain };
        if kind == Kind::Web && !self.images.has_web() {
            self.make_web(budget)?;
        }
        let done = self
            .with_image(Kind::Plain, budget, |ctx, _| check(ctx, source))
            .and_then(|()| self.with_image(kind, budget, |ctx, hooks| load(ctx, hooks, source)));
        match done {
            Ok(()) => Ok(Compiled::Ready(kind, self.region.delta(&self.images.of(kind).image))),
            Err(failure) if failure.kind == FailureKind::Syntax => {
                Ok(Compiled::Broken(explain_import(failure, source)))
            }
            Err(failure) => Err(failure),
        }
    }

    fn make_web(&mut self, budget: &Budget) -> std::result::Result<(), Failure> {
        let budget = Budget { heap_bytes: WEB_HEAP, ..*budget };
        self.with_image(Kind::Plain, &budget, |_, hooks| {
            hooks.get::<_, Function>("load")?.call::<_, ()>(())
        })?;
        self.images.keep_web(Base::of(&self.region, &self.runtime));
        Ok(())
    }

    /// Does something in an engine as it was at first.
    fn with_image(
        &mut self,
        kind: Kind,
        budget: &Budget,
        step: impl for<'js> FnOnce(&Ctx<'js>, &Object<'js>) -> Result<()>,
    ) -> std::result::Result<(), Failure> {
        self.ready = None;
        self.kind = kind;
        self.images.of(kind).put_back(&mut self.region, None);
        self.limit_heap(budget, 0);
        let done = self.with_hooks(|ctx, hooks| step(ctx, &hooks));
        done.map_err(|_| self.failure(Stop::Thrown, FailureKind::Syntax, budget))
    }

    fn with_hooks<T>(
        &self,
        body: impl for<'js> FnOnce(&Ctx<'js>, Object<'js>) -> Result<T>,
    ) -> Result<T> {
        self.context.with(|ctx| body(&ctx, Persistent::clone(&self.hooks).restore(&ctx)?))
    }

    fn limit_heap(&self, budget: &Budget, more: usize) {
        let (heap, base) = (heap(budget.heap_bytes), self.images.of(self.kind).heap);
        self.runtime.set_memory_limit(base + heap + more);
        self.runtime.set_gc_threshold(base + FIRST_COLLECTION.min(heap / 2));
    }

    /// What to tell of a run, or of compiling, that ended without output.
    fn failure(&mut self, stop: Stop, kind: FailureKind, budget: &Budget) -> Failure {
        let begin = self.images.of(self.kind).image.len();
        let full = self.region.used() > begin + heap(budget.heap_bytes) / 4 * 3;
        let overrun = self.outside.meter.grant_last_words();
        self.limit_heap(budget, LAST_WORDS);
        // What cannot even be read is told as what is known of it without.
        let thrown = self.with_hooks(Thrown::read).unwrap_or_default();
        let kind = match stop {
            Stop::Unresolved if full => FailureKind::Memory,
            Stop::Output(sentence) => {
                return Thrown::sentence(sentence).failure(FailureKind::Output, budget);
            }
            Stop::Unresolved => FailureKind::Unresolved,
            Stop::Input => FailureKind::Input,
            Stop::Thrown => kind,
        };
        let kind = match overrun {
            Some(overrun) => overrun.into(),
            None if thrown.is_out_of_memory(full) => FailureKind::Memory,
            None => kind,
        };
        thrown.failure(kind, budget)
    }
}

fn heap(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX).min(usize::MAX / 4)
}

/// Puts into a new engine what a snippet finds there, and gives the functions that read its
/// result.
fn furnish<'js>(ctx: &Ctx<'js>, outside: &Outside) -> Result<Persistent<Object<'static>>> {
    let native = Object::new(ctx.clone())?;
    natives::install(ctx, &native, &outside.console, &outside.chance)?;
    for function in native.props::<String, Value>() {
        // What is behind them is not in the region. Each is held once for ever, so that no run can
        // make the engine free one that the next run finds in the image again.
        forget(Persistent::save(ctx, function?.1));
    }
    Ok(Persistent::save(ctx, SNIPPET.call(ctx, &native, 0)?.get::<Object>()?))
}

/// Refuses what is not the body of one function. Both this script and that of [`load`] end the
/// function at the first brace too many, and go on differently from there: no source that closes
/// the function itself can be right in both.
fn check(ctx: &Ctx<'_>, source: &str) -> Result<()> {
    let script = format!("0 ? async ({FIELDS}) => {{\n\n{source}\n}} : 0");
    eval::compile(ctx, &script, false).map(drop)
}

/// Makes the function of a source that was checked.
fn load<'js>(ctx: &Ctx<'js>, hooks: &Object<'js>, source: &str) -> Result<()> {
    let script = format!("(async ({FIELDS}) => {{\n\n{source}\n}})");
    hooks.set("main", eval::compile(ctx, &script, true)?)
}

/// The parser stumbles over an `import` in a function, and says nothing of it.
fn explain_import(mut failure: Failure, source: &str) -> Failure {
    let number = failure.line.and_then(|line| usize::try_from(line).ok()?.checked_sub(1));
    let line = number.and_then(|number| source.lines().nth(number)).unwrap_or_default();
    if line.trim_start().starts_with("import") {
        failure.message = NO_MODULES.to_owned();
    }
    failure
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;

    thread_local! {
        static MACHINE: RefCell<Machine> = RefCell::new(Machine::new(32 << 20).unwrap());
    }

    fn run(source: &str, input: &str) -> std::result::Result<Json, Failure> {
        let mut hash = [0; 16];
        let digest = <sha2::Sha256 as sha2::Digest>::digest(source);
        hash.copy_from_slice(&digest[..16]);
        let budget = Budget { cpu_ms: 100, ..Budget::default() };
        let run = Run { id: 1, budget, hash, source: Some(source), input };
        let outcome = MACHINE.with_borrow_mut(|machine| machine.run(&run)).unwrap();
        outcome.output.map(|output| serde_json::from_str(&output).unwrap())
    }

    /// Numbers that both sides write alike.
    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (-(1i64 << 53) + 1..1i64 << 53).prop_map(Json::from),
            any::<i32>().prop_map(|n| json!(f64::from(n) + 0.5)),
            any::<String>().prop_map(Json::from),
        ];
        let key = prop_oneof![any::<String>(), "[a-z]{1,3}", Just("__proto__".to_owned())];
        leaf.prop_recursive(6, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                prop::collection::hash_map(key.clone(), inner, 0..6)
                    .prop_map(|fields| Json::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn soup() -> impl Strategy<Value = String> {
        let token = prop::sample::select(
            "{ } ( ) [ ] ; , : ? => = + - / * `${ ` ' \" . ... ?. async await function* return \
             class extends super this new yield let const var for of in while do if else try \
             catch finally throw delete typeof void null input nodes globalThis console URL crypto structuredClone Object.prototype \
             Promise Proxy Reflect Symbol.iterator JSON Map BigInt 1n 0x1 1e9 /x/g #a get set \
             static console.log eval Function Error.prepareStackTrace \\u{41} \n // /* */ <!--"
                .split(' ')
                .collect::<Vec<_>>(),
        );
        prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.join(" "))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn what_goes_in_comes_out(value in json()) {
            let input = json!({ "input": value });
            prop_assert_eq!(run("return input", &input.to_string()).unwrap(), value);
        }

        #[test]
        fn no_source_breaks_the_machine(source in soup(), words: String) {
            _ = run(&source, "{}");
            _ = run(&words, "{}");
            _ = run("return eval(input)", &json!({ "input": source }).to_string());
            prop_assert_eq!(run("return [typeof input, 1]", "{}").unwrap(), json!(["undefined", 1]));
        }
    }
}
