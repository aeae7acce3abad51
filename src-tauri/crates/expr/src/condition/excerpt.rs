//! As much of a value as a person wants to see.

use serde_json::{Map, Value};

use crate::view::{MASK, View};

const LONGEST_TEXT: usize = 200;
const MOST: usize = 20;
const DEEPEST: usize = 4;

/// A copy without secrets, cut where it gets long.
pub(super) fn excerpt(view: View<'_>) -> Value {
    cut(view, DEEPEST)
}

fn cut(view: View<'_>, depth: usize) -> Value {
    match view {
        View::Text(text) => Value::String(clip(text)),
        View::Secret(_) => Value::String(MASK.to_owned()),
        View::List(list) => cut_list(list, depth),
        View::Map(map) => {
            cut_fields(map.iter().map(|(name, value)| (&**name, View::of(value))), depth)
        }
        View::Object(object) => cut_fields(object.iter(), depth),
        plain => plain.to_value(),
    }
}

fn cut_list(list: &[Value], depth: usize) -> Value {
    if depth == 0 && !list.is_empty() {
        return Value::String("[…]".to_owned());
    }
    let shown = list.iter().take(MOST).map(|value| cut(View::of(value), depth - 1));
    let more = (list.len() > MOST).then(|| Value::String(more(list.len())));
    Value::Array(shown.chain(more).collect())
}

fn cut_fields<'v>(
    fields: impl ExactSizeIterator<Item = (&'v str, View<'v>)>,
    depth: usize,
) -> Value {
    let count = fields.len();
    if depth == 0 && count > 0 {
        return Value::String("{…}".to_owned());
    }
    let mut shown: Map<String, Value> =
        fields.take(MOST).map(|(name, view)| (clip(name), cut(view, depth - 1))).collect();
    if count > MOST {
        shown.insert("…".to_owned(), Value::String(more(count)));
    }
    Value::Object(shown)
}

fn more(count: usize) -> String {
    format!("… and {} more", count - MOST)
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A literal within a sentence.
pub(super) fn one_line(view: View<'_>) -> String {
    let text = excerpt(view).to_string();
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
