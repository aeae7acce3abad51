//! The loop of a worker that runs snippets.

use std::collections::VecDeque;
use std::time::Duration;

use devrig_core::Result;
use devrig_core::snippet::{Answer, End, Run, ToRunner};

use super::machine::{Machine, Outcome};
use crate::channel::{Arrival, Channel};
use crate::{exit, sandbox};

/// During a longer run, word may have come that others are not wanted any more.
const LONG: Duration = Duration::from_millis(1);

/// Answers runs until the core goes away; gives the exit code.
pub fn serve(channel: &Channel, heap_bytes: u64) -> Result<u8> {
    sandbox::fit(Machine::address_space(heap_bytes) as u64)?;
    let mut runner = Runner { machine: Machine::new(heap_bytes)?, waiting: VecDeque::new() };
    // What came behind the first message is here already.
    loop {
        runner.take(channel)?;
        if !runner.work(channel)? || channel.receive(None)? == Arrival::End {
            return Ok(exit::STOPPED);
        }
    }
}

struct Runner {
    machine: Machine,
    waiting: VecDeque<Waiting>,
}

/// A run that has not begun.
struct Waiting {
    id: u64,
    payload: Vec<u8>,
    wanted: bool,
}

impl Runner {
    /// Takes over what has been received.
    fn take(&mut self, channel: &Channel) -> Result<()> {
        while let Some(payload) = channel.next()? {
            match ToRunner::read(&payload)? {
                ToRunner::Run(Run { id, .. }) => {
                    self.waiting.push_back(Waiting { id, payload, wanted: true });
                }
                ToRunner::Skip(id) => {
                    let which = self.waiting.iter_mut().find(|waiting| waiting.id == id);
                    which.into_iter().for_each(|waiting| waiting.wanted = false);
                }
            }
        }
        Ok(())
    }

    /// Answers everything that waits. False when the core went away.
    fn work(&mut self, channel: &Channel) -> Result<bool> {
        while let Some(Waiting { id, payload, wanted }) = self.waiting.pop_front() {
            let ToRunner::Run(run) = ToRunner::read(&payload)? else { continue };
            let outcome = if wanted { self.machine.run(&run) } else { None };
            let long = outcome.as_ref().is_some_and(|outcome| outcome.cpu > LONG);
            let frame = match outcome {
                Some(outcome) => answer(&run, &outcome)?,
                None => without_outcome(id, if wanted { End::Unknown } else { End::Skipped })?,
            };
            // At once: gathered, it would wait for the next run, which may never end.
            if channel.send(&frame).is_err() {
                return Ok(false);
            }
            if long && channel.receive(Some(Duration::ZERO))? == Arrival::Data {
                self.take(channel)?;
            }
            if self.waiting.is_empty() {
                // While there is nothing else to do; most likely it is this one again.
                _ = self.machine.prepare(&run.hash);
            }
        }
        Ok(true)
    }
}

fn answer(run: &Run<'_>, outcome: &Outcome) -> Result<Vec<u8>> {
    let cpu_us = u32::try_from(outcome.cpu.as_micros()).unwrap_or(u32::MAX);
    let failed;
    let end = match &outcome.output {
        Ok(output) => End::Output(output),
        Err(failure) => {
            failed = serde_json::to_string(failure)?;
            End::Failed(&failed)
        }
    };
    let mut frame = Vec::new();
    let answer = Answer { id: run.id, cpu_us, console: &outcome.console, end };
    answer.write(&mut frame)?;
    Ok(frame)
}

fn without_outcome(id: u64, end: End<'_>) -> Result<Vec<u8>> {
    let mut frame = Vec::new();
    Answer { id, cpu_us: 0, console: "", end }.write(&mut frame)?;
    Ok(frame)
}
