//! What the nodes of one run share.

use devrig_core::{Code, Error, Result, Timestamp};
use devrig_expr::condition::Asked;
use devrig_expr::{Answers, Condition, Data, Verdict};
use devrig_store::Store;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::answer::Held;
use super::{Frame, Journal, Memory, RunKind, RunRow};
use crate::program::Program;

/// One run while it is being walked.
pub struct Walker<'r> {
    pub program: &'r Program,
    pub journal: &'r Journal,
    pub memory: Memory,
    pub store: Store,
    pub token: CancellationToken,
    /// Whether pinned outputs stand in for running their nodes: in runs by hand.
    pub pins: bool,
    /// What a request waits for, in a run that one started.
    pub answer: &'r Held,
    /// Roots of expressions that stay the same: `trigger`, `flow`, `run`, `variables`.
    facts: Vec<(&'static str, Value)>,
}

impl<'r> Walker<'r> {
    pub fn new(
        program: &'r Program,
        journal: &'r Journal,
        memory: Memory,
        store: Store,
        token: CancellationToken,
        answer: &'r Held,
        trigger: Value,
    ) -> Self {
        let run = journal.run();
        let facts = facts(program, &run, trigger);
        let pins = run.kind == RunKind::Manual;
        Self { program, journal, memory, store, token, pins, answer, facts }
    }

    /// What expressions of a node in this frame see.
    pub fn data<'a>(&'a self, frame: &'a Frame<'a>) -> Data<'a> {
        let facts = self.facts.iter().map(|(name, value)| (*name, Data::from(value)));
        Data::object(facts.chain(frame.roots()))
    }

    /// Whether a condition holds.
    ///
    /// # Errors
    /// `UNSUPPORTED` for what only a plugin or the inbox could answer.
    pub fn holds(&self, frame: &Frame<'_>, condition: &Condition) -> Result<bool> {
        holds(condition, &self.data(frame))
    }

    /// Whether the journal has the end of the node at `path` already.
    pub fn remembers(&self, path: &str) -> bool {
        self.memory.past(path).is_some_and(|past| past.end.is_some())
    }

    pub fn now(&self) -> Timestamp {
        self.store.clock().now()
    }
}

/// Whether a condition holds.
///
/// # Errors
/// `UNSUPPORTED` for what only a plugin or the inbox could answer.
pub fn holds(condition: &Condition, data: &Data<'_>) -> Result<bool> {
    match condition.evaluate(data, &Answers::default()) {
        Verdict::True => Ok(true),
        Verdict::False => Ok(false),
        Verdict::Ask(question) => Err(Error::new(Code::Unsupported, unanswered(&question.asked))),
    }
}

fn unanswered(asked: &Asked) -> String {
    match asked {
        Asked::Custom { plugin_id, function, .. } => {
            format!("the condition {function} of the plugin {plugin_id} cannot be asked here")
        }
        Asked::Query { query, .. } => {
            format!("the condition asks whether an item matches {query:?}, and there is no item")
        }
    }
}

fn facts(program: &Program, run: &RunRow, trigger: Value) -> Vec<(&'static str, Value)> {
    let definition = &program.definition;
    let flow = json!({
        "id": definition.id, "name": definition.name, "version": program.version,
    });
    let run = json!({ "id": run.id, "startedAt": run.started_at, "kind": run.kind });
    let variables = Value::Object(definition.variables.clone());
    vec![("trigger", trigger), ("flow", flow), ("run", run), ("variables", variables)]
}
