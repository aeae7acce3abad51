//! Warnings about the graph against every way that a run could take.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::support::*;
use crate::definition::check::check;
use crate::definition::problem::ProblemCode::{JoinStarves, Unreachable};
use crate::definition::testing::World;
use crate::definition::{Definition, Edge, JunctionMode, Node, NodeId, NodeKind, port, read_value};
use crate::plan::{Join, Plan, Way, Wiring};

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

/// The nodes that run in at least one of the ways in which the nodes can choose between two ports.
fn every_run(flow: &Definition) -> BTreeSet<String> {
    let mut ran = BTreeSet::new();
    for choices in 0..1u32 << flow.graph.nodes.len() {
        run(flow, &|index| choices >> index & 1 == 1, &mut ran);
    }
    ran
}

/// Walks the graph by the plan that runs follow.
fn run(flow: &Definition, chooses_second: &dyn Fn(usize) -> bool, ran: &mut BTreeSet<String>) {
    let graph = &flow.graph;
    let number = |id: &NodeId| graph.nodes.iter().position(|node| node.id == *id);
    let way = |edge: &Edge| Way {
        source: number(&edge.source).expect("a node"),
        target: number(&edge.target).expect("a node"),
    };
    let joins: Vec<Join> = graph.nodes.iter().map(join_of).collect();
    let wiring = Wiring::new(&joins, graph.edges.iter().map(way).collect());
    let (mut plan, next) = Plan::begin(&wiring);
    let mut ready = next.start;
    while let Some(node) = ready.pop() {
        ran.insert(graph.nodes[node].id.to_string());
        let port = port_of(&graph.nodes[node], chooses_second(node));
        ready.extend(plan.end(&wiring, node, |way| graph.edges[way].port == port).start);
    }
    assert!(plan.is_done(), "a join hangs");
}

fn join_of(node: &Node) -> Join {
    match node.kind {
        NodeKind::Junction(JunctionMode::Any) => Join::Any,
        _ => Join::All,
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

/// The nodes of which it is told that they never run.
fn told(flow: &Definition) -> BTreeSet<String> {
    let never = check(flow, &World)
        .into_iter()
        .filter(|problem| [Unreachable, JoinStarves].contains(&problem.code));
    never.filter_map(|problem| Some(problem.node?.to_string())).collect()
}

/// Whether every way to a node comes from one that is told, or follows from such ones.
fn follows(flow: &Definition, ran: &BTreeSet<String>, node: &NodeId) -> bool {
    let mut into = flow.graph.edges.iter().filter(|edge| edge.target == *node);
    into.all(|edge| !ran.contains(edge.source.as_str()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_never_runs_is_told_or_follows_from_what_is_told(flow in small_graphs()) {
        let ran = every_run(&flow);
        let told = told(&flow);
        for node in &flow.graph.nodes {
            let id = node.id.as_str();
            prop_assert!(!(ran.contains(id) && told.contains(id)), "{id} runs");
            let expected = ran.contains(id) || node.disabled || follows(&flow, &ran, &node.id);
            prop_assert_eq!(told.contains(id), !expected, "{}", id);
        }
    }
}

/// Without this, the property could hold of graphs in which everything runs.
#[test]
fn some_nodes_and_joins_of_small_graphs_never_run() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut nodes, mut joins) = (0, 0);
    for _ in 0..1_500 {
        let flow = small_graphs().new_tree(&mut runner).expect("a graph").current();
        let told = told(&flow);
        nodes += told.len();
        let is_join = |node: &&Node| matches!(node.kind, NodeKind::Junction(_));
        let starving = |node: &&Node| told.contains(node.id.as_str());
        joins += flow.graph.nodes.iter().filter(is_join).filter(starving).count();
    }
    assert!(nodes > 50 && joins > 10, "{nodes} {joins}");
}
