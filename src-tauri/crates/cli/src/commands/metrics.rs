//! Figures of DevRig at this moment.

use std::process::ExitCode;

use devrig_core::Result;
use devrig_engine::api::metrics::Metrics;
use devrig_engine::{Api, NoArgs};

use crate::output::{Output, facts};

pub async fn run(api: &dyn Api, output: Output) -> Result<ExitCode> {
    output.show(&api.metrics(NoArgs {}).await?, told)
}

fn told(metrics: &Metrics) -> String {
    let Metrics { runs, jobs, inbox, plugins, triggers, system, .. } = metrics;
    let hour = &runs.last_hour;
    let average = hour.average_ms.map(|ms| format!(", {ms:.0} ms each")).unwrap_or_default();
    facts(&[
        (
            "runs",
            format!(
                "{} go on, {} queued, {} waiting, {} need a decision",
                runs.active, runs.queued, runs.waiting, runs.needs_decision
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

fn megabytes(bytes: f64) -> String {
    format!("{:.1} MB", bytes / 1_048_576.0)
}
