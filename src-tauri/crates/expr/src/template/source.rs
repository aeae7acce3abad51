//! The text of a template, which errors point into.

use devrig_core::Error;
use serde_json::json;

/// A place in the source, in bytes. Turned into line and column only when an error needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At(pub u32);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Source(pub Box<str>);

impl Source {
    pub fn error(&self, at: At, message: impl std::fmt::Display, hint: impl Into<String>) -> Error {
        self.locate(at, Error::invalid(message.to_string()).hint(hint))
    }

    /// Puts the place before the message, unless a place further in is there already.
    pub fn locate(&self, at: At, error: Error) -> Error {
        if error.details.is_some() {
            return error;
        }
        let (line, column) = self.line_and_column(at);
        error.context(self.place(at)).details(json!({ "line": line, "column": column }))
    }

    /// `line 2, column 5`
    pub fn place(&self, at: At) -> String {
        let (line, column) = self.line_and_column(at);
        format!("line {line}, column {column}")
    }

    /// Both from 1; columns in characters.
    fn line_and_column(&self, at: At) -> (usize, usize) {
        let before = self.0.get(..at.0 as usize).unwrap_or(&self.0);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (line, before[start..].chars().count() + 1)
    }
}

/// What JavaScript's `\s` matches. Rust's own notion differs in two characters, and trimming has
/// to agree with handlebars.js.
pub(super) fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}
