//! Uncommitted work.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use devrig_core::{Code, Error, Result, Timestamp};
use gix::status::index_worktree::iter::Summary;
use gix::status::{Item, UntrackedFiles, tree_index::TrackRenames};

use crate::branches::text;
use crate::files::modified_at;
use crate::model::{ChangedFile, FileState, Worktree};
use crate::open::{Opened, broken};

/// Changed paths that are counted.
const MOST_CHANGES: usize = 10_000;
/// Changed paths that are shown.
const EXAMPLES: usize = 20;

#[derive(Default, Clone, Copy)]
pub(crate) struct Change {
    pub staged: bool,
    pub modified: bool,
    pub deleted: bool,
    pub untracked: bool,
    pub conflicted: bool,
}

/// Compares commit, index and disk, as `git status --ignore-submodules=all` does, but without
/// filter drivers: a file that has one and was touched since it was added is compared as it lies
/// on disk.
pub(crate) fn worktree(opened: &Opened, interrupt: &Arc<AtomicBool>) -> Result<Worktree> {
    let (changes, more) = changes(opened, UntrackedFiles::Collapsed, interrupt)?;
    let folder = &opened.layout.work_tree;
    let mut worktree = Worktree { more, ..Worktree::default() };
    let mut files = Vec::with_capacity(changes.len());
    for (path, change) in changes {
        if interrupt.load(Ordering::Relaxed) {
            return Err(cancelled(folder));
        }
        if change.conflicted {
            worktree.conflicted += 1;
        } else {
            worktree.staged += u32::from(change.staged);
            worktree.modified += u32::from(change.modified || change.deleted);
            worktree.untracked += u32::from(change.untracked);
        }
        if let Some(time) = changed_at(folder, &path) {
            worktree.oldest_change = Some(worktree.oldest_change.map_or(time, |old| old.min(time)));
            worktree.newest_change = worktree.newest_change.max(Some(time));
        }
        files.push(ChangedFile { path, state: change.state() });
    }
    files.sort_by(|a, b| (a.state, &a.path).cmp(&(b.state, &b.path)));
    files.truncate(EXAMPLES);
    worktree.files = files;
    Ok(worktree)
}

impl Change {
    fn state(self) -> FileState {
        match self {
            Self { conflicted: true, .. } => FileState::Conflicted,
            Self { deleted: true, .. } => FileState::Deleted,
            Self { modified: true, .. } => FileState::Modified,
            Self { staged: true, .. } => FileState::Staged,
            _ => FileState::Untracked,
        }
    }
}

/// Every path that changed, and whether there are more than are counted.
pub(crate) fn changes(
    opened: &Opened,
    untracked: UntrackedFiles,
    interrupt: &Arc<AtomicBool>,
) -> Result<(BTreeMap<String, Change>, bool)> {
    let wrong = |error| broken(&opened.layout.work_tree, error);
    let items = opened
        .repo
        .status(gix::progress::Discard)
        .map_err(wrong)?
        .untracked_files(untracked)
        .index_worktree_submodules(None)
        .index_worktree_rewrites(None)
        .tree_index_track_renames(TrackRenames::Disabled)
        .should_interrupt_owned(Arc::clone(interrupt))
        .into_iter(None)
        .map_err(wrong)?;
    let mut changes: BTreeMap<String, Change> = BTreeMap::new();
    let mut more = false;
    for item in items {
        let item = item.map_err(wrong)?;
        if changes.len() >= MOST_CHANGES {
            more = true;
            break;
        }
        let path = text(item.location());
        match item {
            Item::TreeIndex(_) => changes.entry(path).or_default().staged = true,
            Item::IndexWorktree(item) => {
                let Some(summary) = item.summary() else {
                    continue;
                };
                let change = changes.entry(path).or_default();
                match summary {
                    Summary::Conflict => change.conflicted = true,
                    Summary::Removed => change.deleted = true,
                    Summary::Added => change.untracked = true,
                    Summary::Modified
                    | Summary::TypeChange
                    | Summary::Renamed
                    | Summary::Copied
                    | Summary::IntentToAdd => change.modified = true,
                }
            }
        }
    }
    if interrupt.load(Ordering::Relaxed) {
        return Err(cancelled(&opened.layout.work_tree));
    }
    Ok((changes, more))
}

/// When a path changed; of a deleted one, when its folder did.
fn changed_at(folder: &Path, path: &str) -> Option<Timestamp> {
    let mut place: PathBuf = folder.join(path);
    while place.starts_with(folder) {
        if let Some(time) = modified_at(&place) {
            return Some(time);
        }
        place.pop();
    }
    None
}

fn cancelled(folder: &Path) -> Error {
    Error::new(Code::Cancelled, format!("reading {} was cancelled", folder.display()))
}
