//! Something that a trigger could tell, to try a flow with before anything has happened.

use devrig_core::{Result, Timestamp};
use serde_json::{Map, Value, json};

use super::{cron, ended, webhook};
use crate::definition::{
    Event, Method, PluginTrigger, RunEvent, SourceFlow, Trigger, TriggerKind, Webhook,
};
use crate::plugins::PluginActions;
use crate::run::{RunKind, RunRow, RunStatus};
use crate::table::run::FlowNames;

/// How deep a value is made that fits a schema.
const DEPTH: usize = 8;

/// A payload of a trigger of this flow; none where only the world could say what there is.
///
/// # Errors
/// `INVALID_INPUT` for a schedule that is none.
pub(super) fn of(
    trigger: &Trigger,
    flow: &str,
    plugins: Option<&dyn PluginActions>,
    now: Timestamp,
) -> Result<Option<Value>> {
    Ok(match &trigger.kind {
        TriggerKind::Cron(cron) => {
            let schedule = cron::schedule(cron)?;
            let next = schedule.next_after(now).unwrap_or(now);
            Some(cron::payload(&schedule, next, 0))
        }
        TriggerKind::Webhook(hook) => Some(request(hook, flow, trigger.id.as_str())),
        TriggerKind::Event(event) => Some(end(event, now)),
        TriggerKind::Manual { input_schema } => {
            Some(input_schema.as_ref().map_or_else(|| json!({}), |schema| fitting(schema, DEPTH)))
        }
        TriggerKind::Plugin(wanted) => plugins.and_then(|plugins| of_plugin(wanted, plugins)),
        _ => None,
    })
}

fn of_plugin(wanted: &PluginTrigger, plugins: &dyn PluginActions) -> Option<Value> {
    let state = plugins.plugin(&wanted.plugin_id)?;
    let about = state.trigger(&wanted.trigger)?;
    let fits = || about.payload.as_ref().map(|schema| fitting(schema, DEPTH));
    about.sample.clone().or_else(fits)
}

fn request(hook: &Webhook, flow: &str, trigger: &str) -> Value {
    let method = hook.methods.first().copied().unwrap_or(Method::Post);
    json!({
        "method": method.as_str(),
        "path": webhook::path(hook, flow, trigger),
        "query": {},
        "headers": { "content-type": "application/json" },
        "rawBody": "{}",
    })
}

fn end(event: &Event, now: Timestamp) -> Value {
    let failed = event.event == RunEvent::Failed;
    let run = RunRow {
        seq: 0,
        id: "sample".to_owned(),
        flow: 0,
        version: 1,
        event: 0,
        kind: RunKind::Live,
        trigger_type: "manual".to_owned(),
        parent: None,
        detached: false,
        again: false,
        retry_of: None,
        status: if failed { RunStatus::Failed } else { RunStatus::Completed },
        priority: 0,
        depth: 0,
        queued_at: now,
        started_at: Some(now),
        ended_at: Some(now),
        wake_at: None,
        error: failed.then(|| devrig_core::Error::invalid("a sample of an error")),
    };
    let id = match &event.source {
        SourceFlow::Flow(id) => id.to_string(),
        SourceFlow::Any => "sample".to_owned(),
    };
    ended::payload(&run, &FlowNames { name: id.clone(), id }, &json!({}))
}

/// The simplest value that a JSON Schema names: what it gives as an example, a usual value or the
/// only one, else an empty one of its type.
fn fitting(schema: &Value, depth: usize) -> Value {
    let given = schema["examples"].get(0).or_else(|| schema.get("default"));
    let given = given.or_else(|| schema.get("const")).or_else(|| schema["enum"].get(0));
    if let Some(given) = given {
        return given.clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("object") => fields(schema, depth),
        Some("array") => json!([]),
        Some("string") => json!(""),
        Some("number" | "integer") => schema.get("minimum").cloned().unwrap_or(json!(0)),
        Some("boolean") => json!(false),
        Some(_) => Value::Null,
        None if schema.get("properties").is_some() => fields(schema, depth),
        None => Value::Null,
    }
}

fn fields(schema: &Value, depth: usize) -> Value {
    let Some(properties) = schema["properties"].as_object().filter(|_| depth > 0) else {
        return json!({});
    };
    let fitting = properties.iter().map(|(name, of)| (name.clone(), fitting(of, depth - 1)));
    Value::Object(fitting.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_filled_in_as_it_says() {
        let schema = json!({"type": "object", "properties": {
            "name": {"type": "string", "default": "kim"},
            "count": {"type": "integer", "minimum": 3},
            "kind": {"enum": ["bug", "wish"]},
            "deep": {"properties": {"list": {"type": ["array", "null"]}, "any": {}}},
        }});
        let expected = json!({
            "name": "kim", "count": 3, "kind": "bug", "deep": {"list": [], "any": null},
        });
        assert_eq!(fitting(&schema, DEPTH), expected);
        assert_eq!(fitting(&json!(true), DEPTH), Value::Null);
    }

    #[test]
    fn a_schema_of_any_depth_comes_to_an_end() {
        let deep = (0..500).fold(json!({}), |inner, _| json!({"properties": {"a": inner}}));
        assert!(fitting(&deep, DEPTH).to_string().len() < 100);
    }
}
