//! Times of the calendar that start flows.
//!
//! Where a schedule is, is written with each event, so that no time fires twice and none is
//! forgotten, whenever DevRig ends.

mod owed;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use devrig_core::{Code, Error, Result, Timestamp};
use devrig_expr::{Schedule, cron};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clockwork::{Clockwork, Due, Turn};
use super::{Happened, Source};
use crate::definition::{Cron, Misfire};
use owed::{MOST, Missed, owed};

/// After a write that the disk refused.
const AGAIN: Duration = Duration::from_secs(5);
/// Times that are shown.
const SHOWN: usize = 5;

/// Where a schedule is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cursor {
    /// The last time that was dealt with.
    at: Timestamp,
    /// How many runs it has started.
    #[serde(default)]
    fired: u64,
    /// The clock was set back once, and times up to this one may have fired before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubtful: Option<Timestamp>,
}

/// A schedule that fires while this is kept.
pub(super) struct Armed {
    ticker: Arc<Ticker>,
    _turn: Turn,
}

struct Ticker {
    source: Source,
    schedule: Schedule,
    most: Option<u64>,
    no_overlap: bool,
    misfire: Misfire,
    /// False once it was disarmed.
    is_kept: AtomicBool,
    /// As it was written last. Empty before it was read, and when a write did not come to its end.
    stored: Mutex<Option<Cursor>>,
    progress: Mutex<Progress>,
}

/// As people see it.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    next: Option<Timestamp>,
    /// How often it may still fire.
    left: u64,
    /// It has fired as often as it may, or its pattern never comes again.
    is_done: bool,
}

/// Lets the schedule fire until what this gives is dropped.
///
/// # Errors
/// `INVALID_INPUT` for a pattern or a zone that is none.
pub(super) fn arm(cron: &Cron, source: Source, clockwork: &Clockwork) -> Result<Armed> {
    let ticker = Arc::new(Ticker {
        source,
        schedule: schedule(cron)?,
        most: cron.max_executions.map(u64::from),
        no_overlap: cron.no_overlap,
        misfire: cron.misfire,
        is_kept: AtomicBool::new(true),
        stored: Mutex::default(),
        progress: Mutex::default(),
    });
    Ok(Armed { _turn: clockwork.keep(ticker.clone()), ticker })
}

/// The schedule of a trigger, in its zone or the machine's.
///
/// # Errors
/// As [`Schedule::parse`].
pub(super) fn schedule(cron: &Cron) -> Result<Schedule> {
    let zone = cron.timezone.clone().unwrap_or_else(cron::own_zone);
    Schedule::parse(&cron.expression, &zone)
}

/// What a run sees of the time that started it.
pub(super) fn payload(schedule: &Schedule, at: Timestamp, missed: u64) -> Value {
    json!({ "scheduledFor": at, "timezone": schedule.zone(), "missed": missed })
}

impl Armed {
    /// Some times at which it fires, the next one first.
    pub fn upcoming(&self) -> Vec<Timestamp> {
        let Progress { next, left, .. } = self.ticker.progress();
        let Some(next) = next else { return Vec::new() };
        let left = usize::try_from(left).unwrap_or(usize::MAX).min(SHOWN);
        let later = self.ticker.schedule.upcoming(next, SHOWN - 1);
        std::iter::once(next).chain(later).take(left).collect()
    }

    /// Whether it will never fire again.
    pub fn is_done(&self) -> bool {
        self.ticker.progress().is_done
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        self.ticker.is_kept.store(false, Ordering::Release);
    }
}

#[async_trait]
impl Due for Ticker {
    async fn due(&self) -> Option<Timestamp> {
        // Another version of this trigger may be dealing with the last time that it had.
        let _alone = self.source.meter.lane.lock().await;
        if !self.is_kept() {
            return None;
        }
        let progress = match self.catch_up().await {
            Ok(progress) => progress,
            // DevRig stops. What is due is owed at the next start.
            Err(error) if error.code == Code::Cancelled => return None,
            Err(error) => {
                self.source.meter.failed(error, self.now());
                return Some(self.now() + AGAIN);
            }
        };
        *locked(&self.progress) = progress;
        progress.next
    }
}

impl Ticker {
    /// Deals with everything that is due.
    async fn catch_up(&self) -> Result<Progress> {
        let mut cursor = self.cursor().await?;
        let owed = owed(&self.schedule, cursor.at, self.now(), self.misfire);
        let missed = owed.missed.filter(|_| !self.is_over(&cursor));
        if let Some(missed) = missed {
            self.tell_missed(missed, owed.fire.is_empty());
        }
        if let (Some(missed), true) = (missed, owed.fire.is_empty()) {
            cursor.at = missed.last;
            self.note(cursor, missed.count, "missed").await?;
        }
        let mut behind = missed.map_or(0, |missed| missed.count);
        for at in owed.fire {
            if self.is_over(&cursor) || !self.is_kept() {
                break;
            }
            cursor.at = at;
            self.fire(&mut cursor, std::mem::take(&mut behind)).await?;
        }
        Ok(self.progress_at(&cursor))
    }

    fn progress_at(&self, cursor: &Cursor) -> Progress {
        let left = self.most.map_or(u64::MAX, |most| most.saturating_sub(cursor.fired));
        let next = self.schedule.next_after(cursor.at).filter(|_| left > 0);
        Progress { next, left, is_done: next.is_none() }
    }

    /// From where on times are owed.
    async fn cursor(&self) -> Result<Cursor> {
        let now = self.now();
        let since = self.source.since;
        let Some(read) = self.stored().await? else {
            let at = since.unwrap_or(now).min(now);
            let cursor = Cursor { at, fired: 0, doubtful: None };
            self.store(cursor, self.source.keep(&json!(cursor))).await?;
            return Ok(cursor);
        };
        let at = read.at.max(since.unwrap_or(read.at)).min(now);
        let set_back = (read.at > now).then_some(read.at);
        let doubtful = set_back.or(read.doubtful).filter(|until| *until >= at);
        Ok(Cursor { at, doubtful, ..read })
    }

    /// What was written last, which is on disk after a start.
    async fn stored(&self) -> Result<Option<Cursor>> {
        let known = *locked(&self.stored);
        if known.is_some() {
            return Ok(known);
        }
        let read = self.source.cursor().await?.map(serde_json::from_value).transpose();
        let read = read.map_err(|error| {
            Error::internal(format!("where the schedule is cannot be read: {error}"))
                .hint("Give the trigger another id: it begins anew then.")
        })?;
        *locked(&self.stored) = read;
        Ok(read)
    }

    /// Knows the cursor that `writing` writes, if it does.
    async fn store<T>(
        &self,
        cursor: Cursor,
        writing: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        *locked(&self.stored) = None;
        let written = writing.await?;
        *locked(&self.stored) = Some(cursor);
        Ok(written)
    }

    /// Deals with the time that the cursor is at.
    async fn fire(&self, cursor: &mut Cursor, missed: u64) -> Result<()> {
        if cursor.doubtful.is_some_and(|until| cursor.at <= until)
            && self.source.came(&cursor.at.to_string()).await?
        {
            return Ok(());
        }
        if self.no_overlap
            && let Some(run) = self.source.open_run().await?
        {
            self.source.meter.missed(1, overlaps(cursor.at, &run), self.now());
            return self.note(*cursor, missed, "skipped").await;
        }
        let payload = payload(&self.schedule, cursor.at, missed);
        let starts = match self.source.admits(&payload).await {
            Ok(starts) => starts,
            // It would fail for ever, and the times behind it would never come.
            Err(error) => {
                self.source.meter.missed(1, error, self.now());
                return self.note(*cursor, missed, "failed").await;
            }
        };
        let then = Cursor { fired: cursor.fired + u64::from(starts), ..*cursor };
        self.store(then, self.source.fire(happened(payload, then))).await?;
        *cursor = then;
        Ok(())
    }

    /// Keeps a time that starts nothing, and that it has been dealt with.
    async fn note(&self, cursor: Cursor, missed: u64, verdict: &'static str) -> Result<()> {
        let payload = payload(&self.schedule, cursor.at, missed);
        self.store(cursor, self.source.note(happened(payload, cursor), verdict)).await
    }

    fn tell_missed(&self, missed: Missed, all: bool) {
        let Missed { count, or_more, last } = missed;
        let fate = if all { "nothing is started for them" } else { "later ones start a run now" };
        let message = match or_more {
            false => format!("{count} times up to {last} were missed, and {fate}"),
            true => format!("more than {MOST} times were missed, and the older ones are left out"),
        };
        let error = Error::new(Code::Timeout, message).hint(
            "DevRig did not run then, or the machine slept. The trigger's `misfire` says what \
             becomes of such times: one, all or skip.",
        );
        self.source.meter.missed(count, error, self.now());
    }

    fn is_over(&self, cursor: &Cursor) -> bool {
        self.most.is_some_and(|most| cursor.fired >= most)
    }

    fn is_kept(&self) -> bool {
        self.is_kept.load(Ordering::Acquire)
    }

    fn now(&self) -> Timestamp {
        self.source.now()
    }

    fn progress(&self) -> Progress {
        *locked(&self.progress)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn happened(payload: Value, cursor: Cursor) -> Happened {
    let key = payload["scheduledFor"].as_str().map(str::to_owned);
    Happened { payload, key, cursor: Some(json!(cursor)), ..Happened::default() }
}

fn overlaps(at: Timestamp, run: &str) -> Error {
    Error::new(Code::Conflict, format!("{at} was left out, as the run {run} had not ended"))
        .hint("Switch noOverlap off, let the schedule fire less often, or cancel the run.")
}
