//! The model of a flow, its defaults filled in. Times are in milliseconds, as their names say.

mod circuit;
mod edge;
mod graph;
mod id;
mod node;
mod retry;
mod settings;
mod trigger;

use serde_json::{Map, Value};

pub use circuit::CircuitBreaker;
pub use edge::{Edge, port};
pub use graph::{Graph, Nodes};
pub use id::{FlowId, NodeId, TriggerId, fresh_id};
pub(crate) use id::{is_name, to_name};
pub use node::{Branching, Call, Case, JunctionMode, Node, NodeKind, Position};
pub use retry::{RetryPolicy, RetryStrategy};
pub use settings::{ErrorHandling, ExecutionMode, SaveRuns, Settings};
pub use trigger::*;

use super::wire::{Object, Writer, serde_by_wire};

/// The version of the definition's format that this DevRig writes.
pub const SCHEMA_VERSION: u32 = 1;

/// A year and a day, in milliseconds: nothing in a definition may last longer.
pub const LONGEST_MS: u64 = 31_622_400_000;

pub(crate) const LONGEST: i64 = LONGEST_MS as i64;

/// A flow as it was defined: when it starts, what it does and how it is to be run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Definition {
    pub id: FlowId,
    pub name: String,
    /// Markdown; empty when nothing is said.
    pub description: String,
    /// Where it stands in the list of flows: names with `/` between them.
    pub folder: Option<String>,
    pub tags: Vec<String>,
    pub triggers: Vec<Trigger>,
    /// Conditions (in the condition language) that all hold, or no run is made.
    pub entry_conditions: Vec<Value>,
    pub graph: Graph,
    pub settings: Settings,
    /// The flow that is started when a run of this one fails.
    pub error_flow_id: Option<FlowId>,
    /// Constants, which expressions reach as `variables`.
    pub variables: Map<String, Value>,
}

impl Definition {
    /// Every node, those of bodies included: a node comes before those of its body.
    pub fn nodes(&self) -> Nodes<'_> {
        self.graph.all_nodes()
    }

    /// The node with this id, wherever it stands.
    pub fn node(&self, id: &str) -> Option<&Node> {
        self.nodes().find(|node| node.id.as_str() == id)
    }

    /// The trigger with this id.
    pub fn trigger(&self, id: &str) -> Option<&Trigger> {
        self.triggers.iter().find(|trigger| trigger.id.as_str() == id)
    }

    /// The definition as JSON, in the order of the model and without what is the default.
    pub fn to_value(&self) -> Value {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.into_value()
    }

    pub(crate) fn read(object: &Object<'_>) -> Self {
        object.optional("$schema", |at| at.text(500));
        object.optional("schemaVersion", |at| at.integer::<u32>(1..=SCHEMA_VERSION.into()));
        let usual = Self::default();
        Self {
            id: object.required("id", id::read),
            name: object.required("name", |at| at.line(200)),
            description: object.or("description", usual.description, |at| at.any_text(20_000)),
            folder: object.optional("folder", read_folder),
            tags: object.or("tags", usual.tags, |at| at.list(0..=50, |tag| tag.line(64))),
            triggers: object.or("triggers", usual.triggers, |at| {
                at.list(0..=50, |trigger| trigger.object(Trigger::read))
            }),
            entry_conditions: object.or("entryConditions", usual.entry_conditions, |at| {
                at.list(0..=50, |condition| Value::Object(condition.map()))
            }),
            graph: Graph::read(object, 0),
            settings: object.or("settings", usual.settings, |at| at.object(Settings::read)),
            error_flow_id: object.optional("errorFlowId", id::read),
            variables: object.or("variables", usual.variables, |at| at.map()),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        into.put("schemaVersion", SCHEMA_VERSION);
        into.put("id", &self.id);
        into.put("name", &self.name);
        into.unless("description", &self.description, &String::new());
        into.some("folder", &self.folder);
        into.unless_empty("tags", &self.tags);
        into.unless_empty("triggers", &self.triggers);
        into.unless_empty("entryConditions", &self.entry_conditions);
        self.graph.write(into);
        into.unless("settings", &self.settings, &Settings::default());
        into.some("errorFlowId", &self.error_flow_id);
        into.unless("variables", &self.variables, &Map::new());
    }
}

serde_by_wire!(Trigger, Edge, Node, Settings, RetryPolicy, CircuitBreaker, Position);

impl serde::Serialize for Definition {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(to)
    }
}

impl<'de> serde::Deserialize<'de> for Definition {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        super::read::read_value(value).map_err(serde::de::Error::custom)
    }
}

/// Names of folders become folders on the disk, where a flow is kept as a file.
fn read_folder(at: super::wire::At<'_>) -> String {
    let folder = at.line(300);
    let odd = |name: &str| {
        name.trim() != name || matches!(name, "" | "." | "..") || name.contains(['\\', ':'])
    };
    let wrong = !folder.is_empty() && folder.split('/').any(odd);
    if wrong || folder.split('/').count() > 8 {
        return at.wrong_value(
            "is no list of at most 8 folder names",
            "Write names with / between them, such as work/reviews.",
        );
    }
    folder
}
