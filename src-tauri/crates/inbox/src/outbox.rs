//! Actions towards a source: an operation, a row here and the job `outbox.send`, all in one
//! transaction. While an action waits, undo withdraws it; the job's handler lives where plugins
//! are called, and reports through [`sending`], [`sent`], [`failed`] and [`unknown`].

use std::time::Duration;

use devrig_core::id::{AccountId, ItemId, OperationId};
use devrig_core::{Change, ChangeKind, Code, Error, Origin, Result, Timestamp};
use devrig_jobs::{NewJob, RetryPolicy};
use devrig_store::{SqliteConnection, Tx, from_sqlx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};

use crate::inbox::Inbox;
use crate::operate;
use crate::patch::{self, ItemPatch};
use crate::rows::{get, integer};

/// The job that sends one action; its payload is `{"outbox": id}`.
pub const JOB: &str = "outbox.send";

/// How long an outward action waits where undo can withdraw it.
pub const HOLD: Duration = Duration::from_secs(5);

/// Input of an action as JSON; more belongs into the item.
const INPUT_BYTES: usize = 256 * 1024;

/// An action that is to be sent.
#[derive(Debug, Clone)]
pub struct OutboxRequest {
    pub item: Option<ItemId>,
    pub account: AccountId,
    /// The action's id in the plugin's manifest.
    pub action: String,
    /// Its name for people.
    pub label: String,
    pub input: Value,
    /// Sending it twice does no more than once, as the plugin declares.
    pub idempotent: bool,
    /// How long undo can withdraw it: [`HOLD`], or zero.
    pub hold: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// Until its time, until the network is back, or behind an older one of its account.
    Waiting,
    Sending,
    Sent,
    Failed,
    /// It may or may not have arrived, and sending it again might do it twice.
    NeedsDecision,
    Cancelled,
}

impl OutboxState {
    const ALL: [OutboxState; 6] = [
        OutboxState::Waiting,
        OutboxState::Sending,
        OutboxState::Sent,
        OutboxState::Failed,
        OutboxState::NeedsDecision,
        OutboxState::Cancelled,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            OutboxState::Waiting => "waiting",
            OutboxState::Sending => "sending",
            OutboxState::Sent => "sent",
            OutboxState::Failed => "failed",
            OutboxState::NeedsDecision => "needs_decision",
            OutboxState::Cancelled => "cancelled",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| Error::internal(format!("an outbox row is {text:?}")))
    }
}

/// An action on its way, as people see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct OutboxRow {
    pub id: String,
    pub operation_id: OperationId,
    pub item_id: Option<ItemId>,
    /// The item's title, or nothing.
    pub title: String,
    pub account_id: AccountId,
    pub action: String,
    pub label: String,
    pub state: OutboxState,
    /// The same for every attempt, for the source to recognise repetitions by.
    pub idempotency_key: String,
    /// When it is sent at the earliest.
    pub due_at: Timestamp,
    pub created_at: Timestamp,
    /// Why it failed.
    pub error: Option<String>,
}

/// What the handler has to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    pub row: OutboxRow,
    pub input: Value,
    pub idempotent: bool,
}

/// What a claimed `outbox.send` job is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    Send(Box<Outgoing>),
    /// An older action of the account is not through yet: come back then.
    Wait(Timestamp),
    /// Withdrawn, sent or set aside meanwhile: the job is done.
    Over,
}

/// Records the action and queues its sending.
///
/// # Errors
/// `NOT_FOUND` for the item; `REFUSED` when the item belongs to another account; `TOO_LARGE`.
pub async fn submit(
    inbox: &Inbox,
    tx: &mut Tx,
    request: &OutboxRequest,
    origin: &Origin,
) -> Result<OutboxRow> {
    let input = request.input.to_string();
    if input.len() > INPUT_BYTES {
        return Err(Error::new(Code::TooLarge, "the action's input is larger than 256 KiB"));
    }
    let item = match &request.item {
        Some(id) => Some(item_no(tx.conn(), id, &request.account).await?),
        None => None,
    };
    let detail = json!({ "kind": "action", "action": request.action }).to_string();
    let operation_id = OperationId::fresh();
    let count = usize::from(item.is_some());
    let operation =
        operate::record(tx, &operation_id, &detail, &request.label, count, origin).await?;
    let id = devrig_core::id::fresh();
    let now = tx.now();
    let due = now + request.hold;
    sqlx::query(
        "INSERT INTO outbox (id, operation, account, item, action, input, idempotent,
           idempotency_key, state, due_at, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?)",
    )
    .bind(&id)
    .bind(operation)
    .bind(&request.account.0)
    .bind(item)
    .bind(&request.action)
    .bind(input)
    .bind(request.idempotent)
    .bind(devrig_core::id::fresh())
    .bind(due.as_ms())
    .bind(now.as_ms())
    .bind(now.as_ms())
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    queue(inbox, tx, &id, due).await?;
    let row = row(tx.conn(), &id).await?.row;
    tell(tx, &row, ChangeKind::Created, origin);
    Ok(row)
}

async fn item_no(conn: &mut SqliteConnection, id: &ItemId, account: &AccountId) -> Result<i64> {
    let found: Option<(i64, String)> = sqlx::query_as(
        "SELECT i.no, s.account FROM item i JOIN inbox_source s ON s.no = i.source
         WHERE i.id = ?",
    )
    .bind(&id.0)
    .fetch_optional(conn)
    .await
    .map_err(from_sqlx)?;
    match found {
        None => Err(Error::not_found(format!("the item {id}"))),
        Some((_, owner)) if owner != account.0 => Err(Error::new(
            Code::Refused,
            format!("the item {id} does not belong to the account {account}"),
        )),
        Some((no, _)) => Ok(no),
    }
}

/// Tried for about a day, so that a day offline loses nothing.
fn policy() -> RetryPolicy {
    RetryPolicy {
        max_attempts: 100,
        base: Duration::from_secs(2),
        max: Duration::from_secs(15 * 60),
        ..RetryPolicy::default()
    }
}

async fn queue(inbox: &Inbox, tx: &mut Tx, id: &str, due: Timestamp) -> Result<()> {
    let job = NewJob::new(JOB, json!({ "outbox": id }))
        .run_at(due)
        .dedup(format!("{JOB}:{id}"))
        .policy(policy());
    let job = inbox.jobs.enqueue(tx, &job).await?;
    sqlx::query("UPDATE outbox SET job = ? WHERE id = ?")
        .bind(job.0)
        .bind(id)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// The handler's first step: whether it is this action's turn. From then on it cannot be undone.
///
/// An action that was being sent when DevRig died is sent again when it is idempotent; otherwise
/// the person decides.
pub async fn sending(tx: &mut Tx, id: &str) -> Result<Turn> {
    let outgoing = row(tx.conn(), id).await?;
    match outgoing.row.state {
        OutboxState::Waiting => {}
        OutboxState::Sending if outgoing.idempotent => {}
        OutboxState::Sending => {
            unknown(tx, id, "DevRig ended while it was being sent").await?;
            return Ok(Turn::Over);
        }
        _ => return Ok(Turn::Over),
    }
    let now = tx.now();
    if now < outgoing.row.due_at {
        return Ok(Turn::Wait(outgoing.row.due_at));
    }
    let earlier: Option<i64> = sqlx::query_scalar(
        "SELECT max(due_at) FROM outbox
         WHERE account = ?1 AND state IN ('waiting', 'sending')
           AND no < (SELECT no FROM outbox WHERE id = ?2)",
    )
    .bind(&outgoing.row.account_id.0)
    .bind(id)
    .fetch_one(tx.conn())
    .await
    .map_err(from_sqlx)?;
    if let Some(due) = earlier {
        let soon = now + Duration::from_secs(1);
        return Ok(Turn::Wait(Timestamp::from_ms(due).max(soon)));
    }
    set(tx, id, OutboxState::Sending, None).await?;
    final_now(tx.conn(), id).await?;
    Ok(Turn::Send(Box::new(outgoing)))
}

/// What was begun did surely not reach the source, so that it may be tried again.
pub async fn not_sent(tx: &mut Tx, id: &str) -> Result<()> {
    set(tx, id, OutboxState::Waiting, None).await
}

/// The source confirmed; its update of the item is applied.
pub async fn sent(
    tx: &mut Tx,
    id: &str,
    item_update: Option<&ItemPatch>,
    output: &Value,
) -> Result<()> {
    let outgoing = row(tx.conn(), id).await?;
    if let (Some(item), Some(update)) = (&outgoing.row.item_id, item_update) {
        let origin = Origin::new(devrig_core::Actor::Plugin)
            .because(format!("action {}", outgoing.row.operation_id));
        patch::apply_update(tx, item, update, &origin).await?;
    }
    sqlx::query("UPDATE outbox SET output = ? WHERE id = ?")
        .bind(output.to_string())
        .bind(id)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    set(tx, id, OutboxState::Sent, None).await
}

/// The source refused, or every attempt failed. It stays listed until the person retries or
/// discards it.
pub async fn failed(tx: &mut Tx, id: &str, error: &Error) -> Result<()> {
    set(tx, id, OutboxState::Failed, Some(&error.message)).await
}

/// Nobody knows whether it arrived, and it is not idempotent: the person decides.
pub async fn unknown(tx: &mut Tx, id: &str, why: &str) -> Result<()> {
    set(tx, id, OutboxState::NeedsDecision, Some(why)).await
}

/// The account's way is free: the next action that is due goes at once.
pub async fn hasten_next(inbox: &Inbox, tx: &mut Tx, account: &AccountId) -> Result<()> {
    let now = tx.now();
    let next: Option<String> = sqlx::query_scalar(
        "SELECT id FROM outbox WHERE account = ?1 AND state = 'waiting' AND due_at <= ?2
         ORDER BY no LIMIT 1",
    )
    .bind(&account.0)
    .bind(now.as_ms())
    .fetch_optional(tx.conn())
    .await
    .map_err(from_sqlx)?;
    match next {
        Some(id) => queue(inbox, tx, &id, now).await,
        None => Ok(()),
    }
}

/// Withdraws an action that still waits; undoing its operation does the same.
///
/// # Errors
/// `NOT_FOUND`; `CONFLICT` when it is on its way already.
pub async fn cancel(tx: &mut Tx, id: &str, origin: &Origin) -> Result<()> {
    let outgoing = row(tx.conn(), id).await?;
    operate::undo(tx, Some(&outgoing.row.operation_id), origin).await.map(drop)
}

/// Sends a failed or undecided action again.
///
/// # Errors
/// `NOT_FOUND`; `NOTHING_TO_DO` when it does not rest.
pub async fn retry(inbox: &Inbox, tx: &mut Tx, id: &str) -> Result<()> {
    resting(tx, id).await?;
    set(tx, id, OutboxState::Waiting, None).await?;
    let now = tx.now();
    queue(inbox, tx, id, now).await
}

/// Takes a failed or undecided action off the list without sending it.
///
/// # Errors
/// `NOT_FOUND`; `NOTHING_TO_DO` when it does not rest.
pub async fn discard(tx: &mut Tx, id: &str) -> Result<()> {
    resting(tx, id).await?;
    set(tx, id, OutboxState::Cancelled, None).await
}

async fn resting(tx: &mut Tx, id: &str) -> Result<()> {
    let state = row(tx.conn(), id).await?.row.state;
    if matches!(state, OutboxState::Failed | OutboxState::NeedsDecision) {
        return Ok(());
    }
    Err(Error::new(Code::NothingToDo, format!("the action is {}, not at rest", state.as_str())))
}

/// What is not through yet, oldest first.
pub(crate) async fn list(conn: &mut SqliteConnection) -> Result<Vec<OutboxRow>> {
    let mut query = QueryBuilder::<Sqlite>::new(SELECT);
    query.push("WHERE o.state NOT IN ('sent', 'cancelled') ORDER BY o.no LIMIT 1000");
    let rows = query.build().fetch_all(conn).await.map_err(from_sqlx)?;
    rows.iter().map(|row| read(row).map(|outgoing| outgoing.row)).collect()
}

pub(crate) fn is_action(detail: &str) -> bool {
    serde_json::from_str::<Value>(detail).is_ok_and(|detail| detail["kind"] == "action")
}

/// Undo of an action's operation.
pub(crate) async fn withdraw(tx: &mut Tx, operation: i64) -> Result<()> {
    let id = of_operation(tx.conn(), operation).await?;
    let state = row(tx.conn(), &id).await?.row.state;
    if state != OutboxState::Waiting {
        return Err(Error::new(
            Code::Conflict,
            format!("the action is {}, so it cannot be taken back", state.as_str()),
        )
        .hint("Undo it in the source."));
    }
    set(tx, &id, OutboxState::Cancelled, None).await
}

/// Redo of an action's operation: it waits anew.
pub(crate) async fn submit_again(inbox: &Inbox, tx: &mut Tx, operation: i64) -> Result<()> {
    let id = of_operation(tx.conn(), operation).await?;
    let due = tx.now() + HOLD;
    sqlx::query("UPDATE outbox SET due_at = ? WHERE id = ?")
        .bind(due.as_ms())
        .bind(&id)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    set(tx, &id, OutboxState::Waiting, None).await?;
    queue(inbox, tx, &id, due).await
}

async fn of_operation(conn: &mut SqliteConnection, operation: i64) -> Result<String> {
    sqlx::query_scalar("SELECT id FROM outbox WHERE operation = ?")
        .bind(operation)
        .fetch_one(conn)
        .await
        .map_err(from_sqlx)
}

async fn final_now(conn: &mut SqliteConnection, id: &str) -> Result<()> {
    sqlx::query(
        "UPDATE operation SET undoable = 0
         WHERE no = (SELECT operation FROM outbox WHERE id = ?)",
    )
    .bind(id)
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

async fn set(tx: &mut Tx, id: &str, state: OutboxState, error: Option<&str>) -> Result<()> {
    let now = tx.now().as_ms();
    sqlx::query("UPDATE outbox SET state = ?, error = ?, updated_at = ? WHERE id = ?")
        .bind(state.as_str())
        .bind(error)
        .bind(now)
        .bind(id)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    let row = row(tx.conn(), id).await?.row;
    tell(tx, &row, ChangeKind::Updated, &Origin::new(devrig_core::Actor::System));
    Ok(())
}

/// The list shows on an item's row how its action fares.
fn tell(tx: &mut Tx, row: &OutboxRow, kind: ChangeKind, origin: &Origin) {
    tx.change(Change::new("outbox", row.id.clone(), kind, origin));
    if let Some(item) = &row.item_id {
        tx.change(Change::new("item", item.0.clone(), ChangeKind::Updated, origin));
    }
}

const SELECT: &str = "SELECT o.id, p.id AS operation_id, p.label, i.id AS item_id, i.title,
   o.account, o.action, o.state, o.idempotency_key, o.due_at, o.created_at, o.error, o.input,
   o.idempotent
 FROM outbox o JOIN operation p ON p.no = o.operation LEFT JOIN item i ON i.no = o.item ";

async fn row(conn: &mut SqliteConnection, id: &str) -> Result<Outgoing> {
    let mut query = QueryBuilder::<Sqlite>::new(SELECT);
    query.push("WHERE o.id = ").push_bind(id);
    let row = query.build().fetch_optional(conn).await.map_err(from_sqlx)?;
    read(&row.ok_or_else(|| Error::not_found(format!("the action {id} of the outbox")))?)
}

fn read(row: &SqliteRow) -> Result<Outgoing> {
    let state: String = get(row, "state")?;
    let input: String = get(row, "input")?;
    Ok(Outgoing {
        row: OutboxRow {
            id: get(row, "id")?,
            operation_id: OperationId(get(row, "operation_id")?),
            item_id: get::<Option<String>>(row, "item_id")?.map(ItemId),
            title: get::<Option<String>>(row, "title")?.unwrap_or_default(),
            account_id: AccountId(get(row, "account")?),
            action: get(row, "action")?,
            label: get(row, "label")?,
            state: OutboxState::parse(&state)?,
            idempotency_key: get(row, "idempotency_key")?,
            due_at: Timestamp::from_ms(integer(row, "due_at")?),
            created_at: Timestamp::from_ms(integer(row, "created_at")?),
            error: get(row, "error")?,
        },
        input: serde_json::from_str(&input)
            .map_err(|error| Error::internal(format!("a stored input: {error}")))?,
        idempotent: integer(row, "idempotent")? != 0,
    })
}
