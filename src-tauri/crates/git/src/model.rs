//! What the state of a repository is made of; the SDK's `GitState` mirrors it field by field.

use devrig_core::Timestamp;
use serde::{Deserialize, Serialize};

/// Everything worth knowing about one repository, read in one go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RepositoryState {
    /// Where the work tree is.
    pub path: String,
    /// The folder's name.
    pub name: String,
    pub head: Head,
    /// The branch that others start from: what `origin/HEAD` names, else `main` or `master`.
    pub default_branch: Option<String>,
    /// Sorted by name.
    pub branches: Vec<Branch>,
    /// True when there are more branches than were read.
    pub more_branches: bool,
    pub worktree: Worktree,
    /// The newest first.
    pub stashes: Vec<Stash>,
    /// What was begun and not ended.
    pub operation: Option<Operation>,
    /// Sorted by name.
    pub remotes: Vec<Remote>,
    pub last_fetch: Option<Timestamp>,
}

/// Where the work tree stands. Neither branch nor commit can be missing at once.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// `None` when detached.
    pub branch: Option<String>,
    pub detached: bool,
    /// `None` before the first commit.
    pub commit: Option<Commit>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Commit {
    /// The whole id, in hexadecimal.
    pub id: String,
    /// The first line of the message, cut at 200 characters.
    pub subject: String,
    /// The author's name.
    pub author: String,
    /// When it was committed.
    pub time: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Branch {
    pub name: String,
    pub tip: Commit,
    pub upstream: Option<Upstream>,
}

/// How a branch compares with what it follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upstream {
    /// Such as `origin/main`.
    pub name: String,
    /// Configured, and not there any more.
    pub gone: bool,
    /// Commits that only the branch has.
    pub ahead: u32,
    /// Commits that only the upstream has.
    pub behind: u32,
    /// True when counting stopped at a limit, so that the numbers are lower bounds.
    pub more: bool,
    pub tip: Option<Commit>,
    /// The newest of them, at most ten.
    pub ahead_commits: Vec<Commit>,
    /// The newest of them, at most ten.
    pub behind_commits: Vec<Commit>,
}

/// Uncommitted work. Submodules are left out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Worktree {
    /// Paths that differ between `HEAD` and the index.
    pub staged: u32,
    /// Tracked paths that differ between the index and the disk, deleted ones included.
    pub modified: u32,
    /// Untracked files, and folders that hold nothing else.
    pub untracked: u32,
    /// Paths with an unresolved conflict; counted nowhere else.
    pub conflicted: u32,
    /// True when counting stopped at a limit.
    pub more: bool,
    /// Examples, conflicts first, at most twenty.
    pub files: Vec<ChangedFile>,
    /// Of the changed files on disk.
    pub oldest_change: Option<Timestamp>,
    pub newest_change: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedFile {
    /// Relative to the repository, with `/`.
    pub path: String,
    pub state: FileState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FileState {
    Conflicted,
    /// In the index, and the same on disk.
    Staged,
    Modified,
    Deleted,
    Untracked,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stash {
    /// As in `stash@{0}`.
    pub index: u32,
    pub message: String,
    pub time: Timestamp,
    /// The branch that it was made on.
    pub branch: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OperationKind {
    Merge,
    Rebase,
    CherryPick,
    Revert,
    Bisect,
    /// Applying patches from mail.
    Am,
}

/// A merge, rebase or the like that waits for the person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    pub kind: OperationKind,
    /// The branch that is rebased, or that a bisection started from.
    pub branch: Option<String>,
    /// What is merged, or the commit that a rebase goes onto.
    pub target: Option<String>,
    /// The commit being applied.
    pub commit: Option<Commit>,
    /// As in 3 of 7.
    pub step: Option<u32>,
    pub total: Option<u32>,
    /// When it came to its present step.
    pub since: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remote {
    pub name: String,
    /// Without user information, query and fragment.
    pub url: String,
}
