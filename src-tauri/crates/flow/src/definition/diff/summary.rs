//! The changes as one sentence.

use serde_json::Value;

use super::{Changes, FieldChange, PartChange, PartChanges};
use crate::definition::model::{Definition, TriggerKind};

const MOST_PHRASES: usize = 5;
const LONGEST_VALUE: usize = 40;

pub(super) fn of(changes: &Changes, before: &Definition, after: &Definition) -> String {
    let mut phrases = flow(&changes.flow);
    phrases.extend(triggers(&changes.triggers, before, after));
    phrases.extend(parts("node", &changes.nodes));
    phrases.extend(edges(changes));
    phrases.extend(settings(&changes.settings));
    if phrases.is_empty() {
        return nothing(changes, before, after);
    }
    let more = phrases.len().saturating_sub(MOST_PHRASES);
    phrases.truncate(MOST_PHRASES);
    match more {
        0 => phrases.join(", "),
        1 => format!("{} and 1 more change", phrases.join(", ")),
        more => format!("{} and {more} more changes", phrases.join(", ")),
    }
}

fn nothing(changes: &Changes, before: &Definition, after: &Definition) -> String {
    let what = match (changes.moved.is_empty(), before == after) {
        (false, _) => "layout changed",
        (true, false) => "order changed",
        (true, true) => "nothing changed",
    };
    what.to_owned()
}

fn flow(fields: &[FieldChange]) -> Vec<String> {
    let mut phrases = Vec::new();
    for field in fields {
        let phrase = match field.field.split(['.', '[']).next().unwrap_or_default() {
            "name" => format!("renamed to {}", shown(field.after.as_ref())),
            "entryConditions" => "entry conditions changed".to_owned(),
            "errorFlowId" => "error flow changed".to_owned(),
            name => format!("{name} changed"),
        };
        if !phrases.contains(&phrase) {
            phrases.push(phrase);
        }
    }
    phrases
}

fn triggers(changes: &PartChanges, before: &Definition, after: &Definition) -> Vec<String> {
    let cron = |definition: &Definition, id: &str| match &definition.trigger(id)?.kind {
        TriggerKind::Cron(cron) => Some(line(&cron.expression)),
        _ => None,
    };
    let mut rest = changes.clone();
    let mut phrases = Vec::new();
    rest.changed.retain(|change| {
        let schedules = (cron(before, &change.id), cron(after, &change.id));
        let ((Some(old), Some(new)), true) = (schedules, only(change, "expression")) else {
            return true;
        };
        phrases.push(format!("cron {old} → {new}"));
        false
    });
    phrases.extend(parts("trigger", &rest));
    phrases
}

fn only(change: &PartChange, field: &str) -> bool {
    matches!(change.fields.as_slice(), [one] if one.field == field)
}

fn parts(what: &str, changes: &PartChanges) -> Vec<String> {
    let changed: Vec<String> = changes.changed.iter().map(|change| change.id.clone()).collect();
    let verbs = [("added", &changes.added), ("removed", &changes.removed), ("changed", &changed)];
    verbs.into_iter().filter_map(|(verb, ids)| phrase(what, verb, ids)).collect()
}

fn phrase(what: &str, verb: &str, ids: &[String]) -> Option<String> {
    match ids {
        [] => None,
        [id] if what == "node" => Some(format!("`{}` {verb}", line(id))),
        [id] => Some(format!("{what} `{}` {verb}", line(id))),
        ids => Some(format!("{} {what}s {verb}", ids.len())),
    }
}

/// Edges of nodes that came or went need no words of their own.
fn edges(changes: &Changes) -> Vec<String> {
    let nodes = &changes.nodes;
    let told = |edge: &&String| {
        let mut ids = nodes.added.iter().chain(&nodes.removed);
        let ends: Vec<&str> = edge.split(" → ").flat_map(|end| end.split(' ')).collect();
        !ids.any(|id| ends.contains(&id.as_str()))
    };
    let count = |verb: &str, edges: usize| match edges {
        0 => None,
        1 => Some(format!("1 edge {verb}")),
        edges => Some(format!("{edges} edges {verb}")),
    };
    let edges = &changes.edges;
    let verbs = [
        ("added", edges.added.iter().filter(told).count()),
        ("removed", edges.removed.iter().filter(told).count()),
        ("changed", edges.changed.len()),
    ];
    verbs.into_iter().filter_map(|(verb, edges)| count(verb, edges)).collect()
}

fn settings(fields: &[FieldChange]) -> Vec<String> {
    let plain = |value: &Option<Value>| !matches!(value, Some(Value::Array(_) | Value::Object(_)));
    match fields {
        [] => Vec::new(),
        [one] if plain(&one.before) && plain(&one.after) => {
            let (before, after) = (shown(one.before.as_ref()), shown(one.after.as_ref()));
            vec![format!("{} {before} → {after}", one.field)]
        }
        _ => vec!["settings changed".to_owned()],
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "default".to_owned(),
        Some(Value::String(text)) => line(text),
        Some(value) => line(&value.to_string()),
    }
}

/// One short line, whatever the text.
fn line(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST_VALUE).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
