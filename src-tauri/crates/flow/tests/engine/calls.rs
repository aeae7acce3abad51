//! Runs that start others: flows that are called, and flows that hear of a failure.

use std::time::Duration;

use crate::common::{Diary, Rig, ends, life, line, node};
use devrig_core::Actor;
use devrig_flow::history::{self, RunInfo, Wanted};
use devrig_flow::run::{RunKind, RunStatus};
use devrig_flow::runs::Start;
use serde_json::{Value, json};

/// Saves a flow of these nodes in a line, and makes it live.
async fn live(rig: &Rig, id: &str, nodes: Value, more: Value) {
    let ids: Vec<&str> =
        nodes.as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect();
    let mut flow = json!({"schemaVersion": 1, "id": id, "name": id, "nodes": nodes,
        "edges": line(&ids)});
    for (name, value) in more.as_object().unwrap() {
        flow[name] = value.clone();
    }
    rig.flows.save(flow, Actor::Person).await.unwrap();
    rig.flows.publish(id, None).await.unwrap();
}

/// Starts a flow as a trigger would.
async fn fire(rig: &Rig, id: &str, payload: Value) -> String {
    let start = Start {
        program: rig.flows.program(id, None).await.unwrap(),
        trigger: "hook".into(),
        trigger_type: "webhook",
        kind: RunKind::Live,
        key: None,
        payload,
        cursor: None,
        depth: 0,
        parent: None,
        answer: None,
    };
    rig.runs.begin(start).await.unwrap().id
}

async fn of_kind(rig: &Rig, kind: RunKind) -> Vec<RunInfo> {
    let all = history::list(&rig.store, &Wanted { limit: 500, ..Wanted::default() }).await.unwrap();
    all.into_iter().filter(|run| run.kind == kind).collect()
}

async fn one_of_kind(rig: &Rig, kind: RunKind) -> RunInfo {
    for _ in 0..2000 {
        if let Some(run) = of_kind(rig, kind).await.pop() {
            return run;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no run of the kind {kind:?}");
}

fn call(id: &str, flow: &str, input: Value) -> Value {
    node(id, "flow.subflow", json!({"flowId": flow, "input": input}))
}

#[tokio::test]
async fn a_failure_starts_the_error_flow_with_all_that_is_known_of_it() {
    let (rig, _folder) = Rig::new().await;
    live(
        &rig,
        "handler",
        json!([node(
            "told",
            "test.give",
            json!({"at": "{{trigger.payload.node}}",
        "said": "{{trigger.payload.error.message}}", "of": "{{trigger.payload.flow.name}}",
        "from": "{{trigger.payload.trigger.payload.who}}", "type": "{{trigger.type}}"})
        )]),
        json!({}),
    )
    .await;
    let inside = json!({"id": "each", "type": "action", "action": "flow.loop",
        "config": {"items": [1]}, "body": {"nodes": [node("bad", "flow.fail",
            json!({"message": "no build"}))], "edges": []}});
    live(&rig, "broken", json!([inside]), json!({"errorFlowId": "handler"})).await;
    let failed = fire(&rig, "broken", json!({"body": {}, "who": "kim"})).await;
    rig.until(&failed, RunStatus::Failed).await;
    let error = one_of_kind(&rig, RunKind::Error).await;
    let run = rig.until(&error.id, RunStatus::Completed).await;
    assert_eq!(
        run.nodes[0].output,
        json!({"at": "each#0/bad", "said": "no build", "of": "broken", "from": "kim", "type": "error"})
    );
    assert_eq!(run.payload["run"]["id"], json!(failed));
}

#[tokio::test]
async fn only_live_runs_have_an_error_flow_and_none_starts_itself() {
    let (rig, _folder) = Rig::new().await;
    let fails = json!([node("bad", "flow.fail", json!({"message": "no"}))]);
    live(&rig, "broken", fails, json!({"errorFlowId": "broken"})).await;
    let by_hand = rig.flows.run("broken", None, json!(null)).await.unwrap();
    rig.ended(by_hand).await;
    assert!(of_kind(&rig, RunKind::Error).await.is_empty());
    fire(&rig, "broken", json!({})).await;
    let error = one_of_kind(&rig, RunKind::Error).await;
    rig.until(&error.id, RunStatus::Failed).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(of_kind(&rig, RunKind::Error).await.len(), 1, "it is not told of its own failure");
}

#[tokio::test]
async fn an_error_flow_that_is_not_live_is_told_in_the_log() {
    let (rig, _folder) = Rig::new().await;
    let fails = json!([node("bad", "flow.fail", json!({"message": "no"}))]);
    live(&rig, "broken", fails, json!({"errorFlowId": "gone"})).await;
    let failed = fire(&rig, "broken", json!({})).await;
    let run = rig.until(&failed, RunStatus::Failed).await;
    assert!(run.log[0].message.starts_with("the error flow: the flow gone"), "{:?}", run.log);
}

#[tokio::test]
async fn a_called_flow_gives_its_output_and_its_failure() {
    let (rig, _folder) = Rig::new().await;
    let twice = json!({"double": "{{trigger.payload.n}}{{trigger.payload.n}}"});
    live(&rig, "twice", json!([node("give", "test.give", twice)]), json!({})).await;
    live(&rig, "bad", json!([node("no", "flow.fail", json!({"message": "no"}))]), json!({})).await;
    let each = json!({"id": "each", "type": "action", "action": "flow.loop",
        "config": {"items": [1, 2, 3], "concurrency": 3},
        "body": {"nodes": [call("ask", "twice", json!({"n": "{{loop.item}}"}))], "edges": []}});
    let (rest, run) = rig.run(json!([each]), json!([])).await;
    assert_eq!(rest.output, json!([{"double": "11"}, {"double": "22"}, {"double": "33"}]));
    let children = of_kind(&rig, RunKind::Sub).await;
    assert_eq!(children.len(), 3);
    assert!(children.iter().all(|child| {
        child.parent.as_ref().is_some_and(|parent| parent.starts_with(&run.run.id))
    }));

    let (rest, _) = rig.run(json!([call("ask", "bad", json!({}))]), json!([])).await;
    let error = rest.error.unwrap();
    assert_eq!((error.message.as_str(), error.code.as_str()), ("the flow bad: no", "FLOW_FAILED"));
    let (rest, _) = rig.run(json!([call("ask", "nobody", json!({}))]), json!([])).await;
    assert_eq!(rest.error.unwrap().code.as_str(), "NOT_FOUND");
}

#[tokio::test]
async fn a_call_that_takes_long_holds_no_place_and_goes_on_when_the_other_ends() {
    let (rig, _folder) = Rig::new().await;
    let long = json!([
        node("rest", "flow.delay", json!({"ms": 3_600_000})),
        node("give", "test.give", json!({"x": 1}))
    ]);
    live(&rig, "long", long, json!({})).await;
    let started = rig.begin(json!([call("ask", "long", json!({}))]), json!([])).await;
    rig.until(&started.id, RunStatus::Waiting).await;
    while rig.runs.counts() != (0, 0) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    rig.clock.advance(Duration::from_secs(3601));
    rig.runs.look();
    let run = rig.until(&started.id, RunStatus::Completed).await;
    assert_eq!(run.nodes[0].output, json!({"x": 1}));
    assert_eq!(of_kind(&rig, RunKind::Sub).await.len(), 1);
}

#[tokio::test]
async fn a_flow_that_calls_itself_ends_with_a_clear_error() {
    let (rig, _folder) = Rig::new().await;
    let settings = json!({"settings": {"maxConcurrentRuns": 1}});
    live(&rig, "again", json!([call("ask", "again", json!({}))]), settings).await;
    let started = rig.flows.run("again", None, json!(null)).await.unwrap();
    let run = rig.until(&started.id, RunStatus::Failed).await;
    let error = run.run.error.unwrap();
    assert!(error.message.ends_with("more than 10 deep"), "{error}");
    assert_eq!(of_kind(&rig, RunKind::Sub).await.len(), 10);
}

#[tokio::test]
async fn what_nobody_waits_for_is_cancelled_unless_it_was_let_go() {
    let (rig, _folder) = Rig::new().await;
    let long = json!([node("rest", "flow.delay", json!({"ms": 3_600_000}))]);
    live(&rig, "long", long, json!({})).await;
    let detached = node("start", "flow.subflow", json!({"flowId": "long", "wait": false}));
    let nodes = json!([detached, call("ask", "long", json!({}))]);
    let started = rig.begin(nodes, line(&["start", "ask"])).await;
    let run = rig.until(&started.id, RunStatus::Waiting).await;
    let free = run.nodes[0].output["run"].as_str().unwrap().to_owned();
    rig.runs.cancel(&started.id).await.unwrap();
    rig.until(&started.id, RunStatus::Cancelled).await;
    let children = of_kind(&rig, RunKind::Sub).await;
    let bound = children.iter().find(|child| child.id != free).unwrap();
    rig.until(&bound.id, RunStatus::Cancelled).await;
    rig.until(&free, RunStatus::Waiting).await;
}

#[tokio::test]
async fn a_call_may_take_no_longer_than_its_node_says() {
    let (rig, _folder) = Rig::new().await;
    let long = json!([node("rest", "flow.delay", json!({"ms": 3_600_000}))]);
    live(&rig, "long", long, json!({})).await;
    let mut ask = call("ask", "long", json!({}));
    ask["timeoutMs"] = json!(60_000);
    let started = rig.begin(json!([ask]), json!([])).await;
    rig.until(&started.id, RunStatus::Waiting).await;
    rig.clock.advance(Duration::from_secs(61));
    rig.runs.look();
    let run = rig.until(&started.id, RunStatus::Failed).await;
    assert_eq!(run.run.error.unwrap().code.as_str(), "TIMEOUT");
    let child = of_kind(&rig, RunKind::Sub).await.remove(0);
    rig.until(&child.id, RunStatus::Cancelled).await;
}

#[tokio::test]
async fn a_parked_round_keeps_the_place_of_its_loop() {
    let (rig, _folder) = Rig::new().await;
    let body =
        json!({"nodes": [node("rest", "flow.delay", json!({"ms": 3_600_000}))], "edges": []});
    let each = json!({"id": "each", "type": "action", "action": "flow.loop",
        "config": {"items": [1, 2, 3], "concurrency": 2}, "body": body});
    let started = rig.begin(json!([each]), json!([])).await;
    let run = rig.until(&started.id, RunStatus::Waiting).await;
    assert_eq!(run.nodes.len(), 2, "the third has not begun: {run:?}");
    rig.clock.advance(Duration::from_secs(3601));
    rig.runs.look();
    while rig.until(&started.id, RunStatus::Waiting).await.nodes.len() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    rig.clock.advance(Duration::from_secs(3601));
    rig.runs.look();
    let run = rig.until(&started.id, RunStatus::Completed).await;
    assert_eq!(ends(&run).len(), 4);
}

#[test]
fn a_crash_starts_no_second_child_and_loses_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let diary = Diary::default();
    let id = life(folder.path(), &diary, async |rig| {
        let nodes = json!([
            node("a", "test.slow", json!({"ms": 400})),
            node("post", "test.once", json!({}))
        ]);
        live(rig, "child", nodes, json!({})).await;
        let started = rig.begin(json!([call("ask", "child", json!({}))]), json!([])).await;
        while rig.diary.lines().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        started.id
    });
    life(folder.path(), &diary, async |rig| {
        rig.until(&id, RunStatus::Completed).await;
        assert_eq!(of_kind(rig, RunKind::Sub).await.len(), 1);
    });
    assert_eq!(diary.lines().iter().filter(|line| *line == "effect post").count(), 1);
}
