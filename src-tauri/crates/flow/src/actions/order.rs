//! The order of values of any kind: numbers, texts, booleans, lists, objects, and nulls last.

use std::cmp::Ordering;

use devrig_expr::{Number, View};

/// How texts are compared.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Style {
    pub ignore_case: bool,
    /// Texts that hold a number count as that number.
    pub numeric: bool,
}

/// A value, made ready to be compared many times. What is missing is null.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rank<'a> {
    Number(Number),
    Text(&'a str),
    Folded(String),
    Bool(bool),
    List,
    Object,
    Null,
}

impl<'a> Rank<'a> {
    pub fn of(view: Option<View<'a>>, style: Style) -> Self {
        match view {
            None | Some(View::Null) => Self::Null,
            Some(View::Number(number)) => Self::Number(number),
            Some(View::Bool(flag)) => Self::Bool(flag),
            Some(View::List(_)) => Self::List,
            Some(View::Map(_) | View::Object(_)) => Self::Object,
            Some(text) => Self::of_text(text.text().unwrap_or_default(), style),
        }
    }

    fn of_text(text: &'a str, style: Style) -> Self {
        match number(text).filter(|_| style.numeric) {
            Some(number) => Self::Number(number),
            None if style.ignore_case => Self::Folded(text.to_lowercase()),
            None => Self::Text(text),
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) | Self::Folded(_) => 1,
            Self::Bool(_) => 2,
            Self::List => 3,
            Self::Object => 4,
            Self::Null => 5,
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Folded(text) => text,
            _ => "",
        }
    }

    /// Lists are all alike, and so are objects: whoever sorts keeps their order.
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            _ => self.kind().cmp(&other.kind()).then_with(|| self.text().cmp(other.text())),
        }
    }

    /// As [`Rank::compare`] the other way round, with nulls last all the same.
    pub fn compare_descending(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, _) | (_, Self::Null) => self.compare(other),
            _ => other.compare(self),
        }
    }
}

/// The number that a text holds, spaces around it aside.
pub(super) fn number(text: &str) -> Option<Number> {
    let number: serde_json::Number = text.trim().parse().ok()?;
    match View::of(&serde_json::Value::Number(number)) {
        View::Number(number) => Some(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn sorted(list: Value, style: Style, descending: bool) -> Value {
        let mut list = list.as_array().unwrap().clone();
        list.sort_by(|a, b| {
            let rank = |value| Rank::of(Some(View::of(value)), style);
            // The closure's borrow ends with the comparison.
            if descending {
                rank(a).compare_descending(&rank(b))
            } else {
                rank(a).compare(&rank(b))
            }
        });
        Value::Array(list)
    }

    #[test]
    fn kinds_have_an_order_and_nulls_are_last_both_ways() {
        let mixed = json!([null, {}, "b", true, [1], 10, "a", false, 9.5]);
        let plain = Style::default();
        assert_eq!(
            sorted(mixed.clone(), plain, false),
            json!([9.5, 10, "a", "b", false, true, [1], {}, null])
        );
        assert_eq!(
            sorted(mixed, plain, true),
            json!([{}, [1], true, false, "b", "a", 10, 9.5, null])
        );
    }

    #[test]
    fn styles_change_how_texts_compare() {
        let style = |ignore_case, numeric| Style { ignore_case, numeric };
        let texts = json!(["b", "A", "10", "9", " 8 "]);
        assert_eq!(
            sorted(texts.clone(), style(false, false), false),
            json!([" 8 ", "10", "9", "A", "b"])
        );
        assert_eq!(
            sorted(texts.clone(), style(false, true), false),
            json!([" 8 ", "9", "10", "A", "b"])
        );
        assert_eq!(
            sorted(json!(["b", "A", "a"]), style(true, false), false),
            json!(["A", "a", "b"])
        );
    }
}
