//! Triggers wait for something that can happen. Their expressions are checked with all others.

use serde_json::{Map, Value};

use super::outside::Fault;
use super::view::View;
use crate::definition::model::{
    Call, Event, Filesystem, PluginTrigger, PollingSource, SourceFlow, Trigger, TriggerKind,
    Webhook, WebhookAuth,
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
                check_source(view, seat, &polling.source);
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
                check_plugin(view, seat, plugin);
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

fn check_plugin(view: &View<'_>, seat: Seat<'_>, wanted: &PluginTrigger) {
    if !is_here(view, seat, ".pluginId", &wanted.plugin_id) {
        return;
    }
    let tell = |field: &str, fault| tell_fault(view, seat, ProblemCode::Config, field, fault);
    let Some(shape) = view.outside.trigger(wanted) else {
        let message =
            format!("the plugin `{}` has no trigger `{}`", wanted.plugin_id, wanted.trigger);
        let hint = "Choose one of its triggers, or update the plugin.".to_owned();
        return tell(".trigger", Some(Fault { at: String::new(), message, hint }));
    };
    if wanted.interval_ms.is_some() && !shape.is_polled {
        let message = format!("nobody asks for `{}`: the plugin fires it itself", wanted.trigger);
        let hint = "Leave intervalMs out.".to_owned();
        tell(".intervalMs", Some(Fault { at: String::new(), message, hint }));
    }
    for fault in shape.faults {
        tell(".config", Some(fault));
    }
    let account = (".accountId", shape.account, wanted.account_id.is_some());
    check_use(view, seat, (".pluginId", shape.asleep), account);
}

/// A function of a plugin is an action that only reads, with its input as the one argument.
fn check_source(view: &View<'_>, seat: Seat<'_>, source: &PollingSource) {
    let PollingSource::Plugin { plugin_id, account_id, function_name, args } = source else {
        return;
    };
    if !is_here(view, seat, ".source.pluginId", plugin_id) {
        return;
    }
    let tell = |field: &str, message: String, hint: &str| {
        let fault = Fault { at: String::new(), message, hint: hint.to_owned() };
        tell_fault(view, seat, ProblemCode::Config, field, Some(fault));
    };
    let Some(config) = input_of(args) else {
        let message = format!("`{function_name}` takes one argument, an object");
        return tell(".source.args", message, "Put all fields of its input into it.");
    };
    let (plugin, account) = (Some(plugin_id.clone()), account_id.clone());
    let call = Call { plugin_id: plugin, account_id: account, config, ..Call::new(function_name) };
    let Some(shape) = view.outside.action(&call) else {
        let message = format!("the plugin `{plugin_id}` has no action `{function_name}`");
        return tell(".source.functionName", message, "Choose one of its actions that only read.");
    };
    if shape.writes {
        let message = format!("`{function_name}` changes something each time that it is asked");
        tell(".source.functionName", message, "Choose an action whose effect is read or pure.");
    }
    for fault in shape.faults {
        let at = if args.is_empty() { ".source.args" } else { ".source.args[0]" };
        tell_fault(view, seat, ProblemCode::Config, at, Some(fault));
    }
    let account = (".source.accountId", shape.account, account_id.is_some());
    check_use(view, seat, (".source.pluginId", shape.asleep), account);
}

/// The input of an action that is called as a function.
pub(crate) fn input_of(args: &[Value]) -> Option<Map<String, Value>> {
    match args {
        [] => Some(Map::new()),
        [Value::Object(input)] => Some(input.clone()),
        _ => None,
    }
}

/// An account that is not here may be where the flow comes from, as a plugin may.
fn check_use(
    view: &View<'_>,
    seat: Seat<'_>,
    (plugin, asleep): (&str, Option<Fault>),
    (field, account, is_named): (&str, Option<Fault>, bool),
) {
    if let Some(fault) = asleep {
        let code = ProblemCode::UnknownPlugin;
        view.tell(view.of_trigger(seat, code, plugin, fault.message, fault.hint).as_warning());
    }
    let Some(fault) = account else { return };
    view.tell(match is_named {
        true => {
            let code = ProblemCode::UnknownAccount;
            view.of_trigger(seat, code, field, fault.message, fault.hint).as_warning()
        }
        false => view.of_trigger(seat, ProblemCode::MissingField, field, fault.message, fault.hint),
    });
}

/// Whether a plugin is here; where it is not, that is told.
fn is_here(view: &View<'_>, seat: Seat<'_>, field: &str, id: &str) -> bool {
    let here = view.outside.has_plugin(id);
    if !here {
        let message = format!("the plugin `{id}` is not installed");
        let hint = "Install the plugin, or remove the trigger.";
        let code = ProblemCode::UnknownPlugin;
        view.tell(view.of_trigger(seat, code, field, message, hint).as_warning());
    }
    here
}
