//! One node of a version, ready to run without the others.

use std::collections::BTreeSet;

use devrig_core::{Context as _, Error, Result};
use devrig_expr::Reference;

use super::{Compiler, Graph, Node, Program, Step, Work};
use crate::action::{Actions, Control};
use crate::actions::code;
use crate::definition::{
    self, Definition, ErrorHandling, JunctionMode, Node as Written, NodeId, NodeKind,
};

/// What a node takes from around it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Ids of nodes whose outputs it reads for certain, those in its own body left out.
    pub nodes: BTreeSet<String>,
    /// It may read others besides: which is known only when it runs.
    pub any: bool,
    /// The round of the loop around it.
    pub round: bool,
}

impl Program {
    /// The same version with nothing but this node, and what is in its body. It is run although it is
    /// disabled or pinned, and its failure is the run's.
    ///
    /// # Errors
    /// `NOT_FOUND`; as [`Program::compile`].
    pub fn alone(&self, node: &str, actions: &Actions) -> Result<Self> {
        let whole = &self.definition;
        let written = find(whole, node)?;
        let own = definition::Graph { nodes: vec![written.clone()], edges: Vec::new() };
        let inside: BTreeSet<&str> = own.all_nodes().map(|node| node.id.as_str()).collect();
        let others = whole.nodes().filter(|other| !inside.contains(other.id.as_str()));
        let around = definition::Graph { nodes: others.map(stump).collect(), edges: Vec::new() };
        let asked = Written {
            pin: None,
            disabled: false,
            on_error: Some(ErrorHandling::Stop),
            ..written.clone()
        };
        let graph = definition::Graph { nodes: vec![asked], edges: Vec::new() };
        let compiler = Compiler { actions, settings: &whole.settings };
        let around = compiler.graph(&around).context("the nodes around")?;
        let narrowed = Definition { graph, ..whole.clone() };
        let alone = Self::compile(self.flow, self.version, narrowed, actions)?;
        Ok(Self { around: Some(around), ..alone })
    }

    /// What the nodes of this program read from others.
    pub fn reads(&self) -> Reads {
        let mut reads = Reads::default();
        reads.of_graph(&self.graph, false);
        let own: BTreeSet<&str> = self.definition.nodes().map(|node| node.id.as_str()).collect();
        reads.nodes.retain(|id| !own.contains(id.as_str()));
        reads
    }
}

fn find<'d>(definition: &'d Definition, id: &str) -> Result<&'d Written> {
    definition.node(id).filter(|node| !node.is_note()).ok_or_else(|| {
        Error::not_found(format!("the node {id} of {}", definition.name))
            .hint("`devrig flow show` names the nodes of a flow.")
    })
}

/// Of a node that is not run only the id counts.
fn stump(node: &Written) -> Written {
    let id: NodeId = node.id.clone();
    Written::new(id, NodeKind::Junction(JunctionMode::All))
}

impl Reads {
    /// `rounds`: a loop between the node and this has rounds of its own.
    fn of_graph(&mut self, graph: &Graph, rounds: bool) {
        graph.nodes.iter().for_each(|node| self.of_node(node, rounds));
        for condition in graph.ways.iter().filter_map(|way| way.condition.as_ref()) {
            self.learn(&condition.references(), rounds);
        }
    }

    fn of_node(&mut self, node: &Node, rounds: bool) {
        match &node.work {
            Work::Junction => {}
            Work::Choice { cases, .. } => {
                for (_, condition) in cases {
                    self.learn(&condition.references(), rounds);
                }
            }
            Work::Action(step) => self.of_step(step, rounds),
        }
    }

    fn of_step(&mut self, step: &Step, rounds: bool) {
        self.learn(&step.input.references(), rounds);
        if let Some(code) = code::of(&step.action, &step.input) {
            let named = code::named(code);
            self.any |= named.is_none();
            self.nodes.extend(named.unwrap_or_default().into_iter().map(str::to_owned));
            self.round |= !rounds && code.contains("loop.");
        }
        let own = step.control() == Some(Control::Loop);
        step.body.iter().for_each(|body| self.of_graph(body, rounds || own));
    }

    fn learn(&mut self, references: &[Reference], rounds: bool) {
        for reference in references {
            match (reference.root(), reference.name()) {
                (Some("nodes"), Some(id)) if reference.certain => {
                    self.nodes.insert(id.to_owned());
                }
                (Some("nodes"), _) | (None, _) => self.any = true,
                (Some("loop"), _) => self.round |= reference.certain && !rounds,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::definition::read_value;

    fn program(nodes: Value) -> (Program, Actions) {
        let mut actions = crate::actions::builtin().unwrap();
        code::add_all(
            &mut actions,
            devrig_code::CodePool::new(devrig_code::CodeSettings::new("/nowhere")),
        )
        .unwrap();
        let flow = json!({"id": "f", "name": "f", "nodes": nodes, "edges": []});
        let definition = read_value(flow).unwrap();
        (Program::compile(1, 1, definition, &actions).unwrap(), actions)
    }

    fn set(id: &str, value: &str) -> Value {
        json!({"id": id, "type": "action", "action": "data.set", "config": {"fields": {"v": value}}})
    }

    fn code_node(id: &str, code: &str) -> Value {
        json!({"id": id, "type": "action", "action": "code.js", "config": {"code": code}})
    }

    fn reads_of(node: Value) -> Reads {
        let id = node["id"].as_str().unwrap().to_owned();
        let others = ["a", "b"].map(|id| set(id, ""));
        let nodes: Vec<Value> = others.into_iter().chain([node]).collect();
        let (program, actions) = program(json!(nodes));
        program.alone(&id, &actions).unwrap().reads()
    }

    fn reads(nodes: &[&str], any: bool, round: bool) -> Reads {
        Reads { nodes: nodes.iter().map(|id| (*id).to_owned()).collect(), any, round }
    }

    #[test]
    fn what_a_node_reads_is_known_before_it_runs() {
        let choice = json!({"id": "x", "type": "condition", "config": {"condition":
            {"type": "exists", "ref": {"type": "context", "path": "nodes.b.output"}}}});
        let each = |action: &str, config: Value| {
            json!({"id": "x", "type": "action", "action": action, "config": config, "body": {
                "nodes": [set("in", "{{nodes.a.output}}"), set("after", "{{nodes.in.output}} {{loop.item}}")],
                "edges": [{"source": "in", "target": "after"}]}})
        };
        for (node, expected) in [
            (set("x", "{{trigger.payload}}"), reads(&[], false, false)),
            (set("x", "{{nodes.a.output.n}} {{nodes.b.status}}"), reads(&["a", "b"], false, false)),
            (set("x", "{{json nodes}}"), reads(&[], true, false)),
            (set("x", "{{loop.item}}"), reads(&[], false, true)),
            (choice, reads(&["b"], false, false)),
            (each("flow.loop", json!({"items": [1]})), reads(&["a"], false, false)),
            (each("flow.parallel", json!({})), reads(&["a"], false, true)),
            (
                code_node("x", "return nodes.a.output + nodes?.b.output"),
                reads(&["a", "b"], false, false),
            ),
            (code_node("x", "return loop.index + input"), reads(&[], false, true)),
            (code_node("x", "return Object.keys(nodes)"), reads(&[], true, false)),
        ] {
            assert_eq!(reads_of(node.clone()), expected, "{node}");
        }
    }

    #[test]
    fn a_node_alone_runs_whatever_keeps_it_from_running_in_the_flow() {
        let mut x = set("x", "1");
        x["disabled"] = json!(true);
        x["pin"] = json!(2);
        x["onError"] = json!("skip");
        let (program, actions) = program(json!([set("a", ""), x]));
        let alone = program.alone("x", &actions).unwrap();
        let node = &alone.graph.nodes[0];
        assert_eq!((node.disabled, &node.pin, node.on_error), (false, &None, ErrorHandling::Stop));
        assert_eq!(alone.around.unwrap().nodes.len(), 1);
        assert_eq!(program.alone("y", &actions).err().unwrap().code.as_str(), "NOT_FOUND");
    }
}
