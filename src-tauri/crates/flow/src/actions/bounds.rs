//! How large and how deep a value may be, and how long a computation may take.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use devrig_core::{Code, Error, Result};
use serde_json::Value;

/// Of the JSON that a value would be written as.
pub(super) const MOST_BYTES: usize = 16 * 1024 * 1024;

/// No action takes more than some milliseconds for so much.
const SMALL: usize = 64 * 1024;

/// JSON is read back to 127 levels, and an output is kept inside of other objects.
pub(super) const DEEPEST: usize = 100;

/// Refuses a value that is too large, or nested too deep for whoever reads it next.
pub(super) fn check(value: &Value, what: &'static str) -> Result<()> {
    Room { left: MOST_BYTES, what }.take_value(value)
}

/// What is left of the size that a value may have.
pub(super) struct Room {
    left: usize,
    what: &'static str,
}

impl Room {
    /// For outputs that can be far larger than what they are made from.
    pub fn for_output() -> Self {
        Self { left: MOST_BYTES, what: "output" }
    }

    /// For values on which every action is done at once.
    pub fn of_small() -> Self {
        Self { left: SMALL, what: "input" }
    }

    pub fn take(&mut self, bytes: usize) -> Result<()> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(too_large(self.what)),
        }
    }

    pub fn take_value(&mut self, value: &Value) -> Result<()> {
        self.weigh(value, 0)
    }

    fn weigh(&mut self, value: &Value, depth: usize) -> Result<()> {
        self.take(own_weight(value))?;
        let inside = depth + 1;
        match value {
            Value::Array(list) if inside <= DEEPEST => {
                list.iter().try_for_each(|each| self.weigh(each, inside))
            }
            Value::Object(map) if inside <= DEEPEST => map.iter().try_for_each(|(name, each)| {
                self.take(name.len() + 3)?;
                self.weigh(each, inside)
            }),
            Value::Array(_) | Value::Object(_) => Err(too_deep(self.what)),
            _ => Ok(()),
        }
    }
}

/// Without what is inside, and with a comma.
fn own_weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 3,
        Value::Array(_) | Value::Object(_) => 3,
    }
}

/// For libraries that only say that nothing more could be written.
pub(super) fn output_too_large() -> Error {
    too_large("output")
}

fn too_large(what: &str) -> Error {
    let most = MOST_BYTES / (1024 * 1024);
    Error::new(Code::TooLarge, format!("the {what} is larger than {most} MB"))
        .hint("Do it in parts: take some with data.limit or data.split, or loop over them.")
}

fn too_deep(what: &str) -> Error {
    Error::invalid(format!("the {what} is nested more than {DEEPEST} levels deep"))
        .hint("Take an inner part of it, or flatten it.")
}

/// A text that never grows larger than an output may be.
pub(super) struct Text {
    text: String,
    room: Room,
}

impl Text {
    pub fn new() -> Self {
        Self { text: String::new(), room: Room::for_output() }
    }

    pub fn push(&mut self, part: &str) -> Result<()> {
        self.room.take(part.len())?;
        self.text.push_str(part);
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub fn into_value(self) -> Value {
        Value::String(self.text)
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.push(part).map_err(|_| fmt::Error)
    }
}

/// Bytes that never grow larger than an output may be.
pub(super) struct Bytes {
    bytes: Vec<u8>,
    room: Room,
}

impl Bytes {
    pub fn new() -> Self {
        Self { bytes: Vec::new(), room: Room::for_output() }
    }

    pub fn into_vec(self) -> Vec<u8> {
        self.bytes
    }
}

impl io::Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.room.take(bytes.len()).map_err(io::Error::other)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Ends work whose time can grow faster than its input.
pub(super) struct Deadline {
    at: Instant,
    doing: &'static str,
}

const LONGEST: Duration = Duration::from_secs(10);

impl Deadline {
    /// `doing` is for a sentence: "reading the page".
    pub fn new(doing: &'static str) -> Self {
        Self::within(LONGEST, doing)
    }

    pub fn within(time: Duration, doing: &'static str) -> Self {
        Self { at: Instant::now() + time, doing }
    }

    pub fn check(&self) -> Result<()> {
        if Instant::now() < self.at {
            return Ok(());
        }
        Err(Error::new(Code::Timeout, format!("{} takes too long", self.doing))
            .hint("Give it less at once, or a simpler pattern or selector."))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::io::Write as _;

    use serde_json::json;

    use super::*;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |inner, _| Value::Array(vec![inner]))
    }

    #[test]
    fn what_is_too_large_is_refused_by_name() {
        let text = "x".repeat(MOST_BYTES);
        for value in [json!(text), json!({ text.clone(): 1 }), json!([[text]])] {
            let error = check(&value, "input").unwrap_err();
            assert_eq!(error.code, Code::TooLarge);
            assert_eq!(error.message, "the input is larger than 16 MB");
        }
        assert!(check(&json!("x".repeat(MOST_BYTES - 3)), "input").is_ok());
    }

    #[test]
    fn a_value_weighs_about_as_much_as_its_json() {
        let value = json!([{ "name": "a", "ok": true, "none": null, "n": [1, 2.5, 100_000] }]);
        let mut room = Room::for_output();
        room.take_value(&value).unwrap();
        let (weight, length) = (MOST_BYTES - room.left, value.to_string().len());
        assert!(weight.abs_diff(length) < length / 2, "{weight} for {length}");
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        assert!(check(&nested(DEEPEST), "output").is_ok());
        let error = check(&nested(DEEPEST + 1), "output").unwrap_err();
        assert_eq!(error.message, "the output is nested more than 100 levels deep");
        assert!(serde_json::from_str::<Value>(&nested(DEEPEST).to_string()).is_ok());
    }

    #[test]
    fn texts_and_bytes_stop_growing() {
        let half = "x".repeat(MOST_BYTES / 2 + 1);
        let (mut text, mut bytes) = (Text::new(), Bytes::new());
        assert!(text.push(&half).is_ok() && bytes.write_all(half.as_bytes()).is_ok());
        assert!(text.write_str(&half).is_err() && bytes.write_all(half.as_bytes()).is_err());
    }
}
