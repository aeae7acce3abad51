//! One task that waits for all that is due by the clock, however many there are.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use devrig_core::{SharedClock, Timestamp};
use futures::FutureExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The wall's clock is looked at this often at least: it may jump, as after a sleep.
const LOOK: Duration = Duration::from_secs(30);
/// After a defect, so that whoever has it is not gone for good.
const AFTER_PANIC: Duration = Duration::from_secs(60);

/// Something that is due from time to time.
#[async_trait]
pub(super) trait Due: Send + Sync {
    /// Does what is due, and says when there is more to do, if ever. It is not asked again before it
    /// has answered.
    async fn due(&self) -> Option<Timestamp>;
}

/// A handle on the clockwork. Cheap to clone.
#[derive(Clone)]
pub(super) struct Clockwork {
    inner: Arc<Inner>,
}

struct Inner {
    clock: SharedClock,
    turns: Mutex<Turns>,
    /// Something is due before the task wakes up by itself.
    sooner: Notify,
    /// What is due just now.
    going: TaskTracker,
}

/// What is due, by its number.
type Asked = (u64, Arc<dyn Due>);

#[derive(Default)]
struct Turns {
    kept: HashMap<u64, Arc<dyn Due>>,
    /// Times of what is kept, and of some that is not any more.
    times: BinaryHeap<Reverse<(Timestamp, u64)>>,
    last: u64,
}

/// Keeps something in the clockwork until this is dropped.
pub(super) struct Turn {
    clockwork: Clockwork,
    number: u64,
}

impl Clockwork {
    pub fn new(clock: SharedClock) -> Self {
        let inner = Inner {
            clock,
            turns: Mutex::default(),
            sooner: Notify::new(),
            going: TaskTracker::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Asks `due` now, and then each time that it says.
    pub fn keep(&self, due: Arc<dyn Due>) -> Turn {
        let now = self.inner.clock.now();
        let mut turns = self.turns();
        turns.last += 1;
        let number = turns.last;
        turns.kept.insert(number, due);
        turns.times.push(Reverse((now, number)));
        drop(turns);
        self.look();
        Turn { clockwork: self.clone(), number }
    }

    /// Looks at the clock now: it was set, or the machine slept.
    pub fn look(&self) {
        self.inner.sooner.notify_one();
    }

    /// Runs until `stop`, and then until what is going on has ended.
    pub async fn run(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let now = self.inner.clock.now();
            let (due, next) = self.turns().take(now);
            for (number, due) in due {
                let clockwork = self.clone();
                self.inner.going.spawn(async move { clockwork.go(number, due).await });
            }
            let left = next.map_or(LOOK, |next| next.since(now));
            tokio::select! {
                () = tokio::time::sleep(left.min(LOOK)) => {}
                () = self.inner.sooner.notified() => {}
                () = stop.cancelled() => {}
            }
        }
        self.inner.going.close();
        self.inner.going.wait().await;
    }

    async fn go(&self, number: u64, due: Arc<dyn Due>) {
        let next = AssertUnwindSafe(due.due()).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("what was due by the clock panicked, and is tried again");
            Some(self.inner.clock.now() + AFTER_PANIC)
        });
        if let Some(next) = next
            && self.turns().put(number, next)
        {
            self.look();
        }
    }

    fn turns(&self) -> std::sync::MutexGuard<'_, Turns> {
        self.inner.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turns {
    /// What is due, and when more will be.
    fn take(&mut self, now: Timestamp) -> (Vec<Asked>, Option<Timestamp>) {
        let mut due = Vec::new();
        while let Some(Reverse((time, number))) = self.times.peek().copied() {
            if time > now {
                return (due, Some(time));
            }
            self.times.pop();
            due.extend(self.kept.get(&number).map(|kept| (number, kept.clone())));
        }
        (due, None)
    }

    /// True when this is due before all others.
    fn put(&mut self, number: u64, time: Timestamp) -> bool {
        if !self.kept.contains_key(&number) {
            return false;
        }
        let first = self.times.peek().is_none_or(|Reverse((first, _))| time < *first);
        self.times.push(Reverse((time, number)));
        first
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.clockwork.turns().kept.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use devrig_core::{Clock, ManualClock};

    use super::*;

    /// Is due each `step`, and counts how often it was asked.
    struct Each {
        clock: Arc<ManualClock>,
        step: Duration,
        asked: AtomicU64,
        panics: bool,
    }

    #[async_trait]
    impl Due for Each {
        async fn due(&self) -> Option<Timestamp> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            assert!(!self.panics, "a defect");
            Some(self.clock.now() + self.step)
        }
    }

    fn each(clock: &Arc<ManualClock>, seconds: u64, panics: bool) -> Arc<Each> {
        let step = Duration::from_secs(seconds);
        Arc::new(Each { clock: clock.clone(), step, asked: AtomicU64::new(0), panics })
    }

    async fn asked(each: &Each, often: u64) {
        let asked = async {
            while each.asked.load(Ordering::SeqCst) < often {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), asked).await.expect("it is asked");
        assert_eq!(each.asked.load(Ordering::SeqCst), often);
    }

    #[tokio::test]
    async fn each_is_asked_in_its_time_and_one_that_panics_too() {
        let clock = ManualClock::at("2026-11-20T09:00:00Z".parse().unwrap());
        let clockwork = Clockwork::new(clock.clone());
        let stop = CancellationToken::new();
        let task = tokio::spawn({
            let (clockwork, stop) = (clockwork.clone(), stop.clone());
            async move { clockwork.run(stop).await }
        });
        let (quick, slow) = (each(&clock, 10, false), each(&clock, 60, true));
        let quick_turn = clockwork.keep(quick.clone());
        let _slow_turn = clockwork.keep(slow.clone());
        asked(&quick, 1).await;
        asked(&slow, 1).await;
        clock.advance(Duration::from_secs(11));
        clockwork.look();
        asked(&quick, 2).await;
        clock.advance(Duration::from_secs(60));
        clockwork.look();
        asked(&quick, 3).await;
        asked(&slow, 2).await;
        drop(quick_turn);
        clock.advance(Duration::from_secs(60));
        clockwork.look();
        asked(&slow, 3).await;
        asked(&quick, 3).await;
        stop.cancel();
        task.await.unwrap();
    }
}
