//! The engine itself: status, stop, doctor, audit.

use std::process::ExitCode;
use std::time::Duration;

use devrig_core::{Code, Error, Result};
use devrig_engine::api::engine::{AuditArgs, Grade};
use devrig_engine::socket::Guest;
use devrig_engine::{Api, Home, NoArgs};

use crate::args::Page;
use crate::output::{Output, facts, table};

/// An owner may need this long to end its workers.
const PATIENCE: Duration = Duration::from_secs(25);

async fn running(home: &Home) -> Result<Guest> {
    Guest::connect(&home.socket()).await.map_err(|error| match error.code {
        Code::ProtocolMismatch => error,
        _ => Error::new(Code::NothingToDo, "DevRig is not running")
            .hint("Start it with `devrig start`."),
    })
}

pub async fn status(home: &Home, output: Output) -> Result<ExitCode> {
    let owner = running(home).await?;
    let info = owner.engine_info(NoArgs {}).await?;
    output.show(&info, |info| {
        facts(&[
            (
                "running",
                format!("{} (process {}) since {}", info.owner, info.owner_pid, info.started_at),
            ),
            ("version", info.version.clone()),
            ("home", info.home.clone()),
            ("network", if info.online { "online" } else { "offline" }.to_owned()),
        ])
    })
}

pub async fn stop(home: &Home, output: Output) -> Result<ExitCode> {
    let owner = running(home).await?;
    owner.engine_stop(NoArgs {}).await?;
    tokio::time::timeout(PATIENCE, owner.closed()).await.map_err(|_| {
        Error::new(Code::Timeout, "DevRig was asked to stop and is still running")
            .hint("Look into its logs in the home folder.")
    })?;
    output.done("Stopped.")
}

pub async fn doctor(api: &dyn Api, output: Output) -> Result<ExitCode> {
    let verdicts = api.engine_doctor(NoArgs {}).await?;
    output.show(&verdicts, |verdicts| {
        table(
            ["", "PART", "VERDICT", "REMEDY"],
            verdicts.iter().map(|verdict| {
                let mark = match verdict.verdict {
                    Grade::Ok => "ok",
                    Grade::Warn => "!",
                    Grade::Fail => "FAIL",
                };
                let remedy = verdict.remedy.clone().unwrap_or_default();
                [mark.to_owned(), verdict.name.clone(), verdict.message.clone(), remedy]
            }),
        )
    })?;
    let failed = verdicts.iter().any(|verdict| verdict.verdict == Grade::Fail);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

pub async fn audit(
    subject: Option<String>,
    page: Page,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let before =
        page.cursor.map(|cursor| cursor.parse()).transpose().map_err(|_| {
            Error::invalid("--cursor takes the number of the last row that was shown")
        })?;
    let rows = api.engine_audit(AuditArgs { subject, before, limit: page.limit }).await?;
    output.show(&rows, |rows| {
        table(
            ["NR", "WHEN", "WHO", "VERDICT", "RULE", "ACTION"],
            rows.iter().map(|row| {
                [
                    row.seq.to_string(),
                    row.at.to_string(),
                    row.subject.clone(),
                    row.verdict.clone(),
                    row.rule.clone(),
                    row.action.clone(),
                ]
            }),
        )
    })
}
