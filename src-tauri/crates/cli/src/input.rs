//! Texts that a command is given.

use std::io::Read;
use std::path::Path;

use devrig_core::{Context, Error, Result};
use serde_json::Value;

/// The text of a file, or of standard input for `-`.
pub fn text(file: &Path) -> Result<String> {
    if file.as_os_str() != "-" {
        return std::fs::read_to_string(file).context(format!("reading {}", file.display()));
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("reading standard input")?;
    Ok(text)
}

/// JSON as it is written, in a file after `@`, or on standard input for `-`.
pub fn json(written: &str) -> Result<Value> {
    match written.strip_prefix('@') {
        Some(file) => json_in(Path::new(file)),
        None if written == "-" => json_in(Path::new("-")),
        None => parse(written, "--input"),
    }
}

/// The JSON of a file, or of standard input for `-`.
pub fn json_in(file: &Path) -> Result<Value> {
    let name = if file.as_os_str() == "-" { "standard input" } else { &file.to_string_lossy() };
    parse(&text(file)?, name)
}

fn parse(text: &str, what: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| {
        Error::invalid(format!("{what} is not JSON: {error}"))
            .hint("Write it as '{\"name\": \"value\"}'; text stands in double quotes.")
    })
}
