//! Where runs begin. In n8n a trigger leads to the nodes that it starts; here a run begins at every
//! node to which nothing leads, whatever started it.

use std::collections::BTreeSet;

use serde_json::json;

use super::data::{Role, role};
use super::report::Report;
use super::workflow::Workflow;
use crate::definition::model::{
    Branching, Case, Edge, JunctionMode, Node, NodeKind, Trigger, to_name,
};

/// The triggers that a step became, none when it has no counterpart.
pub(super) struct Start {
    pub step: usize,
    pub triggers: Vec<Trigger>,
}

/// Steps that some trigger leads to. All of them, when there is no trigger.
pub(super) fn reached(workflow: &Workflow) -> BTreeSet<usize> {
    let is_trigger = |step: &usize| role(&workflow.steps[*step]) == Role::Trigger;
    let all = 0..workflow.steps.len();
    let mut open: Vec<usize> = all.clone().filter(is_trigger).collect();
    if open.is_empty() {
        return all.collect();
    }
    let mut reached = BTreeSet::new();
    while let Some(step) = open.pop() {
        if reached.insert(step) {
            open.extend(workflow.outgoing(step).iter().map(|wire| wire.target));
        }
    }
    reached
}

/// A node in front of what the triggers lead to, where beginning everywhere would be wrong: when
/// they lead to different nodes, or to one that others lead to as well.
pub(super) fn gate(
    workflow: &Workflow,
    starts: &[Start],
    inner: &[Edge],
    report: &mut Report,
) -> Option<(Node, Vec<Edge>)> {
    let targets: Vec<BTreeSet<usize>> =
        starts.iter().map(|start| targets_of(workflow, start.step)).collect();
    let all: BTreeSet<usize> = targets.iter().flatten().copied().collect();
    let is_led_to = |step: &usize| inner.iter().any(|edge| edge.target == workflow.steps[*step].id);
    let differ = targets.iter().any(|targets| *targets != all);
    if !differ && !all.iter().any(is_led_to) {
        return None;
    }
    let id =
        to_name("start", "start", |id| workflow.steps.iter().any(|step| step.id.as_str() == id));
    let edge = |port: &str, step: usize| {
        Edge::new(id.as_str(), workflow.steps[step].id.clone()).from_port(port)
    };
    if differ && let Some(cases) = cases(starts) {
        let edges = cases.iter().zip(&targets);
        let edges = edges
            .flat_map(|(case, targets)| targets.iter().map(|target| edge(&case.port, *target)));
        let kind = NodeKind::Condition(Branching::Cases(cases.clone()));
        return Some((Node::new(id.as_str(), kind), edges.collect()));
    }
    if differ {
        report.not_mapped(
            "the workflow",
            "triggers of the same type lead to different nodes; here each of them starts all",
            "Make a flow for each trigger, or a condition node that tells them apart.",
        );
    }
    let edges = all.iter().map(|target| edge("out", *target)).collect();
    Some((Node::new(id.as_str(), NodeKind::Junction(JunctionMode::Any)), edges))
}

fn targets_of(workflow: &Workflow, step: usize) -> BTreeSet<usize> {
    let runs =
        |target: &usize| !matches!(role(&workflow.steps[*target]), Role::Trigger | Role::Note);
    workflow.outgoing(step).iter().map(|wire| wire.target).filter(runs).collect()
}

/// A case for each trigger. Only their types tell them apart in a run.
fn cases(starts: &[Start]) -> Option<Vec<Case>> {
    let mut seen = BTreeSet::new();
    let cases = starts.iter().map(|start| {
        let trigger = start.triggers.first()?;
        let kind = trigger.trigger_type().as_str();
        seen.insert(kind).then(|| Case {
            port: format!("on_{kind}"),
            condition: json!({
                "type": "compare",
                "left": { "type": "context", "path": "trigger.type" },
                "operator": "eq",
                "right": { "type": "literal", "value": kind },
            }),
        })
    });
    cases.collect()
}
