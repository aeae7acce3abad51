//! Definitions of flows, whoever wrote them.

use devrig_flow::definition::{Definition, Layout, migrate, n8n, parse_text, read_text, to_files};
use devrig_flow::{Program, actions};

/// Inputs that mean something, to begin from.
pub const SEEDS: &[&str] = &[
    include_str!("../../src-tauri/crates/flow/tests/flows/canonical.flow.json"),
    include_str!("../../src-tauri/crates/flow/tests/flows/everything.flow.json"),
    include_str!("../../src-tauri/crates/flow/tests/flows/reference-shape.json"),
    include_str!("../../src-tauri/crates/flow/tests/n8n/webhook-to-issue.json"),
    include_str!("../../src-tauri/crates/flow/tests/n8n/loop-over-items.json"),
    include_str!("../../src-tauri/crates/flow/tests/n8n/older-versions.json"),
    include_str!("../../src-tauri/crates/flow/tests/n8n/transforms.json"),
];

/// What is read is compiled or refused.
pub fn definitions(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(value) = parse_text(&text)
        && let Ok(once) = migrate(value)
    {
        assert_eq!(migrate(once.clone()), Ok(once), "migrating twice is migrating once");
    }
    let Ok(definition) = read_text(&text) else { return };
    let actions = actions::builtin().expect("the actions describe themselves");
    let _ = Program::compile(0, 0, definition, &actions);
}

/// What is read and written is read as the same again, and written as the same.
pub fn canonical(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = Layout::read_text(&text);
    if let Ok(definition) = read_text(&text) {
        comes_back(&definition);
    }
}

/// A workflow becomes a flow of a right form, or is refused.
pub fn n8n(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    n8n::is_workflow(&text);
    if let Ok(import) = n8n::import(&text) {
        comes_back(&import.definition);
    }
}

fn comes_back(definition: &Definition) {
    let files = to_files(definition);
    let mut back = read_text(&files.text).expect("what was written can be read");
    if let Some(layout) = &files.layout {
        Layout::read_text(layout).expect("its layout, too").apply(&mut back);
    }
    assert_eq!(to_files(&back), files);
}
