//! Warnings about the graph against every way that a run could take.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::support::*;
use crate::definition::check::check;
use crate::definition::problem::ProblemCode::{JoinStarves, Unreachable};
use crate::definition::testing::World;
use crate::definition::{Definition, JunctionMode, Node, NodeKind, port, read_value};

/// Graphs without cycles, of few nodes: choices, steps that may fail, and junctions.
fn small_graphs() -> impl Strategy<Value = Definition> {
    let node = (0..6u8, any::<bool>());
    let edges = prop::collection::vec((0..7usize, 0..7usize, any::<bool>()), 4..14);
    (prop::collection::vec(node, 4..8), edges).prop_map(|(kinds, edges)| {
        let ids: Vec<String> = (0..kinds.len()).map(|index| format!("n{index}")).collect();
        let nodes = kinds.iter().zip(&ids).map(|((kind, disabled), id)| match kind {
            0 | 1 => choice(id),
            2 | 3 => join(id),
            4 if *disabled => off(step(id)),
            _ => step(id),
        });
        let nodes: Vec<Value> = nodes.collect();
        let edges = edges.into_iter().filter(|(a, b, _)| a < b && *b < nodes.len());
        let edges = edges.map(|(a, b, first)| {
            let port = match (nodes[a]["type"].as_str(), first) {
                (Some("condition"), true) => port::TRUE,
                (Some("condition"), false) => port::FALSE,
                (Some("action"), false) => port::ERROR,
                _ => port::OUT,
            };
            format!("n{a}:{port} n{b}")
        });
        let edges: BTreeSet<String> = edges.collect();
        let edges: Vec<&str> = edges.iter().map(String::as_str).collect();
        read_value(flow(nodes.into(), &edges)).expect("a right form")
    })
}

/// What happened in a run: the nodes that ran, and the junctions all of whose inputs came.
#[derive(Default)]
struct Seen {
    ran: BTreeSet<String>,
    joined: BTreeSet<String>,
}

/// Runs a graph once for each way in which its nodes can choose between two ports.
fn every_run(flow: &Definition) -> Seen {
    let nodes = &flow.graph.nodes;
    let mut seen = Seen::default();
    for choices in 0..1u32 << nodes.len() {
        run(flow, &|index| choices >> index & 1 == 1, &mut seen);
    }
    seen
}

fn run(flow: &Definition, chooses_second: &dyn Fn(usize) -> bool, seen: &mut Seen) {
    let graph = &flow.graph;
    let mut taken: Vec<Option<&str>> = Vec::new();
    // Edges lead from earlier nodes to later ones.
    for (index, node) in graph.nodes.iter().enumerate() {
        let inputs: Vec<bool> = graph
            .edges
            .iter()
            .filter(|edge| edge.target == node.id)
            .map(|edge| {
                let source = graph.nodes.iter().position(|node| node.id == edge.source);
                taken[source.expect("an earlier node")] == Some(edge.port.as_str())
            })
            .collect();
        let all = inputs.iter().all(|came| *came);
        let waits = matches!(node.kind, NodeKind::Junction(JunctionMode::All));
        let runs = inputs.is_empty() || if waits { all } else { inputs.contains(&true) };
        if runs {
            seen.ran.insert(node.id.to_string());
        }
        if all {
            seen.joined.insert(node.id.to_string());
        }
        taken.push(runs.then(|| port_of(node, chooses_second(index))));
    }
}

fn port_of(node: &Node, second: bool) -> &'static str {
    match (&node.kind, second) {
        _ if node.disabled => port::OUT,
        (NodeKind::Condition(_), false) => port::TRUE,
        (NodeKind::Condition(_), true) => port::FALSE,
        (NodeKind::Action(_), true) => port::ERROR,
        _ => port::OUT,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_told_of_a_graph_holds_in_every_run(flow in small_graphs()) {
        let seen = every_run(&flow);
        for problem in check(&flow, &World) {
            let node = problem.node.as_ref().map(|id| id.to_string()).unwrap_or_default();
            match problem.code {
                Unreachable => prop_assert!(!seen.ran.contains(&node), "{problem:?}"),
                JoinStarves => prop_assert!(!seen.joined.contains(&node), "{problem:?}"),
                _ => {}
            }
        }
    }
}

/// Without this, the property would also hold of checks that say nothing.
#[test]
fn most_starving_joins_of_small_graphs_are_told() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut starving, mut told) = (0, 0);
    for _ in 0..1_500 {
        let flow = small_graphs().new_tree(&mut runner).expect("a graph").current();
        let seen = every_run(&flow);
        let problems = check(&flow, &World);
        for node in flow
            .graph
            .nodes
            .iter()
            .filter(|node| matches!(node.kind, NodeKind::Junction(JunctionMode::All)))
        {
            if !seen.joined.contains(node.id.as_str()) {
                starving += 1;
                let is_this =
                    |problem: &&crate::definition::Problem| problem.node.as_ref() == Some(&node.id);
                told += usize::from(problems.iter().any(|problem| is_this(&problem)));
            }
        }
    }
    assert!(starving > 50, "{starving}");
    assert!(told * 10 >= starving * 9, "{told} of {starving}");
}
