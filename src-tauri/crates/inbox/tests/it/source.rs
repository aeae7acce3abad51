//! The source's side: storing, updating, resurfacing, removing.

use devrig_core::id::{AccountId, ItemId};
use devrig_core::{Actor, Code, Origin};
use devrig_inbox::{ItemInput, ItemPatch, OperationKind, PluginQuery, PluginStatus, apply_update};
use devrig_store::Tx;

use crate::rig::{Rig, changes, day, item, last_change};

#[tokio::test]
async fn unchanged_items_write_nothing() {
    let rig = Rig::new().await;
    let first = rig.store(vec![item("a", 1), item("b", 2)]).await;
    assert_eq!((first.created, first.updated, first.unchanged), (2, 0, 0));
    let seq = last_change(&rig).await;
    let again = rig.store(vec![item("a", 1), item("b", 2)]).await;
    assert_eq!((again.created, again.updated, again.unchanged), (0, 0, 2));
    assert_eq!(again.ids, first.ids);
    assert_eq!(changes(&rig, seq).await, []);
}

#[tokio::test]
async fn a_change_keeps_the_persons_side_and_leaves_one_change_row() {
    let rig = Rig::new().await;
    let id = rig.store(vec![item("a", 1)]).await.ids[0].clone();
    rig.on(OperationKind::Star, &id).await;
    rig.on(OperationKind::AddLabels { labels: vec!["mine".into()] }, &id).await;
    rig.on(OperationKind::Done, &id).await;
    let before = rig.get(&id).await;
    let seq = last_change(&rig).await;
    let changed = ItemInput { title: "Other words".into(), ..item("a", 1) };
    assert_eq!(rig.store(vec![changed]).await.updated, 1);
    let after = rig.get(&id).await;
    assert_eq!(after.summary.triage, before.summary.triage);
    assert_eq!(after.summary.position, before.summary.position);
    let row = ("item".into(), id.0.clone(), "updated".into(), "source".into());
    assert_eq!(changes(&rig, seq).await, [row]);
    assert_eq!(rig.find("is:done label:mine other").await, ["a"]);
    assert!(rig.find("is:any title item").await.is_empty(), "the old words are gone");
    rig.check_counts().await;
}

#[tokio::test]
async fn only_newer_activity_brings_a_done_item_back() {
    let rig = Rig::new().await;
    let ids = rig.store(vec![item("a", 1), item("b", 2)]).await.ids;
    rig.on(OperationKind::Read, &ids[0]).await;
    rig.on(OperationKind::Done, &ids[0]).await;
    let same = ItemInput { body: Some("edited".into()), ..item("a", 1) };
    let older = ItemInput { body: Some("late page".into()), ..item("a", 0) };
    for input in [same, older] {
        rig.store(vec![input]).await;
        assert_eq!(rig.find("").await, ["b"], "no newer version, still done");
    }
    rig.store(vec![item("a", 3)]).await;
    assert_eq!(rig.find("").await, ["a", "b"], "back, and at the top");
    assert_eq!(rig.find("is:unread").await, ["a", "b"]);
    assert_eq!(rig.get(&ids[0]).await.summary.activity_at, day(3));
    rig.check_counts().await;
}

#[tokio::test]
async fn a_time_in_the_future_does_not_pin_an_item_to_the_top() {
    let rig = Rig::new().await;
    rig.store(vec![item("future", 9_999)]).await;
    rig.clock.set(day(1_001));
    rig.store(vec![item("today", 1_001)]).await;
    assert_eq!(rig.find("").await, ["today", "future"]);
}

#[tokio::test]
async fn snoozed_and_muted_survive_newer_activity() {
    let rig = Rig::new().await;
    let threaded = |id: &str, at| ItemInput { thread_key: Some("T 1".into()), ..item(id, at) };
    let ids = rig.store(vec![item("a", 1), threaded("b", 2), threaded("c", 3)]).await.ids;
    rig.on(OperationKind::Snooze { until: day(2_000).into() }, &ids[0]).await;
    let muted = rig.on(OperationKind::Mute, &ids[1]).await;
    assert_eq!(muted.changed, 2, "the whole thread");
    rig.store(vec![item("a", 5), threaded("b", 6), threaded("new", 7)]).await;
    assert!(rig.find("").await.is_empty());
    assert_eq!(rig.find("is:muted").await, ["new", "b", "c"], "born muted");
    assert_eq!(rig.find("is:snoozed").await, ["a"]);
    rig.inbox.undo(muted.operation_id).await.unwrap();
    assert_eq!(rig.find("").await, ["new", "b", "c"], "what came since goes with the thread");
    rig.store(vec![threaded("newer", 8)]).await;
    assert_eq!(rig.find("").await.len(), 4, "and no new ones are born muted");
    rig.inbox.redo().await.unwrap();
    assert_eq!(rig.find("is:muted").await.len(), 4, "redo takes the thread as it is by then");
    rig.check_counts().await;
}

#[tokio::test]
async fn one_bad_item_refuses_all_and_is_named() {
    let rig = Rig::new().await;
    let bad = ItemInput { source_url: Some("javascript:x".into()), ..item("bad", 1) };
    let error = rig
        .inbox
        .store_items(
            &AccountId::from("acc"),
            "p",
            vec![item("a", 1), bad],
            &Origin::new(Actor::Source),
        )
        .await
        .unwrap_err();
    assert_eq!(error.code, Code::InvalidInput);
    assert_eq!(error.details.unwrap()["index"], 1);
    assert!(rig.find("is:any").await.is_empty());
}

#[tokio::test]
async fn accounts_are_apart_and_removed_alone() {
    let rig = Rig::new().await;
    rig.store_as("one", (0..700).map(|n| item(&format!("x{n}"), n)).collect()).await;
    let two = rig.store_as("two", vec![item("x1", 1)]).await.ids;
    rig.on(OperationKind::Done, &two[0]).await;
    let one = AccountId::from("one");
    let removed = rig.inbox.remove_account(&one, &Origin::person()).await.unwrap();
    assert_eq!(removed, 700);
    assert_eq!(rig.find("is:any").await, ["x1"]);
    assert_eq!(rig.inbox.stats().await.unwrap().total, 1);
    rig.check_counts().await;
    rig.store_as("one", vec![item("x1", 1)]).await;
    assert_eq!(rig.find("is:any from:one").await.len(), 1);
}

#[tokio::test]
async fn a_plugin_sees_its_own_items_and_its_words_are_no_syntax() {
    let rig = Rig::new().await;
    let text = |id: &str, title: &str| ItemInput { title: title.into(), ..item(id, 1) };
    rig.store_as("one", vec![text("1", "\"quoted\" AND NEAR( *"), text("2", "plain")]).await;
    rig.store_as("two", vec![text("3", "quoted and near")]).await;
    let (one, two) = (AccountId::from("one"), AccountId::from("two"));
    let found = async |account: &AccountId, search: &str| {
        let query = PluginQuery { search: Some(search.into()), ..PluginQuery::default() };
        let items = rig.inbox.plugin_query(account, &query).await.unwrap();
        items.iter().map(|item| item["externalId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(&one, "\"quoted\" AND near(").await, ["1"]);
    for hostile in ["=from:two", "is:any OR", "' OR 1=1 --", "title:x -y (z) \"unterminated", "*"] {
        assert!(!found(&one, hostile).await.contains(&"3".to_owned()), "{hostile}");
    }
    assert_eq!(found(&two, "quoted").await, ["3"]);

    let ids = rig.inbox.by_external(&one, &["1".into(), "3".into()]).await.unwrap();
    assert_eq!(ids.len(), 1, "another account's item is not found");
    rig.on(OperationKind::Read, &ids[0]).await;
    rig.on(OperationKind::Done, &ids[0]).await;
    let archived = PluginQuery { status: Some(vec![PluginStatus::Archived]), ..Default::default() };
    let items = rig.inbox.plugin_query(&one, &archived).await.unwrap();
    assert_eq!(items[0]["externalId"], "1");
    assert_eq!(items[0]["status"], "archived");
    let unread = PluginQuery { status: Some(vec![PluginStatus::Unread]), ..Default::default() };
    assert_eq!(rig.inbox.plugin_query(&one, &unread).await.unwrap().len(), 1);

    let named = |ids: &[&str]| PluginQuery {
        external_ids: Some(ids.iter().map(|id| (*id).to_owned()).collect()),
        ..Default::default()
    };
    let items = rig.inbox.plugin_query(&one, &named(&["1", "3", "nowhere"])).await.unwrap();
    assert_eq!(items.len(), 1, "its own, and only what is there");
    assert_eq!(items[0]["externalId"], "1");
    let both = PluginQuery { limit: Some(1), ..named(&["1"]) };
    assert!(rig.inbox.plugin_query(&one, &both).await.is_err(), "it stands alone");
}

#[tokio::test]
async fn an_actions_update_is_no_news() {
    let rig = Rig::new().await;
    let id = rig.store(vec![ItemInput { labels: vec!["bug".into()], ..item("a", 1) }]).await.ids[0]
        .clone();
    rig.on(OperationKind::Done, &id).await;
    let patch: ItemPatch = serde_json::from_value(serde_json::json!({
        "state": "merged", "externalUpdatedAt": day(9),
    }))
    .unwrap();
    update(&rig, &id, &patch).await;
    let after = rig.get(&id).await;
    assert_eq!(after.summary.state.as_deref(), Some("merged"));
    assert_eq!(after.summary.labels, ["bug"]);
    assert!(after.summary.triage.done_at.is_some(), "the person's own doing is no news");
    assert_eq!(rig.find("is:done state:merged").await, ["a"]);
    let synced =
        ItemInput { labels: vec!["bug".into()], state: Some("merged".into()), ..item("a", 9) };
    rig.store(vec![synced]).await;
    assert_eq!(rig.find("is:done").await, ["a"], "nor is the sync that reports it");
}

async fn update(rig: &Rig, id: &ItemId, patch: &ItemPatch) {
    let (id, patch) = (id.clone(), patch.clone());
    rig.inbox
        .store()
        .write(async move |tx: &mut Tx| {
            apply_update(tx, &id, &patch, &Origin::new(Actor::Plugin)).await
        })
        .await
        .unwrap();
}
