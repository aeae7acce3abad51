//! Local git repositories: find them, read their state, fetch.
//!
//! A repository is untrusted input. What it says is read with gix, in this process, with an
//! allow-list of its configuration; no hook, filter, fsmonitor, external diff, credential helper
//! or other command that it names ever runs. Fetching needs the person's own credentials, and
//! comparing and committing need git's own ways with an index, so they start the git binary, in a git
//! folder of ours that borrows the repository's objects and refs and none of its configuration.

mod branches;
mod commit;
mod diff;
mod discover;
mod fetch;
mod files;
mod layout;
mod log;
mod model;
mod open;
mod operation;
mod remote;
mod scratch;
mod stash;
mod state;
#[cfg(test)]
mod testing;
mod user;
mod walk;
mod worktree;

pub use commit::{Author, Committed, NewCommit, Places, commit, places};
pub use diff::{DiffFile, Differences, Wanted, diff};
pub use discover::discover;
pub use fetch::{FetchLimits, fetch};
pub use log::log;
pub use model::{
    Branch, ChangedFile, Commit, FileState, Head, Operation, OperationKind, Remote,
    RepositoryState, Stash, Upstream, Worktree,
};
pub use open::Access;
pub use state::{state, state_with};
pub use user::User;
