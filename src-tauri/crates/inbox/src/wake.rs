//! What ends a snooze: a time, or something that the source shows.

use std::fmt;
use std::str::FromStr;

use devrig_core::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// When a snoozed item returns. Written as a time, or as one of `activity`, `merged` and `ended`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Wake {
    At(Timestamp),
    /// The source shows newer activity.
    Activity,
    /// The source says that it is merged.
    Merged,
    /// The source says that it is merged or closed.
    Ended,
}

impl specta::Type for Wake {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        <String as specta::Type>::definition(types)
    }
}

/// Beyond every time that can be written, so that nothing falls due by itself: conditions are kept
/// where times are, and everything that holds for a snooze holds for them.
const BEYOND: i64 = 1 << 60;

impl Wake {
    /// As it is stored, in milliseconds.
    pub(crate) fn to_ms(self) -> i64 {
        match self {
            Self::At(time) => time.as_ms(),
            Self::Activity => BEYOND,
            Self::Merged => BEYOND + 1,
            Self::Ended => BEYOND + 2,
        }
    }

    pub(crate) fn from_ms(ms: i64) -> Self {
        match ms.checked_sub(BEYOND) {
            Some(0) => Self::Activity,
            Some(1) => Self::Merged,
            Some(2) => Self::Ended,
            _ => Self::At(Timestamp::from_ms(ms)),
        }
    }

    /// The stored values below which a snooze ends by time.
    pub(crate) const fn end_of_times() -> i64 {
        BEYOND
    }

    /// Whether what the source shows now ends the snooze.
    pub(crate) fn is_met(self, news: bool, state: Option<&str>) -> bool {
        match self {
            Self::At(_) => false,
            Self::Activity => news,
            Self::Merged => state == Some("merged"),
            Self::Ended => matches!(state, Some("merged" | "closed")),
        }
    }
}

impl fmt::Display for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(time) => time.fmt(f),
            Self::Activity => f.write_str("activity"),
            Self::Merged => f.write_str("merged"),
            Self::Ended => f.write_str("ended"),
        }
    }
}

impl FromStr for Wake {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "activity" => Ok(Self::Activity),
            "merged" => Ok(Self::Merged),
            "ended" => Ok(Self::Ended),
            _ => text.parse().map(Self::At).map_err(|_| {
                Error::invalid(format!("{text:?} ends no snooze"))
                    .hint("Give a time such as 2026-11-20T09:30:00Z, or activity, merged or ended.")
            }),
        }
    }
}

impl TryFrom<String> for Wake {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Wake> for String {
    fn from(wake: Wake) -> Self {
        wake.to_string()
    }
}

impl From<Timestamp> for Wake {
    fn from(time: Timestamp) -> Self {
        Self::At(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wake_survives_its_text_and_its_number() {
        let time = "2026-11-20T09:30:00.000Z".parse().unwrap();
        for wake in [Wake::At(time), Wake::Activity, Wake::Merged, Wake::Ended] {
            assert_eq!(wake.to_string().parse::<Wake>().unwrap(), wake);
            assert_eq!(Wake::from_ms(wake.to_ms()), wake);
            let json = serde_json::to_string(&wake).unwrap();
            assert_eq!(serde_json::from_str::<Wake>(&json).unwrap(), wake);
        }
        assert!("soon".parse::<Wake>().is_err());
    }

    #[test]
    fn conditions_look_at_what_the_source_shows() {
        assert!(Wake::Activity.is_met(true, None));
        assert!(!Wake::Activity.is_met(false, Some("merged")));
        assert!(Wake::Merged.is_met(false, Some("merged")));
        assert!(!Wake::Merged.is_met(true, Some("closed")));
        assert!(Wake::Ended.is_met(false, Some("closed")));
        assert!(!Wake::At(Timestamp::from_ms(1)).is_met(true, Some("merged")));
    }
}
