//! `data.csv`: tables as text.

mod read;
mod write;

use devrig_core::{Error, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::action::{About, Effect};
use crate::actions::compute::Compute;
use crate::actions::input::{list_or_none, needed};

const ABOUT: About = About {
    name: "data.csv",
    title: "CSV",
    text: "Reads and writes tables of values with commas between (RFC 4180).\n\n\
        - `parse` gives a list of objects named by the first line, or with `header: false` a list \
        of lists. Every cell stays the text that it is; with `numbers`, cells that are plain \
        numbers become ones, but not `007`, which is a name, nor one with more digits than a \
        number keeps. Empty lines are left out. With `ragged` a line may have fewer cells, whose \
        fields are then missing, or more, which are named `column4` and so on.\n\
        - `write` takes such a list and gives the text. Its columns are all fields that occur, or \
        `columns`. Null is an empty cell; lists and objects are written as JSON.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "operation": { "enum": ["parse", "write"], "description": "What is done." },
            "text": { "type": "string", "description": "For `parse`: the table." },
            "items": {
                "type": ["array", "null"],
                "items": { "type": ["object", "array"] },
                "description": "For `write`: the rows. Null counts as none."
            },
            "header": {
                "type": "boolean", "default": true,
                "description": "Whether the first line names the columns."
            },
            "columns": {
                "type": "array", "items": { "type": "string" },
                "description": "The names of the columns, in their order."
            },
            "delimiter": {
                "type": "string", "default": ",",
                "description": "One ASCII character between cells, such as `;` or a tab."
            },
            "quote": {
                "type": "string", "default": "\"",
                "description": "What stands around cells that hold a delimiter."
            },
            "numbers": {
                "type": "boolean", "default": false,
                "description": "For `parse`: whether plain numbers become numbers."
            },
            "ragged": {
                "type": "boolean", "default": false,
                "description": "For `parse`: whether a line may have fewer or more cells."
            }
        },
        "required": ["operation"],
        "additionalProperties": false
    }"#,
    output: r#"{
        "type": ["string", "array"],
        "items": { "type": ["object", "array"] }
    }"#,
    example: r#"{
        "operation": "parse",
        "text": "name;stars\n\"dev;rig\";12\n",
        "delimiter": ";",
        "numbers": true
    }"#,
    typical_ms: 2,
    raw: &[],
};

pub(super) struct Csv;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    operation: Operation,
    text: Option<String>,
    items: Option<Value>,
    header: Option<bool>,
    columns: Option<Vec<String>>,
    delimiter: Option<String>,
    quote: Option<String>,
    #[serde(default)]
    numbers: bool,
    #[serde(default)]
    ragged: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Operation {
    Parse,
    Write,
}

/// How a table is laid out.
struct Layout {
    header: bool,
    columns: Option<Vec<String>>,
    delimiter: u8,
    quote: u8,
    numbers: bool,
    ragged: bool,
}

impl Compute for Csv {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let layout = Layout {
            header: input.header.unwrap_or(true),
            columns: input.columns,
            delimiter: mark(input.delimiter, b',', "delimiter")?,
            quote: mark(input.quote, b'"', "quote")?,
            numbers: input.numbers,
            ragged: input.ragged,
        };
        if layout.delimiter == layout.quote {
            return Err(Error::invalid("delimiter and quote are the same character"));
        }
        match input.operation {
            Operation::Parse => {
                read::read(&needed(input.text, "text", "it is what is parsed")?, &layout)
            }
            Operation::Write => {
                let items = list_or_none(input.items.unwrap_or_default(), "items")?;
                write::write(&items, layout)
            }
        }
    }
}

fn mark(text: Option<String>, usual: u8, name: &str) -> Result<u8> {
    let Some(text) = text else { return Ok(usual) };
    match text.as_bytes() {
        [mark] if mark.is_ascii() && !matches!(mark, b'\n' | b'\r' | 0) => Ok(*mark),
        _ => Err(Error::invalid(format!("{name} is not one ASCII character"))
            .hint("Such as , or ; or a tab (\\t in JSON).")),
    }
}

#[cfg(test)]
mod tests;
