//! `data.yaml`: YAML as JSON, and back.

use devrig_core::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::options::NonFiniteFloatPolicy;
use serde_saphyr::{Options, alias_limits, budget, options, ser_options};

use crate::action::{About, Effect};
use crate::actions::bounds::{MOST_BYTES, Text, output_too_large};
use crate::actions::compute::Compute;
use crate::actions::input::needed;

const ABOUT: About = About {
    name: "data.yaml",
    title: "YAML",
    text: "Reads and writes YAML 1.2.\n\n\
        - `parse` gives what the text says as JSON; with `documents` a list with each of the \
        documents between `---`. Only `true` and `false` are booleans, so `no` and `on` stay \
        texts, as do dates, `007` and `.inf`. Keys become texts. Anchors, aliases and `<<` are \
        followed, as long as they do not make it much larger. At most 50 levels are read. A key \
        that is there twice is an error.\n\
        - `write` takes any value, or with `documents` a list of them.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "operation": { "enum": ["parse", "write"], "description": "What is done." },
            "text": { "type": "string", "description": "For `parse`: what is read." },
            "value": { "description": "For `write`: what is written." },
            "documents": {
                "type": "boolean", "default": false,
                "description": "Whether there are several documents, in a list."
            }
        },
        "required": ["operation"],
        "additionalProperties": false
    }"#,
    output: "{}",
    example: r#"{
        "operation": "parse",
        "text": "name: build\non: [push]\njobs:\n  - run: make test\n    timeout: 10\n"
    }"#,
    typical_ms: 2,
    raw: &[],
};

pub(super) struct Yaml;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    operation: Operation,
    text: Option<String>,
    #[serde(default, deserialize_with = "present")]
    value: Option<Value>,
    #[serde(default)]
    documents: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Operation {
    Parse,
    Write,
}

/// Null is a value that can be written.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

impl Compute for Yaml {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        match input.operation {
            Operation::Parse => {
                parse(&needed(input.text, "text", "it is what is parsed")?, input.documents)
            }
            Operation::Write => {
                let value = needed(input.value, "value", "it is what is written")?;
                write(&value, input.documents)
            }
        }
    }
}

fn parse(text: &str, documents: bool) -> Result<Value> {
    if documents {
        serde_saphyr::from_multiple_with_options(text, bounds()).map(Value::Array)
    } else if text.trim().is_empty() {
        Ok(Value::Null)
    } else {
        serde_saphyr::from_str_with_options(text, bounds())
    }
    .map_err(|error| unread(&error))
}

fn bounds() -> Options {
    options! {
        budget: budget! {
            max_depth: MOST_LEVELS,
            flow_nesting_limit: MOST_LEVELS,
            max_recorded_anchor_events: MOST_COPIES,
            max_events: MOST_EVENTS,
            max_nodes: MOST_EVENTS,
            max_total_scalar_bytes: MOST_BYTES,
            // One anchor for hundreds of jobs is usual; copies are counted themselves.
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: alias_limits! { max_total_replayed_events: MOST_COPIES },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}

/// The library takes some 20 KB of the stack for each in an unoptimised build.
const MOST_LEVELS: usize = 50;

/// Of what stands behind aliases. Large pipelines come to some ten thousand.
const MOST_COPIES: usize = 200_000;

/// As many as a text of the largest size usually has.
const MOST_EVENTS: usize = 2_000_000;

fn unread(error: &serde_saphyr::Error) -> Error {
    Error::invalid(format!("the YAML cannot be read: {error}"))
}

fn write(value: &Value, documents: bool) -> Result<Value> {
    let mut text = Text::new();
    match (value, documents) {
        (Value::Array(list), true) => {
            for document in list {
                text.push("---\n")?;
                write_one(&mut text, document)?;
            }
        }
        (_, true) => return Err(crate::actions::input::wrong_kind("value", value, "a list")),
        (value, false) => write_one(&mut text, value)?,
    }
    Ok(text.into_value())
}

fn write_one(text: &mut Text, value: &Value) -> Result<()> {
    serde_saphyr::to_fmt_writer_with_options(text, value, ser_options! {})
        .map_err(|_| output_too_large())
}

#[cfg(test)]
mod tests;
