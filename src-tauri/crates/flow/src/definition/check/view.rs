//! What all checks look at, and where they tell what they found.

use std::cell::RefCell;

use super::outside::{ActionShape, Outside};
use super::scopes::{Scope, Scopes, Seat};
use crate::definition::model::{Definition, NodeKind, Trigger, port};
use crate::definition::problem::{Problem, ProblemCode};

pub(super) struct View<'a> {
    pub definition: &'a Definition,
    pub outside: &'a dyn Outside,
    pub scopes: Scopes<'a>,
    /// What is known of the action of each node, by graph and node.
    shapes: Vec<Vec<Option<ActionShape>>>,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> View<'a> {
    pub fn new(definition: &'a Definition, outside: &'a dyn Outside) -> Self {
        let scopes = Scopes::of(definition);
        let shapes = scopes.list.iter().map(|scope| {
            let nodes = scope.graph.nodes.iter();
            nodes.map(|node| outside.action(node.call()?)).collect()
        });
        let shapes = shapes.collect();
        Self { definition, outside, scopes, shapes, problems: RefCell::default() }
    }

    pub fn shape(&self, seat: Seat) -> Option<&ActionShape> {
        self.shapes[seat.scope][seat.node].as_ref()
    }

    /// The ports of a node; None when nobody knows them.
    pub fn ports(&self, seat: Seat) -> Option<Vec<&str>> {
        match &self.scopes.node(seat).kind {
            NodeKind::Action(_) | NodeKind::Ai(_) => {
                let shape = self.shape(seat).filter(|shape| !shape.any_port)?;
                let own = shape.ports.iter().map(String::as_str);
                Some(own.chain([port::ERROR]).collect())
            }
            NodeKind::Condition(branching) => Some(branching.ports()),
            NodeKind::Junction(_) => Some(vec![port::OUT]),
            NodeKind::Note(_) => Some(Vec::new()),
        }
    }

    pub fn tell(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    pub fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }

    pub fn of_flow(&self, code: ProblemCode, field: &str, message: String, hint: &str) -> Problem {
        Problem::error(code, field, message, hint)
    }

    /// A problem of a node; `field` is what follows the node's own path, such as `.config.url`.
    pub fn of_node(
        &self,
        seat: Seat,
        code: ProblemCode,
        field: &str,
        message: impl std::fmt::Display,
        hint: impl Into<String>,
    ) -> Problem {
        let id = &self.scopes.node(seat).id;
        let path = self.scopes.list[seat.scope].node_path(seat.node);
        let message = format!("node `{id}`: {message}");
        let mut problem = Problem::error(code, path + field, message, hint);
        problem.node = Some(id.clone());
        problem
    }

    pub fn of_edge(
        &self,
        scope: &Scope<'_>,
        edge: usize,
        code: ProblemCode,
        field: &str,
        message: impl std::fmt::Display,
        hint: impl Into<String>,
    ) -> Problem {
        let shown = scope.graph.edges[edge].shown();
        let message = format!("edge {shown}: {message}");
        let mut problem = Problem::error(code, scope.edge_path(edge) + field, message, hint);
        problem.edge = Some(shown);
        problem
    }

    pub fn of_trigger(
        &self,
        (index, trigger): (usize, &Trigger),
        code: ProblemCode,
        field: &str,
        message: impl std::fmt::Display,
        hint: impl Into<String>,
    ) -> Problem {
        let message = format!("trigger `{}`: {message}", trigger.id);
        let mut problem =
            Problem::error(code, format!("$.triggers[{index}]{field}"), message, hint);
        problem.trigger = Some(trigger.id.clone());
        problem
    }
}
