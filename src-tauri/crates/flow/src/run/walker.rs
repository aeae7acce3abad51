//! What the nodes of one run share.

use std::sync::{Mutex, PoisonError};

use devrig_core::{Result, Timestamp};
use devrig_expr::{Condition, Data};
use devrig_store::Store;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::answer::Held;
use super::{
    Access, Frame, Journal, Loaded, Memory, OtherRuns, Output, RunKind, RunRow, Seen, StandIn, Told,
};
use crate::circuits::Circuits;
use crate::others::{Asker, Others};
use crate::payloads::{self, Unstored};
use crate::program::Program;

/// One run while it is being walked.
pub struct Walker<'r> {
    pub program: &'r Program,
    pub journal: &'r Journal,
    pub memory: Memory,
    pub store: Store,
    pub access: Access,
    pub others: Others,
    pub circuits: &'r Circuits,
    pub token: CancellationToken,
    /// Whether pinned outputs stand in for running their nodes: in runs by hand.
    pub pins: bool,
    /// What a request waits for, in a run that one started.
    pub answer: &'r Held,
    pub other_runs: &'r dyn OtherRuns,
    /// What is given instead of touching the world, in a walk that leaves no run behind.
    pub(super) stand_in: Option<&'r StandIn>,
    /// The path of the node whose failure nothing has handled.
    failed: Mutex<Option<String>>,
    /// The root `trigger` of expressions.
    pub trigger: Told,
    /// Roots of expressions that stay the same: `flow`, `run`, `variables`.
    facts: Vec<(&'static str, Value)>,
}

/// What a walker is made of.
pub struct Parts<'r> {
    pub program: &'r Program,
    pub journal: &'r Journal,
    pub memory: Memory,
    pub store: Store,
    pub access: Access,
    pub others: Others,
    pub circuits: &'r Circuits,
    pub token: CancellationToken,
    pub answer: &'r Held,
    pub other_runs: &'r dyn OtherRuns,
    pub trigger: Told,
}

impl<'r> Walker<'r> {
    pub fn new(parts: Parts<'r>) -> Self {
        let Parts { program, journal, memory, store, access, .. } = parts;
        let Parts { others, circuits, token, answer, other_runs, trigger, .. } = parts;
        let run = journal.run();
        let address = program.listens.then(|| other_runs.address(&run.id)).flatten();
        let facts = facts(program, &run, address);
        let pins = matches!(run.kind, RunKind::Manual | RunKind::Node);
        Self {
            program,
            journal,
            memory,
            store,
            access,
            others,
            circuits,
            token,
            pins,
            answer,
            other_runs,
            stand_in: None,
            failed: Mutex::default(),
            trigger,
            facts,
        }
    }

    /// The same, touching nothing.
    #[must_use]
    pub fn standing_in(self, stand_in: &'r StandIn) -> Self {
        Self { stand_in: Some(stand_in), ..self }
    }

    /// The path of the node that the run failed at.
    pub fn failed_at(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that a node has failed for good. Of a node with a body it is the one inside that counts,
    /// unless the one around it handles that.
    pub(super) fn note_failure(&self, path: &str, handled: bool) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let inside = failed.as_deref().and_then(|at| at.strip_prefix(path));
        let inside = inside.is_some_and(|rest| rest.starts_with(['#', '/']));
        match (handled, inside) {
            (true, true) => *failed = None,
            (false, false) => *failed = Some(path.to_owned()),
            _ => {}
        }
    }

    /// What expressions of a node in this frame see, with further roots.
    pub fn data<'a>(
        &'a self,
        frame: &'a Frame<'a>,
        more: &'a [(&'static str, Value)],
        loaded: &'a Loaded,
    ) -> Data<'a> {
        let trigger = loaded.trigger().unwrap_or(self.trigger.seen());
        let facts = self.facts.iter().chain(more);
        let facts = facts.map(|(name, value)| (*name, Data::from(value)));
        let facts = std::iter::once(("trigger", Data::from(trigger))).chain(facts);
        Data::object(facts.chain(frame.roots(loaded)))
    }

    /// Whether a condition holds.
    ///
    /// # Errors
    /// As [`Others::holds`] and [`Walker::load`].
    pub async fn holds(&self, frame: &Frame<'_>, condition: &Condition) -> Result<bool> {
        let loaded = self.load(frame, || Seen::of_condition(condition), Some(0)).await?;
        let asker = Asker {
            flow: &self.program.definition,
            access: &self.access,
            log: self.journal,
            stand_in: self.stand_in,
        };
        self.others.holds(condition, &self.data(frame, &[], &loaded), &asker).await
    }

    /// Stores an output that is large. Where that fails it stays where it is, and the journal has
    /// it.
    pub async fn keep(&self, output: Output) -> Output {
        let Output::Here(value) = output else { return output };
        let weight = payloads::weight(&value);
        if weight <= payloads::LARGE || !self.journal.writes() {
            self.journal.weigh(weight);
            return Output::Here(value);
        }
        // Apart, so that a run without large values has no room for all that in its futures.
        Box::pin(self.put(value)).await
    }

    async fn put(&self, value: Value) -> Output {
        match payloads::put(&self.store, self.journal.number(), value).await {
            Ok(stored) => Output::Stored(stored),
            Err(unstored) => {
                let Unstored { error, value } = *unstored;
                self.journal.weigh(payloads::weight(&value));
                tracing::warn!(%error, "a large value of a run could not be stored");
                Output::Here(value)
            }
        }
    }

    /// Whether the journal has the end of the node at `path` already.
    pub fn remembers(&self, path: &str) -> bool {
        self.memory.past(path).is_some_and(|past| past.end.is_some())
    }

    pub fn now(&self) -> Timestamp {
        self.store.clock().now()
    }
}

fn facts(program: &Program, run: &RunRow, address: Option<String>) -> Vec<(&'static str, Value)> {
    let definition = &program.definition;
    let flow = json!({
        "id": definition.id, "name": definition.name, "version": program.version,
    });
    let mut run = json!({ "id": run.id, "startedAt": run.started_at, "kind": run.kind });
    if let Some(address) = address {
        run["resumeUrl"] = address.into();
    }
    let variables = Value::Object(definition.variables.clone());
    vec![("flow", flow), ("run", run), ("variables", variables)]
}
