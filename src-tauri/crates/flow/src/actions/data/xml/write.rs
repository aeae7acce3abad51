//! JSON to XML.

use devrig_core::{Error, Result};
use devrig_expr::{Number, View};
use serde_json::{Map, Value};

use super::name::{forbidden, is_name};
use crate::actions::bounds::Text;

struct Writer {
    text: Text,
    indent: bool,
}

pub(super) fn write(value: &Value, indent: bool, declaration: bool) -> Result<Value> {
    let mut writer = Writer { text: Text::new(), indent };
    if declaration {
        writer.text.push("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    }
    let (name, root) = root(value)?;
    writer.element(name, root, 0)?;
    if indent {
        writer.text.push("\n")?;
    }
    Ok(writer.text.into_value())
}

fn root(value: &Value) -> Result<(&String, &Value)> {
    let fields = value.as_object().into_iter().flatten();
    let found: Vec<(&String, &Value)> = fields.take(2).collect();
    let single = |value: &Value| value.as_array().is_none_or(|list| list.len() == 1);
    match found.as_slice() {
        [(name, value)] if single(value) => Ok((name, value)),
        _ => Err(Error::invalid("value is not an object with one field, the root of the document")
            .hint("Put it into one: { \"root\": … }.")),
    }
}

impl Writer {
    /// One element, or one for each of a list. As deep as the input is, which is bounded.
    fn element(&mut self, name: &str, value: &Value, depth: usize) -> Result<()> {
        if !is_name(name) {
            return Err(Error::invalid(format!("{name:?} cannot be the name of an element"))
                .hint("Names begin with a letter or _ and have no spaces."));
        }
        match value {
            Value::Array(list) => list.iter().try_for_each(|each| match each {
                Value::Array(_) => Err(Error::invalid(format!("{name} is a list in a list"))
                    .hint("Put the inner list into an object with a field.")),
                each => self.one(name, each, depth),
            }),
            value => self.one(name, value, depth),
        }
    }

    fn one(&mut self, name: &str, value: &Value, depth: usize) -> Result<()> {
        self.line(depth)?;
        self.text.push("<")?;
        self.text.push(name)?;
        match value {
            Value::Object(fields) => self.inside(name, fields, depth),
            value => self.leaf(name, &scalar(name, value)?),
        }
    }

    fn leaf(&mut self, name: &str, text: &str) -> Result<()> {
        if text.is_empty() {
            return self.text.push("/>");
        }
        self.text.push(">")?;
        self.escaped(text, TEXT)?;
        self.close(name)
    }

    fn inside(&mut self, name: &str, fields: &Map<String, Value>, depth: usize) -> Result<()> {
        let attributes =
            fields.iter().filter_map(|(name, value)| Some((name.strip_prefix('@')?, value)));
        for (attribute, value) in attributes {
            self.attribute(attribute, value)?;
        }
        let text = fields.get("#text").map_or(Ok(String::new()), |value| scalar("#text", value))?;
        let mut elements = fields.iter().filter(|(name, value)| is_element(name, value)).peekable();
        if elements.peek().is_none() {
            return self.leaf(name, &text);
        }
        self.text.push(">")?;
        self.escaped(&text, TEXT)?;
        for (name, value) in elements {
            self.element(name, value, depth + 1)?;
        }
        self.line(depth)?;
        self.close(name)
    }

    fn attribute(&mut self, name: &str, value: &Value) -> Result<()> {
        if !is_name(name) {
            return Err(Error::invalid(format!("{name:?} cannot be the name of an attribute")));
        }
        self.text.push(" ")?;
        self.text.push(name)?;
        self.text.push("=\"")?;
        self.escaped(&scalar(name, value)?, ATTRIBUTE)?;
        self.text.push("\"")
    }

    fn close(&mut self, name: &str) -> Result<()> {
        self.text.push("</")?;
        self.text.push(name)?;
        self.text.push(">")
    }

    fn line(&mut self, depth: usize) -> Result<()> {
        if !self.indent || self.text.is_empty() {
            return Ok(());
        }
        self.text.push("\n")?;
        (0..depth).try_for_each(|_| self.text.push("  "))
    }

    /// Piece by piece, so that what is escaped cannot outgrow the bound.
    fn escaped(&mut self, text: &str, special: &[(char, &str)]) -> Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(|c| special.iter().any(|(s, _)| *s == c)) {
            let (before, after) = rest.split_at(at);
            self.text.push(before)?;
            let (c, escape) =
                special.iter().find(|(c, _)| after.starts_with(*c)).unwrap_or(&TEXT[0]);
            self.text.push(escape)?;
            rest = &after[c.len_utf8()..];
        }
        self.text.push(rest)
    }
}

/// Readers make a line end of a bare `\r`, so it is written as a number.
const TEXT: &[(char, &str)] = &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('\r', "&#13;")];

/// And a space of every line end and tab in an attribute.
const ATTRIBUTE: &[(char, &str)] = &[
    ('&', "&amp;"),
    ('<', "&lt;"),
    ('>', "&gt;"),
    ('"', "&quot;"),
    ('\t', "&#9;"),
    ('\n', "&#10;"),
    ('\r', "&#13;"),
];

/// An empty list is no element at all.
fn is_element(name: &str, value: &Value) -> bool {
    let empty = value.as_array().is_some_and(Vec::is_empty);
    !name.starts_with('@') && name != "#text" && !empty
}

fn scalar(name: &str, value: &Value) -> Result<String> {
    let text = match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::String(text) => text.clone(),
        other => match View::of(other) {
            View::Number(number) => Number::to_string(&number),
            view => {
                let message = format!("{name} is {}, where only text can be", view.kind());
                return Err(Error::invalid(message));
            }
        },
    };
    match forbidden(&text) {
        None => Ok(text),
        Some(c) => Err(Error::invalid(format!("{name} holds {c:?}, which XML cannot"))
            .hint("Take it out, or write the text as Base64 with crypto.base64.")),
    }
}
