//! What changed from one version to another, a line each.

use devrig_engine::api::flow::{Changes, FieldChange, PartChanges};
use serde_json::Value;

use crate::output::brief;

pub fn people(changes: &Changes) -> String {
    let mut lines = vec![changes.summary.clone()];
    lines.extend(changes.flow.iter().map(|change| field("", change)));
    lines.extend(changes.settings.iter().map(|change| field("settings ", change)));
    for (what, changes) in
        [("trigger", &changes.triggers), ("node", &changes.nodes), ("edge", &changes.edges)]
    {
        parts(what, changes, &mut lines);
    }
    lines.extend(changes.moved.iter().map(|node| format!("~ node {node} stands elsewhere")));
    lines.join("\n")
}

fn parts(what: &str, changes: &PartChanges, lines: &mut Vec<String>) {
    lines.extend(changes.added.iter().map(|id| format!("+ {what} {id}")));
    lines.extend(changes.removed.iter().map(|id| format!("- {what} {id}")));
    for part in &changes.changed {
        let owner = format!("{what} {} ", part.id);
        lines.extend(part.fields.iter().map(|change| field(&owner, change)));
    }
}

fn field(owner: &str, change: &FieldChange) -> String {
    let shown = |value: &Option<Value>| value.as_ref().map_or("default".to_owned(), brief);
    format!("~ {owner}{}: {} → {}", change.field, shown(&change.before), shown(&change.after))
}
