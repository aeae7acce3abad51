//! Flows in few words, and what the checks say of them.

use serde_json::{Value, json};

use crate::definition::check::check;
use crate::definition::problem::{Problem, ProblemCode};
use crate::definition::read_value;
use crate::definition::testing::World;

pub(super) fn problems_of(flow: Value) -> Vec<Problem> {
    check(&read_value(flow).unwrap_or_else(|problems| panic!("{problems}")), &World)
}

/// A flow with a trigger and these nodes and edges: `a b`, `a:true b`.
pub(super) fn flow(nodes: Value, edges: &[&str]) -> Value {
    let edges = edges.iter().map(|edge| {
        let (source, target) = edge.split_once(' ').expect("two ends");
        let (source, port) = source.split_once(':').unwrap_or((source, "out"));
        json!({ "source": source, "target": target, "port": port })
    });
    json!({
        "id": "me", "name": "Me", "triggers": [{ "id": "hand", "type": "manual" }],
        "nodes": nodes, "edges": edges.collect::<Vec<_>>(),
    })
}

pub(super) fn step(id: &str) -> Value {
    json!({ "id": id, "type": "action", "action": "file.write" })
}

pub(super) fn says(id: &str, text: &str) -> Value {
    let config = json!({ "text": text });
    json!({ "id": id, "type": "action", "action": "notify.desktop", "config": config })
}

pub(super) fn off(mut node: Value) -> Value {
    node["disabled"] = json!(true);
    node
}

pub(super) fn call(id: &str, action: &str) -> Value {
    json!({ "id": id, "type": "action", "action": action })
}

pub(super) fn with_body(id: &str, action: &str, body: Value) -> Value {
    json!({ "id": id, "type": "action", "action": action, "body": { "nodes": body } })
}

pub(super) fn holds() -> Value {
    json!({ "type": "exists", "ref": { "type": "context", "path": "trigger.payload" } })
}

pub(super) fn choice(id: &str) -> Value {
    json!({ "id": id, "type": "condition", "config": { "condition": holds() } })
}

pub(super) fn cases(id: &str, ports: &[&str]) -> Value {
    let cases: Vec<Value> =
        ports.iter().map(|port| json!({ "port": port, "condition": holds() })).collect();
    json!({ "id": id, "type": "condition", "config": { "cases": cases } })
}

pub(super) fn join(id: &str) -> Value {
    json!({ "id": id, "type": "junction" })
}

pub(super) fn note(id: &str) -> Value {
    json!({ "id": id, "type": "note", "config": { "text": "" } })
}

pub(super) fn found(flow: Value) -> Vec<(ProblemCode, String)> {
    problems_of(flow).into_iter().map(|problem| (problem.code, problem.field)).collect()
}

pub(super) fn codes(flow: Value) -> Vec<ProblemCode> {
    problems_of(flow).into_iter().map(|problem| problem.code).collect()
}

/// The only problem that a flow has.
pub(super) fn only(flow: Value) -> Problem {
    let problems = problems_of(flow);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems.into_iter().next().expect("one")
}

pub(super) fn problem_codes(nodes: Value, edges: &[&str]) -> Vec<ProblemCode> {
    codes(flow(nodes, edges))
}
