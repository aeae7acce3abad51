//! Conditions that ask others, and targets that are left alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use devrig_core::id::AccountId;
use devrig_core::{Actor, Code, Origin};
use devrig_flow::run::{RunKind, RunStatus};
use devrig_flow::runs::{Fired, Start};
use devrig_inbox::ItemInput;
use devrig_net::testnet::{Reply, TestNet};
use serde_json::{Value, json};

use crate::common::{Rig, ends, node};

async fn item(rig: &Rig, title: &str) -> String {
    let item = ItemInput {
        external_id: title.into(),
        kind: "issue".into(),
        title: title.into(),
        ..ItemInput::default()
    };
    let account = AccountId::from("acc");
    let origin = Origin::new(Actor::Source);
    let stored = rig.inbox().store_items(&account, "source", vec![item], &origin).await.unwrap();
    stored.ids[0].0.clone()
}

fn query(text: &str, of: Option<&str>) -> Value {
    let mut condition = json!({"type": "query", "query": text});
    if let Some(path) = of {
        condition["ref"] = json!({"type": "context", "path": path});
    }
    condition
}

fn flow(condition: &Value) -> Value {
    json!({
        "name": "Test", "schemaVersion": 1,
        "nodes": [
            {"id": "choose", "type": "condition", "config": {"condition": condition}},
            node("yes", "test.give", json!({})), node("no", "test.give", json!({})),
            node("edge", "test.give", json!({})),
        ],
        "edges": [
            {"source": "choose", "target": "yes", "port": "true"},
            {"source": "choose", "target": "no", "port": "false"},
            {"source": "choose", "target": "edge", "port": "true", "condition": condition},
        ],
    })
}

async fn way(rig: &Rig, condition: Value, payload: Value) -> Result<Vec<String>, Code> {
    let saved = rig.flows.save(flow(&condition), Actor::Person).await.unwrap();
    let (rest, run) = rig.ended(rig.flows.run(&saved.id, None, payload).await.unwrap()).await;
    match rest.error {
        Some(error) => {
            assert!(error.hint.is_some(), "{error}");
            Err(error.code)
        }
        None => {
            Ok(ends(&run).into_iter().map(|(path, _)| path).filter(|p| p != "choose").collect())
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_asks_whether_an_item_matches() {
    let (rig, _folder) = Rig::new().await;
    let bug = item(&rig, "A crash at start").await;
    let ways = |list: &[&str]| Ok(list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
    let (yes, no) = (ways(&["edge", "yes"]), ways(&["no"]));
    let sorted = |found: Result<Vec<String>, Code>| {
        found.map(|mut list| {
            list.sort();
            list
        })
    };
    for (condition, payload, expected) in [
        (query("crash is:unread", None), json!({"itemId": bug}), &yes),
        (query("crash", None), json!({"item": {"id": bug}}), &yes),
        (query("crash is:done", None), json!({"itemId": bug}), &no),
        (query("crash", Some("trigger.payload.it")), json!({"it": bug}), &yes),
        (query("crash", Some("trigger.payload.it")), json!({"it": {"id": bug}}), &yes),
        (query("crash", Some("trigger.payload.it")), json!({}), &no),
        (query("crash", None), json!({"itemId": "gone"}), &no),
        (query("crash", None), json!({}), &Err(Code::InvalidInput)),
    ] {
        assert_eq!(
            sorted(way(&rig, condition.clone(), payload.clone()).await),
            *expected,
            "{condition} {payload}"
        );
    }
    let custom = json!({"type": "custom", "pluginId": "p", "functionName": "f", "args": []});
    assert_eq!(way(&rig, custom.clone(), json!({})).await, Err(Code::Refused), "not allowed");
    let never = json!({"type": "and", "conditions": [query("crash is:done", None), custom]});
    assert_eq!(
        sorted(way(&rig, never, json!({"itemId": bug})).await),
        no,
        "it is not asked in vain"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_conditions_ask_too() {
    let (rig, _folder) = Rig::new().await;
    let bug = item(&rig, "A crash at start").await;
    let other = item(&rig, "A new colour").await;
    let mut definition = flow(&query("crash", None));
    definition["entryConditions"] = json!([query("crash", None)]);
    let saved = rig.flows.save(definition, Actor::Person).await.unwrap();
    for (id, enters) in [(bug, true), (other, false)] {
        let start = Start {
            program: rig.flows.program(&saved.id, None).await.unwrap(),
            trigger: "event".into(),
            trigger_type: "manual",
            kind: RunKind::Live,
            key: None,
            payload: json!({ "itemId": id }),
            cursor: None,
            depth: 0,
            parent: None,
            answer: None,
        };
        let fired = rig.runs.fire(start, Duration::ZERO).await.unwrap();
        assert_eq!(matches!(fired, Fired::Started(_)), enters);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_keeps_failing_is_left_alone_for_all_runs_of_the_flow() {
    let (rig, _folder) = Rig::new().await;
    let net = TestNet::new();
    let ill = Arc::new(AtomicBool::new(true));
    let is_ill = ill.clone();
    let reply = move |_: &_| match is_ill.load(Ordering::Relaxed) {
        true => Reply::new(503, ""),
        false => Reply::ok("fine"),
    };
    let port = net.loopback(reply).await;
    let mut ask =
        node("ask", "http.request", json!({ "url": format!("http://127.0.0.1:{port}/") }));
    ask["retryPolicy"] = json!({ "maxAttempts": 1 });
    let definition = json!({
        "name": "Test", "schemaVersion": 1, "nodes": [ask], "edges": [],
        "settings": {"circuitBreaker": {"failureThreshold": 3, "resetTimeoutMs": 40_000}},
    });
    let saved = rig.flows.save(definition, Actor::Person).await.unwrap();
    let allowed = vec![format!("network:127.0.0.1:{port}").parse().unwrap()];
    rig.flows.permit(&saved.id, allowed, vec![]).await.unwrap();
    let run = async || rig.ended(rig.flows.run(&saved.id, None, json!({})).await.unwrap()).await.0;
    for _ in 0..3 {
        assert_eq!(run().await.error.unwrap().code, Code::Http);
    }
    let error = run().await.error.unwrap();
    assert_eq!((error.code, error.retry_after_ms()), (Code::CircuitOpen, Some(40_000.0)));
    assert_eq!(net.seen().len(), 3, "it was not asked");
    let state = &rig.runs.circuits()[0];
    assert_eq!((&state.flow, &state.target), (&saved.id, &format!("127.0.0.1:{port}")));
    ill.store(false, Ordering::Relaxed);
    rig.clock.advance(Duration::from_secs(40));
    assert_eq!(run().await.status, RunStatus::Completed, "the trial went well");
    assert!(rig.runs.circuits().is_empty());
}

#[tokio::test]
async fn heavy_work_leaves_the_thread_to_others() {
    let (rig, _folder) = Rig::new().await;
    let own = json!({ "thread": format!("{:?}", std::thread::current().id()) });
    for (length, stays) in [(100, true), (100_000, false)] {
        let config = json!({ "text": "x".repeat(length) });
        let (rest, _) = rig.run(json!([node("n", "test.thread", config)]), json!([])).await;
        assert_eq!(rest.output == own, stays, "{length}");
    }
}
