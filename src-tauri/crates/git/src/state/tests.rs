use std::collections::BTreeSet;
use std::path::Path;

use devrig_core::{Code, Timestamp};
use proptest::prelude::*;

use crate::testing::Place;
use crate::{Branch, FileState, OperationKind, RepositoryState};

fn branch<'a>(state: &'a RepositoryState, name: &str) -> &'a Branch {
    state.branches.iter().find(|branch| branch.name == name).unwrap()
}

#[test]
fn an_empty_repository_has_a_branch_and_no_commit() {
    let place = Place::new();
    let state = place.state(&place.repo("new"));
    assert_eq!(state.name, "new");
    assert_eq!(state.head.branch.as_deref(), Some("main"));
    assert_eq!(state.head.commit, None);
    assert!(!state.head.detached);
    assert_eq!((state.branches.len(), state.stashes.len()), (0, 0));
}

#[test]
fn branches_tell_how_they_compare_with_their_upstream() {
    let place = Place::new();
    let (origin, clone) = place.cloned();
    place.commit(&origin, "b.txt", "b", "theirs");
    place.git(&clone, &["fetch", "-q"]);
    for subject in ["one", "two", "three"] {
        place.commit(&clone, "c.txt", subject, subject);
    }
    let state = place.state(&clone);
    let main = branch(&state, "main");
    assert_eq!(main.tip.subject, "three");
    assert_eq!(main.tip.author, "Ada Lovelace");
    let upstream = main.upstream.as_ref().unwrap();
    assert_eq!(
        (upstream.name.as_str(), upstream.gone, upstream.more),
        ("origin/main", false, false)
    );
    assert_eq!((upstream.ahead, upstream.behind), (3, 1));
    let subjects: Vec<_> = upstream.ahead_commits.iter().map(|c| c.subject.as_str()).collect();
    assert_eq!(subjects, ["three", "two", "one"], "the newest first");
    assert_eq!(upstream.behind_commits[0].subject, "theirs");
    assert_eq!(upstream.tip.as_ref().unwrap().subject, "theirs");
    assert_eq!(state.default_branch.as_deref(), Some("main"));
    assert_eq!(state.remotes[0].url, origin.to_str().unwrap());
    assert!(state.last_fetch.is_some());
}

#[test]
fn an_upstream_that_was_deleted_is_gone() {
    let place = Place::new();
    let (origin, clone) = place.cloned();
    place.git(&origin, &["branch", "topic"]);
    place.git(&clone, &["fetch", "-q"]);
    place.git(&clone, &["checkout", "-q", "topic"]);
    place.git(&origin, &["branch", "-D", "topic"]);
    place.git(&clone, &["fetch", "-q", "--prune"]);
    let state = place.state(&clone);
    let upstream = branch(&state, "topic").upstream.as_ref().unwrap();
    assert!(upstream.gone);
    assert_eq!(upstream.name, "origin/topic");
    assert_eq!(upstream.tip, None);
}

#[test]
fn a_local_branch_can_be_followed() {
    let place = Place::new();
    let repo = place.repo("r");
    place.commit(&repo, "a", "1", "first");
    place.git(&repo, &["checkout", "-q", "-b", "topic", "--track", "main"]);
    place.commit(&repo, "a", "2", "second");
    let state = place.state(&repo);
    let upstream = branch(&state, "topic").upstream.as_ref().unwrap();
    assert_eq!((upstream.name.as_str(), upstream.ahead, upstream.behind), ("main", 1, 0));
    assert_eq!(branch(&state, "main").upstream, None);
}

#[test]
fn uncommitted_work_is_counted_with_examples_and_times() {
    let place = Place::new();
    let repo = place.repo("r");
    for file in ["kept", "edited", "removed", "both"] {
        place.commit(&repo, file, "old\n", file);
    }
    place.write(&repo, ".gitignore", "*.log\n");
    place.git(&repo, &["add", ".gitignore"]);
    place.write(&repo, "edited", "new\n");
    std::fs::remove_file(repo.join("removed")).unwrap();
    place.write(&repo, "both", "staged\n");
    place.git(&repo, &["add", "both"]);
    place.write(&repo, "both", "and edited\n");
    place.write(&repo, "folder/a", "x");
    place.write(&repo, "folder/b", "x");
    place.write(&repo, "noise.log", "x");
    let worktree = place.state(&repo).worktree;
    assert_eq!((worktree.staged, worktree.modified, worktree.untracked), (2, 3, 1));
    assert_eq!(worktree.conflicted, 0);
    let files: Vec<_> = worktree.files.iter().map(|f| (f.path.as_str(), f.state)).collect();
    assert_eq!(
        files,
        [
            (".gitignore", FileState::Staged),
            ("both", FileState::Modified),
            ("edited", FileState::Modified),
            ("removed", FileState::Deleted),
            ("folder", FileState::Untracked),
        ]
    );
    assert!(worktree.oldest_change <= worktree.newest_change && worktree.oldest_change.is_some());
}

#[test]
fn the_age_of_work_is_that_of_its_files() {
    let place = Place::new();
    let repo = place.repo("r");
    place.commit(&repo, "a", "1", "first");
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    for (name, time) in [("a", old), ("b", old + std::time::Duration::from_secs(60))] {
        place.write(&repo, name, "changed");
        std::fs::File::options()
            .write(true)
            .open(repo.join(name))
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
    let worktree = place.state(&repo).worktree;
    assert_eq!(worktree.oldest_change, Some(Timestamp::from_ms(1_600_000_000_000)));
    assert_eq!(worktree.newest_change, Some(Timestamp::from_ms(1_600_000_060_000)));
}

#[test]
fn the_persons_own_ignore_file_counts() {
    let place = Place::new();
    let repo = place.repo("r");
    place.commit(&repo, "a", "1", "first");
    place.write(&repo, "notes.mine", "x");
    assert_eq!(place.state(&repo).worktree.untracked, 1);
    std::fs::write(place.home.join("ignored"), "*.mine\n").unwrap();
    place.git(&repo, &["config", "--global", "core.excludesFile", "~/ignored"]);
    assert_eq!(place.state(&repo).worktree.untracked, 0);
}

#[test]
fn stashes_are_listed_with_their_branch() {
    let place = Place::new();
    let repo = place.repo("r");
    place.commit(&repo, "a", "1", "first");
    place.write(&repo, "a", "2");
    place.git(&repo, &["stash", "-q"]);
    place.write(&repo, "a", "3");
    place.git(&repo, &["stash", "push", "-q", "-m", "half done"]);
    let stashes = place.state(&repo).stashes;
    assert_eq!(stashes.len(), 2);
    assert_eq!(stashes[0].message, "On main: half done");
    assert_eq!((stashes[1].index, stashes[1].branch.as_deref()), (1, Some("main")));
    assert!(stashes[0].time > stashes[1].time);
}

/// Two branches that change the same line.
fn diverged(place: &Place) -> std::path::PathBuf {
    let repo = place.repo("r");
    place.commit(&repo, "a", "base\n", "base");
    place.git(&repo, &["checkout", "-q", "-b", "topic"]);
    place.commit(&repo, "a", "topic\n", "on topic");
    place.commit(&repo, "b", "b\n", "also on topic");
    place.git(&repo, &["checkout", "-q", "main"]);
    place.commit(&repo, "a", "main\n", "on main");
    repo
}

#[test]
fn a_merge_with_conflicts_is_an_operation() {
    let place = Place::new();
    let repo = diverged(&place);
    assert!(!place.try_git(&repo, &["merge", "topic"]).0);
    let state = place.state(&repo);
    let operation = state.operation.unwrap();
    assert_eq!(
        (operation.kind, operation.target.as_deref()),
        (OperationKind::Merge, Some("topic"))
    );
    assert!(operation.since.is_some());
    assert_eq!((state.worktree.conflicted, state.worktree.staged), (1, 1));
    assert_eq!(state.worktree.files[0].path, "a");
    assert_eq!(state.worktree.files[0].state, FileState::Conflicted);
}

#[test]
fn a_rebase_tells_its_step_and_branch() {
    let place = Place::new();
    let repo = diverged(&place);
    place.git(&repo, &["checkout", "-q", "topic"]);
    assert!(!place.try_git(&repo, &["rebase", "main"]).0);
    let state = place.state(&repo);
    let operation = state.operation.unwrap();
    assert_eq!(
        (operation.kind, operation.branch.as_deref()),
        (OperationKind::Rebase, Some("topic"))
    );
    assert_eq!((operation.step, operation.total), (Some(1), Some(2)));
    assert_eq!(operation.commit.unwrap().subject, "on topic");
    assert!(state.head.detached);
}

#[test]
fn cherry_pick_revert_bisect_and_am_are_told_apart() {
    let place = Place::new();
    let repo = diverged(&place);
    let kind = || place.state(&repo).operation.map(|operation| operation.kind);
    assert!(!place.try_git(&repo, &["cherry-pick", "topic~1"]).0);
    assert_eq!(kind(), Some(OperationKind::CherryPick));
    assert_eq!(place.state(&repo).operation.unwrap().commit.unwrap().subject, "on topic");
    place.git(&repo, &["cherry-pick", "--abort"]);
    assert!(!place.try_git(&repo, &["revert", "topic~1"]).0);
    assert_eq!(kind(), Some(OperationKind::Revert));
    place.git(&repo, &["revert", "--abort"]);
    place.git(&repo, &["bisect", "start"]);
    assert_eq!(kind(), Some(OperationKind::Bisect));
    assert_eq!(place.state(&repo).operation.unwrap().branch.as_deref(), Some("main"));
    place.git(&repo, &["bisect", "reset"]);
    let patch = place.git(&repo, &["format-patch", "-1", "topic~1"]);
    assert!(!place.try_git(&repo, &["am", &patch]).0);
    assert_eq!(kind(), Some(OperationKind::Am));
    place.git(&repo, &["am", "--abort"]);
    assert_eq!(kind(), None);
}

#[test]
fn a_detached_head_says_so() {
    let place = Place::new();
    let repo = place.repo("r");
    place.commit(&repo, "a", "1", "first");
    place.git(&repo, &["checkout", "-q", "--detach"]);
    let head = place.state(&repo).head;
    assert_eq!((head.branch, head.detached), (None, true));
    assert_eq!(head.commit.unwrap().subject, "first");
}

#[test]
fn linked_work_trees_and_submodules_are_read() {
    let place = Place::new();
    let (origin, clone) = place.cloned();
    place.git(&clone, &["worktree", "add", "-q", "../linked", "-b", "side"]);
    let linked = place.state(&place.root.join("linked"));
    assert_eq!(linked.head.branch.as_deref(), Some("side"));
    assert_eq!(linked.worktree, crate::Worktree::default(), "clean");
    let url = origin.to_str().unwrap();
    place.git(
        &clone,
        &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "sub"],
    );
    assert_eq!(place.state(&clone.join("sub")).head.commit.unwrap().subject, "first");
    assert_eq!(place.state(&clone).worktree.staged, 2, ".gitmodules and the submodule");
}

#[test]
fn shallow_clones_end_where_they_end() {
    let place = Place::new();
    let origin = place.repo("origin");
    for n in 0..5 {
        place.commit(&origin, "a", &n.to_string(), &format!("c{n}"));
    }
    let url = format!("file://{}", origin.display());
    place.git(&place.root, &["clone", "-q", "--depth", "2", &url, "clone"]);
    let clone = place.root.join("clone");
    place.commit(&clone, "b", "1", "mine");
    place.git(&clone, &["commit", "-q", "--amend", "--allow-empty", "-m", "mine again"]);
    let state = place.state(&clone);
    let upstream = branch(&state, "main").upstream.as_ref().unwrap();
    assert_eq!((upstream.ahead, upstream.behind), (1, 0));
}

#[test]
fn what_is_no_repository_says_so() {
    let place = Place::new();
    assert_eq!(place.try_state(Path::new("/no/such")).unwrap_err().code, Code::NotFound);
    let error = place.try_state(&place.root).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    assert!(error.hint.unwrap().contains(".git"));
    place.git(&place.root, &["init", "-q", "--bare", "bare.git"]);
    let error = place.try_state(&place.root.join("bare.git")).unwrap_err();
    assert_eq!(error.code, Code::Unsupported);
}

#[test]
fn an_interrupt_ends_reading() {
    let place = Place::new();
    let repo = diverged(&place);
    let interrupt = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let error = crate::state_with(&repo, &place.access(), &interrupt).unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
}

#[test]
fn the_wire_form_is_the_one_the_sdk_documents() {
    let place = Place::new();
    let (_, clone) = place.cloned();
    place.write(&clone, "new", "x");
    let json = serde_json::to_value(place.state(&clone)).unwrap();
    let keys = |value: &serde_json::Value| -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let expect =
        |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(
        keys(&json),
        expect(&[
            "path",
            "name",
            "head",
            "defaultBranch",
            "branches",
            "moreBranches",
            "worktree",
            "stashes",
            "operation",
            "remotes",
            "lastFetch",
        ])
    );
    assert_eq!(keys(&json["head"]), expect(&["branch", "detached", "commit"]));
    assert_eq!(
        keys(&json["branches"][0]["upstream"]),
        expect(&[
            "name",
            "gone",
            "ahead",
            "behind",
            "more",
            "tip",
            "aheadCommits",
            "behindCommits"
        ])
    );
    assert_eq!(
        json["worktree"]["files"][0],
        serde_json::json!({"path": "new", "state": "untracked"})
    );
}

#[derive(Debug, Clone)]
enum Step {
    Write(u8, u8),
    Delete(u8),
    Add(u8),
    Commit,
    Branch(u8),
    Merge(u8),
    Push,
    Stash,
    Touch(u8),
    Move(u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0..6_u8;
    prop_oneof![
        3 => (n.clone(), 0..4_u8).prop_map(|(f, c)| Step::Write(f, c)),
        1 => n.clone().prop_map(Step::Delete),
        2 => n.clone().prop_map(Step::Add),
        3 => Just(Step::Commit),
        2 => (0..3_u8).prop_map(Step::Branch),
        2 => (0..3_u8).prop_map(Step::Merge),
        1 => Just(Step::Push),
        1 => Just(Step::Stash),
        1 => n.clone().prop_map(Step::Touch),
        1 => (n.clone(), n).prop_map(|(a, b)| Step::Move(a, b)),
    ]
}

/// Files at several depths, so that untracked folders collapse as git's do.
fn file(n: u8) -> String {
    ["a", "b", "dir/c", "dir/d", "deep/er/e", "dir/sub/f"][usize::from(n)].to_owned()
}

fn perform(place: &Place, repo: &Path, step: &Step) {
    // Many steps make no sense where they come; git then refuses, and that is a state too.
    let git = |args: &[&str]| drop(place.try_git(repo, args));
    match step {
        Step::Write(f, content) => {
            let path = repo.join(file(*f));
            let _ = std::fs::create_dir_all(path.parent().unwrap());
            let _ = std::fs::write(path, format!("{content}\n").repeat(usize::from(*content) + 1));
        }
        Step::Delete(f) => drop(std::fs::remove_file(repo.join(file(*f)))),
        Step::Add(f) => git(&["add", "-A", "--", &file(*f)]),
        Step::Commit => git(&["commit", "-q", "-a", "-m", "work"]),
        Step::Branch(n) => {
            let name = format!("b{n}");
            if !place.try_git(repo, &["checkout", "-q", &name]).0 {
                git(&["checkout", "-q", "-b", &name, "--track", "origin/main"]);
            }
        }
        Step::Merge(n) => git(&["merge", "-q", "--no-edit", &format!("b{n}")]),
        Step::Push => git(&["push", "-q", "origin", "HEAD:main"]),
        Step::Stash => git(&["stash", "-q", "-u"]),
        Step::Touch(f) => {
            if let Ok(file) = std::fs::File::options().append(true).open(repo.join(file(*f))) {
                let _ = file.set_modified(std::time::SystemTime::now());
            }
        }
        Step::Move(a, b) => git(&["mv", &file(*a), &file(*b)]),
    }
}

fn check_against_git(place: &Place, repo: &Path) {
    let status = ["status", "--porcelain", "-z", "--no-renames", "--ignore-submodules=all"];
    let said = place.git(repo, &status);
    let (mut staged, mut modified, mut untracked, mut conflicted) = (0, 0, 0, 0);
    let mut deleted = false;
    for line in said.split('\0').filter(|line| !line.is_empty()) {
        let (x, y) = (line.as_bytes()[0], line.as_bytes()[1]);
        deleted |= y == b'D';
        match (x, y) {
            (b'?', b'?') => untracked += 1,
            (b'U', _) | (_, b'U') | (b'A', b'A') | (b'D', b'D') => conflicted += 1,
            _ => {
                staged += u32::from(x != b' ');
                modified += u32::from(y != b' ');
            }
        }
    }
    let state = place.state(repo);
    let ours = &state.worktree;
    // A folder whose tracked files are all deleted is one untracked entry for gix; git lists what is
    // in it.
    if deleted && untracked > 0 && ours.untracked > 0 {
        untracked = ours.untracked;
    }
    assert_eq!(
        (ours.staged, ours.modified, ours.untracked, ours.conflicted),
        (staged, modified, untracked, conflicted),
        "staged, modified, untracked, conflicted; git says:\n{}\nwe say: {ours:#?}",
        said.replace('\0', "\n")
    );
    let names = place
        .git(repo, &["for-each-ref", "--format=%(refname:short) %(upstream:short)", "refs/heads"]);
    assert_eq!(names.lines().filter(|line| !line.is_empty()).count(), state.branches.len());
    for line in names.lines() {
        let (name, upstream) = line.split_once(' ').unwrap();
        let ours = branch(&state, name).upstream.as_ref();
        assert_eq!(ours.map_or("", |upstream| &upstream.name), upstream, "{line}");
        let Some(ours) = ours else { continue };
        let counts = place
            .git(repo, &["rev-list", "--left-right", "--count", &format!("{name}...{upstream}")]);
        assert_eq!(format!("{}\t{}", ours.ahead, ours.behind), counts, "{line}");
    }
    let stashes = place.git(repo, &["stash", "list"]);
    assert_eq!(state.stashes.len(), stashes.lines().count());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_state_is_what_git_says(steps in proptest::collection::vec(step(), 1..25)) {
        let place = Place::new();
        let (_, clone) = place.cloned();
        place.git(&place.root.join("origin"), &["config", "receive.denyCurrentBranch", "ignore"]);
        for step in &steps {
            perform(&place, &clone, step);
        }
        check_against_git(&place, &clone);
    }
}
