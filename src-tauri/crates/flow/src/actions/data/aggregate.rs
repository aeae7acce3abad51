//! `data.aggregate`: figures over a list, whole or by groups.

mod figure;
mod group;
mod sum;

use devrig_core::{Error, Result};
use devrig_expr::{Path, View};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::action::{About, Effect};
use crate::actions::bounds::Room;
use crate::actions::compute::Compute;
use crate::actions::input::{OneOrMany, few, list_or_none, path};
use figure::Op;
use group::{By, Group};

const ABOUT: About = About {
    name: "data.aggregate",
    title: "Aggregate",
    text: "Computes figures over a list. `compute` names each figure and says what it is: an \
        `op`, and the `path` in each element that it looks at (without one, the element \
        itself).\n\n\
        - `count`: how many elements there are, or have something at the path\n\
        - `sum`, `avg`, `median`: of numbers\n\
        - `min`, `max`: of numbers or of texts, such as times in ISO 8601\n\
        - `first`, `last`: the value of the first or last element that has one\n\
        - `unique`: the different values, `list`: all values\n\
        - `concat`: the values as one text, with `separator` between (default `, `)\n\n\
        What is null or missing is left out everywhere; of nothing the sum is 0, and `avg`, \
        `median`, `min`, `max`, `first` and `last` are null. Without `groupBy` the figures are \
        given as one object; with it, a list of objects with the values of the group and its \
        figures, in the order in which the groups first appear.",
    effect: Effect::Pure,
    idempotent: true,
    input: r##"{
        "type": "object",
        "properties": {
            "items": {
                "type": ["array", "null"],
                "description": "The list. Null counts as empty."
            },
            "compute": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "properties": {
                        "op": {
                            "enum": [
                                "count", "sum", "avg", "min", "max", "median",
                                "first", "last", "unique", "list", "concat"
                            ]
                        },
                        "path": { "type": "string" },
                        "separator": { "type": "string" }
                    },
                    "required": ["op"],
                    "additionalProperties": false
                },
                "description": "The figures by name."
            },
            "groupBy": {
                "type": ["string", "array", "object"],
                "items": { "$ref": "#/$defs/by" },
                "description": "Paths whose values make a group, named by the last part or `as`.",
                "default": []
            }
        },
        "required": ["items", "compute"],
        "additionalProperties": false,
        "$defs": {
            "by": {
                "type": ["string", "object"],
                "properties": { "path": { "type": "string" }, "as": { "type": "string" } },
                "required": ["path"],
                "additionalProperties": false
            }
        }
    }"##,
    output: r#"{ "type": ["object", "array"], "items": { "type": "object" } }"#,
    example: r#"{
        "items": [
            { "repo": "web", "hours": 2, "author": "mona" },
            { "repo": "api", "hours": 5, "author": "mona" },
            { "repo": "web", "hours": 3.5, "author": "hubot" }
        ],
        "groupBy": "repo",
        "compute": {
            "pulls": { "op": "count" },
            "hours": { "op": "sum", "path": "hours" },
            "authors": { "op": "concat", "path": "author" }
        }
    }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Aggregate;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input {
    items: Value,
    compute: Map<String, Value>,
    #[serde(default)]
    group_by: OneOrMany<By>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    op: Op,
    #[serde(default)]
    path: String,
    separator: Option<String>,
}

struct Figure {
    name: String,
    op: Op,
    path: Path,
    separator: String,
}

impl Compute for Aggregate {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let items = list_or_none(input.items, "items")?;
        let figures = figures(input.compute)?;
        let names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
        let keys = group::keys(input.group_by, &names)?;
        let mut room = Room::for_output();
        if keys.is_empty() {
            let all = Group { key: Map::new(), items: (0..items.len()).collect() };
            return row(all, &items, &figures, &mut room);
        }
        let groups = group::groups(&items, &keys);
        groups.into_iter().map(|group| row(group, &items, &figures, &mut room)).collect()
    }
}

fn figures(wanted: Map<String, Value>) -> Result<Vec<Figure>> {
    let wanted = few(wanted.into_iter().collect(), "compute")?;
    wanted.into_iter().map(|(name, wanted)| figure(name, wanted)).collect()
}

fn figure(name: String, wanted: Value) -> Result<Figure> {
    let wanted: Wanted = serde_json::from_value(wanted).map_err(|_| {
        Error::invalid(format!("compute.{name} is not an op with a path"))
            .hint("Write { \"op\": \"sum\", \"path\": \"hours\" }.")
    })?;
    let path = path(&wanted.path, format_args!("compute.{name}.path"))?;
    let separator = wanted.separator.unwrap_or_else(|| ", ".to_owned());
    Ok(Figure { name, op: wanted.op, path, separator })
}

fn row(group: Group, items: &[Value], figures: &[Figure], room: &mut Room) -> Result<Value> {
    let mut row = group.key;
    for figure in figures {
        let value = compute(figure, &group.items, items)
            .map_err(|error| error.context(format_args!("compute.{}", figure.name)))?;
        room.take_value(&value)?;
        row.insert(figure.name.clone(), value);
    }
    Ok(Value::Object(row))
}

fn compute(figure: &Figure, group: &[usize], items: &[Value]) -> Result<Value> {
    let found: Vec<figure::Found<'_>> = group
        .iter()
        .filter_map(|at| {
            let view = figure.path.get(View::of(&items[*at]))?;
            (!matches!(view, View::Null)).then_some(figure::Found { at: *at, view })
        })
        .collect();
    if figure.op == Op::Count && figure.path.steps().is_empty() {
        return Ok(group.len().into());
    }
    figure.op.apply(&found, &figure.path, &figure.separator)
}

#[cfg(test)]
mod tests;
