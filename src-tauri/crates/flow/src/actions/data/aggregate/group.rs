//! Elements with the same values at some paths.

use std::collections::HashMap;

use devrig_core::{Error, Result};
use devrig_expr::{Path, View};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::actions::identity::identity_of;
use crate::actions::input::{OneOrMany, few, path};

/// A path that groups, and how its field is named.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub(super) enum By {
    Path(String),
    Named {
        path: String,
        #[serde(rename = "as")]
        name: Option<String>,
    },
}

pub(super) struct Key {
    path: Path,
    name: String,
}

/// The elements of a group by their places, and what they have in common.
pub(super) struct Group {
    pub key: Map<String, Value>,
    pub items: Vec<usize>,
}

/// `taken` are the names of the figures, which stand in the same object.
pub(super) fn keys(by: OneOrMany<By>, taken: &[&str]) -> Result<Vec<Key>> {
    let mut keys: Vec<Key> = Vec::new();
    for (at, by) in few(by.into_vec(), "groupBy")?.into_iter().enumerate() {
        let key = key(by, at)?;
        if taken.contains(&key.name.as_str()) || keys.iter().any(|other| other.name == key.name) {
            return Err(Error::invalid(format!(
                "groupBy[{at}]: two fields are named {:?}",
                key.name
            ))
            .hint("Name one of them otherwise: { \"path\": …, \"as\": … }."));
        }
        keys.push(key);
    }
    Ok(keys)
}

fn key(by: By, at: usize) -> Result<Key> {
    let (text, name) = match by {
        By::Path(path) => (path, None),
        By::Named { path, name } => (path, name),
    };
    let path = path(&text, format_args!("groupBy[{at}]"))?;
    let last = path.steps().last().map_or("value", |step| step.name()).to_owned();
    Ok(Key { name: name.unwrap_or(last), path })
}

/// In the order in which they first appear.
pub(super) fn groups(items: &[Value], keys: &[Key]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places = HashMap::new();
    for (at, item) in items.iter().enumerate() {
        let item = View::of(item);
        let identity = identity_of(keys.iter().map(|key| key.path.get(item)));
        let place = *places.entry(identity).or_insert_with(|| {
            groups.push(Group { key: values(item, keys), items: Vec::new() });
            groups.len() - 1
        });
        groups[place].items.push(at);
    }
    groups
}

fn values(item: View<'_>, keys: &[Key]) -> Map<String, Value> {
    let value = |key: &Key| key.path.get(item).map_or(Value::Null, View::to_value);
    keys.iter().map(|key| (key.name.clone(), value(key))).collect()
}
