//! Time as DevRig stores it: UTC, whole milliseconds, RFC 3339 text, monotone per process.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Result};

/// Milliseconds since the Unix epoch, written as `2026-11-20T09:30:00.000Z` wherever it is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// 9999-12-30T21:59:59.999Z, the last that jiff writes with a four-digit year, so that text sorts
/// as time.
const LAST_MS: i64 = 253_402_207_199_999;

impl Timestamp {
    /// Clamped to the years 1970 to 9999, where the text form has a fixed width.
    pub fn from_ms(ms: i64) -> Self {
        Self(ms.clamp(0, LAST_MS))
    }

    pub fn as_ms(self) -> i64 {
        self.0
    }

    /// Zero when `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, duration: Duration) -> Timestamp {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_ms(self.0.saturating_add(ms))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Timestamp;
    fn sub(self, duration: Duration) -> Timestamp {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_ms(self.0.saturating_sub(ms))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The constructor keeps the value within what jiff can write.
        let instant = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MIN);
        write!(f, "{instant:.3}")
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// Reads any RFC 3339 instant, whatever its offset and precision.
    fn from_str(text: &str) -> Result<Self> {
        let instant: jiff::Timestamp = text.parse().map_err(|_| {
            Error::invalid(format!("{text:?} is not a time"))
                .hint("Write it as 2026-11-20T09:30:00Z.")
        })?;
        Ok(Self::from_ms(instant.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl specta::Type for Timestamp {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        String::definition(types)
    }
}

/// Where the present comes from. Passed in wherever the result depends on it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Never earlier than any value it gave before.
    fn now(&self) -> Timestamp;
}

pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock, held back from running backwards within this process.
#[derive(Debug, Default)]
pub struct SystemClock {
    last: AtomicI64,
}

impl SystemClock {
    pub fn shared() -> SharedClock {
        Arc::new(Self::default())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = jiff::Timestamp::now().as_millisecond();
        Timestamp::from_ms(self.last.fetch_max(now, Ordering::Relaxed).max(now))
    }
}

/// A clock that tests move by hand.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn at(start: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(start.as_ms())))
    }

    pub fn advance(&self, by: Duration) {
        self.set(self.now() + by);
    }

    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_ms(), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_a_fixed_width_and_reads_back() {
        for ms in [0, 1, 1_763_630_999_123, LAST_MS] {
            let time = Timestamp::from_ms(ms);
            assert_eq!(time.to_string().len(), 24, "{time}");
            assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        }
    }

    #[test]
    fn other_offsets_are_read_as_utc() {
        let time: Timestamp = "2026-11-20T10:00:00+02:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-20T08:00:00.000Z");
    }

    #[test]
    fn words_are_refused_with_an_example() {
        let error = "tomorrow".parse::<Timestamp>().unwrap_err();
        assert!(error.hint.unwrap().contains("2026-11-20T09:30:00Z"));
    }
}
