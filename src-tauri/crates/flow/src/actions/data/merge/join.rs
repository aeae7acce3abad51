//! Two lists of objects, matched by equal values.

use std::collections::HashMap;

use devrig_core::Result;
use devrig_expr::{Path, View};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::actions::bounds::Room;
use crate::actions::identity::identity;
use crate::actions::input::{list_or_none, needed, object, path};

/// What becomes of objects without a match.
#[derive(Deserialize, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Join {
    #[default]
    Inner,
    Left,
    Outer,
    Unmatched,
}

/// What the lists are matched by.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum On {
    Both(String),
    Each { left: String, right: String },
}

impl On {
    fn paths(&self) -> Result<(Path, Path)> {
        match self {
            Self::Both(text) => path(text, "on").map(|path| (path.clone(), path)),
            Self::Each { left, right } => Ok((path(left, "on.left")?, path(right, "on.right")?)),
        }
    }
}

pub(super) fn join([left, right]: [Value; 2], how: Join, on: Option<On>) -> Result<Value> {
    let (left_path, right_path) =
        needed(on, "on", "a join matches two lists by the value at a path")?.paths()?;
    let right = Side::new(right, &right_path)?;
    let mut joined = Joined { rows: Vec::new(), room: Room::for_output() };
    let mut used = vec![false; right.rows.len()];
    for (at, row) in list_or_none(left, "inputs[0]")?.into_iter().enumerate() {
        let row = object(row, format_args!("inputs[0][{at}]"))?;
        let matches = key(&row, &left_path).and_then(|key| right.by_key.get(&key));
        let matches = matches.map_or(&[][..], Vec::as_slice);
        matches.iter().for_each(|index| used[*index] = true);
        joined.add(row, matches, &right.rows, how)?;
    }
    if how == Join::Outer {
        let rest = right.rows.into_iter().zip(used).filter(|(_, used)| !used);
        joined.rows.extend(rest.map(|(row, _)| Value::Object(row)));
    }
    Ok(Value::Array(joined.rows))
}

/// The list that is looked into for each element of the other.
struct Side {
    rows: Vec<Map<String, Value>>,
    by_key: HashMap<String, Vec<usize>>,
}

impl Side {
    fn new(list: Value, path: &Path) -> Result<Self> {
        let mut side = Self { rows: Vec::new(), by_key: HashMap::new() };
        for (at, row) in list_or_none(list, "inputs[1]")?.into_iter().enumerate() {
            let row = object(row, format_args!("inputs[1][{at}]"))?;
            if let Some(key) = key(&row, path) {
                side.by_key.entry(key).or_default().push(at);
            }
            side.rows.push(row);
        }
        Ok(side)
    }
}

/// Nothing where there is no value: two objects without one have nothing in common.
fn key(row: &Map<String, Value>, path: &Path) -> Option<String> {
    let found = path.get(View::Map(row)).filter(|found| !matches!(found, View::Null));
    found.map(identity)
}

struct Joined {
    rows: Vec<Value>,
    room: Room,
}

impl Joined {
    fn add(
        &mut self,
        row: Map<String, Value>,
        matches: &[usize],
        right: &[Map<String, Value>],
        how: Join,
    ) -> Result<()> {
        if matches.is_empty() && how != Join::Inner {
            self.rows.push(Value::Object(row));
        } else if how != Join::Unmatched {
            for index in matches {
                let mut both = row.clone();
                both.extend(right[*index].clone());
                let both = Value::Object(both);
                self.room.take_value(&both)?;
                self.rows.push(both);
            }
        }
        Ok(())
    }
}
