//! `data.sort`: a list in order.

use std::cmp::Ordering;

use devrig_core::Result;
use devrig_expr::{Path, View};
use serde::Deserialize;
use serde_json::Value;

use crate::action::{About, Effect};
use crate::actions::compute::Compute;
use crate::actions::input::{OneOrMany, few, list_or_none, path};
use crate::actions::order::{Rank, Style};

const ABOUT: About = About {
    name: "data.sort",
    title: "Sort",
    text: "Sorts a list by the values at paths in its elements; later paths decide where earlier \
        ones are equal. Without any path the elements themselves are compared.\n\n\
        Numbers come before texts, then booleans, lists and objects; what is null or missing is \
        last whichever way is sorted. Equal elements keep their order. Texts are compared letter \
        by letter as Unicode has them, so times in ISO 8601 come in the order of time.",
    effect: Effect::Pure,
    idempotent: true,
    input: r##"{
        "type": "object",
        "properties": {
            "items": {
                "type": ["array", "null"],
                "description": "The list. Null counts as empty."
            },
            "by": {
                "type": ["string", "array", "object"],
                "items": { "$ref": "#/$defs/key" },
                "description": "A path, or a list of paths, each with its own order if need be.",
                "default": []
            },
            "order": {
                "enum": ["ascending", "descending"], "default": "ascending",
                "description": "For all paths that have none of their own."
            },
            "ignoreCase": {
                "type": "boolean", "default": false,
                "description": "Whether `B` and `b` are equal."
            },
            "numeric": {
                "type": "boolean", "default": false,
                "description": "Whether texts that hold a number count as that number."
            }
        },
        "required": ["items"],
        "additionalProperties": false,
        "$defs": {
            "key": {
                "type": ["string", "object"],
                "properties": {
                    "path": { "type": "string" },
                    "order": { "enum": ["ascending", "descending"] }
                },
                "required": ["path"],
                "additionalProperties": false
            }
        }
    }"##,
    output: r#"{ "type": "array" }"#,
    example: r#"{
        "items": [
            { "repo": "b", "stars": 3 },
            { "repo": "a", "stars": 3 },
            { "repo": "c", "stars": 9 }
        ],
        "by": [{ "path": "stars", "order": "descending" }, "repo"]
    }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Sort;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input {
    items: Value,
    #[serde(default)]
    by: OneOrMany<By>,
    #[serde(default)]
    order: Order,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    numeric: bool,
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum By {
    Path(String),
    Ordered { path: String, order: Option<Order> },
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Ascending,
    Descending,
}

struct Key {
    path: Path,
    order: Order,
}

impl Compute for Sort {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let items = list_or_none(input.items, "items")?;
        let style = Style { ignore_case: input.ignore_case, numeric: input.numeric };
        let keys = keys(input.by, input.order)?;
        let order = sorted(&items, &keys, style);
        Ok(Value::Array(arrange(items, &order)))
    }
}

fn keys(by: OneOrMany<By>, order: Order) -> Result<Vec<Key>> {
    let by = few(by.into_vec(), "by")?;
    if by.is_empty() {
        return Ok(vec![Key { path: Path::default(), order }]);
    }
    let key = |(at, by): (usize, By)| {
        let (text, own) = match by {
            By::Path(path) => (path, None),
            By::Ordered { path, order } => (path, order),
        };
        let path = path(&text, format_args!("by[{at}]"))?;
        Ok(Key { path, order: own.unwrap_or(order) })
    };
    by.into_iter().enumerate().map(key).collect()
}

/// Where each place of the sorted list comes from.
fn sorted(items: &[Value], keys: &[Key], style: Style) -> Vec<usize> {
    let rank = |item| {
        let get = |key: &Key| Rank::of(key.path.get(View::of(item)), style);
        keys.iter().map(get).collect()
    };
    let ranks: Vec<Vec<Rank<'_>>> = items.iter().map(rank).collect();
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|a, b| compare(&ranks[*a], &ranks[*b], keys));
    order
}

fn compare(a: &[Rank<'_>], b: &[Rank<'_>], keys: &[Key]) -> Ordering {
    let pairs = a.iter().zip(b).zip(keys);
    let orderings = pairs.map(|((a, b), key)| match key.order {
        Order::Ascending => a.compare(b),
        Order::Descending => a.compare_descending(b),
    });
    orderings.fold(Ordering::Equal, Ordering::then)
}

fn arrange(mut items: Vec<Value>, order: &[usize]) -> Vec<Value> {
    order.iter().map(|index| items[*index].take()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::actions::tests::{fails, gives};

    #[test]
    fn paths_decide_one_after_the_other() {
        let items = json!([
            { "n": 2, "t": "b" }, { "n": 1, "t": "b" }, { "t": "a" }, { "n": null, "t": "c" },
            { "n": 2, "t": "a" }, { "n": "1", "t": "z" },
        ]);
        gives(
            "data.sort",
            &[
                (
                    json!({ "items": items, "by": "n" }),
                    json!([
                        { "n": 1, "t": "b" }, { "n": 2, "t": "b" }, { "n": 2, "t": "a" },
                        { "n": "1", "t": "z" }, { "t": "a" }, { "n": null, "t": "c" },
                    ]),
                ),
                (
                    json!({ "items": items, "by": [{ "path": "n", "order": "descending" }, "t"] }),
                    json!([
                        { "n": "1", "t": "z" }, { "n": 2, "t": "a" }, { "n": 2, "t": "b" },
                        { "n": 1, "t": "b" }, { "t": "a" }, { "n": null, "t": "c" },
                    ]),
                ),
            ],
        );
    }

    #[test]
    fn elements_themselves_are_sorted_without_paths() {
        gives(
            "data.sort",
            &[
                (json!({ "items": [3, "a", null, 1] }), json!([1, 3, "a", null])),
                (
                    json!({ "items": [3, "a", null, 1], "order": "descending" }),
                    json!(["a", 3, 1, null]),
                ),
                (json!({ "items": ["10", "9"], "numeric": true }), json!(["9", "10"])),
                (json!({ "items": ["b", "B", "a"], "ignoreCase": true }), json!(["a", "b", "B"])),
                (json!({ "items": null }), json!([])),
                (json!({ "items": [2, 1], "by": { "path": "" } }), json!([1, 2])),
            ],
        );
    }

    #[test]
    fn bad_keys_are_told() {
        fails(
            "data.sort",
            &[
                (json!({ "items": [], "by": ["a", { "path": "." }] }), "by[1]: the path"),
                (json!({ "items": [], "by": vec!["a"; 51] }), "more than 50"),
                (json!({ "items": {} }), "items is an object"),
            ],
        );
    }
}
