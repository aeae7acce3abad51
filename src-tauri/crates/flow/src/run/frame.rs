//! Where a walk over a graph stands, and what expressions see from there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use devrig_expr::Data;
use serde_json::Value;

use super::{End, Entry, Loaded, Memory, Output};
use crate::program::{Graph, Program};

/// A graph that is being walked: a flow's, or the body of a loop in one of its rounds.
pub struct Frame<'f> {
    pub graph: &'f Graph,
    /// The path of the loop around with its round, ending in `/`; empty for the flow's own graph.
    pub prefix: String,
    pub outer: Option<&'f Frame<'f>>,
    pub round: Option<Round>,
    ends: Vec<OnceLock<Arc<End>>>,
    /// Whether the output of one of them is stored.
    stored: AtomicBool,
}

/// What a run gave that walked this program, by its journal.
pub fn output(program: &Program, entries: Vec<Entry>) -> Output {
    let memory = Memory::of(entries);
    Frame::seen(&program.graph, &memory).output()
}

/// One round of a loop.
pub struct Round {
    pub item: Value,
    pub index: usize,
    pub length: usize,
}

impl<'f> Frame<'f> {
    /// The flow's own graph.
    pub fn whole(graph: &'f Graph) -> Self {
        Self::new(graph, String::new(), None, None)
    }

    /// Nodes that are seen and not walked, as far as they are remembered.
    pub fn seen(graph: &'f Graph, memory: &Memory) -> Self {
        let frame = Self::whole(graph);
        for node in 0..graph.nodes.len() {
            if let Some(end) = memory.past(&frame.path(node)).and_then(|past| past.end.clone()) {
                frame.keep(node, end);
            }
        }
        frame
    }

    /// A node of its own that sees these, in a round where it needs one.
    pub fn alone(&'f self, graph: &'f Graph, item: Option<Value>) -> Frame<'f> {
        let round = item.map(|item| Round { item, index: 0, length: 1 });
        Self::new(graph, String::new(), Some(self), round)
    }

    /// The body of the node at `path`, in a round where it is a loop's.
    pub fn body(&'f self, graph: &'f Graph, path: &str, round: Option<Round>) -> Frame<'f> {
        let prefix = match &round {
            Some(round) => format!("{path}#{}/", round.index),
            None => format!("{path}/"),
        };
        Self::new(graph, prefix, Some(self), round)
    }

    fn new(
        graph: &'f Graph,
        prefix: String,
        outer: Option<&'f Frame<'f>>,
        round: Option<Round>,
    ) -> Self {
        let ends = (0..graph.nodes.len()).map(|_| OnceLock::new()).collect();
        Self { graph, prefix, outer, round, ends, stored: AtomicBool::default() }
    }

    /// How the journal names a node of this graph.
    pub fn path(&self, node: usize) -> String {
        format!("{}{}", self.prefix, self.graph.nodes[node].id)
    }

    /// Keeps how a node ended. A node ends once.
    pub fn keep(&self, node: usize, end: Arc<End>) {
        if end.kept.is_some() {
            self.stored.store(true, Ordering::Relaxed);
        }
        self.ends[node].get_or_init(|| end);
    }

    /// How a node ended.
    pub fn end(&self, node: usize) -> Option<&End> {
        self.ends[node].get().map(|end| &**end)
    }

    /// What the graph gives: the output of its last node; of several, those that ran, by id.
    pub fn output(&self) -> Output {
        let mut last = self.graph.last().peekable();
        let first = last.next();
        if last.peek().is_none() {
            return first.and_then(|node| self.end(node)).map(End::given).unwrap_or_default();
        }
        let named = first.into_iter().chain(last).filter_map(|node| {
            let end = self.end(node)?;
            Some((self.graph.nodes[node].id.clone(), end.given()))
        });
        Output::fields(named.collect())
    }

    /// Whether expressions see a node whose output is stored.
    pub fn has_stored(&self) -> bool {
        self.stored.load(Ordering::Relaxed) || self.outer.is_some_and(Frame::has_stored)
    }

    /// The nodes that expressions see and whose outputs are stored, by their ids. Those of a body
    /// come last, and win.
    pub fn stored(&self) -> Vec<(&str, &End)> {
        let mut seen = self.outer.map(Frame::stored).unwrap_or_default();
        for (node, end) in self.graph.nodes.iter().zip(&self.ends) {
            let Some(end) = end.get() else { continue };
            seen.retain(|(id, _)| *id != node.id);
            if end.kept.is_some() {
                seen.push((node.id.as_str(), &**end));
            }
        }
        seen
    }

    /// `nodes` and, in a loop, `loop`, as expressions see them; of what is stored, what is loaded.
    pub fn roots<'a>(&'a self, loaded: &'a Loaded) -> Vec<(&'a str, Data<'a>)> {
        let mut roots = vec![("nodes", Data::object(self.visible(loaded)))];
        if let Some(round) = self.nearest_round() {
            roots.push(("loop", round.data()));
        }
        roots
    }

    /// Nodes that have ended, those outside first, but for those that a body's own hide.
    fn visible<'a>(&'a self, loaded: &'a Loaded) -> Vec<(&'a str, Data<'a>)> {
        let mut seen = self.outer.map(|outer| outer.visible(loaded)).unwrap_or_default();
        seen.retain(|(id, _)| {
            let mut own = self.graph.nodes.iter().zip(&self.ends);
            !own.any(|(node, end)| node.id == *id && end.get().is_some())
        });
        seen.extend(self.graph.nodes.iter().zip(&self.ends).filter_map(|(node, end)| {
            let end = end.get()?;
            let output = match end.kept {
                Some(_) => loaded.output(&end.node).unwrap_or(&Value::Null),
                None => &end.output,
            };
            let mut fields =
                vec![("output", Data::from(output)), ("status", Data::from(end.status.as_str()))];
            if let Some(error) = &end.error {
                fields.push(("error", Data::from(serde_json::json!(error))));
            }
            Some((node.id.as_str(), Data::object(fields)))
        }));
        seen
    }

    fn nearest_round(&self) -> Option<&Round> {
        self.round.as_ref().or_else(|| self.outer?.nearest_round())
    }
}

impl Round {
    fn data(&self) -> Data<'_> {
        let (index, length) = (self.index, self.length);
        Data::object([
            ("item", Data::from(&self.item)),
            ("index", Data::from(serde_json::json!(index))),
            ("length", Data::from(serde_json::json!(length))),
            ("first", Data::from(serde_json::json!(index == 0))),
            ("last", Data::from(serde_json::json!(index + 1 == length))),
        ])
    }
}
