//! Edges lead from ports that are there to nodes that are there.

use std::collections::HashMap;

use super::scopes::Scope;
use super::view::View;
use crate::definition::model::NodeId;
use crate::definition::problem::ProblemCode;
use crate::definition::wire::{did_you_mean, nearest};

pub(super) fn check(view: &View<'_>) {
    for scope in &view.scopes.list {
        for (index, edge) in scope.graph.edges.iter().enumerate() {
            if edge.source == edge.target {
                let message = "it leads from a node to itself";
                let hint = "Remove it; what is to be repeated belongs into a flow.loop.";
                view.tell(view.of_edge(scope, index, ProblemCode::SelfEdge, "", message, hint));
                continue;
            }
            let source = check_end(view, scope, index, "source", &edge.source);
            check_end(view, scope, index, "target", &edge.target);
            if let Some(source) = source {
                check_port(view, scope, index, source);
            }
        }
        check_twins(view, scope);
    }
}

/// The node that an edge begins or ends at, when it is one that edges may lead to.
fn check_end(
    view: &View<'_>,
    scope: &Scope<'_>,
    index: usize,
    end: &str,
    id: &NodeId,
) -> Option<usize> {
    use ProblemCode::{CrossingEdge, NoteEdge, UnknownNode};
    let field = format!(".{end}");
    let tell = |code, message: &str, hint: String| {
        view.tell(view.of_edge(scope, index, code, &field, message, hint));
    };
    match scope.find(id.as_str()) {
        Some(node) if scope.graph.nodes[node].is_note() => {
            tell(NoteEdge, &format!("`{id}` is a note"), "Remove the edge.".to_owned());
            None
        }
        Some(node) => Some(node),
        None if view.scopes.find(id.as_str()).is_some() => {
            let hint = "Both ends stand in the same body, or both outside of it.".to_owned();
            tell(CrossingEdge, &format!("`{id}` stands in another body"), hint);
            None
        }
        None => {
            let ids = scope.graph.nodes.iter().map(|node| node.id.as_str());
            let hint = match nearest(id.as_str(), ids) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => "Add the node, or remove the edge.".to_owned(),
            };
            tell(UnknownNode, &format!("there is no node `{id}`"), hint);
            None
        }
    }
}

fn check_port(view: &View<'_>, scope: &Scope<'_>, index: usize, source: usize) {
    let port = scope.graph.edges[index].port.as_str();
    let Some(ports) = view.ports(scope.seat(source)) else { return };
    if ports.contains(&port) {
        return;
    }
    let id = &scope.graph.nodes[source].id;
    let message = format!("`{id}` has no port {port}");
    let hint = did_you_mean(port, &ports);
    view.tell(view.of_edge(scope, index, ProblemCode::UnknownPort, ".port", message, hint));
}

/// Two edges may have the same ends when their conditions differ: then either is enough.
fn check_twins(view: &View<'_>, scope: &Scope<'_>) {
    let mut seen = HashMap::new();
    for (index, edge) in scope.graph.edges.iter().enumerate() {
        let condition = edge.condition.as_ref().map(ToString::to_string);
        let key = (&edge.source, &edge.port, &edge.target, condition);
        if let Some(first) = seen.insert(key, index) {
            let message = format!("it is the same as {}", scope.edge_path(first));
            let code = ProblemCode::DuplicateEdge;
            view.tell(view.of_edge(scope, index, code, "", message, "Remove one of them."));
        }
    }
}
