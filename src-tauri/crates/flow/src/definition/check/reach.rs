//! Which nodes a run can come to.

use super::scopes::{Link, Scope};
use super::view::View;
use crate::definition::model::{NodeKind, port};
use crate::definition::problem::{Problem, ProblemCode};

/// What a run of one graph can come to.
pub(super) struct Reach {
    /// Nodes to which no edge leads: there a run begins.
    pub starts: Vec<usize>,
    /// By node.
    pub reached: Vec<bool>,
}

impl Reach {
    pub fn of(view: &View<'_>, scope: &Scope<'_>) -> Self {
        let starts = starts(scope);
        let mut followers = vec![Vec::new(); scope.graph.nodes.len()];
        for link in scope.links.iter().filter(|link| is_live(view, scope, link)) {
            followers[link.source].push(link.target);
        }
        let mut reached = vec![false; scope.graph.nodes.len()];
        let mut open = starts.clone();
        while let Some(node) = open.pop() {
            if !std::mem::replace(&mut reached[node], true) {
                open.extend(&followers[node]);
            }
        }
        Self { starts, reached }
    }
}

fn starts(scope: &Scope<'_>) -> Vec<usize> {
    let mut is_target = vec![false; scope.graph.nodes.len()];
    for edge in &scope.graph.edges {
        if let Some(target) = scope.find(edge.target.as_str()) {
            is_target[target] = true;
        }
    }
    let nodes = scope.graph.nodes.iter().enumerate();
    nodes.filter(|(index, node)| !is_target[*index] && !node.is_note()).map(|(i, _)| i).collect()
}

/// A disabled node goes on at `out` alone; a port that is not there leads nowhere.
fn is_live(view: &View<'_>, scope: &Scope<'_>, link: &Link) -> bool {
    let port_name = scope.edge(link).port.as_str();
    let known = view.ports(scope.seat(link.source));
    let known = known.is_none_or(|ports| ports.contains(&port_name));
    known && (!scope.graph.nodes[link.source].disabled || port_name == port::OUT)
}

/// Only the first node on a way is told: what stands behind it follows. A junction waits for no way
/// that is dead, so it too goes on unless all of them are.
pub(super) fn check(view: &View<'_>, scope: &Scope<'_>, reach: &Reach) {
    let mut is_first = vec![false; scope.graph.nodes.len()];
    for link in scope.links.iter().filter(|link| reach.reached[link.source]) {
        is_first[link.target] = true;
    }
    for (index, node) in scope.graph.nodes.iter().enumerate() {
        if is_first[index] && !node.disabled && !reach.reached[index] {
            view.tell(told(view, scope, index).as_warning());
        }
    }
}

fn told(view: &View<'_>, scope: &Scope<'_>, node: usize) -> Problem {
    let (code, message) = match scope.graph.nodes[node].kind {
        NodeKind::Junction(_) => {
            (ProblemCode::JoinStarves, "no way into it can be taken, so it never goes on")
        }
        _ => (ProblemCode::Unreachable, "no run can come to it"),
    };
    let hint = "Lead an edge to it from a node that runs, or disable it.";
    view.of_node(scope.seat(node), code, "", message, hint)
}
