//! When the next question is due. Pure.

use std::time::Duration;

use devrig_core::Error;

/// Between a failure and the next try within an interval, at first.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// How far a source in trouble is asked more and more seldom, unless its interval is longer.
const SELDOM: Duration = Duration::from_secs(60 * 60);
/// What a server may ask for.
const LONGEST_REST: Duration = Duration::from_secs(24 * 60 * 60);
/// Of an interval: how much later it may be, so that many triggers do not ask at one moment.
const SPREAD: f64 = 0.1;

/// How a source is asked.
#[derive(Debug)]
pub(in crate::triggers) struct Pace {
    interval: Duration,
    retries: u32,
    /// In a row.
    failures: u32,
    /// In a row, of questions that had their retries.
    rounds: u32,
}

impl Pace {
    pub fn new(interval: Duration, retries: u32) -> Self {
        Self { interval, retries, failures: 0, rounds: 0 }
    }

    /// The wait after an answer. `random` is from 0 to 1.
    pub fn after_answer(&mut self, random: f64) -> Duration {
        (self.failures, self.rounds) = (0, 0);
        self.interval.mul_f64(1.0 + SPREAD * random)
    }

    /// The wait after a failure: short and growing at first, then whole intervals, then longer ones.
    /// Never shorter than the server asked for.
    pub fn after_failure(&mut self, error: &Error, random: f64) -> Duration {
        let wait = if error.retryable && self.rounds == 0 && self.failures < self.retries {
            self.failures += 1;
            let full = FIRST_RETRY.saturating_mul(doubled(self.failures - 1));
            full.mul_f64(0.5 + 0.5 * random).min(self.interval)
        } else {
            self.rounds = self.rounds.saturating_add(1);
            let longest = self.interval.max(SELDOM);
            let full = self.interval.saturating_mul(doubled(self.rounds - 1)).min(longest);
            full.mul_f64(1.0 + SPREAD * random)
        };
        wait.max(asked_for(error))
    }

    /// The wait before the first question: none for one that was never asked, since a person waits
    /// to see it work.
    pub fn at_start(&self, asked_before: bool, random: f64) -> Duration {
        match asked_before {
            true => self.interval.mul_f64(SPREAD * random).min(Duration::from_secs(10)),
            false => Duration::ZERO,
        }
    }
}

fn doubled(times: u32) -> u32 {
    2_u32.saturating_pow(times.min(20))
}

fn asked_for(error: &Error) -> Duration {
    let ms = error.retry_after_ms().filter(|ms| ms.is_finite() && *ms > 0.0).unwrap_or_default();
    Duration::from_secs_f64((ms / 1_000.0).min(LONGEST_REST.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use devrig_core::Code;
    use serde_json::json;

    use super::*;

    fn down() -> Error {
        Error::new(Code::Network, "down")
    }

    #[test]
    fn trouble_is_asked_again_soon_and_then_more_and_more_seldom() {
        let mut pace = Pace::new(Duration::from_secs(60), 3);
        let mut waits = |count: usize| -> Vec<u64> {
            (0..count).map(|_| pace.after_failure(&down(), 1.0).as_secs()).collect()
        };
        assert_eq!(waits(3), [1, 2, 4]);
        assert_eq!(waits(3), [66, 132, 264]);
        assert_eq!(*waits(20).last().unwrap(), 3_960);
        assert_eq!(pace.after_answer(0.5), Duration::from_secs(63));
        assert_eq!(pace.after_failure(&down(), 1.0).as_secs(), 1, "all is well again");
    }

    #[test]
    fn what_will_not_pass_waits_for_its_interval() {
        let mut pace = Pace::new(Duration::from_secs(60), 3);
        assert_eq!(pace.after_failure(&Error::invalid("no"), 0.0).as_secs(), 60);
        let mut rare = Pace::new(Duration::from_secs(7_200), 0);
        let waits = [0; 3].map(|_| rare.after_failure(&down(), 0.0).as_secs());
        assert_eq!(waits, [7_200; 3], "a long interval is long enough");
    }

    #[test]
    fn a_server_says_when_to_come_back() {
        let mut pace = Pace::new(Duration::from_secs(60), 3);
        let busy =
            |ms: f64| Error::new(Code::RateLimited, "busy").details(json!({ "retryAfterMs": ms }));
        assert_eq!(pace.after_failure(&busy(90_000.0), 1.0).as_secs(), 90);
        assert_eq!(pace.after_failure(&busy(1e30), 1.0), LONGEST_REST);
        assert!(pace.after_failure(&busy(-1.0), 1.0) <= Duration::from_secs(66));
    }
}
