//! What a run has used, and when that is too much.

use std::cell::Cell;
use std::time::{Duration, Instant};

use devrig_core::snippet::Budget;

use crate::budget::{Overrun, cpu_clock};

/// For the words about a run that overran; the snippet's own code is cut off by then.
const LAST_WORDS: Duration = Duration::from_millis(20);

/// How long code that was told to stop may take to unwind before the process ends on the spot.
const UNWINDING: Duration = Duration::from_millis(50);

/// Measures one run after the other.
pub struct Meter {
    cpu: Cell<Duration>,
    wall: Cell<Duration>,
    begun_cpu: Cell<Duration>,
    begun: Cell<Instant>,
    overrun: Cell<Option<(Overrun, Instant)>>,
}

impl Meter {
    pub fn new() -> Self {
        Self {
            cpu: Cell::default(),
            wall: Cell::default(),
            begun_cpu: Cell::new(cpu_clock()),
            begun: Cell::new(Instant::now()),
            overrun: Cell::new(None),
        }
    }

    /// A run begins.
    pub fn begin(&self, budget: &Budget) {
        self.cpu.set(Duration::from_millis(budget.cpu_ms.into()));
        self.wall.set(Duration::from_millis(budget.wall_ms.into()));
        self.begun_cpu.set(cpu_clock());
        self.begun.set(Instant::now());
        self.overrun.set(None);
    }

    /// CPU time since the run began.
    pub fn used(&self) -> Duration {
        cpu_clock().saturating_sub(self.begun_cpu.get())
    }

    /// The engine's question, asked regularly while code runs. Stays true once it was.
    pub fn exhausted(&self) -> bool {
        if let Some((_, since)) = self.overrun.get() {
            if since.elapsed() > UNWINDING {
                // The core hears that the process ended, and knows what it ran.
                std::process::exit(crate::exit::BUDGET.into());
            }
            return true;
        }
        let overrun = if self.used() >= self.cpu.get() {
            Overrun::Cpu
        } else if self.begun.get().elapsed() >= self.wall.get() {
            Overrun::Wall
        } else {
            return false;
        };
        self.overrun.set(Some((overrun, Instant::now())));
        true
    }

    pub fn overrun(&self) -> Option<Overrun> {
        self.overrun.get().map(|(overrun, _)| overrun)
    }

    /// Lets our own code say what happened; gives what was overrun until now.
    pub fn grant_last_words(&self) -> Option<Overrun> {
        self.cpu.set(self.used() + LAST_WORDS);
        self.wall.set(self.begun.get().elapsed() + LAST_WORDS);
        self.overrun.take().map(|(overrun, _)| overrun)
    }
}
