//! Counts of what came, for whoever looks at the state of a webhook.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use devrig_core::Timestamp;

use super::refusal::Reason;

/// Counts since the route was registered.
#[derive(Debug, Default)]
pub(super) struct Tally {
    accepted: AtomicU64,
    failed: AtomicU64,
    /// Milliseconds; zero for never.
    last: AtomicI64,
    refused: [AtomicU64; Reason::ALL.len()],
}

/// The counts of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Handed to the handler.
    pub accepted: u64,
    /// Of these, answered with a status of 500 or above, panicked, or ended by the shutdown.
    pub failed: u64,
    /// Turned away, for the reasons that occurred.
    pub refused: Vec<(Reason, u64)>,
    /// When the handler last got one.
    pub last_delivery: Option<Timestamp>,
}

impl Tally {
    pub(super) fn accept(&self, now: Timestamp) {
        self.accepted.fetch_add(1, Relaxed);
        self.last.fetch_max(now.as_ms(), Relaxed);
    }

    pub(super) fn fail(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    pub(super) fn refuse(&self, reason: Reason) {
        self.refused[reason as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        let refused =
            Reason::ALL.map(|reason| (reason, self.refused[reason as usize].load(Relaxed)));
        let last = self.last.load(Relaxed);
        Counts {
            accepted: self.accepted.load(Relaxed),
            failed: self.failed.load(Relaxed),
            refused: refused.into_iter().filter(|(_, count)| *count > 0).collect(),
            last_delivery: (last > 0).then(|| Timestamp::from_ms(last)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_count_of_its_own() {
        let tally = Tally::default();
        assert_eq!(tally.counts(), Counts::default());
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            for _ in 0..=index {
                tally.refuse(reason);
            }
        }
        let refused = tally.counts().refused;
        assert_eq!(refused.len(), Reason::ALL.len());
        for (index, (reason, count)) in refused.into_iter().enumerate() {
            assert_eq!((reason, count), (Reason::ALL[index], index as u64 + 1));
        }
    }
}
