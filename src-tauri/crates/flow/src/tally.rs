//! How many runs ended in the last hour, counted as they end, so that nobody reads them for it.

use std::collections::VecDeque;
use std::time::Duration;

use devrig_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::run::RunStatus;

const MINUTE_MS: i64 = 60_000;
const MINUTES: i64 = 60;

/// How runs ended within the last hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct LastHour {
    pub completed: u32,
    pub failed: u32,
    pub cancelled: u32,
    /// From the start of a run to its end; absent when none ended.
    pub average_ms: Option<f64>,
    /// Runs that ended, for each minute; of the last five.
    pub per_minute: f64,
}

/// Ends of runs by the minute.
#[derive(Debug, Default)]
pub struct Tally {
    /// Oldest first.
    minutes: VecDeque<Minute>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Minute {
    /// Since 1970.
    number: i64,
    completed: u32,
    failed: u32,
    cancelled: u32,
    took_ms: u64,
}

impl Minute {
    fn ended(&self) -> u32 {
        self.completed + self.failed + self.cancelled
    }
}

impl Tally {
    /// Counts a run that ended. One that has not is not counted, nor one that ended long ago.
    pub fn add(&mut self, status: RunStatus, at: Timestamp, took: Duration) {
        let number = at.as_ms() / MINUTE_MS;
        let newest = self.minutes.back().map_or(number, |newest| newest.number.max(number));
        self.forget(newest);
        if number <= newest - MINUTES {
            return;
        }
        let minute = self.minute(number);
        match status {
            RunStatus::Completed => minute.completed += 1,
            RunStatus::Failed => minute.failed += 1,
            RunStatus::Cancelled => minute.cancelled += 1,
            _ => return,
        }
        minute.took_ms += u64::try_from(took.as_millis()).unwrap_or(u64::MAX / 2);
    }

    fn minute(&mut self, number: i64) -> &mut Minute {
        let at = self.minutes.partition_point(|minute| minute.number < number);
        if self.minutes.get(at).is_none_or(|minute| minute.number != number) {
            self.minutes.insert(at, Minute { number, ..Minute::default() });
        }
        &mut self.minutes[at]
    }

    fn forget(&mut self, newest: i64) {
        while self.minutes.front().is_some_and(|minute| minute.number <= newest - MINUTES) {
            self.minutes.pop_front();
        }
    }

    /// The figures of the hour before `now`.
    pub fn last_hour(&mut self, now: Timestamp) -> LastHour {
        const RECENT: i64 = 5;
        let number = now.as_ms() / MINUTE_MS;
        self.forget(number);
        let mut all = Minute::default();
        let mut recent = 0;
        for minute in &self.minutes {
            all.completed += minute.completed;
            all.failed += minute.failed;
            all.cancelled += minute.cancelled;
            all.took_ms += minute.took_ms;
            if minute.number > number - RECENT {
                recent += minute.ended();
            }
        }
        let ended = all.ended();
        LastHour {
            completed: all.completed,
            failed: all.failed,
            cancelled: all.cancelled,
            average_ms: (ended > 0).then(|| all.took_ms as f64 / f64::from(ended)),
            per_minute: f64::from(recent) / RECENT as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_remembered_by_the_minute() {
        let start: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let at = |minutes: u64| start + Duration::from_secs(60 * minutes);
        let ms = Duration::from_millis;
        let mut tally = Tally::default();
        assert_eq!(tally.last_hour(start), LastHour::default());
        tally.add(RunStatus::Completed, at(0), ms(10));
        tally.add(RunStatus::Failed, at(58), ms(30));
        tally.add(RunStatus::Waiting, at(58), ms(1_000));
        // Read from the database after newer ones were counted.
        tally.add(RunStatus::Completed, at(30), ms(20));
        let told = LastHour {
            completed: 2,
            failed: 1,
            cancelled: 0,
            average_ms: Some(20.0),
            per_minute: 0.2,
        };
        assert_eq!(tally.last_hour(at(59)), told);
        let told = LastHour { completed: 1, average_ms: Some(25.0), ..told };
        assert_eq!(tally.last_hour(at(60)), told, "the first is over an hour old");
        tally.add(RunStatus::Completed, at(0), ms(1));
        assert_eq!(tally.last_hour(at(60)), told);
        assert_eq!(tally.last_hour(at(600)), LastHour::default());
    }
}
