//! What a node of n8n becomes.

mod data;
mod flow;
mod http;
mod switch;
mod values;

use serde_json::{Map, Value};

use super::conditions;
use super::context::Context;
use crate::definition::model::{Branching, Call, JunctionMode, NodeKind, port};

/// A node's counterpart.
pub(super) struct Made {
    pub kind: NodeKind,
    /// The ports here for each of its outputs there. Several rules of an older switch may share
    /// one output.
    pub ports: Vec<Vec<String>>,
    /// False when the node only keeps its place, and cannot run.
    pub runs: bool,
}

impl Made {
    fn new(kind: NodeKind, ports: &[&str]) -> Self {
        let ports = ports.iter().map(|port| vec![(*port).to_owned()]).collect();
        Self { kind, ports, runs: true }
    }

    fn call(action: &str, config: Map<String, Value>) -> Self {
        let call = Call { config, ..Call::new(action) };
        Self::new(NodeKind::Action(call), &[port::OUT])
    }
}

/// A config of the fields that are there.
fn config<'a>(fields: impl IntoIterator<Item = (&'a str, Option<Value>)>) -> Map<String, Value> {
    let there = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    there.filter(|(_, value)| !value.is_null()).collect()
}

pub(super) fn convert(context: &mut Context<'_>) -> Made {
    match context.step().kind.as_str() {
        "if" => one_of_two(context, &[port::TRUE, port::FALSE]),
        "filter" => one_of_two(context, &[port::TRUE]),
        "switch" => switch::switch(context),
        "noOp" => Made::new(NodeKind::Junction(JunctionMode::Any), &[port::OUT]),
        "httpRequest" => http::request(context),
        "graphql" => http::graphql(context),
        "respondToWebhook" => http::respond(context),
        "set" => data::set(context),
        "merge" => data::merge(context),
        "sort" => data::sort(context),
        "limit" => data::limit(context),
        "removeDuplicates" => data::dedupe(context),
        "aggregate" => data::aggregate(context),
        "splitOut" => data::split(context),
        "xml" => data::xml(context),
        "html" | "htmlExtract" => data::html(context),
        "code" | "function" | "functionItem" => flow::code(context),
        "wait" => flow::wait(context),
        "stopAndError" => flow::fail(context),
        "executeWorkflow" => flow::subflow(context),
        "executeCommand" => flow::shell(context),
        "splitInBatches" => flow::batches(context),
        "dateTime" => values::date(context),
        "crypto" => values::crypto(context),
        _ => unknown(context),
    }
}

fn one_of_two(context: &mut Context<'_>, ports: &[&str]) -> Made {
    let any =
        context.text("combineOperation") == "any" || context.text("combineConditions") == "OR";
    let conditions = context.get("conditions").cloned().unwrap_or_default();
    let condition = conditions::convert(context, &conditions, any);
    Made::new(NodeKind::Condition(Branching::If(condition)), ports)
}

fn unknown(context: &mut Context<'_>) -> Made {
    tell_unknown(context);
    placeholder(context)
}

/// Keeps the node under its old name, which no action has, with all that it was given.
fn placeholder(context: &mut Context<'_>) -> Made {
    let action: String = context
        .step()
        .full_kind
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .collect();
    let action: String = action.chars().take(200).collect();
    let action = if action.is_empty() { "n8n.unknown".to_owned() } else { action };
    let parameters = match context.step().parameters.clone() {
        Value::Object(parameters) => parameters,
        _ => Map::new(),
    };
    let each = parameters.iter().map(|(name, value)| (name.clone(), keep(context, value, name)));
    Made { runs: false, ..Made::call(&action, each.collect()) }
}

/// Expressions are turned into templates where they can be; what cannot is told with the node.
fn keep(context: &mut Context<'_>, value: &Value, path: &str) -> Value {
    let before = context.report.not_mapped.len();
    let kept = context.convert(value, path);
    context.report.not_mapped.truncate(before);
    kept
}

/// Services whose nodes a plugin is the place for.
const SERVICES: [&str; 14] = [
    "github",
    "gitlab",
    "slack",
    "linear",
    "jira",
    "notion",
    "discord",
    "telegram",
    "gmail",
    "googleSheets",
    "trello",
    "asana",
    "sentry",
    "microsoftTeams",
];

pub(super) fn tell_unknown(context: &mut Context<'_>) {
    let kind = context.step().kind.as_str();
    let service = SERVICES.iter().find(|service| {
        kind.strip_prefix(**service).is_some_and(|rest| matches!(rest, "" | "Trigger" | "Tool"))
    });
    let reason = format!("{} has no counterpart", context.step().full_kind);
    let remedy = match (service, kind) {
        (Some(service), _) => format!(
            "Use the plugin `{}` when it is installed, or http.request with its API.",
            service.to_lowercase()
        ),
        (None, "emailReadImap") => {
            "Start the flow from the inbox, with a plugin that brings mail there.".to_owned()
        }
        (None, kind) if kind.contains("langchain") => "Use an ai node instead.".to_owned(),
        (None, kind) if kind.ends_with("Trigger") => {
            "Add a trigger that waits for the same: webhook, polling or plugin.".to_owned()
        }
        _ => "Use http.request, code.js or a plugin instead.".to_owned(),
    };
    context.not_mapped(reason, remedy);
}
