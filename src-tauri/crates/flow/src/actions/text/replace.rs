//! `text.replace`: a text with something else in it.

use std::borrow::Cow;

use devrig_core::Result;
use regex::{Captures, escape};
use serde::Deserialize;
use serde_json::Value;

use super::pattern::{Flags, compile};
use crate::action::{About, Effect};
use crate::actions::bounds::{Deadline, MOST_BYTES, Text, output_too_large};
use crate::actions::compute::Compute;

const ABOUT: About = About {
    name: "text.replace",
    title: "Replace in text",
    text: "Replaces what a regular expression finds. In `with`, `$1` and `${name}` stand for what \
        the groups found, and `$$` for a dollar sign. With `literal` both are taken as they are.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "text": { "type": "string", "description": "Where it is replaced." },
            "pattern": { "type": "string", "description": "What is replaced." },
            "with": { "type": "string", "default": "", "description": "What comes in its place." },
            "literal": {
                "type": "boolean", "default": false,
                "description": "Whether `pattern` is a plain text."
            },
            "first": {
                "type": "boolean", "default": false,
                "description": "Whether only the first one is replaced."
            },
            "ignoreCase": {
                "type": "boolean", "default": false,
                "description": "Whether `a` finds `A`."
            },
            "lines": {
                "type": "boolean", "default": false,
                "description": "Whether `^` and `$` are the ends of each line, not of the text."
            }
        },
        "required": ["text", "pattern"],
        "additionalProperties": false
    }"#,
    output: r#"{ "type": "string" }"#,
    example: r#"{
        "text": "Released 2026-11-20",
        "pattern": "(\\d+)-(\\d+)-(\\d+)",
        "with": "$3.$2.$1"
    }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Replace;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input {
    text: String,
    pattern: String,
    #[serde(default)]
    with: String,
    #[serde(default)]
    literal: bool,
    #[serde(default)]
    first: bool,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    lines: bool,
}

impl Compute for Replace {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let flags = Flags { ignore_case: input.ignore_case, lines: input.lines };
        let text = if input.literal { escape(&input.pattern) } else { input.pattern.clone() };
        let pattern = compile(&text, flags)?;
        let most = if input.first { 1 } else { usize::MAX };
        let deadline = Deadline::new("matching the pattern");
        let (mut replaced, mut end) = (Text::new(), 0);
        for found in pattern.captures_iter(&input.text).take(most) {
            deadline.check()?;
            let whole = found.get_match();
            replaced.push(&input.text[end..whole.start()])?;
            replaced.push(&instead(&input, &found)?)?;
            end = whole.end();
        }
        replaced.push(&input.text[end..])?;
        Ok(replaced.into_value())
    }
}

fn instead<'i>(input: &'i Input, found: &Captures<'_>) -> Result<Cow<'i, str>> {
    if input.literal {
        return Ok(Cow::Borrowed(&input.with));
    }
    // No group is longer than the whole, so what comes of it is known to fit before it is made.
    let references = input.with.matches('$').count();
    if references.saturating_mul(found.get_match().len()) > MOST_BYTES {
        return Err(output_too_large());
    }
    let mut text = String::new();
    found.expand(&input.with, &mut text);
    Ok(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::actions::tests::{fails, gives};

    #[test]
    fn what_is_found_is_replaced() {
        let text = "a.b A.b";
        let of = |pattern: &str, with: &str, literal: bool, first: bool| {
            json!({
                "text": text, "pattern": pattern, "with": with, "literal": literal, "first": first,
            })
        };
        gives(
            "text.replace",
            &[
                (of(r"(\w)\.(?<x>b)", "${x}-$1", false, false), json!("b-a b-A")),
                (of(".", "$0$", true, false), json!("a$0$b A$0$b")),
                (of(".", "_", false, true), json!("_.b A.b")),
                (of("z", "_", false, false), json!("a.b A.b")),
                (of("b", "$$ $none.", false, false), json!("a.$ . A.$ .")),
                (json!({ "text": "aXbx", "pattern": "x", "ignoreCase": true }), json!("ab")),
                (
                    json!({ "text": "a\nb", "pattern": "^", "with": "> ", "lines": true }),
                    json!("> a\n> b"),
                ),
                (json!({ "text": "é", "pattern": "", "with": "-" }), json!("-é-")),
            ],
        );
    }

    #[test]
    fn what_explodes_is_stopped() {
        let text = "x".repeat(100_000);
        fails(
            "text.replace",
            &[
                (
                    json!({ "text": text, "pattern": ".+", "with": "$0".repeat(1_000) }),
                    "larger than 16 MB",
                ),
                (json!({ "text": text, "pattern": "x", "with": text }), "larger than 16 MB"),
                (
                    json!({ "text": text, "pattern": "(?s).+", "with": "$0".repeat(100_000) }),
                    "larger than 16 MB",
                ),
                (json!({ "text": text, "pattern": "[" }), "pattern: unclosed character class"),
            ],
        );
    }
}
