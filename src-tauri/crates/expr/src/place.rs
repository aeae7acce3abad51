//! Where in a JSON document something stands, and reading its fields with errors that say so.

use std::fmt;

use devrig_core::{Error, Result, nearest};
use serde_json::{Map, Value, json};

/// A place is made while its value is visited, so it lives on the stack and costs nothing.
#[derive(Clone, Copy)]
pub(crate) enum Place<'p> {
    Root,
    Field(&'p Place<'p>, &'p str),
    Element(&'p Place<'p>, usize),
}

impl Place<'_> {
    /// `conditions[1].left.path: …`, with the place in the details too.
    pub fn error(&self, message: impl fmt::Display, hint: impl Into<String>) -> Error {
        let place = self.to_string();
        let message =
            if place.is_empty() { message.to_string() } else { format!("{place}: {message}") };
        Error::invalid(message).hint(hint).details(json!({ "path": place }))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Place::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Element(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// The fields of an object that a person wrote.
pub(crate) struct Fields<'v> {
    map: &'v Map<String, Value>,
    place: &'v Place<'v>,
    what: &'static str,
}

impl<'v> Fields<'v> {
    /// `what` names the object in messages: "a condition".
    pub fn of(value: &'v Value, place: &'v Place<'v>, what: &'static str) -> Result<Self> {
        match value {
            Value::Object(map) => Ok(Self { map, place, what }),
            other => Err(place.error(
                format!("{what} is an object, not {}", crate::View::of(other).kind()),
                "Write { \"type\": … }.",
            )),
        }
    }

    /// Refuses fields that have no meaning here: they are slips.
    pub fn only(&self, known: &[&str]) -> Result<()> {
        let Some(unknown) = self.map.keys().find(|name| !known.contains(&name.as_str())) else {
            return Ok(());
        };
        let hint = match nearest(unknown, known) {
            Some(near) => format!("Did you mean {near}?"),
            None => format!("It has {}.", known.join(", ")),
        };
        Err(Place::Field(self.place, unknown)
            .error(format!("{} of this type has no such field", self.what), hint))
    }

    pub fn get(&self, name: &str) -> Option<&'v Value> {
        self.map.get(name)
    }

    pub fn need(&self, name: &str) -> Result<&'v Value> {
        self.get(name).ok_or_else(|| {
            self.place.error(format!("the field {name} is missing"), format!("Add {name:?}."))
        })
    }

    pub fn text(&self, name: &str) -> Result<&'v str> {
        match self.need(name)? {
            Value::String(text) => Ok(text),
            other => Err(self.wrong(name, "text", other)),
        }
    }

    /// Text that names something, so it is neither empty nor endless.
    pub fn name(&self, name: &str) -> Result<&'v str> {
        let text = self.text(name)?;
        if text.is_empty() || text.len() > LONGEST_NAME {
            return Err(Place::Field(self.place, name).error(
                format!("a name has 1 to {LONGEST_NAME} bytes"),
                "Write the name of what is meant.",
            ));
        }
        Ok(text)
    }

    pub fn list(&self, name: &str) -> Result<&'v [Value]> {
        match self.need(name)? {
            Value::Array(list) => Ok(list),
            other => Err(self.wrong(name, "a list", other)),
        }
    }

    /// One of the known words.
    pub fn one_of<T: Copy>(&self, name: &str, known: &[(&'static str, T)]) -> Result<T> {
        let text = self.text(name)?;
        if let Some((_, found)) = known.iter().find(|(word, _)| *word == text) {
            return Ok(*found);
        }
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        let hint = match nearest(text, &words) {
            Some(near) => format!("Did you mean {near}?"),
            None => format!("It is one of {}.", words.join(", ")),
        };
        let shown: String = text.chars().take(40).collect();
        Err(Place::Field(self.place, name).error(format!("{shown:?} is not known"), hint))
    }

    fn wrong(&self, name: &str, expected: &str, found: &Value) -> Error {
        Place::Field(self.place, name).error(
            format!("{expected} is expected, not {}", crate::View::of(found).kind()),
            format!("Write {expected}."),
        )
    }
}

const LONGEST_NAME: usize = 200;
