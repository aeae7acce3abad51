//! `file.list`

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use devrig_core::{Error, Result};
use globset::{GlobBuilder, GlobMatcher};
use rustix::fs::{AtFlags, Stat, statat};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::action::{About, Effect};
use crate::actions::blocking::{Blocking, Scene};
use crate::permissions::Wanted;
use crate::place::{Folder, Kind, modified};

const ABOUT: About = About {
    name: "file.list",
    title: "List files",
    text: "Gives what is in a folder, by name, and with `recursive` what is in the folders below, \
           each before what is in it. Links are listed and not followed. `pattern` is a glob on the \
           path below the folder: `*.md` for files in it, `**/*.md` for those at any depth. The \
           flow must be allowed `read:` of the folder.",
    effect: Effect::Read,
    idempotent: true,
    input: r#"{"type": "object", "additionalProperties": false, "required": ["path"],
        "properties": {
            "path": {"type": "string", "minLength": 1, "description": "The folder."},
            "pattern": {"type": "string", "maxLength": 1000, "description": "A glob that the listed ones match."},
            "kinds": {"type": "array", "items": {"enum": ["file", "folder", "link", "other"]},
                "description": "Only these are listed."},
            "recursive": {"type": "boolean", "default": false, "description": "Whether folders below are looked into."},
            "hidden": {"type": "boolean", "default": false, "description": "Whether names that begin with a dot count."},
            "limit": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 1000,
                "description": "At most so many are listed; `more` says whether there are others."}}}"#,
    output: r#"{"type": "object", "required": ["entries", "more"], "properties": {
        "entries": {"type": "array", "items": {"type": "object", "properties": {
            "path": {"type": "string"}, "name": {"type": "string"}, "kind": {"type": "string"},
            "bytes": {"type": "integer"}, "modifiedAt": {"type": "string"}}}},
        "more": {"type": "boolean"}}}"#,
    example: r#"{"path": "~/notes", "pattern": "**/*.md", "recursive": true, "kinds": ["file"]}"#,
    typical_ms: 5,
    raw: &[],
};

/// Names that are looked at; who has more of them names a folder below.
const MOST_LOOKED_AT: usize = 100_000;
/// Folders in folders; more is a trap.
const DEEPEST: usize = 100;

pub(super) struct List;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    path: String,
    pattern: Option<String>,
    kinds: Option<Vec<String>>,
    #[serde(default)]
    recursive: bool,
    #[serde(default)]
    hidden: bool,
    limit: Option<usize>,
}

impl Blocking for List {
    const ABOUT: About = ABOUT;
    type Config = Config;

    fn run(config: Config, scene: &Scene) -> Result<Value> {
        let path = super::to_read(&config.path, "path", scene)?;
        let folder = Folder::open(&path)?;
        let mut listing = Listing {
            scene,
            root: &path,
            pattern: config.pattern.as_deref().map(glob).transpose()?,
            limit: config.limit.unwrap_or(1000),
            config: &config,
            entries: Vec::new(),
            looked_at: 0,
            more: false,
        };
        listing.gather(&folder, 0)?;
        Ok(json!({ "entries": listing.entries, "more": listing.more }))
    }

    fn needs(config: &Map<String, Value>) -> Vec<Wanted> {
        Wanted::read(config, "path").into_iter().collect()
    }
}

fn glob(pattern: &str) -> Result<GlobMatcher> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| {
        Error::invalid(format!("pattern: {:?} is no glob: {}", pattern, error.kind()))
            .hint("Such as *.md, **/*.rs or {a,b}.txt.")
    })
}

struct Listing<'a> {
    scene: &'a Scene,
    root: &'a Path,
    pattern: Option<GlobMatcher>,
    limit: usize,
    config: &'a Config,
    entries: Vec<Value>,
    looked_at: usize,
    more: bool,
}

impl Listing<'_> {
    fn gather(&mut self, folder: &Folder, depth: usize) -> Result<()> {
        for name in self.names(folder)? {
            if self.more {
                return Ok(());
            }
            // It may be gone by now.
            let Ok(stat) = statat(folder, &*name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            self.keep(&folder.path().join(&name), &stat);
            if self.config.recursive && Kind::of(&stat) == Kind::Folder {
                self.descend(folder, &name, depth)?;
            }
        }
        Ok(())
    }

    /// Into a folder, as far as the system and the flow's permissions let it.
    fn descend(&mut self, folder: &Folder, name: &OsStr, depth: usize) -> Result<()> {
        let path = folder.path().join(name);
        if self.scene.permissions.read(&path).is_err() {
            return Ok(());
        }
        if depth >= DEEPEST {
            return Err(Error::invalid(format!("{} is too deep", path.display()))
                .hint("List a folder below by itself."));
        }
        match folder.inner(name) {
            Ok(inner) => self.gather(&inner, depth + 1),
            Err(_) => Ok(()),
        }
    }

    fn names(&mut self, folder: &Folder) -> Result<Vec<OsString>> {
        let mut names = Vec::new();
        // A folder below that may not be listed is like an empty one.
        let entries = match folder.entries() {
            Err(_) if folder.path() != self.root => return Ok(names),
            entries => entries?,
        };
        for entry in entries {
            self.scene.go_on()?;
            let Ok(entry) = entry else { break };
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") || (name[0] == b'.' && !self.config.hidden) {
                continue;
            }
            self.looked_at += 1;
            if self.looked_at > MOST_LOOKED_AT {
                self.more = true;
                break;
            }
            names.push(OsStr::from_bytes(name).to_owned());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn keep(&mut self, path: &Path, stat: &Stat) {
        let kind = Kind::of(stat).as_str();
        let below = path.strip_prefix(self.root).unwrap_or(path);
        let fits = self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(below))
            && self.config.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|one| one == kind));
        if !fits {
            return;
        }
        if self.entries.len() == self.limit {
            self.more = true;
            return;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.entries.push(json!({
            "path": path.to_string_lossy(),
            "name": name,
            "kind": kind,
            "bytes": stat.st_size,
            "modifiedAt": modified(stat),
        }));
    }
}
