//! The person's side of an item as bits, and predicates over them as sets.

use devrig_core::Timestamp;

use crate::query::Is;

/// One of the 32 combinations of read, done, snoozed, muted and starred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct State(pub i64);

impl State {
    pub const READ: i64 = 1;
    pub const DONE: i64 = 2;
    pub const SNOOZED: i64 = 4;
    pub const MUTED: i64 = 8;
    pub const STARRED: i64 = 16;
    pub const COMBINATIONS: i64 = 32;

    pub fn has(self, bit: i64) -> bool {
        self.0 & bit != 0
    }

    pub fn in_inbox(self) -> bool {
        self.0 & (Self::DONE | Self::SNOOZED | Self::MUTED) == 0
    }

    fn is(self, is: Is) -> bool {
        match is {
            Is::Unread => !self.has(Self::READ),
            Is::Read => self.has(Self::READ),
            Is::Inbox => self.in_inbox(),
            Is::Done => self.has(Self::DONE),
            Is::Snoozed => self.has(Self::SNOOZED),
            Is::Starred => self.has(Self::STARRED),
            Is::Muted => self.has(Self::MUTED),
            // The source's word, which is a term of the full text.
            Is::Actionable => false,
            Is::Any => true,
        }
    }
}

/// A predicate on states: which of the 32 fulfil it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct States(u32);

impl States {
    pub const ALL: States = States(u32::MAX);

    pub fn of(is: Is) -> Self {
        Self::where_(|state| state.is(is))
    }

    pub fn where_(holds: impl Fn(State) -> bool) -> Self {
        Self(
            (0..State::COMBINATIONS)
                .filter(|state| holds(State(*state)))
                .fold(0, |bits, state| bits | 1 << state),
        )
    }

    pub fn not(self) -> Self {
        Self(!self.0)
    }

    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn contains(self, state: State) -> bool {
        self.0 >> state.0 & 1 == 1
    }
}

/// The person's side as it is stored and compared; what undo restores.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Side {
    pub read_at: Option<i64>,
    pub done_at: Option<i64>,
    pub snoozed_until: Option<i64>,
    pub starred_at: Option<i64>,
    pub muted: bool,
    pub labels: Vec<String>,
    pub priority: Option<i64>,
}

impl Side {
    pub fn state(&self) -> State {
        let bit = |set: bool, bit: i64| if set { bit } else { 0 };
        State(
            bit(self.read_at.is_some(), State::READ)
                | bit(self.done_at.is_some(), State::DONE)
                | bit(self.snoozed_until.is_some(), State::SNOOZED)
                | bit(self.muted, State::MUTED)
                | bit(self.starred_at.is_some(), State::STARRED),
        )
    }
}

pub(crate) fn ms(time: Option<i64>) -> Option<Timestamp> {
    time.map(Timestamp::from_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inbox_is_what_is_neither_done_nor_snoozed_nor_muted() {
        let inbox = States::of(Is::Inbox);
        assert!(inbox.contains(State(State::READ | State::STARRED)));
        for bit in [State::DONE, State::SNOOZED, State::MUTED] {
            assert!(!inbox.contains(State(bit)));
        }
        let elsewhere = States::of(Is::Done).or(States::of(Is::Snoozed)).or(States::of(Is::Muted));
        assert_eq!(inbox.not(), elsewhere);
    }

    #[test]
    fn a_side_gives_its_state() {
        let side = Side { read_at: Some(1), muted: true, ..Side::default() };
        assert_eq!(side.state(), State(State::READ | State::MUTED));
    }
}
