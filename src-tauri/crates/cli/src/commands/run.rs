//! Runs of flows.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use devrig_core::{Result, SystemClock, Tag, Timestamp};
use devrig_engine::Api;
use devrig_engine::api::run::{
    Decision, Level, NodeRun, RunAgainArgs, RunArgs, RunDecideArgs, RunDetail, RunGetArgs, RunInfo,
    RunKind, RunListArgs, RunLogLine, RunStatus,
};
use devrig_engine::events::{EngineEvent, EventStream};
use futures::StreamExt;

use super::flow;
use crate::args::{Decided, Page, Run, Runs};
use crate::output::{Output, brief, facts, line, one_line, table};
use crate::time;

/// One question waits no longer, so that a running DevRig that goes away is noticed.
const WAIT: Duration = Duration::from_secs(60);
/// A run that tells much is looked at no more often.
const LOOK: Duration = Duration::from_millis(200);

pub async fn run(command: Run, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Run::List { which, page } => list(which, page, api, output).await,
        Run::Show { run, watch: true } => watch(&run, api, output).await,
        Run::Show { run, watch: false } => output.show(&get(run, api).await?, detail),
        Run::Logs { run, follow: true } => follow(&run, api, output).await,
        Run::Logs { run, follow: false } => {
            output.show(&get(run, api).await?.log, |log| match log.as_slice() {
                [] => "The run told nothing.".to_owned(),
                log => log.iter().map(said).collect::<Vec<_>>().join("\n"),
            })
        }
        Run::Cancel { run } => {
            api.run_cancel(RunArgs { id: run }).await?;
            output.done("The run is cancelled.")
        }
        Run::Retry { run, latest } => {
            output.show(&api.run_retry(RunAgainArgs { id: run, latest }).await?, detail)
        }
        Run::Replay { run, latest } => {
            output.show(&api.run_replay(RunAgainArgs { id: run, latest }).await?, detail)
        }
        Run::Discard { run } => {
            api.run_discard(RunArgs { id: run }).await?;
            output.done("The run is forgotten.")
        }
        Run::Decide { run, decision } => {
            let decision = match decision {
                Decided::Again => Decision::Again,
                Decided::Skip => Decision::Skip,
                Decided::Fail => Decision::Fail,
            };
            api.run_decide(RunDecideArgs { id: run, decision }).await?;
            output.done("The run goes on as you said.")
        }
    }
}

async fn get(id: String, api: &dyn Api) -> Result<RunDetail> {
    api.run_get(RunGetArgs { id, wait_ms: None }).await
}

async fn list(which: Runs, page: Page, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let flow = match which.flow {
        Some(wanted) => Some(flow::find(&wanted, api).await?.id),
        None => None,
    };
    let now = SystemClock::shared().now();
    let time = |text: Option<String>| text.map(|text| time::past(&text, now)).transpose();
    let args = RunListArgs {
        flow,
        status: which.status.as_deref().map(RunStatus::parse).transpose()?,
        kind: which.kind.as_deref().map(RunKind::parse).transpose()?,
        trigger_type: which.trigger,
        since: time(which.since)?,
        until: time(which.until)?,
        text: which.search,
        after: page.cursor,
        limit: page.limit,
    };
    output.show(&api.run_list(args).await?, |runs| rows(runs))
}

fn rows(runs: &[RunInfo]) -> String {
    if runs.is_empty() {
        return "No runs.".to_owned();
    }
    let now = SystemClock::shared().now();
    let rows = runs.iter().map(|run| {
        [
            run.id.clone(),
            flow_of(run),
            run.version.to_string(),
            run.kind.as_str().to_owned(),
            run.status.as_str().to_owned(),
            time::ago(run.queued_at, now),
            took(run),
            run.error.as_ref().map(|error| one_line(&error.message)).unwrap_or_default(),
        ]
    });
    table(["RUN", "FLOW", "VERSION", "KIND", "STATUS", "WHEN", "TOOK", "ERROR"], rows)
}

fn flow_of(run: &RunInfo) -> String {
    match run.flow_name.as_str() {
        "" => "(deleted)".to_owned(),
        name => name.to_owned(),
    }
}

fn took(run: &RunInfo) -> String {
    match (run.started_at, run.ended_at) {
        (Some(start), Some(end)) => format!("{} ms", end.since(start).as_millis()),
        _ => String::new(),
    }
}

/// A run with what became of its nodes.
pub fn detail(run: &RunDetail) -> String {
    let info = &run.run;
    let at = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let head = facts(&[
        ("run", info.id.clone()),
        ("flow", format!("{}, version {}", flow_of(info), info.version)),
        ("started by", format!("{} ({})", run.trigger, info.kind.as_str())),
        ("called by", info.parent.clone().unwrap_or_default()),
        ("retry of", info.retry_of.clone().unwrap_or_default()),
        ("status", info.status.as_str().to_owned()),
        ("queued", info.queued_at.to_string()),
        ("started", at(info.started_at)),
        ("ended", at(info.ended_at)),
        ("goes on", at(info.wake_at)),
        ("took", took(info)),
        ("error", info.error.as_ref().map(|error| one_line(&error.message)).unwrap_or_default()),
        ("remedy", info.error.as_ref().and_then(|error| error.hint.clone()).unwrap_or_default()),
    ]);
    if run.nodes.is_empty() {
        return head;
    }
    let nodes = run.nodes.iter().map(node);
    format!("{head}\n\n{}", table(["NODE", "STATUS", "TOOK", "ATTEMPTS", "GAVE"], nodes))
}

fn node(node: &NodeRun) -> [String; 5] {
    let status = match (node.status, node.until) {
        (Some(status), _) => status.as_str().to_owned(),
        (None, Some(until)) => format!("waits until {until}"),
        (None, None) => "running".to_owned(),
    };
    let gave = match &node.error {
        Some(error) => one_line(&error.message),
        None if node.output.is_null() => node.port.clone().unwrap_or_default(),
        None => brief(&node.output),
    };
    let took = node.took_ms.map(|ms| format!("{ms} ms")).unwrap_or_default();
    [node.path.clone(), status, took, node.attempts.to_string(), gave]
}

fn said(said: &RunLogLine) -> String {
    let level = match said.level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    format!("{} {level:5} {}", said.at, one_line(&said.message))
}

/// Prints what the run tells until it ends.
async fn follow(id: &str, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let mut events = api.events().await?;
    let mut told = 0;
    loop {
        let run = get(id.to_owned(), api).await?;
        for each in run.log.iter().skip(told) {
            line(&if output.json { serde_json::to_string(each)? } else { said(each) });
        }
        told = run.log.len();
        if run.run.status.rests() {
            return Ok(ExitCode::SUCCESS);
        }
        changed(&mut events).await;
    }
}

/// Tells of each node as it ends, and of the whole run then.
async fn watch(id: &str, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let mut events = api.events().await?;
    let mut told = 0;
    loop {
        let run = get(id.to_owned(), api).await?;
        let ended = || run.nodes.iter().filter(|node| node.status.is_some());
        if !output.json {
            ended().skip(told).for_each(|each| line(node(each).join("  ").trim_end()));
        }
        told = ended().count();
        if run.run.status.rests() {
            return output.show(&run, |run| format!("\n{}", detail(run)));
        }
        changed(&mut events).await;
    }
}

/// Returns when some run changed.
async fn changed(events: &mut EventStream) {
    tokio::time::sleep(LOOK).await;
    // The time is for an owner that goes away without a word.
    let _ = tokio::time::timeout(WAIT, async {
        while let Some(event) = events.next().await {
            match event {
                EngineEvent::Stale { tags } if tags.contains(&Tag::Runs) => return,
                EngineEvent::Lagged => return,
                _ => {}
            }
        }
    })
    .await;
}

/// The run when it has ended or needs the person, or as it stands after so many seconds.
pub async fn wait(mut run: RunDetail, seconds: Option<u64>, api: &dyn Api) -> Result<RunDetail> {
    let begun = Instant::now();
    let patience = seconds.map_or(Duration::MAX, Duration::from_secs);
    while !run.run.status.rests() && begun.elapsed() < patience {
        let left = WAIT.min(patience.saturating_sub(begun.elapsed()));
        let wait_ms = u32::try_from(left.as_millis().max(1)).ok();
        run = api.run_get(RunGetArgs { id: run.run.id, wait_ms }).await?;
    }
    Ok(run)
}

/// Success for a run that completed.
pub fn exit_code(run: &RunDetail) -> ExitCode {
    match run.run.status {
        RunStatus::Completed => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
