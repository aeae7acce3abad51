//! The person's side: places, snoozing, bulk, numbers, paging.

use devrig_core::Code;
use devrig_core::Origin;
use devrig_core::id::ItemId;
use devrig_inbox::{ItemInput, ListQuery, Operation, OperationKind, Priority, Target, Wake};

use crate::rig::{Rig, changes, day, item, last_change};

#[tokio::test]
async fn every_operation_shows_in_the_item_and_in_queries() {
    let rig = Rig::new().await;
    let id = rig.store(vec![item("a", 1), item("b", 2)]).await.ids[0].clone();
    let labels = || vec!["mine".to_owned(), "Good First".to_owned()];
    let steps = [
        (OperationKind::Read, "is:read"),
        (OperationKind::Star, "is:starred"),
        (OperationKind::AddLabels { labels: labels() }, "label:mine label:\"good first\""),
        (OperationKind::SetPriority { priority: Some(Priority::Urgent) }, "priority:urgent"),
        (OperationKind::Snooze { until: day(1_001).into() }, "is:snoozed"),
        (OperationKind::Done, "is:done -is:snoozed"),
        (OperationKind::NotDone, "is:inbox is:read"),
        (OperationKind::Unstar, "is:any -is:starred"),
        (OperationKind::RemoveLabels { labels: labels() }, "-label:mine"),
        (OperationKind::SetPriority { priority: None }, "priority:normal"),
    ];
    for (kind, query) in steps {
        let done = rig.on(kind.clone(), &id).await;
        assert_eq!(done.changed, 1, "{kind:?}");
        assert_eq!(done.items[0].id, id);
        assert!(rig.find(query).await.contains(&"a".to_owned()), "{kind:?} {query}");
        rig.check_counts().await;
    }
    assert_eq!(rig.on(OperationKind::Read, &id).await.operation_id, None, "it is read already");
}

#[tokio::test]
async fn what_was_snoozed_comes_back_on_top_as_it_was() {
    let rig = Rig::new().await;
    let ids = rig.store(vec![item("a", 1), item("b", 2), item("c", 3)]).await.ids;
    rig.on(OperationKind::Read, &ids[0]).await;
    rig.on(OperationKind::Snooze { until: day(1_001).into() }, &ids[0]).await;
    rig.on(OperationKind::Snooze { until: day(1_005).into() }, &ids[1]).await;
    assert_eq!(rig.inbox.next_wake().await.unwrap(), Some(day(1_001)));
    assert_eq!(rig.inbox.wake_snoozed(day(1_000)).await.unwrap(), 0);
    let seq = last_change(&rig).await;
    assert_eq!(rig.inbox.wake_snoozed(day(1_002)).await.unwrap(), 1);
    assert_eq!(rig.find("").await, ["a", "c"]);
    assert!(rig.get(&ids[0]).await.summary.triage.read_at.is_some(), "read as before");
    let rows = changes(&rig, seq).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].3, "system");
    assert_eq!(rig.inbox.next_wake().await.unwrap(), Some(day(1_005)));
    rig.check_counts().await;
}

#[tokio::test]
async fn a_snooze_until_something_happens_ends_when_it_does() {
    let rig = Rig::new().await;
    let ids = rig.store(vec![item("a", 1), item("b", 2), item("c", 3)]).await.ids;
    for (id, until) in ids.iter().zip([Wake::Activity, Wake::Merged, Wake::Ended]) {
        rig.on(OperationKind::Snooze { until }, id).await;
    }
    assert_eq!(rig.inbox.next_wake().await.unwrap(), None, "no time ends them");
    assert_eq!(rig.inbox.wake_snoozed(day(900_000)).await.unwrap(), 0);
    let state = |name: &str, at: i64, state: &str| ItemInput {
        state: Some(state.to_owned()),
        ..item(name, at)
    };
    rig.store(vec![state("a", 1, "draft"), state("b", 2, "closed"), state("c", 3, "open")]).await;
    assert_eq!(rig.find("").await, Vec::<String>::new(), "nothing of that happened");
    rig.store(vec![item("a", 11), state("b", 2, "merged"), state("c", 3, "closed")]).await;
    assert_eq!(rig.find("is:unread").await.len(), 3);
    assert_eq!(rig.get(&ids[1]).await.summary.triage.snoozed_until, None);
    rig.check_counts().await;
    rig.inbox.undo(None).await.unwrap();
    assert_eq!(rig.find("").await.len(), 3, "undo of a snooze that is over changes nothing");
}

#[tokio::test]
async fn a_query_as_target_takes_everything_that_matches() {
    let rig = Rig::new().await;
    rig.store((0..1_200).map(|n| item(&format!("{n}"), n % 900)).collect()).await;
    let done = rig.operate(OperationKind::Done, Target::Query("older:500d".into())).await;
    assert_eq!(done.items.len(), 200, "as many as are worth showing");
    let left = rig.inbox.count("").await.unwrap();
    assert_eq!(left.count + done.changed, 1_200);
    let stats = rig.inbox.stats().await.unwrap();
    assert_eq!((stats.inbox, stats.done, stats.unread), (left.count, done.changed, left.count));
    rig.inbox.undo(None).await.unwrap();
    assert_eq!(rig.inbox.count("").await.unwrap().count, 1_200);
    rig.check_counts().await;
}

#[tokio::test]
async fn an_unknown_item_is_named_and_nothing_is_done() {
    let rig = Rig::new().await;
    let id = rig.store(vec![item("a", 1)]).await.ids[0].clone();
    let target = Target::Ids(vec![id.clone(), ItemId::from("nope")]);
    let operation = Operation { kind: OperationKind::Done, target };
    let error = rig.inbox.operate(operation, Origin::person()).await.unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    assert!(error.message.contains("nope"));
    assert_eq!(rig.find("").await, ["a"]);
}

#[tokio::test]
async fn pages_join_without_gaps_in_both_directions() {
    let rig = Rig::new().await;
    rig.store((0..230).map(|n| item(&format!("{n}"), n / 3)).collect()).await;
    let mut ask = ListQuery { limit: 50, ..ListQuery::default() };
    let mut down = Vec::new();
    loop {
        let page = rig.inbox.list(&ask).await.unwrap();
        assert_eq!(page.total_hint, Some(230));
        down.extend(page.items.into_iter().map(|item| item.id));
        ask.cursor = page.next;
        if ask.cursor.is_none() {
            break;
        }
    }
    assert_eq!(down.len(), 230);
    let bottom = rig.inbox.get(&down[229]).await.unwrap().summary.position;
    let mut ask =
        ListQuery { limit: 50, backward: true, cursor: Some(bottom), ..ListQuery::default() };
    let mut up = vec![down[229].clone()];
    while ask.cursor.is_some() {
        let page = rig.inbox.list(&ask).await.unwrap();
        up.splice(0..0, page.items.into_iter().map(|item| item.id));
        ask.cursor = page.next;
    }
    assert_eq!(up, down);
    let wrong = ListQuery { cursor: Some("x".into()), ..ListQuery::default() };
    assert_eq!(rig.inbox.list(&wrong).await.unwrap_err().code, Code::InvalidInput);
}
