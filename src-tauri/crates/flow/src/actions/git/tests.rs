use std::path::Path;
use std::process::Command;

use devrig_core::Code;
use serde_json::json;

use super::*;
use crate::actions::testing::{Said, attempt};

/// A repository made by git itself.
struct Repository {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Repository {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("lamp");
        std::fs::create_dir(&path).unwrap();
        let made = Self { _folder: folder, path };
        made.git(&["init", "-q", "-b", "main"]);
        std::fs::write(made.path.join("a"), "one\n").unwrap();
        made.git(&["add", "a"]);
        made.git(&["commit", "-q", "-m", "first"]);
        made
    }

    fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
            .args(args)
            .current_dir(&self.path)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    async fn run(&self, action: &str, allowed: &str, more: Value) -> Result<Value> {
        let mut config = json!({ "path": self.path });
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        let mut actions = Actions::default();
        add_all(&mut actions).unwrap();
        let allowed = [format!("{allowed}:{}", self.path.display())];
        attempt(&actions, action, &allowed, config, &Said::default()).await
    }
}

fn author() -> Value {
    json!({"name": "Flow", "email": "flow@example.com"})
}

#[tokio::test]
async fn a_repository_is_looked_at() {
    let repo = Repository::new();
    std::fs::write(repo.path.join("a"), "two\n").unwrap();
    let status = repo.run("git.status", "read", json!({})).await.unwrap();
    assert_eq!(
        (&status["head"]["branch"], &status["worktree"]["modified"]),
        (&json!("main"), &json!(1))
    );
    let diff = repo.run("git.diff", "read", json!({})).await.unwrap();
    assert_eq!(diff["files"], json!([{"path": "a", "added": 1, "removed": 1}]));
    assert!(diff["patch"].as_str().unwrap().contains("-one\n+two\n"), "{diff}");
    let log = repo.run("git.log", "read", json!({"limit": 5})).await.unwrap();
    assert_eq!(
        (&log["commits"][0]["subject"], &log["commits"][1]),
        (&json!("first"), &json!(null))
    );
    let lone = repo.run("git.diff", "read", json!({"to": "main"})).await.unwrap_err();
    assert!(lone.hint.unwrap().contains("from"));
}

#[tokio::test]
async fn a_commit_is_made_once_for_its_key() {
    let repo = Repository::new();
    std::fs::write(repo.path.join("b"), "new\n").unwrap();
    let config = || json!({"message": "Add b", "paths": ["b"], "author": author()});
    let made = repo.run("git.commit", "write", config()).await.unwrap();
    assert_eq!((&made["committed"], &made["commit"]["subject"]), (&json!(true), &json!("Add b")));
    std::fs::write(repo.path.join("b"), "newer\n").unwrap();
    let again = repo.run("git.commit", "write", config()).await.unwrap();
    assert_eq!(again, made, "a crash after it makes no second one");
    assert_eq!(repo.git(&["rev-list", "--count", "HEAD"]), "2");
    assert!(repo.git(&["log", "-1", "--format=%B"]).ends_with("DevRig-Key: run/node"));
    repo.git(&["commit", "-qam", "by hand"]);
    let nothing = repo.run("git.commit", "write", config()).await.unwrap();
    assert_eq!(nothing, json!({"committed": false, "commit": null}));
}

#[tokio::test]
async fn only_allowed_repositories_are_touched() {
    let repo = Repository::new();
    std::fs::write(repo.path.join("a"), "two\n").unwrap();
    for action in ["git.status", "git.diff", "git.log"] {
        let refused = repo.run(action, "command", json!({})).await.unwrap_err();
        assert!(
            refused.code == Code::Refused && refused.hint.unwrap().contains("read:"),
            "{action}"
        );
    }
    let config = json!({"message": "No", "author": author()});
    let refused = repo.run("git.commit", "read", config.clone()).await.unwrap_err();
    assert_eq!(refused.code, Code::Refused);
    repo.git(&["worktree", "add", "-q", "../linked", "-b", "side"]);
    let path = repo.path.parent().unwrap().join("linked");
    std::fs::write(path.join("c"), "new\n").unwrap();
    let linked = Repository { path, ..repo };
    let refused = linked.run("git.commit", "write", config).await.unwrap_err();
    let hint = refused.hint.unwrap();
    assert!(hint.contains("lamp/.git"), "the commit would be written there: {hint}");
    assert!(Path::new(&linked.path).join("c").exists());
}
