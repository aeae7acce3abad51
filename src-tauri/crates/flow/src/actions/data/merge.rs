//! `data.merge`: several lists or objects become one.

mod join;

use devrig_core::{Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::action::{About, Effect};
use crate::actions::compute::Compute;
use crate::actions::input::{list_or_none, object};
use join::{Join, On};

const ABOUT: About = About {
    name: "data.merge",
    title: "Merge",
    text: "Makes one of several `inputs`. Null among them is left out, as a step that did not run \
        gives it.\n\n\
        - `append`: the lists one after the other.\n\
        - `shallow`: one object with the fields of all; of the same field the last one counts.\n\
        - `deep`: as shallow, but objects in fields are merged too. Lists are replaced, or with \
        `lists: \"append\"` put one after the other.\n\
        - `join`: two lists of objects, matched where the values at `on` are equal. Each match \
        gives an object with the fields of both, the second's where both have one. `join` says \
        what becomes of those without a match: `inner` leaves them out, `left` keeps those of the \
        first list, `outer` keeps all, and `unmatched` gives only those of the first list that \
        have none. What has no value at the path matches nothing.",
    effect: Effect::Pure,
    idempotent: true,
    input: r##"{
        "type": "object",
        "properties": {
            "inputs": {
                "type": "array",
                "items": { "type": ["array", "object", "null"] },
                "description": "What is merged: lists, or objects."
            },
            "mode": {
                "enum": ["append", "shallow", "deep", "join"],
                "description": "How it is merged."
            },
            "lists": {
                "enum": ["replace", "append"], "default": "replace",
                "description": "For `deep`: what becomes of two lists in the same field."
            },
            "join": {
                "enum": ["inner", "left", "outer", "unmatched"], "default": "inner",
                "description": "For `join`: what becomes of objects without a match."
            },
            "on": {
                "type": ["string", "object"],
                "properties": {
                    "left": { "type": "string" },
                    "right": { "type": "string" }
                },
                "required": ["left", "right"],
                "additionalProperties": false,
                "description": "For `join`: the path that is matched by, or one for each list."
            }
        },
        "required": ["inputs", "mode"],
        "additionalProperties": false
    }"##,
    output: r#"{ "type": ["array", "object"] }"#,
    example: r#"{
        "mode": "join",
        "join": "left",
        "inputs": [
            [{ "pull": 1, "author": "mona" }, { "pull": 2, "author": "hubot" }],
            [{ "login": "mona", "team": "web" }]
        ],
        "on": { "left": "author", "right": "login" }
    }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Merge;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    inputs: Vec<Value>,
    mode: Mode,
    #[serde(default)]
    lists: Lists,
    #[serde(default)]
    join: Join,
    on: Option<On>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Append,
    Shallow,
    Deep,
    Join,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Lists {
    #[default]
    Replace,
    Append,
}

impl Compute for Merge {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        match input.mode {
            Mode::Append => append(input.inputs),
            Mode::Shallow => fold(input.inputs, Map::extend),
            Mode::Deep => fold(input.inputs, |all, next| merge_fields(all, next, input.lists)),
            Mode::Join => {
                let inputs: [Value; 2] =
                    input.inputs.try_into().map_err(|inputs: Vec<Value>| {
                        Error::invalid(format!("join takes two lists, not {}", inputs.len()))
                            .hint("Join the first two, and the third with what that gives.")
                    })?;
                join::join(inputs, input.join, input.on)
            }
        }
    }
}

fn append(inputs: Vec<Value>) -> Result<Value> {
    let mut all = Vec::new();
    for (at, input) in inputs.into_iter().enumerate() {
        all.append(&mut list_or_none(input, format_args!("inputs[{at}]"))?);
    }
    Ok(Value::Array(all))
}

fn fold(inputs: Vec<Value>, add: impl Fn(&mut Fields, Fields)) -> Result<Value> {
    let mut all = Fields::new();
    for (at, input) in inputs.into_iter().enumerate() {
        if !input.is_null() {
            add(&mut all, object(input, format_args!("inputs[{at}]"))?);
        }
    }
    Ok(Value::Object(all))
}

type Fields = Map<String, Value>;

/// As deep as both are, which is bounded.
fn merge_fields(into: &mut Fields, from: Fields, lists: Lists) {
    for (name, value) in from {
        match into.get_mut(&name) {
            Some(present) => merge_value(present, value, lists),
            None => {
                into.insert(name, value);
            }
        }
    }
}

fn merge_value(present: &mut Value, value: Value, lists: Lists) {
    match (present, value) {
        (Value::Object(into), Value::Object(from)) => merge_fields(into, from, lists),
        (Value::Array(into), Value::Array(mut from)) if lists == Lists::Append => {
            into.append(&mut from);
        }
        (present, value) => *present = value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::actions::tests::{fails, gives};

    #[test]
    fn lists_and_objects_are_merged() {
        let both =
            json!([{ "a": { "x": [1], "y": 1 }, "b": 1 }, null, { "a": { "x": [2] }, "b": [] }]);
        gives(
            "data.merge",
            &[
                (json!({ "mode": "append", "inputs": [[1], null, [[2], 1]] }), json!([1, [2], 1])),
                (json!({ "mode": "append", "inputs": [] }), json!([])),
                (
                    json!({ "mode": "shallow", "inputs": both }),
                    json!({ "a": { "x": [2] }, "b": [] }),
                ),
                (
                    json!({ "mode": "deep", "inputs": both }),
                    json!({ "a": { "x": [2], "y": 1 }, "b": [] }),
                ),
                (
                    json!({ "mode": "deep", "inputs": both, "lists": "append" }),
                    json!({ "a": { "x": [1, 2], "y": 1 }, "b": [] }),
                ),
                (json!({ "mode": "deep", "inputs": [] }), json!({})),
                (
                    json!({ "mode": "deep", "inputs": [{ "a": { "b": 1 } }, { "a": null }] }),
                    json!({ "a": null }),
                ),
            ],
        );
    }

    #[test]
    fn lists_are_joined_by_equal_values() {
        let left = json!([{ "k": 1, "l": "a" }, { "k": 2, "l": "b" }, { "k": null, "l": "c" }]);
        let right = json!([
            { "k": 1.0, "r": "x" }, { "k": 3, "r": "y" }, { "k": 1, "r": "z" }, { "r": "none" },
        ]);
        let by = |join: &str| {
            json!({
                "mode": "join", "join": join, "on": "k", "inputs": [left, right],
            })
        };
        let matched = json!([{ "k": 1.0, "l": "a", "r": "x" }, { "k": 1, "l": "a", "r": "z" }]);
        let with = |rest: serde_json::Value| {
            json!([matched.as_array().unwrap().clone(), rest.as_array().unwrap().clone()].concat())
        };
        gives(
            "data.merge",
            &[
                (by("inner"), matched.clone()),
                (by("left"), with(json!([{ "k": 2, "l": "b" }, { "k": null, "l": "c" }]))),
                (
                    by("outer"),
                    with(json!([
                        { "k": 2, "l": "b" }, { "k": null, "l": "c" },
                        { "k": 3, "r": "y" }, { "r": "none" },
                    ])),
                ),
                (by("unmatched"), json!([{ "k": 2, "l": "b" }, { "k": null, "l": "c" }])),
            ],
        );
    }

    #[test]
    fn each_list_can_have_its_own_path() {
        let on = json!({ "left": "user.id", "right": "id" });
        gives(
            "data.merge",
            &[(
                json!({
                    "mode": "join", "on": on,
                    "inputs": [[{ "user": { "id": 7 } }], [{ "id": 7, "name": "mona" }]],
                }),
                json!([{ "user": { "id": 7 }, "id": 7, "name": "mona" }]),
            )],
        );
    }

    #[test]
    fn what_cannot_be_merged_is_told_with_its_place() {
        fails(
            "data.merge",
            &[
                (
                    json!({ "mode": "append", "inputs": [[], {}] }),
                    "inputs[1] is an object, not a list",
                ),
                (
                    json!({ "mode": "deep", "inputs": [{}, []] }),
                    "inputs[1] is a list, not an object",
                ),
                (
                    json!({ "mode": "join", "inputs": [[], [], []], "on": "a" }),
                    "takes two lists, not 3",
                ),
                (json!({ "mode": "join", "inputs": [[], []] }), "on is missing"),
                (
                    json!({ "mode": "join", "inputs": [[], {}], "on": "a" }),
                    "inputs[1] is an object",
                ),
                (
                    json!({ "mode": "join", "inputs": [[{}, 5], []], "on": "a" }),
                    "inputs[0][1] is a number",
                ),
                (json!({ "mode": "join", "inputs": [[], []], "on": "a." }), "on: the path"),
            ],
        );
    }

    #[test]
    fn a_join_that_explodes_is_stopped() {
        let row = json!({ "k": 1, "text": "x".repeat(1_000) });
        let rows = vec![row; 1_000];
        fails(
            "data.merge",
            &[(
                json!({ "mode": "join", "on": "k", "inputs": [rows, rows] }),
                "the output is larger than 16 MB",
            )],
        );
    }
}
