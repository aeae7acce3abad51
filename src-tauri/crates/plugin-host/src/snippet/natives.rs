//! What the JavaScript around a snippet can ask of the worker: to compute, and to keep a line of
//! the console. They trust nothing that they are given, and a snippet that got hold of one would
//! have gained nothing.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use devrig_core::protocol::LogLevel;
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Exception, Function, Module, Object, Result, Value};

use super::console::Console;
use super::place;
use crate::codec;
use crate::parts::Parts;

/// What a snippet gets once it uses any of it: console, URL, crypto and the like.
const WEB: Parts = Parts(include_bytes!(concat!(env!("OUT_DIR"), "/web.bin")));

pub fn install<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    console: &Rc<Console>,
    chance: &Rc<Chance>,
) -> Result<()> {
    codec::install(ctx, native)?;
    let set = |name, function| native.set(name, function);
    set("load", Function::new(ctx.clone(), load_web)?)?;
    set("setTimer", Function::new(ctx.clone(), no_timer)?)?;
    set("clearTimer", Function::new(ctx.clone(), |_: Value<'js>| {})?)?;
    set("readableStack", Function::new(ctx.clone(), |stack: String| place::own_lines(&stack))?)?;
    set("isPromise", Function::new(ctx.clone(), |value: Value<'js>| value.is_promise())?)?;

    let started = Instant::now();
    let now = move || (started.elapsed().as_micros() / 100) as f64 / 10.0;
    set("now", Function::new(ctx.clone(), now)?)?;

    #[cfg(feature = "testhook")]
    {
        let probe = Function::new(ctx.clone(), crate::probe::attempt)?;
        ctx.globals().set("__native", probe.clone())?;
        set("probe", probe)?;
    }

    let console = Rc::clone(console);
    let log = move |level: String, text: String| console.write(level_of(&level), &text);
    set("log", Function::new(ctx.clone(), log)?)?;

    let chance = Rc::clone(chance);
    let random = move |ctx: Ctx<'js>| {
        chance.next().map_err(|error| Exception::throw_internal(&ctx, &error.to_string()))
    };
    set("chance", Function::new(ctx.clone(), random)?.with_name("random")?)
}

fn load_web<'js>(ctx: Ctx<'js>, native: Object<'js>) -> Result<()> {
    WEB.call(&ctx, &native, 0).map(drop)
}

fn no_timer(ctx: Ctx<'_>, _delay: f64) -> Result<f64> {
    Err(Exception::throw_type(
        &ctx,
        "timers do not exist in code.js: put a flow.delay node before or after it",
    ))
}

/// What `import` is answered.
pub const NO_MODULES: &str = "import does not exist in code.js: modules cannot be loaded. \
    For a request, put an http.request node before it";

/// Refuses every `import()`.
pub struct NoModules;

impl Resolver for NoModules {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        _importer: &str,
        _specifier: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        Err(Exception::throw_type(ctx, NO_MODULES))
    }
}

impl Loader for NoModules {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        _path: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        Err(Exception::throw_type(ctx, NO_MODULES))
    }
}

fn level_of(word: &str) -> LogLevel {
    match word {
        "debug" => LogLevel::Debug,
        "warn" => LogLevel::Warn,
        "error" => LogLevel::Error,
        _ => LogLevel::Info,
    }
}

/// Numbers for `Math.random`. The engine's own generator is part of the image, and would give
/// every run the same ones.
#[derive(Default)]
pub struct Chance(Cell<u64>);

impl Chance {
    /// Forgets its state, from which a run could tell what others before it were given.
    pub fn forget(&self) {
        self.0.set(0);
    }

    /// xorshift64*, as the engine has it: from 0 to below 1.
    fn next(&self) -> std::result::Result<f64, getrandom::Error> {
        let mut state = match self.0.get() {
            0 => getrandom::u64()? | 1,
            state => state,
        };
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        self.0.set(state);
        let bits = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        Ok(bits as f64 / (1u64 << 53) as f64)
    }
}
