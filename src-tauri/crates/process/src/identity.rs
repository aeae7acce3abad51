//! Which process is meant, although process numbers are used again.

use serde::{Deserialize, Serialize};

/// A process by number and start time: the pair is never given out twice between two boots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    pub pid: u32,
    /// Clock ticks after boot; absent where the system does not tell.
    pub started: Option<u64>,
}

impl Identity {
    /// The process that has this number now.
    pub fn of(pid: u32) -> Self {
        Self { pid, started: start_time(pid) }
    }

    /// True while that very process exists, a zombie included. Without a start time nothing can
    /// be said, and the answer is no: an innocent process is never taken for it.
    pub fn exists(self) -> bool {
        self.started.is_some() && start_time(self.pid) == self.started
    }
}

#[cfg(target_os = "linux")]
fn start_time(pid: u32) -> Option<u64> {
    crate::tree::Stat::read(pid).map(|stat| stat.started)
}

#[cfg(not(target_os = "linux"))]
fn start_time(_pid: u32) -> Option<u64> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn another_process_with_the_number_is_not_taken_for_it() {
        let me = Identity::of(std::process::id());
        assert!(me.exists());
        let before = Identity { started: me.started.map(|ticks| ticks - 1), ..me };
        assert!(!before.exists());
    }
}
