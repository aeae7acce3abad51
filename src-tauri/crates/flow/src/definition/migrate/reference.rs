//! From the shape that the reference gives (one `trigger`, `actionType`, `sourceNodeId`) to
//! version 1.

mod ids;

use serde_json::{Map, Value, json};

use crate::definition::model::port;

/// True for a definition without a version that only the reference can have meant.
pub(super) fn has_its_shape(value: &Value) -> bool {
    let any = |list: &str, names: &[&str]| {
        let entries = value.get(list).and_then(Value::as_array);
        entries.is_some_and(|entries| {
            entries.iter().any(|entry| names.iter().any(|name| entry.get(name).is_some()))
        })
    };
    value.get("trigger").is_some()
        || any("nodes", &["actionType"])
        || any("edges", &["sourceNodeId", "targetNodeId"])
}

pub(super) fn to_first(value: &mut Value) {
    let Some(flow) = value.as_object_mut() else { return };
    // Kept beside the definition now, with every version.
    for name in ["version", "createdAt", "updatedAt", "metadata"] {
        flow.remove(name);
    }
    for node in objects(flow, "nodes") {
        rename(node, "actionType", "action");
    }
    let conditions = condition_nodes(flow);
    for edge in objects(flow, "edges") {
        rename(edge, "sourceNodeId", "source");
        rename(edge, "targetNodeId", "target");
        give_port(edge, &conditions);
    }
    if let (Some(trigger), false) = (flow.shift_remove("trigger"), flow.contains_key("triggers")) {
        flow.insert("triggers".to_owned(), json!([trigger]));
    }
    for (index, trigger) in objects(flow, "triggers").enumerate() {
        change_trigger(trigger, index);
    }
    ids::make_valid(flow);
}

fn objects<'a>(
    flow: &'a mut Map<String, Value>,
    list: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let entries = flow.get_mut(list).and_then(Value::as_array_mut);
    entries.into_iter().flatten().filter_map(Value::as_object_mut)
}

fn rename(object: &mut Map<String, Value>, old: &str, new: &str) {
    if let (false, Some(value)) = (object.contains_key(new), object.shift_remove(old)) {
        object.insert(new.to_owned(), value);
    }
}

fn condition_nodes(flow: &Map<String, Value>) -> Vec<String> {
    let nodes = flow.get("nodes").and_then(Value::as_array).into_iter().flatten();
    let conditions = nodes.filter(|node| node["type"] == "condition");
    conditions.filter_map(|node| node["id"].as_str().map(str::to_owned)).collect()
}

/// There, a condition node's edges are told apart by their label, and one without goes on where
/// the condition holds.
fn give_port(edge: &mut Map<String, Value>, conditions: &[String]) {
    let text = |name: &str| edge.get(name).and_then(Value::as_str).unwrap_or_default();
    if edge.contains_key("port") || !conditions.iter().any(|id| id == text("source")) {
        return;
    }
    let label = text("label").trim().to_ascii_lowercase();
    let port = match label.as_str() {
        "false" | "no" | "else" => port::FALSE,
        _ => port::TRUE,
    };
    edge.insert("port".to_owned(), port.into());
}

fn change_trigger(trigger: &mut Map<String, Value>, index: usize) {
    if !trigger.contains_key("id") {
        let id = if index == 0 { "trigger".to_owned() } else { format!("trigger{}", index + 1) };
        trigger.shift_insert(0, "id".to_owned(), id.into());
    }
    rename(trigger, "sourceWorkflowId", "sourceFlowId");
    rename(trigger, "tunnelEnabled", "tunnel");
    if trigger.shift_remove("secret").is_some() && !trigger.contains_key("auth") {
        // The value itself has no place in a definition; the checks ask for a secret of this name.
        let id = trigger.get("id").and_then(Value::as_str).unwrap_or("webhook");
        let auth = json!({ "type": "hmac", "scheme": "plain", "secret": format!("{id}_secret") });
        trigger.insert("auth".to_owned(), auth);
    }
}
