//! Nodes call actions that are there, with what these can use.

use serde_json::Value;

use super::outside::{ActionShape, Fault};
use super::scopes::Seat;
use super::view::View;
use crate::definition::model::{Call, FlowId};
use crate::definition::problem::ProblemCode;

/// The action that repeats its body; its items are the root `loop` there.
pub(super) const LOOP: &str = "flow.loop";
const BREAK: &str = "flow.break";
const SUBFLOW: &str = "flow.subflow";

pub(super) fn check(view: &View<'_>) {
    for (seat, node) in view.scopes.nodes() {
        let Some(call) = node.call() else { continue };
        check_action(view, seat, call);
        if call.plugin_id.is_none() && call.action == BREAK && !in_loop(view, seat.scope) {
            let message = "there is no loop around it that could end";
            let hint = "Put it into the body of a flow.loop, or use flow.fail.";
            let code = ProblemCode::BreakOutsideLoop;
            view.tell(view.of_node(seat, code, ".action", message, hint));
        }
        if call.plugin_id.is_none() && call.action == SUBFLOW {
            check_subflow(view, seat, call);
        }
    }
}

/// True in the body of a loop, however deep.
pub(super) fn in_loop(view: &View<'_>, scope: usize) -> bool {
    view.scopes.owners(scope).any(|owner| {
        let call = view.scopes.node(owner).call();
        call.is_some_and(|call| call.plugin_id.is_none() && call.action == LOOP)
    })
}

fn check_action(view: &View<'_>, seat: Seat, call: &Call) {
    let Some(shape) = view.shape(seat) else { return tell_unknown(view, seat, call) };
    for fault in &shape.faults {
        let field = format!(".config{}", fault.at);
        let (message, hint) = (&fault.message, fault.hint.clone());
        view.tell(view.of_node(seat, ProblemCode::Config, &field, message, hint));
    }
    check_plugin(view, seat, call, shape);
    match (&call.body, shape.takes_body) {
        (None, true) => {
            let message = format!("{} needs a body", call.action);
            let hint = "Put the nodes that it is to run into its body.";
            view.tell(view.of_node(seat, ProblemCode::MissingBody, ".body", message, hint));
        }
        (Some(_), false) => {
            let message = format!("{} has no use for a body", call.action);
            let hint = "Move the nodes out of it.";
            view.tell(view.of_node(seat, ProblemCode::UnusedBody, ".body", message, hint));
        }
        _ => {}
    }
}

/// An account that is not here may be where the flow comes from, as a plugin may.
fn check_plugin(view: &View<'_>, seat: Seat, call: &Call, shape: &ActionShape) {
    let problem = |code, field: &str, fault: &Fault| {
        view.of_node(seat, code, field, &fault.message, fault.hint.clone())
    };
    if let Some(asleep) = &shape.asleep {
        let sleeps = problem(ProblemCode::UnknownPlugin, ".pluginId", asleep);
        view.tell(sleeps.as_warning());
    }
    match (&shape.account, &call.account_id) {
        (Some(fault), Some(_)) => {
            let unknown = problem(ProblemCode::UnknownAccount, ".accountId", fault);
            view.tell(unknown.as_warning());
        }
        (Some(fault), None) => {
            view.tell(problem(ProblemCode::MissingField, ".accountId", fault));
        }
        (None, _) => {}
    }
}

fn tell_unknown(view: &View<'_>, seat: Seat, call: &Call) {
    let unknown = ProblemCode::UnknownAction;
    let problem = match &call.plugin_id {
        Some(plugin) if !view.outside.has_plugin(plugin) => {
            let message = format!("the plugin `{plugin}` is not installed");
            let hint = "Install the plugin, or choose another action.";
            view.of_node(seat, ProblemCode::UnknownPlugin, ".pluginId", message, hint).as_warning()
        }
        Some(plugin) => {
            let message = format!("the plugin `{plugin}` has no action `{}`", call.action);
            let hint = "Choose one of its actions, or update the plugin.";
            view.of_node(seat, unknown, ".action", message, hint)
        }
        None => {
            let message = format!("there is no action `{}`", call.action);
            let hint = "Choose an action from the list, or name the plugin that has it.";
            view.of_node(seat, unknown, ".action", message, hint)
        }
    };
    view.tell(problem);
}

/// A flow that is named in a template is known only when it runs.
fn check_subflow(view: &View<'_>, seat: Seat, call: &Call) {
    let Some(id) = call.config.get("flowId").and_then(Value::as_str) else { return };
    let field = ".config.flowId";
    if id == view.definition.id.as_str() {
        let message = "the flow calls itself, and may never end";
        let hint = "Make sure that it stops, or use a flow.loop.";
        let code = ProblemCode::SelfReference;
        view.tell(view.of_node(seat, code, field, message, hint).as_warning());
    } else if !id.contains("{{") && !view.outside.has_flow(&FlowId::from(id)) {
        let message = format!("there is no flow `{id}`");
        let hint = "Choose a flow that is there, or import that one.";
        let code = ProblemCode::UnknownFlow;
        view.tell(view.of_node(seat, code, field, message, hint).as_warning());
    }
}
