//! The files of a package: which there may be, how they are copied, and that they are still the
//! ones that were installed.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

use devrig_core::error::Context;
use devrig_core::{Code, Error, Result};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::text::shown;

/// The most that a package may hold.
pub const MAX_FILES: usize = 5_000;
pub const MAX_BYTES: u64 = 50 * 1024 * 1024;
const MAX_DEPTH: usize = 32;
const MAX_PATH: usize = 512;
/// Of the modules together: they travel to the worker in one frame, as JSON.
const MAX_MODULES: u64 = 12 * 1024 * 1024;

/// Folders that are no part of a package, whatever lies in them.
const SKIPPED: [&str; 3] = [".git", ".hg", "node_modules"];

/// SHA-256 of every file by its path, with `/`.
pub type Hashes = BTreeMap<String, String>;

/// A file of a package folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative, with `/`.
    pub path: String,
    pub size: u64,
}

/// Something that a package may not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub path: String,
    pub message: String,
    pub hint: &'static str,
}

/// All files below `folder`, sorted. Stops at the first thing that may not be there: a link, a
/// device, an odd name, too much of anything.
pub fn files(folder: &Path) -> Result<Vec<Entry>, Refused> {
    let mut walk = Walk { entries: Vec::new(), names: HashSet::new(), bytes: 0 };
    walk.folder(folder, "", 0)?;
    walk.entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(walk.entries)
}

struct Walk {
    entries: Vec<Entry>,
    /// As a system that ignores case and composition would see them.
    names: HashSet<String>,
    bytes: u64,
}

impl Walk {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), Refused> {
        let unreadable = |error: std::io::Error| {
            refused(prefix, format!("cannot be read: {error}"), "Make it readable.")
        };
        if depth > MAX_DEPTH {
            return Err(refused(prefix, "lies too deep".into(), "Use at most 32 levels."));
        }
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            let shown_path = format!("{prefix}{}", name.to_string_lossy());
            let Some(name) = name.to_str() else {
                return Err(refused(&shown_path, "has a name that is not text".into(), RENAME));
            };
            if depth == 0 && SKIPPED.contains(&name) || name == "node_modules" {
                continue;
            }
            self.check_name(name, &shown_path)?;
            // Of the entry itself, not of what a link leads to.
            let meta = entry.path().symlink_metadata().map_err(unreadable)?;
            if meta.is_dir() {
                self.folder(&entry.path(), &format!("{shown_path}/"), depth + 1)?;
            } else {
                self.file(&meta, shown_path)?;
            }
        }
        Ok(())
    }

    fn check_name(&mut self, name: &str, path: &str) -> Result<(), Refused> {
        let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let reserved = matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
            || (stem.len() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")))
                && stem.ends_with(|c: char| c.is_ascii_digit());
        let odd = name.chars().any(|c| c.is_control() || "\\:*?\"<>|".contains(c));
        if reserved || odd || name.ends_with(['.', ' ']) || path.len() > MAX_PATH {
            let message = "has a name that not every system can hold".into();
            return Err(refused(path, message, RENAME));
        }
        let folded: String = path.nfc().flat_map(char::to_lowercase).collect();
        if !self.names.insert(folded) {
            let message = "has the same name as another file, but for case or accents".into();
            return Err(refused(path, message, RENAME));
        }
        Ok(())
    }

    fn file(&mut self, meta: &std::fs::Metadata, path: String) -> Result<(), Refused> {
        if !meta.is_file() {
            let message = "is a link or a device".into();
            return Err(refused(&path, message, "A package holds plain files and folders only."));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            if meta.nlink() > 1 {
                let message = "is a hard link to a file that has another name too".into();
                return Err(refused(&path, message, "Copy the file instead."));
            }
            if meta.mode() & 0o6000 != 0 {
                let message = "has the setuid or setgid bit".into();
                return Err(refused(&path, message, "Remove it: chmod a-s."));
            }
        }
        self.bytes += meta.len();
        self.entries.push(Entry { path: path.clone(), size: meta.len() });
        if self.bytes > MAX_BYTES || self.entries.len() > MAX_FILES {
            let message = "is beyond what a package may hold: 50 MB in 5,000 files".into();
            return Err(refused(&path, message, "Leave out what the plugin does not need."));
        }
        Ok(())
    }
}

const RENAME: &str = "Rename it.";

fn refused(path: &str, message: String, hint: &'static str) -> Refused {
    Refused { path: shown(path.trim_end_matches('/'), 200), message, hint }
}

/// The path of a file that a manifest names, when it stays inside: relative, no `..`.
pub fn inside(path: &str) -> Option<String> {
    if path.is_empty() || path.len() > MAX_PATH || path.contains(['\\', '\0']) {
        return None;
    }
    let parts: Option<Vec<&str>> = Path::new(path)
        .components()
        .filter(|part| *part != Component::CurDir)
        .map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("/"))
}

/// Reads a file of a package, never through a link, at most `cap` bytes of it.
pub fn read(folder: &Path, path: &str, cap: u64) -> Result<Vec<u8>> {
    let doing = || format!("reading {}", shown(path, 200));
    let mut at = folder.to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    for part in &parts[..parts.len() - 1] {
        at.push(part);
        if !std::fs::symlink_metadata(&at).context(doing())?.is_dir() {
            return Err(Error::new(Code::Refused, format!("{}: it leads through a link", doing())));
        }
    }
    at.push(parts[parts.len() - 1]);
    let file = open_plain(&at).context(doing())?;
    let mut bytes = Vec::new();
    file.take(cap + 1).read_to_end(&mut bytes).context(doing())?;
    if bytes.len() as u64 > cap {
        return Err(Error::new(Code::TooLarge, format!("{}: over {cap} bytes", doing())));
    }
    Ok(bytes)
}

/// Opens a regular file; a link in its place is an error.
fn open_plain(path: &Path) -> Result<File> {
    #[cfg(unix)]
    let file = {
        use rustix::fs::{Mode, OFlags, open};
        // Not blocking, or a pipe in its place would hold us.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        File::from(open(path, flags, Mode::empty()).map_err(std::io::Error::from)?)
    };
    #[cfg(not(unix))]
    let file = {
        if std::fs::symlink_metadata(path)?.is_symlink() {
            return Err(Error::new(Code::Refused, "it is a link"));
        }
        File::open(path)?
    };
    if !file.metadata()?.is_file() {
        return Err(Error::new(Code::Refused, "it is not a plain file"));
    }
    Ok(file)
}

/// The hashes of all files of a package.
pub fn hash(folder: &Path, entries: &[Entry]) -> Result<Hashes> {
    entries
        .iter()
        .map(|entry| Ok((entry.path.clone(), hex(&read(folder, &entry.path, MAX_BYTES)?))))
        .collect()
}

/// Copies the files to a new folder, and gives the hashes of what was written. Modes, owners and
/// times are not taken over; everything is on disk when this returns.
pub fn copy(from: &Path, to: &Path, entries: &[Entry]) -> Result<Hashes> {
    std::fs::create_dir_all(to)?;
    let mut hashes = Hashes::new();
    for entry in entries {
        // It may have grown since it was counted.
        let bytes = read(from, &entry.path, entry.size)?;
        let target = to.join(&entry.path);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut file = File::create_new(&target)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        hashes.insert(entry.path.clone(), hex(&bytes));
    }
    Ok(hashes)
}

/// Whether a path names a module that a plugin can import.
pub fn is_module(path: &str) -> bool {
    path.ends_with(".js") || path.ends_with(".mjs")
}

/// The modules of a package, each checked against the hash that was recorded for it.
///
/// # Errors
/// `CONFLICT` when a file is not what was installed.
pub fn modules(folder: &Path, hashes: &Hashes) -> Result<BTreeMap<String, String>> {
    let mut modules = BTreeMap::new();
    let mut left = MAX_MODULES;
    for (path, hash) in hashes.iter().filter(|(path, _)| is_module(path)) {
        let changed = || {
            Error::new(Code::Conflict, format!("{path} was changed on disk after it was installed"))
                .hint("Install the plugin again if you trust the change.")
        };
        let bytes = read(folder, path, left).map_err(|error| match error.code {
            Code::TooLarge => error,
            _ => changed(),
        })?;
        left -= bytes.len() as u64;
        if hex(&bytes) != *hash {
            return Err(changed());
        }
        modules.insert(path.clone(), String::from_utf8(bytes).map_err(|_| changed())?);
    }
    Ok(modules)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

/// Moves a complete folder into its place, in which an older one may lie: that one is moved aside
/// first and removed last, so that a crash leaves one or the other whole.
pub fn put_in_place(staged: &Path, target: &Path) -> Result<()> {
    let aside: PathBuf = staged.with_extension("old");
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let replaces = target.exists();
    if replaces {
        std::fs::rename(target, &aside)?;
    }
    if let Err(error) = std::fs::rename(staged, target) {
        if replaces {
            std::fs::rename(&aside, target)?;
        }
        return Err(error.into());
    }
    if replaces {
        std::fs::remove_dir_all(&aside)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, path: &str, text: &str) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn a_copy_holds_the_files_and_nothing_else() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for path in ["a.js", "dist/b.js", ".git/config", "node_modules/x/index.js"] {
            write(from.path(), path, path);
        }
        let entries = files(from.path()).unwrap();
        let target = to.path().join("copy");
        let hashes = copy(from.path(), &target, &entries).unwrap();
        assert_eq!(hashes.keys().collect::<Vec<_>>(), ["a.js", "dist/b.js"]);
        assert_eq!(modules(&target, &hashes).unwrap()["dist/b.js"], "dist/b.js");
        std::fs::write(target.join("dist/b.js"), "evil").unwrap();
        assert_eq!(modules(&target, &hashes).unwrap_err().code, Code::Conflict);
        std::fs::remove_file(target.join("dist/b.js")).unwrap();
        assert_eq!(modules(&target, &hashes).unwrap_err().code, Code::Conflict);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices_are_refused() {
        let says = |make: &dyn Fn(&Path)| {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), "a.js", "");
            make(folder.path());
            files(folder.path()).unwrap_err().message
        };
        use std::os::unix::fs::symlink;
        assert!(says(&|f| symlink("/etc/passwd", f.join("l.js")).unwrap()).contains("link"));
        assert!(says(&|f| symlink("/etc", f.join("dir")).unwrap()).contains("link"));
        assert!(
            says(&|f| std::fs::hard_link(f.join("a.js"), f.join("b.js")).unwrap())
                .contains("hard link")
        );
        assert!(
            says(&|f| {
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o4755);
                std::fs::set_permissions(f.join("a.js"), mode).unwrap();
            })
            .contains("setuid")
        );
        assert!(
            says(&|f| {
                let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
                rustix::fs::mknodat(rustix::fs::CWD, f.join("pipe"), kind, mode, 0).unwrap();
            })
            .contains("device")
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_appears_later_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("a.js")).unwrap();
        std::os::unix::fs::symlink("/etc", folder.path().join("dist")).unwrap();
        assert!(read(folder.path(), "a.js", 1000).is_err());
        assert!(read(folder.path(), "dist/hostname", 1000).is_err());
    }

    #[test]
    fn odd_names_are_refused() {
        for name in ["a\\b.js", "con.js", "LPT1", "a.", "x:y", "tab\there"] {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), name, "");
            assert!(files(folder.path()).is_err(), "{name}");
        }
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "A.js", "");
        write(folder.path(), "a.js", "");
        assert!(files(folder.path()).unwrap_err().message.contains("same name"));
    }

    #[test]
    fn paths_stay_inside() {
        for (path, expected) in [
            ("./dist/index.js", Some("dist/index.js")),
            ("a/./b.js", Some("a/b.js")),
            ("../x.js", None),
            ("a/../../x.js", None),
            ("/etc/passwd", None),
            ("a\\b", None),
            ("", None),
            (".", None),
        ] {
            assert_eq!(inside(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_new_version_takes_the_place_of_the_old() {
        let home = tempfile::tempdir().unwrap();
        let (staged, target) = (home.path().join("s"), home.path().join("p/1.0.0"));
        for text in ["one", "two"] {
            write(&staged, "a.js", text);
            put_in_place(&staged, &target).unwrap();
            assert_eq!(std::fs::read_to_string(target.join("a.js")).unwrap(), text);
        }
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left behind");
    }
}
