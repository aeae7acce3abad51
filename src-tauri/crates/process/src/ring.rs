//! The last bytes of an output stream, however much was written.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// 256 KB for each stream of a long-lived child.
pub const DEFAULT_RING: usize = 256 * 1024;

/// Keeps the newest `capacity` bytes and counts the rest. Clones show the same bytes.
#[derive(Clone, Debug)]
pub struct Ring {
    inner: Arc<Mutex<Inner>>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Inner {
    bytes: VecDeque<u8>,
    total: u64,
}

impl Ring {
    pub fn new(capacity: usize) -> Self {
        Self { inner: Arc::default(), capacity }
    }

    /// Adds bytes, forgetting the oldest beyond the capacity.
    pub fn push(&self, bytes: &[u8]) {
        let mut inner = self.lock();
        inner.total += bytes.len() as u64;
        let kept = &bytes[bytes.len().saturating_sub(self.capacity)..];
        let surplus = (inner.bytes.len() + kept.len()).saturating_sub(self.capacity);
        inner.bytes.drain(..surplus);
        inner.bytes.extend(kept);
    }

    /// The bytes as they came. For people, use [`Ring::text`].
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().bytes.iter().copied().collect()
    }

    /// The bytes as text without control characters, lines kept.
    pub fn text(&self) -> String {
        crate::escape_text(&self.bytes())
    }

    /// How many bytes were written in all.
    pub fn total(&self) -> u64 {
        self.lock().total
    }

    /// How many bytes were forgotten.
    pub fn dropped(&self) -> u64 {
        let inner = self.lock();
        inner.total - inner.bytes.len() as u64
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_bytes_stay_and_the_rest_is_counted() {
        let ring = Ring::new(4);
        for part in ["ab", "cd", "", "e", "fghijk", "l"] {
            ring.push(part.as_bytes());
        }
        assert_eq!(ring.bytes(), b"ijkl");
        assert_eq!((ring.total(), ring.dropped()), (12, 8));
    }

    #[test]
    fn a_ring_of_zero_only_counts() {
        let ring = Ring::new(0);
        ring.push(b"abc");
        assert_eq!((ring.bytes().len(), ring.dropped()), (0, 3));
    }
}
