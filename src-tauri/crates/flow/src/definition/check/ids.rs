//! No id stands for two things.

use std::collections::HashMap;

use super::view::View;
use crate::definition::problem::ProblemCode::DuplicateId;

pub(super) fn check(view: &View<'_>) {
    let mut seen = HashMap::new();
    for (seat, node) in view.scopes.nodes() {
        if let Some(first) = seen.insert(node.id.as_str(), seat) {
            seen.insert(node.id.as_str(), first);
            let message = "another node has this id already";
            let hint = "Choose another: ids are unique in a flow, bodies included.";
            view.tell(view.of_node(seat, DuplicateId, ".id", message, hint));
        }
    }
    check_triggers(view);
    check_edges(view);
}

fn check_triggers(view: &View<'_>) {
    let triggers = &view.definition.triggers;
    for (index, trigger) in triggers.iter().enumerate() {
        if triggers[..index].iter().any(|other| other.id == trigger.id) {
            let message = "another trigger has this id already";
            let seat = (index, trigger);
            view.tell(view.of_trigger(seat, DuplicateId, ".id", message, "Choose another."));
        }
    }
}

fn check_edges(view: &View<'_>) {
    let mut seen = HashMap::new();
    for scope in &view.scopes.list {
        for (index, edge) in scope.graph.edges.iter().enumerate() {
            let Some(id) = edge.id.as_deref() else { continue };
            if seen.insert(id, ()).is_some() {
                let message = "another edge has this id already";
                let hint = "Choose another, or leave it out.";
                view.tell(view.of_edge(scope, index, DuplicateId, ".id", message, hint));
            }
        }
    }
}
