//! What the board moves: runs on their way to a worker, and what comes back.

use std::time::Duration;

use devrig_core::Error;
use devrig_core::snippet::{ConsoleLine, Failure, SourceHash};
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::outcome::{self, CodeFailure, CodeResult};
use crate::run::CodeRun;

pub type Ended = Result<CodeResult, CodeFailure>;

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Run,
    /// To see whether the source parses.
    Check,
}

/// A run that somebody waits for.
#[derive(Debug)]
pub struct Job {
    pub id: u64,
    pub run: CodeRun,
    purpose: Purpose,
    answer: oneshot::Sender<Ended>,
    /// Workers that ended under it.
    pub crashes: u8,
    /// Workers that were thought to know its source, and did not.
    pub unknown: u8,
}

impl Job {
    pub fn new(id: u64, run: CodeRun, purpose: Purpose, answer: oneshot::Sender<Ended>) -> Self {
        Self { id, run, purpose, answer, crashes: 0, unknown: 0 }
    }

    pub fn hash(&self) -> SourceHash {
        self.run.snippet.hash()
    }

    /// As a worker is told: nothing to run is an input that is empty.
    pub fn input(&self) -> &str {
        match self.purpose {
            Purpose::Run => self.run.input.get(),
            Purpose::Check => "",
        }
    }

    pub fn answer<W>(self, ended: Ended) -> Act<W> {
        Act::Answer(self.answer, ended)
    }

    pub fn refuse<W>(self, error: Error) -> Act<W> {
        self.answer(Err(error.into()))
    }
}

/// An answer of a worker, read and checked.
#[derive(Debug)]
pub struct Told {
    pub id: u64,
    pub cpu: Duration,
    pub console: Vec<ConsoleLine>,
    pub end: ToldEnd,
}

#[derive(Debug)]
pub enum ToldEnd {
    Output(Box<RawValue>),
    Failed(Failure),
    /// The source has to be sent again.
    Unknown,
    /// It was not wanted any more.
    Skipped,
}

impl Told {
    /// What the caller is told; nothing, when it was not run.
    pub fn ended(self) -> Option<Ended> {
        let (console, cpu) = (self.console, self.cpu);
        match self.end {
            ToldEnd::Output(output) => Some(Ok(CodeResult { output, console, cpu })),
            ToldEnd::Failed(failure) => {
                let error = Box::new(outcome::error_of(failure));
                Some(Err(CodeFailure { error, console, cpu }))
            }
            ToldEnd::Unknown | ToldEnd::Skipped => None,
        }
    }
}

/// How a worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// What it ran would not stop, so it ended itself.
    Overran,
    Crashed(String),
}

/// What is to be done. `W` is a worker, as whoever does it knows it.
#[derive(Debug)]
pub enum Act<W> {
    /// Send what is in its outbox.
    Flush(W),
    /// End it; the board has forgotten it.
    End(W),
    /// Start another worker, and tell with [`super::Board::joined`] or
    /// [`super::Board::not_started`].
    Start,
    Answer(oneshot::Sender<Ended>, Ended),
}
