//! The published JSON Schema of a definition, for editors and other programs. Reading does not
//! use it: a schema cannot say as clearly what is wrong.

/// The schema's text, draft 2020-12, for the present version of the format.
pub const FLOW_SCHEMA: &str = include_str!("../../schema/flow.schema.json");

#[cfg(test)]
mod tests;
