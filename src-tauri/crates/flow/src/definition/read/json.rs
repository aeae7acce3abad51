//! JSON text becomes a value: not too deep, and no name twice in one object, which the usual
//! reader resolves by dropping one of the two.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::limits::{MOST_JSON_DEPTH, too_deep};
use crate::definition::problem::{Problem, ProblemCode, Problems};
use crate::definition::wire::Place;

/// # Errors
/// The first place that is not JSON, too deep, or a name for the second time.
pub(crate) fn parse(text: &str) -> Result<Value, Problems> {
    // Editors on Windows begin files with a mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let found = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let seed = Seed { place: &Place::ROOT, left: MOST_JSON_DEPTH, found: &found };
    let parsed = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    parsed.map_err(|error| {
        let at = format!("line {}, column {}", error.line(), error.column());
        Problems::one(match found.take() {
            Some(problem) => Problem { message: format!("{} ({at})", problem.message), ..problem },
            None => not_json(&error, &at),
        })
    })
}

fn not_json(error: &serde_json::Error, at: &str) -> Problem {
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    let message = format!("the text is not JSON: {what} ({at})");
    Problem::error(ProblemCode::NotJson, "$", message, "Correct the text at that place.")
}

struct Seed<'a> {
    place: &'a Place<'a>,
    left: usize,
    found: &'a RefCell<Option<Problem>>,
}

impl Seed<'_> {
    /// How many levels are left below an object or list that begins here.
    fn enter<E: de::Error>(&self) -> Result<usize, E> {
        self.left.checked_sub(1).ok_or_else(|| self.stop(too_deep(self.place)))
    }

    /// The reader's own error cannot carry a problem, so it is kept beside.
    fn stop<E: de::Error>(&self, problem: Problem) -> E {
        self.found.replace(Some(problem));
        E::custom("")
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("an endless number"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let left = self.enter()?;
        let mut values = Vec::new();
        loop {
            let place = self.place.index(values.len());
            match from.next_element_seed(Seed { place: &place, left, found: self.found })? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let left = self.enter()?;
        let mut map = Map::new();
        while let Some(name) = from.next_key::<String>()? {
            let place = self.place.field(&name);
            if map.contains_key(&name) {
                return Err(self.stop(twice(&place, &name)));
            }
            let inside = Seed { place: &place, left, found: self.found };
            let value = from.next_value_seed(inside)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

fn twice(place: &Place<'_>, name: &str) -> Problem {
    let name: String = name.chars().take(60).collect();
    let message = format!("{name:?} stands twice in one object");
    let hint = "Keep one of the two.";
    Problem::error(ProblemCode::DuplicateKey, place.to_string(), message, hint)
}
