//! `code.js`: JavaScript of the person's own, which computes and reaches nothing.

use std::sync::Arc;

use async_trait::async_trait;
use devrig_code::{Budget, CodePool, CodeRun, ConsoleLine, Snippet};
use devrig_core::protocol::LogLevel;
use devrig_core::{Error, Result};
use devrig_expr::{Data, View};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::action::{About, Action, Actions, Context, Does, Effect, Level, Registered};
use crate::input::Input;

const ABOUT: About = About {
    name: "code.js",
    title: "JavaScript",
    text: "Runs `code`, the body of an async function, and gives what it returns, which must be \
           JSON. It sees `input` (the value of that field, whose texts are templates), `trigger`, \
           `nodes`, `variables` and, in a loop, `loop`. Each run has an engine of its own, as good \
           as new, in a worker without authority: no files, no network, no timers, no `import`. \
           `console.log` writes to the run's log.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{"type": "object", "additionalProperties": false, "required": ["code"],
        "properties": {
            "code": {"type": "string", "maxLength": 262144,
                "description": "Not a template: it is JavaScript as it stands."},
            "input": {"description": "What the code sees as `input`."},
            "cpuMs": {"type": "integer", "minimum": 1, "maximum": 60000, "default": 1000,
                "description": "CPU time that one run may take, in milliseconds."},
            "memoryMb": {"type": "integer", "minimum": 1, "maximum": 64, "default": 32}}}"#,
    output: "{}",
    example: r#"{"code": "return input.filter((item) => item.open).length",
        "input": "{{nodes.fetch.output.body}}"}"#,
    typical_ms: 1,
    raw: &["code"],
};

/// Waiting for a worker and for the code's own promises comes on top of its CPU time.
const BESIDE_CPU_MS: u32 = 10_000;

/// Adds the action.
///
/// # Errors
/// `CONFLICT` when its name is taken.
pub fn add_all(actions: &mut Actions, pool: CodePool) -> Result<()> {
    actions.add(ABOUT, Does::Work(Arc::new(CodeJs { pool })))
}

struct CodeJs {
    pool: CodePool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    code: Arc<str>,
    #[serde(default)]
    input: Value,
    #[serde(default = "usual_cpu")]
    cpu_ms: u32,
    #[serde(default = "usual_memory")]
    memory_mb: u64,
}

fn usual_cpu() -> u32 {
    Budget::default().cpu_ms
}

fn usual_memory() -> u64 {
    Budget::default().heap_bytes >> 20
}

#[async_trait]
impl Action for CodeJs {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let Config { code, input, cpu_ms, memory_mb } = serde_json::from_value(input)?;
        let budget = Budget {
            cpu_ms,
            wall_ms: cpu_ms.saturating_add(BESIDE_CPU_MS),
            heap_bytes: memory_mb << 20,
            ..Budget::default()
        };
        let input = seen(&code, input, context.data)?;
        let run = CodeRun { snippet: Snippet::new(code)?, input, budget };
        let (output, console) = match self.pool.run(run, context.token).await {
            Ok(result) => (Ok(serde_json::from_str(result.output.get())?), result.console),
            Err(failure) => (Err(*failure.error), failure.console),
        };
        console.iter().for_each(|line| context.log.say(level(line), &line.text));
        output
    }

    async fn check(&self, config: &Map<String, Value>) -> Result<()> {
        let Some(code) = config.get("code").and_then(Value::as_str) else { return Ok(()) };
        let checked = self.pool.check(&Snippet::new(code)?, &CancellationToken::new()).await;
        checked.map_err(|error| error.context("code"))
    }
}

/// The code of a step that runs some.
pub(crate) fn of<'i>(action: &Registered, input: &'i Input) -> Option<&'i str> {
    let code = input.raw("code").filter(|_| action.about.name == ABOUT.name)?;
    code.as_str()
}

fn level(line: &ConsoleLine) -> Level {
    match line.level {
        LogLevel::Debug => Level::Debug,
        LogLevel::Info => Level::Info,
        LogLevel::Warn => Level::Warn,
        LogLevel::Error => Level::Error,
    }
}

/// The roots that the code names, with `input`. What it does not name costs it nothing.
fn seen(code: &str, input: Value, data: &Data<'_>) -> Result<Box<RawValue>> {
    let mut fields = Map::from_iter([("input".to_owned(), input)]);
    for root in ["trigger", "variables", "loop"] {
        if let Some(found) = data.view().field(root).filter(|_| code.contains(root)) {
            fields.insert(root.to_owned(), found.to_masked_value());
        }
    }
    if let Some(nodes) = data.view().field("nodes").filter(|_| code.contains("nodes")) {
        fields.insert("nodes".to_owned(), Value::Object(named_nodes(code, nodes)));
    }
    let text = serde_json::to_string(&fields)?;
    RawValue::from_string(text).map_err(Error::from)
}

/// The nodes that the code names; all of them where it could name one that it puts together.
fn named_nodes(code: &str, nodes: View<'_>) -> Map<String, Value> {
    let may_name = may_name(code);
    let named = nodes.fields().into_iter().filter(|(id, _)| may_name(id));
    named.map(|(id, node)| (id.to_owned(), node.to_masked_value())).collect()
}

/// Whether code could read a node, by its id: any where it could read one that it puts together.
pub(crate) fn may_name(code: &str) -> impl Fn(&str) -> bool {
    let plain = code.split("nodes").skip(1).all(|rest| rest.starts_with(['.', '?']));
    move |id| !plain || code.contains(id)
}

/// The ids of the nodes that code reads; nothing where it could read one that it puts together.
pub(crate) fn named<'c>(code: &'c str) -> Option<Vec<&'c str>> {
    let id = |rest: &'c str| {
        let rest = rest.strip_prefix("?.").or_else(|| rest.strip_prefix('.'))?;
        let id = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
        (!id.is_empty()).then_some(id)
    };
    code.split("nodes").skip(1).map(id).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(code: &str) -> Value {
        let data = json!({
            "trigger": {"payload": 1}, "variables": {"a": 2},
            "nodes": {"fetch": {"output": 3}, "other": {"output": 4}},
        });
        let seen = seen(code, json!(5), &Data::from(&data)).unwrap();
        serde_json::from_str(seen.get()).unwrap()
    }

    #[test]
    fn the_nodes_that_code_reads_are_known_unless_it_puts_them_together() {
        assert_eq!(named("return input"), Some(vec![]));
        assert_eq!(named("nodes.a.output + nodes?.b_1.output"), Some(vec!["a", "b_1"]));
        for code in ["nodes['a']", "const { a } = nodes", "nodes?.[x]", "nodes.", "f(nodes)"] {
            assert_eq!(named(code), None, "{code}");
        }
    }

    #[test]
    fn code_is_given_what_it_names() {
        assert_eq!(given("return input"), json!({"input": 5}));
        assert_eq!(
            given("return trigger.payload + nodes.fetch.output"),
            json!({"input": 5, "trigger": {"payload": 1}, "nodes": {"fetch": {"output": 3}}})
        );
        let all = json!({"fetch": {"output": 3}, "other": {"output": 4}});
        for code in ["return nodes['fet' + 'ch']", "const { fetch } = nodes", "f(nodes)"] {
            assert_eq!(given(code)["nodes"], all, "{code}");
        }
    }
}
