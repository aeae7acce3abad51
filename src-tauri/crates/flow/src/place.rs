//! Where a flow's files are: found by a path once, and from then on reached without following a
//! link, so that what was checked is what is opened.

#[cfg(unix)]
mod folder;
#[cfg(unix)]
mod spot;
#[cfg(unix)]
mod store;

use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf};

use devrig_core::{Code, Error, Result};

#[cfg(unix)]
pub(crate) use folder::Folder;
#[cfg(unix)]
pub(crate) use spot::{Kind, Spot, modified};
#[cfg(unix)]
pub(crate) use store::Over;

/// Longer ones are opened by no system.
const LONGEST: usize = 4096;

/// The path that a person wrote: from the root on, or from the home folder with `~/`.
///
/// # Errors
/// `INVALID_INPUT`.
pub(crate) fn absolute(text: &str) -> Result<PathBuf> {
    let wrong = |why: &str| {
        let shown: String = text.chars().take(200).collect();
        Error::invalid(format!("{shown:?} is no path: {why}"))
    };
    if text.len() > LONGEST {
        return Err(wrong("it is too long"));
    }
    if text.contains('\0') {
        return Err(wrong("it has a null character in it"));
    }
    let path = match text.strip_prefix('~') {
        Some(below) if below.is_empty() || below.starts_with('/') => {
            let home = std::env::home_dir().filter(|home| home.is_absolute());
            let home = home.ok_or_else(|| wrong("your home folder is not known"))?;
            home.join(below.trim_start_matches('/'))
        }
        _ => PathBuf::from(text),
    };
    match path.is_absolute() {
        true => Ok(path),
        false => Err(wrong("it begins neither with / nor with ~/")
            .hint("Write it from the root on, or from your home folder.")),
    }
}

/// The same place by a path without links and `..`. What is not there yet is left as it is
/// written.
///
/// # Errors
/// What reading meets; links that lead nowhere or in a circle.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf> {
    let (mut there, mut missing) = (path, Vec::new());
    let mut real = loop {
        match there.canonicalize() {
            Ok(real) => break real,
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(told(there, &error)),
            Err(error) => {
                if there.symlink_metadata().is_ok() {
                    return Err(dangling(there));
                }
                let (Some(name), Some(parent)) = (there.file_name(), there.parent()) else {
                    return Err(told(path, &error));
                };
                missing.push(name);
                there = parent;
            }
        }
    };
    real.extend(missing.into_iter().rev());
    Ok(real)
}

/// The same for what is at a path itself, a link included.
///
/// # Errors
/// As [`resolve`].
pub(crate) fn resolve_entry(path: &Path) -> Result<PathBuf> {
    match (path.file_name(), path.parent()) {
        (Some(name), Some(parent)) => Ok(resolve(parent)?.join(name)),
        _ => resolve(path),
    }
}

/// What a system says of a path, for people.
pub(crate) fn told(path: &Path, error: &IoError) -> Error {
    let shown = path.display();
    let permanent = |why: &str| Error::invalid(format!("{shown} {why}"));
    match error.kind() {
        ErrorKind::NotFound => Error::not_found(shown).hint("Check how it is written."),
        ErrorKind::PermissionDenied => {
            Error::new(Code::Refused, format!("the system does not let DevRig at {shown}"))
                .hint("Check who may read and write it, and the folders above it.")
        }
        ErrorKind::AlreadyExists => Error::new(Code::Conflict, format!("{shown} is there already")),
        ErrorKind::NotADirectory => permanent("has something in its way that is no folder"),
        ErrorKind::IsADirectory => permanent("is a folder"),
        ErrorKind::DirectoryNotEmpty => permanent("is a folder that is not empty"),
        ErrorKind::InvalidFilename => permanent("has a name that the system does not take"),
        _ if in_a_circle(error) => permanent("leads through links in a circle, or by too many"),
        _ => Error::from(IoError::new(error.kind(), error.to_string())).context(shown),
    }
}

#[cfg(unix)]
fn in_a_circle(error: &IoError) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

#[cfg(not(unix))]
fn in_a_circle(_: &IoError) -> bool {
    false
}

fn dangling(path: &Path) -> Error {
    Error::not_found(format!("what the link {} leads to", path.display()))
        .hint("Repair the link, or name the file itself.")
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_path_begins_at_the_root_or_at_home() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(absolute("~/a").unwrap(), home.join("a"));
        assert_eq!(absolute("/a/~").unwrap(), Path::new("/a/~"));
        for wrong in ["a", "./a", "", "~kim/a", "/a\0b", &format!("/{}", "x".repeat(5000))] {
            assert_eq!(absolute(wrong).unwrap_err().code, Code::InvalidInput, "{wrong:.9}");
        }
    }

    #[test]
    fn links_and_dots_are_gone_from_what_is_resolved() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("in")).unwrap();
        symlink("/etc", root.join("out")).unwrap();
        assert_eq!(resolve(&root.join("in/../in/new/file")).unwrap(), root.join("in/new/file"));
        assert_eq!(resolve(&root.join("out/passwd")).unwrap(), Path::new("/etc/passwd"));
        assert_eq!(resolve(&root.join("out/../x")).unwrap(), Path::new("/x"));
        assert_eq!(resolve_entry(&root.join("in/../out")).unwrap(), root.join("out"));
        assert_eq!(resolve(Path::new("/")).unwrap(), Path::new("/"));
    }

    #[test]
    fn links_that_lead_nowhere_or_in_a_circle_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        symlink(root.join("b"), root.join("a")).unwrap();
        symlink(root.join("a"), root.join("b")).unwrap();
        symlink("nothing", root.join("gone")).unwrap();
        let circle = resolve(&root.join("a/x")).unwrap_err();
        assert!(circle.message.contains("circle") && !circle.retryable, "{circle}");
        for path in ["gone", "gone/x", "none/../x"] {
            assert_eq!(resolve(&root.join(path)).unwrap_err().code, Code::NotFound, "{path}");
        }
    }
}
