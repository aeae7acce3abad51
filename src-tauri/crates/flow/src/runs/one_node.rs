//! One node of a flow that a person runs by hand, without the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use devrig_core::{Error, Result};
use serde_json::{Value, json};

use super::again::{Of, Past};
use super::{Launch, Runs, Start, Started};
use crate::action::{Level, Log as _};
use crate::definition::{Definition, Node};
use crate::program::{Program, Reads};
use crate::run::{End, Entry, Journal, Memory, NodeStatus, RunKind, RunRow, Told, leaf};

/// Which node is run, and what it is given.
#[derive(Debug, Clone, Default)]
pub struct OneNode {
    pub node: String,
    /// What expressions see as `trigger.payload`. Absent: what the trigger of `of` told, if there is
    /// one, else an empty object.
    pub input: Option<Value>,
    /// The run whose outputs count for nodes that are not pinned.
    pub of: Option<String>,
    /// What a node in the body of a loop sees as `loop.item`.
    pub item: Option<Value>,
}

/// What is given for nodes that are not run.
#[derive(Debug, Default)]
struct Given {
    ends: BTreeMap<String, End>,
    /// Ids of those that were pinned, and of those that another run had.
    pinned: Vec<String>,
    recorded: Vec<String>,
}

impl Runs {
    /// Runs one node of a flow, in a run of its own that is marked as such. What it does to the world
    /// it does; what it reads of other nodes is what is pinned to them, or what another run had.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` for a run of another flow, and where an output that the node reads
    /// is known from nowhere.
    pub async fn run_node(&self, whole: Arc<Program>, asked: OneNode) -> Result<Started> {
        let program = Arc::new(whole.alone(&asked.node, self.inner.programs.actions())?);
        let past = match &asked.of {
            Some(of) => Some(self.past_of(&whole, of).await?),
            None => None,
        };
        let reads = program.reads();
        if reads.round && asked.item.is_none() {
            return Err(no_round(&asked.node));
        }
        let given = given(&whole.definition, &reads, &asked, past.as_ref())?;
        let told = given.told(asked.of.as_deref());
        let OneNode { node, input, item, .. } = asked;
        let only = Entry::Only { node, item };
        let ends = given.ends.into_values().map(|end| Entry::Ended(Arc::new(end)));
        let entries: Vec<Entry> = std::iter::once(only).chain(ends).collect();

        let entered = self.enter(&program);
        let (journal, trigger) = self.opened(&program, input, past, entered).await;
        if let Err(error) = self.share(journal.number(), &entries).await {
            self.give_up(&program, entered);
            return Err(error);
        }
        entries.iter().for_each(|entry| journal.note(entry.clone()));
        journal.say(Level::Info, &told);
        let memory = Memory::of(entries);
        self.launch(Launch { program, journal, memory, trigger, answer: None, entered }).await
    }

    /// The journal of a run with what started it: what the other run was told, or an event of its own.
    async fn opened(
        &self,
        program: &Arc<Program>,
        input: Option<Value>,
        past: Option<Past>,
        entered: bool,
    ) -> (Journal, Told) {
        let store = self.inner.store.clone();
        if let (None, Some(Past { run, trigger, .. })) = (&input, past) {
            let like = RunRow { kind: RunKind::Node, retry_of: None, depth: 0, ..run };
            let run = self.fresh_row(self.number(), like, program, entered);
            return (Journal::fresh(store, run, None), trigger);
        }
        let start = Start {
            program: program.clone(),
            trigger: "manual".to_owned(),
            trigger_type: "manual",
            kind: RunKind::Node,
            key: None,
            payload: input.unwrap_or_else(|| json!({})),
            cursor: None,
            depth: 0,
            parent: None,
            answer: None,
        };
        let (mut event, run) = self.rows(&start, entered);
        let payload = self.lay_aside(&mut event, start.payload).await;
        let trigger = Told::new(&start.trigger, start.trigger_type, event.at, payload);
        (Journal::fresh(store, run, Some(event)), trigger)
    }

    /// The place goes back that was taken for a run which does not begin.
    fn give_up(&self, program: &Program, entered: bool) {
        if entered {
            self.board().leave(program.flow);
            self.fill();
        }
    }

    /// A run of the same flow.
    pub(super) async fn past_of(&self, program: &Program, of: &str) -> Result<Past> {
        let past = self.past(of, Of::Same).await?;
        if past.run.flow == program.flow {
            return Ok(past);
        }
        let name = &program.definition.name;
        Err(Error::invalid(format!("{of} is no run of {name}"))
            .hint("`devrig run list --flow` lists those that are."))
    }
}

/// How the nodes that are read have ended, by what is pinned to them, else by the other run.
fn given(flow: &Definition, reads: &Reads, asked: &OneNode, past: Option<&Past>) -> Result<Given> {
    let all = past.map(|past| recorded(&past.entries)).unwrap_or_default();
    // What had not ended there when the node ran was nothing to it, and is nothing to it now.
    let was_run = all.contains_key(asked.node.as_str());
    let recorded = |id: &str| all.get(id).copied().filter(|end| !end.stopped_the_run());
    let mut given = Given::default();
    let mut missing = Vec::new();
    for node in flow.nodes().filter(|node| node.id.as_str() != asked.node) {
        let id = node.id.as_str();
        let is_read = reads.nodes.contains(id);
        if !is_read && !reads.any {
            continue;
        }
        match (constant(node), recorded(id)) {
            (Some(end), _) => given.pin(id, end),
            (None, Some(end)) => given.record(id, end),
            (None, None) if is_read && !was_run => missing.push(id),
            (None, None) => {}
        }
    }
    match missing.is_empty() {
        true => Ok(given),
        false => Err(unknown(asked, &missing)),
    }
}

/// How a node ends whatever happens.
fn constant(node: &Node) -> Option<End> {
    let (status, output) = match &node.pin {
        Some(pin) => (NodeStatus::Completed, pin.clone()),
        None if node.disabled => (NodeStatus::Disabled, Value::Null),
        None => return None,
    };
    Some(End { status, output, attempts: 1, ..End::default() })
}

/// How nodes ended in a run, by their ids: of the rounds of a loop, in the first that is told of.
fn recorded(entries: &[Entry]) -> BTreeMap<&str, &End> {
    let mut found = BTreeMap::new();
    for entry in entries {
        if let Entry::Ended(end) = entry {
            found.entry(leaf(&end.node)).or_insert(&**end);
        }
    }
    found
}

impl Given {
    fn pin(&mut self, id: &str, end: End) {
        self.pinned.push(id.to_owned());
        self.put(id, end);
    }

    fn record(&mut self, id: &str, end: &End) {
        self.recorded.push(id.to_owned());
        // The ways that it took lead nowhere here.
        self.put(id, End { closed: Vec::new(), ..end.clone() });
    }

    fn put(&mut self, id: &str, end: End) {
        self.ends.insert(id.to_owned(), End { node: id.to_owned(), ..end });
    }

    /// Where the outputs come from, as a line of the run's log.
    fn told(&self, of: Option<&str>) -> String {
        let mut parts = vec!["This run is of one node alone.".to_owned()];
        if !self.pinned.is_empty() {
            parts.push(format!("Fixed by the flow: {}.", self.pinned.join(", ")));
        }
        if let Some(of) = of.filter(|_| !self.recorded.is_empty()) {
            parts.push(format!("As in the run {of}: {}.", self.recorded.join(", ")));
        }
        parts.join(" ")
    }
}

fn unknown(asked: &OneNode, missing: &[&str]) -> Error {
    let (node, missing) = (&asked.node, missing.join(", "));
    let (why, remedy) = match &asked.of {
        Some(of) => (
            format!("which is not pinned and gave none in {of}"),
            "Name another run with --from-run in which it gave one",
        ),
        None => {
            ("which is not pinned".to_owned(), "Name a run in which it ran with --from-run RUN")
        }
    };
    Error::invalid(format!("{node} reads the output of {missing}, {why}"))
        .hint(format!("{remedy}, or pin an output to it: its field `pin` in the flow."))
}

fn no_round(node: &str) -> Error {
    Error::invalid(format!("{node} reads `loop`, and no loop goes around it when it runs alone"))
        .hint("Give what is to be its item: --item JSON.")
}
