//! `data.dedupe`: each element once.

use std::collections::HashSet;

use devrig_core::Result;
use devrig_expr::{Path, View};
use serde::Deserialize;
use serde_json::Value;

use crate::action::{About, Effect};
use crate::actions::compute::Compute;
use crate::actions::identity::{identity, identity_of};
use crate::actions::input::{OneOrMany, list_or_none, paths};

const ABOUT: About = About {
    name: "data.dedupe",
    title: "Remove duplicates",
    text: "Gives each element of a list once. Elements are the same when they are equal as a \
        whole, or, with `by`, when all of those paths hold equal values. `keep` says whether the \
        first or the last of the same is kept; the order stays.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "items": {
                "type": ["array", "null"],
                "description": "The list. Null counts as empty."
            },
            "by": {
                "type": ["string", "array"],
                "items": { "type": "string" },
                "description": "Paths in each element, such as `id`; without any, the whole.",
                "default": []
            },
            "keep": {
                "enum": ["first", "last"], "default": "first",
                "description": "Which one of the same is kept."
            }
        },
        "required": ["items"],
        "additionalProperties": false
    }"#,
    output: r#"{ "type": "array" }"#,
    example: r#"{
        "items": [{ "id": 1, "v": "a" }, { "id": 2, "v": "b" }, { "id": 1, "v": "c" }],
        "by": "id",
        "keep": "last"
    }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Dedupe;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    items: Value,
    #[serde(default)]
    by: OneOrMany<String>,
    #[serde(default)]
    keep: Keep,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Keep {
    #[default]
    First,
    Last,
}

impl Compute for Dedupe {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let mut items = list_or_none(input.items, "items")?;
        let by = paths(input.by, "by")?;
        if input.keep == Keep::Last {
            items.reverse();
        }
        let mut seen = HashSet::new();
        items.retain(|item| seen.insert(key(item, &by)));
        if input.keep == Keep::Last {
            items.reverse();
        }
        Ok(Value::Array(items))
    }
}

fn key(item: &Value, by: &[Path]) -> String {
    let item = View::of(item);
    if by.is_empty() { identity(item) } else { identity_of(by.iter().map(|path| path.get(item))) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::actions::tests::{fails, gives};

    #[test]
    fn each_is_kept_once() {
        let rows = json!([{ "a": { "b": 1 }, "n": 1 }, { "n": 2 }, { "a": { "b": 1.0 }, "n": 3 },
            { "a": null, "n": 4 }, 5]);
        gives(
            "data.dedupe",
            &[
                (json!({ "items": [1, "1", 1.0, null, null] }), json!([1, "1", null])),
                (
                    json!({ "items": [{ "a": 1, "b": 2 }, { "b": 2, "a": 1 }] }),
                    json!([{ "a": 1, "b": 2 }]),
                ),
                (
                    json!({ "items": rows, "by": "a.b" }),
                    json!([{ "a": { "b": 1 }, "n": 1 }, { "n": 2 }]),
                ),
                (
                    json!({ "items": rows, "by": ["a.b"], "keep": "last" }),
                    json!([{ "a": { "b": 1.0 }, "n": 3 }, 5]),
                ),
                (json!({ "items": rows, "by": ["a.b", "n"] }), rows.clone()),
                (json!({ "items": null }), json!([])),
            ],
        );
    }

    #[test]
    fn bad_paths_are_told() {
        fails(
            "data.dedupe",
            &[(json!({ "items": [], "by": ["a", "["] }), "by[1]: the path \"[\"")],
        );
    }
}
