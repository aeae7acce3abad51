//! Sources that are compiled, the least recently used ones dropped.

use std::collections::HashMap;

use devrig_core::snippet::{Failure, SourceHash};

use super::images::Kind;
use super::region::Delta;

/// Memory for all of them, and how many.
const MOST_BYTES: usize = 16 * 1024 * 1024;
const MOST: usize = 512;

/// What compiling a source gave.
pub enum Compiled {
    /// The changes that it makes in an image.
    Ready(Kind, Delta),
    Broken(Failure),
}

impl Compiled {
    fn size(&self) -> usize {
        match self {
            Self::Ready(_, delta) => delta.size(),
            Self::Broken(_) => 0,
        }
    }
}

#[derive(Default)]
pub struct Cache {
    entries: HashMap<SourceHash, (Compiled, u64)>,
    bytes: usize,
    clock: u64,
}

impl Cache {
    pub fn knows(&self, hash: &SourceHash) -> bool {
        self.entries.contains_key(hash)
    }

    pub fn get(&mut self, hash: &SourceHash) -> Option<&Compiled> {
        self.clock += 1;
        let (compiled, used) = self.entries.get_mut(hash)?;
        *used = self.clock;
        Some(compiled)
    }

    /// Keeps it, and drops what was not used for the longest time until all fit.
    pub fn keep(&mut self, hash: SourceHash, compiled: Compiled) {
        self.clock += 1;
        self.bytes += compiled.size();
        if let Some((old, _)) = self.entries.insert(hash, (compiled, self.clock)) {
            self.bytes -= old.size();
        }
        while self.entries.len() > 1 && (self.entries.len() > MOST || self.bytes > MOST_BYTES) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let oldest = self.entries.iter().min_by_key(|(_, (_, used))| *used);
        let Some(hash) = oldest.map(|(hash, _)| *hash) else { return };
        if let Some((compiled, _)) = self.entries.remove(&hash) {
            self.bytes -= compiled.size();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(message: &str) -> Compiled {
        use devrig_core::snippet::FailureKind::Syntax;
        let (name, message) = (String::new(), message.to_owned());
        let failure =
            Failure { kind: Syntax, name, message, line: None, column: None, stack: None };
        Compiled::Broken(failure)
    }

    #[test]
    fn the_least_recently_used_are_dropped() {
        let mut cache = Cache::default();
        let hash = |n: usize| (n as u128).to_le_bytes();
        for n in 0..=MOST {
            cache.keep(hash(n), broken("a"));
            assert!(cache.get(&hash(0)).is_some(), "the first is used all the time");
        }
        assert!(!cache.knows(&hash(1)), "the second is the oldest then");
        assert!(cache.knows(&hash(2)));
        cache.keep(hash(2), broken("b"));
        let Some(Compiled::Broken(failure)) = cache.get(&hash(2)) else { panic!("it is there") };
        assert_eq!(failure.message, "b");
    }
}
