//! Junctions in front of nodes that several edges lead to.

use std::collections::{BTreeMap, BTreeSet};

use crate::definition::model::{
    Edge, Graph, JunctionMode, Node, NodeId, NodeKind, Position, to_name,
};
use crate::definition::n8n::report::Report;

/// There, a node runs once for each of them; a merge waits for all.
pub(super) fn insert(graph: &mut Graph, report: &mut Report) {
    let mut taken: BTreeSet<String> = graph.all_nodes().map(|node| node.id.to_string()).collect();
    insert_into(graph, &mut taken, report);
}

fn insert_into(graph: &mut Graph, taken: &mut BTreeSet<String>, report: &mut Report) {
    // Two wires to different inputs of one node are one edge here.
    let mut seen = BTreeSet::new();
    graph
        .edges
        .retain(|edge| seen.insert((edge.source.clone(), edge.port.clone(), edge.target.clone())));
    let mut inputs: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for edge in &graph.edges {
        inputs.entry(edge.target.clone()).or_default().push(edge.source.clone());
    }
    let mut junctions = Vec::new();
    for node in &mut graph.nodes {
        if let Some(body) = node.body_mut() {
            insert_into(body, taken, report);
        }
        let joins = matches!(node.kind, NodeKind::Junction(_));
        let Some(sources) = inputs.get(&node.id).filter(|sources| sources.len() > 1 && !joins)
        else {
            continue;
        };
        // Of several ports of one node, a run takes one.
        let several = sources.iter().any(|source| *source != sources[0]);
        junctions.push(junction_for(node, several, taken, report));
    }
    for (junction, target) in junctions {
        for edge in graph.edges.iter_mut().filter(|edge| edge.target == target) {
            edge.target = junction.id.clone();
        }
        graph.edges.push(Edge::new(junction.id.clone(), target));
        graph.nodes.push(junction);
    }
}

fn junction_for(
    node: &Node,
    several: bool,
    taken: &mut BTreeSet<String>,
    report: &mut Report,
) -> (Node, NodeId) {
    let id = to_name(&format!("{}_in", node.id), "join", |id| taken.contains(id));
    taken.insert(id.clone());
    let merges = node.call().is_some_and(|call| call.action == "data.merge");
    let mode = if merges { JunctionMode::All } else { JunctionMode::Any };
    if several && !merges {
        let name = node.name.as_deref().unwrap_or(node.id.as_str());
        let what = "several nodes lead to it: it runs after the first of them; it ran after each";
        report.changed(format!("node \"{name}\""), what);
    }
    let mut junction = Node::new(id, NodeKind::Junction(mode));
    junction.position = node.position.map(|place| Position { x: place.x - 120.0, y: place.y });
    (junction, node.id.clone())
}
