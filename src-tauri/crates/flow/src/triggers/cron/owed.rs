//! Which times of a schedule fire, and which were missed. No I/O.

use std::time::Duration;

use devrig_core::Timestamp;
use devrig_expr::Schedule;

use crate::definition::Misfire;

/// Runs for one stretch of missed times at most, and how far those are counted.
pub(super) const MOST: usize = 1_000;
/// A time that is at most so late has not been missed: DevRig was started again, or the machine had
/// other things to do.
pub(super) const GRACE: Duration = Duration::from_secs(60);

/// What a schedule owes at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Owed {
    /// Oldest first.
    pub fire: Vec<Timestamp>,
    pub missed: Option<Missed>,
}

/// Times that came and fire nothing of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missed {
    pub count: u64,
    /// There were more, which nobody counted.
    pub or_more: bool,
    pub last: Timestamp,
}

/// What is owed for the times after `after`, as it is `now`.
pub(super) fn owed(
    schedule: &Schedule,
    after: Timestamp,
    now: Timestamp,
    misfire: Misfire,
) -> Owed {
    let mut times = between(schedule, after, now, MOST + 1);
    let or_more = times.len() > MOST;
    if or_more {
        times = newest(schedule, after, now);
    }
    let Some(last) = times.last().copied() else { return Owed::default() };
    let is_missed = now.since(last) > GRACE;
    let keep = match misfire {
        Misfire::All => times.len(),
        Misfire::One => 1,
        Misfire::Skip => usize::from(!is_missed),
    };
    let fire = times.split_off(times.len() - keep);
    let count = times.len() as u64;
    let missed = times.last().map(|last| Missed { count, or_more, last: *last });
    Owed { fire, missed: missed.or(or_more.then_some(Missed { count, or_more, last: after })) }
}

/// The times after `after` up to `until`, and no more than so many.
fn between(schedule: &Schedule, after: Timestamp, until: Timestamp, most: usize) -> Vec<Timestamp> {
    let next = |last: &Timestamp| schedule.next_after(*last).filter(|next| *next <= until);
    std::iter::successors(next(&after), next).take(most).collect()
}

/// The newest [`MOST`] of more times than that. Counting all of a year in which each second is one
/// would take long, so a moment with a few more times behind it is found by halving.
fn newest(schedule: &Schedule, after: Timestamp, now: Timestamp) -> Vec<Timestamp> {
    let (mut early, mut late) = (after.as_ms(), now.as_ms());
    loop {
        let middle = early + (late - early) / 2;
        let mut times = between(schedule, Timestamp::from_ms(middle), now, 2 * MOST);
        match times.len() {
            found if found == 2 * MOST && middle > early => early = middle,
            found if found < MOST && middle > early => late = middle,
            found => return times.split_off(found.saturating_sub(MOST)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn of(pattern: &str, after: &str, now: &str, misfire: Misfire) -> (usize, Option<u64>) {
        let schedule = Schedule::parse(pattern, "UTC").unwrap();
        let owed = owed(&schedule, at(after), at(now), misfire);
        (owed.fire.len(), owed.missed.map(|missed| missed.count))
    }

    #[test]
    fn the_policy_decides_what_becomes_of_missed_times() {
        let hourly = |now, misfire| of("0 * * * *", "2026-11-20T09:00:00Z", now, misfire);
        for (now, one, all, skip) in [
            ("2026-11-20T09:59:59Z", (0, None), (0, None), (0, None)),
            ("2026-11-20T10:00:00Z", (1, None), (1, None), (1, None)),
            ("2026-11-20T10:00:59Z", (1, None), (1, None), (1, None)),
            ("2026-11-20T10:30:00Z", (1, None), (1, None), (0, Some(1))),
            ("2026-11-20T14:30:00Z", (1, Some(4)), (5, None), (0, Some(5))),
            ("2026-11-20T14:00:10Z", (1, Some(4)), (5, None), (1, Some(4))),
        ] {
            let found = [Misfire::One, Misfire::All, Misfire::Skip].map(|how| hourly(now, how));
            assert_eq!(found, [one, all, skip], "{now}");
        }
    }

    #[test]
    fn a_year_of_seconds_is_the_newest_thousand() {
        let schedule = Schedule::parse("* * 1-6 * * *", "UTC").unwrap();
        let (after, now) = (at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:30Z"));
        let all = owed(&schedule, after, now, Misfire::All);
        assert_eq!(all.fire.len(), MOST);
        assert_eq!(all.fire[MOST - 1], at("2025-12-31T06:59:59Z"));
        assert!(all.missed.unwrap().or_more);
        let skip = owed(&schedule, after, now, Misfire::Skip);
        assert!(skip.fire.is_empty());
        assert_eq!(skip.missed.unwrap().count, MOST as u64);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

        #[test]
        fn the_newest_are_those_that_counting_all_gives(
            pattern in prop::sample::select(vec![
                "* * * * * *", "*/7 * * * * *", "* * * * *", "* * 2 * * *", "30 2 * * *",
                "*/15 1-3 * * *", "0,1,2 * * * 0,6",
            ]),
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
            after in 1_774_000_000_000_i64..1_795_000_000_000,
            span in 1_i64..6_000_000,
        ) {
            let schedule = Schedule::parse(pattern, zone).unwrap();
            let (after, now) = (Timestamp::from_ms(after), Timestamp::from_ms(after + span));
            let mut all = between(&schedule, after, now, usize::MAX);
            let owed = owed(&schedule, after, now, Misfire::All);
            let older = all.len().saturating_sub(MOST);
            prop_assert_eq!(owed.missed.is_some(), older > 0);
            prop_assert_eq!(owed.fire, all.split_off(older));
        }
    }
}
