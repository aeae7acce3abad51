//! Watching what a worker uses. The worker stops runaway code itself where its engine lets it;
//! some one-line scripts never come back to the engine, and those end here, with their process.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Call, Ended, Inner, Open, Purpose, lock};

/// Between two looks while something runs.
const BUSY: Duration = Duration::from_millis(40);
/// Between two looks while nothing does.
const QUIET: Duration = Duration::from_secs(1);
/// What the worker gets to report an overrun in its own words, with the place in the code.
const OWN_WORDS: Duration = Duration::from_millis(100);
/// Memory beside the JavaScript heap.
const BESIDE_HEAP: u64 = 32 * 1024 * 1024;
/// Looks between two at the memory, which cost more.
const MEMORY_EVERY: u32 = 3;

/// Looks until the worker is over.
pub async fn run(worker: Weak<Inner>, over: CancellationToken) {
    let mut background = Background::new();
    let mut looks = 0;
    let mut pause = BUSY;
    loop {
        tokio::select! {
            () = over.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let Some(worker) = worker.upgrade() else { return };
        let cpu = worker.child.cpu_time();
        let overrun = worker.overrun(cpu).or_else(|| {
            let idle = lock(&worker.calls).is_empty();
            let allowed = Duration::from_millis(worker.limits.cpu_ms) + OWN_WORDS;
            let window = Duration::from_millis(worker.limits.wall_ms);
            background.look(cpu?, idle, allowed, window).then(|| {
                Ended::broke(
                    "budget:cpu",
                    "the plugin used up its CPU while nothing was asked of it",
                )
            })
        });
        looks += 1;
        let overrun = overrun.or_else(|| {
            let limit = worker.limits.heap_bytes + BESIDE_HEAP;
            let due = looks % MEMORY_EVERY == 0;
            let used = due.then(|| worker.child.memory()).flatten()?.resident;
            (used > limit).then(|| {
                let message = format!("the plugin used more than {} MB of memory", limit >> 20);
                Ended::broke("budget:memory", message)
            })
        });
        if let Some(ended) = overrun {
            worker.end(ended);
            return;
        }
        let idle = lock(&worker.calls).is_empty();
        pause = if idle && !background.grew { QUIET } else { BUSY };
    }
}

/// What a worker uses that goes round in circles, however much the machine has to do beside it.
const IN_CIRCLES: Duration = Duration::from_millis(50);
/// How often a worker is looked at that left a condition or a hook without an answer.
const LOOKS: u32 = 25;

/// Ends a worker that goes on with what it was asked and nobody waits for any more. What else it
/// works on has budgets of its own.
pub async fn runaway(worker: Weak<Inner>, id: u64, call: Arc<Call>, within: Duration) {
    let mut before = None;
    for _ in 0..LOOKS {
        let Some(worker) = worker.upgrade() else { return };
        if !lock(&worker.calls).contains_key(&id) {
            return;
        }
        let used = worker.child.cpu_time().unwrap_or_default();
        let since = *before.get_or_insert(used);
        if !worker.has_only_late_questions(within) {
            before = Some(used);
        } else if used.saturating_sub(since) >= IN_CIRCLES {
            worker.end(match call.purpose {
                Purpose::Before => {
                    Ended::broke("budget:hook", "a hook of the plugin came to no end")
                }
                _ => Ended::broke("budget:condition", "a condition of the plugin came to no end"),
            });
            return;
        }
        drop(worker);
        tokio::time::sleep(BUSY).await;
    }
}

impl Inner {
    /// Whether it works on nothing but questions that had their time. What it was told since the
    /// first of these waits behind it: of an action that passed by a hook's silence it is told, too.
    fn has_only_late_questions(&self, within: Duration) -> bool {
        let calls = lock(&self.calls);
        let is_late = |open: &&Open| open.call.purpose.is_brief() && open.began.elapsed() >= within;
        let first = calls.values().filter(is_late).map(|open| open.began).min();
        let waits = |open: &Open| {
            matches!(open.call.purpose, Purpose::After { .. })
                && first.is_some_and(|first| open.began >= first)
        };
        calls.values().all(|open| is_late(&open) || waits(open))
    }

    /// A call that is beyond its budget. CPU time is charged to every open call, as in the worker.
    fn overrun(&self, cpu: Option<Duration>) -> Option<Ended> {
        let cpu_budget = Duration::from_millis(self.limits.cpu_ms);
        let wall_budget = Duration::from_millis(self.limits.wall_ms);
        let calls = lock(&self.calls);
        for open in calls.values() {
            let used = cpu.map_or(Duration::ZERO, |cpu| cpu.saturating_sub(open.cpu));
            if used >= cpu_budget + OWN_WORDS {
                let message = format!("the plugin used up its {} ms of CPU", self.limits.cpu_ms);
                return Some(Ended::broke("budget:cpu", message));
            }
            if open.began.elapsed() >= wall_budget + 2 * OWN_WORDS {
                let message =
                    format!("the plugin gave no answer within {} ms", self.limits.wall_ms);
                return Some(Ended::broke("budget:wall", message));
            }
        }
        None
    }
}

/// CPU that timers and events use while no call pays for it: as much as one call in the time of
/// one call.
struct Background {
    opened: Instant,
    used: Duration,
    last: Duration,
    grew: bool,
}

impl Background {
    fn new() -> Self {
        Self { opened: Instant::now(), used: Duration::ZERO, last: Duration::ZERO, grew: true }
    }

    /// True when the allowance is used up.
    fn look(&mut self, cpu: Duration, idle: bool, allowed: Duration, window: Duration) -> bool {
        let grown = cpu.saturating_sub(self.last);
        self.last = cpu;
        // A worker that waits uses some microseconds now and then.
        self.grew = grown > Duration::from_millis(2);
        if !idle {
            return false;
        }
        if self.opened.elapsed() >= window {
            self.opened = Instant::now();
            // What is over the allowance stays owed.
            self.used = self.used.saturating_sub(allowed);
        }
        self.used += grown;
        self.used >= allowed
    }
}
