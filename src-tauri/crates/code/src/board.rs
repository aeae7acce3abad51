//! Which run goes to which worker, and what becomes of the runs of one that is slow or gone.
//! Decides only: what is to be done comes back as [`Act`]s.
//!
//! A worker is given several runs at once only while all of them are known to be short. When one
//! takes longer than was expected, those behind it are taken back and given to others. That a run
//! may so be begun twice harms nothing: it has no effect but its result. Runs that are known to be
//! long wait in a line of their own and never have all the workers while short ones wait; where
//! the workers are held up all the same, others are started, and the last one is kept for what is
//! known to be short.

mod job;
mod queue;
mod seat;

use std::sync::Arc;
use std::time::{Duration, Instant};

use devrig_core::Error;

pub use job::{Act, Ended, Gone, Job, Purpose, Told, ToldEnd};
pub use seat::Outbox;

use crate::length::Lengths;
use crate::outcome;
use queue::Queue;
use seat::{Overdue, Seat, WORK};

/// While long runs hold the workers up, there may be so many times as many.
const RELIEF: usize = 4;

/// How often workers may say of one run that they do not know the source. Each forgets sources by
/// itself, so it can happen; that it happens again to the same run means that one is broken.
const MOST_UNKNOWN: u8 = 3;

/// So often in a row a worker may fail to start while runs wait for it.
const STARTS: u8 = 2;

pub struct Board<W> {
    queue: Queue,
    seats: Vec<Seat<W>>,
    starting: usize,
    failed_starts: u8,
    lengths: Lengths,
    most_workers: usize,
    most_waiting: usize,
    last_seat: u64,
}

impl<W: Clone> Board<W> {
    pub fn new(most_workers: usize, most_waiting: usize) -> Self {
        Self {
            queue: Queue::default(),
            seats: Vec::new(),
            starting: 0,
            failed_starts: 0,
            lengths: Lengths::default(),
            most_workers: most_workers.max(1),
            most_waiting,
            last_seat: 0,
        }
    }

    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Runs that a worker has.
    pub fn running(&self) -> usize {
        self.seats.iter().map(|seat| seat.held.len()).sum()
    }

    pub fn workers(&self) -> usize {
        self.seats.len()
    }

    /// Takes a run, or refuses it.
    pub fn add(&mut self, job: Job, now: Instant) -> Vec<Act<W>> {
        if self.queue.len() >= self.most_waiting {
            return vec![job.refuse(outcome::too_many(self.queue.len()))];
        }
        self.queue.push(job, &self.lengths);
        self.dispatch(now)
    }

    /// A worker is ready; gives the number of its seat too.
    pub fn joined(&mut self, worker: W, outbox: Arc<Outbox>, now: Instant) -> (u64, Vec<Act<W>>) {
        self.starting = self.starting.saturating_sub(1);
        self.failed_starts = 0;
        self.last_seat += 1;
        self.seats.push(Seat::new(self.last_seat, worker, outbox, now));
        (self.last_seat, self.dispatch(now))
    }

    /// A worker could not be started. Where there is none, those who wait hear of it once it has
    /// failed again.
    pub fn not_started(&mut self, error: &Error) -> Vec<Act<W>> {
        self.starting = self.starting.saturating_sub(1);
        self.failed_starts += 1;
        if self.starting > 0 || !self.seats.is_empty() || self.queue.len() == 0 {
            return Vec::new();
        }
        if self.failed_starts < STARTS {
            self.starting += 1;
            return vec![Act::Start];
        }
        self.failed_starts = 0;
        self.queue.drain().map(|job| job.refuse(error.clone())).collect()
    }

    /// A worker has answered. One that says what it was not asked is ended.
    pub fn told(&mut self, seat: u64, all: Vec<Told>, now: Instant) -> Vec<Act<W>> {
        let mut acts = Vec::new();
        for told in all {
            let Some(at) = self.seats.iter().position(|one| one.id == seat) else { return acts };
            match self.end(at, told, now) {
                Ok(act) => acts.extend(act),
                Err(how) => {
                    acts.extend(self.gone(seat, Gone::Crashed(how.to_owned()), now));
                    return acts;
                }
            }
        }
        acts.extend(self.dispatch(now));
        acts
    }

    /// Ends the first run that a worker holds. The error says what is wrong with the worker.
    fn end(&mut self, at: usize, told: Told, now: Instant) -> Result<Option<Act<W>>, &'static str> {
        let seat = &mut self.seats[at];
        let first = seat.held.front_mut().filter(|held| held.id == told.id);
        let first = first.ok_or("it answered what it was not asked")?;
        let run_or_sent_again = |job: &Job| match told.end {
            ToldEnd::Unknown => job.unknown < MOST_UNKNOWN,
            ToldEnd::Skipped => false,
            ToldEnd::Output(_) | ToldEnd::Failed(_) => true,
        };
        if first.job.as_ref().is_some_and(|job| !run_or_sent_again(job)) {
            return Err("it did not run what it was given");
        }
        let job = first.job.take();
        seat.held.pop_front();
        seat.begin(now);
        let Some(mut job) = job else { return Ok(None) };
        let (hash, cpu) = (job.hash(), told.cpu);
        let Some(ended) = told.ended() else {
            seat.known.remove(&hash);
            job.unknown += 1;
            self.queue.push_front(job, &self.lengths);
            return Ok(None);
        };
        self.lengths.note(hash, cpu);
        Ok(Some(job.answer(ended)))
    }

    /// A worker has ended by itself, or has to. What it was running is tried once more, elsewhere.
    pub fn gone(&mut self, seat: u64, gone: Gone, now: Instant) -> Vec<Act<W>> {
        let Some(mut seat) = self.take_seat(seat) else { return Vec::new() };
        let mut acts = vec![Act::End(seat.worker.clone())];
        let running = seat.held.pop_front();
        self.requeue(seat);
        if let Some((mut job, budget)) = running.and_then(|held| Some((held.job?, held.budget))) {
            match gone {
                Gone::Overran => acts.push(job.refuse(outcome::used_up(&budget))),
                Gone::Crashed(how) if job.crashes > 0 => {
                    acts.push(job.refuse(outcome::crashed(&how)));
                }
                Gone::Crashed(_) => {
                    job.crashes += 1;
                    self.queue.push_front(job, &self.lengths);
                }
            }
        }
        acts.extend(self.dispatch(now));
        acts
    }

    /// The caller of a run does not wait for it any more.
    pub fn drop_job(&mut self, id: u64) -> Vec<Act<W>> {
        self.queue.remove(id);
        let seat = self.seats.iter_mut().find_map(|seat| seat.skip(id).map(|_| &*seat));
        seat.map(|seat| Act::Flush(seat.worker.clone())).into_iter().collect()
    }

    /// Looks at the workers that take long. `cpu` tells the CPU time of one.
    pub fn look(&mut self, now: Instant, cpu: impl Fn(&W) -> Option<Duration>) -> Vec<Act<W>> {
        let mut acts = Vec::new();
        let mut overdue = Vec::new();
        for seat in self.seats.iter_mut().filter(|seat| seat.takes_long(now)) {
            let used = cpu(&seat.worker).unwrap_or_default();
            if let Some(why) = seat.overdue(now, used) {
                overdue.push((seat.id, why));
            } else if seat.is_slow(now, used) {
                let back = seat.take_back();
                acts.extend((!back.is_empty()).then(|| Act::Flush(seat.worker.clone())));
                back.into_iter().for_each(|job| self.queue.push_front(job, &self.lengths));
            }
        }
        for (seat, why) in overdue {
            acts.extend(self.end_overdue(seat, why));
        }
        acts.extend(self.dispatch(now));
        acts
    }

    fn end_overdue(&mut self, seat: u64, why: Overdue) -> Vec<Act<W>> {
        let Some(mut seat) = self.take_seat(seat) else { return Vec::new() };
        let mut acts = vec![Act::End(seat.worker.clone())];
        let guilty = seat.held.pop_front().and_then(|held| held.job);
        if let (Some(job), Overdue::Overran(error)) = (guilty, why) {
            let took = Duration::from_millis(job.run.budget.cpu_ms.into());
            self.lengths.note(job.hash(), took);
            acts.push(job.refuse(error));
        }
        self.requeue(seat);
        acts
    }

    /// Ends workers that have had nothing to do for so long, but for some.
    pub fn end_idle(&mut self, idle: Duration, kept: usize, now: Instant) -> Vec<Act<W>> {
        let mut acts = Vec::new();
        while self.seats.len() > kept {
            let rests = |seat: &Seat<W>| seat.idle_for(now).is_some_and(|time| time >= idle);
            let Some(at) = self.seats.iter().rposition(rests) else { break };
            acts.push(Act::End(self.seats.remove(at).worker));
        }
        acts
    }

    /// Ends every worker and answers everyone.
    pub fn close(&mut self) -> Vec<Act<W>> {
        let mut jobs: Vec<Job> = self.queue.drain().collect();
        let mut acts = Vec::new();
        for seat in std::mem::take(&mut self.seats) {
            acts.push(Act::End(seat.worker));
            jobs.extend(seat.held.into_iter().filter_map(|held| held.job));
        }
        acts.extend(jobs.into_iter().map(|job| job.refuse(outcome::cancelled())));
        acts
    }

    /// Gives out what waits, as far as there is room, and asks for a worker where there is none.
    fn dispatch(&mut self, now: Instant) -> Vec<Act<W>> {
        let mut given = Given::default();
        while self.may_begin_long() {
            let Some(at) = self.seats.iter().position(Seat::is_idle) else { break };
            let Some(job) = self.queue.long.pop_front() else { break };
            self.give(at, job, now, &mut given);
        }
        while let Some(next) = self.next_short() {
            let Some(at) = self.best_seat(self.expected(&self.queue.short[next])) else { break };
            let Some(job) = self.queue.short.remove(next) else { break };
            self.give(at, job, now, &mut given);
        }
        let seats = given.seats.iter().map(|&at| Act::Flush(self.seats[at].worker.clone()));
        let mut acts: Vec<_> = seats.chain(given.refused).collect();
        if self.is_short_of_workers(given.behind_another) {
            self.starting += 1;
            acts.push(Act::Start);
        }
        acts
    }

    fn give(&mut self, at: usize, job: Job, now: Instant, given: &mut Given<W>) {
        let expected = self.expected(&job);
        let seat = &mut self.seats[at];
        given.behind_another |= !seat.is_idle();
        match seat.give(job, expected, now) {
            Ok(()) if given.seats.contains(&at) => {}
            Ok(()) => given.seats.push(at),
            Err(refusal) => given.refused.push(refusal),
        }
    }

    fn expected(&self, job: &Job) -> Duration {
        self.lengths.expected(&job.hash()).unwrap_or(WORK)
    }

    /// Which of the short ones is next: the first. Where all workers but one are held up, that one
    /// is for sources that are known to be short; a new one may be the next to hold up its worker.
    fn next_short(&self) -> Option<usize> {
        if self.held_up() + 1 < RELIEF * self.most_workers {
            return (!self.queue.short.is_empty()).then_some(0);
        }
        self.queue.short.iter().position(|job| self.lengths.expected(&job.hash()).is_some())
    }

    /// The worker with the least to do among those that have room.
    fn best_seat(&self, expected: Duration) -> Option<usize> {
        let next_for_long = self.next_for_long();
        let room = self
            .seats
            .iter()
            .enumerate()
            .filter(|(at, seat)| seat.has_room(expected) && Some(*at) != next_for_long);
        room.min_by_key(|(_, seat)| seat.load()).map(|(at, _)| at)
    }

    /// A worker that gets nothing more, so that a long run can begin there: with short ones coming
    /// all the time, none would ever be idle.
    fn next_for_long(&self) -> Option<usize> {
        if !self.may_begin_long() {
            return None;
        }
        let seats = self.seats.iter().enumerate().filter(|(_, seat)| !seat.is_held_up());
        seats.min_by_key(|(_, seat)| seat.load()).map(|(at, _)| at)
    }

    /// Long runs have half of the workers while short ones wait, otherwise all.
    fn may_begin_long(&self) -> bool {
        let workers = self.most_workers;
        let most = if self.queue.short.is_empty() { workers } else { workers.div_ceil(2) };
        !self.queue.long.is_empty() && self.held_up() < most
    }

    fn held_up(&self) -> usize {
        self.seats.iter().filter(|seat| seat.is_held_up()).count()
    }

    fn is_short_of_workers(&self, behind_another: bool) -> bool {
        let all = self.seats.len() + self.starting;
        let usual = behind_another || self.queue.len() > self.starting;
        let relief = !self.queue.short.is_empty() && self.held_up() == all;
        (usual && all < self.most_workers) || (relief && all < RELIEF * self.most_workers)
    }

    fn take_seat(&mut self, id: u64) -> Option<Seat<W>> {
        let at = self.seats.iter().position(|seat| seat.id == id)?;
        Some(self.seats.remove(at))
    }

    /// Puts the runs of a worker that is gone to the front, in their order.
    fn requeue(&mut self, seat: Seat<W>) {
        for job in seat.held.into_iter().rev().filter_map(|held| held.job) {
            self.queue.push_front(job, &self.lengths);
        }
    }
}

/// What one round of giving out has done.
struct Given<W> {
    seats: Vec<usize>,
    refused: Vec<Act<W>>,
    /// A run was put behind another.
    behind_another: bool,
}

impl<W> Default for Given<W> {
    fn default() -> Self {
        Self { seats: Vec::new(), refused: Vec::new(), behind_another: false }
    }
}

#[cfg(test)]
mod tests;
