//! Regular expressions of the kind that match in linear time.

use devrig_core::{Error, Result};
use regex::{Regex, RegexBuilder};

/// Bytes that a compiled pattern may take: time is bounded by this times the length of the text.
const LARGEST: usize = 256 * 1024;
const LONGEST: usize = 2_000;

/// How a pattern is meant.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    pub ignore_case: bool,
    /// `^` and `$` match at each line.
    pub lines: bool,
}

pub(super) fn compile(pattern: &str, flags: Flags) -> Result<Regex> {
    if pattern.len() > LONGEST {
        return Err(Error::invalid(format!("pattern is longer than {LONGEST} bytes"))
            .hint("Match the beginning, and the rest of it in a second step."));
    }
    let built = RegexBuilder::new(pattern)
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.lines)
        .size_limit(LARGEST)
        .dfa_size_limit(LARGEST)
        .build();
    built.map_err(|error| told(&error))
}

fn told(error: &regex::Error) -> Error {
    match error {
        regex::Error::CompiledTooBig(_) => Error::invalid("pattern becomes too large")
            .hint("Repeat less: {1,1000} makes a thousand copies, and \\w holds all of Unicode."),
        error => {
            // The library draws the pattern above; the last line says what is wrong.
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            Error::invalid(format!("pattern: {}", last.trim_start_matches("error: "))).hint(
                "Look-around and references back are not supported, since they can take forever.",
            )
        }
    }
}
