//! Reading the small files of a git folder without being caught by what they might be.

use std::fs::Metadata;
use std::path::Path;

use devrig_core::Timestamp;

/// Larger than any of these files ever is in earnest.
const MOST: u64 = 64 * 1024;

/// The text of a small regular file. `None` when it is absent, too large, or anything else than
/// a file: opening a named pipe would wait for ever.
pub(crate) fn small_text(file: &Path) -> Option<String> {
    let meta = std::fs::metadata(file).ok()?;
    if !meta.is_file() || meta.len() > MOST {
        return None;
    }
    Some(String::from_utf8_lossy(&std::fs::read(file).ok()?).into_owned())
}

/// The first line, trimmed; `None` when it is empty.
pub(crate) fn first_line(file: &Path) -> Option<String> {
    let text = small_text(file)?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

pub(crate) fn modified(meta: &Metadata) -> Option<Timestamp> {
    let since = meta.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_ms(i64::try_from(since.as_millis()).ok()?))
}

pub(crate) fn modified_at(file: &Path) -> Option<Timestamp> {
    modified(&std::fs::symlink_metadata(file).ok()?)
}

/// Text for people: one line, no control characters, at most `most` characters.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let clean = line.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut cut: String = clean.clone().take(most).collect();
    if clean.count() > most {
        cut.pop();
        cut.push('…');
    }
    cut
}
