//! What was begun in a repository and waits for the person, read from git's own marker files.

use std::path::Path;

use gix::ObjectId;
use gix::state::InProgress;

use crate::files::{first_line, modified_at, one_line, small_text};
use crate::model::{Operation, OperationKind};
use crate::walk::describe;

pub(crate) fn operation(repo: &gix::Repository) -> Option<Operation> {
    let git_dir = repo.git_dir();
    let mut operation = match repo.state()? {
        InProgress::Merge => merge(git_dir),
        InProgress::Rebase | InProgress::RebaseInteractive => rebase(repo),
        InProgress::ApplyMailbox | InProgress::ApplyMailboxRebase => am(git_dir),
        InProgress::CherryPick | InProgress::CherryPickSequence => {
            picked(repo, OperationKind::CherryPick, "CHERRY_PICK_HEAD")
        }
        InProgress::Revert | InProgress::RevertSequence => {
            picked(repo, OperationKind::Revert, "REVERT_HEAD")
        }
        InProgress::Bisect => bisect(git_dir),
    };
    for text in [&mut operation.branch, &mut operation.target].into_iter().flatten() {
        *text = one_line(text, 200);
    }
    Some(operation)
}

fn new(kind: OperationKind) -> Operation {
    Operation {
        kind,
        branch: None,
        target: None,
        commit: None,
        step: None,
        total: None,
        since: None,
    }
}

fn merge(git_dir: &Path) -> Operation {
    let target = first_line(&git_dir.join("MERGE_MSG"))
        .and_then(|line| merged_name(&line))
        .or_else(|| first_line(&git_dir.join("MERGE_HEAD")).map(|id| short(&id)));
    Operation {
        target,
        since: modified_at(&git_dir.join("MERGE_HEAD")),
        ..new(OperationKind::Merge)
    }
}

/// The name in `Merge branch 'x' into y`, `Merge remote-tracking branch 'origin/x'`, `Merge tag
/// 'v1'`.
fn merged_name(line: &str) -> Option<String> {
    let rest = line.strip_prefix("Merge ")?;
    let (_, quoted) = rest.split_once('\'')?;
    let (name, _) = quoted.split_once('\'')?;
    (!name.is_empty()).then(|| name.to_owned())
}

fn rebase(repo: &gix::Repository) -> Operation {
    let merging = repo.git_dir().join("rebase-merge");
    let (folder, step, total) = if merging.is_dir() {
        (merging, "msgnum", "end")
    } else {
        (repo.git_dir().join("rebase-apply"), "next", "last")
    };
    let onto = first_line(&folder.join("onto"));
    Operation {
        branch: first_line(&folder.join("head-name"))
            .and_then(|name| name.strip_prefix("refs/heads/").map(str::to_owned)),
        target: onto.map(|id| short(&id)),
        commit: commit_in(repo, "REBASE_HEAD"),
        step: number(&folder.join(step)),
        total: number(&folder.join(total)),
        since: modified_at(&folder.join(step)).or_else(|| modified_at(&folder)),
        ..new(OperationKind::Rebase)
    }
}

fn am(git_dir: &Path) -> Operation {
    let folder = git_dir.join("rebase-apply");
    Operation {
        step: number(&folder.join("next")),
        total: number(&folder.join("last")),
        since: modified_at(&folder.join("next")),
        ..new(OperationKind::Am)
    }
}

fn picked(repo: &gix::Repository, kind: OperationKind, marker: &str) -> Operation {
    Operation {
        commit: commit_in(repo, marker),
        since: modified_at(&repo.git_dir().join(marker)),
        ..new(kind)
    }
}

fn bisect(git_dir: &Path) -> Operation {
    Operation {
        branch: first_line(&git_dir.join("BISECT_START")),
        since: modified_at(&git_dir.join("BISECT_LOG")),
        ..new(OperationKind::Bisect)
    }
}

fn commit_in(repo: &gix::Repository, marker: &str) -> Option<crate::Commit> {
    let id = first_line(&repo.git_dir().join(marker))?;
    describe(repo, ObjectId::from_hex(id.as_bytes()).ok()?).ok()
}

fn number(file: &Path) -> Option<u32> {
    small_text(file)?.trim().parse().ok()
}

fn short(id: &str) -> String {
    id.chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_merged_name_is_read_from_gits_own_message() {
        for (line, expected) in [
            ("Merge branch 'feature/x' into main", Some("feature/x")),
            ("Merge remote-tracking branch 'origin/main'", Some("origin/main")),
            ("Merge branches 'a' and 'b'", Some("a")),
            ("Merge commit ''", None),
            ("my own words", None),
        ] {
            assert_eq!(merged_name(line).as_deref(), expected, "{line}");
        }
    }
}
