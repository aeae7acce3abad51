//! What an expression may name, and where.

use super::ancestors::Ancestors;
use super::calls::in_loop;
use super::outside::Reference;
use super::scopes::Seat;
use super::view::View;
use crate::definition::problem::{ProblemCode, Severity};
use crate::definition::wire::{did_you_mean, nearest};

/// Where an expression stands, which decides what it can see.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scene {
    /// Before there is an event: what a polling trigger asks.
    BeforeEvent,
    /// There is an event, but no run yet.
    Entry,
    Node(Seat),
    /// On an edge that leads away from this node.
    Edge(Seat),
}

/// A reference that is wrong.
pub(super) struct Wrong {
    pub severity: Severity,
    pub code: ProblemCode,
    pub message: String,
    pub hint: String,
}

const ROOTS: [&str; 8] = ["trigger", "nodes", "env", "secrets", "flow", "run", "loop", "variables"];
const OF_TRIGGER: [&str; 3] = ["payload", "type", "firedAt"];
const OF_NODE: [&str; 3] = ["output", "status", "error"];
const OF_LOOP: [&str; 5] = ["item", "index", "first", "last", "length"];

pub(super) fn check_reference(
    view: &View<'_>,
    ancestors: &Ancestors<'_, '_>,
    scene: Scene,
    reference: &Reference,
) -> Option<Wrong> {
    let (root, rest) = reference.path.split_first()?;
    let next = rest.first().map(String::as_str);
    match (root.as_str(), scene) {
        ("env" | "flow", _) => None,
        ("secrets", _) => next.and_then(|name| check_secret(view, name)),
        ("variables", _) => next.and_then(|name| check_variable(view, name)),
        ("trigger", Scene::BeforeEvent) => {
            Some(unknown("there is no event yet when this is asked", "Use variables or env."))
        }
        ("trigger", _) => next.and_then(|name| member("trigger", name, &OF_TRIGGER)),
        ("nodes" | "run" | "loop", Scene::BeforeEvent | Scene::Entry) => {
            let message = format!("there is no run yet, so {root} is unknown here");
            Some(unknown(message, "Use trigger, variables, env or flow."))
        }
        ("run", _) => None,
        ("loop", Scene::Node(seat) | Scene::Edge(seat)) => {
            if !in_loop(view, seat.scope) {
                return Some(unknown(
                    "loop is only known in the body of a flow.loop",
                    "Name the node whose output is meant, such as nodes.fetch.output.",
                ));
            }
            next.and_then(|name| member("loop", name, &OF_LOOP))
        }
        ("nodes", Scene::Node(seat)) => {
            check_node(view, rest, |before| ancestors.is_before(before, seat))
        }
        ("nodes", Scene::Edge(source)) => {
            check_node(view, rest, |before| before == source || ancestors.is_before(before, source))
        }
        (root, _) => {
            let message = format!("{root} is not known to expressions");
            Some(unknown(message, did_you_mean(root, &ROOTS)))
        }
    }
}

fn check_node(view: &View<'_>, rest: &[String], is_before: impl Fn(Seat) -> bool) -> Option<Wrong> {
    let id = rest.first()?;
    let Some(seat) = view.scopes.find(id) else {
        let ids = view.scopes.nodes().map(|(_, node)| node.id.as_str());
        let hint = match nearest(id, ids) {
            Some(near) => format!("Did you mean nodes.{near}?"),
            None => "Name a node of this flow by its id.".to_owned(),
        };
        return Some(unknown(format!("there is no node `{id}`"), hint));
    };
    let wrong = rest.get(1).and_then(|name| member(&format!("nodes.{id}"), name, &OF_NODE));
    if wrong.is_some() {
        return wrong;
    }
    if !is_before(seat) {
        return Some(not_upstream(view, seat));
    }
    let disabled = view.scopes.node(seat).disabled;
    disabled.then(|| Wrong {
        severity: Severity::Warning,
        code: ProblemCode::DisabledReference,
        message: format!("`{id}` is disabled, so its output is null"),
        hint: "Enable the node, or name another.".to_owned(),
    })
}

fn not_upstream(view: &View<'_>, seat: Seat) -> Wrong {
    let id = &view.scopes.node(seat).id;
    let (message, hint) = match view.scopes.list[seat.scope].owner {
        Some(owner) => {
            let owner = &view.scopes.node(owner).id;
            (
                format!("`{id}` in the body of `{owner}` does not run before this"),
                format!("Outside of the body, use nodes.{owner}.output."),
            )
        }
        None => (
            format!("`{id}` does not run before this"),
            format!("Lead an edge from `{id}` to here, or name a node that runs before."),
        ),
    };
    Wrong { severity: Severity::Error, code: ProblemCode::NotUpstream, message, hint }
}

fn check_secret(view: &View<'_>, name: &str) -> Option<Wrong> {
    (!view.outside.has_secret(name)).then(|| Wrong {
        severity: Severity::Warning,
        code: ProblemCode::UnknownSecret,
        message: format!("no secret `{name}` is stored"),
        hint: "Store it with `devrig secret set`.".to_owned(),
    })
}

fn check_variable(view: &View<'_>, name: &str) -> Option<Wrong> {
    let variables = &view.definition.variables;
    if variables.contains_key(name) {
        return None;
    }
    let hint = match nearest(name, variables.keys().map(String::as_str)) {
        Some(near) => format!("Did you mean variables.{near}?"),
        None => "Add it to the flow's variables.".to_owned(),
    };
    Some(unknown(format!("the flow has no variable `{name}`"), hint))
}

/// What may stand behind a root is a short list; anything else gives nothing.
fn member(of: &str, name: &str, known: &[&str]) -> Option<Wrong> {
    if known.contains(&name) {
        return None;
    }
    Some(Wrong {
        severity: Severity::Warning,
        ..unknown(format!("{of} has no {name}"), did_you_mean(name, known))
    })
}

fn unknown(message: impl Into<String>, hint: impl Into<String>) -> Wrong {
    Wrong {
        severity: Severity::Error,
        code: ProblemCode::UnknownReference,
        message: message.into(),
        hint: hint.into(),
    }
}
