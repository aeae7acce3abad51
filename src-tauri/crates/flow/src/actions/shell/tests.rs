use std::time::Instant;

use devrig_core::Code;
use devrig_process::Identity;
use serde_json::json;

use super::*;
use crate::action::Level;
use crate::actions::testing::{Said, attempt};

async fn exec_as(allowed: &[&str], config: Value, said: &Said) -> Result<Value> {
    let mut actions = Actions::default();
    add_all(&mut actions).unwrap();
    let allowed: Vec<String> = allowed.iter().map(|text| (*text).to_owned()).collect();
    attempt(&actions, "shell.exec", &allowed, config, said).await
}

async fn exec(config: Value) -> Result<Value> {
    exec_as(&["command:*", "read:/tmp", "read:/var"], config, &Said::default()).await
}

fn script(text: &str, more: Value) -> Value {
    let mut config = json!({"command": text, "shell": true});
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

#[tokio::test]
async fn a_program_is_given_its_arguments_as_they_are() {
    let config = json!({"command": "printf", "args": ["%s|", "$HOME", "a b", "*", ";", 5, true]});
    let output = exec(config).await.unwrap();
    assert_eq!(output["stdout"], "$HOME|a b|*|;|5|true|");
    assert_eq!((&output["exitCode"], &output["truncated"]), (&json!(0), &json!(false)));
}

#[tokio::test]
async fn a_script_finds_data_as_its_arguments() {
    let config = script("echo \"$1\"; cat", json!({"args": ["$(id)"], "stdin": {"a": 1}}));
    assert_eq!(exec(config).await.unwrap()["stdout"], "$(id)\n{\"a\":1}");
}

#[tokio::test]
async fn only_what_was_allowed_is_started() {
    let try_as = async |allowed: &[&str], config: Value| {
        exec_as(allowed, config, &Said::default()).await.unwrap_err()
    };
    let error = try_as(&["command:echo"], json!({"command": "printf"})).await;
    assert_eq!(error.code, Code::Refused);
    assert!(error.hint.unwrap().contains("command:printf"));
    let error = try_as(&["command:echo"], script("echo", json!({}))).await;
    assert!(error.hint.unwrap().contains("command:sh"), "a script needs the shell");
    let folder = json!({"command": "echo", "cwd": "/tmp/../etc"});
    let error = try_as(&["command:echo", "read:/tmp"], folder).await;
    assert!(error.hint.unwrap().contains("read:/etc"));
    let preload = json!({"command": "echo", "env": {"LD_PRELOAD": "/tmp/x.so"}});
    assert!(try_as(&["command:echo"], preload).await.hint.unwrap().contains("env:LD_PRELOAD"));
    for relative in ["./run", "a/b"] {
        let error = try_as(&["command:*"], json!({"command": relative})).await;
        assert_eq!(error.code, Code::InvalidInput, "{error}");
    }
}

#[tokio::test]
async fn little_is_inherited_and_the_rest_is_given() {
    // Cargo sets it for tests, so it is there to be inherited.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let config = json!({"command": "env", "env": {"A": "x y", "N": 1}, "output": "lines"});
    let output = exec(config).await.unwrap();
    let lines: Vec<_> =
        output["stdout"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
    assert!(lines.contains(&"A=x y") && lines.contains(&"N=1"), "{lines:?}");
    assert!(
        lines.contains(&"DEVRIG_KEY=run/node")
            && lines.iter().any(|line| line.starts_with("PATH="))
    );
    assert!(!lines.iter().any(|line| line.starts_with("CARGO_MANIFEST_DIR=")), "{lines:?}");
}

#[tokio::test]
async fn an_exit_code_is_a_failure_or_an_output() {
    let failing = || script("echo out; echo oh no >&2; exit 3", json!({}));
    let error = exec(failing()).await.unwrap_err();
    assert_eq!((error.code, error.category), (Code::CommandFailed, Category::Permanent));
    assert_eq!(error.message, "the script: exit code 3: oh no");
    assert_eq!(error.details.unwrap()["stdout"], "out\n");
    let mut config = failing();
    config["failOnExit"] = json!(false);
    let output = exec(config).await.unwrap();
    assert_eq!((&output["exitCode"], &output["stderr"]), (&json!(3), &json!("oh no\n")));
    let killed = exec(script("kill -9 $$", json!({"failOnExit": false}))).await.unwrap();
    assert_eq!((&killed["exitCode"], &killed["signal"]), (&json!(null), &json!(9)));
}

#[tokio::test]
async fn output_is_cut_with_a_mark_and_read_as_it_should_be() {
    let much = "head -c 3000000 /dev/zero | tr '\\0' x; echo end";
    let output = exec(script(much, json!({"maxOutputBytes": 100, "log": false}))).await.unwrap();
    let text = output["stdout"].as_str().unwrap();
    assert!(text.starts_with("[2999904 bytes cut]\nx") && text.ends_with("xend\n"), "{text}");
    assert_eq!(output["truncated"], true);
    let of = async |text: &str, form: &str, most: u32| {
        exec(script(
            "printf '%s' \"$1\"",
            json!({"args": [text], "output": form, "maxOutputBytes": most}),
        ))
        .await
    };
    assert_eq!(of("{\"a\": [1]}", "json", 99).await.unwrap()["stdout"], json!({"a": [1]}));
    assert_eq!(of("é", "base64", 99).await.unwrap()["stdout"], "w6k=");
    assert_eq!(of("ééé", "text", 3).await.unwrap()["stdout"], "[3 bytes cut]\né");
    let error = of("{\n x", "json", 99).await.unwrap_err();
    assert_eq!(error.message, "stdout: it is no JSON: line 2, column 2");
    assert!(of("[1, 2, 3]", "json", 5).await.unwrap_err().hint.unwrap().contains("maxOutputBytes"));
}

#[tokio::test]
async fn lines_are_told_as_they_come() {
    let said = Said::default();
    let text = "echo one; echo two >&2; printf 'th'; printf 'ree\\033[2J'; yes | head -n 5000";
    exec_as(&["command:sh"], script(text, json!({})), &said).await.unwrap();
    let said = said.0.into_inner().unwrap();
    let has = |level, line: &str| said.contains(&(level, line.to_owned()));
    assert!(has(Level::Info, "one") && has(Level::Warn, "two"), "{:?}", &said[..4]);
    assert!(has(Level::Info, "three\\x1b[2Jy"), "{:?}", &said[..4]);
    assert_eq!(said.len(), 2002, "each stream is bounded, and says so");
}

/// A tree of which each process tells its number and ignores being asked to end.
const FORKS: &str = "
    trap '' TERM
    echo $$ >> \"$1\"
    (trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >> \"$1\"; sleep 600 & echo $! >> \"$1\"; wait' sh \"$1\") &
    setsid sh -c 'trap \"\" TERM; echo $$ >> \"$1\"; sleep 600 & echo $! >> \"$1\"; wait' sh \"$1\" &
    wait
";

async fn tree(file: &std::path::Path) -> Vec<Identity> {
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let pids: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
        if pids.len() == 5 && text.ends_with('\n') {
            return pids.into_iter().map(Identity::of).collect();
        }
        assert!(start.elapsed() < Duration::from_secs(10), "the tree did not grow: {text}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn gone(tree: &[Identity]) {
    let start = Instant::now();
    let running = |process: &Identity| {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.pid));
        process.exists() && stat.is_ok_and(|stat| !stat.contains(") Z "))
    };
    while tree.iter().any(running) {
        assert!(start.elapsed() < Duration::from_secs(10), "something of it is left");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_whole_tree_ends_when_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pids");
    let config = script(FORKS, json!({"args": [file], "timeoutMs": 700}));
    let (output, tree) = tokio::join!(exec(config), tree(&file));
    let error = output.unwrap_err();
    assert_eq!((error.code, error.category), (Code::Timeout, Category::Permanent));
    gone(&tree).await;
}

#[tokio::test]
async fn the_whole_tree_ends_when_nobody_waits_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pids");
    let tree = tokio::select! {
        output = exec(script(FORKS, json!({"args": [file]}))) => panic!("{output:?}"),
        tree = tree(&file) => tree,
    };
    gone(&tree).await;
}

#[tokio::test]
async fn what_may_be_repeated_may_be_tried_again() {
    let config = script("exit 1", json!({"repeatable": true}));
    assert_eq!(exec(config.clone()).await.unwrap_err().category, Category::Transient);
    let idempotent = |config: &Value| Exec.stakes(config, ABOUT.stakes()).idempotent;
    assert!(idempotent(&config) && !idempotent(&json!({"command": "x"})));
}

#[tokio::test]
async fn what_cannot_be_started_is_named() {
    let missing = exec(json!({"command": "no-such-program"})).await.unwrap_err();
    assert!(missing.code == Code::NotFound && missing.message.contains("no-such-program"));
    let folder = exec(json!({"command": "/tmp"})).await.unwrap_err();
    assert!(!folder.retryable, "{folder}");
    let null = exec(json!({"command": "echo", "args": ["a\u{0}b"]})).await.unwrap_err();
    assert_eq!(null.message, "args: the argument 0 has a null character in it");
    let cwd = exec(json!({"command": "echo", "cwd": "/tmp/nowhere-at-all"})).await.unwrap_err();
    assert_eq!(cwd.code, Code::NotFound, "{cwd}");
}
