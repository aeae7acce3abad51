//! How many calls of one action go on and begin, what is told of them, and what an action promises.

use std::time::{Duration, Instant};

use devrig_flow::action::Level;
use devrig_flow::history::RunDetail;
use devrig_flow::limits;
use devrig_flow::run::RunStatus;
use serde_json::{Value, json};

use crate::common::{Rig, node};

fn limit(rig: &Rig, given: &Value) {
    rig.flows.actions().limits().set(limits::read(given).unwrap());
}

fn slow(id: &str, ms: u64) -> Value {
    node(id, "test.slow", json!({ "ms": ms }))
}

/// What a run says of waiting for its turn.
fn waits(run: &RunDetail) -> Vec<&str> {
    let lines = run.log.iter().filter(|line| line.level == Level::Info);
    let lines = lines.map(|line| line.message.as_str());
    lines.filter(|line| line.contains("waits for its turn")).collect()
}

#[tokio::test]
async fn no_more_calls_of_an_action_go_on_than_may_whoever_asks() {
    let (rig, _folder) = Rig::new().await;
    limit(&rig, &json!({"test.slow": {"atOnce": 1}}));
    let two = rig.begin(json!([slow("a", 20), slow("b", 20)]), json!([])).await;
    let third = rig.begin(json!([slow("c", 20)]), json!([])).await;
    for started in [two, third] {
        let (rest, run) = rig.ended(started).await;
        assert_eq!(rest.status, RunStatus::Completed);
        assert!(waits(&run).is_empty(), "a moment is not worth a line");
    }
    let lines = rig.diary.lines();
    let pairs: Vec<_> = lines.chunks(2).map(|pair| (&pair[0][..5], &pair[1][..3])).collect();
    assert_eq!(pairs, [("begin", "end"); 3], "one after the other: {lines:?}");
}

#[tokio::test]
async fn many_calls_of_one_flow_do_not_keep_another_one_waiting() {
    let (rig, _folder) = Rig::new().await;
    limit(&rig, &json!({"test.slow": {"atOnce": 1}}));
    let items: Vec<u32> = (0..20).collect();
    let many = json!([{"id": "each", "type": "action", "action": "flow.loop",
        "config": {"items": items, "concurrency": 20}, "body": {"nodes": [slow("one", 40)]}}]);
    let many = rig.begin(many, json!([])).await;
    rig.until(&many.id, RunStatus::Running).await;
    let other = rig.begin(json!([slow("other", 1)]), json!([])).await;
    assert_eq!(rig.ended(other).await.0.status, RunStatus::Completed);
    let lines = rig.diary.lines();
    let begun = lines.iter().filter(|line| line.starts_with("begin each#")).count();
    assert!(begun < 15, "it was its turn among the first: {lines:?}");
    assert_eq!(rig.ended(many).await.0.status, RunStatus::Completed);
}

#[tokio::test]
async fn a_call_that_comes_too_soon_waits_without_a_place_until_it_may() {
    let (rig, _folder) = Rig::new().await;
    limit(&rig, &json!({"test.flaky": {"perMinute": 1}}));
    let nodes = || json!([node("a", "test.flaky", json!({}))]);
    let (rest, _) = rig.run(nodes(), json!([])).await;
    assert_eq!(rest.status, RunStatus::Completed);
    let later = rig.begin(nodes(), json!([])).await;
    let parked = rig.until(&later.id, RunStatus::Waiting).await;
    let until = parked.run.wake_at.expect("it says when it goes on").to_string();
    assert!(matches!(waits(&parked)[..], [line] if line.contains(&until)), "{:?}", parked.log);
    assert_eq!(rig.diary.lines().len(), 1);
    rig.counts_become((0, 0)).await;
    // Another one takes its turn, so it has to wait once more.
    rig.clock.advance(Duration::from_secs(61));
    assert_eq!(rig.run(nodes(), json!([])).await.0.status, RunStatus::Completed);
    rig.runs.look();
    let again = parked_until(&rig, &later.id, &until).await;
    assert_eq!(waits(&again).len(), 1, "it tells so once: {:?}", again.log);
    rig.clock.advance(Duration::from_secs(61));
    rig.runs.look();
    let run = rig.until(&later.id, RunStatus::Completed).await;
    assert_eq!(run.nodes[0].attempts, 1, "waiting is no attempt");
    assert_eq!(rig.diary.lines().len(), 3);
}

/// Waits until a run is parked for another time than this.
async fn parked_until(rig: &Rig, id: &str, old: &str) -> RunDetail {
    loop {
        let run = rig.until(id, RunStatus::Waiting).await;
        if run.run.wake_at.is_some_and(|until| until.to_string() != old) {
            return run;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_run_that_waits_long_for_others_gives_its_place_away_and_comes_back() {
    let (rig, _folder) = Rig::new().await;
    limit(&rig, &json!({"test.slow": {"atOnce": 1}}));
    let first = rig.begin(json!([slow("a", 60_000)]), json!([])).await;
    rig.until(&first.id, RunStatus::Running).await;
    let second = rig.begin(json!([slow("b", 1)]), json!([])).await;
    let (rest, _) = rig.run(json!([node("c", "test.flaky", json!({}))]), json!([])).await;
    assert_eq!(rest.status, RunStatus::Completed, "other actions wait for nobody");
    let parked = rig.until(&second.id, RunStatus::Waiting).await;
    assert!(parked.run.wake_at.is_some());
    assert!(
        matches!(waits(&parked)[..], [line] if line == "b waits for its turn: of test.slow, 1 go on and 1 wait"),
        "{:?}",
        parked.log
    );
    rig.counts_become((0, 1)).await;
    rig.runs.cancel(&first.id).await.unwrap();
    assert_eq!(rig.ended(first).await.0.status, RunStatus::Cancelled);
    rig.clock.advance(Duration::from_secs(2));
    rig.runs.look();
    let run = rig.until(&second.id, RunStatus::Completed).await;
    assert_eq!((run.nodes[0].attempts, waits(&run).len()), (1, 1));
}

#[tokio::test]
async fn a_run_that_waits_for_its_call_is_cancelled_at_once() {
    let (rig, _folder) = Rig::new().await;
    limit(&rig, &json!({"test.slow": {"atOnce": 1}}));
    let first = rig.begin(json!([slow("a", 60_000)]), json!([])).await;
    let second = rig.begin(json!([slow("a", 1)]), json!([])).await;
    rig.until(&second.id, RunStatus::Running).await;
    rig.runs.cancel(&second.id).await.unwrap();
    assert_eq!(rig.ended(second).await.0.status, RunStatus::Cancelled);
    rig.runs.cancel(&first.id).await.unwrap();
    assert_eq!(rig.ended(first).await.0.status, RunStatus::Cancelled);
    let (rest, _) = rig.run(json!([slow("a", 1)]), json!([])).await;
    assert_eq!(rest.status, RunStatus::Completed, "the place is free again");
}

/// A loop whose rounds need the place that the loop itself had would wait for itself.
#[tokio::test]
async fn what_steers_takes_no_place() {
    let (rig, _folder) = Rig::new().await;
    limit(&rig, &json!({"flow.loop": {"atOnce": 1}, "data.set": {"perMinute": 1}}));
    let inner = json!({"id": "in", "type": "action", "action": "flow.loop",
        "config": {"items": [1, 2]}, "body": {"nodes": [node("set", "data.set", json!({}))]}});
    let outer = json!({"id": "out", "type": "action", "action": "flow.loop",
        "config": {"items": [1, 2], "concurrency": 2}, "body": {"nodes": [inner]}});
    let (rest, _) = rig.run(json!([outer]), json!([])).await;
    assert_eq!(rest.status, RunStatus::Completed);
}

#[tokio::test]
async fn an_output_that_its_action_does_not_promise_is_told_and_kept() {
    let (rig, _folder) = Rig::new().await;
    let cases = [
        (json!({"number": 7}), 0),
        (json!({"text": "seven"}), 1),
        (json!({"number": "7seven"}), 1),
    ];
    for (config, told) in cases {
        let nodes = json!([node("a", "test.number", config.clone())]);
        let (rest, run) = rig.run(nodes, json!([])).await;
        assert_eq!((rest.status, rest.output), (RunStatus::Completed, config));
        assert_eq!(run.log.len(), told, "{:?}", run.log);
        assert!(run.log.iter().all(|line| line.level == Level::Warn
            && line.message.starts_with("a: test.number gave something else")
            && !line.message.contains("seven")));
    }
}

#[tokio::test]
async fn calls_are_counted_by_action_with_their_times() {
    let (rig, _folder) = Rig::new().await;
    let figures = || rig.flows.actions().limits().figures();
    assert_eq!(figures(), []);
    limit(&rig, &json!({"test.slow": {"atOnce": 1}}));
    rig.diary.fail_next("flaky", 2);
    let mut flaky = node("flaky", "test.flaky", json!({}));
    flaky["retryPolicy"] = json!({"maxAttempts": 3, "baseDelayMs": 1});
    let others = json!([flaky, node("set", "data.set", json!({}))]);
    assert_eq!(rig.run(others, json!([])).await.0.status, RunStatus::Completed);
    let begun = Instant::now();
    let both = json!([slow("a", 100), slow("b", 100)]);
    assert_eq!(rig.run(both, json!([])).await.0.status, RunStatus::Completed);
    let all_ms = begun.elapsed().as_secs_f64() * 1_000.0;

    let told = figures();
    let counts: Vec<_> = told.iter().map(|of| (&*of.action, of.done, of.failed)).collect();
    assert_eq!(counts, [("data.set", 1, 0), ("test.flaky", 1, 2), ("test.slow", 2, 0)]);
    let slowly = &told[2];
    assert!(slowly.average_ms >= 100.0 && slowly.longest_ms >= slowly.average_ms, "{told:?}");
    assert!(slowly.average_ms * 2.0 <= all_ms, "waiting does not count: {all_ms} {told:?}");
    assert!(slowly.p95_ms >= 90.0 && told.iter().all(|of| of.going == 0), "{told:?}");

    let going = rig.begin(json!([slow("a", 60_000), slow("b", 60_000)]), json!([])).await;
    let start = Instant::now();
    while figures()[2].waiting == 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", figures());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((figures()[2].going, figures()[2].waiting), (1, 1));
    rig.runs.cancel(&going.id).await.unwrap();
    assert_eq!(rig.ended(going).await.0.status, RunStatus::Cancelled);
    let after = &figures()[2];
    assert_eq!(
        (after.done, after.failed, after.going),
        (2, 0, 0),
        "what was cut off is not counted"
    );
}

#[tokio::test]
async fn what_is_only_tried_out_is_not_counted() {
    let (rig, _folder) = Rig::new().await;
    let flow = json!({"schemaVersion": 1, "id": "f", "name": "f",
        "nodes": [node("set", "data.set", json!({}))]});
    rig.flows.save(flow, devrig_core::Actor::Person).await.unwrap();
    let program = rig.flows.program("f", Some(1)).await.unwrap();
    let tests = json!({"tests": [{"name": "t", "expect": {"status": "completed"}}]});
    let told = rig.runs.test(&program, tests).await.unwrap();
    assert!(told[0].passed, "{told:?}");
    assert_eq!(rig.flows.actions().limits().figures(), []);
}
