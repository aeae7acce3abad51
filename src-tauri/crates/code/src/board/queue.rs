//! The runs that wait, the short ones apart from the long ones: those wait for each other only.

use std::collections::VecDeque;
use std::time::Duration;

use super::job::Job;
use crate::length::Lengths;

/// A run that is known to take longer is a long one. Of a source that never ran nothing is known,
/// and most are short.
const LONG: Duration = Duration::from_millis(2);

#[derive(Default)]
pub struct Queue {
    pub short: VecDeque<Job>,
    pub long: VecDeque<Job>,
}

impl Queue {
    pub fn len(&self) -> usize {
        self.short.len() + self.long.len()
    }

    /// Behind the others of its kind.
    pub fn push(&mut self, job: Job, lengths: &Lengths) {
        self.of(&job, lengths).push_back(job);
    }

    /// In front of them: it has waited before.
    pub fn push_front(&mut self, job: Job, lengths: &Lengths) {
        self.of(&job, lengths).push_front(job);
    }

    fn of(&mut self, job: &Job, lengths: &Lengths) -> &mut VecDeque<Job> {
        let long = lengths.expected(&job.hash()).is_some_and(is_long);
        if long { &mut self.long } else { &mut self.short }
    }

    pub fn remove(&mut self, id: u64) {
        self.short.retain(|job| job.id != id);
        self.long.retain(|job| job.id != id);
    }

    pub fn drain(&mut self) -> impl Iterator<Item = Job> {
        self.short.drain(..).chain(self.long.drain(..))
    }
}

pub fn is_long(expected: Duration) -> bool {
    expected > LONG
}
