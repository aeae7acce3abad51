//! Actions that touch this machine, in runs: what they may, what is told meanwhile, and what becomes
//! of them when a run is cancelled or DevRig ends.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::common::{Diary, Rig, clock, line, node};
use devrig_core::{Actor, Code};
use devrig_flow::run::RunStatus;
use devrig_flow::runs::Decision;
use serde_json::{Value, json};

/// A flow of one script, which is allowed the shell.
async fn script(rig: &Rig, text: &str, file: &Path, more: Value) -> String {
    let mut config = json!({"command": text, "shell": true, "args": [file]});
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    let nodes = json!([node("work", "shell.exec", config), node("after", "test.give", json!({}))]);
    let flow = json!({"name": "Work", "schemaVersion": 1, "nodes": nodes, "edges": line(&["work", "after"])});
    let flow = rig.flows.save(flow, Actor::Person).await.unwrap();
    rig.flows.permit(&flow.id, vec!["command:sh".parse().unwrap()], vec![]).await.unwrap();
    flow.id
}

/// Two processes that ignore being asked to end, one of them in a session of its own, each of which
/// writes its number.
const FORKS: &str = "trap '' TERM; echo $$ >> \"$1\"; echo begun
    setsid sh -c 'trap \"\" TERM; echo $$ >> \"$1\"; exec sleep 600' sh \"$1\" & wait";

async fn lines(file: &Path, count: usize) -> Vec<String> {
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if text.lines().count() >= count && text.ends_with('\n') {
            return text.lines().map(str::to_owned).collect();
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{count} lines expected: {text}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

async fn gone(pids: &[String]) {
    let start = Instant::now();
    while pids.iter().any(|pid| runs(pid)) {
        assert!(start.elapsed() < Duration::from_secs(20), "something of {pids:?} is left");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_flow_may_not_is_told_with_the_command_that_allows_it() {
    let (rig, _folder) = Rig::new().await;
    let nodes = json!([node("look", "file.read", json!({"path": "/etc/hostname"}))]);
    let flow = json!({"id": "looker", "name": "Look", "schemaVersion": 1, "nodes": nodes});
    let flow = rig.flows.save(flow, Actor::Person).await.unwrap();
    let (rest, _) = rig.ended(rig.flows.run(&flow.id, None, json!({})).await.unwrap()).await;
    let error = rest.error.unwrap();
    assert_eq!(error.code, Code::Refused);
    let hint = error.hint.unwrap();
    assert!(hint.contains("devrig flow allow looker read:/etc/hostname"), "{hint}");

    rig.flows.permit(&flow.id, vec!["read:/etc/hostname".parse().unwrap()], vec![]).await.unwrap();
    let (rest, _) = rig.ended(rig.flows.run(&flow.id, None, json!({})).await.unwrap()).await;
    assert_eq!(rest.status, RunStatus::Completed, "{:?}", rest.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_cannot_reach_devrigs_own_files() {
    let (rig, folder) = Rig::new().await;
    let file = folder.path().join("devrig.db");
    let nodes = json!([node(
        "ask",
        "sqlite.query",
        json!({"path": file, "sql": "DELETE FROM flow_permission", "write": true})
    )]);
    let flow = json!({"name": "Sly", "schemaVersion": 1, "nodes": nodes});
    let flow = rig.flows.save(flow, Actor::Person).await.unwrap();
    rig.flows.permit(&flow.id, vec!["write:/".parse().unwrap()], vec![]).await.unwrap();
    let (rest, _) = rig.ended(rig.flows.run(&flow.id, None, json!({})).await.unwrap()).await;
    assert!(rest.error.unwrap().message.contains("DevRig's own"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_flow_inherits_nothing_from_a_deleted_one() {
    let (rig, _folder) = Rig::new().await;
    let save = async |id: &str, action: &str| {
        let nodes = json!([node("a", action, json!({}))]);
        let flow = json!({"id": id, "name": id, "schemaVersion": 1, "nodes": nodes});
        rig.flows.save(flow, Actor::Person).await.unwrap();
    };
    for ran in [false, true] {
        save("old", "test.once").await;
        rig.flows.permit("old", vec!["command:*".parse().unwrap()], vec![]).await.unwrap();
        assert_eq!(rig.flows.permissions("old").await.unwrap().iter().count(), 1);
        rig.flows.program("old", None).await.unwrap();
        if ran {
            rig.ended(rig.flows.run("old", None, json!({})).await.unwrap()).await;
        }
        rig.flows.delete("old").await.unwrap();
        save("new", "test.give").await;
        assert_eq!(rig.flows.permissions("new").await.unwrap().iter().count(), 0);
        let (_, run) = rig.ended(rig.flows.run("new", None, json!({})).await.unwrap()).await;
        assert_eq!(run.run.flow_name, "new");
        let own = rig.diary.lines().iter().filter(|line| line.starts_with("effect")).count();
        assert_eq!(own, usize::from(ran), "it runs its own nodes");
        rig.flows.delete("new").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_writes_can_be_followed_while_it_runs() {
    let (rig, folder) = Rig::new().await;
    let file = folder.path().join("go");
    let text = "echo first; until [ -e \"$1\" ]; do sleep 0.02; done; echo second";
    let flow = script(&rig, text, &file, json!({})).await;
    let started = rig.flows.run(&flow, None, json!({})).await.unwrap();
    let told = async |count: usize| {
        let start = Instant::now();
        loop {
            let run = devrig_flow::history::get(&rig.store, &started.id).await;
            let log: Vec<String> = run
                .map(|run| run.log.into_iter().map(|line| line.message).collect())
                .unwrap_or_default();
            if log.len() >= count {
                return log;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{log:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert_eq!(told(1).await, ["first"], "it is on disk before the program has ended");
    std::fs::write(&file, "").unwrap();
    assert_eq!(told(2).await, ["first", "second"]);
    rig.until(&started.id, RunStatus::Completed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_a_run_ends_everything_that_it_started() {
    let (rig, folder) = Rig::new().await;
    let file = folder.path().join("pids");
    let flow = script(&rig, FORKS, &file, json!({})).await;
    let started = rig.flows.run(&flow, None, json!({})).await.unwrap();
    let pids = lines(&file, 2).await;
    assert!(pids.iter().all(|pid| runs(pid)));
    rig.runs.cancel(&started.id).await.unwrap();
    rig.until(&started.id, RunStatus::Cancelled).await;
    gone(&pids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_devrig_ends_what_runs() {
    let (rig, folder) = Rig::new().await;
    let file = folder.path().join("pids");
    let flow = script(&rig, FORKS, &file, json!({})).await;
    rig.flows.run(&flow, None, json!({})).await.unwrap();
    let pids = lines(&file, 2).await;
    rig.runs.stop().await;
    gone(&pids).await;
}

/// One life of the engine on a file, left as `kill -9` leaves it: what its threads still write while
/// they end goes to files that nobody opens again.
fn life<T: Send + 'static>(folder: &Path, live: impl AsyncFnOnce(&Rig) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let told = runtime.block_on(async {
        let rig = Rig::at(folder, Diary::default(), clock()).await;
        let told = live(&rig).await;
        leave(folder);
        told
    });
    runtime.shutdown_background();
    told
}

/// Puts copies in the place of the database and its log, and leaves the originals to whoever has
/// them open.
fn leave(folder: &Path) {
    for name in ["devrig.db", "devrig.db-wal"] {
        let (file, copy) = (folder.join(name), folder.join("copy"));
        std::fs::copy(&file, &copy).unwrap();
        std::fs::rename(copy, file).unwrap();
    }
    std::fs::remove_file(folder.join("devrig.db-shm")).unwrap();
}

fn begun(folder: &Path, more: Value) -> (String, PathBuf) {
    let file = folder.join("done");
    let out = file.clone();
    let id = life(folder, async move |rig| {
        let text = "echo did >> \"$1\"; [ $(wc -l < \"$1\") -gt 1 ] || exec sleep 600";
        let flow = script(rig, text, &out, more).await;
        let started = rig.flows.run(&flow, None, json!({})).await.unwrap();
        lines(&out, 1).await;
        started.id
    });
    (id, file)
}

#[test]
fn a_program_that_a_crash_cut_off_waits_for_the_person() {
    let folder = tempfile::tempdir().unwrap();
    let (id, file) = begun(folder.path(), json!({}));
    life(folder.path(), async |rig| {
        let run = rig.until(&id, RunStatus::NeedsDecision).await;
        assert_eq!(run.run.error.unwrap().code, Code::InDoubt);
        assert_eq!(lines(&file, 1).await.len(), 1, "it is not run again by itself");
        rig.runs.decide(&id, Decision::Again).await.unwrap();
        rig.until(&id, RunStatus::Completed).await;
        assert_eq!(lines(&file, 2).await.len(), 2);
    });
}

/// The process of a DevRig that was killed goes on without it.
#[test]
fn a_program_that_was_left_behind_is_ended_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let (id, file) = begun(folder.path(), json!({}));
    let left = |key: &str| {
        let mut orphan = std::process::Command::new("sleep");
        orphan.arg("600").env("DEVRIG_KEY", key).spawn().unwrap()
    };
    let (mut own, mut other) = (left(&format!("{id}/work")), left("someone/work"));
    life(folder.path(), async |rig| {
        rig.until(&id, RunStatus::NeedsDecision).await;
        gone(&[own.id().to_string()]).await;
    });
    assert!(own.wait().unwrap().code().is_none() && other.try_wait().unwrap().is_none());
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(std::fs::read_to_string(file).unwrap(), "did\n");
}

#[test]
fn a_program_that_may_be_repeated_goes_on_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (id, file) = begun(folder.path(), json!({"repeatable": true}));
    life(folder.path(), async |rig| {
        rig.until(&id, RunStatus::Completed).await;
        assert_eq!(lines(&file, 2).await.len(), 2);
    });
}

/// An attempt that failed before the crash does not make the one that the crash cut off certain.
#[test]
fn a_second_attempt_that_a_crash_cut_off_is_in_doubt_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("done");
    let out = file.clone();
    let id = life(folder.path(), async move |rig| {
        let text = "echo did >> \"$1\"; [ $(wc -l < \"$1\") -gt 1 ] || exit 1; exec sleep 600";
        let nodes = json!([{
            "id": "work", "type": "action", "action": "shell.exec",
            "config": {"command": text, "shell": true, "args": [out]},
            "retryPolicy": {"maxAttempts": 5, "baseDelayMs": 1, "maxDelayMs": 1, "retryOn": ["permanent"]},
        }]);
        let flow = json!({"name": "Work", "schemaVersion": 1, "nodes": nodes});
        let flow = rig.flows.save(flow, Actor::Person).await.unwrap();
        rig.flows.permit(&flow.id, vec!["command:sh".parse().unwrap()], vec![]).await.unwrap();
        let started = rig.flows.run(&flow.id, None, json!({})).await.unwrap();
        lines(&out, 2).await;
        started.id
    });
    life(folder.path(), async |rig| {
        rig.until(&id, RunStatus::NeedsDecision).await;
        assert_eq!(lines(&file, 2).await.len(), 2, "it is not run again by itself");
    });
}
