//! Flows that are tried out: past triggers through an edited version, and tests beside a flow.

use std::time::{Duration, Instant};

use crate::common::{Rig, node};
use devrig_core::Actor;
use devrig_flow::history::{self, Wanted};
use devrig_flow::run::RunStatus;
use serde_json::{Value, json};

/// `look` reads the world, `post` changes it where `n` is more than `above`.
fn flow(above: i64) -> Value {
    let compare = json!({"type": "compare", "operator": "gt",
        "left": {"type": "context", "path": "nodes.look.output.n"},
        "right": {"type": "literal", "value": above}});
    json!({"schemaVersion": 1, "id": "f", "name": "f",
        "nodes": [
            node("look", "test.slow", json!({"ms": 0, "n": "{{trigger.payload.n}}"})),
            {"id": "big", "type": "condition", "config": {"condition": compare}},
            node("post", "test.once", json!({"n": "{{nodes.look.output.n}}"})),
            node("rest", "test.give", json!({"n": "{{nodes.look.output.n}}"})),
        ],
        "edges": [{"source": "look", "target": "big"},
            {"source": "big", "target": "post", "port": "true"},
            {"source": "big", "target": "rest", "port": "false"}]})
}

async fn recorded(rig: &Rig, numbers: std::ops::Range<i64>) {
    rig.flows.save(flow(4), Actor::Person).await.unwrap();
    for n in numbers {
        let started = rig.flows.run("f", None, json!({"n": n})).await.unwrap();
        assert_eq!(rig.ended(started).await.0.status, RunStatus::Completed);
    }
}

async fn edited(rig: &Rig, flow: Value) -> devrig_flow::runs::Backtest {
    let definition = devrig_flow::definition::read_value(flow).unwrap();
    let program = rig.flows.trial(definition).await.unwrap();
    rig.runs.backtest(program, 1_000).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backtest_tells_which_runs_would_take_another_way_and_touches_nothing() {
    let (rig, _folder) = Rig::new().await;
    recorded(&rig, 0..10).await;
    let before = rig.diary.lines().len();
    let same = edited(&rig, flow(4)).await;
    assert_eq!((same.runs, same.same, same.others.len()), (10, 10, 0), "{same:?}");

    let found = edited(&rig, flow(6)).await;
    assert_eq!((found.runs, found.same), (10, 8), "5 and 6 are not above 6");
    let run = &found.others[0];
    assert_eq!(
        (run.newly.clone(), run.gone.clone()),
        (vec!["rest".to_owned()], vec!["post".to_owned()])
    );
    assert_eq!((run.before, run.after), (RunStatus::Completed, Some(RunStatus::Completed)));
    assert_eq!(run.output_after, Some(json!({"rest": {"n": 6}})));

    let found = edited(&rig, flow(2)).await;
    assert_eq!(found.same, 8, "of 3 and 4 it is not known what `post` would give");
    assert_eq!(
        (found.others[0].unknown.clone(), found.others[0].after),
        (vec!["post".to_owned()], None)
    );

    let mut other = flow(4);
    other["nodes"][0]["config"]["new"] = json!(1);
    let found = edited(&rig, other).await;
    assert_eq!((found.same, found.others[0].unknown.clone()), (0, vec!["look".to_owned()]));

    assert_eq!(rig.diary.lines().len(), before, "no node was run");
    let runs =
        history::list(&rig.store, &Wanted { limit: 500, ..Wanted::default() }).await.unwrap();
    assert_eq!(runs.len(), 10, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_triggers_go_through_in_two_seconds() {
    let (rig, _folder) = Rig::new().await;
    rig.flows.save(flow(4), Actor::Person).await.unwrap();
    let runs = (0..1_000).map(|n| rig.flows.run("f", None, json!({"n": n % 10})));
    for started in futures::future::join_all(runs).await {
        rig.ended(started.unwrap()).await;
    }
    let begun = Instant::now();
    let found = edited(&rig, flow(6)).await;
    let took = begun.elapsed();
    assert_eq!((found.runs, found.same), (1_000, 800));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

async fn tested(rig: &Rig, tests: Value) -> Vec<devrig_flow::runs::FlowTest> {
    let definition = devrig_flow::definition::read_value(flow(4)).unwrap();
    let program = rig.flows.trial(definition).await.unwrap();
    rig.runs.test(&program, json!({"tests": tests})).await.unwrap()
}

#[tokio::test]
async fn tests_beside_a_flow_say_what_is_not_as_it_should_be() {
    let (rig, _folder) = Rig::new().await;
    let pins = json!({"look": {"n": 9}, "post": {"ok": true}});
    let told = tested(&rig, json!([
        {"name": "passes", "pins": pins, "expect": {"output": {"post": {"ok": true}},
            "nodes": {"rest": null, "post": {}, "big": {"port": "true"}}}},
        {"name": "differs", "pins": pins, "expect": {"output": {"post": {"ok": false}},
            "nodes": {"rest": {}, "post": null, "big": {"port": "false"}}}},
        {"name": "no pin", "trigger": {"n": 9}},
        {"name": "stranger", "pins": {"look": {"n": 1}, "lok": 1}, "expect": {"status": "failed"}},
    ]))
    .await;
    assert!(told[0].passed, "{told:?}");
    assert_eq!(
        told[1].problems,
        [
            "the output.post.ok is true, not false",
            "big went on at true, not at false",
            "post ran, and should not",
            "rest did not run",
        ]
    );
    assert_eq!(told[2].problems, ["look touches the world, so it needs a pin"]);
    assert_eq!(told[3].problems, ["the flow has no node lok", "the run is completed, not failed"]);
    assert!(rig.diary.lines().is_empty(), "nothing was touched");
    let definition = devrig_flow::definition::read_value(flow(4)).unwrap();
    let program = rig.flows.trial(definition).await.unwrap();
    let wrong = rig.runs.test(&program, json!({"test": []})).await.unwrap_err();
    assert!(wrong.hint.unwrap().contains("tests"));
}

#[tokio::test]
async fn what_a_trigger_tells_of_is_written_as_the_flow_sees_it() {
    let (rig, _folder) = Rig::new().await;
    let flow = json!({"schemaVersion": 1, "id": "h", "name": "h",
        "triggers": [{"id": "hook", "type": "webhook", "path": "h"}],
        "nodes": [node("say", "test.give", json!({"is": "{{trigger.payload.body.status}}"}))],
        "edges": []});
    let definition = devrig_flow::definition::read_value(flow).unwrap();
    let program = rig.flows.trial(definition).await.unwrap();
    let test = json!({"name": "a body", "trigger": {"body": {"status": "failed"}},
        "expect": {"output": {"is": "failed"}}});
    let told = rig.runs.test(&program, json!({"tests": [test]})).await.unwrap();
    assert!(told[0].passed, "{told:?}");
}
