//! Runs over a real database file: ways, joins, loops, failures, waits, limits and crashes.

use std::time::{Duration, Instant};

use crate::common::{Diary, Rig, clock, ends, life, line, node};
use devrig_core::Code;
use devrig_flow::history::{self, Wanted};
use devrig_flow::run::RunStatus;
use devrig_flow::runs::Decision;
use serde_json::{Value, json};

fn strings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[tokio::test]
async fn a_run_that_ended_is_on_disk_with_everything_that_happened() {
    let (rig, _folder) = Rig::new().await;
    let nodes = json!([node("a", "test.give", json!({"x": 1})), node("b", "test.give", json!({}))]);
    let (rest, run) = rig.run(nodes, line(&["a", "b"])).await;
    assert_eq!((rest.status, rest.output), (RunStatus::Completed, json!({})));
    assert_eq!(ends(&run), strings(&[("a", "completed"), ("b", "completed")]));
    assert_eq!(
        (run.nodes[0].output.clone(), run.payload),
        (json!({"x": 1}), json!({"who": "kim"}))
    );
    assert!(run.run.ended_at.is_some());
    let listed =
        history::list(&rig.store, &Wanted { limit: 10, ..Wanted::default() }).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].flow_name.as_str(), listed[0].version), ("Test", 1));
}

#[tokio::test]
async fn nodes_use_what_those_before_them_gave() {
    let (rig, _folder) = Rig::new().await;
    let nodes = json!([
        node("a", "test.give", json!({"n": 17, "list": [{"x": "one"}, {"x": "two"}]})),
        {"id": "each", "type": "action", "action": "flow.loop",
            "config": {"items": "{{nodes.a.output.list}}"},
            "body": {"nodes": [node("say", "test.give",
                json!({"text": "{{loop.index}}: {{loop.item.x}} of {{nodes.a.output.n}}"}))],
                "edges": []}},
        node("b", "test.give", json!({
            "n": "{{nodes.a.output.n}}",
            "who": "{{trigger.payload.who}}",
            "texts": "{{#each nodes.each.output}}[{{this.text}}]{{/each}}",
        })),
    ]);
    let (rest, _) = rig.run(nodes, line(&["a", "each", "b"])).await;
    let texts = "[0: one of 17][1: two of 17]";
    assert_eq!(rest.output, json!({"n": 17, "who": "kim", "texts": texts}), "{:?}", rest.error);
}

fn choice(holds: bool) -> Value {
    let literal = |value: Value| json!({"type": "literal", "value": value});
    let compare = json!({"type": "compare", "left": literal(json!(1)), "operator": "eq",
        "right": literal(json!(if holds { 1 } else { 2 }))});
    json!({"id": "choose", "type": "condition", "config": {"condition": compare}})
}

#[tokio::test]
async fn a_choice_kills_the_other_way_and_the_join_goes_on() {
    let (rig, _folder) = Rig::new().await;
    for holds in [true, false] {
        let nodes = json!([
            choice(holds),
            node("yes", "test.give", json!({})),
            node("no", "test.give", json!({})),
            {"id": "meet", "type": "junction"},
            node("after", "test.give", json!({"done": true})),
        ]);
        let edges = json!([
            {"source": "choose", "target": "yes", "port": "true"},
            {"source": "choose", "target": "no", "port": "false"},
            {"source": "yes", "target": "meet"}, {"source": "no", "target": "meet"},
            {"source": "meet", "target": "after"},
        ]);
        let (rest, run) = rig.run(nodes, edges).await;
        assert_eq!(rest.output, json!({"done": true}));
        let taken = if holds { "yes" } else { "no" };
        let all = ["choose", taken, "meet", "after"].map(|id| (id, "completed"));
        assert_eq!(ends(&run), strings(&all));
    }
}

#[tokio::test]
async fn branches_run_side_by_side_and_one_by_one_where_the_flow_says_so() {
    let (rig, _folder) = Rig::new().await;
    let nodes = json!([
        node("a", "test.slow", json!({"ms": 150})),
        node("b", "test.slow", json!({"ms": 150})),
    ]);
    let started = rig.begin(nodes.clone(), json!([])).await;
    rig.ended(started).await;
    assert_eq!(rig.diary.lines()[..2], ["begin a", "begin b"], "both begin before one has ended");
    let settings = json!({"executionMode": "sequential"});
    let flow = json!({"nodes": nodes, "edges": [], "settings": settings});
    let started = rig.begin_with(flow).await;
    rig.ended(started).await;
    assert_eq!(rig.diary.lines()[4..], ["begin a", "end a", "begin b", "end b"]);
}

fn body(nodes: Value, edges: Value, config: Value) -> Value {
    json!({"id": "each", "type": "action", "action": "flow.loop", "config": config,
        "body": {"nodes": nodes, "edges": edges}})
}

#[tokio::test]
async fn a_loop_gives_what_each_round_gave_in_order() {
    let (rig, _folder) = Rig::new().await;
    let nodes = json!([
        node("one", "test.slow", json!({"ms": 5})),
        node("two", "test.give", json!({"y": 1}))
    ]);
    let each = body(nodes, line(&["one", "two"]), json!({"items": [1, 2, 3, 4], "concurrency": 3}));
    let (rest, run) = rig.run(json!([each]), json!([])).await;
    assert_eq!(rest.output, json!([{"y": 1}, {"y": 1}, {"y": 1}, {"y": 1}]));
    assert!(run.nodes.iter().any(|node| node.path == "each#3/two"), "{run:?}");
    assert_eq!(run.nodes.len(), 9);
}

#[tokio::test]
async fn a_break_ends_the_loop_after_its_round() {
    let (rig, _folder) = Rig::new().await;
    let nodes =
        json!([node("stop", "flow.break", json!({})), node("after", "test.give", json!({}))]);
    let each = body(nodes, line(&["stop", "after"]), json!({"items": [1, 2, 3]}));
    let (rest, run) =
        rig.run(json!([each, node("then", "test.give", json!({}))]), line(&["each", "then"])).await;
    assert_eq!(rest.status, RunStatus::Completed, "{rest:?}");
    assert_eq!(
        ends(&run),
        strings(&[("each#0/stop", "completed"), ("each", "completed"), ("then", "completed")])
    );
}

#[tokio::test]
async fn a_run_that_writes_when_it_is_first_shown_goes_on() {
    let (rig, _folder) = Rig::new().await;
    let items: Vec<u32> = (0..200).collect();
    let nodes = json!([node("write", "test.again", json!({}))]);
    let each = body(nodes, json!([]), json!({ "items": items }));
    let (rest, run) = rig.run(json!([each]), json!([])).await;
    assert_eq!((rest.status, run.nodes.len()), (RunStatus::Completed, 201));
}

#[tokio::test]
async fn an_error_is_tried_again_by_the_policy_and_then_stops_the_run() {
    let (rig, _folder) = Rig::new().await;
    let policy = json!({"maxAttempts": 3, "baseDelayMs": 1, "jitter": false});
    let flow = |policy: &Value| {
        let mut flaky = node("a", "test.flaky", json!({"ok": true}));
        flaky["retryPolicy"] = policy.clone();
        json!({"nodes": [flaky, node("b", "test.give", json!({}))], "edges": line(&["a", "b"])})
    };
    rig.diary.fail_next("a", 2);
    let started = rig.begin_with(flow(&policy)).await;
    let (rest, run) = rig.ended(started).await;
    assert_eq!(rest.status, RunStatus::Completed);
    assert_eq!((run.nodes[0].attempts, run.log.len()), (3, 2), "each failed attempt is told");

    rig.diary.fail_next("a", 3);
    let started = rig.begin_with(flow(&policy)).await;
    let (rest, run) = rig.ended(started).await;
    assert_eq!(rest.status, RunStatus::Failed);
    assert_eq!(run.run.error.unwrap().message, "the line is down");
    assert_eq!(ends_of(&run.nodes), ["a failed"]);
}

#[tokio::test]
async fn a_run_is_tried_again_from_the_node_where_errors_are_handled_so() {
    let (rig, _folder) = Rig::new().await;
    let policy = |most: u32| json!({"maxAttempts": most, "baseDelayMs": 1, "jitter": false});
    let mut flaky = node("a", "test.flaky", json!({}));
    flaky["retryPolicy"] = policy(2);
    let flow = json!({"nodes": [flaky], "edges": [],
        "settings": {"errorHandling": "retry", "retryPolicy": policy(3)}});
    for (failures, status, attempts) in
        [(5, RunStatus::Completed, 6), (6, RunStatus::Failed, 6), (1, RunStatus::Completed, 2)]
    {
        rig.diary.fail_next("a", failures);
        let started = rig.begin_with(flow.clone()).await;
        let (rest, run) = rig.ended(started).await;
        assert_eq!((rest.status, run.nodes[0].attempts), (status, attempts), "{failures} failures");
    }
}

#[tokio::test]
async fn a_retry_of_a_run_that_is_long_off_is_kept_over_a_park() {
    let (rig, _folder) = Rig::new().await;
    let mut flaky = node("a", "test.flaky", json!({}));
    flaky["retryPolicy"] = json!({"maxAttempts": 1});
    let policy = json!({"maxAttempts": 2, "baseDelayMs": 3_600_000, "maxDelayMs": 3_600_000,
        "jitter": false});
    let settings = json!({"errorHandling": "retry", "retryPolicy": policy});
    rig.diary.fail_next("a", 1);
    let flow = json!({"nodes": [flaky], "edges": [], "settings": settings});
    let started = rig.begin_with(flow).await;
    rig.until(&started.id, RunStatus::Waiting).await;
    rig.clock.advance(Duration::from_secs(3601));
    rig.runs.look();
    let run = rig.until(&started.id, RunStatus::Completed).await;
    assert_eq!(run.nodes[0].attempts, 2);
}

fn ends_of(nodes: &[history::NodeRun]) -> Vec<String> {
    nodes.iter().map(|node| format!("{} {}", node.path, node.status.unwrap().as_str())).collect()
}

#[tokio::test]
async fn a_failure_is_handled_by_its_port_or_skipped() {
    let (rig, _folder) = Rig::new().await;
    let once = json!({"maxAttempts": 1});
    let mut fails = node("a", "test.flaky", json!({}));
    fails["retryPolicy"] = once;
    let nodes = json!([
        fails.clone(),
        node("ok", "test.give", json!({})),
        node("oh", "test.give", json!({}))
    ]);
    let edges =
        json!([{"source": "a", "target": "ok"}, {"source": "a", "target": "oh", "port": "error"}]);
    rig.diary.fail_next("a", 1);
    let (rest, run) = rig.run(nodes, edges).await;
    assert_eq!(rest.status, RunStatus::Completed);
    assert_eq!(ends_of(&run.nodes), ["a failed", "oh completed"]);

    fails["onError"] = json!("skip");
    rig.diary.fail_next("a", 1);
    let (rest, run) =
        rig.run(json!([fails, node("b", "test.give", json!({}))]), line(&["a", "b"])).await;
    assert_eq!(rest.status, RunStatus::Completed);
    assert_eq!(ends_of(&run.nodes), ["a skipped", "b completed"]);
}

#[tokio::test]
async fn a_node_that_takes_too_long_fails_with_its_name() {
    let (rig, _folder) = Rig::new().await;
    let mut slow = node("crawl", "test.slow", json!({"ms": 60_000}));
    slow["timeoutMs"] = json!(30);
    slow["retryPolicy"] = json!({"maxAttempts": 1});
    let (rest, _) = rig.run(json!([slow]), json!([])).await;
    let error = rest.error.unwrap();
    assert_eq!((rest.status, error.code.as_str()), (RunStatus::Failed, "TIMEOUT"));
    assert!(error.message.starts_with("crawl was not done after 30 ms"), "{error}");
}

#[tokio::test]
async fn cancelling_stops_what_runs_at_once() {
    let (rig, _folder) = Rig::new().await;
    let started =
        rig.begin(json!([node("a", "test.slow", json!({"ms": 60_000}))]), json!([])).await;
    rig.until(&started.id, RunStatus::Running).await;
    let begun = Instant::now();
    rig.runs.cancel(&started.id).await.unwrap();
    let (rest, _) = rig.ended(started).await;
    assert_eq!(rest.status, RunStatus::Cancelled);
    assert!(begun.elapsed() < Duration::from_secs(10), "a minute of sleep was not waited for");
}

#[tokio::test]
async fn further_runs_wait_for_their_turn_and_all_come() {
    let (rig, _folder) = Rig::new().await;
    let flow = json!({"nodes": [node("a", "test.slow", json!({"ms": 20}))], "edges": [],
        "settings": {"maxConcurrentRuns": 2}});
    let mut all = Vec::new();
    for _ in 0..7 {
        all.push(rig.begin_with(flow.clone()).await);
    }
    // The same text makes a flow of its own each time; of one flow, two go on at a time.
    let saved = rig.flows.list().await.unwrap();
    let one = &saved[0].id;
    for _ in 0..5 {
        all.push(rig.flows.run(one, None, json!(null)).await.unwrap());
    }
    assert!(rig.runs.counts().0 >= 1, "some wait");
    for started in all {
        assert_eq!(rig.ended(started).await.0.status, RunStatus::Completed);
    }
    assert_eq!(rig.runs.counts(), (0, 0));
}

#[tokio::test]
async fn a_long_wait_holds_no_place_and_ends_on_time() {
    let (rig, _folder) = Rig::new().await;
    let nodes = json!([
        node("rest", "flow.delay", json!({"ms": 3_600_000})),
        node("b", "test.give", json!({}))
    ]);
    let started = rig.begin(nodes, line(&["rest", "b"])).await;
    let run = rig.until(&started.id, RunStatus::Waiting).await;
    assert_eq!(run.run.wake_at.unwrap().to_string(), "2026-11-20T10:00:00.000Z");
    rig.counts_become((0, 0)).await;
    rig.clock.advance(Duration::from_secs(3599));
    rig.runs.look();
    tokio::time::sleep(Duration::from_millis(50)).await;
    rig.until(&started.id, RunStatus::Waiting).await;
    rig.clock.advance(Duration::from_secs(2));
    rig.runs.look();
    let run = rig.until(&started.id, RunStatus::Completed).await;
    assert_eq!(ends(&run), strings(&[("rest", "completed"), ("b", "completed")]));
}

#[test]
fn after_a_crash_an_effect_is_repeated_only_where_that_is_the_same_as_once() {
    let mut decisions = [(Decision::Again, 2), (Decision::Skip, 1)].into_iter();
    for (action, then) in
        [("test.again", RunStatus::Completed), ("test.once", RunStatus::NeedsDecision)]
    {
        let folder = tempfile::tempdir().unwrap();
        let diary = Diary::default();
        diary.fail_next("hang", 1);
        let id = life(folder.path(), &diary, async |rig| {
            let nodes = json!([
                node("before", "test.again", json!({})),
                node("post", action, json!({"hangs": true})),
                node("after", "test.give", json!({})),
            ]);
            let started = rig.begin(nodes, line(&["before", "post", "after"])).await;
            while rig.diary.lines().len() < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            started.id
        });
        let run = life(folder.path(), &diary, async |rig| rig.until(&id, then).await);
        let posts = diary.lines().iter().filter(|line| *line == "effect post").count();
        let befores = diary.lines().iter().filter(|line| *line == "effect before").count();
        assert_eq!(befores, 1, "what had ended is not done again");
        match then {
            RunStatus::Completed => assert_eq!(posts, 2, "the same key twice"),
            _ => {
                assert_eq!(posts, 1, "nobody knows whether it happened, so it is not repeated");
                assert_eq!(run.run.error.unwrap().code.as_str(), "IN_DOUBT");
                let (decision, effects) = decisions.next().unwrap();
                life(folder.path(), &diary, async |rig| {
                    rig.runs.decide(&id, decision).await.unwrap();
                    rig.until(&id, RunStatus::Completed).await;
                    let again = rig.runs.decide(&id, decision).await.unwrap_err();
                    assert_eq!(again.code.as_str(), "NOTHING_TO_DO");
                });
                let posts = diary.lines().iter().filter(|line| *line == "effect post").count();
                assert_eq!(posts, effects, "{decision:?}");
            }
        }
    }
}

#[test]
fn what_was_confirmed_survives_a_crash_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let diary = Diary::default();
    let ids = life(folder.path(), &diary, async |rig| {
        let flow = json!({"nodes": [node("a", "test.slow", json!({"ms": 300})), node("b", "test.give", json!({}))],
            "edges": line(&["a", "b"]), "settings": {"maxConcurrentRuns": 1}});
        let first = rig.begin_with(flow).await;
        let id = rig.flows.list().await.unwrap()[0].id.clone();
        let mut ids = vec![first.id];
        for _ in 0..3 {
            ids.push(rig.flows.run(&id, None, json!(null)).await.unwrap().id);
        }
        ids
    });
    life(folder.path(), &diary, async |rig| {
        for id in &ids {
            rig.until(id, RunStatus::Completed).await;
        }
    });
}

#[tokio::test]
async fn a_stop_leaves_runs_for_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let diary = Diary::default();
    let rig = Rig::at(folder.path(), diary.clone(), clock()).await;
    let started = rig.begin(json!([node("a", "test.slow", json!({"ms": 400}))]), json!([])).await;
    while diary.lines().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    rig.runs.stop().await;
    rig.store.close().await;
    let rig = Rig::at(folder.path(), diary, clock()).await;
    rig.until(&started.id, RunStatus::Completed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_defect_in_an_action_fails_its_run_and_no_other() {
    let (rig, _folder) = Rig::new().await;
    let other = rig.begin(json!([node("wait", "test.slow", json!({ "ms": 50 }))]), json!([])).await;
    let (rest, run) = rig.run(json!([node("a", "test.defect", json!({}))]), json!([])).await;
    let error = rest.error.unwrap();
    assert_eq!((rest.status, error.code), (RunStatus::Failed, Code::Internal));
    assert!(error.message.contains("a defect for tests"), "{error}");
    assert_eq!(run.run.status, RunStatus::Failed);
    assert_eq!(rig.ended(other).await.0.status, RunStatus::Completed);
    assert_eq!(rig.runs.counts(), (0, 0), "its place is free again");
}
