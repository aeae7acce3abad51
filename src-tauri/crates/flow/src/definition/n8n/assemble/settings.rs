//! How runs are to be run, so that they go as they went there.

use crate::definition::model::{ExecutionMode, LONGEST_MS, RetryPolicy, SaveRuns, Settings};
use crate::definition::n8n::report::Report;
use crate::definition::n8n::workflow::Workflow;

const PLACE: &str = "the workflow's settings";

/// Branches go one after the other there, and nothing is tried again that does not say so.
pub(super) fn of(workflow: &Workflow, report: &mut Report) -> Settings {
    let text = |name: &str| workflow.settings.get(name).and_then(|value| value.as_str());
    let usual = Settings::default();
    let seconds = workflow.settings.get("executionTimeout").and_then(|value| value.as_u64());
    let timeout =
        seconds.filter(|seconds| *seconds > 0).map(|seconds| seconds.saturating_mul(1_000));
    if text("errorWorkflow").is_some() {
        report.not_mapped(
            PLACE,
            "the error workflow has another id here",
            "Import that workflow too, and choose it as the error flow.",
        );
    }
    if text("saveDataErrorExecution") == Some("none") {
        report.changed(PLACE, "failed runs are always kept; they were not");
    }
    let keeps_failed_only = text("saveDataSuccessExecution") == Some("none");
    Settings {
        timeout_ms: timeout.unwrap_or(usual.timeout_ms).min(LONGEST_MS),
        retry_policy: RetryPolicy { max_attempts: 1, ..RetryPolicy::default() },
        execution_mode: ExecutionMode::Sequential,
        save_runs: if keeps_failed_only { SaveRuns::Failed } else { SaveRuns::All },
        ..usual
    }
}
