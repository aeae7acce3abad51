//! The JSON of a workflow as n8n writes it: nodes by name, and connections by the names of their
//! ends.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::definition::model::{NodeId, to_name};
use crate::definition::problem::{Problem, ProblemCode, Problems};
use crate::definition::read::{MOST_EDGES, MOST_NODES};

pub(super) struct Workflow {
    pub name: String,
    pub steps: Vec<Step>,
    pub wires: Vec<Wire>,
    by_name: HashMap<String, usize>,
    /// By step, its wires.
    outgoing: Vec<Vec<Wire>>,
    incoming: Vec<Vec<Wire>>,
    /// Kinds of connections that no flow has, such as `ai_tool`, with the step that has them.
    pub other_wires: Vec<(usize, String)>,
    pub settings: Map<String, Value>,
    pub tags: Vec<String>,
    /// Names of nodes whose output is pinned.
    pub pinned: Vec<String>,
}

/// A node of n8n.
pub(super) struct Step {
    pub name: String,
    /// Its id here: made of the name, unique, and free of spaces.
    pub id: NodeId,
    /// The type without the package, such as `httpRequest`.
    pub kind: String,
    /// The type as it is written.
    pub full_kind: String,
    pub version: f64,
    pub parameters: Value,
    /// Everything else that the node has.
    pub node: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Wire {
    pub source: usize,
    pub output: usize,
    pub target: usize,
    pub input: usize,
    /// From an output for errors that older exports have.
    pub error: bool,
}

const BASE: &str = "n8n-nodes-base.";

pub(super) fn read(value: Value) -> Result<Workflow, Problems> {
    let value = match value {
        Value::Array(mut several) if several.len() == 1 => several.remove(0),
        value => value,
    };
    let Some(nodes) = value.get("nodes").and_then(Value::as_array) else {
        let message = "this is not a workflow of n8n: it has no list of nodes";
        let hint = "Export one workflow in n8n (menu, Download), and import that file.";
        let problem = Problem::error(ProblemCode::MissingField, "$.nodes", message, hint);
        return Err(Problems::one(problem));
    };
    check_count(nodes.len(), MOST_NODES, "nodes")?;
    let steps = read_steps(nodes);
    let names = steps.iter().enumerate().rev();
    let mut workflow = Workflow {
        name: one_line(text(&value, "name"), 200).unwrap_or_else(|| "Imported flow".to_owned()),
        by_name: names.map(|(index, step)| (raw_name(step), index)).collect(),
        outgoing: vec![Vec::new(); steps.len()],
        incoming: vec![Vec::new(); steps.len()],
        steps,
        wires: Vec::new(),
        other_wires: Vec::new(),
        settings: value.get("settings").and_then(Value::as_object).cloned().unwrap_or_default(),
        tags: read_tags(&value),
        pinned: names_of(&value, "pinData"),
    };
    read_wires(&value, &mut workflow);
    check_count(workflow.wires.len(), MOST_EDGES, "connections")?;
    Ok(workflow)
}

fn check_count(count: usize, most: usize, what: &str) -> Result<(), Problems> {
    if count <= most {
        return Ok(());
    }
    let message = format!("the workflow has {count} {what}, {most} are the most");
    let hint = "Split the workflow in n8n, and import the parts.";
    Err(Problems::one(Problem::error(ProblemCode::TooLarge, "$", message, hint)))
}

impl Workflow {
    /// The node with this name, as expressions and connections have it.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// What leads away from a node.
    pub fn outgoing(&self, step: usize) -> &[Wire] {
        &self.outgoing[step]
    }

    /// What leads to a node.
    pub fn incoming(&self, step: usize) -> &[Wire] {
        &self.incoming[step]
    }
}

fn read_steps(nodes: &[Value]) -> Vec<Step> {
    let mut taken: HashSet<String> = HashSet::new();
    let steps = nodes.iter().filter(|node| node.is_object()).map(|node| {
        let full_kind = text(node, "type");
        let kind = full_kind.strip_prefix(BASE).unwrap_or(full_kind);
        let named = one_line(text(node, "name"), 200);
        let name = named.unwrap_or_else(|| if kind.is_empty() { "node" } else { kind }.to_owned());
        let id = to_name(&name.to_lowercase(), "step", |id| taken.contains(id));
        taken.insert(id.clone());
        Step {
            name,
            id: NodeId::from(id),
            kind: kind.to_owned(),
            full_kind: full_kind.to_owned(),
            version: node.get("typeVersion").and_then(Value::as_f64).unwrap_or(1.0),
            parameters: node.get("parameters").cloned().unwrap_or_default(),
            node: node.clone(),
        }
    });
    steps.collect()
}

fn read_wires(value: &Value, workflow: &mut Workflow) {
    let by_name = std::mem::take(&mut workflow.by_name);
    let mut seen = HashSet::new();
    for (name, kinds) in value.get("connections").and_then(Value::as_object).into_iter().flatten() {
        let (Some(&source), Some(kinds)) = (by_name.get(name), kinds.as_object()) else { continue };
        for (kind, outputs) in kinds {
            if !matches!(kind.as_str(), "main" | "error") {
                workflow.other_wires.push((source, kind.clone()));
                continue;
            }
            for (output, target, input) in ends(outputs, &by_name) {
                let wire = Wire { source, output, target, input, error: kind == "error" };
                if seen.insert(wire) {
                    workflow.outgoing[source].push(wire);
                    workflow.incoming[target].push(wire);
                    workflow.wires.push(wire);
                }
            }
        }
    }
    workflow.by_name = by_name;
}

/// The name as the connections have it, which the shown one may differ from by a line break.
fn raw_name(step: &Step) -> String {
    match text(&step.node, "name") {
        "" => step.name.clone(),
        name => name.to_owned(),
    }
}

fn ends<'a>(
    outputs: &'a Value,
    by_name: &'a HashMap<String, usize>,
) -> impl Iterator<Item = (usize, usize, usize)> + 'a {
    let outputs = outputs.as_array().into_iter().flatten().enumerate();
    outputs.flat_map(move |(output, targets)| {
        let targets = targets.as_array().into_iter().flatten();
        targets.filter_map(move |target| {
            let step = by_name.get(text(target, "node"))?;
            let input = target.get("index").and_then(Value::as_u64).unwrap_or_default();
            Some((output, *step, usize::try_from(input).ok()?))
        })
    })
}

fn read_tags(value: &Value) -> Vec<String> {
    let tags = value.get("tags").and_then(Value::as_array).into_iter().flatten();
    let names = tags.map(|tag| tag.as_str().unwrap_or_else(|| text(tag, "name")));
    names.filter_map(|name| one_line(name, 64)).take(50).collect()
}

fn names_of(value: &Value, field: &str) -> Vec<String> {
    let map = value.get(field).and_then(Value::as_object);
    map.into_iter().flat_map(|map| map.keys().cloned()).collect()
}

/// A field's text, or nothing.
pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// One line of at most so many characters; None when nothing is left.
pub(super) fn one_line(text: &str, most: usize) -> Option<String> {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let line: String = plain.take(most).collect();
    (!line.trim().is_empty()).then_some(line)
}
