//! Local branches and how they compare with what they follow.

use std::sync::atomic::AtomicBool;

use devrig_core::Result;
use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::refs::FullName;

use crate::model::{Branch, Commit, Head, Upstream};
use crate::open::{Opened, broken};
use crate::walk::{Walk, describe};

/// A repository with more branches than this is somebody's archive.
const MOST_BRANCHES: usize = 500;

pub(crate) fn head(opened: &Opened) -> Result<Head> {
    let repo = &opened.repo;
    let wrong = |error| broken(&opened.layout.work_tree, error);
    let mut head = repo.head().map_err(wrong)?;
    let branch =
        head.referent_name().and_then(|name| name.as_bstr().strip_prefix(b"refs/heads/").map(text));
    let detached = head.is_detached();
    let id = head.try_peel_to_id().map_err(wrong)?.map(gix::Id::detach);
    let commit = id.map(|id| describe(repo, id)).transpose()?;
    Ok(Head { branch, detached, commit })
}

/// The branches by name, and whether there are more.
pub(crate) fn branches(opened: &Opened, interrupt: &AtomicBool) -> Result<(Vec<Branch>, bool)> {
    let repo = &opened.repo;
    let wrong = |error| broken(&opened.layout.work_tree, error);
    let mut names: Vec<FullName> = Vec::new();
    let platform = repo.references().map_err(wrong)?;
    let mut more = false;
    for reference in platform.local_branches().map_err(wrong)? {
        // A reference that cannot be read is git's to complain about; the others go on.
        let Ok(reference) = reference else { continue };
        if names.len() == MOST_BRANCHES {
            more = true;
            break;
        }
        names.push(reference.name().to_owned());
    }
    names.sort();
    let mut walk = Walk::new(repo, interrupt);
    let mut branches = Vec::with_capacity(names.len());
    for name in names {
        let Some((id, tip)) = tip(repo, &name) else {
            continue;
        };
        let upstream = upstream(repo, &name, id, &mut walk)?;
        branches.push(Branch { name: text(name.shorten()), tip, upstream });
    }
    Ok((branches, more))
}

/// The branch that others start from.
pub(crate) fn default_branch(repo: &gix::Repository, branches: &[Branch]) -> Option<String> {
    let named = repo.try_find_reference("refs/remotes/origin/HEAD").ok().flatten();
    let named = named.and_then(|reference| {
        let target = reference.target();
        target.try_name()?.as_bstr().strip_prefix(b"refs/remotes/origin/").map(text)
    });
    named.or_else(|| {
        let has = |wanted: &str| branches.iter().any(|branch| branch.name == wanted);
        ["main", "master"].into_iter().find(|name| has(name)).map(str::to_owned)
    })
}

fn tip(repo: &gix::Repository, name: &FullName) -> Option<(ObjectId, Commit)> {
    let mut reference = repo.try_find_reference(name.as_ref()).ok()??;
    let id = reference.peel_to_id().ok()?.detach();
    Some((id, describe(repo, id).ok()?))
}

fn upstream(
    repo: &gix::Repository,
    name: &FullName,
    ours: ObjectId,
    walk: &mut Walk<'_>,
) -> Result<Option<Upstream>> {
    let Some(followed) = followed(repo, name) else {
        return Ok(None);
    };
    let mut upstream = Upstream {
        name: text(followed.shorten()),
        gone: false,
        ahead: 0,
        behind: 0,
        more: false,
        tip: None,
        ahead_commits: Vec::new(),
        behind_commits: Vec::new(),
    };
    let Some((theirs, commit)) = tip(repo, &followed) else {
        upstream.gone = true;
        return Ok(Some(upstream));
    };
    let difference = walk.compare(ours, theirs)?;
    let list =
        |ids: Vec<ObjectId>| ids.into_iter().map(|id| describe(repo, id)).collect::<Result<_>>();
    upstream.tip = Some(commit);
    upstream.ahead = difference.ahead;
    upstream.behind = difference.behind;
    upstream.more = difference.more;
    upstream.ahead_commits = list(difference.ahead_commits)?;
    upstream.behind_commits = list(difference.behind_commits)?;
    Ok(Some(upstream))
}

/// The reference that a branch is configured to follow, whether it exists or not.
fn followed(repo: &gix::Repository, name: &FullName) -> Option<FullName> {
    let config = repo.config_snapshot();
    let section = name.shorten();
    let value = |key: &str| config.string_by("branch", Some(section), key);
    if value("remote").is_some_and(|remote| remote == ".") {
        return FullName::try_from(value("merge")?).ok();
    }
    repo.branch_remote_tracking_ref_name(name.as_ref(), gix::remote::Direction::Fetch)?.ok()
}

pub(crate) fn text(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().to_str_lossy().into_owned()
}
