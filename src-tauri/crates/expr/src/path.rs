//! Ways into data: `a.b`, `a[0].b`, `a["x y"]`. What is not there is nothing, never an error.

use std::fmt;
use std::str::FromStr;

use devrig_core::{Error, Result};

use crate::view::View;

/// The steps from a root to a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Path(Box<[Step]>);

/// The name of a field, or the number of an element, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Step {
    name: Box<str>,
    index: Option<usize>,
}

/// In bytes; a longer one is no path that a person wrote.
const LONGEST: usize = 2_000;

impl Step {
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), index: index(name) }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number, if the name is one as JavaScript writes it.
    pub fn index(&self) -> Option<usize> {
        self.index
    }

    /// Objects are asked for the name, lists for the number. Lists and text know their `length`,
    /// as they do in JavaScript, where text is counted in UTF-16 units.
    pub fn get<'a>(&self, view: View<'a>) -> Option<View<'a>> {
        self.get_counting(view, &mut 0)
    }

    /// As [`Step::get`], and how many bytes of text had to be gone through.
    pub(crate) fn get_counting<'a>(&self, view: View<'a>, bytes: &mut usize) -> Option<View<'a>> {
        match view {
            View::Map(_) | View::Object(_) => view.field(&self.name),
            View::List(list) => match self.index {
                Some(index) => view.element(index),
                None => self.is_length().then(|| View::Number(list.len().into())),
            },
            View::Text(text) => {
                *bytes += text.len();
                self.of_text(text)
            }
            // Not even the length of a secret is told.
            _ => None,
        }
    }

    fn is_length(&self) -> bool {
        &*self.name == "length"
    }

    fn of_text<'a>(&self, text: &'a str) -> Option<View<'a>> {
        match self.index {
            Some(index) => utf16_unit(text, index).map(View::Text),
            None if self.is_length() => Some(View::Number(text.encode_utf16().count().into())),
            None => None,
        }
    }
}

/// One half of a character outside the basic plane is no text by itself.
fn utf16_unit(text: &str, index: usize) -> Option<&str> {
    let mut unit = 0;
    for (at, c) in text.char_indices() {
        if unit == index && c.len_utf16() == 1 {
            return text.get(at..at + c.len_utf8());
        }
        unit += c.len_utf16();
        if unit > index {
            return Some("\u{fffd}");
        }
    }
    None
}

/// Digits as JavaScript writes an index: no sign, no leading zero.
fn index(name: &str) -> Option<usize> {
    let plain = name.bytes().all(|b| b.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    if plain { name.parse().ok() } else { None }
}

impl Path {
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self(steps.into_iter().collect())
    }

    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The first step's name: `trigger` of `trigger.payload`.
    pub fn root(&self) -> Option<&str> {
        self.0.first().map(Step::name)
    }

    pub fn get<'a>(&self, from: View<'a>) -> Option<View<'a>> {
        self.0.iter().try_fold(from, |view, step| step.get(view))
    }
}

/// Reads back as the same path.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step.index {
                Some(index) => write!(f, "[{index}]")?,
                None if !is_plain(&step.name) => write_quoted(&step.name, f)?,
                None if at == 0 => f.write_str(&step.name)?,
                None => write!(f, ".{}", step.name)?,
            }
        }
        Ok(())
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(ends_name)
}

/// What a name without quotes cannot hold.
fn ends_name(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '.' | '[' | ']' | '"' | '\'' | '{' | '}')
}

fn write_quoted(name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "[\"{}\"]", name.replace('\\', "\\\\").replace('"', "\\\""))
}

impl FromStr for Path {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Error::invalid(format!("the path is longer than {LONGEST} bytes"))
                .hint("Read a larger part, and the rest from there."));
        }
        let mut reader = Reader { rest: text, whole: text };
        let mut steps = Vec::new();
        while !reader.rest.is_empty() {
            let step = reader.step(steps.is_empty())?;
            steps.push(step);
        }
        Ok(Self(steps.into()))
    }
}

struct Reader<'t> {
    rest: &'t str,
    whole: &'t str,
}

impl<'t> Reader<'t> {
    fn error(&self, message: &str, hint: &str) -> Error {
        let before = &self.whole[..self.whole.len() - self.rest.len()];
        let column = before.chars().count() + 1;
        Error::invalid(format!("column {column}: {message}"))
            .hint(hint)
            .details(serde_json::json!({ "column": column }))
    }

    fn step(&mut self, first: bool) -> Result<Step> {
        if let Some(rest) = self.rest.strip_prefix('[') {
            return self.bracket(rest);
        }
        if !first {
            let Some(rest) = self.rest.strip_prefix('.') else {
                return Err(self.unexpected());
            };
            if let Some(rest) = rest.strip_prefix('[') {
                return self.literal(rest);
            }
            self.rest = rest;
        }
        self.name()
    }

    fn name(&mut self) -> Result<Step> {
        let end = self.rest.find(ends_name).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(match self.rest.chars().next() {
                Some('.') | None => {
                    self.error("a name is missing here", "Write one: trigger.payload.")
                }
                Some(_) => self.unexpected(),
            });
        }
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(Step::new(name))
    }

    fn bracket(&mut self, inside: &'t str) -> Result<Step> {
        if inside.starts_with(['"', '\'']) {
            return self.quoted(inside);
        }
        let digits = inside.find(|c: char| !c.is_ascii_digit()).unwrap_or(inside.len());
        match (&inside[..digits], inside[digits..].strip_prefix(']')) {
            (number @ "0", Some(rest)) => Ok(self.found(number, rest)),
            (number, Some(rest)) if !number.is_empty() && !number.starts_with('0') => {
                Ok(self.found(number, rest))
            }
            _ => Err(self.error(
                "between brackets stands a number or a name in quotes",
                "Write items[0] or headers[\"content type\"].",
            )),
        }
    }

    fn found(&mut self, name: &str, rest: &'t str) -> Step {
        self.rest = rest;
        Step::new(name)
    }

    fn quoted(&mut self, inside: &'t str) -> Result<Step> {
        let mut chars = inside.char_indices();
        let quote = chars.next().map_or('"', |(_, c)| c);
        let mut name = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => name.extend(chars.next().map(|(_, escaped)| escaped)),
                c if c == quote => {
                    return match inside[at + 1..].strip_prefix(']') {
                        Some(rest) => Ok(self.found(&name, rest)),
                        None => Err(self.error("the bracket is not closed", "Close it with ].")),
                    };
                }
                c => name.push(c),
            }
        }
        Err(self.error("the quote is not closed", "Close it, and then the bracket."))
    }

    /// `.[x y]`, as templates write it.
    fn literal(&mut self, inside: &'t str) -> Result<Step> {
        match inside.split_once(']') {
            Some((name, rest)) => Ok(self.found(name, rest)),
            None => Err(self.error("the bracket is not closed", "Close it with ].")),
        }
    }

    fn unexpected(&self) -> Error {
        let c = self.rest.chars().next().unwrap_or(' ');
        self.error(
            &format!("{c:?} is not expected here"),
            "Write names with other characters in quotes: headers[\"x y\"].",
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn names(text: &str) -> Vec<String> {
        let path: Path = text.parse().unwrap();
        path.steps().iter().map(|step| step.name().to_owned()).collect()
    }

    #[test]
    fn every_way_of_writing_gives_the_same_steps() {
        for text in ["a[0].b", "a.0.b", "a[0][\"b\"]", "a['0'].[b]", "[\"a\"].0.b"] {
            assert_eq!(names(text), ["a", "0", "b"], "{text}");
        }
        assert_eq!(names("headers[\"x \\\"y\\\\\"]"), ["headers", "x \"y\\"]);
        assert_eq!(names("a.[x y].content-type"), ["a", "x y", "content-type"]);
        assert_eq!(names(""), [""; 0]);
    }

    #[test]
    fn what_is_missing_is_nothing() {
        let value = json!({ "a": [{ "b": "x" }], "n": null, "t": "ab\u{1f600}" });
        let get = |text: &str| {
            text.parse::<Path>().unwrap().get(View::of(&value)).map(|view| view.to_value())
        };
        assert_eq!(get("a[0].b"), Some(json!("x")));
        assert_eq!(get("a.length"), Some(json!(1)));
        assert_eq!(get("t.length"), Some(json!(4)));
        assert_eq!(get("t[1]"), Some(json!("b")));
        assert_eq!(get("t[2]"), Some(json!("\u{fffd}")));
        assert_eq!(get("n"), Some(json!(null)));
        for missing in ["x", "a[1]", "a.b", "a[0].b.c", "n.x", "a[00000000000000001]", "t[9]"] {
            if let Ok(path) = missing.parse::<Path>() {
                assert!(path.get(View::of(&value)).is_none(), "{missing}");
            }
        }
    }

    #[test]
    fn errors_point_at_the_place() {
        for (text, column) in [
            ("a..b", 3),
            ("a.", 3),
            (".a", 1),
            ("a b", 2),
            ("a[x]", 2),
            ("a[01]", 2),
            ("a[\"x]", 2),
            ("a[\"x\"", 2),
            ("a.[x", 2),
            ("ä{", 2),
            ("a[0]b", 5),
        ] {
            let error = text.parse::<Path>().unwrap_err();
            assert_eq!(error.details.clone().unwrap()["column"], column, "{text}: {error}");
            assert!(error.hint.is_some());
        }
        assert!("a".repeat(LONGEST + 1).parse::<Path>().is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,60}") {
            if let Ok(path) = text.parse::<Path>() {
                prop_assert_eq!(path.to_string().parse::<Path>().unwrap(), path);
            }
        }

        #[test]
        fn any_steps_read_back(steps in prop::collection::vec("[a-c0-9 .\\[\\]\"'\\\\\n]{0,6}", 0..6)) {
            let path = Path::new(steps.iter().map(|name| Step::new(name)));
            prop_assert_eq!(path.to_string().parse::<Path>().unwrap(), path);
        }
    }
}
