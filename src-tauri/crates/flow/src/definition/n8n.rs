//! Import of a workflow that n8n exported. What has a counterpart is mapped; what has none stays
//! in the flow under its old name, where the checks refuse it, so that nothing is left out in
//! silence; and the report says all of it.
//!
//! One difference runs through everything: n8n runs a node once for each item of a list, here a
//! node runs once and its output is one value.

mod assemble;
mod conditions;
mod context;
mod data;
mod expression;
mod loops;
mod path;
mod report;
mod starts;
mod steps;
mod triggers;
mod workflow;

pub use report::{Changed, Mapped, NotMapped, Report};

use serde_json::Value;

use super::model::Definition;
use super::problem::Problems;
use super::read::{parse_text, read_value};

/// A flow made of a workflow, and what became of its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// Of a right form, but not checked: parts without a counterpart make it one that cannot run
    /// yet. Its id is made of the workflow's name.
    pub definition: Definition,
    pub report: Report,
}

/// Whether a text is what n8n exports. Flows have `edges`, workflows `connections`.
pub fn is_workflow(text: &str) -> bool {
    let Ok(value) = parse_text(text) else { return false };
    let one = match value.as_array().map(Vec::as_slice) {
        Some([one]) => one,
        Some(_) => return false,
        None => &value,
    };
    one.get("nodes").is_some_and(Value::is_array)
        && one.get("connections").is_some_and(Value::is_object)
}

/// Reads the JSON that n8n exports for one workflow.
///
/// # Errors
/// A text that is no such JSON, or larger than a flow may be.
pub fn import(text: &str) -> Result<Import, Problems> {
    let workflow = workflow::read(parse_text(text)?)?;
    let (definition, report) = assemble::assemble(&workflow);
    // Through the reader, which bounds what an import can be as it bounds every definition.
    let definition = read_value(definition.to_value())?;
    Ok(Import { definition, report })
}

#[cfg(test)]
mod tests;
