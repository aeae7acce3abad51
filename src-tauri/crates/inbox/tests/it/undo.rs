//! Undo and redo: exact, after a restart, and beside what the source does meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use devrig_core::{Actor, Code, Origin};
use devrig_inbox::{Item, ItemInput, Operation, OperationKind, Priority, Target};
use proptest::prelude::*;

use crate::rig::{Rig, day, item, now};

type Everything = (BTreeMap<String, Item>, Vec<(i64, String)>, Vec<Vec<String>>);

/// All items, the muted threads, and what a number of queries find.
async fn everything(rig: &Rig) -> Everything {
    let mut items = BTreeMap::new();
    let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM item")
        .fetch_all(rig.inbox.store().reader())
        .await
        .unwrap();
    for id in ids {
        let item = rig.get(&id.as_str().into()).await;
        items.insert(id, item);
    }
    let muted = sqlx::query_as("SELECT source, thread_key FROM muted_thread ORDER BY 1, 2")
        .fetch_all(rig.inbox.store().reader())
        .await
        .unwrap();
    let mut found = Vec::new();
    for query in ["", "is:done", "is:muted", "label:a", "label:b is:any", "priority:high is:any"] {
        found.push(rig.find(query).await);
    }
    (items, muted, found)
}

fn operations() -> impl Strategy<Value = (OperationKind, u8)> {
    let labels = || prop::collection::vec("[ab]", 1..3);
    let kind = prop_oneof![
        Just(OperationKind::Read),
        Just(OperationKind::Unread),
        Just(OperationKind::Done),
        Just(OperationKind::NotDone),
        (1_001i64..1_100).prop_map(|n| OperationKind::Snooze { until: day(n).into() }),
        Just(OperationKind::Unsnooze),
        Just(OperationKind::Star),
        Just(OperationKind::Unstar),
        Just(OperationKind::Mute),
        Just(OperationKind::Unmute),
        labels().prop_map(|labels| OperationKind::AddLabels { labels }),
        labels().prop_map(|labels| OperationKind::RemoveLabels { labels }),
        Just(OperationKind::SetPriority { priority: Some(Priority::High) }),
        Just(OperationKind::SetPriority { priority: None }),
    ];
    (kind, any::<u8>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Whatever was done: undoing all of it gives what was before, redoing what was after.
    #[test]
    fn undo_restores_every_item_exactly(
        steps in prop::collection::vec(operations(), 1..10),
        restart in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut rig = Rig::new().await;
            let thread = |n: usize| n.is_multiple_of(2).then(|| format!("t{}", n % 3));
            let items = (0..8).map(|n| ItemInput {
                thread_key: thread(n),
                labels: if n % 3 == 0 { vec!["a".into()] } else { vec![] },
                ..item(&format!("{n}"), n as i64)
            });
            let ids = rig.store(items.collect()).await.ids;
            let before = everything(&rig).await;
            let mut states = vec![before];
            let mut count = 0;
            for (kind, mask) in steps {
                let target = ids.iter().enumerate()
                    .filter(|(n, _)| mask >> n & 1 == 1)
                    .map(|(_, id)| id.clone());
                if rig.operate(kind, Target::Ids(target.collect())).await.changed > 0 {
                    count += 1;
                    states.push(everything(&rig).await);
                }
            }
            rig.check_counts().await;
            if restart {
                rig.restart().await;
            }
            for n in (0..count).rev() {
                rig.inbox.undo(None).await.unwrap();
                assert_eq!(everything(&rig).await, states[n], "undo {n}");
            }
            rig.check_counts().await;
            assert_eq!(rig.inbox.undo(None).await.unwrap_err().code, Code::NothingToDo);
            for n in 0..count {
                rig.inbox.redo().await.unwrap();
                assert_eq!(everything(&rig).await, states[n + 1], "redo {n}");
            }
            assert_eq!(rig.inbox.redo().await.unwrap_err().code, Code::NothingToDo);
            rig.check_counts().await;
            rig.inbox.store().close().await;
        });
    }
}

#[tokio::test]
async fn undo_keeps_what_the_source_said_meanwhile() {
    let rig = Rig::new().await;
    let id = rig.store(vec![item("a", 1)]).await.ids[0].clone();
    rig.on(OperationKind::Done, &id).await;
    let back = rig.on(OperationKind::NotDone, &id).await;
    rig.store(vec![ItemInput { title: "News".into(), ..item("a", 2) }]).await;
    rig.inbox.undo(back.operation_id).await.unwrap();
    let after = rig.get(&id).await;
    assert_eq!(after.summary.title, "News");
    assert_eq!(after.summary.triage.done_at, None, "newer activity is not put away");
}

#[tokio::test]
async fn undo_of_an_earlier_operation_keeps_a_later_one() {
    let rig = Rig::new().await;
    let id = rig.store(vec![item("a", 1)]).await.ids[0].clone();
    let first = rig.on(OperationKind::Snooze { until: day(1_100).into() }, &id).await;
    rig.on(OperationKind::Snooze { until: day(1_200).into() }, &id).await;
    rig.inbox.undo(first.operation_id.clone()).await.unwrap();
    assert_eq!(rig.get(&id).await.summary.triage.snoozed_until, Some(day(1_200).into()));
    let twice = rig.inbox.undo(first.operation_id).await.unwrap_err();
    assert_eq!(twice.code, Code::NothingToDo);
}

#[tokio::test]
async fn a_new_operation_ends_what_could_be_redone() {
    let rig = Rig::new().await;
    let id = rig.store(vec![item("a", 1)]).await.ids[0].clone();
    rig.on(OperationKind::Star, &id).await;
    rig.inbox.undo(None).await.unwrap();
    rig.on(OperationKind::Read, &id).await;
    assert_eq!(rig.inbox.redo().await.unwrap_err().code, Code::NothingToDo);
}

#[tokio::test]
async fn the_undo_key_takes_back_the_persons_operations_only() {
    let rig = Rig::new().await;
    let id = rig.store(vec![item("a", 1)]).await.ids[0].clone();
    rig.on(OperationKind::Star, &id).await;
    let target = Target::Ids(vec![id.clone()]);
    let operation = Operation { kind: OperationKind::Done, target };
    let rule = rig
        .inbox
        .operate(operation, Origin::new(Actor::Rule).because("archive merged"))
        .await
        .unwrap();
    let undone = rig.inbox.undo(None).await.unwrap();
    assert_eq!(undone.label, "Undone: Starred");
    assert_eq!(rig.find("is:done").await, ["a"]);
    rig.inbox.undo(rule.operation_id).await.unwrap();
    assert_eq!(rig.find("").await, ["a"], "a rule's can be undone by name");
    let history = rig.inbox.operations(10, None).await.unwrap();
    assert_eq!(history[0].cause.as_deref(), Some("archive merged"));
    assert_eq!((history[0].actor, history[0].kind.as_str()), (Actor::Rule, "done"));
    assert_eq!(history[1].items, ["Item a"]);
    let older = rig.inbox.operations(10, Some(&history[0].id)).await.unwrap();
    assert_eq!(older, history[1..]);
}

#[tokio::test]
async fn after_thirty_days_an_operation_is_history() {
    let rig = Rig::new().await;
    let id = rig.store(vec![item("a", 1)]).await.ids[0].clone();
    let star = rig.on(OperationKind::Star, &id).await;
    rig.clock.set(now(&rig) + Duration::from_secs(31 * 86_400));
    assert_eq!(rig.inbox.undo(None).await.unwrap_err().code, Code::NothingToDo);
    assert!(!rig.inbox.operations(1, None).await.unwrap()[0].undoable);
    assert_eq!(rig.inbox.forget_operations().await.unwrap(), 1);
    assert_eq!(rig.inbox.undo(star.operation_id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(rig.find("is:starred").await, ["a"], "what was done stays");
}
