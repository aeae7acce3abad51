//! XML to JSON.

use std::collections::HashSet;

use devrig_core::{Error, Result};
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::name::{forbidden, is_name};
use crate::actions::bounds::DEEPEST;
use crate::actions::data::plain_number::plain_number;

pub(super) struct Style {
    /// Names that are always a list.
    pub lists: HashSet<String>,
    pub numbers: bool,
    pub trim: bool,
}

/// An element that is not closed yet.
#[derive(Default)]
struct Open {
    name: String,
    fields: Map<String, Value>,
    text: String,
    has_elements: bool,
}

struct Tree {
    style: Style,
    open: Vec<Open>,
    root: Option<(String, Value)>,
}

const VERSION: XmlVersion = XmlVersion::Implicit1_0;

pub(super) fn read(text: &str, style: Style) -> Result<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    let mut tree = Tree { style, open: Vec::new(), root: None };
    loop {
        let event = reader.read_event();
        let at = reader.buffer_position().max(reader.error_position());
        match event {
            Ok(Event::Eof) => break,
            Ok(event) => tree.take(event).map_err(|error| placed(error, text, at))?,
            Err(error) => return Err(placed(bad(error), text, at)),
        }
    }
    tree.finish().map_err(|error| placed(error, text, text.len() as u64))
}

fn placed(error: Error, text: &str, at: u64) -> Error {
    let before = usize::try_from(at).unwrap_or(text.len()).min(text.len());
    let line = text.as_bytes()[..before].iter().filter(|byte| **byte == b'\n').count() + 1;
    error.context(format_args!("line {line}"))
}

fn bad(error: impl std::fmt::Display) -> Error {
    Error::invalid(format!("this is no XML: {error}"))
}

impl Tree {
    fn take(&mut self, event: Event<'_>) -> Result<()> {
        match event {
            Event::Start(start) => self.begin(&start),
            Event::Empty(start) => {
                self.begin(&start)?;
                self.end()
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => self.text(&resolve(&reference)?),
            // What a document type declares is never looked at.
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Eof => {
                Ok(())
            }
        }
    }

    fn begin(&mut self, start: &BytesStart<'_>) -> Result<()> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(bad("there is a second root"));
        }
        if self.open.len() >= DEEPEST {
            let message = format!("elements are nested more than {DEEPEST} levels deep");
            return Err(Error::invalid(message).hint("Parse an inner part of the document."));
        }
        if let Some(outer) = self.open.last_mut() {
            outer.has_elements = true;
        }
        let name = named(start.name().as_ref())?;
        let fields = self.attributes(start)?;
        self.open.push(Open { name, fields, ..Open::default() });
        Ok(())
    }

    /// The library's own check for doubles would compare each with all before.
    fn attributes(&self, start: &BytesStart<'_>) -> Result<Map<String, Value>> {
        let mut fields = Map::new();
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(bad)?;
            let name = named(attribute.key.as_ref())?;
            let text = attribute.normalized_value(VERSION).map_err(bad)?;
            let value = self.value(allowed(&text)?);
            if fields.insert(format!("@{name}"), value).is_some() {
                return Err(bad(format_args!("the attribute {name} is there twice")));
            }
        }
        Ok(fields)
    }

    fn text(&mut self, text: &str) -> Result<()> {
        match self.open.last_mut() {
            Some(open) => open.text.push_str(allowed(text)?),
            None if text.trim().is_empty() => {}
            None => return Err(bad("there is text outside of the root")),
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        let open = self.open.pop().ok_or_else(|| bad("an element ends that never began"))?;
        let (name, value) = self.close(open);
        match self.open.last_mut() {
            Some(outer) => add(&mut outer.fields, name, value, &self.style.lists),
            None => self.root = Some((name, value)),
        }
        Ok(())
    }

    fn close(&self, mut open: Open) -> (String, Value) {
        let blank = open.text.trim().is_empty();
        let text = match open.text.as_str() {
            _ if blank && (self.style.trim || open.has_elements) => "",
            text if self.style.trim => text.trim(),
            text => text,
        };
        let text = self.value(text);
        if open.fields.is_empty() {
            return (open.name, text);
        }
        if text != "" {
            open.fields.insert("#text".to_owned(), text);
        }
        (open.name, Value::Object(open.fields))
    }

    fn value(&self, text: &str) -> Value {
        plain_number(text).filter(|_| self.style.numbers).unwrap_or_else(|| text.into())
    }

    fn finish(self) -> Result<Value> {
        if let Some(open) = self.open.last() {
            return Err(bad(format_args!("the element {} is never closed", open.name)));
        }
        let Some((name, value)) = self.root else {
            return Err(bad("there is no element"));
        };
        let mut fields = Map::new();
        add(&mut fields, name, value, &self.style.lists);
        Ok(Value::Object(fields))
    }
}

/// The value of an element is never a list itself, so a list there means several of them.
fn add(fields: &mut Map<String, Value>, name: String, value: Value, lists: &HashSet<String>) {
    let always = lists.contains(&name);
    match fields.entry(name) {
        Entry::Vacant(place) if always => {
            place.insert(Value::Array(vec![value]));
        }
        Entry::Vacant(place) => {
            place.insert(value);
        }
        Entry::Occupied(mut place) => match place.get_mut() {
            Value::Array(list) => list.push(value),
            first => *first = Value::Array(vec![first.take(), value]),
        },
    }
}

fn named(name: &str) -> Result<String> {
    if is_name(name) { Ok(name.to_owned()) } else { Err(bad(format_args!("{name:?} is no name"))) }
}

fn allowed(text: &str) -> Result<&str> {
    match forbidden(text) {
        None => Ok(text),
        Some(c) => Err(bad(format_args!("it holds the character {c:?}"))),
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<String> {
    if let Some(c) = reference.resolve_char_ref().map_err(bad)? {
        return Ok(c.into());
    }
    let name = reference.xml10_content();
    let known = resolve_predefined_entity(&name).map(str::to_owned);
    known.ok_or_else(|| {
        bad(format_args!("the entity &{name}; is not known"))
            .hint("Only &lt; &gt; &amp; &apos; &quot; and numbers are read, for safety.")
    })
}
