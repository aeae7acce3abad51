//! How many runs wait, go on and ended.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use devrig_core::Result;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::Runs;
use crate::run::{RunRow, RunStatus};
use crate::table::run as table;
use crate::tally::{LastHour, Tally};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Runs as they stand at this moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Wait for room.
    pub queued: u32,
    pub active: u32,
    /// Runs that could go on besides those.
    pub free: u32,
    /// Parked until a time or an answer.
    pub waiting: u32,
    /// Wait for the person's word.
    pub needs_decision: u32,
    pub last_hour: LastHour,
}

/// What was counted, with what had ended before this process began to count.
#[derive(Debug, Default)]
pub struct Counted {
    tally: Mutex<Tally>,
    /// Whether those were read that had ended before.
    before: OnceCell<()>,
}

impl Counted {
    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runs {
    /// # Errors
    /// What reading meets.
    pub async fn figures(&self) -> Result<Figures> {
        self.count_earlier().await?;
        let mut conn = self.inner.store.read().await?;
        let (waiting, needs_decision) = table::resting(&mut conn).await?;
        let (queued, active) = self.counts();
        let free = super::MOST.saturating_sub(active);
        let most = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let last_hour = self.inner.tally.tally().last_hour(self.inner.store.clock().now());
        Ok(Figures {
            queued: most(queued),
            active: most(active),
            free: most(free),
            waiting,
            needs_decision,
            last_hour,
        })
    }

    /// Counts a run that has ended like this, just now where its row does not say when.
    pub(super) fn count(&self, run: &RunRow, status: RunStatus) {
        let ended_at = run.ended_at.unwrap_or_else(|| self.inner.store.clock().now());
        let took = ended_at.since(run.started_at.unwrap_or(ended_at));
        self.inner.tally.tally().add(status, ended_at, took);
    }

    /// The runs that ended before this process began are read once, when somebody first asks.
    async fn count_earlier(&self) -> Result<()> {
        let counted = &self.inner.tally;
        counted
            .before
            .get_or_try_init(async || {
                let begun = self.inner.begun_at;
                let mut conn = self.inner.store.read().await?;
                let ended = table::ended_between(&mut conn, begun - HOUR, begun).await?;
                let mut tally = counted.tally();
                for (status, at, took) in ended {
                    tally.add(status, at, took);
                }
                Ok(())
            })
            .await
            .copied()
    }
}
