//! Runs that start other flows when they end.

use std::path::Path;
use std::time::{Duration, Instant};

use devrig_flow::run::RunStatus;
use devrig_flow::triggers::{Standing, Triggers};
use serde_json::{Value, json};

use crate::common::{Diary, Rig, clock, kill, node, runtime};

fn when(source: &str, event: &str, more: Value) -> Value {
    let mut trigger = json!({"id": "end", "type": "event", "sourceFlowId": source, "event": event});
    for (name, value) in more.as_object().unwrap() {
        trigger[name] = value.clone();
    }
    json!([trigger])
}

fn gives(number: i64) -> Value {
    json!([node("a", "test.give", json!({"number": number}))])
}

async fn rig() -> (Rig, Triggers, tempfile::TempDir) {
    let (rig, folder) = Rig::new().await;
    let triggers = rig.triggers();
    (rig, triggers, folder)
}

/// Waits until the trigger of a flow told so much, and then a little longer for what is too much.
async fn told(rig: &Rig, flow: &str, count: usize) -> Vec<Value> {
    let start = Instant::now();
    while rig.events(flow).await.len() < count {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", rig.events(flow).await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(60)).await;
    let mut payloads = Vec::new();
    for event in rig.events(flow).await {
        let event = devrig_flow::events::get(&rig.store, flow, event.number).await.unwrap();
        payloads.push(event.payload);
    }
    assert_eq!(payloads.len(), count, "{payloads:?}");
    payloads
}

async fn run(rig: &Rig, flow: &str) -> String {
    let started = rig.flows.run(flow, None, json!({})).await.unwrap();
    rig.ended(started).await.1.run.id
}

#[tokio::test]
async fn the_end_of_a_run_starts_the_flows_that_wait_for_it() {
    let (rig, triggers, _folder) = rig().await;
    rig.enabled("first", json!([]), gives(7)).await;
    let fails = json!([node("a", "flow.fail", json!({"message": "no luck"}))]);
    rig.enabled("broken", json!([]), fails).await;
    rig.enabled("then", when("first", "completed", json!({})), gives(1)).await;
    rig.enabled("oops", when("*", "failed", json!({})), gives(2)).await;
    let path = json!({"type": "context", "path": "trigger.payload.output.number"});
    let filter = json!({"type": "compare", "left": path, "operator": "gt",
        "right": {"type": "literal", "value": 10}});
    rig.enabled("large", when("first", "any", json!({"filter": filter})), gives(3)).await;
    triggers.follow().await.unwrap();

    let ended = run(&rig, "first").await;
    let heard = told(&rig, "then", 1).await;
    assert_eq!(heard[0]["run"]["id"], json!(ended));
    assert_eq!(
        (&heard[0]["event"], &heard[0]["flow"]["name"]),
        (&json!("completed"), &json!("first"))
    );
    assert_eq!(heard[0]["output"], json!({"number": 7}));
    let broken = run(&rig, "broken").await;
    let heard = told(&rig, "oops", 1).await;
    assert_eq!(heard[0]["run"]["id"], json!(broken));
    assert!(heard[0]["error"]["message"].as_str().unwrap().contains("no luck"), "{heard:?}");
    assert!(rig.events("large").await.is_empty(), "the filter keeps it out");
    rig.enabled("first", json!([]), gives(70)).await;
    run(&rig, "first").await;
    assert_eq!(told(&rig, "large", 1).await[0]["output"]["number"], json!(70));
    told(&rig, "then", 2).await;
    triggers.stop().await;
}

#[tokio::test]
async fn flows_that_set_each_other_off_come_to_an_end_and_say_so() {
    let (rig, triggers, _folder) = rig().await;
    rig.enabled("self", when("self", "completed", json!({})), gives(1)).await;
    triggers.follow().await.unwrap();
    run(&rig, "self").await;
    let start = Instant::now();
    let state = loop {
        let state = triggers.state("self", "end").await.unwrap().0;
        if state.missed > 0 {
            break state;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{state:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    told(&rig, "self", 10).await;
    assert_eq!(rig.events("self").await[9].verdict, "failed");
    assert_eq!((state.fired, state.missed, state.standing), (8, 1, Standing::Active));
    assert!(state.last_error.unwrap().0.message.contains("set each other off 8 times"));
    triggers.stop().await;
}

#[tokio::test]
async fn any_flow_means_any_other() {
    let (rig, triggers, _folder) = rig().await;
    rig.enabled("other", json!([]), gives(1)).await;
    rig.enabled("any", when("*", "any", json!({})), gives(2)).await;
    triggers.follow().await.unwrap();
    run(&rig, "any").await;
    run(&rig, "other").await;
    let heard = told(&rig, "any", 2).await;
    assert_eq!(heard[1]["flow"]["id"], json!("other"), "the first is the run by hand: {heard:?}");
    triggers.stop().await;
}

#[tokio::test]
async fn ends_that_nobody_heard_are_told_after_the_restart_and_once() {
    let folder = tempfile::tempdir().unwrap();
    async fn life(folder: &Path) -> Rig {
        Rig::at(folder, Diary::default(), clock()).await
    }
    let rig = life(folder.path()).await;
    rig.enabled("first", json!([]), gives(7)).await;
    rig.enabled("then", when("first", "completed", json!({})), gives(1)).await;
    let triggers = rig.triggers();
    triggers.follow().await.unwrap();
    run(&rig, "first").await;
    told(&rig, "then", 1).await;
    triggers.stop().await;
    // The run goes on while nobody listens any more.
    run(&rig, "first").await;
    rig.runs.stop().await;
    rig.store.close().await;
    for _ in 0..2 {
        let rig = life(folder.path()).await;
        let triggers = rig.triggers();
        triggers.follow().await.unwrap();
        told(&rig, "then", 2).await;
        triggers.stop().await;
        rig.runs.stop().await;
        rig.store.close().await;
    }
}

/// Kills it while ends are told: nothing is lost, and nothing is told twice.
#[test]
fn a_kill_while_ends_are_told_loses_none_and_repeats_none() {
    let folder = tempfile::tempdir().unwrap();
    let count = 300;
    let first = runtime();
    first.block_on(async {
        let rig = Rig::at(folder.path(), Diary::default(), clock()).await;
        rig.enabled("first", json!([]), gives(7)).await;
        rig.enabled("then", when("first", "completed", json!({})), gives(1)).await;
        let triggers = rig.triggers();
        triggers.follow().await.unwrap();
        run(&rig, "first").await;
        told(&rig, "then", 1).await;
        triggers.stop().await;
        for _ in 1..count {
            run(&rig, "first").await;
        }
    });
    kill(first, folder.path());
    for ms in [2, 10, 30, 60] {
        let life = runtime();
        life.block_on(async {
            let rig = Rig::at(folder.path(), Diary::default(), clock()).await;
            let triggers = rig.triggers();
            triggers.follow().await.unwrap();
            tokio::time::sleep(Duration::from_millis(ms)).await;
        });
        kill(life, folder.path());
    }
    runtime().block_on(async {
        let rig = Rig::at(folder.path(), Diary::default(), clock()).await;
        let triggers = rig.triggers();
        triggers.follow().await.unwrap();
        let heard = told(&rig, "then", count).await;
        let runs: std::collections::HashSet<String> =
            heard.iter().map(|event| event["run"]["id"].to_string()).collect();
        assert_eq!(runs.len(), count, "each is another run");
        triggers.stop().await;
    });
}

#[tokio::test]
async fn where_nobody_waits_no_change_is_kept_for_them() {
    let (rig, triggers, _folder) = rig().await;
    rig.enabled("first", json!([]), gives(7)).await;
    rig.enabled("then", when("first", "completed", json!({})), gives(1)).await;
    triggers.follow().await.unwrap();
    run(&rig, "first").await;
    told(&rig, "then", 1).await;
    rig.flows.enable("then", false).await.unwrap();
    triggers.follow().await.unwrap();
    let start = Instant::now();
    let readers = async || {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM subscriber WHERE name = 'flow.ends'")
            .fetch_one(rig.store.reader())
            .await
            .unwrap()
    };
    while readers().await > 0 {
        assert!(start.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let run = run(&rig, "first").await;
    rig.until(&run, RunStatus::Completed).await;
    rig.flows.enable("then", true).await.unwrap();
    triggers.follow().await.unwrap();
    told(&rig, "then", 1).await;
    triggers.stop().await;
}
