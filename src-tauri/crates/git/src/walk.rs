//! How two commits differ in history.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use devrig_core::{Code, Error, Result, Timestamp};
use gix::ObjectId;
use gix::bstr::ByteSlice;

use crate::files::one_line;
use crate::model::Commit;

/// Commits that one comparison may visit.
const MOST_VISITED: usize = 10_000;

/// Commits that are visited on after everything looks decided, because clocks lie: git's own
/// number for this is 5.
const SLOP: usize = 32;

/// Commits that are listed on each side.
pub(crate) const LISTED: usize = 10;

const LEFT: u8 = 1;
const RIGHT: u8 = 2;
const BOTH: u8 = LEFT | RIGHT;

struct Node {
    time: i64,
    parents: Vec<ObjectId>,
}

/// Reads commits, remembering what it has met: the branches of a repository share most of it.
pub(crate) struct Walk<'a> {
    repo: &'a gix::Repository,
    interrupt: &'a AtomicBool,
    nodes: HashMap<ObjectId, Node>,
    /// Where a shallow clone ends.
    roots: HashSet<ObjectId>,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Difference {
    pub ahead: u32,
    pub behind: u32,
    /// The limit was reached: the numbers are lower bounds.
    pub more: bool,
    /// The newest of each side.
    pub ahead_commits: Vec<ObjectId>,
    pub behind_commits: Vec<ObjectId>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(repo: &'a gix::Repository, interrupt: &'a AtomicBool) -> Self {
        let roots = repo.shallow_commits().ok().flatten();
        let roots = roots.map(|list| list.iter().copied().collect()).unwrap_or_default();
        Self { repo, interrupt, nodes: HashMap::new(), roots }
    }

    /// Commits reachable from `ours` only, and from `theirs` only, as
    /// `git rev-list --left-right --count` has them.
    pub(crate) fn compare(&mut self, ours: ObjectId, theirs: ObjectId) -> Result<Difference> {
        if ours == theirs {
            return Ok(Difference::default());
        }
        let mut sides: HashMap<ObjectId, u8> = HashMap::new();
        let mut queue = BinaryHeap::new();
        // Entries of the queue that are known to be on one side only.
        let mut undecided = 0_usize;
        for (id, side) in [(ours, LEFT), (theirs, RIGHT)] {
            sides.insert(id, side);
            queue.push((self.node(id)?.time, id, side));
            undecided += 1;
        }
        let mut slop = SLOP;
        let mut more = false;
        while let Some((_, id, queued_as)) = queue.pop() {
            if queued_as != BOTH {
                undecided -= 1;
            }
            if self.interrupt.load(Ordering::Relaxed) {
                return Err(Error::new(Code::Cancelled, "comparing branches was cancelled"));
            }
            if sides.len() > MOST_VISITED {
                more = true;
                break;
            }
            let side = sides[&id];
            let mut news = false;
            for parent in self.node(id)?.parents.clone() {
                let known = sides.entry(parent).or_default();
                if *known | side == *known {
                    continue;
                }
                news |= *known != 0;
                *known |= side;
                let side = *known;
                queue.push((self.node(parent)?.time, parent, side));
                undecided += usize::from(side != BOTH);
            }
            if undecided > 0 || news {
                slop = SLOP;
            } else if slop == 0 {
                break;
            } else {
                slop -= 1;
            }
        }
        Ok(self.summarise(&sides, more))
    }

    fn summarise(&self, sides: &HashMap<ObjectId, u8>, more: bool) -> Difference {
        let newest = |wanted: u8| {
            let mut ids: Vec<ObjectId> =
                sides.iter().filter(|(_, side)| **side == wanted).map(|(id, _)| *id).collect();
            let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            ids.sort_by_key(|id| (std::cmp::Reverse(self.nodes.get(id).map(|n| n.time)), *id));
            ids.truncate(LISTED);
            (count, ids)
        };
        let (ahead, ahead_commits) = newest(LEFT);
        let (behind, behind_commits) = newest(RIGHT);
        Difference { ahead, behind, more, ahead_commits, behind_commits }
    }

    fn node(&mut self, id: ObjectId) -> Result<&Node> {
        if !self.nodes.contains_key(&id) {
            let commit = self.repo.find_commit(id).map_err(|error| unreadable(id, error))?;
            let time = commit.time().map_or(0, |time| time.seconds);
            let parents = if self.roots.contains(&id) {
                Vec::new()
            } else {
                commit.parent_ids().map(gix::Id::detach).collect()
            };
            self.nodes.insert(id, Node { time, parents });
        }
        Ok(&self.nodes[&id])
    }
}

/// What people recognise a commit by.
pub(crate) fn describe(repo: &gix::Repository, id: ObjectId) -> Result<Commit> {
    let commit = repo.find_commit(id).map_err(|error| unreadable(id, error))?;
    let decoded = commit.decode().map_err(|error| unreadable(id, error))?;
    let author = commit.author().map(|author| author.name.to_str_lossy().into_owned());
    Ok(Commit {
        id: id.to_string(),
        subject: one_line(&decoded.message.to_str_lossy(), 200),
        author: one_line(&author.unwrap_or_default(), 100),
        time: timestamp(commit.time().map_or(0, |time| time.seconds)),
    })
}

pub(crate) fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_ms(seconds.saturating_mul(1000))
}

fn unreadable(id: ObjectId, error: impl std::fmt::Display) -> Error {
    Error::invalid(format!("commit {id} cannot be read: {error}")).hint("Run `git fsck` there.")
}
