//! `crypto.base64`: Base64, both ways.

use devrig_core::Result;
use serde::Deserialize;
use serde_json::Value;

use super::bytes::{Encoding, to_base64};
use crate::action::{About, Effect};
use crate::actions::compute::Compute;

const ABOUT: About = About {
    name: "crypto.base64",
    title: "Base64",
    text: "Encodes a text as Base64, or decodes it. Encoding gives `=` at the end and, with \
        `url`, the characters that addresses can hold and no `=`. Decoding takes either, with or \
        without `=`, and line ends between.\n\n\
        Bytes that are no text are given and taken as `hex`.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "operation": { "enum": ["encode", "decode"], "description": "What is done." },
            "text": { "type": "string", "description": "What is encoded or decoded." },
            "bytes": {
                "enum": ["text", "hex"], "default": "text",
                "description": "How the bytes stand that are encoded, or come of decoding."
            },
            "url": {
                "type": "boolean", "default": false,
                "description": "For `encode`: whether the result can stand in an address."
            }
        },
        "required": ["operation", "text"],
        "additionalProperties": false
    }"#,
    output: r#"{ "type": "string" }"#,
    example: r#"{ "operation": "encode", "text": "user:pass" }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Base64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    operation: Operation,
    text: String,
    #[serde(default)]
    bytes: Encoding,
    #[serde(default)]
    url: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Operation {
    Encode,
    Decode,
}

impl Compute for Base64 {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let text = match input.operation {
            Operation::Encode => to_base64(&input.bytes.decode(&input.text, "text")?, input.url),
            Operation::Decode => {
                input.bytes.encode(Encoding::Base64.decode(&input.text, "text")?)?
            }
        };
        Ok(text.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::actions::tests::{fails, gives};

    #[test]
    fn both_ways_and_both_alphabets() {
        let encode =
            |text: &str, url: bool| json!({ "operation": "encode", "text": text, "url": url });
        let decode = |text: &str| json!({ "operation": "decode", "text": text });
        gives(
            "crypto.base64",
            &[
                (encode("user:pass", false), json!("dXNlcjpwYXNz")),
                (encode("??>", false), json!("Pz8+")),
                (encode("??>?", true), json!("Pz8-Pw")),
                (encode("??>?", false), json!("Pz8+Pw==")),
                (encode("", false), json!("")),
                (decode("Pz8+Pw=="), json!("??>?")),
                (decode("Pz8-Pw"), json!("??>?")),
                (decode(" Pz8-\nPw "), json!("??>?")),
                (json!({ "operation": "decode", "text": "/w==", "bytes": "hex" }), json!("ff")),
                (json!({ "operation": "encode", "text": "ff", "bytes": "hex" }), json!("/w==")),
            ],
        );
        fails(
            "crypto.base64",
            &[(decode("a"), "text is not Base64"), (decode("/w=="), "the bytes are no text")],
        );
    }
}
