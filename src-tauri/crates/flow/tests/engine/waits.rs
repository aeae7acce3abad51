//! Runs that wait for requests and for people.

use std::time::Duration;

use crate::common::{Rig, life, line, node};
use crate::webhooks::{Hooks, JSON};
use devrig_flow::run::RunStatus;
use devrig_flow::runs::Said;
use serde_json::{Value, json};

fn wait_for(what: &str, more: Value) -> Value {
    let mut config = json!({"for": what});
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    node("wait", "flow.wait", config)
}

fn said(approved: bool) -> Said {
    Said { approved, note: Some("looks good".into()) }
}

/// `give` tells the address, `wait` waits at it, `after` comes then.
fn asking(more: Value) -> (Value, Value) {
    let nodes = json!([
        node("give", "test.give", json!({"url": "{{run.resumeUrl}}"})),
        wait_for("webhook", more),
        node("after", "test.give", json!({"got": "{{nodes.wait.output.body}}"})),
    ]);
    (nodes, line(&["give", "wait", "after"]))
}

/// The path of an address.
fn path(url: &Value) -> String {
    let url = url.as_str().expect("an address");
    format!("/wait/{}", url.split_once("/wait/").unwrap().1)
}

#[tokio::test]
async fn a_request_resumes_the_run_that_it_is_addressed_to_and_only_once() {
    let hooks = Hooks::new().await;
    let (nodes, edges) = asking(json!({}));
    let started = hooks.rig.begin(nodes, edges).await;
    let run = hooks.rig.until(&started.id, RunStatus::Waiting).await;
    let address = path(&run.nodes[0].output["url"]);
    assert!(address.contains(&started.id) && address.len() > started.id.len() + 32);
    let (status, _) = hooks.post(&format!("{address}0"), &[JSON], "{}").await;
    assert_eq!(status, 404, "nobody guesses it");
    let (status, reply) = hooks.post(&address, &[JSON], r#"{"ok": 1}"#).await;
    assert_eq!(status, 200, "{reply}");
    let run = hooks.rig.until(&started.id, RunStatus::Completed).await;
    assert_eq!(run.nodes[2].output, json!({"got": {"ok": 1}}));
    let (status, reply) = hooks.post(&address, &[JSON], "{}").await;
    assert_eq!(status, 409, "{reply}");
}

#[tokio::test]
async fn a_request_that_comes_before_the_node_waits_is_kept_for_it() {
    let hooks = Hooks::new().await;
    let (mut nodes, _) = asking(json!({}));
    nodes.as_array_mut().unwrap().insert(1, node("slow", "test.slow", json!({"ms": 300})));
    let edges = line(&["give", "slow", "wait", "after"]);
    for below in ["", "/wait"] {
        let started = hooks.rig.begin(nodes.clone(), edges.clone()).await;
        let run = loop {
            let run = hooks.rig.until(&started.id, RunStatus::Running).await;
            if !run.nodes.is_empty() {
                break run;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        let address = format!("{}{below}", path(&run.nodes[0].output["url"]));
        assert_eq!(hooks.post(&address, &[JSON], "[1]").await.0, 200);
        assert_eq!(hooks.post(&address, &[JSON], "[2]").await.0, 409, "only the first counts");
        let run = hooks.rig.until(&started.id, RunStatus::Completed).await;
        assert_eq!(run.nodes.last().unwrap().output, json!({"got": [1]}), "{below}");
    }
}

#[tokio::test]
async fn a_second_request_is_not_taken_for_the_next_node() {
    let hooks = Hooks::new().await;
    let mut second = wait_for("webhook", json!({}));
    second["id"] = json!("second");
    let nodes = json!([
        node("give", "test.give", json!({"url": "{{run.resumeUrl}}"})),
        wait_for("webhook", json!({})),
        node("slow", "test.slow", json!({"ms": 300})),
        second
    ]);
    let started = hooks.rig.begin(nodes, line(&["give", "wait", "slow", "second"])).await;
    let run = hooks.rig.until(&started.id, RunStatus::Waiting).await;
    let address = path(&run.nodes[0].output["url"]);
    assert_eq!(hooks.post(&address, &[], "a").await.0, 200);
    assert_eq!(hooks.post(&address, &[], "a").await.0, 409, "sent twice");
    while hooks.rig.until(&started.id, RunStatus::Waiting).await.nodes.len() < 4 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(hooks.post(&address, &[], "b").await.0, 200);
    let run = hooks.rig.until(&started.id, RunStatus::Completed).await;
    assert_eq!(run.nodes[3].output["body"], json!("b"));
}

#[tokio::test]
async fn a_wait_that_takes_too_long_goes_its_own_way_or_fails() {
    let hooks = Hooks::new().await;
    let (nodes, mut edges) = asking(json!({"timeoutMs": 60_000}));
    let plain = hooks.rig.begin(nodes.clone(), edges.clone()).await;
    edges[1]["port"] = json!("timeout");
    let handled = hooks.rig.begin(nodes, edges).await;
    let run = hooks.rig.until(&plain.id, RunStatus::Waiting).await;
    hooks.rig.until(&handled.id, RunStatus::Waiting).await;
    hooks.rig.clock.advance(Duration::from_secs(61));
    hooks.rig.runs.look();
    let failed = hooks.rig.until(&plain.id, RunStatus::Failed).await;
    assert_eq!(failed.run.error.unwrap().code.as_str(), "TIMEOUT");
    let done = hooks.rig.until(&handled.id, RunStatus::Completed).await;
    assert_eq!(done.nodes.last().unwrap().path, "after");
    let (status, _) = hooks.post(&path(&run.nodes[0].output["url"]), &[], "late").await;
    assert_eq!(status, 409);
}

#[tokio::test]
async fn an_approval_is_listed_answered_once_and_decides_the_way() {
    let (rig, _folder) = Rig::new().await;
    for (approved, way) in [(true, "yes"), (false, "no")] {
        let nodes = json!([
            wait_for(
                "approval",
                json!({"message": "Deploy {{trigger.payload.who}}?", "who": "ops"})
            ),
            node("yes", "test.give", json!({"note": "{{nodes.wait.output.note}}"})),
            node("no", "test.give", json!({"note": "{{nodes.wait.output.note}}"})),
        ]);
        let edges = json!([{"source": "wait", "target": "yes", "port": "approved"},
            {"source": "wait", "target": "no", "port": "rejected"}]);
        let started = rig.begin(nodes, edges).await;
        rig.until(&started.id, RunStatus::Waiting).await;
        let open = rig.runs.approvals().await.unwrap();
        assert_eq!((open.len(), open[0].message.as_str()), (1, "Deploy kim?"));
        assert_eq!(open[0].id, format!("{}/wait", started.id));
        let by = if approved { open[0].id.clone() } else { started.id.clone() };
        rig.runs.approve(&by, said(approved)).await.unwrap();
        let again = rig.runs.approve(&open[0].id, said(!approved)).await.unwrap_err();
        assert_eq!(again.code.as_str(), "NOTHING_TO_DO");
        let run = rig.until(&started.id, RunStatus::Completed).await;
        assert_eq!(run.nodes[1].path, way);
        assert_eq!(run.nodes[1].output, json!({"note": "looks good"}));
        assert!(rig.runs.approvals().await.unwrap().is_empty());
    }
    assert_eq!(
        rig.runs.approve("nobody", said(true)).await.unwrap_err().code.as_str(),
        "NOT_FOUND"
    );
}

#[tokio::test]
async fn an_approval_of_a_cancelled_run_is_gone() {
    let (rig, _folder) = Rig::new().await;
    let started = rig.begin(json!([wait_for("approval", json!({}))]), json!([])).await;
    rig.until(&started.id, RunStatus::Waiting).await;
    rig.runs.cancel(&started.id).await.unwrap();
    rig.until(&started.id, RunStatus::Cancelled).await;
    assert!(rig.runs.approvals().await.unwrap().is_empty());
    assert!(rig.runs.approve(&started.id, said(true)).await.is_err());
}

#[test]
fn an_answer_is_kept_whatever_happens_after_it_was_confirmed() {
    for parked in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let diary = crate::common::Diary::default();
        let id = life(folder.path(), &diary, async |rig| {
            let started = rig.begin(json!([wait_for("approval", json!({}))]), json!([])).await;
            while rig.runs.approvals().await.unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            if parked {
                rig.until(&started.id, RunStatus::Waiting).await;
            }
            rig.runs.approve(&started.id, said(true)).await.unwrap();
            started.id
        });
        life(folder.path(), &diary, async |rig| {
            let run = rig.until(&id, RunStatus::Completed).await;
            assert_eq!(run.nodes[0].output["approved"], json!(true));
        });
    }
}

#[tokio::test]
async fn until_takes_a_time_and_what_is_none_is_told() {
    let (rig, _folder) = Rig::new().await;
    let until = |text: &str| json!([node("w", "flow.wait", json!({"until": text}))]);
    let started = rig.begin(until("2026-11-20T12:00:00+01:00"), json!([])).await;
    let run = rig.until(&started.id, RunStatus::Waiting).await;
    assert_eq!(run.run.wake_at.unwrap().to_string(), "2026-11-20T11:00:00.000Z");
    let (rest, _) = rig.run(until("soon"), json!([])).await;
    assert!(rest.error.unwrap().message.contains("\"soon\""));
    let (rest, _) = rig.run(json!([node("w", "flow.wait", json!({}))]), json!([])).await;
    assert!(rest.error.unwrap().message.contains("either"));
}
