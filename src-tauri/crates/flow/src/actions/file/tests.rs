use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use devrig_core::{Code, Error, Result};
use serde_json::{Value, json};

use super::*;
use crate::action::Effect;
use crate::actions::blocking::Blocking;
use crate::permissions::Permissions;

/// A tree with a folder `in` that may be written to, `seen` that may be read, and `out`.
struct Tree {
    _folder: tempfile::TempDir,
    root: PathBuf,
    scene: Scene,
}

impl Tree {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["in", "seen", "out"] {
            std::fs::create_dir(root.join(name)).unwrap();
        }
        std::fs::write(root.join("out/secret"), "secret").unwrap();
        let shown = root.display();
        let scene = Scene::allowing(&[format!("write:{shown}/in"), format!("read:{shown}/seen")]);
        Self { _folder: folder, root, scene }
    }

    fn path(&self, below: &str) -> String {
        format!("{}/{below}", self.root.display())
    }

    fn put(&self, below: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.root.join(below), content).unwrap();
    }

    fn text(&self, below: &str) -> String {
        std::fs::read_to_string(self.root.join(below)).unwrap()
    }

    /// Runs an action; `@` begins a path below the root.
    fn run<B: Blocking>(&self, config: Value) -> Result<Value> {
        let config = self.placed(config);
        let mut actions = Actions::default();
        add::<B>(&mut actions)?;
        actions.get(B::ABOUT.name).unwrap().check(&config)?;
        B::run(serde_json::from_value(config)?, &self.scene)
    }

    fn placed(&self, value: Value) -> Value {
        match value {
            Value::String(text) if text.starts_with('@') => json!(self.path(&text[1..])),
            Value::Object(fields) => {
                fields.into_iter().map(|(name, value)| (name, self.placed(value))).collect()
            }
            other => other,
        }
    }

    fn read(&self, config: Value) -> Result<Value> {
        self.run::<read::Read>(config).map(|output| output["content"].clone())
    }

    fn write(&self, config: Value) -> Result<Value> {
        self.run::<write::Write>(config)
    }

    /// Names in a folder, to see that nothing is left behind.
    fn names(&self, below: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(below)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[track_caller]
fn refused(result: Result<Value>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.code, Code::Refused, "{error}");
    error
}

#[test]
fn content_is_read_as_it_should_be() {
    let tree = Tree::new();
    tree.put("seen/a", "\u{feff}{\"a\": \"é\"}");
    tree.put("seen/bytes", b"ab\nc\xff\x00");
    tree.put("seen/wide", b"\xff\xfea\x00");
    let of = |path: &str, form: &str| tree.read(json!({"path": path, "as": form}));
    assert_eq!(of("@seen/a", "text").unwrap(), "{\"a\": \"é\"}");
    assert_eq!(of("@seen/a", "json").unwrap(), json!({"a": "é"}));
    assert_eq!(of("@seen/bytes", "base64").unwrap(), "YWIKY/8A");
    let error = of("@seen/bytes", "text").unwrap_err();
    assert!(error.message.contains("not UTF-8: line 2, byte 0xff at 4"), "{error}");
    assert!(of("@seen/wide", "text").unwrap_err().message.contains("UTF-16"));
    let error = of("@seen/bytes/x", "text").unwrap_err();
    assert_eq!((error.code, error.retryable), (Code::InvalidInput, false), "{error}");
    let large = tree.read(json!({"path": "@seen/bytes", "maxBytes": 5})).unwrap_err();
    assert_eq!(large.code, Code::TooLarge);
    assert_eq!(
        tree.read(json!({"path": "@seen/bytes", "maxBytes": 6, "as": "base64"})).unwrap(),
        "YWIKY/8A"
    );
    let missing = tree.read(json!({"path": "@seen/none"})).unwrap_err();
    assert!(missing.code == Code::NotFound && missing.message.contains("seen/none"), "{missing}");
}

#[test]
fn neither_dots_nor_links_lead_out_of_what_is_allowed() {
    let tree = Tree::new();
    symlink(tree.root.join("out"), tree.root.join("seen/folder")).unwrap();
    symlink("../out/secret", tree.root.join("seen/file")).unwrap();
    symlink(tree.root.join("out"), tree.root.join("in/folder")).unwrap();
    for path in ["@seen/../out/secret", "@seen/folder/secret", "@seen/file", "@out/secret"] {
        let error = refused(tree.read(json!({ "path": path })));
        assert!(error.hint.unwrap().contains("/out/secret"), "{path}");
    }
    for path in ["@in/../out/new", "@in/folder/new", "@seen/new"] {
        refused(tree.write(json!({"path": path, "content": "x"})));
    }
    refused(tree.run::<delete::Delete>(json!({"path": "@in/folder/secret"})));
    refused(tree.run::<copy::Copy>(json!({"from": "@seen/file", "to": "@in/x"})));
    refused(tree.run::<relocate::Move>(json!({"from": "@in/folder/secret", "to": "@in/x"})));
    assert_eq!((tree.text("out/secret"), tree.names("out").len()), ("secret".to_owned(), 1));
}

/// Whoever swaps a folder for a link after the check gets an error, never the file behind it.
#[test]
fn a_link_that_is_put_there_later_does_not_lead_out() {
    let tree = Tree::new();
    std::fs::create_dir(tree.root.join("in/turns")).unwrap();
    let checked = to_write(&tree.path("in/turns/secret"), "path", &tree.scene).unwrap();
    std::fs::remove_dir(tree.root.join("in/turns")).unwrap();
    symlink(tree.root.join("out"), tree.root.join("in/turns")).unwrap();
    assert!(place::Spot::reach(&checked, false).is_err());
    assert!(place::Spot::reach(&checked, true).is_err());
    let last = to_write(&tree.path("in/late"), "path", &tree.scene).unwrap();
    symlink(tree.root.join("out/secret"), &last).unwrap();
    let spot = place::Spot::reach(&last, false).unwrap();
    assert!(spot.append(b"x").is_err() && spot.read(100).is_err());
    assert_eq!(tree.text("out/secret"), "secret");
}

/// The same while somebody turns it to and fro all the time.
#[test]
fn a_race_against_links_is_never_won() {
    let tree = Tree::new();
    let (turns, real) = (tree.root.join("in/turns"), tree.root.join("in/real"));
    std::fs::create_dir(&real).unwrap();
    std::fs::write(real.join("secret"), "mine").unwrap();
    let out = tree.root.join("out");
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                _ = std::fs::rename(&real, &turns);
                _ = std::fs::rename(&turns, &real);
                _ = symlink(&out, &turns);
                _ = std::fs::remove_file(&turns);
            }
        });
        let mut reached = 0;
        let begun = std::time::Instant::now();
        while reached < 50 && begun.elapsed() < Duration::from_secs(3) {
            if let Ok(content) = tree.read(json!({"path": "@in/turns/secret"})) {
                assert_eq!(content, "mine");
                reached += 1;
            }
            _ = tree.write(json!({"path": "@in/turns/new", "content": "x", "folders": false}));
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(tree.names("out"), ["secret"], "nothing was written there");
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let tree = Tree::new();
    let pipe = tree.root.join("in/pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from(0o600),
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(tree.root.join("in/socket")).unwrap();
    for name in ["@in/pipe", "@in/socket"] {
        let begun = std::time::Instant::now();
        for error in [
            tree.read(json!({ "path": name })).unwrap_err(),
            tree.write(json!({"path": name, "content": "x"})).unwrap_err(),
            tree.write(json!({"path": name, "content": "x", "mode": "append"})).unwrap_err(),
            tree.run::<copy::Copy>(json!({"from": name, "to": "@in/x"})).unwrap_err(),
        ] {
            assert!(error.message.contains("pipe, a socket or a device"), "{error}");
        }
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
    let folder = tree.read(json!({"path": "@in"})).unwrap_err();
    assert!(folder.message.ends_with("in is a folder"), "{folder}");
    assert!(tree.write(json!({"path": "@in", "content": "x"})).is_err());
    let device = Scene::allowing(&["read:/dev".to_owned()]);
    let config = serde_json::from_value(json!({"path": "/dev/zero"})).unwrap();
    assert!(read::Read::run(config, &device).unwrap_err().message.contains("device"));
}

#[test]
fn a_file_is_replaced_whole_with_its_permissions() {
    let tree = Tree::new();
    let file = tree.root.join("in/a");
    let told = tree.write(json!({"path": "@in/a", "content": "one"})).unwrap();
    assert_eq!((&told["created"], &told["bytes"]), (&json!(true), &json!(3)));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let before = std::fs::File::open(&file).unwrap();
    let told = tree.write(json!({"path": "@in/a", "content": {"b": [1]}})).unwrap();
    assert_eq!(
        (told["created"].clone(), tree.text("in/a")),
        (json!(false), "{\n  \"b\": [\n    1\n  ]\n}\n".to_owned())
    );
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(std::io::read_to_string(before).unwrap(), "one", "who reads sees the old one whole");
    symlink("a", tree.root.join("in/link")).unwrap();
    tree.write(json!({"path": "@in/link", "content": "by link"})).unwrap();
    assert_eq!(tree.text("in/a"), "by link", "the file behind it is meant");
    assert_eq!(tree.names("in"), ["a", "link"], "nothing is left behind");
}

#[test]
fn every_mode_does_what_it_says() {
    let tree = Tree::new();
    let write = |mode: &str, content: Value| {
        tree.write(json!({"path": "@in/deep/er/a", "content": content, "mode": mode}))
    };
    write("create", json!("one\n")).unwrap();
    assert_eq!(write("create", json!("two")).unwrap_err().code, Code::Conflict);
    assert_eq!(write("append", json!("two\n")).unwrap()["created"], false);
    assert_eq!(tree.text("in/deep/er/a"), "one\ntwo\n");
    assert_eq!(tree.names("in/deep/er"), ["a"], "nothing is left behind");
    let folders = json!({"path": "@in/none/a", "content": "x", "folders": false});
    assert_eq!(tree.write(folders).unwrap_err().code, Code::NotFound);
    tree.write(json!({"path": "@in/b", "content": "w6k=", "as": "base64"})).unwrap();
    assert_eq!(tree.text("in/b"), "é");
    let wrong = tree.write(json!({"path": "@in/b", "content": "é", "as": "base64"})).unwrap_err();
    assert!(wrong.message.contains("no base64"), "{wrong}");
    let wrong = tree.write(json!({"path": "@in/b", "content": 5, "as": "text"})).unwrap_err();
    assert!(wrong.hint.unwrap().contains("json"));
    for (mode, twice) in [("replace", true), ("create", false), ("append", false)] {
        let stakes = write::Write::stakes(&json!({ "mode": mode }), write::Write::ABOUT.stakes());
        assert_eq!(stakes.idempotent, twice, "{mode}");
    }
}

#[test]
fn what_the_system_forbids_is_told() {
    let tree = Tree::new();
    tree.put("in/closed", "x");
    let closed = tree.root.join("in/closed");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read everything.
    if std::fs::File::open(&closed).is_err() {
        let error = refused(tree.read(json!({"path": "@in/closed"})));
        assert!(error.message.contains("in/closed") && error.hint.is_some(), "{error}");
    }
    let long = tree.write(json!({"path": format!("@in/{}", "x".repeat(300)), "content": "x"}));
    assert_eq!(long.unwrap_err().code, Code::InvalidInput);
    for (name, other) in [("a", "b"), ("b", "a")] {
        symlink(other, tree.root.join("in").join(name)).unwrap();
    }
    let circle = tree.read(json!({"path": "@in/a"})).unwrap_err();
    assert!(circle.message.contains("circle"), "{circle}");
    assert!(tree.read(json!({"path": "in/a"})).unwrap_err().message.contains("no path"));
}

#[test]
fn a_folder_is_listed_in_order() {
    let tree = Tree::new();
    std::fs::create_dir_all(tree.root.join("seen/sub/deep")).unwrap();
    for name in ["b.md", "a.txt", ".hidden", "sub/c.md", "sub/deep/d.md"] {
        tree.put(&format!("seen/{name}"), "abc");
    }
    symlink("../out", tree.root.join("seen/link")).unwrap();
    let list = |more: Value| {
        let mut config = json!({"path": "@seen"});
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        tree.run::<list::List>(config).unwrap()
    };
    let names = |output: &Value| -> Vec<String> {
        let entries = output["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    };
    let plain = list(json!({}));
    assert_eq!(names(&plain), ["a.txt", "b.md", "link", "sub"]);
    assert_eq!(
        (&plain["entries"][2]["kind"], &plain["entries"][0]["bytes"]),
        (&json!("link"), &json!(3))
    );
    let all = list(json!({"recursive": true, "hidden": true}));
    assert_eq!(names(&all), [".hidden", "a.txt", "b.md", "link", "sub", "c.md", "deep", "d.md"]);
    assert_eq!(
        names(&list(json!({"recursive": true, "pattern": "**/*.md"}))),
        ["b.md", "c.md", "d.md"]
    );
    assert_eq!(names(&list(json!({"recursive": true, "pattern": "*.md"}))), ["b.md"]);
    assert_eq!(names(&list(json!({"recursive": true, "kinds": ["folder"]}))), ["sub", "deep"]);
    let cut = list(json!({"recursive": true, "limit": 2}));
    assert_eq!((names(&cut).len(), &cut["more"]), (2, &json!(true)));
    assert_eq!(list(json!({"limit": 4}))["more"], false);
    let wrong = tree.run::<list::List>(json!({"path": "@seen", "pattern": "[a"})).unwrap_err();
    assert!(wrong.message.starts_with("pattern: "), "{wrong}");
}

#[test]
fn deleting_takes_links_and_not_what_they_lead_to() {
    let tree = Tree::new();
    std::fs::create_dir_all(tree.root.join("in/sub/deep")).unwrap();
    tree.put("in/sub/deep/a", "x");
    symlink(tree.root.join("out"), tree.root.join("in/sub/link")).unwrap();
    symlink("nowhere", tree.root.join("in/gone")).unwrap();
    let delete = |path: &str, recursive: bool| {
        tree.run::<delete::Delete>(json!({"path": path, "recursive": recursive}))
            .map(|told| told["deleted"] == true)
    };
    let full = delete("@in/sub", false).unwrap_err();
    assert!(full.hint.unwrap().contains("recursive"));
    assert!(delete("@in/gone", false).unwrap(), "a link that leads nowhere");
    assert!(delete("@in/sub", true).unwrap());
    assert!(!delete("@in/sub", true).unwrap() && !delete("@in/none/a", false).unwrap());
    assert_eq!((tree.names("in").len(), tree.text("out/secret")), (0, "secret".to_owned()));
    refused(tree.run::<delete::Delete>(json!({"path": "@seen", "recursive": true})));
}

#[test]
fn moving_and_copying_replace_only_when_told() {
    let tree = Tree::new();
    tree.put("in/a", "a");
    tree.put("in/b", "b");
    tree.put("seen/c", "c");
    let relocate = |from: &str, to: &str, overwrite: bool| {
        tree.run::<relocate::Move>(json!({"from": from, "to": to, "overwrite": overwrite}))
    };
    let copy = |from: &str, to: &str, overwrite: bool| {
        tree.run::<copy::Copy>(json!({"from": from, "to": to, "overwrite": overwrite}))
    };
    assert_eq!(relocate("@in/a", "@in/b", false).unwrap_err().code, Code::Conflict);
    assert_eq!(copy("@in/a", "@in/b", false).unwrap_err().code, Code::Conflict);
    relocate("@in/a", "@in/new/b", false).unwrap();
    relocate("@in/new/b", "@in/b", true).unwrap();
    assert_eq!(copy("@seen/c", "@in/new/c", false).unwrap()["bytes"], 1);
    copy("@seen/c", "@in/b", true).unwrap();
    assert_eq!((tree.text("in/b"), tree.text("in/new/c")), ("c".to_owned(), "c".to_owned()));
    refused(relocate("@seen/c", "@in/x", false));
    refused(copy("@in/b", "@seen/x", false));
    assert_eq!(relocate("@in/none", "@in/x", false).unwrap_err().code, Code::NotFound);
    assert_eq!(tree.names("in"), ["b", "new"], "nothing is left behind");
}

#[test]
fn a_file_is_turned_into_another_format() {
    let tree = Tree::new();
    tree.put("seen/p.csv", "name;town\nAda;Bern\nBob;Ulm\n");
    let config = |more: Value| {
        let mut config =
            json!({"path": "@seen/p.csv", "read": {"format": "csv", "delimiter": ";"}});
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        config
    };
    let run = |more: Value| tree.run::<transform::Transform>(config(more));
    let people = json!([{"name": "Ada", "town": "Bern"}, {"name": "Bob", "town": "Ulm"}]);
    assert_eq!(run(json!({})).unwrap()["value"], people);
    let make = json!({"language": "jmespath", "expression": "[?town=='Ulm'].name"});
    assert_eq!(run(json!({ "make": make })).unwrap()["value"], json!(["Bob"]));
    let to = |format: &str| json!({"path": format!("@in/{format}"), "format": format});
    for format in ["json", "yaml", "csv"] {
        let told = run(json!({"write": to(format)})).unwrap();
        assert_eq!(told["created"], true);
    }
    assert_eq!(serde_json::from_str::<Value>(&tree.text("in/json")).unwrap(), people);
    assert_eq!(tree.text("in/csv"), "name,town\nAda,Bern\nBob,Ulm\n");
    assert!(tree.text("in/yaml").contains("town: Bern"));
    let slip = tree.run::<transform::Transform>(
        json!({"path": "@seen/p.csv", "read": {"format": "csv", "delimeter": ";"}}),
    );
    assert!(slip.unwrap_err().message.contains("delimeter"));
    assert!(run(json!({"write": to("text")})).unwrap_err().message.contains("no text"));
    let outside = json!({"write": {"path": "@out/x", "format": "json"}});
    refused(run(outside.clone()));
    let usual = transform::Transform::ABOUT.stakes();
    let stakes = |config| transform::Transform::stakes(&config, usual);
    let writes = stakes(config(outside));
    assert_eq!((writes.effect, writes.idempotent), (Effect::Write, true));
    assert_eq!(stakes(config(json!({}))).effect, Effect::Read);
}

#[test]
fn devrigs_own_folder_stays_as_it_is() {
    let tree = Tree::new();
    std::fs::create_dir(tree.root.join("in/.devrig")).unwrap();
    tree.put("in/.devrig/db", "x");
    let permissions: Permissions =
        [format!("write:{}", tree.path("in"))].iter().map(|text| text.parse().unwrap()).collect();
    let own = tree.root.join("in/.devrig");
    let tree = Tree { scene: Scene::with(permissions.without(&own)), ..tree };
    refused(tree.read(json!({"path": "@in/.devrig/db"})));
    refused(tree.write(json!({"path": "@in/.devrig/db", "content": ""})));
    refused(tree.run::<delete::Delete>(json!({"path": "@in", "recursive": true})));
    let config = json!({"path": "@in", "recursive": true, "hidden": true});
    let listed = tree.run::<list::List>(config).unwrap();
    assert_eq!(listed["entries"].as_array().unwrap().len(), 1, "its name, and nothing in it");
}
