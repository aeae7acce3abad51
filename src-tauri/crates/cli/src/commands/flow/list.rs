//! Flows as tables.

use devrig_core::SystemClock;
use devrig_engine::api::flow::{FlowDetail, FlowInfo, FlowVersion};
use serde_json::Value;

use crate::output::{facts, table};
use crate::time;

pub fn flows(flows: &[FlowInfo]) -> String {
    if flows.is_empty() {
        return "There are no flows.".to_owned();
    }
    let now = SystemClock::shared().now();
    let rows = flows.iter().map(|flow| {
        [
            flow.id.clone(),
            flow.name.clone(),
            flow.folder.clone().unwrap_or_default(),
            state(flow).to_owned(),
            flow.latest.to_string(),
            flow.live.map(|live| live.to_string()).unwrap_or_default(),
            time::ago(flow.updated_at, now),
        ]
    });
    table(["FLOW", "NAME", "FOLDER", "", "VERSION", "LIVE", "CHANGED"], rows)
}

fn state(flow: &FlowInfo) -> &'static str {
    match (flow.enabled, flow.live) {
        (true, _) => "on",
        (false, Some(_)) => "off",
        (false, None) => "draft",
    }
}

pub fn versions(versions: &[FlowVersion]) -> String {
    let now = SystemClock::shared().now();
    let rows = versions.iter().map(|version| {
        [
            version.version.to_string(),
            if version.live { "live" } else { "" }.to_owned(),
            version.summary.clone(),
            version.actor.clone(),
            time::ago(version.created_at, now),
        ]
    });
    table(["VERSION", "", "WHAT", "WHO", "WHEN"], rows)
}

pub fn detail(detail: &FlowDetail) -> String {
    let FlowDetail { flow, version, definition } = detail;
    let head = facts(&[
        ("flow", flow.id.clone()),
        ("name", flow.name.clone()),
        ("about", text(definition, "description")),
        ("folder", flow.folder.clone().unwrap_or_default()),
        ("tags", flow.tags.join(", ")),
        ("state", state(flow).to_owned()),
        ("version", format!("{version} of {}", flow.latest)),
        ("live", flow.live.map(|live| format!("version {live}")).unwrap_or_default()),
    ]);
    let triggers = list(definition, "triggers").iter().map(|trigger| {
        [text(trigger, "id"), text(trigger, "type"), if off(trigger) { "off" } else { "" }.into()]
    });
    let mut nodes = Vec::new();
    gather(definition, 0, &mut nodes);
    let mut parts = vec![head];
    if triggers.len() > 0 {
        parts.push(table(["TRIGGER", "TYPE", ""], triggers));
    }
    if !nodes.is_empty() {
        parts.push(table(["NODE", "DOES", "", "NAME"], nodes));
    }
    parts.join("\n\n")
}

/// The nodes of a graph, those of bodies under theirs.
fn gather(graph: &Value, depth: usize, rows: &mut Vec<[String; 4]>) {
    for node in list(graph, "nodes") {
        let does = match text(node, "action") {
            action if action.is_empty() => text(node, "type"),
            action => action,
        };
        let id = format!("{}{}", "  ".repeat(depth), text(node, "id"));
        let state = if off(node) { "off" } else { "" };
        rows.push([id, does, state.to_owned(), text(node, "name")]);
        gather(&node["body"], depth + 1, rows);
    }
}

fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of[name].as_array().map_or(&[], Vec::as_slice)
}

fn text(of: &Value, name: &str) -> String {
    of[name].as_str().unwrap_or_default().to_owned()
}

fn off(of: &Value) -> bool {
    of["disabled"] == true
}
