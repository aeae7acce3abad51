//! What happens by the clock: snoozed items return, old history goes.

use std::time::Duration;

use devrig_core::{Error, Result};
use devrig_flow::retention::{self, Cleaned, Keep};
use devrig_inbox::Inbox;
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::settings;

/// No sleep is longer, so that a machine that slept or a clock that jumped is noticed.
const LONGEST: Duration = Duration::from_secs(30);
const CLEANING: Duration = Duration::from_secs(6 * 60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) async fn run(engine: Engine, stop: CancellationToken) {
    let mut changes = engine.store().changes();
    let mut cleaned = engine.clock().now();
    loop {
        let sleep = match wake(&engine).await {
            Ok(sleep) => sleep,
            Err(error) => {
                tracing::warn!(%error, "snoozed items could not be woken");
                LONGEST
            }
        };
        if engine.clock().now().since(cleaned) >= CLEANING {
            cleaned = engine.clock().now();
            if let Err(error) = clean(&engine).await {
                tracing::warn!(%error, "old history could not be deleted");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(sleep) => {}
            // A new snooze may be due earlier than the sleep ends.
            () = operation(&mut changes) => {}
        }
    }
}

/// Rules go on after a failure, such as a full disk: what was not applied is applied then.
pub(crate) async fn apply_rules(inbox: Inbox, stop: CancellationToken) {
    while let Err(error) = inbox.run_rules(stop.clone()).await {
        tracing::warn!(%error, "the rules were not applied and will be tried again");
        pause(&stop).await;
    }
}

/// What is to be told is collected in the same way.
pub(crate) async fn collect_notices(inbox: Inbox, stop: CancellationToken) {
    while let Err(error) = inbox.collect_notices(stop.clone()).await {
        tracing::warn!(%error, "notices were not collected and will be tried again");
        pause(&stop).await;
    }
}

async fn pause(stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(LONGEST) => {}
    }
}

async fn operation(
    changes: &mut tokio::sync::broadcast::Receiver<std::sync::Arc<[devrig_store::ChangeRow]>>,
) {
    loop {
        match changes.recv().await {
            Ok(rows) if rows.iter().any(|row| row.table == "operation") => return,
            Ok(_) => {}
            Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => return,
            Err(tokio::sync::broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Brings back what is due and gives the time until the next look.
async fn wake(engine: &Engine) -> Result<Duration> {
    let now = engine.clock().now();
    engine.inbox().wake_snoozed(now).await?;
    let next = engine.inbox().next_wake().await?;
    Ok(next.map_or(LONGEST, |next| next.since(now)).clamp(Duration::from_millis(50), LONGEST))
}

async fn clean(engine: &Engine) -> Result<()> {
    let deleted =
        engine.store().forget_changes(days(engine, "retention.changesDays").await?).await?;
    engine.inbox().forget_operations().await?;
    engine.jobs().clean_completed(DAY * 7).await?;
    let cleaned = clean_runs(engine, keep(engine).await?).await?;
    while engine.inbox().tidy().await? {}
    tracing::info!(deleted, runs = cleaned.runs, "deleted old history");
    crate::logging::trim(&engine.home().logs())
}

/// Deletes the runs whose time is over, and gives their space back to the disk.
pub(crate) async fn clean_runs(engine: &Engine, keep: Keep) -> Result<Cleaned> {
    let cleaned = retention::clean(engine.store(), &keep).await?;
    engine.store().shrink().await?;
    Ok(cleaned)
}

/// How long runs are kept, by the person's settings.
pub(crate) async fn keep(engine: &Engine) -> Result<Keep> {
    let per_flow = number(engine, "retention.runsPerFlow").await?;
    Ok(Keep {
        ended: days(engine, "retention.runsDays").await?,
        failed: days(engine, "retention.failedRunsDays").await?,
        per_flow: u32::try_from(per_flow).unwrap_or(u32::MAX),
    })
}

async fn days(engine: &Engine, key: &str) -> Result<Duration> {
    let days = number(engine, key).await?;
    Ok(DAY * u32::try_from(days).unwrap_or(u32::MAX))
}

async fn number(engine: &Engine, key: &str) -> Result<u64> {
    let value = settings::value(engine.store(), key).await?;
    value.as_u64().ok_or_else(|| Error::invalid(format!("{key} is {value}, which is no number")))
}
