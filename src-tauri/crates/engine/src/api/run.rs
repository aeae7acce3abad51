//! Runs of flows: listed, looked into, cancelled.

use std::time::Duration;

use devrig_core::{Error, Result, Timestamp};
pub use devrig_flow::action::Level;
use devrig_flow::history::{self, Wanted};
pub use devrig_flow::history::{LogLine as RunLogLine, NodeRun, RunDetail, RunInfo};
pub use devrig_flow::run::{RunKind, RunStatus};
pub use devrig_flow::runs::Decision;
use devrig_flow::runs::Of;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::Engine;

/// Whoever wants to wait longer asks again.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);

#[derive(Debug, Clone, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunListArgs {
    /// The id of a flow; all of them when absent.
    #[serde(default)]
    pub flow: Option<String>,
    #[serde(default)]
    pub status: Option<RunStatus>,
    #[serde(default)]
    pub kind: Option<RunKind>,
    /// Such as `webhook`.
    #[serde(default)]
    pub trigger_type: Option<String>,
    /// Queued at this time or later, and before that one.
    #[serde(default)]
    pub since: Option<Timestamp>,
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Words of the error, the last of which may be the beginning of one, or the beginning of an id.
    #[serde(default)]
    pub text: Option<String>,
    /// The id of the last run of the page before.
    #[serde(default)]
    pub after: Option<String>,
    /// 50 when absent, at most 500.
    #[serde(default)]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct RunArgs {
    pub id: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunGetArgs {
    pub id: String,
    /// Waits at most this long for the end; at most ten minutes.
    #[serde(default)]
    pub wait_ms: Option<u32>,
}

pub(super) async fn list(engine: &Engine, args: RunListArgs) -> Result<Vec<RunInfo>> {
    let RunListArgs { flow, status, kind, trigger_type, since, until, text, after, limit } = args;
    let limit = limit.unwrap_or(50);
    let wanted = Wanted { flow, status, kind, trigger_type, since, until, text, after, limit };
    history::list(engine.store(), &wanted).await
}

pub(super) async fn get(engine: &Engine, args: RunGetArgs) -> Result<RunDetail> {
    at_rest(engine, &args.id, Duration::from_millis(args.wait_ms.unwrap_or(0).into())).await
}

pub(super) async fn cancel(engine: &Engine, args: RunArgs) -> Result<()> {
    engine.flows().runs().cancel(&args.id).await
}

/// The run when it has ended or needs the person, or as it stands when the time is over.
///
/// # Errors
/// `NOT_FOUND`; `INVALID_INPUT` for a wait that is too long.
pub(super) async fn at_rest(engine: &Engine, id: &str, patience: Duration) -> Result<RunDetail> {
    if patience > LONGEST_WAIT {
        return Err(Error::invalid("nobody can wait longer than ten minutes for a run at a time")
            .hint("Ask again for the run when the time is over."));
    }
    let deadline = Instant::now() + patience;
    // Listening before the first look means that no change falls between the two.
    let mut changes = engine.store().changes();
    loop {
        let run = history::get(engine.store(), id).await?;
        if run.run.status.rests() || Instant::now() >= deadline || engine.stopping().is_cancelled()
        {
            return Ok(run);
        }
        tokio::select! {
            () = changed(&mut changes, id) => {}
            () = tokio::time::sleep_until(deadline) => {}
            () = engine.stopping().cancelled() => {}
        }
    }
}

type Changes = broadcast::Receiver<std::sync::Arc<[devrig_store::ChangeRow]>>;

async fn changed(changes: &mut Changes, id: &str) {
    loop {
        match changes.recv().await {
            Ok(rows) if rows.iter().any(|row| row.table == "run" && row.id == id) => return,
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// How a run that needs a decision goes on.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct RunDecideArgs {
    pub id: String,
    pub decision: Decision,
}

pub(super) async fn decide(engine: &Engine, args: RunDecideArgs) -> Result<()> {
    engine.flows().runs().decide(&args.id, args.decision).await
}

/// A run that is done again.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct RunAgainArgs {
    pub id: String,
    /// With the newest version of its flow instead of its own.
    #[serde(default)]
    pub latest: bool,
}

impl RunAgainArgs {
    fn of(&self) -> Of {
        if self.latest { Of::Latest } else { Of::Same }
    }
}

pub(super) async fn retry(engine: &Engine, args: RunAgainArgs) -> Result<RunDetail> {
    let started = engine.flows().runs().retry(&args.id, args.of()).await?;
    history::get(engine.store(), &started.id).await
}

pub(super) async fn replay(engine: &Engine, args: RunAgainArgs) -> Result<RunDetail> {
    let started = engine.flows().runs().replay(&args.id, args.of()).await?;
    history::get(engine.store(), &started.id).await
}

pub(super) async fn discard(engine: &Engine, args: RunArgs) -> Result<()> {
    engine.flows().runs().discard(&args.id).await
}
