//! Figures of DevRig at this moment.

use std::process::ExitCode;

use devrig_core::Result;
use devrig_engine::api::metrics::{ActionFigures, Metrics};
use devrig_engine::{Api, NoArgs};

use crate::output::{Output, facts, table};

pub async fn run(api: &dyn Api, output: Output) -> Result<ExitCode> {
    output.show(&api.metrics(NoArgs {}).await?, told)
}

fn told(metrics: &Metrics) -> String {
    if metrics.actions.is_empty() {
        return whole(metrics);
    }
    let head = ["ACTION", "DONE", "FAILED", "AVERAGE", "P95", "LONGEST", "GOING", "WAITING"];
    format!("{}\n\n{}", whole(metrics), table(head, metrics.actions.iter().map(action)))
}

fn action(action: &ActionFigures) -> [String; 8] {
    [
        action.action.clone(),
        action.done.to_string(),
        action.failed.to_string(),
        milliseconds(action.average_ms),
        milliseconds(action.p95_ms),
        milliseconds(action.longest_ms),
        action.going.to_string(),
        action.waiting.to_string(),
    ]
}

fn whole(metrics: &Metrics) -> String {
    let Metrics { runs, code, jobs, inbox, plugins, triggers, system, .. } = metrics;
    let hour = &runs.last_hour;
    let average = hour.average_ms.map(|ms| format!(", {ms:.0} ms each")).unwrap_or_default();
    facts(&[
        (
            "runs",
            format!(
                "{} go on, {} more could, {} queued, {} waiting, {} need a decision",
                runs.active, runs.free, runs.queued, runs.waiting, runs.needs_decision
            ),
        ),
        (
            "last hour",
            format!(
                "{} completed, {} failed, {} cancelled{average}",
                hour.completed, hour.failed, hour.cancelled
            ),
        ),
        ("rate", format!("{:.1} runs a minute", hour.per_minute)),
        (
            "code",
            format!(
                "{} workers, {} snippets go on, {} wait",
                code.workers, code.running, code.waiting
            ),
        ),
        (
            "jobs",
            format!(
                "{} pending, {} waiting, {} running, {} dead",
                jobs.pending, jobs.waiting, jobs.running, jobs.dead
            ),
        ),
        (
            "inbox",
            format!("{} items, {} unread, {} snoozed", inbox.inbox, inbox.unread, inbox.snoozed),
        ),
        (
            "plugins",
            format!(
                "{} active, {} failing; {} syncs go on, {} failed",
                plugins.active, plugins.failing, plugins.syncing, plugins.sync_errors
            ),
        ),
        ("triggers", format!("{} armed, {} failing", triggers.armed, triggers.failing)),
        ("listener", triggers.listener.clone().unwrap_or_else(|| "closed".to_owned())),
        ("memory", system.memory.map(megabytes).unwrap_or_default()),
        ("processor", system.cpu_percent.map(|part| format!("{part:.1} %")).unwrap_or_default()),
        ("database", format!("{}, log {}", megabytes(system.database), megabytes(system.log))),
    ])
}

/// What is short is told more exactly.
fn milliseconds(ms: f64) -> String {
    match ms {
        _ if ms < 10.0 => format!("{ms:.2} ms"),
        _ => format!("{ms:.0} ms"),
    }
}

fn megabytes(bytes: f64) -> String {
    format!("{:.1} MB", bytes / 1_048_576.0)
}
