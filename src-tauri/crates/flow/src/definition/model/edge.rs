//! What leads from one node to the next.

use serde_json::Value;

use super::id;
use super::{NodeId, port as ports};
use crate::definition::wire::{At, Object, Owner, Writer};

/// Names of the ports that nodes have without saying so.
pub mod port {
    /// Where an action, an ai node and a junction go on.
    pub const OUT: &str = "out";
    /// Where an action or ai node goes when it has failed.
    pub const ERROR: &str = "error";
    /// Where a `flow.wait` goes when the time is over before an answer came.
    pub const TIMEOUT: &str = "timeout";
    /// Where a `flow.wait` goes when a person said yes, or no.
    pub const APPROVED: &str = "approved";
    pub const REJECTED: &str = "rejected";
    /// Where a condition node goes when its condition holds.
    pub const TRUE: &str = "true";
    /// Where a condition node goes when its condition does not hold.
    pub const FALSE: &str = "false";
    /// Where a condition node with cases goes when none of them holds.
    pub const ELSE: &str = "else";
}

/// A way from a port of one node to another node of the same graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Only needed where two edges have the same ends and port.
    pub id: Option<String>,
    pub source: NodeId,
    pub target: NodeId,
    pub port: String,
    /// A condition (in the condition language) without which the edge is not taken.
    pub condition: Option<Value>,
    pub label: Option<String>,
}

impl Default for Edge {
    fn default() -> Self {
        Self {
            id: None,
            source: NodeId::default(),
            target: NodeId::default(),
            port: ports::OUT.to_owned(),
            condition: None,
            label: None,
        }
    }
}

impl Edge {
    /// An edge from the usual port.
    pub fn new(source: impl Into<NodeId>, target: impl Into<NodeId>) -> Self {
        Self { source: source.into(), target: target.into(), ..Self::default() }
    }

    /// The same edge from another port.
    #[must_use]
    pub fn from_port(mut self, port: impl Into<String>) -> Self {
        self.port = port.into();
        self
    }

    /// How sentences name it: its id, or its ends.
    pub fn shown(&self) -> String {
        match (&self.id, self.port.as_str()) {
            (Some(id), _) => format!("`{id}`"),
            (None, ports::OUT) => format!("`{}` → `{}`", self.source, self.target),
            (None, port) => format!("`{}` ({port}) → `{}`", self.source, self.target),
        }
    }

    pub(crate) fn read(object: &Object<'_>) -> Self {
        let (id, source, target) =
            (object.peek("id"), object.peek("source"), object.peek("target"));
        let short = |text: &str| text.chars().take(id::LONGEST).collect::<String>();
        let shown = match id {
            "" => format!("`{}` → `{}`", short(source), short(target)),
            id => format!("`{}`", short(id)),
        };
        object.owned_by(Owner::Edge(&shown), Self::read_fields)
    }

    fn read_fields(object: &Object<'_>) -> Self {
        Self {
            id: object.optional("id", id::read),
            source: object.required("source", id::read_name),
            target: object.required("target", id::read_name),
            port: object.or("port", ports::OUT.to_owned(), read_port),
            condition: object.optional("condition", |at| Value::Object(at.map())),
            label: object.optional("label", |at| at.line(200)),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        into.some("id", &self.id);
        into.put("source", &self.source);
        into.put("target", &self.target);
        into.unless("port", &self.port, &ports::OUT.to_owned());
        into.some("condition", &self.condition);
        into.some("label", &self.label);
    }
}

pub(crate) fn read_port(at: At<'_>) -> String {
    id::read_name(at)
}
