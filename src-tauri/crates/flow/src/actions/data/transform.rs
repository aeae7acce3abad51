//! `data.transform`: what an expression makes of a value.

use devrig_core::{Context, Result};
use devrig_expr::{Data, JmesPath, JsonPath, Limits, Options, Template};
use serde::Deserialize;
use serde_json::Value;

use crate::action::{About, Effect};
use crate::actions::bounds::{Deadline, MOST_BYTES, Room};
use crate::actions::compute::Compute;
use crate::actions::input::list_or_none;

const ABOUT: About = About {
    name: "data.transform",
    title: "Transform",
    text: "Gives what an expression makes of a value.\n\n\
        - `jsonpath` (RFC 9535): `$.items[?@.state == 'open'].title` gives a list of all that is \
        found; with `first` the first of it, or null\n\
        - `jmespath`: `items[?state == 'open'].{title: title, by: author.name}` gives what it \
        says\n\
        - `template`: `{{upper title}}` gives a text, or the value where the template is one \
        single expression. It sees the fields of the value, and the whole as `this`. As every \
        text of a config is a template itself, write it between `{{{{raw}}}}` and \
        `{{{{/raw}}}}`.\n\n\
        With `each` the value is a list, and the expression is used on each element.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "value": { "description": "What is transformed." },
            "language": {
                "enum": ["jsonpath", "jmespath", "template"],
                "description": "What the expression is written in."
            },
            "expression": { "type": "string", "description": "What is made of the value." },
            "first": {
                "type": "boolean", "default": false,
                "description": "For `jsonpath`: whether only the first that is found is given."
            },
            "each": {
                "type": "boolean", "default": false,
                "description": "Whether the value is a list, whose elements are transformed."
            }
        },
        "required": ["value", "language", "expression"],
        "additionalProperties": false
    }"#,
    output: "{}",
    example: r#"{
        "value": { "items": [{ "id": 1, "state": "open" }, { "id": 2, "state": "closed" }] },
        "language": "jsonpath",
        "expression": "$.items[?@.state == 'open'].id"
    }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Transform;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    value: Value,
    language: Language,
    expression: String,
    #[serde(default)]
    first: bool,
    #[serde(default)]
    each: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Language {
    JsonPath,
    JmesPath,
    Template,
}

impl Compute for Transform {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let expression = Expression::compile(&input).context("expression")?;
        let mut room = Room::for_output();
        if !input.each {
            return expression.apply(&input.value, &mut room);
        }
        let deadline = Deadline::new("transforming each");
        let list = list_or_none(input.value, "value")?;
        let apply = |(at, item)| {
            deadline.check()?;
            expression.apply(item, &mut room).context(format_args!("value[{at}]"))
        };
        list.iter().enumerate().map(apply).collect()
    }
}

enum Expression {
    JsonPath { path: JsonPath, first: bool },
    JmesPath(JmesPath),
    Template(Template),
}

impl Expression {
    fn compile(input: &Input) -> Result<Self> {
        let text = &input.expression;
        let limits = Limits { output: MOST_BYTES, ..Limits::default() };
        Ok(match input.language {
            Language::JsonPath => {
                Self::JsonPath { path: JsonPath::parse(text)?, first: input.first }
            }
            Language::JmesPath => Self::JmesPath(JmesPath::parse(text)?),
            Language::Template => {
                Self::Template(Template::compile(text, Options { limits, ..Options::default() })?)
            }
        })
    }

    fn apply(&self, value: &Value, room: &mut Room) -> Result<Value> {
        match self {
            Self::JsonPath { path, first } => found(&path.query(value)?, *first, room),
            Self::JmesPath(path) => weighed(path.search(value)?, room),
            Self::Template(template) => weighed(template.value(&Data::from(value))?, room),
        }
    }
}

/// What is found can lie within one another, so that the copies are larger than the whole.
fn found(found: &[&Value], first: bool, room: &mut Room) -> Result<Value> {
    let mut copy = |value: &&Value| {
        room.take_value(value)?;
        Ok((*value).clone())
    };
    match (first, found.first()) {
        (true, value) => value.map_or(Ok(Value::Null), copy),
        (false, _) => found.iter().map(&mut copy).collect(),
    }
}

fn weighed(value: Value, room: &mut Room) -> Result<Value> {
    room.take_value(&value)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::actions::tests::{fails, gives};

    fn transform(value: Value, language: &str, expression: &str) -> Value {
        json!({ "value": value, "language": language, "expression": expression })
    }

    fn with(mut config: Value, flag: &str) -> Value {
        config[flag] = json!(true);
        config
    }

    #[test]
    fn every_language_sees_the_value() {
        let value = || json!({ "items": [{ "n": 1, "t": "a" }, { "n": 2, "t": "b" }] });
        let path = || transform(value(), "jsonpath", "$.items[?@.n > 0].t");
        gives(
            "data.transform",
            &[
                (path(), json!(["a", "b"])),
                (with(path(), "first"), json!("a")),
                (transform(value(), "jsonpath", "$.none"), json!([])),
                (with(transform(value(), "jsonpath", "$.none"), "first"), json!(null)),
                (transform(value(), "jmespath", "items[?n > `1`].t | [0]"), json!("b")),
                (transform(value(), "jmespath", "none"), json!(null)),
                (transform(value(), "template", "{{items.[1].n}}"), json!(2)),
                (transform(value(), "template", "{{#each items}}{{t}};{{/each}}"), json!("a;b;")),
                (transform(json!("x"), "template", "<{{upper this}}>"), json!("<X>")),
                (transform(json!(null), "template", "plain"), json!("plain")),
            ],
        );
    }

    #[test]
    fn each_element_is_transformed() {
        let list = || json!([{ "n": 1 }, { "n": [2] }, 3]);
        gives(
            "data.transform",
            &[
                (with(transform(list(), "template", "{{n}}"), "each"), json!([1, [2], null])),
                (with(transform(list(), "jmespath", "n"), "each"), json!([1, [2], null])),
                (with(transform(list(), "jsonpath", "$.n"), "each"), json!([[1], [[2]], []])),
                (with(transform(json!(null), "template", "{{n}}"), "each"), json!([])),
            ],
        );
    }

    #[test]
    fn what_cannot_be_transformed_is_told_with_its_place() {
        let parsed = |expression| with(transform(json!([1, "x"]), "jmespath", expression), "each");
        fails(
            "data.transform",
            &[
                (transform(json!(1), "jsonpath", "a"), "expression: column 1"),
                (transform(json!(1), "jmespath", "a["), "expression: column"),
                (transform(json!(1), "template", "{{#if}}"), "expression: line 1"),
                (transform(json!(1), "template", "{{nothing x}}"), "expression: line 1"),
                (parsed("abs(@)"), "value[1]: column"),
                (with(transform(json!(1), "template", "x"), "each"), "value is a number"),
            ],
        );
    }

    #[test]
    fn what_explodes_is_stopped() {
        let text = "x".repeat(100_000);
        let value = (0..80).fold(json!(text), |inner, _| json!({ "a": inner }));
        let loops = "{{#each this}}{{#each @root}}{{@root}}{{/each}}{{/each}}";
        fails(
            "data.transform",
            &[
                (transform(json!([value, value, value]), "jsonpath", "$..*"), "larger than 16 MB"),
                (transform(json!(vec![text; 30]), "template", loops), "data.transform: "),
            ],
        );
    }
}
