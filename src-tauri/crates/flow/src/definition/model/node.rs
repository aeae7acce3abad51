//! One step of a flow.

mod branching;
mod call;

use serde_json::Value;

pub use branching::{Branching, Case};
pub use call::Call;

use super::id;
use super::{ErrorHandling, Graph, LONGEST, NodeId, RetryPolicy};
use crate::definition::wire::{Object, Owner, Word, Writer, words};

/// A step, and how it is to be run. A disabled node does nothing and has the output null: a run
/// goes on at its port `out`, and its other ports lead nowhere.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    pub id: NodeId,
    /// What people call it, where the id does not say enough.
    pub name: Option<String>,
    pub kind: NodeKind,
    /// Where it stands on the canvas.
    pub position: Option<Position>,
    /// Absent: the flow's.
    pub retry_policy: Option<RetryPolicy>,
    pub timeout_ms: Option<u64>,
    pub disabled: bool,
    /// Absent: the flow's `errorHandling`.
    pub on_error: Option<ErrorHandling>,
    /// An output that stands in for running the node.
    pub pin: Option<Value>,
}

/// What a node is, with what only that kind has.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// Does something.
    Action(Call),
    /// Takes one of several ways.
    Condition(Branching),
    /// Brings ways together.
    Junction(JunctionMode),
    /// Asks a model. Runs as an action does.
    Ai(Call),
    /// A text on the canvas; no edge leads to it or from it.
    Note(String),
}

words! {
    /// When a junction goes on.
    JunctionMode {
        /// When all of its inputs have come.
        All = "all",
        /// When the first of its inputs has come.
        Any = "any",
    }

    Type {
        Action = "action",
        Condition = "condition",
        Junction = "junction",
        Ai = "ai",
        Note = "note",
    }
}

/// A place on the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Position {
    pub x: f64,
    pub y: f64,
}

impl Default for NodeKind {
    fn default() -> Self {
        Self::Note(String::new())
    }
}

impl NodeKind {
    fn type_of(&self) -> Type {
        match self {
            Self::Action(_) => Type::Action,
            Self::Condition(_) => Type::Condition,
            Self::Junction(_) => Type::Junction,
            Self::Ai(_) => Type::Ai,
            Self::Note(_) => Type::Note,
        }
    }
}

impl Node {
    /// A node with nothing but an id and what it is.
    pub fn new(id: impl Into<NodeId>, kind: NodeKind) -> Self {
        Self { id: id.into(), kind, ..Self::default() }
    }

    /// The call of an action or ai node.
    pub fn call(&self) -> Option<&Call> {
        match &self.kind {
            NodeKind::Action(call) | NodeKind::Ai(call) => Some(call),
            _ => None,
        }
    }

    /// The graph inside of a loop or parallel node.
    pub fn body(&self) -> Option<&Graph> {
        self.call()?.body.as_ref()
    }

    /// As [`Node::body`], to be changed.
    pub fn body_mut(&mut self) -> Option<&mut Graph> {
        match &mut self.kind {
            NodeKind::Action(call) | NodeKind::Ai(call) => call.body.as_mut(),
            _ => None,
        }
    }

    /// The word that JSON has for its kind.
    pub fn type_name(&self) -> &'static str {
        self.kind.type_of().as_str()
    }

    /// True for a text on the canvas, which is never run.
    pub fn is_note(&self) -> bool {
        matches!(self.kind, NodeKind::Note(_))
    }

    pub(crate) fn read(object: &Object<'_>) -> Self {
        Self::read_at(object, 0)
    }

    pub(crate) fn read_at(object: &Object<'_>, depth: usize) -> Self {
        let id: String = object.peek("id").chars().take(id::LONGEST).collect();
        let owner = if id.is_empty() { Owner::Flow } else { Owner::Node(&id) };
        object.owned_by(owner, |object| Self::read_fields(object, depth))
    }

    fn read_fields(object: &Object<'_>, depth: usize) -> Self {
        let kind: Type = object.required("type", |at| at.word());
        Self {
            id: object.required("id", id::read_name),
            kind: read_kind(kind, object, depth),
            name: object.optional("name", |at| at.line(200)),
            position: object.optional("position", |at| at.object(Position::read)),
            retry_policy: object.optional("retryPolicy", |at| at.object(RetryPolicy::read)),
            timeout_ms: object.optional("timeoutMs", |at| at.integer(1..=LONGEST)),
            disabled: object.or("disabled", false, |at| at.flag()),
            on_error: object.optional("onError", |at| at.word()),
            pin: object.optional("pin", |at| at.any()),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        into.put("id", &self.id);
        into.put("type", self.kind.type_of());
        into.some("name", &self.name);
        match &self.kind {
            NodeKind::Action(call) | NodeKind::Ai(call) => call.write(into),
            NodeKind::Condition(branching) => into.put("config", branching.to_config()),
            NodeKind::Junction(JunctionMode::All) => {}
            NodeKind::Junction(mode) => into.put("config", serde_json::json!({ "mode": mode })),
            NodeKind::Note(text) => into.put("config", serde_json::json!({ "text": text })),
        }
        into.some("position", &self.position);
        into.some("retryPolicy", &self.retry_policy);
        into.some("timeoutMs", &self.timeout_ms);
        into.unless("disabled", &self.disabled, &false);
        into.some("onError", &self.on_error);
        into.some("pin", &self.pin);
    }
}

fn read_kind(kind: Type, object: &Object<'_>, depth: usize) -> NodeKind {
    match kind {
        Type::Action => NodeKind::Action(Call::read(object, depth)),
        Type::Ai => NodeKind::Ai(Call::read(object, depth)),
        // Without a known type nothing is said about fields that may well be right.
        _ if !Type::known().contains(&object.peek("type")) => {
            object.know_all();
            NodeKind::default()
        }
        _ => {
            let why = format!("a {kind} node runs no action");
            for name in ["action", "pluginId", "accountId", "body"] {
                object.refuse(name, &why);
            }
            read_config(kind, object)
        }
    }
}

fn read_config(kind: Type, object: &Object<'_>) -> NodeKind {
    match kind {
        Type::Condition => {
            NodeKind::Condition(object.required("config", |at| at.object(Branching::read)))
        }
        Type::Junction => NodeKind::Junction(object.or("config", JunctionMode::All, |at| {
            at.object(|config| config.or("mode", JunctionMode::All, |at| at.word()))
        })),
        _ => NodeKind::Note(object.required("config", |at| {
            at.object(|config| config.required("text", |at| at.any_text(20_000)))
        })),
    }
}

impl Position {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        Self {
            x: object.required("x", |at| at.number()),
            y: object.required("y", |at| at.number()),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        for (name, number) in [("x", self.x), ("y", self.y)] {
            match number {
                whole if whole.fract() == 0.0 && whole.abs() < 9e15 => into.put(name, whole as i64),
                part if part.is_finite() => into.put(name, part),
                // JSON has no word for it, and a canvas no place.
                _ => into.put(name, 0),
            }
        }
    }
}
