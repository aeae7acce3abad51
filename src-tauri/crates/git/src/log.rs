//! The history behind a commit.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use devrig_core::{Code, Error, Result};
use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::revision::walk::Sorting;

use crate::model::Commit;
use crate::open::{Access, Opened, broken, open};
use crate::walk::describe;

/// The newest commits that `from` leads to, at most `most` of them; HEAD unless told. None before
/// the first commit.
pub fn log(
    repository: &Path,
    from: Option<&str>,
    most: usize,
    access: &Access,
    interrupt: &AtomicBool,
) -> Result<Vec<Commit>> {
    let opened = open(repository, access)?;
    let wrong = |error: &dyn std::fmt::Display| broken(&opened.layout.work_tree, error);
    let Some(from) = commit_id(&opened, from)? else { return Ok(Vec::new()) };
    let walk = opened.repo.rev_walk([from]).sorting(Sorting::ByCommitTime(Default::default()));
    let mut commits = Vec::new();
    for info in walk.all().map_err(|error| wrong(&error))?.take(most) {
        if interrupt.load(Ordering::Relaxed) {
            return Err(Error::new(Code::Cancelled, "reading the log was cancelled"));
        }
        commits.push(describe(&opened.repo, info.map_err(|error| wrong(&error))?.id)?);
    }
    Ok(commits)
}

/// What a branch, tag or id names; HEAD, if there is a commit, unless told.
pub(crate) fn commit_id(opened: &Opened, named: Option<&str>) -> Result<Option<ObjectId>> {
    let repo = &opened.repo;
    let Some(name) = named else {
        let mut head = repo.head().map_err(|error| broken(&opened.layout.work_tree, error))?;
        let id = head.try_peel_to_id().map_err(|error| broken(&opened.layout.work_tree, error))?;
        return Ok(id.map(gix::Id::detach));
    };
    let missing = || {
        let shown: String = name.chars().take(100).collect();
        Error::not_found(format!("a commit {shown:?} in {}", opened.layout.work_tree.display()))
            .hint("Name a branch, a tag, an id, or such as HEAD~1.")
    };
    let id = repo.rev_parse_single(name.as_bytes().as_bstr()).map_err(|_| missing())?;
    let object = id.object().map_err(|_| missing())?;
    let commit = object.peel_to_kind(gix::object::Kind::Commit).map_err(|_| missing())?;
    Ok(Some(commit.id))
}
