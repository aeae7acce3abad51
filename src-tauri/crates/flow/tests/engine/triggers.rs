//! What people do with triggers: look at them, try them, stop them.

use devrig_core::Code;
use devrig_flow::run::RunStatus;
use devrig_flow::runs::Fired;
use devrig_flow::triggers::{FiredByHand, Standing, Triggers, With};
use serde_json::{Value, json};

use crate::common::{Rig, node};

fn hook() -> Value {
    json!([{"id": "hook", "type": "webhook", "path": "ci/done"}])
}

fn tells() -> Value {
    json!([node("a", "test.give", json!({"told": "{{trigger.payload.body.build}}"}))])
}

async fn rig() -> (Rig, Triggers, tempfile::TempDir) {
    let (rig, folder) = Rig::new().await;
    let triggers = rig.triggers();
    (rig, triggers, folder)
}

async fn output(rig: &Rig, fired: FiredByHand) -> Value {
    let Fired::Started(started) = fired.fired else { panic!("a run is started: {fired:?}") };
    let (rest, _) = rig.ended(started).await;
    assert_eq!(rest.status, RunStatus::Completed, "{rest:?}");
    rest.output
}

#[tokio::test]
async fn a_trigger_is_tried_with_a_payload_a_recorded_event_and_a_sample() {
    let (rig, triggers, _folder) = rig().await;
    let flow = rig.enabled("build", hook(), tells()).await;
    triggers.follow().await.unwrap();
    let payload = With::Payload(json!({"body": {"build": 17}}));
    let given = triggers.fire(&flow, "hook", payload).await.unwrap();
    assert_eq!(output(&rig, given).await, json!({"told": 17}));
    let event = rig.events(&flow).await[0].clone();
    assert_eq!((event.verdict.as_str(), event.trigger.as_str()), ("run", "hook"));
    assert!(event.preview.contains("rawBody"), "{event:?}");

    let again = triggers.fire(&flow, "hook", With::Event(event.number)).await.unwrap();
    assert_eq!(output(&rig, again).await, json!({"told": 17}));
    let sample = triggers.fire(&flow, "hook", With::Sample).await.unwrap();
    assert_eq!(sample.payload["path"], json!("/hooks/ci/done"));
    output(&rig, sample).await;
    let told = rig.events(&flow).await;
    assert!(told.len() == 3 && told.iter().all(|event| event.run.is_some()), "{told:?}");
    assert_eq!(triggers.state(&flow, "hook").await.unwrap().0.fired, 0, "it did not fire itself");

    let unknown = triggers.fire(&flow, "hook", With::Event(999)).await.unwrap_err();
    assert_eq!(unknown.code, Code::NotFound);
    let nobody = triggers.fire(&flow, "nobody", With::Sample).await.unwrap_err();
    assert!(nobody.code == Code::NotFound && nobody.message.contains("nobody"), "{nobody}");
}

#[tokio::test]
async fn the_live_version_is_tried_or_the_newest_where_none_is_live() {
    let (rig, triggers, _folder) = rig().await;
    let save = async |give: i64| {
        let flow = json!({"id": "f", "name": "F", "schemaVersion": 1, "triggers": hook(),
            "nodes": [node("a", "test.give", json!({"give": give}))]});
        rig.flows.save(flow, devrig_core::Actor::Person).await.unwrap();
    };
    save(1).await;
    save(2).await;
    let fire = async || {
        let fired = triggers.fire("f", "hook", With::Sample).await.unwrap();
        (fired.version, output(&rig, fired).await["give"].clone())
    };
    assert_eq!(fire().await, (2, json!(2)));
    assert_eq!(triggers.state("f", "hook").await.unwrap().0.standing, Standing::Off);
    rig.flows.publish("f", Some(1)).await.unwrap();
    assert_eq!(fire().await, (1, json!(1)));
}

#[tokio::test]
async fn a_pause_outlives_new_versions_and_restarts() {
    let (rig, triggers, _folder) = rig().await;
    let flow = rig.enabled("build", hook(), tells()).await;
    triggers.follow().await.unwrap();
    triggers.pause(&flow, "hook", true).await.unwrap();
    let standing =
        async |triggers: &Triggers| triggers.state("build", "hook").await.unwrap().0.standing;
    assert_eq!(standing(&triggers).await, Standing::Paused);
    let again = triggers.pause(&flow, "hook", true).await.unwrap_err();
    assert_eq!(again.code, Code::NothingToDo);
    let nodes = json!([node("a", "test.give", json!({"other": true}))]);
    rig.enabled("build", hook(), nodes).await;
    triggers.follow().await.unwrap();
    assert_eq!(standing(&triggers).await, Standing::Paused);
    triggers.stop().await;
    let triggers = rig.triggers();
    triggers.follow().await.unwrap();
    assert_eq!(standing(&triggers).await, Standing::Paused);
    triggers.pause(&flow, "hook", false).await.unwrap();
    assert_eq!(standing(&triggers).await, Standing::Active);
}

#[tokio::test]
async fn what_is_run_by_hand_is_held_against_the_schema_of_the_manual_trigger() {
    let (rig, triggers, _folder) = rig().await;
    let schema = json!({"type": "object", "required": ["number"],
        "properties": {"number": {"type": "integer", "default": 5}}});
    let manual = json!([{"id": "start", "type": "manual", "inputSchema": schema}]);
    let nodes = json!([node("a", "test.give", json!({"n": "{{trigger.payload.number}}"}))]);
    let flow = rig.enabled("asks", manual, nodes).await;
    let wrong = rig.flows.run(&flow, None, json!({"number": "five"})).await.unwrap_err();
    assert_eq!(wrong.code, Code::InvalidInput);
    assert!(wrong.message.contains("start: number: \"five\""), "{wrong}");
    let none = triggers.fire(&flow, "start", With::Payload(json!({}))).await.unwrap_err();
    assert!(none.message.contains("\"number\" is a required property"), "{none}");
    let (rest, run) = {
        let started = rig.flows.run(&flow, None, json!({"number": 6})).await.unwrap();
        rig.ended(started).await
    };
    assert_eq!((rest.output, run.trigger.as_str()), (json!({"n": 6}), "start"));
    let sample = triggers.fire(&flow, "start", With::Sample).await.unwrap();
    assert_eq!(output(&rig, sample).await, json!({"n": 5}));
    let pause = triggers.pause(&flow, "start", true).await.unwrap_err();
    assert_eq!(pause.code, Code::NothingToDo);
}

#[tokio::test]
async fn the_same_content_counts_once_where_a_trigger_asks_for_that() {
    let (rig, triggers, _folder) = rig().await;
    rig.enabled("first", json!([]), json!([node("a", "test.give", json!({}))])).await;
    let condition = json!({"type": "compare", "operator": "eq",
        "left": {"type": "context", "path": "trigger.payload.body.build"},
        "right": {"type": "literal", "value": 17}});
    let flow = json!({"id": "f", "name": "F", "schemaVersion": 1, "triggers": hook(),
        "nodes": tells(), "entryConditions": [condition]});
    rig.flows.save(flow, devrig_core::Actor::Person).await.unwrap();
    let wrong = With::Payload(json!({"body": {"build": 18}}));
    let refused = triggers.fire("f", "hook", wrong).await.unwrap();
    assert!(matches!(refused.fired, Fired::Refused), "{refused:?}");
    assert_eq!(rig.events("f").await[0].verdict, "refused");
    assert!(rig.events("f").await[0].run.is_none());
}
