//! How large a definition may be.

use std::io;

use serde_json::Value;

use crate::definition::model::Definition;
use crate::definition::problem::{Problem, ProblemCode, Problems};

/// The most bytes of a definition, white space not counted.
pub const MOST_BYTES: usize = 2 * 1024 * 1024;

/// The longest text of a definition: indented it is up to twice as long, as a rule.
pub const MOST_TEXT_BYTES: usize = 2 * MOST_BYTES;

/// The most nodes of a flow, those of bodies included.
pub const MOST_NODES: usize = 2_000;

/// The most edges of a flow, those of bodies included.
pub const MOST_EDGES: usize = 10_000;

/// How deep bodies may stand in each other.
pub const MOST_BODY_DEPTH: usize = 5;

/// How deep objects and lists may stand in each other.
pub const MOST_JSON_DEPTH: usize = 64;

pub(super) fn check_text(text: &str) -> Result<(), Problems> {
    check(text.len(), MOST_TEXT_BYTES)
}

pub(super) fn check_size(value: &Value) -> Result<(), Problems> {
    check(size_of(value), MOST_BYTES)
}

fn check(bytes: usize, most: usize) -> Result<(), Problems> {
    if bytes <= most {
        return Ok(());
    }
    let message = format!("the definition has {bytes} bytes, {most} are the most");
    let hint = "Keep data in files, and move parts into flows of their own.";
    Err(Problems::one(too_large(message, hint)))
}

pub(super) fn too_deep(place: impl std::fmt::Display) -> Problem {
    let mut problem = too_large(
        format!("more than {MOST_JSON_DEPTH} objects and lists stand in each other here"),
        "Flatten it.",
    );
    problem.field = place.to_string();
    problem
}

/// Level by level, so that no depth can overflow the stack.
pub(super) fn check_depth(value: &Value) -> Result<(), Problems> {
    let mut level: Vec<&Value> = Some(value).into_iter().filter(|value| nests(value)).collect();
    for _ in 0..MOST_JSON_DEPTH {
        level = level.into_iter().flat_map(inside).filter(|value| nests(value)).collect();
        if level.is_empty() {
            return Ok(());
        }
    }
    Err(Problems::one(too_deep("$")))
}

fn nests(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

fn inside(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}

/// The length of the value as text without white space.
fn size_of(value: &Value) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting cannot fail, and every value can be written.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

pub(super) fn check_counts(definition: &Definition) -> Result<(), Problems> {
    let graphs = || {
        let bodies = definition.nodes().filter_map(|node| node.body());
        bodies.chain([&definition.graph])
    };
    let nodes: usize = graphs().map(|graph| graph.nodes.len()).sum();
    let edges: usize = graphs().map(|graph| graph.edges.len()).sum();
    for (count, most, what) in [(nodes, MOST_NODES, "nodes"), (edges, MOST_EDGES, "edges")] {
        if count > most {
            let message = format!("the flow has {count} {what}, {most} are the most");
            let hint = "Move parts into flows of their own, and call them with flow.subflow.";
            return Err(Problems::one(too_large(message, hint)));
        }
    }
    Ok(())
}

fn too_large(message: String, hint: &str) -> Problem {
    Problem::error(ProblemCode::TooLarge, "$", message, hint)
}
