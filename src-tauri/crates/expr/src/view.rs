//! What stands at one place of the data, and how two such things compare.

use std::fmt;

use devrig_core::Sensitive;
use serde_json::{Map, Value};

use crate::data::Object;
use crate::number::Number;

/// Stands where a secret may not be seen.
pub const MASK: &str = "[redacted]";

/// What stands at one place of the data. Copying it copies nothing of the data.
#[derive(Clone, Copy)]
pub enum View<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(&'a str),
    /// Reads as text, and shows as [`MASK`] where a person looks.
    Secret(&'a Sensitive<String>),
    List(&'a [Value]),
    Map(&'a Map<String, Value>),
    Object(&'a Object<'a>),
}

impl<'a> View<'a> {
    pub fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Self::Number(Number::of(number)),
            Value::String(text) => Self::Text(text),
            Value::Array(list) => Self::List(list),
            Value::Object(map) => Self::Map(map),
        }
    }

    /// The field of an object.
    pub fn field(self, name: &str) -> Option<View<'a>> {
        match self {
            Self::Map(map) => map.get(name).map(View::of),
            Self::Object(object) => object.get(name),
            _ => None,
        }
    }

    /// The element of a list, counted from 0.
    pub fn element(self, index: usize) -> Option<View<'a>> {
        match self {
            Self::List(list) => list.get(index).map(View::of),
            _ => None,
        }
    }

    /// Text and secrets, both in clear.
    pub fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Secret(secret) => Some(secret.expose()),
            _ => None,
        }
    }

    /// The fields of an object, in their order; nothing of anything else.
    pub fn fields(self) -> Vec<(&'a str, View<'a>)> {
        match self {
            Self::Map(map) => map.iter().map(|(name, value)| (&**name, View::of(value))).collect(),
            Self::Object(object) => object.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// As `{{#if}}` sees it: not false, null, zero, empty text or an empty list.
    pub fn is_something(self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(flag) => flag,
            Self::Number(number) => !number.is_zero(),
            Self::List(list) => !list.is_empty(),
            Self::Map(_) | Self::Object(_) => true,
            Self::Text(text) => !text.is_empty(),
            Self::Secret(secret) => !secret.expose().is_empty(),
        }
    }

    pub(crate) fn is_zero(self) -> bool {
        matches!(self, Self::Number(number) if number.is_zero())
    }

    /// What it is, for a sentence.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) | Self::Secret(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) | Self::Object(_) => "an object",
        }
    }

    /// A copy, secrets in clear.
    pub fn to_value(self) -> Value {
        self.copy(|secret| secret.expose().clone())
    }

    /// A copy for eyes and for plugins: each secret is [`MASK`].
    pub fn to_masked_value(self) -> Value {
        self.copy(|_| MASK.to_owned())
    }

    fn copy(self, reveal: fn(&Sensitive<String>) -> String) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(flag),
            Self::Number(number) => number.to_json(),
            Self::Text(text) => Value::String(text.to_owned()),
            Self::Secret(secret) => Value::String(reveal(secret)),
            Self::List(list) => Value::Array(list.to_vec()),
            Self::Map(map) => Value::Object(map.clone()),
            Self::Object(object) => Value::Object(
                object.iter().map(|(name, view)| (name.to_owned(), view.copy(reveal))).collect(),
            ),
        }
    }

    /// About how much a copy of it takes: one for each value and for each 64 bytes of text.
    pub(crate) fn weight(self) -> usize {
        let mut weight = 0;
        let mut left = vec![self];
        while let Some(view) = left.pop() {
            weight += 1 + view.text().map_or(0, |text| text.len() / 64);
            match view {
                View::List(list) => left.extend(list.iter().map(View::of)),
                View::Map(map) => left.extend(map.values().map(View::of)),
                View::Object(object) => left.extend(object.iter().map(|(_, view)| view)),
                _ => {}
            }
        }
        weight
    }

    /// Equal in kind and content; a number never equals its text.
    pub fn same(self, other: View<'_>) -> bool {
        self.same_counting(other).0
    }

    /// As [`View::same`], and how many values were looked at.
    pub(crate) fn same_counting(self, other: View<'_>) -> (bool, usize) {
        let mut looks = 0;
        let same = same(self, other, DEEPEST, &mut looks);
        (same, looks)
    }
}

/// Deeper than any JSON that was read from text, and shallow enough for a small stack.
const DEEPEST: usize = 300;

fn same(a: View<'_>, b: View<'_>, depth: usize, looks: &mut usize) -> bool {
    *looks += 1;
    match (a, b) {
        (View::Null, View::Null) => true,
        (View::Bool(a), View::Bool(b)) => a == b,
        (View::Number(a), View::Number(b)) => a == b,
        (View::List(a), View::List(b)) => same_lists(a, b, depth, looks),
        (View::Map(_) | View::Object(_), View::Map(_) | View::Object(_)) => {
            same_objects(a, b, depth, looks)
        }
        _ => a.text().is_some_and(|text| b.text() == Some(text)),
    }
}

fn same_lists(a: &[Value], b: &[Value], depth: usize, looks: &mut usize) -> bool {
    depth > 0
        && a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| same(View::of(a), View::of(b), depth - 1, looks))
}

fn same_objects(a: View<'_>, b: View<'_>, depth: usize, looks: &mut usize) -> bool {
    let fields = a.fields();
    let count = match b {
        View::Map(map) => map.len(),
        View::Object(object) => object.len(),
        _ => return false,
    };
    let mut equal = |(name, value): &(&str, View<'_>)| {
        b.field(name).is_some_and(|other| same(*value, other, depth - 1, looks))
    };
    depth > 0 && fields.len() == count && fields.iter().all(&mut equal)
}

/// Without the text of secrets, so that a log cannot hold one.
impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_masked_value())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::data::Data;

    #[test]
    fn sameness_is_strict_in_kind_and_exact_in_numbers() {
        let same = |a: Value, b: Value| View::of(&a).same(View::of(&b));
        assert!(same(json!([1, { "a": null }]), json!([1.0, { "a": null }])));
        assert!(same(json!({ "a": 1, "b": 2 }), json!({ "b": 2, "a": 1 })));
        assert!(!same(json!(1), json!("1")));
        assert!(!same(json!(null), json!(false)));
        assert!(!same(json!({ "a": 1 }), json!({ "b": 1 })));
        let data = Data::object([("a", Data::from("x"))]);
        assert!(data.view().same(View::of(&json!({ "a": "x" }))));
    }

    #[test]
    fn what_is_deeper_than_any_json_is_not_followed() {
        let deep = || (0..5_000).fold(json!(1), |inner, _| Value::Array(vec![inner]));
        let (a, b) = (deep(), deep());
        assert!(!View::of(&a).same(View::of(&b)), "the comparison gives up");
        // serde_json frees nested values by recursion, which is the test's own trouble.
        std::mem::forget((a, b));
    }
}
