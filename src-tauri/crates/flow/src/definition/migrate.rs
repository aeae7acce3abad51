//! The chain of steps that bring a definition of any age to the present form. Definitions are
//! stored as they were saved and migrated when they are read.

mod reference;

use serde_json::Value;

use super::model::SCHEMA_VERSION;
use super::problem::{Problem, ProblemCode, Problems};

/// One step for each version, the first from 0 to 1.
const STEPS: [fn(&mut Value); SCHEMA_VERSION as usize] = [reference::to_first];

/// The definition in the present form. What is already in it stays as it is, so migrating twice
/// is migrating once.
///
/// # Errors
/// A version that this DevRig does not know.
pub fn migrate(mut value: Value) -> Result<Value, Problems> {
    let from = version_of(&value)?;
    for step in &STEPS[from..] {
        step(&mut value);
    }
    if let (true, Some(map)) = (from < STEPS.len(), value.as_object_mut()) {
        map.insert("schemaVersion".to_owned(), SCHEMA_VERSION.into());
    }
    Ok(value)
}

/// Without a version: that of the reference when it has its shape, else the present one.
fn version_of(value: &Value) -> Result<usize, Problems> {
    let Some(version) = value.get("schemaVersion") else {
        return Ok(if reference::has_its_shape(value) { 0 } else { STEPS.len() });
    };
    match version.as_u64() {
        Some(version) if version <= STEPS.len() as u64 => Ok(version as usize),
        Some(version) => Err(refuse(
            ProblemCode::NewerSchema,
            format!("the flow has schemaVersion {version}, this DevRig knows {SCHEMA_VERSION}"),
            "Update DevRig, or export the flow from the DevRig that wrote it.",
        )),
        None => Err(refuse(
            ProblemCode::WrongType,
            format!("schemaVersion must be a whole number up to {SCHEMA_VERSION}"),
            "Leave it out for a new flow.",
        )),
    }
}

fn refuse(code: ProblemCode, message: String, hint: &str) -> Problems {
    Problems::one(Problem::error(code, "$.schemaVersion", message, hint))
}

#[cfg(test)]
mod tests;
