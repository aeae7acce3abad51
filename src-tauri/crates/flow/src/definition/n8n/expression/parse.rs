//! The small part of JavaScript that only names a value.

use serde_json::Value;

use super::{Meaning, Root};
use crate::definition::n8n::path::{Part, Path};

/// None for everything else.
pub(in crate::definition::n8n) fn parse(
    text: &str,
    place_of: &dyn Fn(&Root) -> Option<Path>,
) -> Option<Meaning> {
    let text = text.trim().trim_end_matches(';').trim_end();
    if let Some(literal) = literal(text) {
        return Some(Meaning::Literal(literal));
    }
    if let Some(inside) = text.strip_prefix("JSON.stringify(").and_then(|t| t.strip_suffix(')')) {
        return Some(Meaning::Json(value(inside.trim(), place_of)?));
    }
    match text.split_once("||").or_else(|| text.split_once("??")) {
        Some((before, after)) => {
            let usual = literal(after.trim())?;
            Some(Meaning::Default(value(before.trim(), place_of)?, in_template(&usual)?))
        }
        None => Some(Meaning::Value(value(text, place_of)?)),
    }
}

fn literal(text: &str) -> Option<Value> {
    let plain = matches!(text, "true" | "false") || text.parse::<i64>().is_ok();
    if let (true, Ok(value)) = (plain, serde_json::from_str(text)) {
        return Some(value);
    }
    ['\'', '"'].into_iter().find_map(|quote| {
        let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inside.contains([quote, '\\', '\n'])).then(|| inside.into())
    })
}

fn in_template(literal: &Value) -> Option<String> {
    match literal {
        Value::String(text) if text.contains(['"', '{', '}']) => None,
        Value::String(text) => Some(format!("\"{text}\"")),
        other => Some(other.to_string()),
    }
}

fn value(text: &str, place_of: &dyn Fn(&Root) -> Option<Path>) -> Option<Path> {
    let mut cursor = Cursor { rest: text };
    let root = cursor.root()?;
    let parts = cursor.parts()?;
    cursor.rest.is_empty().then(|| Some(place_of(&root)?.then(parts)))?
}

struct Cursor<'a> {
    rest: &'a str,
}

/// Roots that stand for themselves. The later n8n name of a thing comes first.
const FIXED: [(&str, &str); 7] = [
    ("$now.toISO()", "run.startedAt"),
    ("$now", "run.startedAt"),
    ("$workflow.id", "flow.id"),
    ("$workflow.name", "flow.name"),
    ("$execution.id", "run.id"),
    ("$env", "env"),
    ("$vars", "variables"),
];

/// Ways to say "the item that belongs to this one"; here there is one output, so all are the same.
const ITEMS: [&str; 6] = [".item", ".first()", ".last()", ".all()[0]", ".itemMatching(0)", "[0]"];

impl<'a> Cursor<'a> {
    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// The same, but not of a longer name.
    fn take_word(&mut self, word: &str) -> bool {
        let longer = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let whole = self.rest.strip_prefix(word).is_some_and(|rest| !longer(rest));
        whole && self.take(word)
    }

    fn root(&mut self) -> Option<Root> {
        if self.take_word("$json") {
            return Some(Root::Input);
        }
        if self.take_word("$input") {
            return self.item_json().then_some(Root::Input);
        }
        if self.take("$(") {
            let name = self.quoted()?;
            return (self.take(")") && self.item_json()).then_some(Root::Step(name));
        }
        if self.take_word("$node") {
            let name = match self.take("[") {
                true => self.quoted().filter(|_| self.take("]"))?,
                false => self.take(".").then(|| self.name())??,
            };
            return self.take_word(".json").then_some(Root::Step(name));
        }
        let fixed = FIXED.iter().find(|(there, _)| self.take_word(there))?;
        Some(Root::Fixed(fixed.1))
    }

    fn item_json(&mut self) -> bool {
        ITEMS.iter().any(|item| self.take(item)) && self.take_word(".json")
    }

    fn parts(&mut self) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        while !self.rest.is_empty() {
            let optional = self.take("?.");
            if self.take("[") {
                parts.push(self.index()?);
            } else if optional || self.take(".") {
                parts.push(Part::Name(self.name()?));
            } else {
                return None;
            }
        }
        Some(parts)
    }

    fn index(&mut self) -> Option<Part> {
        let digits =
            self.rest.len() - self.rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let part = match digits {
            0 => Part::Name(self.quoted()?),
            end => {
                let (number, rest) = self.rest.split_at(end);
                self.rest = rest;
                Part::Index(number.parse().ok()?)
            }
        };
        self.take("]").then_some(part)
    }

    /// A name that is not called: what methods give has no counterpart.
    fn name(&mut self) -> Option<String> {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!name.is_empty() && !rest.starts_with('(')).then(|| name.to_owned())
    }

    fn quoted(&mut self) -> Option<String> {
        let quote = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'))?;
        let inside = &self.rest[1..];
        let end = inside.find(quote)?;
        let text = &inside[..end];
        self.rest = &inside[end + 1..];
        (!text.contains(['\\', '$'])).then(|| text.to_owned())
    }
}
