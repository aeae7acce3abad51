//! Items of a real inbox that start runs.

use std::time::{Duration, Instant};

use devrig_core::id::AccountId;
use devrig_core::{Actor, Code, Origin};
use devrig_flow::history::{self, Wanted};
use devrig_flow::triggers::Triggers;
use devrig_inbox::{ItemInput, Operation, OperationKind, Target};
use serde_json::{Value, json};

use crate::common::{Diary, Rig, clock, node};

fn item(id: &str, title: &str, day: i64) -> ItemInput {
    let at = devrig_core::Timestamp::from_ms(1_700_000_000_000 + day * 86_400_000);
    ItemInput {
        external_id: id.into(),
        kind: "issue".into(),
        title: title.into(),
        external_updated_at: Some(at),
        ..ItemInput::default()
    }
}

async fn store(rig: &Rig, items: Vec<ItemInput>, origin: Origin) {
    let account = AccountId::from("acc");
    rig.inbox().store_items(&account, "plugin", items, &origin).await.unwrap();
}

fn source() -> Origin {
    Origin::new(Actor::Source)
}

async fn flow(rig: &Rig, triggers: &Triggers, wanted: Value) -> String {
    let mut trigger = json!({"id": "items", "type": "inbox"});
    for (name, value) in wanted.as_object().unwrap() {
        trigger[name] = value.clone();
    }
    let flow = json!({
        "schemaVersion": 1, "name": "Items", "triggers": [trigger],
        "nodes": [node("a", "test.give", json!({}))], "edges": [],
    });
    let saved = rig.flows.save(flow, Actor::Person).await.unwrap();
    rig.flows.publish(&saved.id, None).await.unwrap();
    rig.flows.enable(&saved.id, true).await.unwrap();
    triggers.follow().await.unwrap();
    // The reader begins with what comes after it is there.
    let start = Instant::now();
    while !subscribed(rig).await {
        assert!(start.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    saved.id
}

async fn subscribed(rig: &Rig) -> bool {
    let mut reader = rig.store.read().await.unwrap();
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM subscriber WHERE name = 'flows')")
        .fetch_one(&mut *reader)
        .await
        .unwrap()
}

/// What was told, oldest first, when it is as many.
async fn told(rig: &Rig, count: usize) -> Vec<String> {
    let start = Instant::now();
    loop {
        let wanted = Wanted { limit: 100, ..Wanted::default() };
        let runs = history::list(&rig.store, &wanted).await.unwrap();
        if runs.len() >= count {
            let mut lines = Vec::new();
            for run in runs.iter().rev() {
                let told = history::get(&rig.store, &run.id).await.unwrap().payload;
                let word = |value: &Value| value.as_str().unwrap().to_owned();
                lines.push(format!("{} {}", word(&told["change"]), word(&told["item"]["title"])));
            }
            return lines;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{} of {count}", runs.len());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn items_that_match_start_runs_when_they_come_or_change() {
    let (rig, _folder) = Rig::new().await;
    let triggers = rig.triggers();
    flow(&rig, &triggers, json!({"query": "type:issue lamp", "on": "both"})).await;
    store(&rig, vec![item("1", "A lamp", 1), item("2", "A chair", 1)], source()).await;
    assert_eq!(told(&rig, 1).await, ["new A lamp"]);
    store(&rig, vec![item("1", "A red lamp", 2), item("2", "A chair", 2)], source()).await;
    assert_eq!(told(&rig, 2).await, ["new A lamp", "changed A red lamp"]);
    // What the person does is their word, and the history of a new source is no news.
    let id = rig.inbox().by_external(&AccountId::from("acc"), &["1".into()]).await.unwrap();
    let read = Operation { kind: OperationKind::Read, target: Target::Ids(id) };
    rig.inbox().operate(read, Origin::person()).await.unwrap();
    store(&rig, vec![item("3", "An old lamp", 1)], source().because("back-fill of acc")).await;
    store(&rig, vec![item("4", "A last lamp", 2)], source()).await;
    assert_eq!(told(&rig, 3).await.last().unwrap(), "new A last lamp");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_devrig_is_stopped_is_told_once_after_the_start() {
    let (rig, folder) = Rig::new().await;
    let triggers = rig.triggers();
    flow(&rig, &triggers, json!({"query": "type:issue"})).await;
    store(&rig, vec![item("1", "Before", 1)], source()).await;
    told(&rig, 1).await;
    triggers.stop().await;
    // As when a flow changes while DevRig ends.
    triggers.follow().await.unwrap();
    store(&rig, vec![item("2", "Meanwhile", 1)], source()).await;
    store(&rig, vec![item("2", "Meanwhile, changed", 2)], source()).await;
    rig.runs.stop().await;
    rig.store.close().await;

    let rig = Rig::at(folder.path(), Diary::default(), clock()).await;
    let triggers = rig.triggers();
    triggers.follow().await.unwrap();
    store(&rig, vec![item("3", "After", 1)], source()).await;
    let all = ["new Before", "new Meanwhile, changed", "new After"];
    assert_eq!(told(&rig, 3).await, all);
    triggers.stop().await;
    // As after a kill behind the event and before the reader noted how far it is.
    let back = async |tx: &mut devrig_store::Tx| {
        let done = sqlx::query("UPDATE subscriber SET cursor = 0 WHERE name = 'flows'");
        done.execute(tx.conn()).await.map_err(devrig_store::from_sqlx)?;
        Ok(())
    };
    rig.store.write(back).await.unwrap();
    let triggers = rig.triggers();
    triggers.follow().await.unwrap();
    store(&rig, vec![item("4", "Last", 1)], source()).await;
    assert_eq!(told(&rig, 4).await, [all[0], all[1], all[2], "new Last"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn flows_that_set_each_other_off_end_with_a_message() {
    let (rig, _folder) = Rig::new().await;
    let triggers = rig.triggers();
    flow(&rig, &triggers, json!({"query": "type:issue"})).await;
    let depth = |depth| Origin { depth, ..Origin::new(Actor::Flow) };
    store(&rig, vec![item("1", "Seventh", 1)], depth(Origin::MAX_DEPTH - 1)).await;
    assert_eq!(told(&rig, 1).await, ["new Seventh"]);
    let depth_of_run: i64 = sqlx::query_scalar("SELECT depth FROM run")
        .fetch_one(&mut *rig.store.read().await.unwrap())
        .await
        .unwrap();
    assert_eq!(depth_of_run, i64::from(Origin::MAX_DEPTH), "the run goes on counting");
    store(&rig, vec![item("2", "Eighth", 1)], depth(Origin::MAX_DEPTH)).await;
    let start = Instant::now();
    let error = loop {
        if let Some(error) = triggers.states().await.remove(0).error {
            break error;
        }
        assert!(start.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(error.code == Code::Refused && error.message.contains("8 automatic steps"), "{error}");
    store(&rig, vec![item("3", "Ninth", 1)], source()).await;
    assert_eq!(told(&rig, 2).await, ["new Seventh", "new Ninth"]);
    assert!(triggers.states().await.remove(0).error.is_none(), "it fires again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_that_is_off_misses_what_comes_and_a_wrong_query_is_told() {
    let (rig, _folder) = Rig::new().await;
    let triggers = rig.triggers();
    let id = flow(&rig, &triggers, json!({"query": "type:issue"})).await;
    rig.flows.enable(&id, false).await.unwrap();
    triggers.follow().await.unwrap();
    store(&rig, vec![item("1", "Missed", 1)], source()).await;
    let other = flow(&rig, &triggers, json!({"query": "type:issue"})).await;
    store(&rig, vec![item("2", "Seen by the other", 1)], source()).await;
    assert_eq!(told(&rig, 1).await, ["new Seen by the other"]);
    rig.flows.enable(&other, false).await.unwrap();
    rig.flows.enable(&id, true).await.unwrap();
    triggers.follow().await.unwrap();
    store(&rig, vec![item("3", "Seen", 1)], source()).await;
    assert_eq!(told(&rig, 2).await.last().unwrap(), "new Seen");
    flow(&rig, &triggers, json!({"query": "is:nonsense"})).await;
    let states = triggers.states().await;
    let errors: Vec<_> = states.iter().filter_map(|state| state.error.as_ref()).collect();
    assert_eq!((errors.len(), errors[0].code), (1, Code::InvalidQuery));
}
