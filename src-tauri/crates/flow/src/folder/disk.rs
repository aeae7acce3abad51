//! The two files of a flow as they lie in the folder.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use devrig_core::{Context, Error, Result};
use sha2::{Digest as _, Sha256};

use crate::definition::{Definition, Layout, MOST_TEXT_BYTES, to_text};

/// How the name of a flow's file ends.
pub(super) const ENDING: &str = ".flow.json";

/// What the files of a flow hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Texts {
    pub flow: String,
    pub layout: Option<String>,
}

impl Texts {
    pub fn of(definition: &Definition) -> Self {
        let layout = Layout::of(definition);
        let layout = (!layout.is_empty()).then(|| layout.to_text());
        Self { flow: to_text(definition), layout }
    }

    /// # Errors
    /// A file that cannot be read, or is too large or no text. A layout like that is left out.
    pub fn read(file: &Path) -> Result<Self> {
        Ok(Self { flow: text(file)?, layout: text(&layout_of(file)).ok() })
    }

    /// Each file is there as it was or as it is to be, whatever happens meanwhile.
    ///
    /// # Errors
    /// What writing meets.
    pub fn write(&self, file: &Path) -> Result<()> {
        replace(file, &self.flow)?;
        let layout = layout_of(file);
        match &self.layout {
            Some(text) => replace(&layout, text),
            None => remove(&layout),
        }
    }

    /// Differs where any of the two texts does.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(&self.flow);
        if let Some(layout) = &self.layout {
            digest.update([0]);
            digest.update(layout);
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What all of these files hold, each by itself. One that went since it was found is left out.
///
/// # Errors
/// Only of our own.
pub(super) async fn read_all(files: Vec<PathBuf>) -> Result<BTreeMap<String, Result<Texts>>> {
    let read = move || {
        let texts = files.iter().map(|file| (file, Texts::read(file)));
        let there = texts.filter(|(file, text)| text.is_ok() || file.symlink_metadata().is_ok());
        there.map(|(file, text)| (file.display().to_string(), text)).collect()
    };
    tokio::task::spawn_blocking(read).await.map_err(|error| Error::internal(error.to_string()))
}

/// `<name>.layout.json` beside `<name>.flow.json`.
fn layout_of(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(ENDING).unwrap_or(&name);
    file.with_file_name(format!("{stem}.layout.json"))
}

fn text(file: &Path) -> Result<String> {
    let shown = || format!("reading {}", file.display());
    let length = std::fs::metadata(file).context(shown())?.len();
    if length > MOST_TEXT_BYTES as u64 {
        let message = format!("the file has {length} bytes, {MOST_TEXT_BYTES} are the most");
        return Err(Error::invalid(message).hint("Move parts into flows of their own."));
    }
    std::fs::read_to_string(file).context(shown())
}

/// Through links, so that a linked file stays one.
fn replace(file: &Path, text: &str) -> Result<()> {
    let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = file.with_file_name(format!(".{name}.tmp"));
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, &file));
    written.context(format!("writing {}", file.display()))
}

fn remove(file: &Path) -> Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).context(format!("removing {}", file.display()))
        }
        _ => Ok(()),
    }
}
