//! How often an action was called and how long that took, since this process began.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Each doubling of a time is this many buckets, so that a percentile is at most an eighth off.
const PARTS: u64 = 4;
/// The last bucket begins beyond an hour.
const BUCKETS: usize = 128;

/// The calls of one action since DevRig started. Each attempt is a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct ActionFigures {
    pub action: String,
    pub done: u32,
    pub failed: u32,
    /// Of both; without the time that calls waited for their turn.
    #[specta(type = u32)]
    pub average_ms: f64,
    /// Of a hundred calls, 95 took no longer, to an eighth.
    #[specta(type = u32)]
    pub p95_ms: f64,
    #[specta(type = u32)]
    pub longest_ms: f64,
    /// Calls that go on at this moment, and those that wait for their turn in runs that are not
    /// parked for it.
    pub going: u32,
    pub waiting: u32,
}

/// Counts calls. What was never called takes no room.
#[derive(Debug, Default)]
pub struct Stopwatch(OnceLock<Box<Counts>>);

#[derive(Debug)]
struct Counts {
    going: AtomicU64,
    failed: AtomicU64,
    took_us: AtomicU64,
    longest_us: AtomicU64,
    /// Calls by how long they took.
    buckets: [AtomicU64; BUCKETS],
}

/// A call that goes on.
pub struct Ticking<'w> {
    counts: &'w Counts,
    begun: Instant,
}

impl Stopwatch {
    /// A call begins. One that is dropped without an end was cut off, and counts for nothing.
    pub fn begin(&self) -> Ticking<'_> {
        let counts = self.0.get_or_init(|| Box::new(Counts::new()));
        counts.going.fetch_add(1, Relaxed);
        Ticking { counts, begun: Instant::now() }
    }

    /// Whether a call ever began.
    pub fn was_used(&self) -> bool {
        self.0.get().is_some()
    }

    /// Nothing while it was never called.
    pub fn figures(&self, action: &str, waiting: usize) -> Option<ActionFigures> {
        self.0.get().map(|counts| counts.figures(action, waiting))
    }
}

impl Ticking<'_> {
    pub fn ended(self, failed: bool) {
        self.counts.add(self.begun.elapsed(), failed);
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.counts.going.fetch_sub(1, Relaxed);
    }
}

impl Counts {
    fn new() -> Self {
        Self {
            going: AtomicU64::default(),
            failed: AtomicU64::default(),
            took_us: AtomicU64::default(),
            longest_us: AtomicU64::default(),
            buckets: std::array::from_fn(|_| AtomicU64::default()),
        }
    }

    fn add(&self, took: Duration, failed: bool) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket(us)].fetch_add(1, Relaxed);
        self.took_us.fetch_add(us, Relaxed);
        // Most are shorter than the longest, and looking is cheaper than writing.
        if us > self.longest_us.load(Relaxed) {
            self.longest_us.fetch_max(us, Relaxed);
        }
        if failed {
            self.failed.fetch_add(1, Relaxed);
        }
    }

    /// Of calls that end meanwhile a part may be in it.
    fn figures(&self, action: &str, waiting: usize) -> ActionFigures {
        let counts = self.buckets.each_ref().map(|bucket| bucket.load(Relaxed));
        let all: u64 = counts.iter().sum();
        let failed = self.failed.load(Relaxed).min(all);
        let longest_us = self.longest_us.load(Relaxed);
        let most = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        ActionFigures {
            action: action.to_owned(),
            done: most(all - failed),
            failed: most(failed),
            average_ms: ms(self.took_us.load(Relaxed)) / all.max(1) as f64,
            p95_ms: ms(percentile(&counts, all * 95 / 100).min(longest_us)),
            longest_ms: ms(longest_us),
            going: most(self.going.load(Relaxed)),
            waiting: most(waiting as u64),
        }
    }
}

fn ms(us: u64) -> f64 {
    us as f64 / 1_000.0
}

fn bucket(us: u64) -> usize {
    let Some(octave) = us.checked_ilog2().filter(|_| us >= PARTS).map(u64::from) else {
        return us as usize;
    };
    let part = (us >> (octave - 2)) & (PARTS - 1);
    usize::try_from((octave - 1) * PARTS + part).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The middle of what a bucket holds.
fn middle(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < PARTS {
        return bucket;
    }
    let width = 1 << (bucket / PARTS - 1);
    (PARTS + bucket % PARTS) * width + width / 2
}

/// About how long the call took that so many were shorter than.
fn percentile(counts: &[u64; BUCKETS], shorter: u64) -> u64 {
    let mut seen = 0;
    let found = counts.iter().position(|count| {
        seen += count;
        seen > shorter
    });
    found.map_or(0, middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_lies_in_a_bucket_whose_middle_is_near() {
        for us in (0..2_000).chain((1..32).map(|power| (1u64 << power) + 3)) {
            let middle = middle(bucket(us)) as f64;
            assert!((middle - us as f64).abs() <= us as f64 / 8.0, "{us} counts as {middle}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        let all: Vec<usize> = (0..100_000).map(bucket).collect();
        assert!(all.is_sorted());
    }

    #[test]
    fn what_was_called_is_told() {
        let watch = Stopwatch::default();
        assert_eq!(watch.figures("a", 0), None);
        drop(watch.begin());
        let none = watch.figures("a", 3).unwrap();
        assert_eq!((none.done, none.failed, none.going, none.waiting), (0, 0, 0, 3));
        assert_eq!((none.average_ms, none.p95_ms, none.longest_ms), (0.0, 0.0, 0.0));
        let counts = watch.0.get().unwrap();
        (0..94).for_each(|_| counts.add(Duration::from_millis(10), false));
        (0..6).for_each(|_| counts.add(Duration::from_secs(1), true));
        let _going = watch.begin();
        let told = watch.figures("a", 0).unwrap();
        assert_eq!((told.done, told.failed, told.going), (94, 6, 1));
        assert!((told.average_ms - 69.4).abs() < 0.001, "{told:?}");
        assert!((870.0..=1_000.0).contains(&told.p95_ms), "{told:?}");
        assert_eq!(told.longest_ms, 1_000.0);
    }
}
