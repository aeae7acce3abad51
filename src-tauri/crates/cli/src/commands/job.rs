//! The queue, as far as a person looks into it.

use std::process::ExitCode;

use devrig_core::Result;
use devrig_core::id::JobId;
use devrig_engine::api::job::{JobArgs, JobListArgs, JobPage};
use devrig_engine::{Api, NoArgs};

use crate::args::{Job, Page};
use crate::output::{Output, facts, table};

pub async fn run(command: Job, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Job::List { status, page } => list(status, page, api, output).await,
        Job::Dead { page } => list(Some("dead".to_owned()), page, api, output).await,
        Job::Retry { job } => {
            api.job_retry(JobArgs { id: JobId(job) }).await?;
            output.done("The job waits for its turn again.")
        }
        Job::Discard { job } => {
            api.job_discard(JobArgs { id: JobId(job) }).await?;
            output.done("The job is gone.")
        }
        Job::Stats => {
            let stats = api.job_stats(NoArgs {}).await?;
            output.show(&stats, |stats| {
                facts(&[
                    ("pending", stats.pending.to_string()),
                    ("waiting", stats.waiting.to_string()),
                    ("running", stats.running.to_string()),
                    ("needs a decision", stats.needs_decision.to_string()),
                    ("completed", stats.completed.to_string()),
                    ("dead", stats.dead.to_string()),
                    ("cancelled", stats.cancelled.to_string()),
                ])
            })
        }
    }
}

async fn list(
    status: Option<String>,
    page: Page,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let args = JobListArgs { status, cursor: page.cursor, limit: page.limit };
    let page = api.job_list(args).await?;
    output.show(&page, people)
}

fn people(page: &JobPage) -> String {
    if page.jobs.is_empty() {
        return "No jobs.".to_owned();
    }
    let rows = page.jobs.iter().map(|job| {
        let last = job.history.last();
        let error = last.map_or_else(String::new, |attempt| attempt.error.message.clone());
        [
            job.id.to_string(),
            job.kind.clone(),
            job.status.as_str().to_owned(),
            job.attempts.to_string(),
            job.created_at.to_string(),
            error,
        ]
    });
    let mut text = table(["JOB", "KIND", "STATUS", "ATTEMPTS", "CREATED", "ERROR"], rows);
    if let Some(next) = &page.cursor {
        text.push_str(&format!("\nmore: --cursor {next}"));
    }
    text
}
