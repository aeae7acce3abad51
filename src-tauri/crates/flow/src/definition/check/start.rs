//! A flow does something, and something starts it.

use super::reach::Reach;
use super::scopes::Scope;
use super::view::View;
use crate::definition::model::RetryPolicy;
use crate::definition::problem::ProblemCode;

pub(super) fn check(view: &View<'_>) {
    if view.definition.graph.nodes.iter().all(|node| node.is_note()) {
        let message = "the flow has no node that does anything".to_owned();
        let problem = view.of_flow(ProblemCode::Empty, "$.nodes", message, "Add an action.");
        view.tell(problem.as_warning());
    }
    check_triggers(view);
    check_error_flow(view);
    check_retry(view);
}

fn check_triggers(view: &View<'_>) {
    let triggers = &view.definition.triggers;
    if triggers.iter().any(|trigger| !trigger.disabled) {
        return;
    }
    let message = match triggers.len() {
        0 => "the flow has no trigger: only a person or another flow can start it",
        _ => "all triggers are disabled: only a person or another flow can start the flow",
    };
    let hint = "Add a trigger, if it is to start by itself.";
    let message = message.to_owned();
    let problem = view.of_flow(ProblemCode::NoTrigger, "$.triggers", message, hint);
    view.tell(problem.as_warning());
}

fn check_error_flow(view: &View<'_>) {
    let Some(id) = &view.definition.error_flow_id else { return };
    if *id == view.definition.id {
        let message = "the flow is its own error flow, so an error there would start it again";
        let hint = "Choose another flow.";
        let code = ProblemCode::SelfReference;
        view.tell(view.of_flow(code, "$.errorFlowId", message.to_owned(), hint));
    } else if !view.outside.has_flow(id) {
        let message = format!("there is no flow `{id}` to start on an error");
        let hint = "Choose a flow that is there, or import that one.";
        let problem = view.of_flow(ProblemCode::UnknownFlow, "$.errorFlowId", message, hint);
        view.tell(problem.as_warning());
    }
}

const CLAMPED: &str = "baseDelayMs is longer than maxDelayMs, which is then the delay each time";
const CLAMPED_HINT: &str = "Lower the one, or raise the other.";

fn check_retry(view: &View<'_>) {
    let wrong = |policy: &RetryPolicy| policy.base_delay_ms > policy.max_delay_ms;
    let code = ProblemCode::RetryPolicy;
    if wrong(&view.definition.settings.retry_policy) {
        let field = "$.settings.retryPolicy.baseDelayMs";
        view.tell(view.of_flow(code, field, CLAMPED.to_owned(), CLAMPED_HINT).as_warning());
    }
    for (seat, node) in view.scopes.nodes() {
        if node.retry_policy.as_ref().is_some_and(wrong) {
            let field = ".retryPolicy.baseDelayMs";
            view.tell(view.of_node(seat, code, field, CLAMPED, CLAMPED_HINT).as_warning());
        }
    }
}

/// Where a run begins at a disabled node, what was meant to happen first does not.
pub(super) fn check_disabled(view: &View<'_>, scope: &Scope<'_>, reach: &Reach) {
    for &start in reach.starts.iter().filter(|start| scope.graph.nodes[**start].disabled) {
        if scope.links.iter().all(|link| link.source != start) {
            continue;
        }
        let message = "a run begins at it, and it is disabled";
        let hint = "Enable it, or let the run begin elsewhere.";
        let code = ProblemCode::DisabledStart;
        view.tell(view.of_node(scope.seat(start), code, ".disabled", message, hint).as_warning());
    }
}
