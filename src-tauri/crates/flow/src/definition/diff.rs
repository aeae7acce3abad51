//! What changed from one version of a flow to another: as data for a view of it, and as one
//! sentence for the list of versions.

mod fields;
mod parts;
mod summary;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::{Definition, NodeId};
use super::text::Layout;

pub use fields::FieldChange;
pub use parts::{PartChange, PartChanges};

/// What changed. A node that was given another id counts as removed and added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename = "FlowChanges", rename_all = "camelCase")]
pub struct Changes {
    /// Name, description, folder, tags, entry conditions, error flow, variables.
    pub flow: Vec<FieldChange>,
    pub settings: Vec<FieldChange>,
    pub triggers: PartChanges,
    /// Those of bodies too; the field `in` tells that a node went into or out of a body.
    pub nodes: PartChanges,
    pub edges: PartChanges,
    /// Nodes that only stand elsewhere on the canvas.
    #[specta(type = Vec<String>)]
    pub moved: Vec<NodeId>,
    /// One sentence, such as "2 nodes added, `fetch` changed".
    pub summary: String,
}

impl Changes {
    /// True when only places on the canvas changed, or nothing.
    pub fn is_layout_only(&self) -> bool {
        let parts = [&self.triggers, &self.nodes, &self.edges];
        let fields = [&self.flow, &self.settings];
        parts.iter().all(|part| part.is_empty()) && fields.iter().all(|list| list.is_empty())
    }
}

/// Compares two definitions. Both may be wrong in any way.
pub fn diff(before: &Definition, after: &Definition) -> Changes {
    let mut changes = Changes {
        flow: fields::compare(&flow_fields(before), &flow_fields(after)),
        settings: fields::compare(&settings_of(before), &settings_of(after)),
        triggers: parts::compare(parts::triggers(before), parts::triggers(after)),
        nodes: parts::compare(parts::nodes(before), parts::nodes(after)),
        edges: parts::compare(parts::edges(before), parts::edges(after)),
        moved: moved(before, after),
        summary: String::new(),
    };
    changes.summary = summary::of(&changes, before, after);
    changes
}

fn flow_fields(definition: &Definition) -> Value {
    let mut value = definition.to_value();
    if let Some(map) = value.as_object_mut() {
        for apart in ["triggers", "nodes", "edges", "settings", "schemaVersion"] {
            map.shift_remove(apart);
        }
    }
    value
}

fn settings_of(definition: &Definition) -> Value {
    serde_json::to_value(&definition.settings).unwrap_or_default()
}

fn moved(before: &Definition, after: &Definition) -> Vec<NodeId> {
    let (old, new) = (Layout::of(before), Layout::of(after));
    let known: std::collections::HashSet<&NodeId> = before.nodes().map(|node| &node.id).collect();
    let ids = after.nodes().map(|node| &node.id).filter(|id| known.contains(id));
    ids.filter(|id| old.get(id.as_str()) != new.get(id.as_str())).cloned().collect()
}

#[cfg(test)]
mod tests;
