//! How the content of a file stands in JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use devrig_core::{Error, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::actions::bounds;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Form {
    Text,
    Json,
    Base64,
}

impl Form {
    pub fn read(self, bytes: Vec<u8>) -> Result<Value> {
        match self {
            Self::Text => text(bytes).map(Value::String),
            Self::Base64 => Ok(Value::String(STANDARD.encode(bytes))),
            Self::Json => json(&text(bytes)?),
        }
    }

    pub fn write(self, content: &Value) -> Result<Vec<u8>> {
        match (self, content) {
            (Self::Json, content) => written(content),
            (Self::Text, Value::String(text)) => Ok(text.clone().into_bytes()),
            (Self::Base64, Value::String(text)) => STANDARD.decode(text.trim()).map_err(|error| {
                Error::invalid(format!("content is no base64: {error}"))
                    .hint("Use the form `text` for plain text.")
            }),
            _ => Err(Error::invalid("content is no text").hint("Use the form `json`.")),
        }
    }
}

/// UTF-8, without the mark that some programs put in front.
pub(super) fn text(mut bytes: Vec<u8>) -> Result<String> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(not_utf8("it is UTF-16"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        not_utf8(&format!("line {line}, byte {:#04x} at {at}", bytes[at]))
    })
}

fn not_utf8(what: &str) -> Error {
    Error::invalid(format!("it is not UTF-8: {what}"))
        .hint("Read it as base64, or turn it into UTF-8 first, for example with iconv.")
}

pub(super) fn json(text: &str) -> Result<Value> {
    let value = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Error::invalid(format!("it is no JSON: line {line}, column {column}"))
            .hint("Read it as text to see what is in it.")
    })?;
    bounds::check(&value, "file")?;
    Ok(value)
}

/// As people keep JSON in files.
pub(super) fn written(value: &Value) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}
