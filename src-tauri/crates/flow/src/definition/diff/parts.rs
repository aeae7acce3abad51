//! Nodes, edges and triggers that were added, removed or changed.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::{self, FieldChange};
use crate::definition::model::{Definition, Edge, Graph};

/// What became of the parts of one kind, in the order of the definitions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, specta::Type)]
pub struct PartChanges {
    pub added: Vec<String>,
    pub removed: Vec<String>,
    pub changed: Vec<PartChange>,
}

/// One part that is in both definitions, and differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct PartChange {
    pub id: String,
    pub fields: Vec<FieldChange>,
}

impl PartChanges {
    /// True when the parts are the same.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// A part's name in the diff, and everything that belongs to it alone.
pub(super) type Part = (String, Value);

pub(super) fn compare(before: Vec<Part>, after: Vec<Part>) -> PartChanges {
    let mut changes = PartChanges::default();
    let mut old: HashMap<String, Value> = before.iter().cloned().collect();
    for (id, value) in after {
        match old.remove(&id) {
            None => changes.added.push(id),
            Some(old) if old == value => {}
            Some(old) => {
                let fields = fields::compare(&old, &value);
                changes.changed.push(PartChange { id, fields });
            }
        }
    }
    let gone = before.into_iter().map(|(id, _)| id).filter(|id| old.contains_key(id));
    changes.removed.extend(gone);
    changes
}

pub(super) fn triggers(definition: &Definition) -> Vec<Part> {
    let each = definition.triggers.iter();
    numbered(each.map(|trigger| (trigger.id.to_string(), to_value(trigger))))
}

pub(super) fn nodes(definition: &Definition) -> Vec<Part> {
    let mut parts = Vec::new();
    each_graph(&definition.graph, None, &mut |graph, owner| {
        for node in &graph.nodes {
            let mut value = to_value(node);
            if let Some(map) = value.as_object_mut() {
                map.shift_remove("position");
                map.shift_remove("body");
                map.extend(owner.map(|owner| ("in".to_owned(), owner.into())));
            }
            parts.push((node.id.to_string(), value));
        }
    });
    numbered(parts)
}

pub(super) fn edges(definition: &Definition) -> Vec<Part> {
    let mut parts = Vec::new();
    each_graph(&definition.graph, None, &mut |graph, _| {
        parts.extend(graph.edges.iter().map(|edge| (key(edge), to_value(edge))));
    });
    numbered(parts)
}

fn key(edge: &Edge) -> String {
    match &edge.id {
        Some(id) => id.clone(),
        None => edge.shown().replace('`', ""),
    }
}

fn each_graph(graph: &Graph, owner: Option<&str>, see: &mut impl FnMut(&Graph, Option<&str>)) {
    see(graph, owner);
    for node in &graph.nodes {
        if let Some(body) = node.body() {
            each_graph(body, Some(node.id.as_str()), see);
        }
    }
}

/// Two parts of one name, which only a wrong definition has, are still two.
fn numbered(parts: impl IntoIterator<Item = Part>) -> Vec<Part> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let numbered = parts.into_iter().map(|(id, value)| {
        let count = seen.entry(id.clone()).or_default();
        *count += 1;
        if *count == 1 { (id, value) } else { (format!("{id} #{count}"), value) }
    });
    numbered.collect()
}

fn to_value(part: impl Serialize) -> Value {
    serde_json::to_value(part).unwrap_or_default()
}
