//! Parts of configs that many actions share.

use std::fmt::Display;

use devrig_core::{Context, Error, Result};
use devrig_expr::{Path, View};
use serde::Deserialize;
use serde_json::{Map, Value};

/// How many, or the how manieth. A number such as `2.0`, as arithmetic gives it, is fine.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "serde_json::Number")]
pub(super) struct Count(pub usize);

impl TryFrom<serde_json::Number> for Count {
    type Error = &'static str;

    fn try_from(number: serde_json::Number) -> Result<Self, Self::Error> {
        match View::of(&Value::Number(number)) {
            View::Number(number) => number.to_index().map(Self).ok_or("not a count"),
            _ => Err("not a count"),
        }
    }
}

/// A list, or its only element.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<T> OneOrMany<T> {
    pub fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// More than a person would write, and few enough to look each up in every item.
const MOST_PATHS: usize = 50;

/// A path, with the field that it stands in for the error.
pub(super) fn path(text: &str, place: impl Display) -> Result<Path> {
    text.parse().context(format!("{place}: the path {text:?}"))
}

/// As [`path`], for each of a list.
pub(super) fn paths(texts: OneOrMany<String>, place: &str) -> Result<Vec<Path>> {
    let texts = few(texts.into_vec(), place)?;
    texts.iter().enumerate().map(|(at, text)| path(text, format_args!("{place}[{at}]"))).collect()
}

/// Refuses more than are looked up in every item.
pub(super) fn few<T>(list: Vec<T>, place: &str) -> Result<Vec<T>> {
    if list.len() > MOST_PATHS {
        return Err(Error::invalid(format!("{place}: there are more than {MOST_PATHS} of them"))
            .hint("Name the few that decide."));
    }
    Ok(list)
}

/// What is not the kind that an action needs there.
pub(super) fn wrong_kind(place: impl Display, found: &Value, expected: &str) -> Error {
    Error::invalid(format!("{place} is {}, not {expected}", View::of(found).kind()))
}

/// The list that is meant, where null stands for none: a step that did not run gives it.
pub(super) fn list_or_none(value: Value, place: impl Display) -> Result<Vec<Value>> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => Ok(list),
        other => Err(wrong_kind(place, &other, "a list")
            .hint("Give it a list, or write it between brackets: [ … ].")),
    }
}

pub(super) fn object(value: Value, place: impl Display) -> Result<Map<String, Value>> {
    match value {
        Value::Object(map) => Ok(map),
        other => Err(wrong_kind(place, &other, "an object")),
    }
}

/// A field that this use of the action cannot do without.
pub(super) fn needed<T>(field: Option<T>, name: &str, why: &str) -> Result<T> {
    field.ok_or_else(|| {
        Error::invalid(format!("{name} is missing: {why}")).hint(format!("Add {name:?}."))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_are_whole_and_not_negative() {
        let count = |value: Value| serde_json::from_value::<Count>(value).ok().map(|count| count.0);
        assert_eq!(count(json!(3)), Some(3));
        assert_eq!(count(json!(3.0)), Some(3));
        for none in [json!(-1), json!(1.5), json!("3"), json!(1e300), json!(null)] {
            assert_eq!(count(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn a_bad_path_is_told_with_its_field() {
        let list = OneOrMany::Many(vec!["a.b".to_owned(), "a..b".to_owned()]);
        let error = paths(list, "by").unwrap_err();
        assert!(error.message.starts_with("by[1]: the path \"a..b\": column 3"), "{error}");
        let many = OneOrMany::Many(vec!["a".to_owned(); MOST_PATHS + 1]);
        assert!(paths(many, "by").is_err());
    }
}
