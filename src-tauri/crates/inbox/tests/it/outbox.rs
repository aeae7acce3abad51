//! Actions towards the source: held, withdrawn, sent in order, decided by the person.

use std::time::Duration;

use devrig_core::id::{AccountId, ItemId};
use devrig_core::{Code, Error, Origin, Result};
use devrig_inbox::outbox::{self, NotSent, Outgoing, Turn};
use devrig_inbox::{ItemPatch, OperationKind, OutboxRequest, OutboxRow, OutboxState, Reverse};
use devrig_jobs::{Handlers, Jobs, Workers};
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
        reverse: None,
        hold: outbox::HOLD,
    }
}

async fn submit(rig: &Rig, item: Option<&ItemId>, idempotent: bool) -> OutboxRow {
    rig.inbox.submit(request(item, idempotent), Origin::person()).await.unwrap()
}

async fn next(rig: &Rig) -> Turn {
    let account = AccountId::from("acc");
    rig.inbox
        .store()
        .write(async move |tx: &mut Tx| outbox::next(tx, &account).await)
        .await
        .unwrap()
}

/// Whose turn it is, which is then on its way.
async fn sends(rig: &Rig) -> Outgoing {
    match next(rig).await {
        Turn::Send(outgoing) => *outgoing,
        other => panic!("nothing is sent: {other:?}"),
    }
}

async fn not_sent(rig: &Rig, id: &str, reached: bool) {
    waits(rig, id, reached, false).await;
}

async fn waits(rig: &Rig, id: &str, reached: bool, asked: bool) {
    let id = id.to_owned();
    let why = "the network is down".to_owned();
    let attempt = NotSent { after: Duration::from_secs(60), asked, reached, why };
    rig.inbox
        .store()
        .write(async move |tx: &mut Tx| outbox::not_sent(tx, &id, &attempt).await)
        .await
        .unwrap();
}

async fn hasten(rig: &Rig) {
    let inbox = rig.inbox.clone();
    let hasten = async move |tx: &mut Tx| outbox::hasten(&inbox, tx, None).await;
    rig.inbox.store().write(hasten).await.unwrap();
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
    assert_eq!(next(&rig).await, Turn::Wait(row.due_at), "undo has its five seconds");
    rig.clock.advance(Duration::from_secs(5));
    let outgoing = sends(&rig).await;
    assert_eq!(outgoing.input, json!({ "method": "squash" }));
    assert_eq!(outgoing.row.idempotency_key, row.idempotency_key);
    let late = rig.inbox.undo(Some(row.operation_id.clone())).await.unwrap_err();
    assert_eq!(late.code, Code::NothingToDo, "it is on its way");
    let patch = ItemPatch { state: Some("merged".into()), ..ItemPatch::default() };
    report(&rig, &row.id, Ok(patch)).await;
    let after = rig.get(&id).await;
    assert_eq!(after.summary.state.as_deref(), Some("merged"));
    assert_eq!(after.summary.outbox, None);
    assert_eq!(next(&rig).await, Turn::Over);
    assert_eq!(rig.inbox.outbox().await.unwrap(), []);
}

#[tokio::test]
async fn undo_withdraws_what_waits_and_redo_submits_it_again() {
    let rig = Rig::new().await;
    let row = submit(&rig, None, true).await;
    rig.inbox.undo(None).await.unwrap();
    assert_eq!(next(&rig).await, Turn::Over);
    assert_eq!(state(&rig, &row.id).await, None);
    rig.inbox.redo().await.unwrap();
    rig.clock.advance(Duration::from_secs(6));
    assert_eq!(sends(&rig).await.row.id, row.id);
}

#[tokio::test]
async fn actions_of_one_account_go_in_order() {
    let rig = Rig::new().await;
    let first = submit(&rig, None, true).await;
    let second = submit(&rig, None, true).await;
    rig.clock.advance(Duration::from_secs(10));
    assert_eq!(sends(&rig).await.row.id, first.id);
    not_sent(&rig, &first.id, false).await;
    assert!(matches!(next(&rig).await, Turn::Wait(_)), "nobody overtakes");
    rig.clock.advance(Duration::from_secs(60));
    let again = sends(&rig).await;
    assert_eq!((again.row.id.as_str(), again.attempt), (first.id.as_str(), 2));
    report(&rig, &first.id, Err(Error::invalid("refused"))).await;
    assert_eq!(sends(&rig).await.row.id, second.id, "a failure blocks nobody");
    assert_eq!(state(&rig, &first.id).await, Some(OutboxState::Failed));
}

#[tokio::test]
async fn what_did_not_arrive_can_still_be_taken_back() {
    let rig = Rig::new().await;
    let lost = submit(&rig, None, true).await;
    let unsure = submit(&rig, None, true).await;
    rig.clock.advance(Duration::from_secs(10));
    sends(&rig).await;
    not_sent(&rig, &lost.id, false).await;
    let waiting = rig.inbox.outbox().await.unwrap().swap_remove(0);
    assert_eq!(waiting.error.as_deref(), Some("the network is down"), "it says why it waits");
    rig.inbox.undo(Some(lost.operation_id.clone())).await.unwrap();
    assert_eq!(sends(&rig).await.row.id, unsure.id);
    not_sent(&rig, &unsure.id, true).await;
    let late = rig.inbox.undo(Some(unsure.operation_id.clone())).await.unwrap_err();
    assert_eq!(late.code, Code::NothingToDo, "the source may know of it");
    rig.inbox.outbox_cancel(unsure.id.clone()).await.unwrap();
    assert_eq!(next(&rig).await, Turn::Over, "and yet it can be given up");
}

#[tokio::test]
async fn what_is_given_hastens_what_was_tried() {
    let rig = Rig::new().await;
    let row = submit(&rig, None, true).await;
    rig.clock.advance(Duration::from_secs(6));
    sends(&rig).await;
    not_sent(&rig, &row.id, false).await;
    assert!(matches!(next(&rig).await, Turn::Wait(_)));
    hasten(&rig).await;
    assert_eq!(sends(&rig).await.attempt, 2);
    waits(&rig, &row.id, false, true).await;
    hasten(&rig).await;
    assert!(matches!(next(&rig).await, Turn::Wait(_)), "the service asked for this wait");
    rig.inbox.outbox_retry(row.id.clone()).await.unwrap();
    assert_eq!(sends(&rig).await.row.id, row.id, "and the person may shorten it");
}

#[tokio::test]
async fn undo_of_what_was_sent_sends_its_reverse() {
    let rig = Rig::new().await;
    let id = rig.store(vec![item("a", 1)]).await.ids[0].clone();
    let reverse = Some(Reverse { action: "github.reopen".into(), idempotent: true });
    let request = OutboxRequest { reverse, ..request(Some(&id), true) };
    let row = rig.inbox.submit(request, Origin::person()).await.unwrap();
    rig.clock.advance(Duration::from_secs(6));
    sends(&rig).await;
    report(&rig, &row.id, Ok(ItemPatch::default())).await;

    let undone = rig.inbox.undo(None).await.unwrap();
    assert_eq!(undone.operation_id, Some(row.operation_id.clone()));
    rig.inbox.redo().await.unwrap();
    assert_eq!(next(&rig).await, Turn::Over, "the reverse had not gone, so nothing goes");

    rig.inbox.undo(None).await.unwrap();
    rig.clock.advance(Duration::from_secs(6));
    let back = sends(&rig).await;
    assert_eq!(back.row.action, "github.reopen");
    assert_eq!(back.input, json!({ "method": "squash" }), "with the input of the first");
    assert_eq!(back.row.item_id, Some(id));
    report(&rig, &back.row.id, Ok(ItemPatch::default())).await;
    let nothing = rig.inbox.undo(None).await.unwrap_err();
    assert_eq!(nothing.code, Code::NothingToDo, "undo walks back, and not to and fro");

    rig.inbox.redo().await.unwrap();
    rig.clock.advance(Duration::from_secs(6));
    let forth = sends(&rig).await;
    assert_eq!(forth.row.id, row.id);
    assert_ne!(forth.row.idempotency_key, row.idempotency_key, "the source takes it as new");
}

#[tokio::test]
async fn after_a_crash_only_an_idempotent_action_is_sent_again() {
    let mut rig = Rig::new().await;
    let safe = submit(&rig, None, true).await;
    rig.clock.advance(Duration::from_secs(6));
    assert_eq!(sends(&rig).await.row.id, safe.id);
    rig.restart().await;
    assert_eq!(sends(&rig).await.row.id, safe.id);
    report(&rig, &safe.id, Ok(ItemPatch::default())).await;

    let once = submit(&rig, None, false).await;
    rig.clock.advance(Duration::from_secs(6));
    assert_eq!(sends(&rig).await.row.id, once.id);
    rig.restart().await;
    assert_eq!(next(&rig).await, Turn::Over);
    assert_eq!(state(&rig, &once.id).await, Some(OutboxState::NeedsDecision));
    rig.inbox.outbox_retry(once.id.clone()).await.unwrap();
    assert_eq!(sends(&rig).await.row.id, once.id);
    report(&rig, &once.id, Err(Error::invalid("no"))).await;
    rig.inbox.outbox_discard(once.id.clone()).await.unwrap();
    assert_eq!(state(&rig, &once.id).await, None);
}

#[tokio::test]
async fn however_often_devrig_dies_the_accounts_job_goes_on() {
    let rig = Rig::new().await;
    submit(&rig, None, true).await;
    let store = rig.inbox.store();
    store
        .write(async |tx: &mut Tx| {
            // As so many kills while it ran leave it.
            sqlx::query("UPDATE job SET status = 'running', attempts = 200")
                .execute(tx.conn())
                .await
                .map_err(devrig_store::from_sqlx)
        })
        .await
        .unwrap();
    let workers = Workers::start(&Jobs::new(store.clone()), Handlers::new()).await.unwrap();
    let status: String =
        sqlx::query_scalar("SELECT status FROM job").fetch_one(store.reader()).await.unwrap();
    assert_eq!(status, "pending");
    workers.shutdown().await;
}

#[tokio::test]
async fn an_action_on_another_accounts_item_is_refused() {
    let rig = Rig::new().await;
    let id = rig.store_as("other", vec![item("a", 1)]).await.ids[0].clone();
    let error = rig.inbox.submit(request(Some(&id), true), Origin::person()).await.unwrap_err();
    assert_eq!(error.code, Code::Refused);
    rig.on(OperationKind::Read, &id).await;
}
