//! The canonical text of a flow: one file that can live in git, its layout in another beside it,
//! so that moving a node on the canvas changes no line of the flow.
//!
//! Fields stand in the order of the model, defaults are left out, and lists and free objects keep
//! the order that their author gave them. Reading the two files gives the same definition.

mod layout;
mod slug;

use serde::Serialize;
use serde_json::Value;

pub use layout::Layout;
pub use slug::slug;

use super::model::Definition;
use super::read::MOST_TEXT_BYTES;

/// A flow as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowFiles {
    /// `<slug>.flow.json`.
    pub name: String,
    pub text: String,
    /// `<slug>.layout.json`.
    pub layout_name: String,
    /// Absent when no node has a place.
    pub layout: Option<String>,
}

/// Writes the files of a flow. Two flows of the same name have the same file names: who stores
/// them keeps them apart.
pub fn to_files(definition: &Definition) -> FlowFiles {
    let stem = slug(&definition.name);
    let layout = Layout::of(definition);
    FlowFiles {
        name: format!("{stem}.flow.json"),
        text: to_text(definition),
        layout_name: format!("{stem}.layout.json"),
        layout: (!layout.is_empty()).then(|| layout.to_text()),
    }
}

/// The text of a flow without its layout.
pub fn to_text(definition: &Definition) -> String {
    let mut plain = definition.clone();
    plain.graph.each_node_mut(&mut |node| node.position = None);
    indented(&plain.to_value())
}

pub(super) fn indented(value: &Value) -> String {
    let mut bytes = Vec::new();
    let style = serde_json::ser::PrettyFormatter::with_indent(b"  ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, style);
    value.serialize(&mut serializer).expect("a value is JSON");
    let text = String::from_utf8(bytes).expect("JSON is UTF-8");
    // Deep lists of little things grow a lot when they are indented.
    if text.len() < MOST_TEXT_BYTES { text + "\n" } else { value.to_string() + "\n" }
}

#[cfg(test)]
mod tests;
