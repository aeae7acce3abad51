//! Finding repositories below a folder.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use devrig_core::error::Context;
use devrig_core::{Code, Error, Result};

/// Folders that hold other people's code or built things, and much of it.
const SKIPPED: &[&str] = &[
    "node_modules",
    "bower_components",
    "target",
    "vendor",
    "dist",
    "build",
    "out",
    "venv",
    "__pycache__",
    "site-packages",
    "Pods",
    "DerivedData",
    "Library",
    "cache",
    "Caches",
];

/// Beyond this many folders a search is a mistake.
const MOST_FOLDERS: usize = 200_000;

/// The repositories in `folder` and below it, `depth` levels deep, sorted, at most `limit`.
///
/// Repositories with a work tree only: those whose `.git` is a folder or a file. A repository's
/// own content is not searched, nor are links, hidden folders, and folders such as
/// `node_modules`. Folders that cannot be read are passed over.
pub fn discover(
    folder: &Path,
    depth: usize,
    limit: usize,
    interrupt: &AtomicBool,
) -> Result<Vec<PathBuf>> {
    let doing = || format!("looking for repositories in {}", folder.display());
    if !std::fs::metadata(folder).context(doing())?.is_dir() {
        return Err(Error::invalid(format!("{} is not a folder", folder.display())));
    }
    let mut found = Vec::new();
    let mut seen = 0;
    let mut level = vec![folder.to_owned()];
    for below in 0..=depth {
        let mut next = Vec::new();
        for folder in level {
            if interrupt.load(Ordering::Relaxed) {
                return Err(Error::new(Code::Cancelled, doing()));
            }
            if is_repository(&folder) {
                if found.len() == limit {
                    found.sort();
                    return Ok(found);
                }
                found.push(folder);
                continue;
            }
            if below < depth {
                next.extend(subfolders(&folder));
            }
        }
        seen += next.len();
        if seen > MOST_FOLDERS {
            return Err(Error::new(
                Code::TooLarge,
                format!("{}: more than {MOST_FOLDERS} folders", doing()),
            )
            .hint("Choose a narrower folder, or search less deep."));
        }
        next.sort();
        level = next;
    }
    found.sort();
    Ok(found)
}

fn is_repository(folder: &Path) -> bool {
    let dot_git = folder.join(".git");
    match std::fs::symlink_metadata(&dot_git) {
        Ok(meta) if meta.is_dir() => dot_git.join("HEAD").is_file(),
        Ok(meta) if meta.is_file() => {
            crate::files::first_line(&dot_git).is_some_and(|line| line.starts_with("gitdir:"))
        }
        _ => false,
    }
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        // The entry's own type: a link to a folder is a link.
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter(|entry| {
            entry
                .file_name()
                .to_str()
                .is_some_and(|name| !name.starts_with('.') && !SKIPPED.contains(&name))
        })
        .map(|entry| entry.path())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Place;

    fn names(place: &Place, depth: usize, limit: usize) -> Vec<String> {
        discover(&place.root, depth, limit, &AtomicBool::new(false))
            .unwrap()
            .iter()
            .map(|path| path.strip_prefix(&place.root).unwrap().to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn repositories_are_found_and_their_inside_is_not_searched() {
        let place = Place::new();
        for name in ["b", "a/deep/er", "node_modules/x", ".hidden/x", "a/target/x"] {
            place.repo(name);
        }
        place.repo("b/nested");
        place.git(&place.root, &["init", "-q", "--bare", "bare.git"]);
        assert_eq!(names(&place, 4, 10), ["a/deep/er", "b"]);
        assert_eq!(names(&place, 1, 10), ["b"], "depth is respected");
        assert_eq!(names(&place, 4, 1), ["b"], "the limit is respected");
        assert_eq!(names(&place, 0, 1), Vec::<String>::new());
    }

    #[test]
    fn a_chosen_folder_can_itself_be_the_repository() {
        let place = Place::new();
        let repo = place.repo("one");
        assert_eq!(discover(&repo, 3, 10, &AtomicBool::new(false)).unwrap(), [repo]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let place = Place::new();
        let elsewhere = Place::new();
        elsewhere.repo("x");
        std::os::unix::fs::symlink(&elsewhere.root, place.root.join("link")).unwrap();
        std::os::unix::fs::symlink("/", place.root.join("all")).unwrap();
        assert_eq!(names(&place, 4, 10), Vec::<String>::new());
    }

    #[test]
    fn linked_work_trees_count_and_pointers_that_are_not_git_do_not() {
        let place = Place::new();
        let main = place.repo("main");
        place.commit(&main, "a.txt", "a", "first");
        place.git(&main, &["worktree", "add", "-q", "../linked", "-b", "side"]);
        std::fs::create_dir(place.root.join("odd")).unwrap();
        std::fs::write(place.root.join("odd/.git"), "hello").unwrap();
        assert_eq!(names(&place, 1, 10), ["linked", "main"]);
    }

    #[test]
    fn an_interrupt_ends_the_search() {
        let place = Place::new();
        let error = discover(&place.root, 3, 10, &AtomicBool::new(true)).unwrap_err();
        assert_eq!(error.code, Code::Cancelled);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = discover(Path::new("/no/such"), 3, 10, &AtomicBool::new(false)).unwrap_err();
        assert_eq!(error.code, Code::NotFound);
        assert!(error.message.contains("/no/such"), "{error}");
    }
}
