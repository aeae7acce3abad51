//! The state of one repository.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use devrig_core::{Code, Error, Result};

use crate::files::modified_at;
use crate::model::RepositoryState;
use crate::open::{Access, open};
use crate::{branches, operation, remote, stash, worktree};

/// [`state_with`] for the person who runs this process, and nothing beside the repository.
pub fn state(repository: &Path, interrupt: &Arc<AtomicBool>) -> Result<RepositoryState> {
    state_with(repository, &Access::default(), interrupt)
}

/// Reads the repository whose work tree is `repository`. Blocks: it reads as much as `git status`
/// does, and walks at most 10,000 commits for each branch. Writes nothing, starts nothing.
///
/// Refused are repositories of another user that the person's `safe.directory` does not name,
/// and those that lead out of themselves and of `access.readable`.
pub fn state_with(
    repository: &Path,
    access: &Access,
    interrupt: &Arc<AtomicBool>,
) -> Result<RepositoryState> {
    read(repository, access, interrupt).map_err(|error| {
        // gix reports an interrupt in many forms.
        if interrupt.load(Ordering::Relaxed) {
            return Error::new(
                Code::Cancelled,
                format!("reading {} was cancelled", repository.display()),
            );
        }
        error
    })
}

fn read(
    repository: &Path,
    access: &Access,
    interrupt: &Arc<AtomicBool>,
) -> Result<RepositoryState> {
    let opened = open(repository, access)?;
    let (branches, more_branches) = branches::branches(&opened, interrupt)?;
    let git_dir = &opened.layout.git_dir;
    Ok(RepositoryState {
        path: repository.to_string_lossy().into_owned(),
        name: opened
            .layout
            .work_tree
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
        head: branches::head(&opened)?,
        default_branch: branches::default_branch(&opened.repo, &branches),
        branches,
        more_branches,
        worktree: worktree::worktree(&opened, interrupt)?,
        stashes: stash::stashes(&opened.repo),
        operation: operation::operation(&opened.repo),
        remotes: remote::remotes(&opened.repo),
        last_fetch: modified_at(&git_dir.join("FETCH_HEAD"))
            .or_else(|| modified_at(&opened.layout.common_dir.join("FETCH_HEAD"))),
    })
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
