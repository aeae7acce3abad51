//! When a worker that died may start again, and when it may not any more.

use std::collections::VecDeque;
use std::time::Duration;

use devrig_core::Timestamp;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// This many within the window, and the person has to look.
const MOST: usize = 5;
const WINDOW: Duration = Duration::from_secs(10 * 60);

/// The recent deaths of one worker.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    recent: VecDeque<Timestamp>,
    not_before: Option<Timestamp>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    RestartAfter(Duration),
    Quarantine,
}

impl Failures {
    /// Counts a death.
    pub fn record(&mut self, now: Timestamp) -> Verdict {
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|&first| now.since(first) > WINDOW) {
            self.recent.pop_front();
        }
        if self.recent.len() >= MOST {
            self.recent.clear();
            self.not_before = None;
            return Verdict::Quarantine;
        }
        let doubled = u32::try_from(self.recent.len() - 1).unwrap_or(u32::MAX);
        let after = FIRST.saturating_mul(2_u32.saturating_pow(doubled)).min(LONGEST);
        self.not_before = Some(now + after);
        Verdict::RestartAfter(after)
    }

    /// How long a start has to wait.
    pub fn wait(&self, now: Timestamp) -> Duration {
        self.not_before.map_or(Duration::ZERO, |at| at.since(now).min(LONGEST))
    }

    /// The person wants another try.
    pub fn forgive(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_ms(1_800_000_000_000) + Duration::from_secs(seconds)
    }

    #[test]
    fn a_crash_loop_backs_off_and_is_quarantined() {
        let mut failures = Failures::default();
        let mut now = 0;
        for expected in [1, 2, 4, 8] {
            assert_eq!(
                failures.record(at(now)),
                Verdict::RestartAfter(Duration::from_secs(expected))
            );
            assert_eq!(failures.wait(at(now)), Duration::from_secs(expected));
            now += expected;
            assert_eq!(failures.wait(at(now)), Duration::ZERO);
        }
        assert_eq!(failures.record(at(now)), Verdict::Quarantine);
    }

    #[test]
    fn rare_deaths_are_no_crash_loop() {
        let mut failures = Failures::default();
        for n in 0..50 {
            assert_ne!(failures.record(at(n * 200)), Verdict::Quarantine, "{n}");
        }
    }
}
