//! Changes of a real tree that start runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use devrig_core::{Actor, Code};
use devrig_flow::history::{self, Wanted};
use devrig_flow::triggers::{Standing, TriggerState, Triggers};
use serde_json::{Value, json};

use crate::common::{Rig, node};

struct Files {
    rig: Rig,
    triggers: Triggers,
    tree: PathBuf,
    flow: String,
    _folders: [tempfile::TempDir; 2],
}

impl Files {
    /// Watches the tree, whose files are there already.
    async fn watching(files: &[&str], more: Value) -> Self {
        let files = Self::new(files, more).await;
        files.allow().await;
        files.listens().await;
        files
    }

    async fn new(there: &[&str], more: Value) -> Self {
        let (rig, data) = Rig::new().await;
        let folder = tempfile::tempdir().unwrap();
        // Where the system's folder for such things is a link.
        let tree = folder.path().canonicalize().unwrap().join("tree");
        fs::create_dir(&tree).unwrap();
        for file in there {
            put(&tree.join(file), "there");
        }
        let triggers = rig.triggers();
        let mut files = Self { rig, triggers, tree, flow: String::new(), _folders: [data, folder] };
        files.flow = files.save(more).await;
        files
    }

    async fn save(&self, more: Value) -> String {
        let mut trigger =
            json!({"id": "files", "type": "filesystem", "paths": [self.tree], "debounceMs": 60});
        for (name, value) in more.as_object().unwrap() {
            trigger[name] = value.clone();
        }
        let flow = json!({
            "schemaVersion": 1, "name": "Files", "triggers": [trigger],
            "nodes": [node("a", "test.give", json!({}))], "edges": [],
        });
        let saved = self.rig.flows.save(flow, Actor::Person).await.unwrap();
        self.rig.flows.publish(&saved.id, None).await.unwrap();
        self.rig.flows.enable(&saved.id, true).await.unwrap();
        self.triggers.follow().await.unwrap();
        saved.id
    }

    async fn allow(&self) {
        let read = format!("read:{}", self.tree.display()).parse().unwrap();
        self.rig.flows.permit(&self.flow, vec![read], vec![]).await.unwrap();
    }

    fn at(&self, file: &str) -> PathBuf {
        self.tree.join(file)
    }

    /// Waits until the trigger hears.
    async fn listens(&self) {
        let start = Instant::now();
        while self.state().await.standing != Standing::Active {
            assert!(start.elapsed() < Duration::from_secs(20), "{:?}", self.state().await);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn state(&self) -> TriggerState {
        self.triggers.states().await.remove(0)
    }

    async fn payloads(&self) -> Vec<Value> {
        let wanted = Wanted { limit: 500, ..Wanted::default() };
        let mut payloads = Vec::new();
        for run in history::list(&self.rig.store, &wanted).await.unwrap().iter().rev() {
            payloads.push(history::get(&self.rig.store, &run.id).await.unwrap().payload);
        }
        payloads
    }

    /// What was told, oldest first, paths below the tree.
    async fn seen(&self) -> Vec<String> {
        let below = |path: &Value| {
            let path = Path::new(path.as_str().unwrap());
            path.strip_prefix(&self.tree).unwrap().display().to_string()
        };
        let line = |told: &Value| match told.get("from") {
            Some(from) => format!("rename {} {}", below(from), below(&told["path"])),
            None => format!("{} {}", told["event"].as_str().unwrap(), below(&told["path"])),
        };
        self.payloads().await.iter().map(line).collect()
    }

    /// Without the probe, sorted.
    async fn told(&self) -> Vec<String> {
        let mut seen = self.seen().await;
        seen.retain(|line| !line.contains("probe"));
        seen.sort();
        seen
    }

    async fn until(&self, enough: impl Fn(&[String]) -> bool) -> Vec<String> {
        let start = Instant::now();
        loop {
            let seen = self.seen().await;
            if enough(&seen) {
                return seen;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{seen:?} {:?}", self.state().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Makes a last change and gives everything that was told until it.
    async fn all(&self) -> Vec<String> {
        put(&self.at("probe-end"), "x");
        self.until(|seen| seen.iter().any(|line| line == "add probe-end")).await;
        self.told().await
    }
}

fn put(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_files_is_told_once_each() {
    let files = Files::watching(&["old.md", "gone.md", "a.md"], json!({})).await;
    put(&files.at("new.md"), "one");
    put(&files.at("new.md"), "one and more");
    put(&files.at("old.md"), "changed");
    fs::remove_file(files.at("gone.md")).unwrap();
    fs::rename(files.at("a.md"), files.at("b.md")).unwrap();
    // An editor that writes beside and moves over is a change, and its own file is none.
    put(&files.at(".old.swp"), "x");
    fs::remove_file(files.at(".old.swp")).unwrap();
    let told = files.all().await;
    assert_eq!(told, ["add new.md", "change old.md", "rename a.md b.md", "unlink gone.md"]);
    let payloads = files.payloads().await;
    let add = payloads.iter().find(|told| told["path"].as_str().unwrap().ends_with("new.md"));
    let add = add.unwrap();
    assert_eq!(add["size"], 12);
    assert!(add["modified"].as_str().unwrap().starts_with("20"), "{add}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_moved_over_another_is_a_change_of_that() {
    let files = Files::watching(&["doc.md"], json!({})).await;
    put(&files.at("doc.md.new"), "whole");
    fs::rename(files.at("doc.md.new"), files.at("doc.md")).unwrap();
    assert_eq!(files.all().await, ["change doc.md"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_made_later_are_watched_with_what_came_into_them_at_once() {
    let files = Files::watching(&[], json!({})).await;
    for n in 0..20 {
        put(&files.at(&format!("made/{n}/deep/at-once.txt")), "x");
    }
    let want: Vec<String> = (0..20).map(|n| format!("add made/{n}/deep/at-once.txt")).collect();
    files.until(|seen| want.iter().all(|line| seen.contains(line))).await;
    put(&files.at("made/7/deep/later.txt"), "x");
    let told = files.all().await;
    assert!(told.contains(&"add made/7/deep/later.txt".to_owned()), "{told:?}");
    assert_eq!(told.len(), 21, "each once: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_moved_takes_its_files_along() {
    let files = Files::watching(&["a/one", "a/b/two", "c/three"], json!({})).await;
    fs::rename(files.at("a"), files.at("z")).unwrap();
    let want = ["rename a/b/two z/b/two", "rename a/one z/one"];
    files.until(|seen| want.iter().all(|line| seen.iter().any(|seen| seen == line))).await;
    put(&files.at("z/b/two"), "changed");
    fs::remove_dir_all(files.at("c")).unwrap();
    let told = files.all().await;
    assert_eq!(told, ["change z/b/two", want[0], want[1], "unlink c/three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ignored_too_deep_or_of_no_match_is_not_told() {
    let glob = json!({"ignorePatterns": ["target", "**/node_modules/**", "*.tmp"], "depth": 1});
    let files = Files::watching(&[], glob).await;
    for file in ["target/x", "a/node_modules/x", "x.tmp", "a/b/deep", "a/seen", "seen"] {
        put(&files.at(file), "x");
    }
    assert_eq!(files.all().await, ["add a/seen", "add seen"]);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn an_ignored_folder_costs_no_watch() {
    let deep: Vec<String> = (0..50).map(|n| format!("node_modules/p{n}/index.js")).collect();
    let deep: Vec<&str> = deep.iter().map(String::as_str).chain(["src/main.rs"]).collect();
    let files = Files::watching(&deep, json!({})).await;
    let tree = fs::metadata(&files.tree).unwrap();
    assert_eq!(watched_here(&tree), [2], "the tree and src");
}

/// How many watches each listener of this process has that watches the folder.
#[cfg(target_os = "linux")]
fn watched_here(folder: &fs::Metadata) -> Vec<usize> {
    use std::os::unix::fs::MetadataExt;
    let inode = format!("ino:{:x} ", folder.ino());
    let infos = fs::read_dir("/proc/self/fdinfo").unwrap().flatten();
    let infos = infos.filter_map(|entry| fs::read_to_string(entry.path()).ok());
    let listeners = infos.filter(|info| info.contains("inotify ") && info.contains(&inode));
    listeners.map(|info| info.lines().filter(|line| line.starts_with("inotify ")).count()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_events_that_are_asked_for_start_runs() {
    let files = Files::watching(&["a"], json!({"events": ["add", "unlink"]})).await;
    put(&files.at("a"), "changed");
    put(&files.at("b"), "x");
    assert_eq!(files.all().await, ["add b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_vanishes_is_watched_again_when_it_is_back() {
    let files = Files::watching(&["a"], json!({})).await;
    let away = files.tree.with_file_name("away");
    fs::rename(&files.tree, &away).unwrap();
    files.until(|seen| seen.iter().any(|line| line == "unlink a")).await;
    let start = Instant::now();
    while files.state().await.error.is_none_or(|error| error.code != Code::NotFound) {
        assert!(start.elapsed() < Duration::from_secs(20), "a person can see that it is gone");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    put(&files.at("b/c"), "x");
    files.until(|seen| seen.iter().any(|line| line == "add b/c")).await;
    put(&files.at("b/d"), "x");
    assert_eq!(files.all().await, ["add b/c", "add b/d", "unlink a"]);
    assert!(files.state().await.error.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_watches_only_what_it_may_read() {
    let files = Files::new(&["a"], json!({})).await;
    let start = Instant::now();
    let refused = loop {
        match files.state().await.error {
            Some(error) => break error,
            None => assert!(start.elapsed() < Duration::from_secs(20)),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(refused.code, Code::Refused);
    assert!(refused.hint.unwrap().contains(&format!("read:{}", files.tree.display())));
    put(&files.at("b"), "x");
    files.allow().await;
    files.listens().await;
    assert!(files.told().await.is_empty(), "what was there before is no news");

    let read = format!("read:{}", files.tree.display()).parse().unwrap();
    files.rig.flows.permit(&files.flow, vec![], vec![read]).await.unwrap();
    while files.state().await.error.is_none() {
        assert!(start.elapsed() < Duration::from_secs(40), "what is taken back ends the watch");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn links_are_followed_only_when_asked_and_only_to_what_may_be_read() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    let (open, closed) = (outside.path().join("open"), outside.path().join("closed"));
    put(&open.join("a"), "x");
    put(&closed.join("a"), "x");
    for follow in [false, true] {
        let files = Files::new(&[], json!({"followSymlinks": follow})).await;
        symlink(&open, files.at("open")).unwrap();
        symlink(&closed, files.at("closed")).unwrap();
        symlink(&files.tree, files.at("circle")).unwrap();
        symlink(open.join("a"), files.at("file")).unwrap();
        let read = format!("read:{}", open.canonicalize().unwrap().display()).parse().unwrap();
        files.rig.flows.permit(&files.flow, vec![read], vec![]).await.unwrap();
        files.allow().await;
        files.listens().await;
        put(&open.join(format!("new {follow}")), "x");
        put(&closed.join(format!("new {follow}")), "x");
        put(&open.join("a"), &format!("changed {follow}"));
        let told = match follow {
            true => vec!["add open/new true", "change file", "change open/a"],
            false => vec![],
        };
        assert_eq!(files.all().await, told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_is_watched_over_its_replacements() {
    let files = Files::new(&["conf.toml", "other"], json!({})).await;
    files.rig.flows.enable(&files.flow, false).await.unwrap();
    let conf = files.at("conf.toml");
    let flow = files.save(json!({"paths": [conf]})).await;
    let read = format!("read:{}", conf.display()).parse().unwrap();
    files.rig.flows.permit(&flow, vec![read], vec![]).await.unwrap();
    let start = Instant::now();
    while !files.seen().await.contains(&"change conf.toml".to_owned()) {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", files.triggers.states().await);
        put(&files.at("other"), "no news");
        put(&files.at("conf.toml.new"), &format!("{:?}", start.elapsed()));
        fs::rename(files.at("conf.toml.new"), &conf).unwrap();
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    assert!(files.seen().await.iter().all(|line| line == "change conf.toml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_files_at_once_are_all_told() {
    let files = Files::watching(&[], json!({})).await;
    for n in 0..150 {
        put(&files.at(&format!("{}/{n}.txt", n % 17)), "x");
    }
    files.until(|seen| seen.iter().filter(|line| line.ends_with(".txt")).count() >= 150).await;
    assert_eq!(files.all().await.len(), 150, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_none_is_told() {
    let files = Files::new(&[], json!({})).await;
    files.rig.flows.enable(&files.flow, false).await.unwrap();
    files.save(json!({"paths": ["notes"]})).await;
    let start = Instant::now();
    loop {
        let states = files.triggers.states().await;
        if let Some(error) = states.iter().find_map(|state| state.error.as_ref()) {
            assert!(error.code == Code::InvalidInput && error.message.contains("notes"), "{error}");
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
