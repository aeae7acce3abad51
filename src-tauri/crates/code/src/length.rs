//! How long a run of a source is expected to take.

use std::collections::HashMap;
use std::time::Duration;

use devrig_core::snippet::SourceHash;

/// Sources that are remembered. Beyond that all are forgotten, which costs one careful run each.
const MOST: usize = 4096;

/// CPU time that the last runs of each source took.
#[derive(Default)]
pub struct Lengths(HashMap<SourceHash, Duration>);

impl Lengths {
    /// `None` for a source that nothing is known of.
    pub fn expected(&self, hash: &SourceHash) -> Option<Duration> {
        self.0.get(hash).copied()
    }

    /// A run took so long. A longer one than before is believed at once, a shorter one slowly:
    /// it is the long ones that hold others up.
    pub fn note(&mut self, hash: SourceHash, took: Duration) {
        if self.0.len() >= MOST && !self.0.contains_key(&hash) {
            self.0.clear();
        }
        let expected = self.0.entry(hash).or_insert(took);
        *expected = if took > *expected { took } else { (*expected * 7 + took) / 8 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_long_run_counts_and_many_short_ones_make_it_forgotten() {
        let mut lengths = Lengths::default();
        let (hash, short, long) = ([1; 16], Duration::from_micros(20), Duration::from_millis(2));
        assert_eq!(lengths.expected(&hash), None);
        lengths.note(hash, short);
        assert_eq!(lengths.expected(&hash), Some(short));
        lengths.note(hash, long);
        assert_eq!(lengths.expected(&hash), Some(long));
        (0..50).for_each(|_| lengths.note(hash, short));
        assert!(lengths.expected(&hash).unwrap() < 2 * short);
        (0..MOST as u128).for_each(|n| lengths.note(n.to_le_bytes(), short));
        assert!(lengths.0.len() <= MOST);
    }
}
