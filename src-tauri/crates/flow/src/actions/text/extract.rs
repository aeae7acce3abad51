//! `text.extract`: what a pattern finds in a text.

use devrig_core::Result;
use regex::{Captures, Match, Regex};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::pattern::{Flags, compile};
use crate::action::{About, Effect};
use crate::actions::bounds::{Deadline, Room};
use crate::actions::compute::Compute;

const ABOUT: About = About {
    name: "text.extract",
    title: "Extract from text",
    text: "Finds a regular expression in a text. What is found is an object: `match` is the whole, \
        `groups` what stands in parentheses in their order, and `named` what stands in \
        `(?<name>…)`. A group that had no part is null. Without `all` the first is given, or null \
        when there is none; with `all` a list.\n\n\
        The syntax is that of Rust's regex crate, which has no look-around and no references back.",
    effect: Effect::Pure,
    idempotent: true,
    input: r##"{
        "type": "object",
        "properties": {
            "text": { "type": "string", "description": "Where it is looked for." },
            "pattern": {
                "type": "string",
                "description": "The regular expression, such as `#(?<number>\\d+)`."
            },
            "all": {
                "type": "boolean", "default": false,
                "description": "Whether all that is found is given, in a list."
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
    }"##,
    output: r##"{
        "type": ["object", "null", "array"],
        "items": { "type": "object" }
    }"##,
    example: r##"{
        "text": "Fixes #12, see also #7",
        "pattern": "#(?<number>\\d+)",
        "all": true
    }"##,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Extract;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input {
    text: String,
    pattern: String,
    #[serde(default)]
    all: bool,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    lines: bool,
}

impl Compute for Extract {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let flags = Flags { ignore_case: input.ignore_case, lines: input.lines };
        let pattern = compile(&input.pattern, flags)?;
        let most = if input.all { usize::MAX } else { 1 };
        let deadline = Deadline::new("matching the pattern");
        let mut room = Room::for_output();
        let mut all = Vec::new();
        for found in pattern.captures_iter(&input.text).take(most) {
            deadline.check()?;
            room.take(weight(&pattern, &found))?;
            all.push(describe(&pattern, &found));
        }
        Ok(if input.all { Value::Array(all) } else { all.pop().unwrap_or_default() })
    }
}

/// Each group repeats a part of the text, so this is known before anything is copied.
fn weight(pattern: &Regex, found: &Captures<'_>) -> usize {
    let parts: usize = found.iter().flatten().map(|part| part.len()).sum();
    let names: usize = pattern.capture_names().flatten().map(|name| name.len() + 8).sum();
    2 * parts + names + 8 * found.len() + 32
}

fn describe(pattern: &Regex, found: &Captures<'_>) -> Value {
    let value = |part: Option<Match<'_>>| part.map_or(Value::Null, |part| part.as_str().into());
    let groups: Vec<Value> = found.iter().skip(1).map(value).collect();
    let names = pattern.capture_names().flatten();
    let named: Map<String, Value> =
        names.map(|name| (name.to_owned(), value(found.name(name)))).collect();
    json!({ "match": value(found.get(0)), "groups": groups, "named": named })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::actions::tests::{fails, gives};

    #[test]
    fn groups_are_given_by_number_and_name() {
        let text = "v1.2.0 and\nV3.4";
        let pattern = r"^v(?<major>\d+)\.(\d+)(?:\.(?<patch>\d+))?";
        let first = json!({
            "match": "v1.2.0",
            "groups": ["1", "2", "0"],
            "named": { "major": "1", "patch": "0" },
        });
        let second = json!({
            "match": "V3.4",
            "groups": ["3", "4", null],
            "named": { "major": "3", "patch": null },
        });
        let of = |all: bool, ignore_case: bool, lines: bool| {
            json!({
                "text": text, "pattern": pattern,
                "all": all, "ignoreCase": ignore_case, "lines": lines,
            })
        };
        gives(
            "text.extract",
            &[
                (of(false, false, false), first.clone()),
                (of(true, false, true), json!([first])),
                (of(true, true, true), json!([first, second])),
                (json!({ "text": "x", "pattern": "y" }), json!(null)),
                (json!({ "text": "x", "pattern": "y", "all": true }), json!([])),
                (
                    json!({ "text": "é", "pattern": "", "all": true }),
                    json!(vec![json!({ "match": "", "groups": [], "named": {} }); 2]),
                ),
            ],
        );
    }

    #[test]
    fn bad_patterns_are_told() {
        let of = |pattern: &str| json!({ "text": "", "pattern": pattern });
        fails(
            "text.extract",
            &[
                (of("("), "pattern: unclosed group"),
                (of("(?=a)"), "pattern: look-around"),
                (of(r"(a)\1"), "pattern: backreferences are not supported"),
                (of(r"\w{1,1000}"), "pattern becomes too large"),
                (of(&"a".repeat(2_001)), "pattern is longer than 2000"),
            ],
        );
    }

    #[test]
    fn what_explodes_is_stopped() {
        let pattern = format!("{}x+{}", "(".repeat(9), ")".repeat(9));
        fails(
            "text.extract",
            &[(
                json!({ "text": "x".repeat(1_000_000), "pattern": pattern, "all": true }),
                "the output is larger than 16 MB",
            )],
        );
    }
}
