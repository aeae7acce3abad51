//! `data.filter`: what a condition holds for.

use devrig_core::{Context, Error, Result};
use devrig_expr::{Answers, Condition, Data, Verdict};
use serde::Deserialize;
use serde_json::Value;

use crate::action::{About, Effect};
use crate::actions::bounds::Deadline;
use crate::actions::compute::Compute;
use crate::actions::input::wrong_kind;

const ABOUT: About = About {
    name: "data.filter",
    title: "Filter",
    text: "Gives the elements of a list, or the fields of an object, for which a condition holds. \
        The condition is written as everywhere, and sees `item`, the element or the field's value; \
        `index`, its place counted from 0; and of an object `key`, the field's name. Values from \
        elsewhere go in as literals: `{ \"type\": \"literal\", \"value\": \
        \"{{trigger.payload.user}}\" }`.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "items": {
                "type": ["array", "object", "null"],
                "description": "What is filtered. Null counts as an empty list."
            },
            "condition": {
                "type": "object",
                "description": "What holds for those that are kept."
            }
        },
        "required": ["items", "condition"],
        "additionalProperties": false
    }"#,
    output: r#"{ "type": ["array", "object"] }"#,
    example: r#"{
        "items": [{ "title": "a", "comments": 3 }, { "title": "b", "comments": 0 }],
        "condition": {
            "type": "compare",
            "left": { "type": "context", "path": "item.comments" },
            "operator": "gt",
            "right": { "type": "literal", "value": 0 }
        }
    }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Filter;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    items: Value,
    condition: Value,
}

impl Compute for Filter {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let filter = Each::new(&input.condition)?;
        match input.items {
            Value::Null => Ok(Value::Array(Vec::new())),
            Value::Array(list) => filter.list(list),
            Value::Object(map) => {
                let mut kept = serde_json::Map::new();
                for (index, (key, item)) in map.into_iter().enumerate() {
                    if filter.holds(&item, index, Some(&key))? {
                        kept.insert(key, item);
                    }
                }
                Ok(Value::Object(kept))
            }
            other => Err(wrong_kind("items", &other, "a list or an object")),
        }
    }
}

/// The condition, for each element.
struct Each {
    condition: Condition,
    deadline: Deadline,
}

impl Each {
    fn new(condition: &Value) -> Result<Self> {
        let condition = Condition::parse(condition).context("condition")?;
        for reference in condition.references() {
            // What is not there is never equal to anything, so a slip would only keep nothing.
            if !matches!(reference.path.root(), Some("item" | "index" | "key")) {
                let message = format!("condition: {}: only item is known here", reference.place);
                return Err(Error::invalid(message)
                    .hint("Begin the path with item, index or key; others go in as literals."));
            }
        }
        Ok(Self { condition, deadline: Deadline::new("filtering") })
    }

    fn list(&self, list: Vec<Value>) -> Result<Value> {
        let mut kept = Vec::new();
        for (index, item) in list.into_iter().enumerate() {
            if self.holds(&item, index, None)? {
                kept.push(item);
            }
        }
        Ok(Value::Array(kept))
    }

    fn holds(&self, item: &Value, index: usize, key: Option<&str>) -> Result<bool> {
        self.deadline.check()?;
        let fields = [("item", Data::from(item)), ("index", Data::from(index))];
        let key = key.map(|key| ("key", Data::from(key)));
        let data = Data::object(fields.into_iter().chain(key));
        match self.condition.evaluate(&data, &Answers::default()) {
            Verdict::True => Ok(true),
            Verdict::False => Ok(false),
            Verdict::Ask(_) => Err(Error::invalid(
                "condition: plugins and the inbox cannot be asked for each element",
            )
            .hint("Loop over the list with a condition node.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::actions::tests::{fails, gives};

    fn compare(path: &str, operator: &str, value: Value) -> Value {
        json!({
            "type": "compare",
            "left": { "type": "context", "path": path },
            "operator": operator,
            "right": { "type": "literal", "value": value },
        })
    }

    fn filter(items: Value, condition: Value) -> Value {
        json!({ "items": items, "condition": condition })
    }

    #[test]
    fn elements_and_fields_are_kept_where_it_holds() {
        let rows = json!([{ "n": 1, "l": ["a"] }, { "n": "1" }, { "n": 3, "l": ["b"] }, 7, null]);
        let fields = json!({ "z": 1, "a": 2, "m": 3 });
        gives(
            "data.filter",
            &[
                (
                    filter(rows.clone(), compare("item.n", "gte", json!(1))),
                    json!([{ "n": 1, "l": ["a"] }, { "n": 3, "l": ["b"] }]),
                ),
                (
                    filter(rows.clone(), compare("item.l[0]", "eq", json!("b"))),
                    json!([{ "n": 3, "l": ["b"] }]),
                ),
                (
                    filter(rows.clone(), compare("index", "lt", json!(2))),
                    json!([{ "n": 1, "l": ["a"] }, { "n": "1" }]),
                ),
                (
                    filter(
                        rows,
                        json!({
                            "type": "not",
                            "condition": {
                                "type": "exists",
                                "ref": { "type": "context", "path": "item.n" },
                            },
                        }),
                    ),
                    json!([7, null]),
                ),
                (
                    filter(fields.clone(), compare("item", "gt", json!(1))),
                    json!({ "a": 2, "m": 3 }),
                ),
                (
                    filter(fields.clone(), compare("key", "gt", json!("b"))),
                    json!({ "z": 1, "m": 3 }),
                ),
                (filter(fields, compare("index", "eq", json!(0))), json!({ "z": 1 })),
                (filter(json!(null), compare("item", "eq", json!(0))), json!([])),
            ],
        );
    }

    #[test]
    fn conditions_that_cannot_be_decided_here_are_told() {
        let custom = json!({ "type": "custom", "pluginId": "p", "functionName": "f", "args": [] });
        let secret = json!({ "type": "exists", "ref": { "type": "secret", "key": "k" } });
        fails(
            "data.filter",
            &[
                (filter(json!([1]), custom), "plugins and the inbox cannot be asked"),
                (filter(json!([]), secret), "condition: ref"),
                (filter(json!([]), compare("trigger.x", "eq", json!(1))), "condition: left"),
                (filter(json!([]), compare("item..x", "eq", json!(1))), "condition: left.path"),
                (filter(json!([]), json!({ "type": "no" })), "condition: type"),
                (filter(json!("a"), compare("item", "eq", json!(1))), "items is text"),
            ],
        );
    }
}
