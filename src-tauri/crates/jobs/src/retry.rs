//! When a failed job is tried again: a plain function of the policy, the attempt and a random
//! number.

use std::time::Duration;

use devrig_core::{Category, Error};
use serde::{Deserialize, Serialize};

/// How the delay grows from attempt to attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    Fixed,
    Linear,
    Exponential,
}

/// The reference's §15.2. Flows write it as `{"maxAttempts": 3, "strategy": "exponential", …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RetryPolicy {
    /// The first attempt included; 0 counts as 1.
    pub max_attempts: u32,
    pub strategy: Strategy,
    #[serde(rename = "baseDelayMs", with = "ms")]
    pub base: Duration,
    #[serde(rename = "maxDelayMs", with = "ms")]
    pub max: Duration,
    /// Full jitter: any delay between nothing and the computed one, so that a thousand failures
    /// of one moment do not come back in one moment.
    pub jitter: bool,
    /// Errors of other categories end the job at once.
    pub retry_on: Vec<Category>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            strategy: Strategy::Exponential,
            base: Duration::from_secs(1),
            max: Duration::from_secs(60),
            jitter: true,
            retry_on: vec![Category::Transient, Category::Resource, Category::Timeout],
        }
    }
}

impl RetryPolicy {
    /// Never tried again.
    pub fn once() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// How long to wait after attempt number `attempt`, which counts from 1. `random` is in 0..1.
    pub fn delay(&self, attempt: u32, random: f64) -> Duration {
        let factor = match self.strategy {
            Strategy::Fixed => 1,
            Strategy::Linear => attempt.max(1),
            Strategy::Exponential => 2_u32.saturating_pow(attempt.saturating_sub(1)),
        };
        let full = self.base.saturating_mul(factor).min(self.max);
        if self.jitter { full.mul_f64(random.clamp(0.0, 1.0)) } else { full }
    }

    /// The delay before the next attempt, or nothing when `error` ends the job.
    pub fn after(&self, attempt: u32, error: &Error, random: f64) -> Option<Duration> {
        let goes_on = attempt < self.max_attempts && self.retry_on.contains(&error.category);
        goes_on.then(|| self.delay(attempt, random))
    }
}

mod ms {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(delay: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use devrig_core::Code;
    use proptest::{prop_assert, proptest};

    use super::*;

    fn policy(strategy: Strategy, jitter: bool) -> RetryPolicy {
        RetryPolicy { strategy, jitter, ..RetryPolicy::default() }
    }

    #[test]
    fn delays_follow_the_strategy_up_to_the_ceiling() {
        let table = [
            (Strategy::Fixed, [1, 1, 1, 1, 1]),
            (Strategy::Linear, [1, 2, 3, 60, 60]),
            (Strategy::Exponential, [1, 2, 4, 60, 60]),
        ];
        for (strategy, seconds) in table {
            let delays = [1, 2, 3, 60, u32::MAX]
                .map(|attempt| policy(strategy, false).delay(attempt, 0.5).as_secs());
            assert_eq!(delays, seconds, "{strategy:?}");
        }
    }

    #[test]
    fn jitter_spreads_over_the_whole_delay() {
        let policy = policy(Strategy::Exponential, true);
        assert_eq!(policy.delay(3, 0.0), Duration::ZERO);
        assert_eq!(policy.delay(3, 0.25), Duration::from_secs(1));
        assert_eq!(policy.delay(3, 1.0), Duration::from_secs(4));
    }

    #[test]
    fn only_the_named_categories_and_the_allowed_attempts_are_retried() {
        let policy = RetryPolicy::default();
        let table = [
            (1, Code::Network, true),
            (2, Code::Timeout, true),
            (2, Code::DiskFull, true),
            (3, Code::Network, false),
            (1, Code::InvalidInput, false),
            (1, Code::PluginFailed, false),
            (1, Code::Cancelled, false),
        ];
        for (attempt, code, again) in table {
            let error = Error::new(code, "no");
            assert_eq!(policy.after(attempt, &error, 0.5).is_some(), again, "{attempt} {code:?}");
        }
    }

    #[test]
    fn it_is_written_as_the_reference_writes_it() {
        let json = serde_json::to_value(RetryPolicy::default()).unwrap();
        let reference = serde_json::json!({
            "maxAttempts": 3, "strategy": "exponential", "baseDelayMs": 1000, "maxDelayMs": 60000,
            "jitter": true, "retryOn": ["transient", "resource", "timeout"],
        });
        assert_eq!(json, reference);
        let part: RetryPolicy =
            serde_json::from_value(serde_json::json!({"maxAttempts": 9})).unwrap();
        assert_eq!(part, RetryPolicy { max_attempts: 9, ..RetryPolicy::default() });
    }

    proptest! {
        #[test]
        fn no_delay_exceeds_the_ceiling(
            attempt: u32, base in 0..u64::MAX, max in 0..u64::MAX / 4, random in 0.0..1.0,
        ) {
            for strategy in [Strategy::Fixed, Strategy::Linear, Strategy::Exponential] {
                let policy = RetryPolicy {
                    strategy,
                    base: Duration::from_millis(base),
                    max: Duration::from_millis(max),
                    ..RetryPolicy::default()
                };
                prop_assert!(policy.delay(attempt, random) <= policy.max + Duration::from_millis(1));
            }
        }
    }
}
