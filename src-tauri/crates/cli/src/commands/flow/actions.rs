//! What nodes can do.

use std::process::ExitCode;

use devrig_core::{Error, Result, nearest};
use devrig_engine::api::flow::{Effect, FlowAction, fields};
use devrig_engine::{Api, NoArgs};
use serde_json::Value;

use super::triggers::fields as told;
use crate::output::{Output, facts, table};

pub async fn show(name: Option<&str>, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let mut actions = api.flow_actions(NoArgs {}).await?;
    let Some(name) = name else { return output.show(&actions, |actions| list(actions)) };
    match actions.iter().position(|action| action.name == name) {
        Some(place) => output.show(&actions.swap_remove(place), one),
        None => Err(unknown(name, &actions)),
    }
}

fn unknown(name: &str, actions: &[FlowAction]) -> Error {
    let known: Vec<&str> = actions.iter().map(|action| action.name.as_str()).collect();
    let hint = match nearest(name, &known) {
        Some(near) => format!("Did you mean {near}?"),
        None => "`devrig flow actions` lists them.".to_owned(),
    };
    Error::not_found(format!("the action {name:?}")).hint(hint)
}

fn list(actions: &[FlowAction]) -> String {
    let row = |action: &FlowAction| {
        let plugin = action.plugin.clone().unwrap_or_default();
        [action.name.clone(), plugin, effect(action).to_owned(), action.title.clone()]
    };
    table(["ACTION", "PLUGIN", "EFFECT", "TITLE"], actions.iter().map(row))
}

fn effect(action: &FlowAction) -> &'static str {
    match action.effect {
        Effect::Pure => "none",
        Effect::Read => "reads",
        Effect::Write if action.idempotent => "writes, may be repeated",
        Effect::Write => "writes",
    }
}

fn one(action: &FlowAction) -> String {
    let mut head = vec![("action", action.name.clone())];
    head.extend(action.plugin.clone().map(|plugin| ("pluginId", plugin)));
    head.push(("title", action.title.clone()));
    head.push(("effect", effect(action).to_owned()));
    let json = |title: &str, value: &Value| format!("{title}:\n{value:#}");
    let takes = fields::of(&action.input);
    let takes = if takes.is_empty() { "config: nothing".to_owned() } else { told(&takes) };
    [
        facts(&head),
        action.text.clone(),
        takes,
        json("output", &action.output),
        json("example", &action.example),
    ]
    .join("\n\n")
}
