//! Actions towards the source: held, withdrawn, sent in order, decided by the person.

use std::time::Duration;

use devrig_core::id::{AccountId, ItemId};
use devrig_core::{Code, Error, Origin, Result};
use devrig_inbox::outbox::{self, Turn};
use devrig_inbox::{ItemPatch, OperationKind, OutboxRequest, OutboxRow, OutboxState};
use devrig_store::Tx;
use serde_json::json;

use crate::rig::{Rig, item};

fn request(item: Option<&ItemId>, idempotent: bool) -> OutboxRequest {
    OutboxRequest {
        item: item.cloned(),
        account: AccountId::from("acc"),
        action: "github.merge".into(),
        label: "Merge".into(),
        input: json!({ "method": "squash" }),
        idempotent,
        hold: outbox::HOLD,
    }
}

async fn submit(rig: &Rig, item: Option<&ItemId>, idempotent: bool) -> OutboxRow {
    rig.inbox.submit(request(item, idempotent), Origin::person()).await.unwrap()
}

async fn sending(rig: &Rig, id: &str) -> Turn {
    let id = id.to_owned();
    rig.inbox.store().write(async move |tx: &mut Tx| outbox::sending(tx, &id).await).await.unwrap()
}

async fn report(rig: &Rig, id: &str, outcome: Result<ItemPatch>) {
    let id = id.to_owned();
    rig.inbox
        .store()
        .write(async move |tx: &mut Tx| match &outcome {
            Ok(patch) => outbox::sent(tx, &id, Some(patch), &json!({ "sha": "abc" })).await,
            Err(error) => outbox::failed(tx, &id, error).await,
        })
        .await
        .unwrap();
}

async fn state(rig: &Rig, id: &str) -> Option<OutboxState> {
    let open = rig.inbox.outbox().await.unwrap();
    open.into_iter().find(|row| row.id == id).map(|row| row.state)
}

#[tokio::test]
async fn an_action_waits_is_sent_once_and_updates_its_item() {
    let rig = Rig::new().await;
    let id = rig.store(vec![item("a", 1)]).await.ids[0].clone();
    let row = submit(&rig, Some(&id), false).await;
    assert_eq!(rig.get(&id).await.summary.outbox.as_deref(), Some("waiting"));
    let jobs: Vec<String> = sqlx::query_scalar("SELECT kind FROM job")
        .fetch_all(rig.inbox.store().reader())
        .await
        .unwrap();
    assert_eq!(jobs, [outbox::JOB]);
    assert_eq!(sending(&rig, &row.id).await, Turn::Wait(row.due_at), "undo has its five seconds");
    rig.clock.advance(Duration::from_secs(5));
    let Turn::Send(outgoing) = sending(&rig, &row.id).await else { panic!("it is its turn") };
    assert_eq!(outgoing.input, json!({ "method": "squash" }));
    assert_eq!(outgoing.row.idempotency_key, row.idempotency_key);
    let late = rig.inbox.undo(Some(row.operation_id.clone())).await.unwrap_err();
    assert_eq!(late.code, Code::NothingToDo, "it is on its way");
    let patch = ItemPatch { state: Some("merged".into()), ..ItemPatch::default() };
    report(&rig, &row.id, Ok(patch)).await;
    let after = rig.get(&id).await;
    assert_eq!(after.summary.state.as_deref(), Some("merged"));
    assert_eq!(after.summary.outbox, None);
    assert_eq!(sending(&rig, &row.id).await, Turn::Over);
    assert_eq!(rig.inbox.outbox().await.unwrap(), []);
}

#[tokio::test]
async fn undo_withdraws_what_waits_and_redo_submits_it_again() {
    let rig = Rig::new().await;
    let row = submit(&rig, None, true).await;
    rig.inbox.undo(None).await.unwrap();
    assert_eq!(sending(&rig, &row.id).await, Turn::Over);
    assert_eq!(state(&rig, &row.id).await, None);
    rig.inbox.redo().await.unwrap();
    rig.clock.advance(Duration::from_secs(6));
    assert!(matches!(sending(&rig, &row.id).await, Turn::Send(_)));
}

#[tokio::test]
async fn actions_of_one_account_go_in_order() {
    let rig = Rig::new().await;
    let first = submit(&rig, None, true).await;
    let second = submit(&rig, None, true).await;
    rig.clock.advance(Duration::from_secs(10));
    assert!(matches!(sending(&rig, &second.id).await, Turn::Wait(_)));
    assert!(matches!(sending(&rig, &first.id).await, Turn::Send(_)));
    assert!(matches!(sending(&rig, &second.id).await, Turn::Wait(_)));
    report(&rig, &first.id, Err(Error::invalid("refused"))).await;
    assert!(matches!(sending(&rig, &second.id).await, Turn::Send(_)), "a failure blocks nobody");
    assert_eq!(state(&rig, &first.id).await, Some(OutboxState::Failed));
}

#[tokio::test]
async fn after_a_crash_only_an_idempotent_action_is_sent_again() {
    let mut rig = Rig::new().await;
    let safe = submit(&rig, None, true).await;
    rig.clock.advance(Duration::from_secs(6));
    assert!(matches!(sending(&rig, &safe.id).await, Turn::Send(_)));
    rig.restart().await;
    assert!(matches!(sending(&rig, &safe.id).await, Turn::Send(_)));
    report(&rig, &safe.id, Ok(ItemPatch::default())).await;

    let once = submit(&rig, None, false).await;
    rig.clock.advance(Duration::from_secs(6));
    assert!(matches!(sending(&rig, &once.id).await, Turn::Send(_)));
    rig.restart().await;
    assert_eq!(sending(&rig, &once.id).await, Turn::Over);
    assert_eq!(state(&rig, &once.id).await, Some(OutboxState::NeedsDecision));
    rig.inbox.outbox_retry(once.id.clone()).await.unwrap();
    assert!(matches!(sending(&rig, &once.id).await, Turn::Send(_)));
    report(&rig, &once.id, Err(Error::invalid("no"))).await;
    rig.inbox.outbox_discard(once.id.clone()).await.unwrap();
    assert_eq!(state(&rig, &once.id).await, None);
}

#[tokio::test]
async fn an_action_on_another_accounts_item_is_refused() {
    let rig = Rig::new().await;
    let id = rig.store_as("other", vec![item("a", 1)]).await.ids[0].clone();
    let error = rig.inbox.submit(request(Some(&id), true), Origin::person()).await.unwrap_err();
    assert_eq!(error.code, Code::Refused);
    rig.on(OperationKind::Read, &id).await;
}
