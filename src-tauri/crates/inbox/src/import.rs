//! JSON lines of the SDK's item input, from any script.

use std::io::BufRead;

use devrig_core::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::item::ItemInput;

/// Longest line: a body of 1 MiB with everything escaped, and metadata.
const LONGEST: u64 = 8 * 1024 * 1024;

/// A line that was not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct BadLine {
    /// Counts from 1.
    pub line: u32,
    /// The item's field, when it is known.
    pub field: Option<String>,
    pub message: String,
}

/// Reads items line by line and hands them on in batches of `size`; wrong lines are told and
/// passed over, empty ones skipped.
///
/// # Errors
/// Of reading, and of `on_batch`, which ends it.
pub fn lines(
    mut reader: impl BufRead,
    size: usize,
    mut on_batch: impl FnMut(Vec<ItemInput>) -> Result<()>,
) -> Result<Vec<BadLine>> {
    let mut bad = Vec::new();
    let mut batch = Vec::with_capacity(size);
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        let mut limited = std::io::Read::take(&mut reader, LONGEST);
        if limited.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        number += 1;
        let whole = line.ends_with(b"\n") || u64::try_from(line.len()).is_ok_and(|n| n < LONGEST);
        if !whole {
            let message = format!("line {number}: is longer than 8 MiB");
            bad.push(BadLine { line: number, field: None, message });
            skip_line(&mut reader)?;
            continue;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match item(&line) {
            Ok(item) => batch.push(item),
            Err(error) => bad.push(BadLine {
                line: number,
                field: error
                    .details
                    .as_ref()
                    .and_then(|details| details["field"].as_str())
                    .map(str::to_owned),
                message: format!("line {number}: {}", error.message),
            }),
        }
        if batch.len() == size {
            on_batch(std::mem::replace(&mut batch, Vec::with_capacity(size)))?;
        }
    }
    if !batch.is_empty() {
        on_batch(batch)?;
    }
    Ok(bad)
}

/// One line as an item that keeps every limit.
///
/// # Errors
/// `INVALID_INPUT` with the field, when it is known, in `details`.
pub fn item(line: &[u8]) -> Result<ItemInput> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let item: ItemInput = serde_json::from_slice(line).map_err(|error| {
        let problem = error.to_string();
        // serde names the field between backticks.
        let field = problem.split('`').nth(1).unwrap_or_default().to_owned();
        Error::invalid(format!("not an item: {problem}"))
            .hint("Write one JSON object for each line, with externalId, type and title.")
            .details(serde_json::json!({ "field": field }))
    })?;
    item.validate(0)?;
    Ok(item)
}

fn skip_line(reader: &mut impl BufRead) -> Result<()> {
    loop {
        let (used, found) = {
            let buffer = reader.fill_buf()?;
            match buffer.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end + 1, true),
                None => (buffer.len(), false),
            }
        };
        reader.consume(used);
        if found || used == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_lines_are_kept_and_bad_ones_named() {
        let text = concat!(
            "\u{feff}{\"externalId\":\"1\",\"type\":\"a\",\"title\":\"x\"}\r\n\n",
            "{\"externalId\":\"2\",\"type\":\"a b\",\"title\":\"x\"}\n",
            "nonsense\n",
            "{\"externalId\":\"3\",\"type\":\"a\"}\n",
            "{\"externalId\":\"4\",\"type\":\"a\",\"title\":\"x\",\"colour\":1}\n",
            "{\"externalId\":\"5\",\"type\":\"a\",\"title\":\"x\"}",
        );
        let mut ids = Vec::new();
        let bad = lines(text.as_bytes(), 1, |batch| {
            ids.extend(batch.into_iter().map(|item| item.external_id));
            Ok(())
        })
        .unwrap();
        assert_eq!(ids, ["1", "5"]);
        let told: Vec<_> = bad.iter().map(|b| (b.line, b.field.as_deref().unwrap_or(""))).collect();
        assert_eq!(told, [(3, "type"), (4, ""), (5, "title"), (6, "colour")]);
    }

    #[test]
    fn an_endless_line_is_passed_over() {
        let mut text = vec![b'x'; 9 * 1024 * 1024];
        text.extend_from_slice(b"\n{\"externalId\":\"1\",\"type\":\"a\",\"title\":\"x\"}\n");
        let mut count = 0;
        let bad = lines(text.as_slice(), 10, |batch| {
            count += batch.len();
            Ok(())
        })
        .unwrap();
        assert_eq!((bad.len(), bad[0].line, count), (1, 1, 1));
    }
}
