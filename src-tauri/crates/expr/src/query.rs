//! Queries into JSON: JSONPath (RFC 9535) and JMESPath.
//!
//! Both are done by libraries that know no bounds. So an expression's shape is looked at before it
//! is parsed, and the size of the data before it is searched: nothing here takes much longer than
//! a copy of the data does.

mod jmes_path;
mod json_path;
mod shape;

pub use jmes_path::JmesPath;
pub use json_path::JsonPath;

use devrig_core::{Code, Error, Result};
use serde_json::{Value, json};

/// In bytes.
const LONGEST: usize = 2_000;

/// Values that a search may visit, by an upper estimate.
const MOST_VISITS: u64 = 20_000_000;

/// Deeper than any JSON that was read from text.
const DEEPEST_DATA: usize = 300;

/// An error at a byte of the expression; the column, from 1, is in the details too.
fn error_at(text: &str, byte: usize, message: impl std::fmt::Display, hint: &str) -> Error {
    let before = text.char_indices().take_while(|(at, _)| *at < byte).count();
    let column = before + 1;
    Error::invalid(format!("column {column}: {message}"))
        .hint(hint)
        .details(json!({ "column": column }))
}

fn too_long(text: &str) -> Result<()> {
    if text.len() <= LONGEST {
        return Ok(());
    }
    Err(Error::invalid(format!("the query is longer than {LONGEST} bytes"))
        .hint("Split it into several steps."))
}

/// How many values there are, each 64 bytes of text being one, and how deep the deepest lies.
struct Size {
    values: u64,
    depth: usize,
}

fn measure(value: &Value) -> Result<Size> {
    let mut size = Size { values: 0, depth: 0 };
    let mut left = vec![(value, 1)];
    while let Some((value, depth)) = left.pop() {
        size.values += 1 + value.as_str().map_or(0, str::len) as u64 / 64;
        size.depth = size.depth.max(depth);
        match value {
            Value::Array(list) => left.extend(list.iter().map(|value| (value, depth + 1))),
            Value::Object(map) => left.extend(map.values().map(|value| (value, depth + 1))),
            _ => {}
        }
    }
    if size.depth > DEEPEST_DATA {
        return Err(Error::new(Code::TooLarge, "the data is nested too deeply to be searched")
            .hint("Take the part that is needed first."));
    }
    Ok(size)
}

fn allow(visits: u64) -> Result<()> {
    if visits <= MOST_VISITS {
        return Ok(());
    }
    Err(Error::new(Code::TooLarge, "the data is too large for this query")
        .hint("Take the part that is needed first, or use fewer `..` and fewer lists in it."))
}

#[cfg(test)]
mod tests;
