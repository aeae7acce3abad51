use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::testing::Place;

async fn fetch_in(place: &Place, repo: &Path, remote: Option<&str>) -> Result<()> {
    fetch(repo, remote, &place.access(), FetchLimits::default(), &CancellationToken::new()).await
}

fn script(place: &Place, name: &str, body: &str) -> PathBuf {
    let file = place.home.join(name);
    std::fs::write(&file, format!("#!/bin/sh\n{body}\n")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    file
}

#[tokio::test]
async fn a_fetch_brings_the_remotes_branches_and_its_time() {
    let place = Place::new();
    let (origin, clone) = place.cloned();
    place.commit(&origin, "b", "2", "second");
    place.git(&origin, &["tag", "v1"]);
    place.git(&origin, &["branch", "new"]);
    assert_eq!(place.state(&clone).last_fetch, None);
    fetch_in(&place, &clone, None).await.unwrap();
    let state = place.state(&clone);
    assert_eq!(state.branches[0].upstream.as_ref().unwrap().behind, 1);
    assert!(state.last_fetch.is_some());
    assert_eq!(
        place.git(&clone, &["rev-parse", "origin/new"]),
        place.git(&origin, &["rev-parse", "new"])
    );
    assert_eq!(place.git(&clone, &["tag"]), "v1");
    assert_eq!(place.git(&clone, &["fsck", "--strict"]), "", "nothing is left broken");
    assert_eq!(place.git(&clone, &["status", "--porcelain"]), "");
}

#[tokio::test]
async fn a_linked_work_tree_fetches_into_its_repository() {
    let place = Place::new();
    let (origin, clone) = place.cloned();
    place.git(&clone, &["worktree", "add", "-q", "../linked", "-b", "side"]);
    place.git(&clone, &["pack-refs", "--all"]);
    place.commit(&origin, "b", "2", "second");
    fetch_in(&place, &place.root.join("linked"), None).await.unwrap();
    let state = place.state(&clone);
    let main = state.branches.iter().find(|branch| branch.name == "main").unwrap();
    assert_eq!(main.upstream.as_ref().unwrap().behind, 1);
}

#[tokio::test]
async fn no_command_that_the_repository_names_runs() {
    let place = Place::new();
    let (origin, clone) = place.cloned();
    place.commit(&origin, "b", "2", "second");
    let mark = place.home.join("mark");
    let trap =
        script(&place, "trap", &format!("touch '{}'\nexec git-upload-pack \"$@\"", mark.display()));
    let trap = trap.to_str().unwrap();
    for (key, value) in [
        ("core.sshCommand", trap),
        ("core.fsmonitor", trap),
        ("core.askPass", trap),
        ("core.gitProxy", trap),
        ("core.alternateRefsCommand", trap),
        ("core.hooksPath", place.home.to_str().unwrap()),
        ("remote.origin.uploadpack", trap),
        ("credential.helper", trap),
        ("credential.https://example.com.helper", trap),
        ("fetch.recurseSubmodules", "true"),
        ("gc.auto", "1"),
        ("maintenance.auto", "true"),
        ("http.proxy", "http://127.0.0.1:9"),
    ] {
        place.git(&clone, &["config", key, value]);
    }
    for hook in ["reference-transaction", "post-checkout", "pre-auto-gc", "post-rewrite"] {
        std::fs::copy(trap, place.home.join(hook)).unwrap();
        std::fs::copy(trap, clone.join(".git/hooks").join(hook)).unwrap();
    }
    fetch_in(&place, &clone, Some("origin")).await.unwrap();
    assert!(!mark.exists(), "a command of the repository ran");
    assert_eq!(place.state(&clone).branches[0].upstream.as_ref().unwrap().behind, 1);
    // The trap itself works, or this test would prove nothing.
    place.try_git(&clone, &["fetch"]);
    assert!(mark.exists(), "git itself was expected to run one");
}

#[tokio::test]
async fn helpers_and_unsafe_addresses_are_refused() {
    let place = Place::new();
    let (_, clone) = place.cloned();
    let mark = place.home.join("mark");
    let touch = format!("ext::touch {}", mark.display());
    for url in [
        touch.as_str(),
        "http://example.com/a",
        "git://example.com/a",
        "--upload-pack=touch",
        "fd::17/a",
        "ftp://example.com/a",
        "transport::address",
        "",
    ] {
        place.git(&clone, &["config", "remote.origin.url", url]);
        let error = fetch_in(&place, &clone, None).await.unwrap_err();
        assert!(matches!(error.code, Code::Refused | Code::NotFound), "{url}: {error}");
    }
    assert!(!mark.exists());
    // Our own check apart, git is told as well.
    place.git(&clone, &["config", "remote.origin.url", "https://example.invalid/a"]);
    place.git(
        &clone,
        &["config", "--global", &format!("url.{touch}.insteadOf"), "https://example.invalid/a"],
    );
    fetch_in(&place, &clone, None).await.unwrap_err();
    assert!(!mark.exists());
}

#[tokio::test]
async fn a_mirrors_refspec_does_not_touch_the_persons_branches() {
    let place = Place::new();
    let (origin, clone) = place.cloned();
    place.git(&clone, &["checkout", "-q", "-b", "work"]);
    let before = place.git(&clone, &["rev-parse", "main"]);
    place.commit(&origin, "b", "2", "second");
    place.git(
        &clone,
        &["config", "--replace-all", "remote.origin.fetch", "+refs/heads/*:refs/heads/*"],
    );
    fetch_in(&place, &clone, None).await.unwrap();
    assert_eq!(place.git(&clone, &["rev-parse", "main"]), before);
    assert_ne!(place.git(&clone, &["rev-parse", "origin/main"]), before);
}

#[tokio::test]
async fn the_persons_own_ssh_command_is_used_and_the_repositorys_is_not() {
    let place = Place::new();
    let (_, clone) = place.cloned();
    let (mine, theirs) = (place.home.join("mine"), place.home.join("theirs"));
    let own = script(&place, "own-ssh", &format!("touch '{}'; exit 1", mine.display()));
    let evil = script(&place, "evil-ssh", &format!("touch '{}'; exit 1", theirs.display()));
    place.git(&clone, &["config", "--global", "core.sshCommand", own.to_str().unwrap()]);
    place.git(&clone, &["config", "core.sshCommand", evil.to_str().unwrap()]);
    place.git(&clone, &["config", "remote.origin.url", "git@example.invalid:a/b.git"]);
    fetch_in(&place, &clone, None).await.unwrap_err();
    assert!(mine.exists() && !theirs.exists());
}

#[tokio::test]
async fn secrets_in_an_address_are_not_told() {
    let place = Place::new();
    let (_, clone) = place.cloned();
    let url = "https://me:hunter2@127.0.0.1:9/a/b.git";
    place.git(&clone, &["config", "remote.origin.url", url]);
    let error = fetch_in(&place, &clone, None).await.unwrap_err();
    assert!(!error.message.contains("hunter2") && !error.message.contains("me:"), "{error}");
    assert_eq!(error.code, Code::Network, "{error}");
}

#[tokio::test]
async fn a_fetch_that_hangs_is_ended() {
    let place = Place::new();
    let (_, clone) = place.cloned();
    let slow = script(&place, "slow", "sleep 60");
    place.git(&clone, &["config", "--global", "core.sshCommand", slow.to_str().unwrap()]);
    place.git(&clone, &["config", "remote.origin.url", "git@example.invalid:a"]);
    let limits = FetchLimits { timeout: Duration::from_millis(300) };
    let begun = std::time::Instant::now();
    let error =
        fetch(&clone, None, &place.access(), limits, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn remotes_are_named_exactly() {
    let place = Place::new();
    let (_, clone) = place.cloned();
    for name in ["upstream", "-x", "../x", "a b", "https://example.com/x"] {
        let error = fetch_in(&place, &clone, Some(name)).await.unwrap_err();
        assert!(matches!(error.code, Code::NotFound | Code::InvalidInput), "{name}: {error}");
    }
    place.git(&clone, &["remote", "remove", "origin"]);
    let error = fetch_in(&place, &clone, None).await.unwrap_err();
    assert_eq!(error.code, Code::NothingToDo);
}

#[cfg(unix)]
#[tokio::test]
async fn a_fetch_writes_through_no_link() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    let (origin, clone) = place.cloned();
    place.commit(&origin, "b", "2", "second");
    let precious = place.home.join("precious");
    std::fs::write(&precious, "mine").unwrap();
    symlink(&precious, clone.join(".git/FETCH_HEAD")).unwrap();
    fetch_in(&place, &clone, None).await.unwrap();
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "mine");
    assert!(place.state(&clone).last_fetch.is_some());

    let elsewhere = place.home.join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    for shelf in ["00", "7f", "ff"] {
        let shelf = clone.join(".git/objects").join(shelf);
        if !shelf.exists() {
            symlink(&elsewhere, shelf).unwrap();
        }
    }
    let error = fetch_in(&place, &clone, None).await.unwrap_err();
    assert_eq!(error.code, Code::Refused, "{error}");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
}
