//! `data.xml`: XML as JSON, and back.

mod name;
mod read;
mod write;

use devrig_core::Result;
use serde::Deserialize;
use serde_json::Value;

use crate::action::{About, Effect};
use crate::actions::compute::Compute;
use crate::actions::input::needed;

const ABOUT: About = About {
    name: "data.xml",
    title: "XML",
    text: "Reads and writes XML. An element is a field named as it is:\n\n\
        - with nothing but text, its value is the text; empty, an empty text\n\
        - with attributes or elements inside, it is an object: attributes are fields that begin \
        with `@`, its own text is `#text`\n\
        - elements of the same name beside each other are a list; with `lists` those names are a \
        list also where there is only one\n\n\
        So `<a x=\"1\"><b>2</b><b/></a>` is `{ \"a\": { \"@x\": \"1\", \"b\": [\"2\", \"\"] } }`. \
        Prefixes stay part of names. Comments and instructions are left out, and so is the place \
        of text between elements. Entities that the document declares are not read, and nothing \
        is ever fetched.\n\n\
        `write` takes an object with one field, the root.",
    effect: Effect::Pure,
    idempotent: true,
    input: r##"{
        "type": "object",
        "properties": {
            "operation": { "enum": ["parse", "write"], "description": "What is done." },
            "text": { "type": "string", "description": "For `parse`: the document." },
            "value": { "type": "object", "description": "For `write`: the root in a field." },
            "lists": {
                "type": ["array", "string"], "items": { "type": "string" }, "default": [],
                "description": "For `parse`: names that are always a list, such as `item`."
            },
            "numbers": {
                "type": "boolean", "default": false,
                "description": "For `parse`: whether plain numbers become numbers."
            },
            "trim": {
                "type": "boolean", "default": true,
                "description": "For `parse`: whether text loses the spaces around it."
            },
            "indent": {
                "type": "boolean", "default": true,
                "description": "For `write`: whether each element begins a line."
            },
            "declaration": {
                "type": "boolean", "default": true,
                "description": "For `write`: whether the text begins with `<?xml …?>`."
            }
        },
        "required": ["operation"],
        "additionalProperties": false
    }"##,
    output: r#"{ "type": ["string", "object"], "minProperties": 1, "maxProperties": 1 }"#,
    example: r#"{
        "operation": "parse",
        "text": "<feed><entry id=\"1\"><title>Tom &amp; co</title></entry></feed>",
        "lists": ["entry"]
    }"#,
    typical_ms: 2,
    raw: &[],
};

pub(super) struct Xml;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    operation: Operation,
    text: Option<String>,
    value: Option<Value>,
    #[serde(default)]
    lists: crate::actions::input::OneOrMany<String>,
    #[serde(default)]
    numbers: bool,
    trim: Option<bool>,
    indent: Option<bool>,
    declaration: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Operation {
    Parse,
    Write,
}

impl Compute for Xml {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        match input.operation {
            Operation::Parse => {
                let text = needed(input.text, "text", "it is what is parsed")?;
                let lists = input.lists.into_vec().into_iter().collect();
                let trim = input.trim.unwrap_or(true);
                read::read(&text, read::Style { lists, numbers: input.numbers, trim })
            }
            Operation::Write => {
                let value = needed(input.value, "value", "it is what is written")?;
                let indent = input.indent.unwrap_or(true);
                write::write(&value, indent, input.declaration.unwrap_or(true))
            }
        }
    }
}

#[cfg(test)]
mod tests;
