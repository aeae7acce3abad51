//! What starts a workflow.

mod schedule;

use super::context::Context;
use super::workflow::one_line;
use crate::definition::model::{
    FileEvent, Filesystem, Method, Respond, TriggerKind, Webhook, is_webhook_path,
};
use crate::definition::wire::Word;

/// The triggers that a node becomes; none when it has no counterpart. A schedule of several rules
/// becomes several.
pub(super) fn convert(context: &mut Context<'_>) -> Vec<TriggerKind> {
    match context.step().kind.as_str() {
        "manualTrigger" | "start" => vec![TriggerKind::default()],
        "scheduleTrigger" => schedule::present(context),
        "cron" => schedule::older(context),
        "interval" => schedule::interval(context),
        "webhook" => vec![TriggerKind::Webhook(webhook(context))],
        "executeWorkflowTrigger" => {
            context.changed("the flow is started by a flow.subflow node of another flow");
            vec![TriggerKind::default()]
        }
        "errorTrigger" => {
            context.changed("choose this flow as the error flow of those that it is to watch");
            vec![TriggerKind::default()]
        }
        "localFileTrigger" => files(context),
        _ => {
            super::steps::tell_unknown(context);
            Vec::new()
        }
    }
}

fn webhook(context: &mut Context<'_>) -> Webhook {
    let path = context.text("path").trim_matches('/').to_owned();
    let good = is_webhook_path(&path);
    if !good && !path.is_empty() {
        context.not_mapped(
            format!(
                "the path {} is not made of plain names",
                one_line(&path, 60).unwrap_or_default()
            ),
            "Choose a path of letters, digits, -, _, . and ~.",
        );
    }
    if !matches!(context.text("authentication"), "" | "none") {
        context.not_mapped(
            "its authentication has no counterpart",
            "Sign requests with a secret (auth of type hmac), or check a header in the flow.",
        );
    }
    let respond = match context.text("responseMode") {
        "" | "onReceived" => Respond::Immediately,
        _ => Respond::WhenDone,
    };
    let methods = methods(context);
    Webhook { path: good.then_some(path), methods, respond, ..Webhook::default() }
}

fn methods(context: &mut Context<'_>) -> Vec<Method> {
    let known = |name: &str| Method::ALL.iter().find(|(word, _)| *word == name).map(|(_, m)| *m);
    let several = context.list("httpMethod").filter_map(|name| known(name.as_str()?));
    let mut methods: Vec<Method> = several.collect();
    methods.sort();
    methods.dedup();
    if !methods.is_empty() {
        return methods;
    }
    // Left out, it is GET there.
    match context.text("httpMethod") {
        "" => vec![Method::Get],
        name => known(name).map(|method| vec![method]).unwrap_or_else(|| {
            context.changed("its method has no counterpart, and became POST");
            vec![Method::Post]
        }),
    }
}

fn files(context: &mut Context<'_>) -> Vec<TriggerKind> {
    let Some(path) = one_line(context.text("path"), 4_096) else {
        context.not_mapped("it has no path", "Add a trigger of type filesystem with paths.");
        return Vec::new();
    };
    let event = |name: &str| match name {
        "add" | "addDir" => Some(FileEvent::Add),
        "change" => Some(FileEvent::Change),
        "unlink" | "unlinkDir" => Some(FileEvent::Unlink),
        _ => None,
    };
    let mut events: Vec<FileEvent> =
        context.list("events").filter_map(|name| event(name.as_str()?)).collect();
    events.sort();
    events.dedup();
    if events.is_empty() {
        events.push(FileEvent::Change);
    }
    vec![TriggerKind::Filesystem(Filesystem { paths: vec![path], events, ..Filesystem::default() })]
}
