//! What flows do in the inbox.

use devrig_core::{Actor, Code};
use devrig_flow::run::RunStatus;
use devrig_inbox::ListQuery;
use serde_json::{Value, json};

use crate::common::{Rig, line, node};

async fn outputs(rig: &Rig, nodes: Value, order: &[&str]) -> Vec<Value> {
    let (rest, run) = rig.run(nodes, line(order)).await;
    assert_eq!(rest.status, RunStatus::Completed, "{:?}", rest.error);
    run.nodes.into_iter().map(|node| node.output).collect()
}

async fn titles(rig: &Rig, query: &str) -> Vec<String> {
    let ask = ListQuery { query: query.to_owned(), ..ListQuery::default() };
    rig.inbox().list(&ask).await.unwrap().items.into_iter().map(|item| item.title).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_made_once_and_changed_by_its_own_id() {
    let (rig, _folder) = Rig::new().await;
    let make = |title: &str, at: &str| {
        node(
            "make",
            "inbox.create",
            json!({
                "title": title, "externalId": 7, "type": "build", "labels": "ci", "priority": "high",
                "url": "https://ci.test/7", "updatedAt": at,
            }),
        )
    };
    let first = outputs(&rig, json!([make("Broken", "2026-11-20T08:00:00Z")]), &[]).await;
    assert_eq!((&first[0]["created"], &first[0]["externalId"]), (&json!(true), &json!("7")));
    let same = outputs(&rig, json!([make("Broken", "2026-11-20T08:00:00Z")]), &[]).await;
    assert_eq!((&same[0]["created"], &same[0]["updated"]), (&json!(false), &json!(false)));
    let done = node("put", "inbox.update", json!({"items": first[0]["id"], "done": true}));
    outputs(&rig, json!([done]), &[]).await;
    assert!(titles(&rig, "is:inbox").await.is_empty());
    let later = outputs(&rig, json!([make("Fixed", "2026-11-20T08:30:00Z")]), &[]).await;
    assert_eq!((&later[0]["id"], &later[0]["updated"]), (&first[0]["id"], &json!(true)));
    assert_eq!(
        titles(&rig, "is:inbox is:unread priority:high label:ci type:build").await,
        ["Fixed"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_run_makes_its_own_item_where_none_is_named() {
    let (rig, _folder) = Rig::new().await;
    let each = json!({"id": "each", "type": "action", "action": "flow.loop",
        "config": {"items": ["a", "b"]},
        "body": {"edges": [], "nodes": [
            node("make", "inbox.create", json!({"title": "{{loop.item}} of {{trigger.payload.who}}"}))]}});
    for _ in 0..2 {
        outputs(&rig, json!([each]), &[]).await;
    }
    assert_eq!(titles(&rig, "from:flows").await.len(), 4);
    assert_eq!(titles(&rig, "a of kim").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_flow_changes_can_be_taken_back_piece_by_piece() {
    let (rig, _folder) = Rig::new().await;
    let nodes = json!([
        node("a", "inbox.create", json!({"title": "one", "externalId": "a"})),
        node("b", "inbox.create", json!({"title": "two", "externalId": "b"})),
        node(
            "put",
            "inbox.update",
            json!({
                "query": "from:flows is:unread", "read": true, "starred": true, "snooze": "3h",
                "addLabels": ["x"], "priority": "low",
            })
        ),
        node("again", "inbox.update", json!({"query": "from:flows", "read": true})),
        node(
            "look",
            "inbox.search",
            json!({
                "query": "label:x is:snoozed", "limit": 1, "fields": ["title", "priority", "body"],
            })
        ),
    ]);
    let outputs = outputs(&rig, nodes, &["a", "b", "put", "again", "look"]).await;
    assert_eq!((&outputs[2]["changed"], &outputs[3]["changed"]), (&json!(2), &json!(0)));
    assert_eq!(outputs[2]["operations"].as_array().unwrap().len(), 5);
    let found = json!({"items": [{"title": "two", "priority": "low", "body": ""}], "more": true});
    assert_eq!(outputs[4], found);

    let history = rig.inbox().operations(10, None).await.unwrap();
    assert!(history.iter().all(|row| row.actor == Actor::Flow), "{history:?}");
    assert_eq!(history[0].cause.as_deref(), Some("flow Test"));
    let snooze = history.iter().find(|row| row.kind == "snooze").unwrap();
    rig.inbox().undo(Some(snooze.id.clone())).await.unwrap();
    assert!(titles(&rig, "is:snoozed").await.is_empty());
    assert_eq!(titles(&rig, "is:starred label:x is:read").await.len(), 2, "the rest stays");
    assert_eq!(
        rig.inbox().undo(None).await.unwrap_err().code,
        Code::NothingToDo,
        "it is not the person's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_in_the_inbox_is_told_and_nothing_is_done() {
    let (rig, _folder) = Rig::new().await;
    let long = "x".repeat(600);
    for (action, config, code) in [
        ("inbox.update", json!({"items": "nobody", "done": true}), Code::NotFound),
        ("inbox.update", json!({"query": "is:nothing", "done": true}), Code::InvalidQuery),
        ("inbox.update", json!({"query": "is:unread"}), Code::InvalidInput),
        ("inbox.update", json!({"done": true}), Code::InvalidInput),
        ("inbox.update", json!({"query": "is:unread", "snooze": "yesterday"}), Code::InvalidInput),
        ("inbox.search", json!({"query": "is:nothing"}), Code::InvalidQuery),
        ("inbox.create", json!({"title": "a", "externalId": long}), Code::InvalidInput),
        ("inbox.create", json!({"title": "a", "url": "file:///etc/passwd"}), Code::InvalidInput),
    ] {
        let (rest, _) = rig.run(json!([node("n", action, config.clone())]), json!([])).await;
        let error = rest.error.unwrap();
        assert_eq!(error.code, code, "{config}: {error}");
        assert!(error.hint.is_some() || code == Code::NotFound, "{config}: {error}");
    }
    assert!(titles(&rig, "is:any").await.is_empty());
}
