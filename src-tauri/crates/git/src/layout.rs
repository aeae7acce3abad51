//! Where the parts of a repository lie, and whether they may be read.
//!
//! A repository can point elsewhere: by a `.git` file, `commondir`, links and alternates. Being
//! allowed to read one folder must not become reading another by what that folder says.

use std::path::{Path, PathBuf};

use devrig_core::error::Context;
use devrig_core::{Code, Error, Result};

use crate::files::small_text;

/// Refs and logs that are looked at; more are an attack, or as good as one.
const MOST_ENTRIES: usize = 200_000;

/// How many alternates may borrow from alternates.
const ALTERNATES_DEEP: usize = 5;

/// The places of one repository, links resolved.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub work_tree: PathBuf,
    pub git_dir: PathBuf,
    /// Of a linked work tree, the main repository's git folder; else the git folder.
    pub common_dir: PathBuf,
}

impl Layout {
    /// Finds and checks the places of the repository whose work tree is `repository`. `readable`
    /// are further folders that it may borrow from.
    pub(crate) fn find(repository: &Path, readable: &[PathBuf]) -> Result<Self> {
        let work_tree = repository
            .canonicalize()
            .context(format_args!("opening the repository {}", repository.display()))?;
        let mut inside: Vec<PathBuf> =
            readable.iter().filter_map(|p| p.canonicalize().ok()).collect();
        inside.push(work_tree.clone());

        let git_dir = find_git_dir(&work_tree, &inside)?;
        inside.push(git_dir.clone());
        let common_dir = find_common_dir(&work_tree, &git_dir, &inside)?;
        inside.push(common_dir.clone());

        let layout = Self { work_tree, git_dir, common_dir };
        layout.check_entries(&inside)?;
        for name in ["refs", "logs"] {
            check_plain(&layout.common_dir.join(name), usize::MAX)?;
        }
        if layout.git_dir != layout.common_dir {
            check_plain(&layout.git_dir, usize::MAX)?;
        }
        check_alternates(&layout.common_dir.join("objects"), &inside, ALTERNATES_DEEP)?;
        Ok(layout)
    }

    /// Links must stay inside, and nothing may be a pipe or a device, whose opening could wait
    /// for ever.
    fn check_entries(&self, inside: &[PathBuf]) -> Result<()> {
        let own =
            ["HEAD", "index", "config.worktree", "MERGE_MSG", "logs"].map(|n| self.git_dir.join(n));
        let shared = [
            "config",
            "packed-refs",
            "refs",
            "objects",
            "objects/info",
            "objects/pack",
            "logs",
            "shallow",
            "info",
        ]
        .map(|name| self.common_dir.join(name));
        for entry in own.into_iter().chain(shared) {
            let Ok(meta) = std::fs::symlink_metadata(&entry) else {
                continue;
            };
            if meta.is_symlink() {
                let Ok(target) = entry.canonicalize() else {
                    continue;
                };
                if !within(&target, inside) {
                    return Err(outside(&entry, &target));
                }
            }
            let kind = std::fs::metadata(&entry)?;
            if !kind.is_file() && !kind.is_dir() {
                return Err(Error::new(
                    Code::Refused,
                    format!("{} is neither a file nor a folder", entry.display()),
                ));
            }
        }
        Ok(())
    }
}

/// Below this folder, `deep` levels, are only files and folders. A link would be followed out when
/// a ref is read or a fetch writes one, and a pipe would be waited for.
pub(crate) fn check_plain(folder: &Path, deep: usize) -> Result<()> {
    let mut folders = vec![(folder.to_owned(), deep)];
    let mut seen = 0;
    while let Some((folder, deep)) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.filter_map(Result::ok) {
            let kind = entry.file_type()?;
            seen += 1;
            if seen > MOST_ENTRIES {
                return Err(Error::new(
                    Code::TooLarge,
                    format!("{} holds more than {MOST_ENTRIES} entries", folder.display()),
                ));
            }
            if kind.is_dir() && deep > 1 {
                folders.push((entry.path(), deep - 1));
            } else if !kind.is_dir() && !kind.is_file() {
                return Err(Error::new(
                    Code::Refused,
                    format!("{} is neither a file nor a folder", entry.path().display()),
                ));
            }
        }
    }
    Ok(())
}

fn within(path: &Path, roots: &[PathBuf]) -> bool {
    roots.iter().any(|root| path.starts_with(root))
}

fn outside(from: &Path, to: &Path) -> Error {
    Error::new(
        Code::Refused,
        format!("{} leads to {}, outside of the repository", from.display(), to.display()),
    )
    .hint("Add that folder too if this is meant.")
}

fn find_git_dir(work_tree: &Path, inside: &[PathBuf]) -> Result<PathBuf> {
    let dot_git = work_tree.join(".git");
    let Ok(meta) = std::fs::metadata(&dot_git) else {
        return Err(not_a_repository(work_tree));
    };
    let git_dir = if meta.is_dir() {
        dot_git.canonicalize()?
    } else {
        let text = small_text(&dot_git).ok_or_else(|| not_a_repository(work_tree))?;
        let target = text
            .strip_prefix("gitdir:")
            .map(|rest| rest.trim_end_matches(['\n', '\r']).trim_start())
            .ok_or_else(|| not_a_repository(work_tree))?;
        work_tree.join(target).canonicalize().map_err(|_| {
            Error::not_found(format!("the git folder that {} names", dot_git.display()))
                .hint("Run `git worktree prune` in the main repository, or remove this folder.")
        })?
    };
    if !within(&git_dir, inside) && !points_back(&git_dir, work_tree) {
        return Err(outside(&dot_git, &git_dir));
    }
    Ok(git_dir)
}

/// Does the git folder itself name this work tree? Linked work trees and submodules do, and a
/// stranger cannot write there.
fn points_back(git_dir: &Path, work_tree: &Path) -> bool {
    let linked = small_text(&git_dir.join("gitdir"))
        .and_then(|text| git_dir.join(text.trim_end()).canonicalize().ok())
        .is_some_and(|back| back == work_tree.join(".git"));
    linked
        || gix::config::File::from_path_no_includes(
            git_dir.join("config"),
            gix::config::Source::Local,
        )
        .ok()
        .and_then(|config| config.string("core.worktree"))
        .and_then(|path| git_dir.join(path.to_string()).canonicalize().ok())
        .is_some_and(|back| back == work_tree)
}

fn find_common_dir(work_tree: &Path, git_dir: &Path, inside: &[PathBuf]) -> Result<PathBuf> {
    let pointer = git_dir.join("commondir");
    if std::fs::symlink_metadata(&pointer).is_err() {
        return Ok(git_dir.to_owned());
    }
    let text = small_text(&pointer).ok_or_else(|| not_a_repository(work_tree))?;
    let common = git_dir.join(text.trim_end_matches(['\n', '\r'])).canonicalize()?;
    if !within(&common, inside) && !git_dir.starts_with(common.join("worktrees")) {
        return Err(outside(&pointer, &common));
    }
    Ok(common)
}

fn check_alternates(objects: &Path, inside: &[PathBuf], deep: usize) -> Result<()> {
    let list = objects.join("info/alternates");
    if std::fs::symlink_metadata(&list).is_err() {
        return Ok(());
    }
    let text = small_text(&list).filter(|_| deep > 0).ok_or_else(|| {
        Error::new(Code::Refused, format!("{} cannot be followed", list.display()))
    })?;
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        // git writes unusual names in quotes.
        let Ok(borrowed) = objects.join(line.trim_matches('"')).canonicalize() else {
            continue;
        };
        if !within(&borrowed, inside) {
            return Err(outside(&list, &borrowed));
        }
        check_alternates(&borrowed, inside, deep - 1)?;
    }
    Ok(())
}

fn not_a_repository(folder: &Path) -> Error {
    if folder.join("HEAD").is_file() && folder.join("objects").is_dir() {
        return Error::new(
            Code::Unsupported,
            format!("{} is a bare repository, without a work tree", folder.display()),
        );
    }
    Error::not_found(format!("a git repository at {}", folder.display()))
        .hint("Name the folder that holds .git.")
}
