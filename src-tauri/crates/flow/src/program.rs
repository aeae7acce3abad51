//! A definition made ready to run: texts compiled, actions looked up, nodes numbered.

mod alone;

pub use alone::Reads;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use devrig_core::{Context as _, Error, Result};
use devrig_expr::Condition;
use devrig_jobs::{RetryPolicy, Strategy};
use serde_json::Value;

use crate::input::Input;

use crate::action::{Actions, Control, Registered};
use crate::definition::{
    self, Branching, Call, Definition, ErrorHandling, ExecutionMode, JunctionMode, Node as Written,
    NodeKind, RetryStrategy, Settings, port,
};
use crate::plan::{Join, Way, Wiring};

/// One version of a flow, ready to run. Shared by all of its runs.
pub struct Program {
    /// The flow's number.
    pub flow: i64,
    pub version: i64,
    pub definition: Definition,
    pub entry: Vec<Condition>,
    pub graph: Graph,
    /// The nodes that are seen and not run, where the graph is one node alone.
    pub around: Option<Graph>,
    /// When a run is tried again, where errors are handled so.
    pub retry: RetryPolicy,
    /// A node waits for a request.
    pub listens: bool,
}

/// Nodes and ways by number.
pub struct Graph {
    pub wiring: Wiring,
    pub nodes: Vec<Node>,
    pub ways: Vec<WayOut>,
    by_id: HashMap<String, usize>,
    pub sequential: bool,
}

/// What decides whether a way is taken.
pub struct WayOut {
    pub port: String,
    pub condition: Option<Condition>,
}

/// A node, ready to run.
pub struct Node {
    pub id: String,
    pub work: Work,
    pub retry: RetryPolicy,
    pub timeout: Option<Duration>,
    pub on_error: ErrorHandling,
    pub disabled: bool,
    pub pin: Option<Value>,
    /// Whether a way leads on from its port `error`.
    pub handles_errors: bool,
    /// Whether a way leads on from its port `timeout`.
    pub handles_timeout: bool,
    /// How much it last gave, where that was large; [`UNKNOWN`] before it gave anything.
    gave: AtomicU64,
}

/// Of a node that has given nothing since its flow was compiled.
const UNKNOWN: u64 = u64::MAX;

/// What a node does.
pub enum Work {
    Action(Box<Step>),
    /// Takes the port of the first condition that holds, else the last one.
    Choice {
        cases: Vec<(String, Condition)>,
        otherwise: String,
    },
    Junction,
}

/// An action with its input.
pub struct Step {
    pub action: Arc<Registered>,
    pub input: Input,
    pub body: Option<Graph>,
}

impl Program {
    /// # Errors
    /// `INVALID_INPUT` that names the node and the field; what `check` finds at save, so that it
    /// only comes of actions that are gone since.
    pub fn compile(
        flow: i64,
        version: i64,
        definition: Definition,
        actions: &Actions,
    ) -> Result<Self> {
        let compiler = Compiler { actions, settings: &definition.settings };
        let entry: Result<_> = definition.entry_conditions.iter().map(Condition::parse).collect();
        let entry = entry.context("the entry conditions")?;
        let graph = compiler.graph(&definition.graph)?;
        let listens = definition.nodes().any(waits_for_request);
        let retry = policy(&definition.settings.retry_policy);
        Ok(Self { flow, version, definition, entry, graph, around: None, retry, listens })
    }
}

impl Graph {
    /// The number of the node with this id, bodies left out.
    pub fn number(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Nodes that no way leads on from: what they give is what the graph gives.
    pub fn last(&self) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(|node| self.wiring.ways_out(*node).is_empty())
    }
}

impl Node {
    /// How much memory its next output will take, by the last one, if there was one.
    pub fn expected(&self) -> Option<u64> {
        Some(self.gave.load(Ordering::Relaxed)).filter(|gave| *gave != UNKNOWN)
    }

    /// Notes how much it gave that was stored.
    pub fn expect(&self, bytes: u64) {
        if self.gave.load(Ordering::Relaxed) != bytes {
            self.gave.store(bytes, Ordering::Relaxed);
        }
    }

    /// Whether it leaves the loop around it.
    pub fn breaks(&self) -> bool {
        matches!(&self.work, Work::Action(step) if step.control() == Some(Control::Break))
    }
}

struct Compiler<'a> {
    actions: &'a Actions,
    settings: &'a Settings,
}

impl Compiler<'_> {
    fn graph(&self, written: &definition::Graph) -> Result<Graph> {
        let mut by_id = HashMap::new();
        let mut nodes = Vec::new();
        let mut joins = Vec::new();
        for node in written.nodes.iter().filter(|node| !node.is_note()) {
            by_id.insert(node.id.to_string(), nodes.len());
            joins.push(join(node));
            let compiled = self.node(node, written);
            nodes.push(compiled.context(format!("the node {}", node.id))?);
        }
        let mut ways = Vec::new();
        let mut outs = Vec::new();
        for edge in &written.edges {
            let number = |id: &str| {
                by_id.get(id).copied().ok_or_else(|| Error::not_found(format!("the node {id}")))
            };
            let (source, target) = (number(edge.source.as_str())?, number(edge.target.as_str())?);
            ways.push(Way { source, target });
            let condition = edge.condition.as_ref().map(Condition::parse).transpose();
            let condition = condition.context(format!("the edge {}", edge.shown()))?;
            outs.push(WayOut { port: edge.port.clone(), condition });
        }
        let sequential = self.settings.execution_mode == ExecutionMode::Sequential;
        Ok(Graph { wiring: Wiring::new(&joins, ways), nodes, ways: outs, by_id, sequential })
    }

    fn node(&self, node: &Written, graph: &definition::Graph) -> Result<Node> {
        let leads =
            |port: &str| graph.edges.iter().any(|edge| edge.source == node.id && edge.port == port);
        Ok(Node {
            id: node.id.to_string(),
            work: self.work(&node.kind)?,
            retry: policy(node.retry_policy.as_ref().unwrap_or(&self.settings.retry_policy)),
            timeout: node.timeout_ms.map(Duration::from_millis),
            on_error: node.on_error.unwrap_or(self.settings.error_handling),
            disabled: node.disabled,
            pin: node.pin.clone(),
            handles_errors: leads(port::ERROR),
            handles_timeout: leads(port::TIMEOUT),
            gave: AtomicU64::new(UNKNOWN),
        })
    }

    fn work(&self, kind: &NodeKind) -> Result<Work> {
        match kind {
            NodeKind::Action(call) | NodeKind::Ai(call) => {
                Ok(Work::Action(Box::new(self.step(call)?)))
            }
            NodeKind::Condition(branching) => choice(branching),
            NodeKind::Junction(_) | NodeKind::Note(_) => Ok(Work::Junction),
        }
    }

    fn step(&self, call: &Call) -> Result<Step> {
        let action = self.actions.of_call(call)?;
        let input = Input::compile(&call.config, action.about.raw)?;
        let body = call.body.as_ref().map(|body| self.graph(body)).transpose()?;
        Ok(Step { action, input, body })
    }
}

impl Step {
    /// The control that this is, if it is one.
    pub fn control(&self) -> Option<Control> {
        match self.action.does {
            crate::action::Does::Control(control) => Some(control),
            _ => None,
        }
    }
}

/// Of what a template stands for it is not known before it runs.
fn waits_for_request(node: &Written) -> bool {
    let own = |call: &&Call| call.plugin_id.is_none() && call.action == "flow.wait";
    let Some(call) = node.call().filter(own) else { return false };
    let what = call.config.get("for").and_then(Value::as_str).unwrap_or_default();
    what == "webhook" || what.contains("{{")
}

fn policy(written: &definition::RetryPolicy) -> RetryPolicy {
    RetryPolicy {
        max_attempts: written.max_attempts,
        strategy: match written.strategy {
            RetryStrategy::Exponential => Strategy::Exponential,
            RetryStrategy::Linear => Strategy::Linear,
            RetryStrategy::Fixed => Strategy::Fixed,
        },
        base: Duration::from_millis(written.base_delay_ms),
        max: Duration::from_millis(written.max_delay_ms),
        jitter: written.jitter,
        retry_on: written.retry_on.clone(),
    }
}

fn join(node: &Written) -> Join {
    match node.kind {
        NodeKind::Junction(JunctionMode::Any) => Join::Any,
        _ => Join::All,
    }
}

fn choice(branching: &Branching) -> Result<Work> {
    Ok(match branching {
        Branching::If(condition) => Work::Choice {
            cases: vec![(port::TRUE.to_owned(), Condition::parse(condition)?)],
            otherwise: port::FALSE.to_owned(),
        },
        Branching::Cases(cases) => {
            let cases: Result<Vec<_>> = cases
                .iter()
                .map(|case| Ok((case.port.clone(), Condition::parse(&case.condition)?)))
                .collect();
            Work::Choice { cases: cases?, otherwise: port::ELSE.to_owned() }
        }
    })
}
