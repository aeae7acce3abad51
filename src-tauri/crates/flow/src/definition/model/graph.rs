//! Nodes and the edges between them: those of a flow, or of a node's body.

use super::{Edge, Node};
use crate::definition::wire::{Object, Writer};

/// A graph without cycles. What is to be repeated stands in the body of a node.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

impl Graph {
    /// The node of this graph, bodies left out, with this id.
    pub fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id.as_str() == id)
    }

    /// Every node, those of bodies included: a node comes before those of its body.
    pub fn all_nodes(&self) -> Nodes<'_> {
        Nodes { open: vec![self.nodes.iter()] }
    }

    /// Changes every node, those of bodies included.
    pub fn each_node_mut(&mut self, change: &mut impl FnMut(&mut Node)) {
        for node in &mut self.nodes {
            change(node);
            if let Some(body) = node.body_mut() {
                body.each_node_mut(change);
            }
        }
    }

    /// Reads `nodes` and `edges` of a flow (`depth` 0) or of a body.
    pub(crate) fn read(object: &Object<'_>, depth: usize) -> Self {
        let most = crate::definition::read::MOST_NODES;
        let nodes = |at: crate::definition::wire::At<'_>| {
            at.list(0..=most, |node| node.object(|object| Node::read_at(object, depth)))
        };
        let edges = |at: crate::definition::wire::At<'_>| {
            at.list(0..=crate::definition::read::MOST_EDGES, |edge| edge.object(Edge::read))
        };
        Self {
            nodes: object.required("nodes", nodes),
            edges: object.or("edges", Vec::new(), edges),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        into.put("nodes", &self.nodes);
        into.unless_empty("edges", &self.edges);
    }
}

/// Walks over nodes, going down into bodies.
#[derive(Debug, Clone)]
pub struct Nodes<'a> {
    open: Vec<std::slice::Iter<'a, Node>>,
}

impl<'a> Iterator for Nodes<'a> {
    type Item = &'a Node;

    fn next(&mut self) -> Option<&'a Node> {
        loop {
            let Some(node) = self.open.last_mut()?.next() else {
                self.open.pop();
                continue;
            };
            if let Some(body) = node.body() {
                self.open.push(body.nodes.iter());
            }
            return Some(node);
        }
    }
}
