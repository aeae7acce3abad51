//! What becomes of the workers: killed, broken, taken over, idle, shut down. Alone in its binary,
//! and one test, for it looks at the processes under it.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use common::{children, code_run, failure, output, run, settings, until};
use devrig_code::{CodePool, CodeSettings};
use devrig_core::{Category, Code};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

fn kill(pid: u32) {
    _ = kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL);
}

fn kill_all() {
    children().into_iter().for_each(kill);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_come_and_go() {
    a_killed_worker_costs_no_run().await;
    a_run_that_kills_twice_fails().await;
    idle_workers_end().await;
    a_pool_ends_its_workers().await;
    a_program_that_is_no_worker_is_told().await;
    a_worker_that_was_taken_over_gains_nothing().await;
}

async fn a_killed_worker_costs_no_run() {
    let pool = CodePool::new(settings());
    let source = "for (const end = Date.now() + 3; Date.now() < end;); return input";
    // One worker a round, for a run that is hit twice rightly fails.
    for _ in 0..5 {
        let runs: Vec<_> = (0..30)
            .map(|n| {
                let pool = pool.clone();
                tokio::spawn(async move { output(&pool, source, json!(n)).await })
            })
            .collect();
        until("workers run", || pool.status().running > 0 && !children().is_empty()).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        kill(*children().first().unwrap());
        for (n, run) in runs.into_iter().enumerate() {
            assert_eq!(run.await.unwrap(), n);
        }
    }
    pool.shutdown().await;
}

async fn a_run_that_kills_twice_fails() {
    let pool = CodePool::new(CodeSettings { workers: 1, ..settings() });
    let task = tokio::spawn({
        let pool = pool.clone();
        async move {
            pool.run(code_run("for (;;);", Value::Null, 60_000), &CancellationToken::new()).await
        }
    });
    let mut before = BTreeSet::new();
    for _ in 0..2 {
        until("it runs in another worker", || {
            pool.status().running > 0 && !children().is_empty() && children() != before
        })
        .await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        before = children();
        kill_all();
    }
    let error = task.await.unwrap().unwrap_err().error;
    assert_eq!((error.code, error.category), (Code::PluginStopped, Category::Plugin));
    assert!(error.message.contains("signal 9") && error.hint.is_some(), "{error}");
    assert_eq!(output(&pool, "return 1", Value::Null).await, 1, "the next worker is there");
    pool.shutdown().await;
}

async fn idle_workers_end() {
    let idle = Duration::from_millis(100);
    for kept in [0, 1] {
        let pool = CodePool::new(CodeSettings { idle, kept, ..settings() });
        let two = tokio::join!(
            output(
                &pool,
                "for (const end = Date.now() + 50; Date.now() < end;); return 1",
                Value::Null
            ),
            output(
                &pool,
                "for (const end = Date.now() + 51; Date.now() < end;); return 2",
                Value::Null
            ),
        );
        assert_eq!(two, (json!(1), json!(2)));
        assert!(pool.status().workers >= 2);
        until("the idle ones end", || pool.status().workers == kept).await;
        until("their processes too", || children().len() == kept).await;
        assert_eq!(output(&pool, "return 3", Value::Null).await, 3, "others are started as before");
        pool.shutdown().await;
    }
}

async fn a_pool_ends_its_workers() {
    let pool = CodePool::new(settings());
    let open = tokio::spawn({
        let pool = pool.clone();
        async move { run(&pool, "for (;;);", Value::Null).await }
    });
    until("the loop runs", || pool.status().running > 0).await;
    pool.shutdown().await;
    assert_eq!(open.await.unwrap().unwrap_err().error.code, Code::Cancelled);
    assert_eq!(failure(&pool, "return 1").await.error.code, Code::Cancelled);
    assert!(children().is_empty(), "no process is left");
    let pool = CodePool::new(settings());
    output(&pool, "return 1", Value::Null).await;
    drop(pool);
    until("the last handle ends them too", || children().is_empty()).await;
}

async fn a_program_that_is_no_worker_is_told() {
    for (program, code) in [
        ("/no/such/program", Code::NotFound),
        ("/bin/true", Code::PluginStopped),
        ("/etc/passwd", Code::Refused),
    ] {
        let pool = CodePool::new(CodeSettings { program: program.into(), ..settings() });
        for _ in 0..2 {
            let error = failure(&pool, "return 1").await.error;
            assert_eq!(error.code, code, "{program}: {error}");
            assert!(error.message.contains("worker for code"), "{program}: {error}");
        }
    }
}

/// Scripts that say what they like on the socket.
async fn a_worker_that_was_taken_over_gains_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // `frame TEXT` writes a frame of less than 256 bytes; `answer` one about the run 1.
    let prelude = r#"#!/bin/sh
        frame() { printf "\\$(printf %03o $((${#1})))\\000\\000\\000" >&3; printf %s "$1" >&3; }
        ready() { frame "{\"type\":\"ready\",\"protocol\":${2:-1},\"sandbox\":{\"seccomp\":$1,\"landlock\":true,\"rlimits\":true}}"; }
        answer() { printf "\\$(printf %03o $((17 + ${#3})))\\000\\000\\000\\00$1\\00$2\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\000\\000\\000\\000%s" "$3" >&3; }
        "#;
    for (script, code) in [
        ("ready false; sleep 9", Code::SandboxMissing),
        ("ready true 9; sleep 9", Code::ProtocolMismatch),
        ("frame 'not json'; sleep 9", Code::InvalidInput),
        ("printf '\\377\\377\\377\\377' >&3; sleep 9", Code::TooLarge),
        ("ready true; exit 3", Code::PluginStopped),
        ("ready true; printf '\\377\\377\\377\\377' >&3; sleep 9", Code::PluginStopped),
        ("ready true; frame 'nonsense'; sleep 9", Code::PluginStopped),
        ("ready true; answer 1 9 '7'; sleep 9", Code::PluginStopped),
        ("ready true; answer 1 1 'no json'; sleep 9", Code::PluginStopped),
        ("ready true; answer 1 1 '1 2'; sleep 9", Code::PluginStopped),
        ("ready true; answer 2 1 '{\"kind\":\"none\"}'; sleep 9", Code::PluginStopped),
        ("ready true; answer 4 1 ''; sleep 9", Code::PluginStopped),
        ("ready true; kill -9 $$", Code::PluginStopped),
        ("ready true; sleep 0.1; exit 4", Code::Timeout),
    ] {
        let program = folder.path().join("worker");
        std::fs::write(&program, format!("{prelude}{script}\n")).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let pool = CodePool::new(CodeSettings { program, workers: 1, ..settings() });
        let error = failure(&pool, "return 1").await.error;
        assert_eq!(error.code, code, "{script}: {error}");
        pool.shutdown().await;
    }
    // The same script, answering as it should: the frames above are right but for what is wrong.
    let program = folder.path().join("worker");
    let script = "ready true; sleep 0.1; answer 1 1 '[7]'; sleep 9";
    std::fs::write(&program, format!("{prelude}{script}\n")).unwrap();
    let pool = CodePool::new(CodeSettings { program, workers: 1, ..settings() });
    assert_eq!(output(&pool, "return 1", Value::Null).await, json!([7]));
    pool.shutdown().await;
}
