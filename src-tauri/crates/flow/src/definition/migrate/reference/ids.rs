//! The reference allows any text as a node's id. Ours are names, so that expressions need no
//! quotes; what refers to a renamed node follows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::definition::model::{is_name, to_name};

pub(super) fn make_valid(flow: &mut Map<String, Value>) {
    let renamed = new_names(flow);
    if renamed.is_empty() {
        return;
    }
    for node in super::objects(flow, "nodes") {
        set(node, "id", &renamed);
    }
    for edge in super::objects(flow, "edges") {
        set(edge, "source", &renamed);
        set(edge, "target", &renamed);
    }
    for (_, value) in flow.iter_mut() {
        follow(value, &renamed, 0);
    }
}

fn new_names(flow: &mut Map<String, Value>) -> BTreeMap<String, String> {
    let ids = super::objects(flow, "nodes").filter_map(|node| node.get("id")?.as_str());
    let ids: Vec<String> = ids.map(str::to_owned).collect();
    let mut taken: BTreeSet<String> = ids.iter().cloned().collect();
    let mut renamed = BTreeMap::new();
    for id in ids.into_iter().filter(|id| !is_name(id)) {
        let name = to_name(&id, "node", |name| taken.contains(name));
        taken.insert(name.clone());
        renamed.entry(id).or_insert(name);
    }
    renamed
}

fn set(object: &mut Map<String, Value>, field: &str, renamed: &BTreeMap<String, String>) {
    let Some(value) = object.get_mut(field) else { return };
    if let Some(name) = value.as_str().and_then(|id| renamed.get(id)) {
        *value = name.as_str().into();
    }
}

/// Texts with `nodes.<id>` and references of conditions.
fn follow(value: &mut Value, renamed: &BTreeMap<String, String>, depth: usize) {
    // What is deeper than a definition may be is refused right after.
    if depth > crate::definition::read::MOST_JSON_DEPTH {
        return;
    }
    match value {
        Value::String(text) if text.contains(ROOT) => *text = follow_text(text, renamed),
        Value::Array(values) => {
            values.iter_mut().for_each(|value| follow(value, renamed, depth + 1));
        }
        Value::Object(map) => {
            set(map, "nodeId", renamed);
            map.values_mut().for_each(|value| follow(value, renamed, depth + 1));
        }
        _ => {}
    }
}

const ROOT: &str = "nodes.";

fn follow_text(text: &str, renamed: &BTreeMap<String, String>) -> String {
    let mut parts = text.split(ROOT);
    let mut followed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| ".})\"'".contains(c) || c.is_whitespace());
        let (id, rest) = part.split_at(end.unwrap_or(part.len()));
        followed += ROOT;
        followed += renamed.get(id).map_or(id, String::as_str);
        followed += rest;
    }
    followed
}
