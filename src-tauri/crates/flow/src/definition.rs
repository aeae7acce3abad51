//! The JSON of a flow and everything that can be said about it without running it: no I/O, no
//! database, no clock.

mod check;
mod diff;
mod format;
mod migrate;
mod model;
pub mod n8n;
mod place;
mod problem;
mod read;
mod schema;
#[cfg(test)]
mod testing;
mod text;
mod wire;

pub(crate) use check::input_of;
pub use check::{ActionShape, Fault, Findings, Outside, Reference, TriggerShape, check};
pub use diff::{Changes, FieldChange, PartChange, PartChanges, diff};
pub use format::{Format, Part, format};
pub use migrate::migrate;
pub use model::*;
pub use place::line_and_column;
pub use problem::{Problem, ProblemCode, Problems, Severity};
pub use read::{
    MOST_BODY_DEPTH, MOST_BYTES, MOST_EDGES, MOST_JSON_DEPTH, MOST_NODES, MOST_TEXT_BYTES,
    parse_text, read_text, read_value,
};
pub use schema::FLOW_SCHEMA;
pub use text::{FlowFiles, Layout, slug, to_files, to_text};
