//! A trigger that fires when files change.

use crate::definition::model::LONGEST;
use crate::definition::wire::{Object, Writer, words};

/// Changes of files.
#[derive(Debug, Clone, PartialEq)]
pub struct Filesystem {
    /// Folders, files or globs; at least one.
    pub paths: Vec<String>,
    /// At least one, each once.
    pub events: Vec<FileEvent>,
    /// A path counts as changed when it was quiet for so long.
    pub debounce_ms: u64,
    /// Globs of what is not even watched.
    pub ignore_patterns: Vec<String>,
    pub follow_symlinks: bool,
    /// How many levels below a folder are watched; absent: all.
    pub depth: Option<u32>,
}

words! {
    /// What happened to a file.
    FileEvent {
        Add = "add",
        Change = "change",
        Unlink = "unlink",
        Rename = "rename",
    }
}

impl Default for Filesystem {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            events: vec![FileEvent::Add, FileEvent::Change, FileEvent::Unlink, FileEvent::Rename],
            debounce_ms: 300,
            ignore_patterns: vec!["**/node_modules/**".to_owned(), "**/.git/**".to_owned()],
            follow_symlinks: false,
            depth: None,
        }
    }
}

impl Filesystem {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        let usual = Self::default();
        Self {
            paths: object.required("paths", |at| at.list(1..=100, |path| path.line(4_096))),
            events: object.or("events", usual.events, |at| at.words(1)),
            debounce_ms: object.or("debounceMs", usual.debounce_ms, |at| at.integer(0..=LONGEST)),
            ignore_patterns: object.or("ignorePatterns", usual.ignore_patterns, |at| {
                at.list(0..=100, |pattern| pattern.line(4_096))
            }),
            follow_symlinks: object.or("followSymlinks", usual.follow_symlinks, |at| at.flag()),
            depth: object.optional("depth", |at| at.integer(0..=1_000)),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        let usual = Self::default();
        into.put("paths", &self.paths);
        into.unless("events", &self.events, &usual.events);
        into.unless("debounceMs", &self.debounce_ms, &usual.debounce_ms);
        into.unless("ignorePatterns", &self.ignore_patterns, &usual.ignore_patterns);
        into.unless("followSymlinks", &self.follow_symlinks, &usual.follow_symlinks);
        into.some("depth", &self.depth);
    }
}
