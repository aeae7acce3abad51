//! The graphs of a flow: its own and those of bodies, each with its place and its ids.

use std::collections::HashMap;

use crate::definition::model::{Definition, Edge, Graph, Node};

/// A node by its graph and its place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Seat {
    pub scope: usize,
    pub node: usize,
}

pub(super) struct Scope<'a> {
    pub number: usize,
    pub graph: &'a Graph,
    /// JSON path of the object that has `nodes` and `edges`.
    pub path: String,
    /// The node whose body this is.
    pub owner: Option<Seat>,
    /// Of two nodes with the same id, the first.
    ids: HashMap<&'a str, usize>,
    /// Edges between two nodes of this graph, neither of them a note.
    pub links: Vec<Link>,
}

/// An edge whose two ends are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub edge: usize,
    pub source: usize,
    pub target: usize,
}

impl<'a> Scope<'a> {
    fn new(number: usize, graph: &'a Graph, path: String, owner: Option<Seat>) -> Self {
        let mut ids = HashMap::new();
        for (index, node) in graph.nodes.iter().enumerate() {
            ids.entry(node.id.as_str()).or_insert(index);
        }
        let mut scope = Self { number, graph, path, owner, ids, links: Vec::new() };
        scope.links = scope.find_links();
        scope
    }

    fn find_links(&self) -> Vec<Link> {
        let links = self.graph.edges.iter().enumerate().filter_map(|(edge, ends)| {
            let source = self.find(ends.source.as_str())?;
            let target = self.find(ends.target.as_str())?;
            let runs = |node: usize| !self.graph.nodes[node].is_note();
            let good = source != target && runs(source) && runs(target);
            good.then_some(Link { edge, source, target })
        });
        links.collect()
    }

    pub fn find(&self, id: &str) -> Option<usize> {
        self.ids.get(id).copied()
    }

    pub fn edge(&self, link: &Link) -> &'a Edge {
        &self.graph.edges[link.edge]
    }

    pub fn node_path(&self, node: usize) -> String {
        format!("{}.nodes[{node}]", self.path)
    }

    pub fn edge_path(&self, edge: usize) -> String {
        format!("{}.edges[{edge}]", self.path)
    }

    pub fn seat(&self, node: usize) -> Seat {
        Seat { scope: self.number, node }
    }
}

pub(super) struct Scopes<'a> {
    pub list: Vec<Scope<'a>>,
    seats: HashMap<&'a str, Seat>,
}

impl<'a> Scopes<'a> {
    pub fn of(definition: &'a Definition) -> Self {
        let mut list = vec![Scope::new(0, &definition.graph, "$".to_owned(), None)];
        let mut at = 0;
        while let Some(scope) = list.get(at) {
            let bodies = scope.graph.nodes.iter().enumerate().filter_map(|(index, node)| {
                let path = format!("{}.body", scope.node_path(index));
                Some((node.body()?, path, scope.seat(index)))
            });
            for (number, (body, path, owner)) in (list.len()..).zip(bodies.collect::<Vec<_>>()) {
                list.push(Scope::new(number, body, path, Some(owner)));
            }
            at += 1;
        }
        let mut seats = HashMap::new();
        for scope in &list {
            for (index, node) in scope.graph.nodes.iter().enumerate() {
                seats.entry(node.id.as_str()).or_insert(scope.seat(index));
            }
        }
        Self { list, seats }
    }

    /// The node with this id, in whatever graph.
    pub fn find(&self, id: &str) -> Option<Seat> {
        self.seats.get(id).copied()
    }

    pub fn node(&self, seat: Seat) -> &'a Node {
        &self.list[seat.scope].graph.nodes[seat.node]
    }

    /// The nodes around a graph, the innermost first.
    pub fn owners(&self, scope: usize) -> impl Iterator<Item = Seat> {
        std::iter::successors(self.list[scope].owner, |seat| self.list[seat.scope].owner)
    }

    /// Every node with its seat.
    pub fn nodes(&self) -> impl Iterator<Item = (Seat, &'a Node)> {
        self.list.iter().flat_map(|scope| {
            let nodes = scope.graph.nodes.iter().enumerate();
            nodes.map(|(index, node)| (scope.seat(index), node))
        })
    }
}
