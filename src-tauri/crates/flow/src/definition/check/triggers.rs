//! Triggers wait for something that can happen. Their expressions are checked with all others.

use super::outside::Fault;
use super::view::View;
use crate::definition::model::{
    Event, Filesystem, PollingSource, SourceFlow, Trigger, TriggerKind, Webhook, WebhookAuth,
};
use crate::definition::problem::ProblemCode;
use crate::triggers::filesystem::check_path;

type Seat<'a> = (usize, &'a Trigger);

pub(super) fn check(view: &View<'_>) {
    for seat in view.definition.triggers.iter().enumerate() {
        let fault =
            |code, field: &str, fault: Option<Fault>| tell_fault(view, seat, code, field, fault);
        match &seat.1.kind {
            TriggerKind::Cron(cron) => {
                fault(ProblemCode::Cron, ".expression", view.outside.cron(cron));
            }
            TriggerKind::Webhook(webhook) => check_webhook(view, seat, webhook),
            TriggerKind::Filesystem(filesystem) => check_patterns(view, seat, filesystem),
            TriggerKind::Polling(polling) => {
                if let PollingSource::Plugin { plugin_id, .. } = &polling.source {
                    check_plugin(view, seat, ".source.pluginId", plugin_id);
                }
            }
            TriggerKind::Manual { input_schema } => {
                let schema = input_schema.as_ref().and_then(|schema| view.outside.schema(schema));
                fault(ProblemCode::Schema, ".inputSchema", schema);
            }
            TriggerKind::Event(event) => check_event(view, seat, event),
            TriggerKind::Inbox(inbox) => {
                fault(ProblemCode::Query, ".query", view.outside.query(&inbox.query));
            }
            TriggerKind::Plugin(plugin) => {
                check_plugin(view, seat, ".pluginId", &plugin.plugin_id);
            }
        }
    }
}

fn tell_fault(
    view: &View<'_>,
    seat: Seat<'_>,
    code: ProblemCode,
    field: &str,
    fault: Option<Fault>,
) {
    if let Some(fault) = fault {
        let field = format!("{field}{}", fault.at);
        view.tell(view.of_trigger(seat, code, &field, fault.message, fault.hint));
    }
}

fn check_webhook(view: &View<'_>, seat: Seat<'_>, webhook: &Webhook) {
    if let WebhookAuth::Hmac(hmac) = &webhook.auth
        && !view.outside.has_secret(&hmac.secret)
    {
        let message = format!("no secret `{}` is stored", hmac.secret);
        let hint = "Store it with `devrig secret set`; until then every request is refused.";
        let code = ProblemCode::UnknownSecret;
        view.tell(view.of_trigger(seat, code, ".auth.secret", message, hint).as_warning());
    }
    let clash = |other: &&Trigger| match &other.kind {
        TriggerKind::Webhook(other) => {
            let methods = other.methods.iter().any(|method| webhook.methods.contains(method));
            webhook.path.is_some() && other.path == webhook.path && methods
        }
        _ => false,
    };
    if let Some(other) = view.definition.triggers[..seat.0].iter().find(clash) {
        let message = format!("the trigger `{}` has the same path and method", other.id);
        let code = ProblemCode::DuplicateWebhook;
        view.tell(view.of_trigger(seat, code, ".path", message, "Choose another path."));
    }
}

fn check_patterns(view: &View<'_>, seat: Seat<'_>, filesystem: &Filesystem) {
    for (index, path) in filesystem.paths.iter().enumerate() {
        if let Err(error) = check_path(path) {
            let (field, hint) = (format!(".paths[{index}]"), error.hint.unwrap_or_default());
            let code = ProblemCode::Pattern;
            view.tell(view.of_trigger(seat, code, &field, error.message, hint));
        }
    }
    let lists = [("paths", &filesystem.paths), ("ignorePatterns", &filesystem.ignore_patterns)];
    for (name, list) in lists {
        for (index, pattern) in list.iter().enumerate() {
            let field = format!(".{name}[{index}]");
            let fault = view.outside.pattern(pattern);
            tell_fault(view, seat, ProblemCode::Pattern, &field, fault);
        }
    }
}

fn check_event(view: &View<'_>, seat: Seat<'_>, event: &Event) {
    let SourceFlow::Flow(id) = &event.source else { return };
    let field = ".sourceFlowId";
    if *id == view.definition.id {
        let message = "the flow starts itself, and may never end";
        let hint = "Choose another flow, or make sure with a filter that it stops.";
        let code = ProblemCode::SelfReference;
        view.tell(view.of_trigger(seat, code, field, message, hint).as_warning());
    } else if !view.outside.has_flow(id) {
        let message = format!("there is no flow `{id}`");
        let hint = "Choose a flow that is there, or import that one.";
        let code = ProblemCode::UnknownFlow;
        view.tell(view.of_trigger(seat, code, field, message, hint).as_warning());
    }
}

fn check_plugin(view: &View<'_>, seat: Seat<'_>, field: &str, id: &str) {
    if !view.outside.has_plugin(id) {
        let message = format!("the plugin `{id}` is not installed");
        let hint = "Install the plugin, or remove the trigger.";
        let code = ProblemCode::UnknownPlugin;
        view.tell(view.of_trigger(seat, code, field, message, hint).as_warning());
    }
}
