//! When a source is due: plain functions of what is known.

use std::time::Duration;

use devrig_core::Timestamp;

use crate::manifest::DataSource;

/// No source syncs oftener, whoever wishes it.
pub const SHORTEST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const FIRST_BACKOFF: Duration = Duration::from_secs(60);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60 * 60);

/// The person's interval, else the manifest's, within the bounds.
pub fn interval(declared: &DataSource, own: Option<i64>) -> Duration {
    let ms = match own {
        Some(own) => u64::try_from(own).unwrap_or(0),
        None => declared.default_sync_interval_ms as u64,
    };
    Duration::from_millis(ms).clamp(SHORTEST, LONGEST)
}

/// The pause after a failure: a minute, doubling to an hour, and never less than a server asked.
pub fn backoff(failures: u32, asked: Option<Duration>) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
    let own = FIRST_BACKOFF.saturating_mul(doubled).min(LONGEST_BACKOFF);
    own.max(asked.unwrap_or_default().min(LONGEST))
}

/// For how long a source asks to be left alone; an hour at most, so that no slip of a plugin
/// silences it.
pub fn wish(after_ms: Option<f64>) -> Duration {
    let after = after_ms.and_then(|ms| Duration::try_from_secs_f64(ms / 1_000.0).ok());
    after.unwrap_or_default().min(LONGEST_BACKOFF)
}

/// A time that no pause of ours explains comes from a clock that was ahead; it is pulled in.
pub fn pulled_in(next_at: Timestamp, now: Timestamp, interval: Duration) -> Option<Timestamp> {
    let explained = interval.max(LONGEST_BACKOFF).max(Duration::from_secs(24 * 60 * 60));
    (next_at.since(now) > explained + Duration::from_secs(60)).then(|| now + interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_stay_within_bounds() {
        let declared = |ms: f64| DataSource {
            id: "s".into(),
            name: "S".into(),
            description: String::new(),
            default_sync_interval_ms: ms,
        };
        for (ms, own, seconds) in [
            (60_000.0, None, 60),
            (1_000.0, None, 30),
            (60_000.0, Some(120_000), 120),
            (60_000.0, Some(5), 30),
            (60_000.0, Some(-5), 30),
            (f64::INFINITY, None, 7 * 86_400),
        ] {
            assert_eq!(interval(&declared(ms), own), Duration::from_secs(seconds), "{ms} {own:?}");
        }
    }

    #[test]
    fn failures_back_off_to_an_hour_and_listen_to_servers() {
        for (failures, minutes) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1_000, 60)] {
            assert_eq!(backoff(failures, None), Duration::from_secs(minutes * 60), "{failures}");
        }
        assert_eq!(backoff(1, Some(Duration::from_secs(900))), Duration::from_secs(900));
        assert_eq!(backoff(9, Some(Duration::from_secs(1))), Duration::from_secs(3_600));
    }

    #[test]
    fn a_clock_that_was_ahead_does_not_stop_syncs() {
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let minute = Duration::from_secs(60);
        let year = Duration::from_secs(365 * 86_400);
        assert_eq!(pulled_in(now + year, now, minute), Some(now + minute));
        assert_eq!(pulled_in(now + minute, now, minute), None);
        assert_eq!(pulled_in(now - minute, now, minute), None);
        let week = Duration::from_secs(7 * 86_400);
        assert_eq!(pulled_in(now + week, now, week), None, "a long interval is no error");
    }
}
