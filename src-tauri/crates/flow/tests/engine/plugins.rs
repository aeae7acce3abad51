//! Actions of plugins as nodes: what they may, what they are given, and what is known of them after
//! a crash.

use devrig_core::Code;
use devrig_flow::action::Level;
use devrig_flow::history::RunDetail;
use devrig_flow::run::RunStatus;
use devrig_flow::runs::Decision;
use serde_json::{Value, json};

use crate::common::{Diary, Rig, life, line, node};

/// A node that has the desk do something, tried twice where the error says that this may help.
fn desk(id: &str, action: &str, config: Value) -> Value {
    let policy = json!({"maxAttempts": 2, "baseDelayMs": 1, "maxDelayMs": 1});
    json!({"id": id, "type": "action", "pluginId": "devrig-plugin-desk", "action": action,
        "config": config, "retryPolicy": policy})
}

fn open(action: &str) -> Value {
    let config = json!({"title": "For {{trigger.payload.who}}", "gives": {"number": 7}});
    json!([
        desk("ticket", action, config),
        node("after", "test.give", json!({"number": "{{nodes.ticket.output.number}}"})),
    ])
}

fn edges() -> Value {
    line(&["ticket", "after"])
}

async fn ran(rig: &Rig, nodes: Value) -> RunDetail {
    let started = rig.begin_allowed(&["plugin:desk"], nodes, edges()).await;
    rig.ended(started).await.1
}

fn output<'a>(run: &'a RunDetail, node: &str) -> &'a Value {
    &run.nodes.iter().find(|one| one.path == node).expect("it ran").output
}

#[tokio::test]
async fn what_a_plugin_gives_is_the_output_of_its_node() {
    let (rig, _folder) = Rig::new().await;
    let run = ran(&rig, open("desk.open")).await;
    assert_eq!(output(&run, "after"), &json!({"number": 7}));
    let key = format!("{}/ticket", run.run.id);
    assert_eq!(rig.diary.lines(), [format!("desk.open For kim {key}")]);
    assert!(run.log.is_empty(), "{:?}", run.log);
}

#[tokio::test]
async fn a_flow_uses_no_plugin_that_it_was_not_allowed() {
    let (rig, _folder) = Rig::new().await;
    let (_, run) = rig.run(open("desk.open"), edges()).await;
    let error = run.run.error.unwrap();
    assert_eq!((run.run.status, error.code), (RunStatus::Failed, Code::Refused));
    let remedy = format!("devrig flow allow {} plugin:desk", run.run.flow_id);
    assert!(error.hint.as_deref().unwrap().contains(&remedy), "{error:?}");
    assert!(rig.diary.lines().is_empty(), "nobody was asked");
}

#[tokio::test]
async fn every_attempt_has_the_same_key() {
    let (rig, _folder) = Rig::new().await;
    rig.diary.fail_next("busy", 1);
    let run = ran(&rig, open("desk.open")).await;
    assert_eq!(run.run.status, RunStatus::Completed, "{run:?}");
    let lines = rig.diary.lines();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0], lines[1]);
}

#[tokio::test]
async fn what_may_have_happened_is_not_repeated_before_the_person_says_so() {
    let (rig, _folder) = Rig::new().await;
    rig.diary.fail_next("lost", 1);
    let run = ran(&rig, open("desk.open")).await;
    let error = run.run.error.unwrap();
    assert_eq!((run.run.status, error.code), (RunStatus::NeedsDecision, Code::InDoubt));
    assert_eq!(error.message, "ticket: the line went dead");
    assert_eq!(rig.diary.lines().len(), 1);
    rig.runs.decide(&run.run.id, Decision::Again).await.unwrap();
    let run = rig.until(&run.run.id, RunStatus::Completed).await;
    assert_eq!(output(&run, "after"), &json!({"number": 7}));
    let lines = rig.diary.lines();
    assert_eq!((lines.len(), &lines[0]), (2, &lines[1]), "under the same key");
}

#[tokio::test]
async fn an_output_that_breaks_its_schema_is_told_and_kept() {
    let (rig, _folder) = Rig::new().await;
    let nodes = json!([
        desk("ticket", "desk.open", json!({"title": "a", "gives": {"nr": 7}})),
        node("after", "test.give", json!({"all": "{{nodes.ticket.output}}"})),
    ]);
    let run = ran(&rig, nodes).await;
    assert_eq!(output(&run, "after"), &json!({"all": {"nr": 7}}));
    assert_eq!(run.log[0].level, Level::Warn);
    assert!(run.log[0].message.contains("desk.open gave something else"), "{:?}", run.log);
}

#[tokio::test]
async fn a_name_of_devrigs_own_actions_is_the_plugins_where_one_is_named() {
    let (rig, _folder) = Rig::new().await;
    let run = ran(&rig, open("test.give")).await;
    assert_eq!(run.run.status, RunStatus::Completed, "the plugin decides what it knows");
    assert!(rig.diary.lines()[0].starts_with("test.give"), "it was asked");
}

/// The engine ends while the plugin is at work on the action.
fn after_a_crash(action: &'static str, live: impl AsyncFnOnce(&Rig, &str)) {
    let folder = tempfile::tempdir().unwrap();
    let diary = Diary::default();
    diary.fail_next("hangs", 1);
    let id = life(folder.path(), &diary, async move |rig| {
        let started = rig.begin_allowed(&["plugin:desk"], open(action), edges()).await;
        while rig.diary.lines().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        started.id
    });
    let runtime = crate::common::runtime();
    runtime.block_on(async {
        let rig = Rig::at(folder.path(), diary, crate::common::clock()).await;
        live(&rig, &id).await;
    });
}

#[test]
fn what_a_crash_cut_off_waits_for_the_person() {
    after_a_crash("desk.open", async |rig, id| {
        let run = rig.until(id, RunStatus::NeedsDecision).await;
        assert_eq!(run.run.error.unwrap().code, Code::InDoubt);
        assert_eq!(rig.diary.lines().len(), 1, "it is not done again by itself");
    });
}

#[test]
fn what_a_plugin_may_do_twice_goes_on_after_a_crash() {
    for action in ["desk.close", "desk.look"] {
        after_a_crash(action, async |rig, id| {
            rig.until(id, RunStatus::Completed).await;
            let lines = rig.diary.lines();
            assert_eq!((lines.len(), &lines[0]), (2, &lines[1]), "under the same key");
        });
    }
}
