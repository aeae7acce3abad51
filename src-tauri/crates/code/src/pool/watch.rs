//! Looks at the workers while something runs, and ends those that have nothing to do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use super::Inner;

/// Between two looks while something runs.
const LOOK: Duration = Duration::from_millis(2);

/// After so many looks at nothing, the watch rests until something is run again.
const QUIET_LOOKS: u32 = 50;

/// The longest that a resting watch sleeps while there is a worker.
const REST: Duration = Duration::from_secs(1);

#[derive(Default)]
pub struct Watch {
    begun: AtomicBool,
    awake: AtomicBool,
    wake: Arc<Notify>,
}

impl Watch {
    /// Has the pool looked at from now on.
    pub fn wake(pool: &Arc<Inner>) {
        let watch = &pool.watch;
        if watch.awake.swap(true, Ordering::AcqRel) {
            return;
        }
        if watch.begun.swap(true, Ordering::AcqRel) {
            watch.wake.notify_one();
        } else {
            tokio::spawn(look_on(Arc::downgrade(pool), Arc::clone(&watch.wake)));
        }
    }
}

async fn look_on(pool: Weak<Inner>, wake: Arc<Notify>) {
    let mut quiet = 0;
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(inner) = pool.upgrade() else { return };
        if inner.over.is_cancelled() {
            return;
        }
        quiet = if inner.look() { 0 } else { quiet + 1 };
        if quiet < QUIET_LOOKS {
            continue;
        }
        inner.watch.awake.store(false, Ordering::Release);
        // A run that came before this saw a watch that is awake.
        if inner.is_busy() {
            inner.watch.awake.store(true, Ordering::Release);
            continue;
        }
        drop(inner);
        rest(&pool, &wake).await;
        quiet = 0;
    }
}

/// Waits until something is run; meanwhile, workers that idle are ended.
async fn rest(pool: &Weak<Inner>, wake: &Notify) {
    loop {
        let Some(workers) = pool.upgrade().map(|inner| inner.end_idle()) else { return };
        let pause = async {
            if workers == 0 {
                std::future::pending().await
            } else {
                tokio::time::sleep(REST).await;
            }
        };
        tokio::select! {
            () = wake.notified() => return,
            () = pause => {}
        }
    }
}

impl Inner {
    /// Looks at what takes long. False when nothing runs.
    fn look(self: &Arc<Self>) -> bool {
        self.decide(|board, now| board.look(now, |worker| worker.cpu_time()));
        self.is_busy()
    }

    fn is_busy(&self) -> bool {
        let board = self.board();
        board.running() > 0 || board.waiting() > 0
    }

    /// Ends workers that have idled for long; gives how many there are that still may be.
    fn end_idle(self: &Arc<Self>) -> usize {
        let (idle, kept) = (self.settings.idle, self.settings.kept);
        self.decide(|board, now| board.end_idle(idle, kept, now));
        self.board().workers().saturating_sub(kept)
    }
}
