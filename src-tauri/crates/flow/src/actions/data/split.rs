//! `data.split`: a list in chunks, a text in parts, an object in its fields.

use devrig_core::{Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::action::{About, Effect};
use crate::actions::compute::Compute;
use crate::actions::input::{Count, needed, wrong_kind};

const ABOUT: About = About {
    name: "data.split",
    title: "Split",
    text: "Makes a list of parts.\n\n\
        - A **list** is cut into lists of `size` elements; the last may be shorter.\n\
        - A **text** is cut at each `separator`, or into lines when there is none.\n\
        - An **object** gives `{ \"key\", \"value\" }` for each of its fields.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "value": {
                "type": ["array", "string", "object", "null"],
                "description": "What is split. Null gives an empty list."
            },
            "size": {
                "type": "integer", "minimum": 1,
                "description": "For a list: how many elements a chunk has."
            },
            "separator": {
                "type": "string", "minLength": 1,
                "description": "For a text: where it is cut. Without it, at the ends of lines."
            },
            "trim": {
                "type": "boolean", "default": false,
                "description": "For a text: whether spaces around each part are taken away."
            },
            "keepEmpty": {
                "type": "boolean", "default": true,
                "description": "For a text: whether parts without text stay."
            }
        },
        "required": ["value"],
        "additionalProperties": false
    }"#,
    output: r#"{
        "type": "array",
        "items": { "type": ["array", "string", "object"] }
    }"#,
    example: r#"{
        "value": "bug, help wanted,",
        "separator": ",",
        "trim": true,
        "keepEmpty": false
    }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Split;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input {
    value: Value,
    size: Option<Count>,
    separator: Option<String>,
    #[serde(default)]
    trim: bool,
    keep_empty: Option<bool>,
}

impl Compute for Split {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(mut input: Input) -> Result<Value> {
        match std::mem::take(&mut input.value) {
            Value::Null => Ok(json!([])),
            Value::Array(list) => chunks(list, input.size),
            Value::String(text) => parts(&text, &input),
            Value::Object(map) => Ok(entries(map)),
            other => Err(wrong_kind("value", &other, "a list, a text or an object")),
        }
    }
}

fn chunks(list: Vec<Value>, size: Option<Count>) -> Result<Value> {
    let size = needed(size, "size", "a list is split into chunks of that many")?.0;
    if size == 0 {
        return Err(Error::invalid("size is 0").hint("Say how many elements a chunk has."));
    }
    let mut rest = list.into_iter();
    let chunks = std::iter::from_fn(|| {
        let chunk: Vec<Value> = rest.by_ref().take(size).collect();
        (!chunk.is_empty()).then_some(Value::Array(chunk))
    });
    Ok(chunks.collect())
}

fn parts(text: &str, input: &Input) -> Result<Value> {
    let parts: Vec<&str> = match input.separator.as_deref() {
        Some("") => {
            return Err(Error::invalid("separator is empty")
                .hint("Say where the text is cut, or leave it out to cut into lines."));
        }
        Some(separator) => text.split(separator).collect(),
        None => text.lines().collect(),
    };
    let trimmed = parts.into_iter().map(|part| if input.trim { part.trim() } else { part });
    let keep_empty = input.keep_empty.unwrap_or(true);
    Ok(trimmed.filter(|part| keep_empty || !part.is_empty()).map(Value::from).collect())
}

fn entries(map: Map<String, Value>) -> Value {
    map.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::actions::tests::{fails, gives};

    #[test]
    fn each_kind_is_split_in_its_way() {
        gives(
            "data.split",
            &[
                (json!({ "value": [1, 2, 3], "size": 2 }), json!([[1, 2], [3]])),
                (json!({ "value": [1, 2], "size": 9 }), json!([[1, 2]])),
                (json!({ "value": [], "size": 2.0 }), json!([])),
                (json!({ "value": "a\nb\r\n\nc\n" }), json!(["a", "b", "", "c"])),
                (json!({ "value": "a, b,,", "separator": "," }), json!(["a", " b", "", ""])),
                (
                    json!({
                        "value": " a,  ,b ", "separator": ",", "trim": true, "keepEmpty": false,
                    }),
                    json!(["a", "b"]),
                ),
                (json!({ "value": "", "separator": "," }), json!([""])),
                (json!({ "value": "" }), json!([])),
                (
                    json!({ "value": { "b": 1, "a": null } }),
                    json!([{ "key": "b", "value": 1 }, { "key": "a", "value": null }]),
                ),
                (json!({ "value": null }), json!([])),
            ],
        );
    }

    #[test]
    fn what_cannot_be_split_is_told() {
        fails(
            "data.split",
            &[
                (json!({ "value": [1] }), "size is missing"),
                (json!({ "value": [1], "size": 0 }), "size is 0"),
                (json!({ "value": "a", "separator": "" }), "separator is empty"),
                (json!({ "value": 7 }), "value is a number"),
                (json!({}), "missing field `value`"),
            ],
        );
    }
}
