//! `data.set`: an object with some fields set.

mod place;

use devrig_core::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::action::{About, Effect};
use crate::actions::compute::Compute;
use crate::actions::input;

const ABOUT: About = About {
    name: "data.set",
    title: "Set fields",
    text: "Sets fields of an object and gives the object. A field is named by its path: \
        `author.name`, `labels[0]`, `headers[\"content type\"]`.\n\n\
        - What is missing on the way becomes an object; `[0]` where nothing is yet begins a list, \
        and the number after the last adds to one.\n\
        - With `keep` (the default) the other fields of `from` stay, otherwise only what `fields` \
        names is given.\n\
        - `remove` takes fields away, after the others are set.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "fields": {
                "type": "object",
                "description": "Values by path. They are set in their order.",
                "default": {}
            },
            "from": {
                "type": ["object", "null"],
                "description": "The object to begin with; without it an empty one.",
                "default": {}
            },
            "keep": {
                "type": "boolean",
                "description": "Whether the other fields of `from` stay.",
                "default": true
            },
            "remove": {
                "type": ["array", "string"],
                "items": { "type": "string" },
                "description": "Paths of what is taken away. What is not there is no error.",
                "default": []
            }
        },
        "additionalProperties": false
    }"#,
    output: r#"{ "type": "object" }"#,
    example: r#"{
        "from": { "title": "Fix the login", "author": { "name": "mona", "id": 7 } },
        "fields": { "author.team": "web", "labels[0]": "bug" },
        "remove": ["author.id"]
    }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Set;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    #[serde(default)]
    fields: Map<String, Value>,
    from: Option<Map<String, Value>>,
    #[serde(default = "yes")]
    keep: bool,
    #[serde(default)]
    remove: input::OneOrMany<String>,
}

fn yes() -> bool {
    true
}

impl Compute for Set {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let from = input.from.filter(|_| input.keep).unwrap_or_default();
        let mut object = Value::Object(from);
        for (text, value) in input.fields {
            let path = input::path(&text, "fields")?;
            place::set(&mut object, &path, value).context("fields")?;
        }
        for path in input::paths(input.remove, "remove")? {
            place::remove(&mut object, &path);
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::actions::tests::{fails, gives};

    #[test]
    fn fields_are_set_where_their_paths_lead() {
        gives(
            "data.set",
            &[
                (json!({}), json!({})),
                (json!({ "fields": { "a.b": 1, "a.c": 2 } }), json!({ "a": { "b": 1, "c": 2 } })),
                (json!({ "fields": { "a[0].b": 1 } }), json!({ "a": [{ "b": 1 }] })),
                (json!({ "fields": { "counts.404": 1 } }), json!({ "counts": { "404": 1 } })),
                (json!({ "fields": { "[\"a.b\"]": 1 } }), json!({ "a.b": 1 })),
                (
                    json!({ "from": { "a": [1, 2] }, "fields": { "a[1]": 9, "a[2]": 3 } }),
                    json!({ "a": [1, 9, 3] }),
                ),
                (
                    json!({ "from": { "a": null, "b": 1 }, "fields": { "a.c": { "d": null } } }),
                    json!({ "a": { "c": { "d": null } }, "b": 1 }),
                ),
                (
                    json!({ "from": { "a": 1 }, "keep": false, "fields": { "b": 2 } }),
                    json!({ "b": 2 }),
                ),
                (json!({ "from": null, "fields": { "b": 2 } }), json!({ "b": 2 })),
            ],
        );
    }

    #[test]
    fn the_order_of_fields_stays() {
        gives(
            "data.set",
            &[(
                json!({ "from": { "z": 1, "a": { "y": 1, "b": 2 }, "m": 3 }, "remove": "a.y" }),
                json!({ "z": 1, "a": { "b": 2 }, "m": 3 }),
            )],
        );
        let object = crate::actions::tests::run(
            "data.set",
            json!({
                "from": { "z": 1, "a": 2, "m": 3 }, "remove": ["z", "no.such", "a[0]", "m.x"],
            }),
        );
        assert_eq!(object.unwrap().to_string(), r#"{"a":2,"m":3}"#);
    }

    #[test]
    fn removing_from_a_list_closes_the_gap() {
        gives(
            "data.set",
            &[(
                json!({ "from": { "a": [1, 2, 3] }, "remove": ["a[1]", "a[9]"] }),
                json!({ "a": [1, 3] }),
            )],
        );
    }

    #[test]
    fn what_cannot_be_set_is_told_with_its_place() {
        fails(
            "data.set",
            &[
                (json!({ "fields": { "": 1 } }), "the path is empty"),
                (json!({ "fields": { "a..b": 1 } }), "column 3"),
                (json!({ "from": { "a": "x" }, "fields": { "a.b": 1 } }), "a is text"),
                (json!({ "from": { "a": [1] }, "fields": { "a[2]": 1 } }), "a has 1"),
                (json!({ "from": { "a": [1] }, "fields": { "a.x": 1 } }), "a is a list"),
                (json!({ "from": 1 }), "of another kind"),
                (json!({ "form": {} }), "unknown field `form`"),
            ],
        );
    }
}
