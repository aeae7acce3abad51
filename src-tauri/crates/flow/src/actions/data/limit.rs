//! `data.limit`: some of a list.

use devrig_core::Result;
use serde::Deserialize;
use serde_json::Value;

use crate::action::{About, Effect};
use crate::actions::compute::Compute;
use crate::actions::input::{Count, list_or_none};

const ABOUT: About = About {
    name: "data.limit",
    title: "Limit",
    text: "Gives at most `count` elements of a list: the first ones, or with `from: \"end\"` the \
        last ones. `offset` leaves out that many before. The order stays.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "items": {
                "type": ["array", "null"],
                "description": "The list. Null counts as empty."
            },
            "count": { "type": "integer", "minimum": 0, "description": "How many are given." },
            "offset": {
                "type": "integer", "minimum": 0, "default": 0,
                "description": "How many are left out, counted from the same end."
            },
            "from": {
                "enum": ["start", "end"], "default": "start",
                "description": "Whether the first or the last ones are given."
            }
        },
        "required": ["items", "count"],
        "additionalProperties": false
    }"#,
    output: r#"{ "type": "array" }"#,
    example: r#"{ "items": ["a", "b", "c", "d"], "count": 2, "offset": 1 }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Limit;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    items: Value,
    count: Count,
    offset: Option<Count>,
    #[serde(default)]
    from: From,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
enum From {
    #[default]
    Start,
    End,
}

impl Compute for Limit {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let items = list_or_none(input.items, "items")?;
        let offset = input.offset.map_or(0, |offset| offset.0);
        let first = match input.from {
            From::Start => offset,
            From::End => items.len().saturating_sub(offset.saturating_add(input.count.0)),
        };
        let last = match input.from {
            From::Start => offset.saturating_add(input.count.0),
            From::End => items.len().saturating_sub(offset),
        };
        Ok(items.into_iter().take(last).skip(first).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::actions::tests::{fails, gives};

    #[test]
    fn both_ends_can_be_counted_from() {
        let of = |count: u64, offset: u64, from: &str| {
            json!({
                "items": [1, 2, 3, 4], "count": count, "offset": offset, "from": from,
            })
        };
        gives(
            "data.limit",
            &[
                (of(2, 0, "start"), json!([1, 2])),
                (of(2, 1, "start"), json!([2, 3])),
                (of(9, 3, "start"), json!([4])),
                (of(2, 9, "start"), json!([])),
                (of(2, 0, "end"), json!([3, 4])),
                (of(2, 1, "end"), json!([2, 3])),
                (of(9, 3, "end"), json!([1])),
                (of(2, 9, "end"), json!([])),
                (of(0, 0, "end"), json!([])),
                (of(u64::MAX, u64::MAX, "start"), json!([])),
                (of(u64::MAX, 1, "end"), json!([1, 2, 3])),
                (json!({ "items": null, "count": 3 }), json!([])),
            ],
        );
    }

    #[test]
    fn what_is_no_list_is_told() {
        fails(
            "data.limit",
            &[
                (json!({ "items": "abc", "count": 1 }), "items is text, not a list"),
                (json!({ "items": [], "count": -1 }), "of another kind"),
            ],
        );
    }
}
