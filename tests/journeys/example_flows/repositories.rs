//! Repositories of the person: an approval, and a fan-out over many.

use std::path::{Path, PathBuf};
use std::process::Command;

use devrig_engine::NoArgs;
use devrig_engine::api::approval::ApprovalArgs;
use devrig_engine::api::run::{RunKind, RunStatus};
use devrig_tests::rig::wait;
use serde_json::json;

use super::desk::Desk;

fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(folder).args(args).output().expect("git runs");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// A repository with one commit, which is pushed to a bare one beside it.
fn repository(desk: &Desk, name: &str) -> PathBuf {
    let bare = desk.folder(&format!("remotes/{name}.git"));
    git(&bare, &["init", "--quiet", "--bare", "--initial-branch", "main"]);
    let folder = desk.folder(&format!("code/{name}"));
    git(&folder, &["init", "--quiet", "--initial-branch", "main"]);
    for (key, value) in [
        ("user.name", "Kim"),
        ("user.email", "kim@example.com"),
        ("commit.gpgSign", "false"),
        ("tag.gpgSign", "false"),
    ] {
        git(&folder, &["config", key, value]);
    }
    std::fs::write(folder.join("till.txt"), "1\n").expect("a file");
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "--quiet", "--message", "Print receipts"]);
    git(&folder, &["remote", "add", "origin", &bare.display().to_string()]);
    git(&folder, &["push", "--quiet", "--set-upstream", "origin", "main"]);
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_tagged_when_the_person_says_so() {
    let desk = Desk::with(&[]).await;
    let shop = repository(&desk, "shop");
    desk.keep("tag-release", |_| {}).await;
    let commit = git(&shop, &["rev-parse", "HEAD"]);
    for (version, approved, title, text) in [
        ("v1.2.0", false, "v1.2.0 was not tagged", "Not on a Friday"),
        ("v1.2.1", true, "v1.2.1 is tagged and pushed", "Print receipts"),
    ] {
        let id = desk.fire("tag-release", "version", Some(json!({ "version": version }))).await;
        let asked = wait("the question", async || {
            desk.rig.api.approval_list(NoArgs {}).await.expect("approvals").pop()
        })
        .await;
        let question = format!("Tag {} \"Print receipts\" as {version} and push it?", &commit[..8]);
        assert_eq!((&asked.run, &asked.message), (&id, &question));
        let note = Some("Not on a Friday".to_owned());
        let answer = ApprovalArgs { id: asked.id, approved, note };
        desk.rig.api.approval_answer(answer).await.expect("it is heard");
        let run = desk.run(&id).await;
        assert_eq!(run.run.status, RunStatus::Completed, "{:?}", run.run.error);
        assert_eq!(desk.told(title).await.body, text);
    }
    let bare = desk.home.join("remotes/shop.git");
    assert_eq!(git(&bare, &["tag", "--list"]), "v1.2.1");
    assert_eq!(git(&bare, &["rev-parse", "v1.2.1^{commit}"]), commit);
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_here_is_found_in_many_repositories_at_once() {
    let desk = Desk::with(&["repository-work"]).await;
    repository(&desk, "clean");
    let shop = repository(&desk, "shop");
    std::fs::write(shop.join("till.txt"), "2\n").expect("a file");
    let api = repository(&desk, "shop-api");
    git(&api, &["commit", "--quiet", "--allow-empty", "--message", "Faster"]);
    git(&api, &["branch", "idea"]);
    let code = desk.home.join("code");
    desk.keep("unpushed-work", |flow| {
        let paths = ["clean", "shop", "shop-api", "gone"].map(|name| code.join(name));
        flow["variables"]["repositories"] = json!(paths);
    })
    .await;
    let run = desk.run(&desk.fire("unpushed-work", "now", None).await).await;
    assert_eq!(run.run.status, RunStatus::Completed, "{:?}", run.run.error);
    let item = desk.item("reason:unpushed").await;
    assert_eq!(item.summary.title, "3 repositories have work that is only here");
    let gone = code.join("gone").display().to_string();
    let lines: Vec<&str> = item.body.trim().lines().collect();
    assert_eq!(lines[0], "- **shop**: not committed: 1");
    assert_eq!(lines[1], "- **shop-api**: idea is nowhere else, main is 1 ahead of origin/main");
    assert!(lines[2].starts_with(&format!("- **{gone}**: cannot be read: ")), "{}", item.body);
    let called = desk.runs("repository-work").await;
    assert_eq!(called.len(), 4, "a run for each");
    assert!(called.iter().all(|each| each.kind == RunKind::Sub), "{called:?}");
    desk.rig.end().await;
}
