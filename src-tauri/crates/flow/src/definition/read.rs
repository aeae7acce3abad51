//! JSON becomes a definition, or a list of everything that is wrong with its form. What it means
//! is judged by the checks.

mod json;
mod limits;

use serde_json::Value;

use super::migrate::migrate;
use super::model::Definition;
use super::problem::Problems;
use super::wire::{At, Gathered, Owner, Place};

pub use limits::{
    MOST_BODY_DEPTH, MOST_BYTES, MOST_EDGES, MOST_JSON_DEPTH, MOST_NODES, MOST_TEXT_BYTES,
};

/// Reads a definition of any version from its text.
///
/// # Errors
/// Everything that is wrong with its form.
pub fn read_text(text: &str) -> Result<Definition, Problems> {
    read_checked(parse_text(text)?)
}

/// JSON of a bounded size and depth, in which no name stands twice.
///
/// # Errors
/// What keeps it from being read.
pub fn parse_text(text: &str) -> Result<Value, Problems> {
    limits::check_text(text).and_then(|()| json::parse(text))
}

/// Reads a definition of any version from JSON that was parsed already.
///
/// # Errors
/// Everything that is wrong with its form.
pub fn read_value(value: Value) -> Result<Definition, Problems> {
    limits::check_depth(&value)?;
    read_checked(value)
}

fn read_checked(value: Value) -> Result<Definition, Problems> {
    limits::check_size(&value)?;
    let value = migrate(value)?;
    let definition = read_part(&value, |at| at.object(Definition::read))?;
    limits::check_counts(&definition)?;
    Ok(definition)
}

/// Reads one part of the model by itself.
pub(crate) fn read_part<T>(value: &Value, read: impl FnOnce(At<'_>) -> T) -> Result<T, Problems> {
    let gathered = Gathered::default();
    let part = read(At { value, place: &Place::ROOT, owner: Owner::Flow, gathered: &gathered });
    match gathered.into_list() {
        list if list.is_empty() => Ok(part),
        list => Err(Problems(list)),
    }
}

#[cfg(test)]
mod tests;
