//! What a program wrote: for the node's output, and line by line for the log.

use base64::Engine as _;
use devrig_core::{Error, Result};
use devrig_process::{Ring, Stream, escape_line};
use serde::Deserialize;
use serde_json::Value;

use crate::action::{Level, Log};

/// Lines of one stream in the log; who writes more is read in the output.
const MOST_LINES: usize = 2_000;
/// Of a line in the log, in bytes.
const LONGEST_LINE: usize = 2_000;
/// Of what an error tells.
const TAIL: usize = 2_000;

/// How output is given.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Form {
    #[default]
    Text,
    Lines,
    Json,
    Base64,
}

impl Form {
    pub fn read(self, ring: &Ring) -> Result<Value> {
        Ok(match self {
            Self::Text => Value::String(text(ring)),
            Self::Lines => text(ring).lines().map(Value::from).collect(),
            Self::Base64 => {
                Value::String(base64::engine::general_purpose::STANDARD.encode(ring.bytes()))
            }
            Self::Json => return json(ring),
        })
    }
}

/// As text, with a mark where something was cut.
pub(super) fn text(ring: &Ring) -> String {
    let bytes = ring.bytes();
    match ring.dropped() {
        0 => String::from_utf8_lossy(&bytes).into_owned(),
        dropped => {
            // The cut may be in the middle of a character.
            let whole = bytes.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
            let rest = String::from_utf8_lossy(&bytes[whole..]);
            format!("[{dropped} bytes cut]\n{rest}")
        }
    }
}

/// The end of it, for an error.
pub(super) fn tail(ring: &Ring) -> String {
    let text = ring.text();
    let begin = text.char_indices().rev().nth(TAIL - 1).map_or(0, |(at, _)| at);
    text[begin..].to_owned()
}

fn json(ring: &Ring) -> Result<Value> {
    if ring.dropped() > 0 {
        return Err(
            Error::invalid("it is cut, so it is no JSON any more").hint("Raise maxOutputBytes.")
        );
    }
    serde_json::from_slice(&ring.bytes()).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Error::invalid(format!("it is no JSON: line {line}, column {column}"))
            .hint("Take it as text to see what the program wrote.")
    })
}

/// Output as lines of the log.
pub(super) struct Lines<'a> {
    log: &'a dyn Log,
    /// The begun line of each stream.
    begun: [Vec<u8>; 2],
    /// Of each stream, so that errors are told however much else is.
    told: [usize; 2],
}

impl<'a> Lines<'a> {
    pub fn to(log: &'a dyn Log) -> Self {
        Self { log, begun: Default::default(), told: [0; 2] }
    }

    pub fn take(&mut self, stream: Stream, bytes: &[u8]) {
        let mut parts = bytes.split(|byte| *byte == b'\n');
        self.begin(stream, parts.next().unwrap_or_default());
        for part in parts {
            self.tell(stream);
            self.begin(stream, part);
        }
    }

    /// Tells what no newline ended.
    pub fn end(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            if !self.begun[stream as usize].is_empty() {
                self.tell(stream);
            }
        }
    }

    fn begin(&mut self, stream: Stream, part: &[u8]) {
        let begun = &mut self.begun[stream as usize];
        let room = LONGEST_LINE.saturating_sub(begun.len());
        begun.extend_from_slice(&part[..part.len().min(room)]);
    }

    fn tell(&mut self, stream: Stream) {
        let line = std::mem::take(&mut self.begun[stream as usize]);
        let told = &mut self.told[stream as usize];
        *told += 1;
        let told = *told;
        if told > MOST_LINES {
            return;
        }
        let level = match stream {
            Stream::Stdout => Level::Info,
            Stream::Stderr => Level::Warn,
        };
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        self.log.say(level, &escape_line(line));
        if told == MOST_LINES {
            self.log.say(Level::Info, "(further lines are left out of the log)");
        }
    }
}
