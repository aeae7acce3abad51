//! Queues a sync for every source that is due. Survives sleeping machines and clocks that jump: it
//! never sleeps for long, and a time that does not come by the clock comes by having waited.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use devrig_core::{Result, Timestamp};
use devrig_jobs::{NewJob, RetryPolicy};
use devrig_store::Tx;
use serde_json::json;

use super::{JOB, plan};
use crate::core::Core;
use crate::table::sync::{self, SyncRow};

const LONGEST: Duration = Duration::from_secs(30);
const SHORTEST: Duration = Duration::from_millis(20);

type Key = (String, String);

/// When a time was first seen, by the clock and by a stopwatch.
struct Seen {
    next_at: Timestamp,
    at: Timestamp,
    since: Instant,
}

/// Runs until the core is over.
pub(crate) async fn run(core: Arc<Core>) {
    let mut seen: HashMap<Key, Seen> = HashMap::new();
    loop {
        let sleep = match look(&core, &mut seen).await {
            Ok(sleep) => sleep,
            Err(error) => {
                tracing::warn!(%error, "due syncs could not be read");
                LONGEST
            }
        };
        tokio::select! {
            () = core.over.cancelled() => return,
            () = core.wake.notified() => {}
            () = tokio::time::sleep(sleep.clamp(SHORTEST, LONGEST)) => {}
        }
    }
}

async fn look(core: &Arc<Core>, seen: &mut HashMap<Key, Seen>) -> Result<Duration> {
    let now = core.clock.now();
    let rows = sync::all(core.store.reader()).await?;
    let mut sleep = LONGEST;
    let mut kept = HashMap::new();
    for row in rows {
        let Some(interval) = runs(core, &row) else { continue };
        let key = (row.account.0.clone(), row.source.clone());
        let seen = match seen.remove(&key) {
            Some(seen) if seen.next_at == row.next_at => seen,
            _ => Seen { next_at: row.next_at, at: now, since: Instant::now() },
        };
        let left = left(&row, &seen, now);
        if let Some(next_at) = plan::pulled_in(row.next_at, now, interval) {
            schedule(core, &row, next_at).await?;
            sleep = sleep.min(interval);
        } else if left.is_zero() && syncs_now(core, &row) {
            // Its end sets the next time.
            sleep = sleep.min(Duration::from_secs(1));
        } else if left.is_zero() && super::quiet_until(&row, now) > now {
            sleep = sleep.min(super::quiet_until(&row, now).since(now));
        } else if left.is_zero() {
            queue(core, &row, now + interval, 0).await?;
            sleep = sleep.min(interval);
        } else {
            sleep = sleep.min(left);
            kept.insert(key, seen);
        }
    }
    *seen = kept;
    Ok(sleep)
}

/// How long until the source is due, by clock or stopwatch, whichever says less.
fn left(row: &SyncRow, seen: &Seen, now: Timestamp) -> Duration {
    let by_clock = row.next_at.since(now);
    let by_stopwatch = seen.next_at.since(seen.at).saturating_sub(seen.since.elapsed());
    by_clock.min(by_stopwatch)
}

/// The interval of a source that is to run at all.
fn runs(core: &Core, row: &SyncRow) -> Option<Duration> {
    let seat = core.seat(&row.account).ok()?;
    let declared = seat.plugin.manifest.data_source(&row.source)?;
    let runs = row.enabled && row.waiting.is_none() && seat.plugin.may_run().is_ok();
    runs.then(|| plan::interval(declared, row.interval_ms))
}

fn syncs_now(core: &Core, row: &SyncRow) -> bool {
    core.seat(&row.account).is_ok_and(|seat| seat.sync_now(&row.source).is_some())
}

async fn schedule(core: &Core, row: &SyncRow, next_at: Timestamp) -> Result<()> {
    let (account, source) = (row.account.clone(), row.source.clone());
    core.store
        .write(async move |tx: &mut Tx| sync::schedule(tx, &account, &source, next_at).await)
        .await
}

/// Queues the sync, with the time of the next one in the same transaction: whatever becomes of
/// this one, there is a next.
pub(crate) async fn queue(
    core: &Core,
    row: &SyncRow,
    next_at: Timestamp,
    priority: i32,
) -> Result<()> {
    let (jobs, account, source) = (core.jobs.clone(), row.account.clone(), row.source.clone());
    // While one runs, one more can wait.
    let run = core.seat(&row.account)?.next_run(&row.source);
    core.store
        .write(async move |tx: &mut Tx| {
            // Failures are the source's own matter; attempts are used up by crashes of DevRig only.
            let policy = RetryPolicy { max_attempts: 20, ..RetryPolicy::default() };
            let job = NewJob::new(JOB, json!({ "account": account, "source": source }))
                .dedup(format!("{JOB}:{account}:{source}:{run}"))
                .priority(priority)
                .policy(policy);
            jobs.enqueue(tx, &job).await?;
            sync::schedule(tx, &account, &source, next_at).await
        })
        .await
}
