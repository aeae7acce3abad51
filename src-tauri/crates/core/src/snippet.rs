//! The messages between the core and a worker that runs snippets of JavaScript.
//!
//! The worker is the one that plugins have; the core's first frame,
//! [`ToWorker::Snippets`](crate::protocol::ToWorker::Snippets), makes it a runner of snippets for
//! the rest of its life. From then on a frame's payload is no JSON message but fields in binary,
//! little-endian, with the texts behind them: a snippet's input and output are JSON already, and
//! wrapping them would cost both sides as much as running it. The runner answers every
//! [`Run`] with one [`Answer`], in the order in which they came.

use serde::{Deserialize, Serialize};

use crate::frame::{self, HEADER};
use crate::protocol::{LogLevel, MAX_FRAME};
use crate::{Code, Error, Result};

/// Names a source: the beginning of its SHA-256.
pub type SourceHash = [u8; 16];

/// Longest source, in bytes.
pub const MAX_SOURCE: usize = 256 * 1024;

/// What the console of one run may write, in bytes of text and in lines; the rest is dropped.
pub const MAX_CONSOLE: usize = 64 * 1024;
pub const MAX_CONSOLE_LINES: usize = 500;

/// What one run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub cpu_ms: u32,
    pub wall_ms: u32,
    /// JavaScript heap, in bytes.
    pub heap_bytes: u64,
    /// JSON text of the output, in bytes.
    pub output_bytes: u32,
}

impl Default for Budget {
    /// A second of CPU, 5 s on the wall, 32 MiB, and 4 MiB of output.
    fn default() -> Self {
        Self { cpu_ms: 1_000, wall_ms: 5_000, heap_bytes: 32 << 20, output_bytes: 4 << 20 }
    }
}

/// A message of the core to a runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToRunner<'a> {
    Run(Run<'a>),
    /// The run of this id is not wanted any more; it is left out if it has not begun.
    Skip(u64),
}

/// One run of a snippet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<'a> {
    pub id: u64,
    pub budget: Budget,
    pub hash: SourceHash,
    /// Absent where the runner is thought to know it; it answers [`End::Unknown`] otherwise.
    pub source: Option<&'a str>,
    /// A JSON object with the fields that the snippet sees. Empty to compile only.
    pub input: &'a str,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    pub id: u64,
    pub cpu_us: u32,
    /// [`ConsoleLine`]s as a JSON array; empty when there are none.
    pub console: &'a str,
    pub end: End<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End<'a> {
    /// JSON text.
    Output(&'a str),
    /// A [`Failure`] as JSON.
    Failed(&'a str),
    /// The source is not known, and has to be sent again.
    Unknown,
    /// It was not wanted any more, and has not begun.
    Skipped,
}

/// One line that a snippet wrote to its console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleLine {
    pub level: LogLevel,
    pub text: String,
}

/// Why a run has no output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: FailureKind,
    /// Of the error that was thrown, such as `TypeError`.
    pub name: String,
    pub message: String,
    /// Where, in the person's own source; both count from 1.
    pub line: Option<u32>,
    pub column: Option<u32>,
    pub stack: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FailureKind {
    /// The source does not parse.
    Syntax,
    /// The snippet threw.
    Thrown,
    /// What it returned is not JSON.
    Output,
    /// It awaits what can never come.
    Unresolved,
    Cpu,
    Wall,
    Memory,
    /// The output is larger than the budget.
    TooLarge,
    /// The input is not a JSON object.
    Input,
}

const RUN: u8 = 1;
const SKIP: u8 = 2;

const OUTPUT: u8 = 1;
const FAILED: u8 = 2;
const UNKNOWN: u8 = 3;
const SKIPPED: u8 = 4;

impl<'a> ToRunner<'a> {
    /// Appends the message as a frame, so that several go out in one write.
    pub fn write(&self, to: &mut Vec<u8>) -> Result<()> {
        in_frame(to, |to| match self {
            Self::Run(run) => run.write(to),
            Self::Skip(id) => {
                to.push(SKIP);
                to.extend_from_slice(&id.to_le_bytes());
            }
        })
    }

    /// Reads a frame's payload.
    pub fn read(payload: &'a [u8]) -> Result<Self> {
        let mut fields = Fields(payload);
        match fields.byte()? {
            RUN => Ok(Self::Run(Run::read(fields)?)),
            SKIP => Ok(Self::Skip(fields.u64()?)),
            other => Err(malformed(format!("its kind is {other}"))),
        }
    }
}

impl<'a> Run<'a> {
    fn write(&self, to: &mut Vec<u8>) {
        to.push(RUN);
        to.extend_from_slice(&self.id.to_le_bytes());
        to.extend_from_slice(&self.budget.cpu_ms.to_le_bytes());
        to.extend_from_slice(&self.budget.wall_ms.to_le_bytes());
        to.extend_from_slice(&self.budget.heap_bytes.to_le_bytes());
        to.extend_from_slice(&self.budget.output_bytes.to_le_bytes());
        to.extend_from_slice(&self.hash);
        to.push(u8::from(self.source.is_some()));
        write_text(to, self.source.unwrap_or_default());
        to.extend_from_slice(self.input.as_bytes());
    }

    fn read(mut fields: Fields<'a>) -> Result<Self> {
        let id = fields.u64()?;
        let budget = Budget {
            cpu_ms: fields.u32()?,
            wall_ms: fields.u32()?,
            heap_bytes: fields.u64()?,
            output_bytes: fields.u32()?,
        };
        let hash = fields.take()?;
        let sent = fields.byte()? != 0;
        let source = Some(fields.text()?).filter(|_| sent);
        Ok(Self { id, budget, hash, source, input: fields.rest()? })
    }
}

impl<'a> Answer<'a> {
    /// Appends the answer as a frame.
    pub fn write(&self, to: &mut Vec<u8>) -> Result<()> {
        let (kind, text) = match self.end {
            End::Output(json) => (OUTPUT, json),
            End::Failed(json) => (FAILED, json),
            End::Unknown => (UNKNOWN, ""),
            End::Skipped => (SKIPPED, ""),
        };
        in_frame(to, |to| {
            to.push(kind);
            to.extend_from_slice(&self.id.to_le_bytes());
            to.extend_from_slice(&self.cpu_us.to_le_bytes());
            write_text(to, self.console);
            to.extend_from_slice(text.as_bytes());
        })
    }

    /// Reads a frame's payload.
    pub fn read(payload: &'a [u8]) -> Result<Self> {
        let mut fields = Fields(payload);
        let kind = fields.byte()?;
        let (id, cpu_us, console) = (fields.u64()?, fields.u32()?, fields.text()?);
        let text = fields.rest()?;
        let end = match kind {
            OUTPUT => End::Output(text),
            FAILED => End::Failed(text),
            UNKNOWN => End::Unknown,
            SKIPPED => End::Skipped,
            other => return Err(malformed(format!("its kind is {other}"))),
        };
        Ok(Self { id, cpu_us, console, end })
    }
}

/// Writes a payload behind room for its header; what is too large is taken back.
fn in_frame(to: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
    let start = to.len();
    to.extend_from_slice(&[0; HEADER]);
    payload(to);
    let length = to.len() - start - HEADER;
    if length > MAX_FRAME {
        to.truncate(start);
        return Err(frame::too_large(length));
    }
    to[start..start + HEADER].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(())
}

fn write_text(to: &mut Vec<u8>, text: &str) {
    // A text of 4 GiB does not fit into a frame either, which is found when it is sealed.
    to.extend_from_slice(&(text.len() as u32).to_le_bytes());
    to.extend_from_slice(text.as_bytes());
}

/// What is left to read of a payload.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) =
            self.0.split_first_chunk().ok_or_else(|| malformed("it is too short"))?;
        self.0 = rest;
        Ok(*head)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.take()?))
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn text(&mut self) -> Result<&'a str> {
        let length = self.u32()? as usize;
        let (text, rest) =
            self.0.split_at_checked(length).ok_or_else(|| malformed("it is too short"))?;
        self.0 = rest;
        utf8(text)
    }

    fn rest(self) -> Result<&'a str> {
        utf8(self.0)
    }
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| malformed("a text in it is not UTF-8"))
}

fn malformed(why: impl std::fmt::Display) -> Error {
    Error::new(Code::ProtocolMismatch, format!("a message about a snippet cannot be read: {why}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The payloads of the frames in a buffer.
    fn payloads(mut bytes: &[u8]) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| frame::read(&mut bytes).unwrap()).collect()
    }

    proptest! {
        #[test]
        fn runs_read_back_one_behind_the_other(
            id: u64, cpu_ms: u32, wall_ms: u32, heap_bytes: u64, output_bytes: u32,
            hash: SourceHash, source: Option<String>, input: String,
        ) {
            let budget = Budget { cpu_ms, wall_ms, heap_bytes, output_bytes };
            let run = Run { id, budget, hash, source: source.as_deref(), input: &input };
            let sent = [ToRunner::Run(run), ToRunner::Skip(id)];
            let mut bytes = Vec::new();
            sent.iter().for_each(|message| message.write(&mut bytes).unwrap());
            let payloads = payloads(&bytes);
            let read: Vec<_> = payloads.iter().map(|one| ToRunner::read(one).unwrap()).collect();
            prop_assert_eq!(read, sent);
        }

        #[test]
        fn answers_read_back(id: u64, cpu_us: u32, console: String, text: String) {
            for end in [End::Output(&text), End::Failed(&text), End::Unknown, End::Skipped] {
                let answer = Answer { id, cpu_us, console: &console, end };
                let mut bytes = Vec::new();
                answer.write(&mut bytes).unwrap();
                let payloads = payloads(&bytes);
                prop_assert_eq!(Answer::read(&payloads[0]).unwrap(), answer);
            }
        }

        #[test]
        fn no_bytes_break_the_reader(bytes: Vec<u8>) {
            _ = ToRunner::read(&bytes);
            _ = Answer::read(&bytes);
        }
    }

    #[test]
    fn what_is_too_large_is_taken_back() {
        let mut bytes = b"before".to_vec();
        let text = "x".repeat(MAX_FRAME);
        let answer = Answer { id: 1, cpu_us: 0, console: "", end: End::Output(&text) };
        assert_eq!(answer.write(&mut bytes).unwrap_err().code, Code::TooLarge);
        assert_eq!(bytes, b"before");
    }
}
