//! Where the nodes of a flow stand on the canvas, apart from the flow.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::indented;
use crate::definition::model::{Definition, NodeId, Position};
use crate::definition::problem::Problems;
use crate::definition::read::{MOST_NODES, parse_text, read_part};

/// Places of nodes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout(BTreeMap<NodeId, Position>);

impl Layout {
    /// The places that a definition's nodes have.
    pub fn of(definition: &Definition) -> Self {
        let placed = definition.nodes().filter_map(|node| Some((node.id.clone(), node.position?)));
        Self(placed.collect())
    }

    /// Reads the layout's own file.
    ///
    /// # Errors
    /// Everything that is wrong with its form. A flow can do without its layout, so this need not
    /// keep anybody from reading the flow.
    pub fn read_text(text: &str) -> Result<Self, Problems> {
        let value = parse_text(text)?;
        let nodes = read_part(&value, |at| {
            at.object(|file| {
                file.required("nodes", |at| {
                    at.fields(MOST_NODES, |place| place.object(Position::read))
                })
            })
        })?;
        Ok(Self(nodes.into_iter().map(|(id, place)| (NodeId::from(id), place)).collect()))
    }

    /// Puts nodes where the layout has them. What it says of unknown nodes is left alone, and so
    /// are nodes that it does not know.
    pub fn apply(&self, definition: &mut Definition) {
        definition.graph.each_node_mut(&mut |node| {
            node.position = self.0.get(&node.id).copied().or(node.position);
        });
    }

    /// True when no node has a place.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The place of one node.
    pub fn get(&self, id: &str) -> Option<Position> {
        self.0.get(id).copied()
    }

    /// The text of the layout's file, sorted by node.
    pub fn to_text(&self) -> String {
        let nodes = self.0.iter().map(|(id, place)| {
            (id.to_string(), serde_json::to_value(place).expect("a place is JSON"))
        });
        let nodes: Map<String, Value> = nodes.collect();
        indented(&json!({ "nodes": nodes }))
    }
}
