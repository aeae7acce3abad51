//! Who pays for CPU time, and when it is used up.
//!
//! There is one thread and several calls may be open on it, so CPU time is charged to every open
//! call; with none open it is charged to a background account that refills once a wall budget.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use devrig_core::protocol::Limits;

/// The id under which activation is billed.
pub const ACTIVATION: u64 = 0;
/// The id under which the deactivate callback is billed; the core never gives it out.
pub const DEACTIVATION: u64 = u64::MAX;

struct Account {
    opened: Instant,
    cpu: Duration,
}

/// Why plugin code is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overrun {
    Cpu,
    Wall,
}

pub struct Budget {
    cpu: Cell<Duration>,
    wall: Cell<Duration>,
    calls: RefCell<BTreeMap<u64, Account>>,
    background: RefCell<Account>,
    /// CPU clock at the last charge; `None` while no plugin code runs.
    entered: Cell<Option<Duration>>,
    turn: Cell<Instant>,
    overrun: Cell<Option<(Overrun, Instant)>>,
}

impl Budget {
    pub fn new() -> Self {
        let limits = Limits::default();
        Self {
            cpu: Cell::new(Duration::from_millis(limits.cpu_ms)),
            wall: Cell::new(Duration::from_millis(limits.wall_ms)),
            calls: RefCell::default(),
            background: RefCell::new(Account { opened: Instant::now(), cpu: Duration::ZERO }),
            entered: Cell::new(None),
            turn: Cell::new(Instant::now()),
            overrun: Cell::new(None),
        }
    }

    pub fn set(&self, limits: &Limits) {
        self.cpu.set(Duration::from_millis(limits.cpu_ms));
        self.wall.set(Duration::from_millis(limits.wall_ms));
    }

    pub fn open(&self, call: u64) {
        self.charge();
        let account = Account { opened: Instant::now(), cpu: Duration::ZERO };
        self.calls.borrow_mut().insert(call, account);
    }

    /// False when it was not open, or is closed already.
    pub fn close(&self, call: u64) -> bool {
        self.charge();
        self.calls.borrow_mut().remove(&call).is_some()
    }

    pub fn is_open(&self, call: u64) -> bool {
        self.calls.borrow().contains_key(&call)
    }

    /// Some call is open.
    pub fn is_busy(&self) -> bool {
        !self.calls.borrow().is_empty()
    }

    pub fn open_calls(&self) -> Vec<u64> {
        self.calls.borrow().keys().copied().collect()
    }

    /// Plugin code starts to run; to be called on every entry, so that the clock is armed anew.
    pub fn enter(&self) {
        self.entered.set(Some(cpu_clock()));
        self.turn.set(Instant::now());
    }

    /// Plugin code has returned.
    pub fn leave(&self) {
        self.charge();
        self.entered.set(None);
    }

    /// Whether some account is used up, the running entry included. Stays true once it was.
    pub fn exhausted(&self) -> bool {
        if self.overrun.get().is_some() {
            return true;
        }
        self.charge();
        let now = Instant::now();
        let (cpu, wall) = (self.cpu.get(), self.wall.get());
        let calls = self.calls.borrow();
        let overrun = if calls.is_empty() {
            let mut background = self.background.borrow_mut();
            if now.duration_since(background.opened) >= wall {
                // What is over the allowance stays owed, or a runaway would never be caught.
                background.cpu = background.cpu.saturating_sub(cpu);
                background.opened = now;
            }
            if background.cpu >= cpu {
                Some(Overrun::Cpu)
            } else {
                // No call bounds a turn of the background, so the turn is bounded itself.
                (now.duration_since(self.turn.get()) >= wall).then_some(Overrun::Wall)
            }
        } else if calls.values().any(|call| call.cpu >= cpu) {
            Some(Overrun::Cpu)
        } else if calls.values().any(|call| now.duration_since(call.opened) >= wall) {
            Some(Overrun::Wall)
        } else {
            None
        };
        self.overrun.set(overrun.map(|why| (why, now)));
        overrun.is_some()
    }

    /// What was overrun, and since when plugin code is being unwound.
    pub fn overrun(&self) -> Option<(Overrun, Duration)> {
        self.overrun.get().map(|(why, since)| (why, since.elapsed()))
    }

    /// Calls that are past their wall budget, and when the next one will be.
    pub fn late(&self) -> (Vec<u64>, Option<Instant>) {
        let (now, wall) = (Instant::now(), self.wall.get());
        let calls = self.calls.borrow();
        let late = calls
            .iter()
            .filter(|(_, call)| now.duration_since(call.opened) >= wall)
            .map(|(&id, _)| id)
            .collect();
        let next = calls.values().map(|call| call.opened + wall).filter(|&at| at > now).min();
        (late, next)
    }

    pub fn wall(&self) -> Duration {
        self.wall.get()
    }

    pub fn cpu(&self) -> Duration {
        self.cpu.get()
    }

    fn charge(&self) {
        let Some(before) = self.entered.get() else { return };
        let now = cpu_clock();
        self.entered.set(Some(now));
        let used = now.saturating_sub(before);
        let mut calls = self.calls.borrow_mut();
        if calls.is_empty() {
            self.background.borrow_mut().cpu += used;
        }
        for call in calls.values_mut() {
            call.cpu += used;
        }
    }
}

#[cfg(unix)]
pub fn cpu_clock() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Without a CPU clock the wall clock stands in: stricter, never laxer.
#[cfg(not(unix))]
pub fn cpu_clock() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burn(time: Duration) {
        let start = cpu_clock();
        while cpu_clock() - start < time {}
    }

    fn budget(cpu_ms: u64, wall_ms: u64) -> Budget {
        let budget = Budget::new();
        budget.set(&Limits { heap_bytes: 0, cpu_ms, wall_ms });
        budget
    }

    #[test]
    fn cpu_is_summed_over_the_entries_of_a_call() {
        let budget = budget(20, 60_000);
        budget.open(1);
        for _ in 0..3 {
            budget.enter();
            assert!(!budget.exhausted());
            burn(Duration::from_millis(8));
            budget.leave();
        }
        budget.enter();
        assert!(budget.exhausted(), "24 ms of 20 are used");
        assert_eq!(budget.overrun().unwrap().0, Overrun::Cpu);
    }

    #[test]
    fn a_closed_call_owes_nothing() {
        let budget = budget(20, 60_000);
        budget.open(1);
        budget.enter();
        burn(Duration::from_millis(15));
        assert!(budget.close(1));
        assert!(!budget.close(1));
        budget.open(2);
        burn(Duration::from_millis(10));
        assert!(!budget.exhausted(), "the second call has its own account");
    }

    #[test]
    fn background_work_has_an_account_of_its_own() {
        let budget = budget(10, 60_000);
        budget.enter();
        burn(Duration::from_millis(12));
        assert!(budget.exhausted());
    }

    #[test]
    fn waiting_counts_on_the_wall_only() {
        let budget = budget(10_000, 5);
        budget.open(3);
        std::thread::sleep(Duration::from_millis(6));
        assert_eq!(budget.late().0, [3]);
        budget.enter();
        assert!(budget.exhausted());
        assert_eq!(budget.overrun().unwrap().0, Overrun::Wall);
    }
}
