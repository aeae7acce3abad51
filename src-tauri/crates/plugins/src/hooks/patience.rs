//! How long a plugin is put up with whose hooks give no answer.

use std::time::Duration;

use devrig_core::Timestamp;

/// Silences in a row.
const MOST: u32 = 3;
const REST: Duration = Duration::from_secs(60);

/// What is remembered of one account's silences.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    missed: u32,
    rests_until: Option<Timestamp>,
}

impl Patience {
    /// Whether it is left alone at present.
    pub fn rests(&self, now: Timestamp) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }

    /// It gave an answer, whatever that was.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// It gave none. Tells for how long it is left alone, where that begins with this. One that was
    /// left alone has one more try.
    pub fn missed(&mut self, now: Timestamp) -> Option<Duration> {
        self.missed = self.missed.saturating_add(1);
        let begins = self.missed >= MOST && !self.rests(now);
        if begins {
            self.rests_until = Some(now + REST);
        }
        begins.then_some(REST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn three_silences_in_a_row_bring_a_minutes_rest() {
        let mut patience = Patience::default();
        assert_eq!((patience.missed(at(0)), patience.missed(at(1))), (None, None));
        patience.answered();
        assert_eq!((patience.missed(at(2)), patience.missed(at(3))), (None, None));
        assert!(!patience.rests(at(3)), "not in a row");
        assert_eq!(patience.missed(at(4)), Some(REST));
        assert_eq!(patience.missed(at(5)), None, "one that was asked before it began");
        assert!(patience.rests(at(63)) && !patience.rests(at(64)));
        assert_eq!(
            patience.missed(at(70)),
            Some(REST),
            "the first silence after it brings another"
        );
        assert!(patience.rests(at(129)));
        patience.answered();
        assert!(!patience.rests(at(71)));
        assert_eq!(patience.missed(at(72)), None);
    }
}
