//! How long runs are kept, and how those go whose time is over: a few at a time, with pauses, so
//! that nobody who writes meanwhile notices.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use devrig_core::{Result, Timestamp};
use devrig_store::{Store, Tx};
use serde::{Deserialize, Serialize};

use crate::run::RunStatus;
use crate::table::old::{self, Old, Place};
use crate::table::payload;

/// Runs that are deleted in one transaction, and events.
const BATCH: u32 = 200;
/// Large values that are looked at together, and how many half megabytes of them are deleted in one
/// transaction.
const PAYLOADS: u32 = 50;
const PARTS: u32 = 16;

/// How long what is kept. Runs that have not ended are kept whatever is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Runs that completed or were cancelled, and what triggers told.
    pub ended: Duration,
    /// Runs that failed: a person may still want to look into them.
    pub failed: Duration,
    /// The newest runs of each flow, at most so many.
    pub per_flow: u32,
}

/// What was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Cleaned {
    pub runs: u32,
    /// What triggers told, without a run left that came of it.
    pub events: u32,
}

impl Keep {
    /// Whether the time of a run is over. `full` says that as many newer ones of its flow are there
    /// as are kept, `failed_only` that the flow keeps only those that failed.
    fn is_over(&self, run: &Old, now: Timestamp, full: bool, failed_only: bool) -> bool {
        let Some(ended_at) = run.ended_at else { return false };
        let failed = run.status == RunStatus::Failed;
        let keep = if failed { self.failed } else { self.ended };
        run.status.has_ended() && (full || (failed_only && !failed) || ended_at + keep <= now)
    }
}

/// Deletes the runs and events whose time is over.
///
/// # Errors
/// What the store meets. What was deleted before stays deleted.
pub async fn clean(store: &Store, keep: &Keep) -> Result<Cleaned> {
    let mut cleaner =
        Cleaner { store, keep, now: store.clock().now(), cleaned: Cleaned::default() };
    cleaner.old_runs().await?;
    cleaner.full_flows().await?;
    cleaner.sparing_flows().await?;
    cleaner.old_events().await?;
    free_payloads(store).await?;
    Ok(cleaner.cleaned)
}

/// Deletes the large values that neither a run nor an event points to.
///
/// # Errors
/// What the store meets. What was deleted before stays deleted.
pub(crate) async fn free_payloads(store: &Store) -> Result<()> {
    let mut after = String::new();
    loop {
        let mut conn = store.read().await?;
        let loose = payload::loose(&mut conn, &after, PAYLOADS).await?;
        drop(conn);
        let Some(last) = loose.last() else { return Ok(()) };
        after.clone_from(last);
        loop {
            let some = loose.clone();
            let free = async move |tx: &mut Tx| payload::free(tx, &some, PARTS).await;
            if !gently(store, free).await? {
                break;
            }
        }
    }
}

/// Leaves the writer to others for as long as it was taken.
async fn gently<T: Send + 'static>(
    store: &Store,
    unit: impl AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
) -> Result<T> {
    let begun = Instant::now();
    let done = store.write(unit).await;
    tokio::time::sleep(begun.elapsed()).await;
    done
}

struct Cleaner<'a> {
    store: &'a Store,
    keep: &'a Keep,
    now: Timestamp,
    cleaned: Cleaned,
}

impl Cleaner<'_> {
    /// Those that were queued so long ago that their time may be over.
    async fn old_runs(&mut self) -> Result<()> {
        let until = (self.now - self.keep.ended.min(self.keep.failed), i64::MAX);
        self.walk(None, Place { until, after: None }, false, false).await
    }

    /// Those beyond the newest of each flow.
    async fn full_flows(&mut self) -> Result<()> {
        let most = self.keep.per_flow;
        let flows = old::flows_beyond(&mut *self.reader().await?, most).await?;
        for flow in flows {
            let last = old::nth_newest(&mut *self.reader().await?, flow, most).await?;
            let Some(until) = last else { continue };
            self.walk(Some(flow), Place { until, after: None }, true, false).await?;
        }
        Ok(())
    }

    /// Those of flows whose definition says that only failures are kept.
    async fn sparing_flows(&mut self) -> Result<()> {
        let flows: HashSet<i64> = old::flows_that_keep_failures(&mut *self.reader().await?).await?;
        for flow in flows {
            let until = (self.now, i64::MAX);
            self.walk(Some(flow), Place { until, after: None }, false, true).await?;
        }
        Ok(())
    }

    /// From the oldest to `place.until`.
    async fn walk(
        &mut self,
        flow: Option<i64>,
        mut place: Place,
        full: bool,
        failed_only: bool,
    ) -> Result<()> {
        loop {
            let page = old::page(&mut *self.reader().await?, flow, place, BATCH).await?;
            let Some(last) = page.last() else { return Ok(()) };
            place.after = Some((last.queued_at, last.seq));
            let over = |run: &&Old| self.keep.is_over(run, self.now, full, failed_only);
            let over: Vec<i64> = page.iter().filter(over).map(|run| run.seq).collect();
            if !over.is_empty() {
                let events_until = self.now - self.keep.ended;
                let delete = async move |tx: &mut Tx| old::delete(tx, &over, events_until).await;
                let gone = gently(self.store, delete).await?;
                self.cleaned.runs += gone.runs;
                self.cleaned.events += gone.events;
            }
        }
    }

    /// What triggers told and nothing is left of; kept as long as runs that completed.
    async fn old_events(&mut self) -> Result<()> {
        let until = self.now - self.keep.ended;
        let mut after = 0;
        loop {
            let next = old::events_page(&mut *self.reader().await?, after, until, BATCH).await?;
            let Some(last) = next else { return Ok(()) };
            let delete = async move |tx: &mut Tx| old::delete_events(tx, after, last, until).await;
            self.cleaned.events += gently(self.store, delete).await?;
            after = last;
        }
    }

    async fn reader(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Sqlite>> {
        self.store.read().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[test]
    fn failures_are_kept_longer_and_open_runs_for_ever() {
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let keep = Keep { ended: DAY * 10, failed: DAY * 100, per_flow: 5 };
        let over = |status: RunStatus, days: u32, full: bool, failed_only: bool| {
            let ended_at = status.has_ended().then(|| now - DAY * days);
            let run = Old { seq: 1, queued_at: now - DAY * 1000, status, ended_at };
            keep.is_over(&run, now, full, failed_only)
        };
        use RunStatus::{Cancelled, Completed, Failed, NeedsDecision, Queued, Running, Waiting};
        for status in [Completed, Cancelled] {
            assert!(!over(status, 9, false, false), "it ended nine days ago, whenever it began");
            assert!(over(status, 10, false, false));
            assert!(over(status, 0, false, true), "the flow keeps failures only");
        }
        assert!(!over(Failed, 99, false, true));
        assert!(over(Failed, 100, false, false));
        assert!(over(Failed, 0, true, false), "there are too many");
        for status in [Queued, Running, Waiting, NeedsDecision] {
            assert!(!over(status, 1000, true, true), "{status:?}");
        }
    }
}
