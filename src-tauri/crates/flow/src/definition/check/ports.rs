//! Condition nodes choose between ways that lead somewhere.

use std::collections::HashSet;

use super::scopes::{Scope, Seat};
use super::view::View;
use crate::definition::model::{Branching, NodeKind, port};
use crate::definition::problem::ProblemCode;

pub(super) fn check(view: &View<'_>) {
    for scope in &view.scopes.list {
        let used: HashSet<(&str, &str)> = scope
            .links
            .iter()
            .map(|link| {
                let edge = scope.edge(link);
                (edge.source.as_str(), edge.port.as_str())
            })
            .collect();
        for (index, node) in scope.graph.nodes.iter().enumerate() {
            if let NodeKind::Condition(branching) = &node.kind {
                check_names(view, scope.seat(index), branching);
                check_used(view, scope, index, |port| used.contains(&(node.id.as_str(), port)));
            }
        }
    }
}

fn check_names(view: &View<'_>, seat: Seat, branching: &Branching) {
    let Branching::Cases(cases) = branching else { return };
    for (index, case) in cases.iter().enumerate() {
        let twice = cases[..index].iter().any(|other| other.port == case.port);
        let why = match case.port.as_str() {
            port::ELSE => "else is the port for when no case holds".to_owned(),
            port::ERROR => "error is the name of another port".to_owned(),
            name if twice => format!("two cases have the port {name}"),
            _ => continue,
        };
        let field = format!(".config.cases[{index}].port");
        let hint = "Choose another name for the port.";
        view.tell(view.of_node(seat, ProblemCode::DuplicatePort, &field, why, hint));
    }
}

/// One side of a plain condition may well lead nowhere, which makes a filter of it; a case that
/// leads nowhere was probably forgotten.
fn check_used(view: &View<'_>, scope: &Scope<'_>, index: usize, used: impl Fn(&str) -> bool) {
    let NodeKind::Condition(branching) = &scope.graph.nodes[index].kind else { return };
    let ports = branching.ports();
    let missing = match branching {
        Branching::If(_) if ports.iter().any(|port| used(port)) => return,
        Branching::If(_) => "true or false".to_owned(),
        Branching::Cases(cases) => {
            let unused = cases.iter().map(|case| case.port.as_str()).filter(|port| !used(port));
            let unused: Vec<&str> = unused.collect();
            if unused.is_empty() {
                return;
            }
            unused.join(", ")
        }
    };
    let message = format!("nothing leads on from its port {missing}");
    let hint = "Lead an edge from the port, or remove it.";
    let seat = scope.seat(index);
    view.tell(view.of_node(seat, ProblemCode::MissingPort, ".config", message, hint).as_warning());
}
