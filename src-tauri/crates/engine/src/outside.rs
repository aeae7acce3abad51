//! What flows are checked against: the actions, and what is installed and stored here.

use std::collections::BTreeSet;
use std::sync::Arc;

use devrig_core::{Error, Result, Timestamp};
use devrig_expr::condition::{Dependency, DependsOn};
use devrig_expr::{Condition, Options, Reference as Read, Schedule, Template};
use devrig_flow::action::{Actions, Does};
use devrig_flow::definition::{
    ActionShape, Call, Cron, Definition, Fault, Findings, FlowId, NodeKind, Outside, PluginTrigger,
    Reference, TriggerShape,
};
use devrig_flow::plugins::short;
use devrig_flow::shape;
use devrig_secrets::Scope;
use serde_json::Value;

use crate::Engine;

/// As it is at one moment.
pub(crate) struct Snapshot {
    actions: Arc<Actions>,
    /// By their whole names and their short ones.
    plugins: BTreeSet<String>,
    secrets: BTreeSet<String>,
    flows: BTreeSet<String>,
    /// What actions say themselves of the configs in question.
    wrong: Vec<(Call, Fault)>,
    now: Timestamp,
}

impl Snapshot {
    pub(crate) async fn of(engine: &Engine, definition: &Definition) -> Result<Self> {
        let plugins = engine.plugins().list().await?.into_iter();
        let plugins = plugins.flat_map(|it| [short(&it.name).to_owned(), it.name]);
        let secrets = engine.vault().list(&Scope::Flows).await?.into_iter().map(|entry| entry.name);
        let flows = engine.flows().list().await?.into_iter().map(|flow| flow.id);
        let actions = engine.flows().actions();
        Ok(Self {
            wrong: wrong(actions, definition).await,
            actions: actions.clone(),
            plugins: plugins.collect(),
            secrets: secrets.collect(),
            flows: flows.collect(),
            now: engine.clock().now(),
        })
    }

    /// What a condition asks others.
    fn asks(&self, dependency: &Dependency) -> Option<Fault> {
        let below = |field: &str| format!("{}.{field}", below(&dependency.place));
        match &dependency.on {
            DependsOn::Query { query } => {
                let fault = self.query(query)?;
                Some(Fault { at: below("query"), ..fault })
            }
            DependsOn::Custom { plugin_id, account_id, function } => {
                let fault = self.of_plugin(plugin_id, account_id.as_deref(), function)?;
                Some(Fault { at: below(&fault.at), ..fault })
            }
        }
    }

    /// What is wrong with a condition of a plugin that is here.
    fn of_plugin(&self, plugin: &str, account: Option<&str>, function: &str) -> Option<Fault> {
        let state = self.actions.plugins()?.plugin(plugin)?;
        if !state.conditions.iter().any(|known| known == function) {
            let hint = match state.conditions.as_slice() {
                [] => "Compare values instead, or update the plugin.".to_owned(),
                known => format!("It has {}.", known.join(", ")),
            };
            let message = format!("the plugin `{plugin}` has no condition `{function}`");
            return Some(Fault { at: "functionName".to_owned(), message, hint });
        }
        let fault = shape::of_account(plugin, account, &state.accounts)?;
        Some(Fault { at: "accountId".to_owned(), ..fault })
    }

    /// Plugins that are not here, which may be where the flow comes from.
    fn missing(&self, dependency: &Dependency) -> Option<Fault> {
        let DependsOn::Custom { plugin_id, .. } = &dependency.on else { return None };
        (!self.has_plugin(plugin_id)).then(|| Fault {
            at: format!("{}.pluginId", below(&dependency.place)),
            message: format!("the plugin `{plugin_id}` is not installed"),
            hint: "Install the plugin, or choose another condition.".to_owned(),
        })
    }
}

impl Outside for Snapshot {
    fn template(&self, text: &str) -> Findings {
        if !text.contains("{{") {
            return Findings::default();
        }
        // Line and column stand in the message; in the field there is nothing below a text.
        let read = |read: &Read| Reference { at: String::new(), ..reference(read) };
        match Template::compile(text, Options::default()) {
            Ok(template) => {
                let references = template.references().iter().map(read).collect();
                Findings { references, ..Findings::default() }
            }
            Err(error) => Findings { faults: vec![fault(error)], ..Findings::default() },
        }
    }

    fn condition(&self, condition: &Value) -> Findings {
        match Condition::parse(condition) {
            Ok(condition) => {
                let references = condition.references().iter().map(reference).collect();
                let asked = condition.dependencies();
                let faults = asked.iter().filter_map(|asked| self.asks(asked)).collect();
                let missing = asked.iter().filter_map(|asked| self.missing(asked)).collect();
                Findings { references, faults, missing }
            }
            Err(error) => Findings { faults: vec![fault(error)], ..Findings::default() },
        }
    }

    fn action(&self, call: &Call) -> Option<ActionShape> {
        if call.plugin_id.is_some() {
            return shape::of_plugin(call, self.actions.plugins()?);
        }
        let action = self.actions.get(&call.action)?;
        let mut shape = shape::of_call(action, call);
        let own = self.wrong.iter().filter(|(wrong, _)| wrong == call);
        shape.faults.extend(own.map(|(_, fault)| fault.clone()));
        Some(shape)
    }

    fn trigger(&self, trigger: &PluginTrigger) -> Option<TriggerShape> {
        shape::of_trigger(trigger, self.actions.plugins()?)
    }

    fn has_plugin(&self, id: &str) -> bool {
        self.plugins.contains(id)
    }

    fn has_secret(&self, name: &str) -> bool {
        self.secrets.contains(name)
    }

    fn has_flow(&self, id: &FlowId) -> bool {
        self.flows.contains(id.as_str())
    }

    fn cron(&self, cron: &Cron) -> Option<Fault> {
        // The machine's own zone is none that could be wrong.
        let zone = cron.timezone.as_deref().unwrap_or("UTC");
        Schedule::parse(&cron.expression, zone).err().map(fault)
    }

    fn query(&self, query: &str) -> Option<Fault> {
        devrig_inbox::query::parse(query, self.now).err().map(fault)
    }

    fn pattern(&self, glob: &str) -> Option<Fault> {
        devrig_flow::triggers::filesystem::check_pattern(glob).err().map(fault)
    }

    fn schema(&self, schema: &Value) -> Option<Fault> {
        shape::of_schema(schema)
    }
}

async fn wrong(actions: &Actions, definition: &Definition) -> Vec<(Call, Fault)> {
    let mut wrong = Vec::new();
    for node in definition.nodes() {
        let NodeKind::Action(call) = &node.kind else { continue };
        if call.plugin_id.is_some() {
            continue;
        }
        let Some(Does::Work(action)) = actions.get(&call.action).map(|found| &found.does) else {
            continue;
        };
        if let Err(error) = action.check(&call.config).await {
            wrong.push((call.clone(), of_field(error)));
        }
    }
    wrong
}

/// An error whose message begins with the field.
fn of_field(error: Error) -> Fault {
    let (at, message) = match error.message.split_once(": ") {
        Some((field, message)) => (format!(".{field}"), message.to_owned()),
        None => (String::new(), error.message.clone()),
    };
    Fault { at, message, hint: error.hint.unwrap_or_default() }
}

fn reference(read: &Read) -> Reference {
    let path = read.path.steps().iter().map(|step| step.name().to_owned()).collect();
    Reference { path, at: below(&read.place) }
}

/// The place is in the details, and again at the beginning of the message.
fn fault(error: Error) -> Fault {
    let place = error.details.as_ref().and_then(|details| details.get("path"));
    let place = place.and_then(Value::as_str).unwrap_or_default();
    let message = error.message.strip_prefix(place).unwrap_or(&error.message);
    Fault {
        at: below(place),
        message: message.trim_start_matches(": ").to_owned(),
        hint: error.hint.clone().unwrap_or_default(),
    }
}

/// A place as it stands behind that of the thing around it.
fn below(place: &str) -> String {
    match place.chars().next() {
        None | Some('[') => place.to_owned(),
        Some(_) => format!(".{place}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn snapshot() -> Snapshot {
        Snapshot {
            actions: Arc::new(devrig_flow::actions::builtin().unwrap()),
            plugins: BTreeSet::from(["devrig-plugin-git".to_owned()]),
            secrets: BTreeSet::new(),
            flows: BTreeSet::from(["digest".to_owned()]),
            wrong: Vec::new(),
            now: "2026-03-02T09:00:00Z".parse().unwrap(),
        }
    }

    fn places(condition: Value) -> Vec<String> {
        let Findings { faults, missing, .. } = snapshot().condition(&condition);
        faults.into_iter().chain(missing).map(|fault| fault.at).collect()
    }

    #[test]
    fn what_is_wrong_with_a_condition_has_its_place() {
        let wrong = json!({"type": "not", "condition": {"type": "exits"}});
        let faults = snapshot().condition(&wrong).faults;
        assert_eq!(faults[0].at, ".condition.type");
        assert!(!faults[0].message.starts_with("condition"), "{faults:?}");
        let query =
            |query: &str| json!({"type": "and", "conditions": [{"type": "query", "query": query}]});
        assert_eq!(places(query("is:unred")), [".conditions[0].query"]);
        assert!(places(query("is:unread")).is_empty());
        let custom =
            json!({"type": "custom", "pluginId": "nobody", "functionName": "f", "args": []});
        assert_eq!(places(custom), [".pluginId"]);
    }

    #[test]
    fn a_schedule_that_never_comes_is_told() {
        let cron = |expression: &str, timezone: Option<&str>| Cron {
            expression: expression.to_owned(),
            timezone: timezone.map(str::to_owned),
            ..Cron::default()
        };
        let found = |cron: Cron| snapshot().cron(&cron);
        assert_eq!(found(cron("0 9 * * MON-FRI", Some("Europe/Berlin"))), None);
        assert!(found(cron("0 9 30 2 *", None)).unwrap().message.contains("no such day"));
        assert!(found(cron("0 9 * * *", Some("Mars/Base"))).unwrap().message.contains("Mars/Base"));
    }

    #[test]
    fn a_template_says_what_it_reads_and_what_is_wrong_with_it() {
        let found = |text: &str| snapshot().template(text);
        assert_eq!(found("plain"), Findings::default());
        let read = &found("{{nodes.fetch.output.title}} of {{upper trigger.id}}").references;
        let paths: Vec<String> = read.iter().map(|each| each.path.join(".")).collect();
        assert_eq!(paths, ["nodes.fetch.output.title", "trigger.id"]);
        let faults = found("one\n{{#if a}}").faults;
        assert_eq!((faults.len(), faults[0].at.as_str()), (1, ""));
        assert!(!faults[0].hint.is_empty(), "{faults:?}");
    }

    #[test]
    fn what_a_condition_reads_is_known_by_name() {
        let condition =
            json!({"type": "exists", "ref": {"type": "context", "path": "nodes.fetch.output[0]"}});
        let read = snapshot().condition(&condition).references;
        assert_eq!(read[0].path, ["nodes", "fetch", "output", "0"]);
        assert_eq!(read[0].at, ".ref");
    }
}
