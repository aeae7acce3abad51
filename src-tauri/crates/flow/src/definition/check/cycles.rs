//! No way leads back to where it came from.

use std::collections::VecDeque;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::scopes::Scope;
use super::view::View;
use crate::definition::problem::ProblemCode;

/// Enough to see which way it goes.
const MOST_NAMED: usize = 12;

/// True when there is a cycle. Each is told once, with the nodes on its shortest way round.
pub(super) fn check(view: &View<'_>, scope: &Scope<'_>) -> bool {
    let graph = graph_of(scope);
    let mut cyclic = false;
    for mut knot in kosaraju_scc(&graph) {
        if knot.len() < 2 {
            continue;
        }
        cyclic = true;
        knot.sort();
        let round = round(&graph, &knot);
        let named = round.iter().take(MOST_NAMED).map(|node| name(scope, node.index()));
        let named: Vec<String> = named.collect();
        let dots = if round.len() > MOST_NAMED { " → …" } else { "" };
        let message = format!("it is part of a cycle: {}{dots} → {}", named.join(" → "), named[0]);
        let seat = scope.seat(round[0].index());
        let hint = "Remove one of the edges; what is to be repeated belongs into a flow.loop.";
        view.tell(view.of_node(seat, ProblemCode::Cycle, "", message, hint));
    }
    cyclic
}

fn graph_of(scope: &Scope<'_>) -> DiGraph<(), (), usize> {
    let mut graph = DiGraph::default();
    for _ in &scope.graph.nodes {
        graph.add_node(());
    }
    for link in &scope.links {
        graph.add_edge(NodeIndex::new(link.source), NodeIndex::new(link.target), ());
    }
    graph
}

fn name(scope: &Scope<'_>, node: usize) -> String {
    format!("`{}`", scope.graph.nodes[node].id)
}

/// The shortest way from the first node of a knot back to itself. Inside of a knot there is one.
fn round(graph: &DiGraph<(), (), usize>, knot: &[NodeIndex<usize>]) -> Vec<NodeIndex<usize>> {
    let start = knot[0];
    let mut came_from = vec![None; graph.node_count()];
    let mut open = VecDeque::from([start]);
    while let Some(node) = open.pop_front() {
        for next in graph.neighbors(node) {
            if next == start {
                return way(&came_from, start, node);
            }
            if came_from[next.index()].is_none() {
                came_from[next.index()] = Some(node);
                open.push_back(next);
            }
        }
    }
    knot.to_vec()
}

fn way(
    came_from: &[Option<NodeIndex<usize>>],
    start: NodeIndex<usize>,
    end: NodeIndex<usize>,
) -> Vec<NodeIndex<usize>> {
    let back = std::iter::successors(Some(end), |node| {
        if *node == start { None } else { came_from[node.index()] }
    });
    let mut way: Vec<_> = back.collect();
    way.reverse();
    way
}
