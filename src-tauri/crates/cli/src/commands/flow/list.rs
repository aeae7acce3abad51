//! Flows as tables.

use std::process::ExitCode;

use devrig_core::{Result, SystemClock};
use devrig_engine::api::flow::{
    Degraded, FileProblem, FileState, FlowDetail, FlowFile, FlowFolder, FlowInfo, FlowVersion,
    FlowVersionArgs,
};
use devrig_engine::{Api, NoArgs};
use serde_json::Value;

use crate::output::{Output, facts, one_line, table};
use crate::time;

pub async fn flows(
    folder: Option<&str>,
    tags: &[String],
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let mut flows = api.flow_list(NoArgs {}).await?;
    flows.retain(|flow| is_below(flow, folder) && tags.iter().all(|tag| flow.tags.contains(tag)));
    let files = api.flow_files(NoArgs {}).await?;
    output.show(&flows, |flows| {
        let parts = [table_of(flows), lost(flows), wrong(&files)];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
    })
}

/// Which plugins flows lack, and what would help.
fn lost(flows: &[FlowInfo]) -> String {
    let lines = flows.iter().flat_map(|flow| flow.degraded.iter().map(|lost| lack(flow, lost)));
    lines.collect::<Vec<_>>().join("\n")
}

fn lack(flow: &FlowInfo, lost: &Degraded) -> String {
    let Degraded { why, nodes, triggers, .. } = lost;
    let parts: Vec<&str> = triggers.iter().chain(nodes).map(String::as_str).collect();
    let needed = match parts.as_slice() {
        [] => "needed for its conditions".to_owned(),
        parts => format!("needed for {}", parts.join(", ")),
    };
    let hint = why.hint.as_deref().map(one_line).unwrap_or_default();
    format!("{} is degraded: {} ({needed})\n  {hint}", flow.name, one_line(&why.message))
}

fn is_below(flow: &FlowInfo, folder: Option<&str>) -> bool {
    let Some(wanted) = folder.map(|folder| folder.trim_end_matches('/')) else { return true };
    let folder = flow.folder.as_deref().unwrap_or_default();
    let rest = folder.strip_prefix(wanted);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn table_of(flows: &[FlowInfo]) -> String {
    if flows.is_empty() {
        return "There are no flows.".to_owned();
    }
    let now = SystemClock::shared().now();
    let rows = flows.iter().map(|flow| {
        [
            flow.id.clone(),
            flow.name.clone(),
            flow.folder.clone().unwrap_or_default(),
            flow.tags.join(", "),
            state(flow).to_owned(),
            flow.latest.to_string(),
            flow.live.map(|live| live.to_string()).unwrap_or_default(),
            time::ago(flow.updated_at, now),
        ]
    });
    table(["FLOW", "NAME", "FOLDER", "TAGS", "", "VERSION", "LIVE", "CHANGED"], rows)
}

/// What is to be known of the watched folder's files.
fn wrong(folder: &FlowFolder) -> String {
    let unread = folder.problem.iter().map(|problem| {
        format!("{}: {problem}", folder.folder.as_deref().unwrap_or("the folder of flows"))
    });
    let files = folder.files.iter().filter(|file| !file.told.is_empty()).map(told);
    unread.chain(files).collect::<Vec<_>>().join("\n")
}

fn told(file: &FlowFile) -> String {
    let one = |problem: &FileProblem| {
        let place = match (problem.line, problem.column) {
            (Some(line), Some(column)) => format!("{}:{line}:{column}", file.path),
            _ => file.path.clone(),
        };
        let FileProblem { message, hint, .. } = problem;
        format!("{place}: {}\n  {}", one_line(message), one_line(hint))
    };
    file.told.iter().map(one).collect::<Vec<_>>().join("\n")
}

pub async fn files(api: &dyn Api, output: Output) -> Result<ExitCode> {
    output.show(&api.flow_files(NoArgs {}).await?, |folder| {
        if folder.folder.is_none() {
            return "No folder is watched; `devrig settings set flows.folder FOLDER` watches one."
                .to_owned();
        }
        let now = SystemClock::shared().now();
        let rows = folder.files.iter().map(|file| {
            let flow = file.flow.clone().unwrap_or_default();
            [file.path.clone(), flow, word(file.state).to_owned(), time::ago(file.at, now)]
        });
        let parts = [table(["FILE", "FLOW", "", "SINCE"], rows), wrong(folder)];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
    })
}

fn word(state: FileState) -> &'static str {
    match state {
        FileState::Same => "same",
        FileState::Broken => "broken",
        FileState::Conflict => "conflict",
        FileState::Gone => "gone",
        FileState::Forgotten => "forgotten",
    }
}

fn state(flow: &FlowInfo) -> &'static str {
    match (flow.enabled, flow.live) {
        (true, _) if !flow.degraded.is_empty() => "degraded",
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

pub async fn detail(of: FlowVersionArgs, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let detail = api.flow_get(of).await?;
    let files = api.flow_files(NoArgs {}).await?.files;
    let file = files.into_iter().find(|file| file.flow.as_deref() == Some(&detail.flow.id));
    output.show(&detail, |detail| people(detail, file.as_ref()))
}

fn people(detail: &FlowDetail, file: Option<&FlowFile>) -> String {
    let FlowDetail { flow, version, definition } = detail;
    let lies = |file: &FlowFile| format!("{} ({})", file.path, word(file.state));
    let head = facts(&[
        ("flow", flow.id.clone()),
        ("name", flow.name.clone()),
        ("about", text(definition, "description")),
        ("folder", flow.folder.clone().unwrap_or_default()),
        ("tags", flow.tags.join(", ")),
        ("state", state(flow).to_owned()),
        ("version", format!("{version} of {}", flow.latest)),
        ("live", flow.live.map(|live| format!("version {live}")).unwrap_or_default()),
        ("file", file.map(lies).unwrap_or_default()),
    ]);
    let triggers = list(definition, "triggers").iter().map(|trigger| {
        [text(trigger, "id"), text(trigger, "type"), if off(trigger) { "off" } else { "" }.into()]
    });
    let mut nodes = Vec::new();
    gather(definition, 0, &mut nodes);
    let mut parts = vec![head];
    if !flow.degraded.is_empty() {
        parts.push(lost(std::slice::from_ref(flow)));
    }
    if triggers.len() > 0 {
        parts.push(table(["TRIGGER", "TYPE", ""], triggers));
    }
    if !nodes.is_empty() {
        parts.push(table(["NODE", "DOES", "", "NAME"], nodes));
    }
    parts.extend(file.filter(|file| !file.told.is_empty()).map(told));
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
