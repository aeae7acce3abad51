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
        error
            .context(format_args!("line {line}, column {column}"))
            .details(json!({ "line": line, "column": column }))
    }

    /// Both from 1; columns in characters.
    fn line_and_column(&self, at: At) -> (usize, usize) {
        let mut places = self.places();
        places.go(at);
        (places.line, places.column)
    }

    pub fn places(&self) -> Places<'_> {
        Places { left: &self.0, at: 0, line: 1, column: 1 }
    }
}

/// Turns places into lines and columns in one walk through the source.
pub(super) struct Places<'s> {
    left: &'s str,
    at: usize,
    line: usize,
    column: usize,
}

impl Places<'_> {
    /// `line 2, column 5`, of a place that is not before the last one.
    pub fn name(&mut self, at: At) -> String {
        self.go(at);
        format!("line {}, column {}", self.line, self.column)
    }

    fn go(&mut self, at: At) {
        let ahead = (at.0 as usize).saturating_sub(self.at);
        let Some((passed, left)) = self.left.split_at_checked(ahead) else { return };
        if let Some(newline) = passed.rfind('\n') {
            self.line += passed.matches('\n').count();
            self.column = passed[newline + 1..].chars().count() + 1;
        } else {
            self.column += passed.chars().count();
        }
        (self.left, self.at) = (left, at.0 as usize);
    }
}

/// What JavaScript's `\s` matches. Rust's own notion differs in two characters, and trimming has
/// to agree with handlebars.js.
pub(super) fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}
