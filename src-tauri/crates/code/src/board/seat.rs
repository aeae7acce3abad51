//! A worker's place on the board: what it was given, and how long that takes.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use devrig_core::Error;
use devrig_core::snippet::{Budget, Run, SourceHash, ToRunner};

use super::job::{Act, Job};
use super::queue::is_long;
use crate::outcome;

/// A worker is given no more than takes about so long, but for one run. Enough for one write to
/// bring several, and for the next to begin without waiting for us.
pub const WORK: Duration = Duration::from_micros(400);

/// Most runs that a worker is given at a time.
const MOST_HELD: usize = 8;

/// A run that takes longer is looked at.
const STALL: Duration = Duration::from_millis(2);

/// After so much CPU from the first look on, those behind it go elsewhere. Not by the clock alone:
/// on a busy machine a worker may just not have been given its turn.
const STALL_CPU: Duration = Duration::from_millis(1);

/// By the clock, where the system gives the worker no CPU, or does not tell.
const STALL_LONG: Duration = Duration::from_millis(50);

/// What a worker gets to report an overrun in its own words, with the place in the code.
const OWN_WORDS: Duration = Duration::from_millis(100);

/// How long a run that nobody wants any more may keep its worker.
const UNWANTED: Duration = Duration::from_millis(50);

/// Sources that a worker is thought to know; it keeps about as many.
const MOST_KNOWN: usize = 512;

/// Frames for a worker, in the order of the decisions.
#[derive(Debug, Default)]
pub struct Outbox(Mutex<Vec<u8>>);

impl Outbox {
    pub fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Seat<W> {
    pub id: u64,
    pub worker: W,
    outbox: Arc<Outbox>,
    /// In the order in which it was given them and answers them.
    pub held: VecDeque<Held>,
    pub known: HashSet<SourceHash>,
    /// When the first one that it holds can have begun, at the earliest; with none, since when.
    since: Instant,
    /// Its CPU time at the first look at a run that takes long.
    cpu: Option<Duration>,
    /// The run takes longer than expected: nothing is put behind it.
    stalled: bool,
}

/// A run that a worker was given and has not answered.
pub struct Held {
    pub id: u64,
    pub budget: Budget,
    /// Absent when nobody waits for it any more, or another worker has it.
    pub job: Option<Job>,
    /// How long it takes; of one that never ran, as long as all that a worker is given.
    expected: Duration,
}

/// Why a worker has to be ended.
#[derive(Debug)]
pub enum Overdue {
    /// Nobody waits for what it runs.
    Unwanted,
    /// What to tell the one who waits.
    Overran(Error),
}

impl<W: Clone> Seat<W> {
    pub fn new(id: u64, worker: W, outbox: Arc<Outbox>, now: Instant) -> Self {
        let (held, known) = (VecDeque::new(), HashSet::new());
        Self { id, worker, outbox, held, known, since: now, cpu: None, stalled: false }
    }

    pub fn load(&self) -> Duration {
        self.held.iter().map(|held| held.expected).sum()
    }

    pub fn is_idle(&self) -> bool {
        self.held.is_empty()
    }

    pub fn idle_for(&self, now: Instant) -> Option<Duration> {
        self.is_idle().then(|| now.duration_since(self.since))
    }

    /// It is busy for longer than a short run can wait.
    pub fn is_held_up(&self) -> bool {
        self.stalled || self.held.front().is_some_and(|held| is_long(held.expected))
    }

    pub fn has_room(&self, expected: Duration) -> bool {
        let fits = self.held.len() < MOST_HELD && self.load() + expected <= WORK;
        self.is_idle() || (fits && !self.stalled)
    }

    /// Writes the run into the outbox. What cannot be sent at all is answered.
    pub fn give(&mut self, job: Job, expected: Duration, now: Instant) -> Result<(), Act<W>> {
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        let (id, budget, hash) = (job.id, job.run.budget, job.hash());
        let source = self.known.insert(hash).then(|| job.run.snippet.source());
        let run = Run { id, budget, hash, source, input: job.input() };
        if let Err(error) = ToRunner::Run(run).write(&mut self.outbox.lock()) {
            self.known.remove(&hash);
            return Err(job.refuse(error));
        }
        if self.is_idle() {
            self.begin(now);
        }
        self.held.push_back(Held { id, expected, budget, job: Some(job) });
        Ok(())
    }

    /// It can have begun the first run that it holds from now on.
    pub fn begin(&mut self, now: Instant) {
        (self.since, self.cpu, self.stalled) = (now, None, false);
    }

    /// Says that the run is not wanted any more; gives it back.
    pub fn skip(&mut self, id: u64) -> Option<Job> {
        let held = self.held.iter_mut().find(|held| held.id == id)?;
        let job = held.job.take()?;
        // A message of nine bytes always fits into a frame.
        _ = ToRunner::Skip(id).write(&mut self.outbox.lock());
        Some(job)
    }

    /// Takes back what waits behind the run that takes long, the last one first.
    pub fn take_back(&mut self) -> Vec<Job> {
        self.stalled = true;
        let behind: Vec<u64> = self.held.iter().skip(1).rev().map(|held| held.id).collect();
        behind.into_iter().filter_map(|id| self.skip(id)).collect()
    }

    /// Worth a look: it is busy with one run for a while.
    pub fn takes_long(&self, now: Instant) -> bool {
        !self.is_idle() && now.duration_since(self.since) >= STALL
    }

    /// Whether the run takes so long that nobody should wait behind it. `cpu` is the CPU time of
    /// the process.
    pub fn is_slow(&mut self, now: Instant, cpu: Duration) -> bool {
        self.used(cpu) >= STALL_CPU || now.duration_since(self.since) >= STALL_LONG
    }

    /// Why the worker has to be ended, if it has to.
    pub fn overdue(&mut self, now: Instant, cpu: Duration) -> Option<Overdue> {
        let used = self.used(cpu);
        let first = self.held.front()?;
        let elapsed = now.duration_since(self.since);
        let ms = |ms: u32| Duration::from_millis(ms.into());
        let Budget { cpu_ms, wall_ms, .. } = first.budget;
        if first.job.is_none() && elapsed >= UNWANTED {
            Some(Overdue::Unwanted)
        } else if used >= ms(cpu_ms) + OWN_WORDS {
            Some(Overdue::Overran(outcome::used_up(&first.budget)))
        } else if elapsed >= ms(wall_ms) + 2 * OWN_WORDS {
            Some(Overdue::Overran(outcome::still_busy(&first.budget)))
        } else {
            None
        }
    }

    /// CPU time since the first look at the run.
    fn used(&mut self, cpu: Duration) -> Duration {
        cpu.saturating_sub(*self.cpu.get_or_insert(cpu))
    }
}
