//! Which nodes run before a node.

use std::cell::RefCell;
use std::collections::HashMap;

use super::bits::Bits;
use super::scopes::{Scopes, Seat};

/// Remembers what it has worked out, since expressions ask again and again.
pub(super) struct Ancestors<'a, 'b> {
    scopes: &'b Scopes<'a>,
    known: RefCell<HashMap<Seat, Bits>>,
    /// By graph and node, where edges to it come from.
    sources: Vec<Vec<Vec<usize>>>,
}

impl<'a, 'b> Ancestors<'a, 'b> {
    pub fn new(scopes: &'b Scopes<'a>) -> Self {
        let sources = scopes.list.iter().map(|scope| {
            let mut sources = vec![Vec::new(); scope.graph.nodes.len()];
            for link in &scope.links {
                sources[link.target].push(link.source);
            }
            sources
        });
        Self { scopes, known: RefCell::default(), sources: sources.collect() }
    }

    /// Whether `before` has run when `node` begins: it leads there, or to a node around it.
    pub fn is_before(&self, before: Seat, node: Seat) -> bool {
        let mut around = std::iter::once(node).chain(self.scopes.owners(node.scope));
        let Some(same) = around.find(|seat| seat.scope == before.scope) else { return false };
        let mut known = self.known.borrow_mut();
        known.entry(same).or_insert_with(|| self.of(same)).has(before.node)
    }

    fn of(&self, seat: Seat) -> Bits {
        let sources = &self.sources[seat.scope];
        let mut found = Bits::new(sources.len());
        let mut open = sources[seat.node].clone();
        while let Some(node) = open.pop() {
            if !found.has(node) {
                found.insert(node);
                open.extend(&sources[node]);
            }
        }
        found
    }
}
