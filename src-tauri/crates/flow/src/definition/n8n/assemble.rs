//! The parts of a workflow become a definition.

mod joins;
mod nodes;
mod settings;

use std::collections::BTreeSet;

use super::context::Context;
use super::data::{Data, Role, role};
use super::loops::Loops;
use super::report::Report;
use super::starts::{self, Start};
use super::steps::{self, Made};
use super::triggers;
use super::workflow::{Wire, Workflow};
use crate::definition::model::{
    Definition, Edge, Graph, Node, NodeKind, Trigger, TriggerId, fresh_id, port,
};

pub(super) fn assemble(workflow: &Workflow) -> (Definition, Report) {
    let loops = Loops::of(workflow);
    let mut assembly = Assembly {
        data: Data { workflow, loops: &loops },
        report: Report::default(),
        reached: starts::reached(workflow),
        starts: Vec::new(),
        outputs: Vec::new(),
        nodes: Vec::new(),
    };
    assembly.note_workflow();
    for step in 0..workflow.steps.len() {
        assembly.add(step);
    }
    let graph = assembly.graph();
    let triggers = std::mem::take(&mut assembly.starts);
    let definition = Definition {
        id: fresh_id(&workflow.name, |_| false),
        name: workflow.name.clone(),
        tags: workflow.tags.clone(),
        triggers: triggers.into_iter().flat_map(|start| start.triggers).collect(),
        settings: settings::of(workflow, &mut assembly.report),
        graph,
        ..Definition::default()
    };
    (definition, assembly.report)
}

struct Assembly<'a> {
    data: Data<'a>,
    report: Report,
    reached: BTreeSet<usize>,
    starts: Vec<Start>,
    /// By step.
    outputs: Vec<Outputs>,
    nodes: Vec<Node>,
}

/// What the outputs of a step became.
#[derive(Default)]
struct Outputs {
    /// By output, its ports.
    ports: Vec<Vec<String>>,
    /// Whether its node has the port `error`.
    can_fail: bool,
}

impl Assembly<'_> {
    fn note_workflow(&mut self) {
        let workflow = self.data.workflow;
        let what = "each node runs once, with all of its data; there it ran once for each item";
        self.report.changed("the workflow", what);
        for name in &workflow.pinned {
            let what = "its pinned data was left out: here it would stand in for every run";
            self.report.changed(format!("node \"{name}\""), what);
        }
        for (step, kind) in &workflow.other_wires {
            let place = format!("node \"{}\"", workflow.steps[*step].name);
            let reason = format!("its connection of the kind {kind} has no counterpart");
            self.report.not_mapped(place, reason, "Use an ai node, and give it what it needs.");
        }
    }

    fn add(&mut self, step: usize) {
        let outputs = match role(&self.data.workflow.steps[step]) {
            Role::Trigger => self.add_trigger(step),
            Role::Note => self.add_note(step),
            Role::Pass | Role::Loop | Role::Work => self.add_node(step),
        };
        self.outputs.push(outputs);
    }

    fn add_trigger(&mut self, index: usize) -> Outputs {
        let step = &self.data.workflow.steps[index];
        let mut context = Context { data: &self.data, index, report: &mut self.report };
        let kinds = triggers::convert(&mut context);
        let disabled = nodes::is_disabled(step);
        let named = kinds.into_iter().enumerate().map(|(number, kind)| {
            let id = match number {
                0 => TriggerId::from(step.id.as_str()),
                more => TriggerId::from(format!("{}_{}", step.id, more + 1)),
            };
            Trigger { disabled, ..Trigger::new(id, kind) }
        });
        let triggers: Vec<Trigger> = named.collect();
        if let Some(first) = triggers.first() {
            let into = format!("trigger {}", first.trigger_type());
            self.report.mapped(&step.name, &step.full_kind, into);
        }
        self.starts.push(Start { step: index, triggers });
        Outputs::default()
    }

    fn add_note(&mut self, index: usize) -> Outputs {
        let step = &self.data.workflow.steps[index];
        let text: String = nodes::text(&step.parameters, "content").chars().take(20_000).collect();
        let mut node = Node::new(step.id.clone(), NodeKind::Note(text));
        node.position = nodes::position(step);
        self.nodes.push(node);
        self.report.mapped(&step.name, &step.full_kind, "note");
        Outputs::default()
    }

    fn add_node(&mut self, index: usize) -> Outputs {
        let step = &self.data.workflow.steps[index];
        let mut context = Context { data: &self.data, index, report: &mut self.report };
        let Made { kind, ports, runs } = steps::convert(&mut context);
        let mut node = nodes::with_settings(step, kind, &mut self.report);
        if !self.reached.contains(&index) {
            node.disabled = true;
            let what = "no trigger leads to it, so it is disabled";
            self.report.changed(format!("node \"{}\"", step.name), what);
        }
        if runs {
            let into = node.call().map_or(node.type_name(), |call| call.action.as_str());
            self.report.mapped(&step.name, &step.full_kind, into);
        }
        let can_fail = node.call().is_some();
        self.nodes.push(node);
        Outputs { ports, can_fail }
    }

    fn graph(&mut self) -> Graph {
        let mut graph = Graph { nodes: std::mem::take(&mut self.nodes), edges: Vec::new() };
        for wire in &self.data.workflow.wires {
            graph.edges.extend(self.edges_of(wire));
        }
        self.move_bodies(&mut graph);
        let workflow = self.data.workflow;
        if let Some((gate, edges)) =
            starts::gate(workflow, &self.starts, &graph.edges, &mut self.report)
        {
            graph.nodes.insert(0, gate);
            graph.edges.splice(0..0, edges);
        }
        joins::insert(&mut graph, &mut self.report);
        graph
    }

    fn edges_of(&mut self, wire: &Wire) -> Vec<Edge> {
        let workflow = self.data.workflow;
        let (source, target) = (&workflow.steps[wire.source], &workflow.steps[wire.target]);
        let runs = |step| matches!(role(step), Role::Pass | Role::Loop | Role::Work);
        let inner = self.data.loops.leads_back(wire) || self.data.loops.leads_in(wire);
        let dead = !self.reached.contains(&wire.source) && self.reached.contains(&wire.target);
        if !runs(source) || !runs(target) || inner || dead {
            return Vec::new();
        }
        let ports = self.ports_of(wire);
        let edge = |port| Edge::new(source.id.clone(), target.id.clone()).from_port(port);
        ports.into_iter().map(edge).collect()
    }

    fn ports_of(&mut self, wire: &Wire) -> Vec<String> {
        let step = &self.data.workflow.steps[wire.source];
        let outputs = &self.outputs[wire.source];
        let for_errors = nodes::text(&step.node, "onError") == "continueErrorOutput";
        let error = wire.error || (for_errors && wire.output == outputs.ports.len());
        match (error, outputs.ports.get(wire.output)) {
            (true, _) if outputs.can_fail => vec![port::ERROR.to_owned()],
            (false, Some(ports)) => ports.clone(),
            _ => {
                let place = format!("node \"{}\"", step.name);
                let reason = format!("its output {} has no counterpart", wire.output + 1);
                self.report.not_mapped(place, reason, "Lead an edge from one of its ports.");
                Vec::new()
            }
        }
    }

    /// What a loop repeats goes into its body, the inner loops first.
    fn move_bodies(&self, graph: &mut Graph) {
        for one in &self.data.loops.list {
            let steps = &self.data.workflow.steps;
            let ids: BTreeSet<_> = one.body.iter().map(|step| &steps[*step].id).collect();
            let is_inside = |node: &mut Node| ids.contains(&node.id);
            let nodes: Vec<Node> = graph.nodes.extract_if(.., is_inside).collect();
            let edges = graph
                .edges
                .extract_if(.., |edge| ids.contains(&edge.source) && ids.contains(&edge.target))
                .collect();
            let owner = graph.nodes.iter_mut().find(|node| node.id == steps[one.step].id);
            if let Some(body) = owner.and_then(Node::body_mut) {
                *body = Graph { nodes, edges };
            }
        }
    }
}
