//! Armed timers; their callbacks stay on the JavaScript side.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::time::{Duration, Instant};

use devrig_core::protocol::MAX_TIMERS;

/// Longest delay, as on the web: 2^31-1 ms. Longer ones fire at once there; here they wait.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

#[derive(Default)]
pub struct Timers {
    /// By time, then in the order of arming.
    heap: BinaryHeap<Reverse<(Instant, u64)>>,
    live: HashSet<u64>,
    last: u64,
}

impl Timers {
    /// The new timer's id, or `None` when [`MAX_TIMERS`] are armed.
    pub fn arm(&mut self, delay_ms: f64) -> Option<u64> {
        if self.live.len() >= MAX_TIMERS {
            return None;
        }
        // Cleared timers stay in the heap until they are due; a loop of set and clear must not
        // let it grow.
        if self.heap.len() > 2 * MAX_TIMERS {
            let live = &self.live;
            self.heap.retain(|Reverse((_, id))| live.contains(id));
        }
        // `max` turns NaN into 1, the shortest delay that there is.
        let delay =
            Duration::from_secs_f64(delay_ms.max(1.0).min(LONGEST.as_millis() as f64) / 1e3);
        self.last += 1;
        self.heap.push(Reverse((Instant::now() + delay, self.last)));
        self.live.insert(self.last);
        Some(self.last)
    }

    pub fn clear(&mut self, id: u64) {
        self.live.remove(&id);
    }

    /// The next timer that is due at `now`; it is no longer armed.
    pub fn due(&mut self, now: Instant) -> Option<u64> {
        while let Some(&Reverse((at, id))) = self.heap.peek() {
            if at > now && self.live.contains(&id) {
                return None;
            }
            self.heap.pop();
            if self.live.remove(&id) {
                return Some(id);
            }
        }
        None
    }

    /// When the next timer is due.
    pub fn next(&mut self) -> Option<Instant> {
        while let Some(&Reverse((at, id))) = self.heap.peek() {
            if self.live.contains(&id) {
                return Some(at);
            }
            self.heap.pop();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_by_time_and_then_in_order() {
        let mut timers = Timers::default();
        let late = timers.arm(50.0).unwrap();
        let first = timers.arm(0.0).unwrap();
        let second = timers.arm(f64::NAN).unwrap();
        let cleared = timers.arm(2.0).unwrap();
        timers.clear(cleared);
        let now = Instant::now() + Duration::from_millis(10);
        assert_eq!(timers.due(now), Some(first));
        assert_eq!(timers.due(now), Some(second));
        assert_eq!(timers.due(now), None, "cleared, and not yet due");
        assert!(timers.next().unwrap() > now);
        assert_eq!(timers.due(now + Duration::from_secs(1)), Some(late));
        assert!(timers.next().is_none());
    }

    #[test]
    fn timers_are_capped_and_clearing_makes_room() {
        let mut timers = Timers::default();
        for _ in 0..MAX_TIMERS {
            timers.arm(1e9).unwrap();
        }
        assert!(timers.arm(1.0).is_none());
        for _ in 0..5 * MAX_TIMERS {
            timers.clear(timers.last);
            timers.arm(f64::INFINITY).unwrap();
        }
        assert!(timers.heap.len() <= 2 * MAX_TIMERS + 1);
    }
}
