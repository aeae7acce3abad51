use super::*;
use crate::testing::Place;

const KEY: (&str, &str) = ("DevRig-Key", "run/node");

fn wanted(message: &str, paths: Option<&[&str]>) -> NewCommit {
    let author = Author { name: "Flow".into(), email: "flow@example.com".into() };
    let paths = paths.map(|paths| paths.iter().map(|path| (*path).to_owned()).collect());
    NewCommit { message: message.into(), paths, author: Some(author), mark: None }
}

async fn commit_in(place: &Place, repo: &Path, wanted: NewCommit) -> Result<Committed> {
    let cancel = CancellationToken::new();
    commit(repo, wanted, &place.access(), Duration::from_secs(60), &cancel).await
}

fn done(committed: Committed) -> Commit {
    match committed {
        Committed::Done(commit) => commit,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn everything_that_changed_is_committed() {
    let place = Place::new();
    let repo = place.repo("a");
    place.commit(&repo, "keep", "1\n", "first");
    place.commit(&repo, "gone", "1\n", "second");
    std::fs::remove_file(repo.join("gone")).unwrap();
    place.write(&repo, "keep", "2\n");
    place.write(&repo, "new folder/ü", "x");
    place.write(&repo, "staged", "s");
    place.git(&repo, &["add", "staged"]);
    let commit =
        done(commit_in(&place, &repo, wanted("All of it\n\nWith a body.", None)).await.unwrap());
    assert_eq!((&*commit.subject, &*commit.author), ("All of it", "Flow"));
    assert_eq!(place.git(&repo, &["status", "--porcelain"]), "");
    assert_eq!(place.git(&repo, &["rev-parse", "main"]), commit.id);
    assert_eq!(place.git(&repo, &["log", "-1", "--format=%B"]), "All of it\n\nWith a body.");
    assert_eq!(place.git(&repo, &["rev-list", "--count", "HEAD"]), "3");
    assert!(place.git(&repo, &["reflog", "-1"]).contains("commit: All of it"));
    assert_eq!(place.git(&repo, &["fsck", "--strict"]), "", "nothing is left broken");
    assert_eq!(commit_in(&place, &repo, wanted("Again", None)).await.unwrap(), Committed::Nothing);
}

#[tokio::test]
async fn only_named_paths_are_committed_and_the_rest_stays_staged() {
    let place = Place::new();
    let repo = place.repo("a");
    place.commit(&repo, "mine", "1\n", "first");
    place.write(&repo, "mine", "2\n");
    place.git(&repo, &["add", "mine"]);
    place.write(&repo, "out/a", "x");
    place.write(&repo, "output", "x");
    done(commit_in(&place, &repo, wanted("Out", Some(&["./out"]))).await.unwrap());
    assert_eq!(place.git(&repo, &["show", "--name-only", "--format=", "HEAD"]), "out/a");
    assert_eq!(place.git(&repo, &["status", "--porcelain"]), "M  mine\n?? output");
    let none = commit_in(&place, &repo, wanted("None", Some(&["nowhere"]))).await.unwrap();
    assert_eq!(none, Committed::Nothing);
    let outside = commit_in(&place, &repo, wanted("No", Some(&["../x"]))).await.unwrap_err();
    assert_eq!(outside.code, Code::InvalidInput);
}

#[tokio::test]
async fn what_was_committed_under_a_key_is_not_committed_again() {
    let place = Place::new();
    let repo = place.repo("a");
    place.write(&repo, "a", "1\n");
    let keyed = || NewCommit { mark: Some((KEY.0.into(), KEY.1.into())), ..wanted("First", None) };
    let first = done(commit_in(&place, &repo, keyed()).await.unwrap());
    place.write(&repo, "a", "2\n");
    assert_eq!(commit_in(&place, &repo, keyed()).await.unwrap(), Committed::Before(first));
    let trailers =
        place.git(&repo, &["log", "-1", "--format=%(trailers:key=DevRig-Key,valueonly)"]);
    assert_eq!(trailers.trim(), KEY.1);
}

#[tokio::test]
async fn a_linked_work_tree_commits_on_its_own_branch() {
    let place = Place::new();
    let repo = place.repo("a");
    place.commit(&repo, "a", "1\n", "first");
    place.git(&repo, &["worktree", "add", "-q", "../linked", "-b", "side"]);
    let linked = place.root.join("linked");
    place.write(&linked, "b", "2\n");
    let commit = done(commit_in(&place, &linked, wanted("Side", None)).await.unwrap());
    assert_eq!(place.git(&repo, &["rev-parse", "side"]), commit.id);
    assert_eq!(place.git(&linked, &["status", "--porcelain"]), "");
    assert_eq!(place.git(&repo, &["rev-list", "--count", "main"]), "1");
    let places = places(&linked, &place.access()).unwrap();
    assert!(places.common_dir.starts_with(&repo) && places.git_dir.starts_with(&repo));
}

#[tokio::test]
async fn no_command_that_the_repository_names_runs() {
    let place = Place::new();
    let repo = place.repo("a");
    place.commit(&repo, "a.txt", "one\n", "first");
    let trap = place.home.join("sprung");
    let touch = format!("touch {}; cat", trap.display());
    for name in [
        "filter.evil.clean",
        "filter.evil.process",
        "core.fsmonitor",
        "core.editor",
        "gpg.program",
        "credential.helper",
    ] {
        place.git(&repo, &["config", name, &touch]);
    }
    place.git(&repo, &["config", "commit.gpgSign", "true"]);
    for hook in [
        "pre-commit",
        "commit-msg",
        "post-commit",
        "reference-transaction",
        "prepare-commit-msg",
        "post-index-change",
    ] {
        let file = repo.join(".git/hooks").join(hook);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, format!("#!/bin/sh\n{touch}\n")).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
    }
    _ = std::fs::remove_file(&trap);
    place.write(&repo, ".gitattributes", "*.txt filter=evil\n");
    place.write(&repo, "a.txt", "two\n");
    // A repository within, as it might be unpacked, with a trap of its own.
    place.write(&repo, "inner/.git/config", &format!("[core]\n\tfsmonitor = \"{touch}\"\n"));
    place.write(&repo, "inner/.git/HEAD", "ref: refs/heads/main\n");
    std::fs::create_dir_all(repo.join("inner/.git/objects")).unwrap();
    std::fs::create_dir_all(repo.join("inner/.git/refs")).unwrap();
    done(commit_in(&place, &repo, wanted("Careful", None)).await.unwrap());
    assert!(!trap.exists());
    assert_eq!(place.git(&repo, &["show", "HEAD:a.txt"]), "two");
}

#[tokio::test]
async fn what_stands_in_the_way_is_told() {
    let place = Place::new();
    let repo = place.repo("a");
    place.write(&repo, "a", "1\n");
    let unknown = NewCommit { author: None, ..wanted("Who", None) };
    let error = commit_in(&place, &repo, unknown.clone()).await.unwrap_err();
    assert!(error.message.ends_with("git does not know who commits"), "{error}");
    place.git(&repo, &["config", "user.name", "The \"local\" Kim"]);
    place.git(&repo, &["config", "user.email", "kim@example.com"]);
    assert_eq!(done(commit_in(&place, &repo, unknown).await.unwrap()).author, "The \"local\" Kim");
    place.write(&repo, "a", "2\n");
    assert!(commit_in(&place, &repo, wanted(" \n", None)).await.is_err());
    place.git(&repo, &["checkout", "-q", "--detach"]);
    let error = commit_in(&place, &repo, wanted("Lost", None)).await.unwrap_err();
    assert!(error.code == Code::Conflict && error.message.contains("no branch"), "{error}");
    place.git(&repo, &["checkout", "-q", "main"]);
    place.git(&repo, &["stash", "-q"]);
    place.git(&repo, &["checkout", "-q", "-b", "other"]);
    place.commit(&repo, "a", "other\n", "other");
    place.git(&repo, &["checkout", "-q", "main"]);
    place.commit(&repo, "a", "main\n", "main");
    place.try_git(&repo, &["merge", "other"]);
    let error = commit_in(&place, &repo, wanted("Merge", None)).await.unwrap_err();
    assert!(error.code == Code::Conflict && error.message.contains("a merge"), "{error}");
}
