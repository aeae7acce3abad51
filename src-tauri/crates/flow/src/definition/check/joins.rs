//! Junctions that wait for all of their inputs can get them.
//!
//! For each node, the ports are gathered that no way to it leaves open: behind the port `true`,
//! the port `false` was not taken. A junction whose inputs together leave no port of a node open
//! starves.

use super::bits::Bits;
use super::reach::Reach;
use super::scopes::{Link, Scope};
use super::view::View;
use crate::definition::model::{JunctionMode, NodeKind};
use crate::definition::problem::{Problem, ProblemCode};

pub(super) fn check(view: &View<'_>, scope: &Scope<'_>, reach: &Reach) {
    let joins = scope.graph.nodes.iter().any(waits_for_all);
    if joins {
        Joins::new(view, scope, reach).check();
    }
}

fn waits_for_all(node: &crate::definition::model::Node) -> bool {
    !node.disabled && matches!(node.kind, NodeKind::Junction(JunctionMode::All))
}

struct Joins<'a, 'b> {
    view: &'b View<'a>,
    scope: &'b Scope<'a>,
    reach: &'b Reach,
    inputs: Vec<Vec<&'b Link>>,
    /// The ports from which edges lead, by node, each with its number.
    ports: Vec<Vec<(&'a str, usize)>>,
    ports_count: usize,
}

impl<'a, 'b> Joins<'a, 'b> {
    fn new(view: &'b View<'a>, scope: &'b Scope<'a>, reach: &'b Reach) -> Self {
        let mut inputs = vec![Vec::new(); scope.graph.nodes.len()];
        let mut ports = vec![Vec::new(); inputs.len()];
        let mut ports_count = 0;
        for link in &scope.links {
            inputs[link.target].push(link);
            let port = scope.edge(link).port.as_str();
            if !ports[link.source].iter().any(|(known, _)| *known == port) {
                ports[link.source].push((port, ports_count));
                ports_count += 1;
            }
        }
        Self { view, scope, reach, inputs, ports, ports_count }
    }

    fn check(&self) {
        let mut closed: Vec<Option<Bits>> = vec![None; self.scope.graph.nodes.len()];
        for node in self.in_order() {
            if self.reach.reached[node] {
                closed[node] = Some(self.closed_at(node, &closed));
            }
        }
    }

    /// Nodes after those that lead to them; there are no cycles here.
    fn in_order(&self) -> Vec<usize> {
        let mut waiting: Vec<usize> = self.inputs.iter().map(Vec::len).collect();
        let mut followers = vec![Vec::new(); waiting.len()];
        for link in &self.scope.links {
            followers[link.source].push(link.target);
        }
        let mut order: Vec<usize> = (0..waiting.len()).filter(|node| waiting[*node] == 0).collect();
        let mut at = 0;
        while let Some(&node) = order.get(at) {
            at += 1;
            for &next in &followers[node] {
                waiting[next] -= 1;
                if waiting[next] == 0 {
                    order.push(next);
                }
            }
        }
        order
    }

    /// The ports that are not taken by any run that comes to a node. Most nodes run after any of
    /// their inputs, a junction wants all.
    fn closed_at(&self, node: usize, closed: &[Option<Bits>]) -> Bits {
        let live = |link: &&&Link| self.reach.carries(self.view, self.scope, link);
        let inputs = self.inputs[node].iter().filter(live);
        let inputs: Vec<Bits> = inputs.map(|link| self.closed_along(link, closed)).collect();
        let joined = |join: fn(&mut Bits, &Bits)| {
            let joined = inputs.iter().cloned().reduce(|mut all, one| {
                join(&mut all, &one);
                all
            });
            joined.unwrap_or_else(|| Bits::new(self.ports_count))
        };
        if waits_for_all(&self.scope.graph.nodes[node]) {
            let all = joined(Bits::add);
            if !self.tell_dead(node) && !self.tell_conflict(node, &all) {
                return all;
            }
        }
        joined(Bits::keep)
    }

    fn closed_along(&self, link: &Link, closed: &[Option<Bits>]) -> Bits {
        let before = closed[link.source].clone();
        let mut closed = before.unwrap_or_else(|| Bits::new(self.ports_count));
        let taken = self.scope.edge(link).port.as_str();
        for (_, number) in self.ports[link.source].iter().filter(|(port, _)| *port != taken) {
            closed.insert(*number);
        }
        closed
    }

    fn tell_dead(&self, node: usize) -> bool {
        let dead = |link: &&&Link| !self.reach.carries(self.view, self.scope, link);
        let Some(link) = self.inputs[node].iter().find(dead) else { return false };
        let from = &self.scope.graph.nodes[link.source].id;
        self.tell(node, format!("it waits for all inputs, and none ever comes from `{from}`"));
        true
    }

    fn tell_conflict(&self, node: usize, closed: &Bits) -> bool {
        let all_closed = |ports: &Vec<(&str, usize)>| {
            !ports.is_empty() && ports.iter().all(|(_, number)| closed.has(*number))
        };
        let Some(chooser) = self.ports.iter().position(all_closed) else { return false };
        let id = &self.scope.graph.nodes[chooser].id;
        let why = format!("it waits for all inputs, but no port of `{id}` leads to all of them");
        self.tell(node, why);
        true
    }

    fn tell(&self, node: usize, message: String) {
        let hint = "Set its mode to any, so that the first input is enough.";
        let seat = self.scope.seat(node);
        let problem: Problem =
            self.view.of_node(seat, ProblemCode::JoinStarves, ".config.mode", message, hint);
        self.view.tell(problem.as_warning());
    }
}
