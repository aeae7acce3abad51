//! Signed requests that were accepted, kept for as long as they would be accepted again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use devrig_core::Timestamp;

use super::scheme::TOLERANCE;
use crate::listener::refusal::Refusal;

/// About 3 MB for a route that fills it.
const CAPACITY: usize = 65_536;

/// What tells one signed request from another: its time, and half of its MAC. Whoever could make
/// two with the same half could forge the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::listener) struct Key {
    at: i64,
    mac: [u8; 16],
}

impl Key {
    pub(super) fn new(at: i64, mac: &[u8; 32]) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&mac[..16]);
        Self { at, mac: half }
    }
}

/// The memory of one route.
#[derive(Debug)]
pub(in crate::listener) struct Replays {
    capacity: usize,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    keys: BTreeSet<Key>,
    /// Times up to here are too old although the tolerance says otherwise: they were forgotten
    /// for want of room. So memory is bounded and nothing is accepted twice.
    floor: i64,
}

impl Default for Replays {
    fn default() -> Self {
        Self::holding(CAPACITY)
    }
}

impl Replays {
    fn holding(capacity: usize) -> Self {
        Self { capacity, seen: Mutex::new(Seen { keys: BTreeSet::new(), floor: i64::MIN }) }
    }

    /// Takes a request as accepted. Dropping the claim gives it back, so that a request whose
    /// handling failed may be sent again as it is.
    pub(in crate::listener) fn claim(
        self: &Arc<Self>,
        key: Key,
        now: Timestamp,
    ) -> Result<Claim, Refusal> {
        let mut seen = self.lock();
        seen.expire(now);
        if key.at <= seen.floor {
            return Err(Refusal::Stale { tolerance: TOLERANCE });
        }
        if !seen.keys.insert(key) {
            return Err(Refusal::Replayed);
        }
        while seen.keys.len() > self.capacity {
            seen.forget_oldest();
        }
        Ok(Claim { replays: Arc::clone(self), key, kept: false })
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Forgets what is too old to be accepted anyhow.
    fn expire(&mut self, now: Timestamp) {
        // One second more, as both times are cut to whole seconds.
        let oldest = (now - TOLERANCE).as_ms() / 1000 - 1;
        while self.keys.first().is_some_and(|key| key.at < oldest) {
            self.keys.pop_first();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(key) = self.keys.pop_first() {
            self.floor = self.floor.max(key.at);
        }
    }
}

/// A request's place in the memory.
#[derive(Debug)]
pub(in crate::listener) struct Claim {
    replays: Arc<Replays>,
    key: Key,
    kept: bool,
}

impl Claim {
    /// The request was handled: from now on it is refused.
    pub(in crate::listener) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.kept {
            self.replays.lock().keys.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000)
    }

    fn key(at: i64, mac: u8) -> Key {
        Key::new(at, &[mac; 32])
    }

    #[test]
    fn a_request_is_taken_once() {
        let replays = Arc::new(Replays::default());
        replays.claim(key(NOW, 1), at(NOW)).unwrap().keep();
        assert!(matches!(replays.claim(key(NOW, 1), at(NOW + 300)), Err(Refusal::Replayed)));
        replays.claim(key(NOW, 2), at(NOW)).unwrap().keep();
        replays.claim(key(NOW + 1, 1), at(NOW)).unwrap().keep();
    }

    #[test]
    fn one_that_failed_may_come_again_but_not_while_it_runs() {
        let replays = Arc::new(Replays::default());
        let running = replays.claim(key(NOW, 1), at(NOW)).unwrap();
        assert!(matches!(replays.claim(key(NOW, 1), at(NOW)), Err(Refusal::Replayed)));
        drop(running);
        assert!(replays.claim(key(NOW, 1), at(NOW)).is_ok());
    }

    #[test]
    fn what_has_expired_takes_no_room() {
        let replays = Arc::new(Replays::default());
        for second in 0..1000 {
            replays.claim(key(NOW + second, 1), at(NOW + second)).unwrap().keep();
        }
        assert!(replays.lock().keys.len() <= 302);
    }

    #[test]
    fn a_full_memory_narrows_the_window_instead_of_forgetting() {
        let replays = Arc::new(Replays::holding(3));
        for second in 0..5 {
            replays.claim(key(NOW + second, 1), at(NOW)).unwrap().keep();
        }
        let verdict = |second| replays.claim(key(NOW + second, 1), at(NOW)).unwrap_err().reason();
        use crate::listener::Reason;
        assert_eq!((0..5).map(verdict).collect::<Vec<_>>(), {
            let (stale, replayed) = (Reason::Stale, Reason::Replayed);
            [stale, stale, replayed, replayed, replayed]
        });
    }

    proptest! {
        #[test]
        fn nothing_kept_is_ever_taken_again(
            // Few enough different ones that most come again.
            requests in proptest::collection::vec((-4..4i64, 0..3u8, 0..2i64), 0..100),
            capacity in 1..6usize,
        ) {
            let replays = Arc::new(Replays::holding(capacity));
            let (mut now, mut taken) = (NOW, std::collections::HashSet::new());
            for (offset, mac, step) in requests {
                now += step;
                let signed = now + offset;
                let claim = replays.claim(key(signed, mac), at(now));
                if let Ok(claim) = claim {
                    prop_assert!(taken.insert((signed, mac)), "taken twice");
                    claim.keep();
                }
                prop_assert!(replays.lock().keys.len() <= capacity);
            }
        }

        #[test]
        fn a_memory_with_room_takes_whatever_is_new(macs in proptest::collection::hash_set(any::<u8>(), 0..40)) {
            let replays = Arc::new(Replays::default());
            for mac in macs {
                prop_assert!(replays.claim(key(NOW, mac), at(NOW) + Duration::from_secs(1)).is_ok());
            }
        }
    }
}
