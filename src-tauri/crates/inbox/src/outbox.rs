//! Actions towards a source: an operation and a row here, in one transaction with the job that
//! sends what the account has, one after the other. While an action waits, undo withdraws it;
//! once it was sent, undo sends the action that its plugin declares as its reverse. The job's
//! handler lives where plugins are called: it asks for the [`next`] and reports through [`sent`],
//! [`not_sent`], [`failed`] and [`unknown`].

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

/// The job that sends an account's actions; its payload is `{"account": id}`.
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
    /// What takes it back once it was sent.
    pub reverse: Option<Reverse>,
    /// How long undo can withdraw it: [`HOLD`], or zero.
    pub hold: Duration,
}

/// The action that takes another one back; it is called with the same input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reverse {
    pub action: String,
    pub idempotent: bool,
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
    /// Why it failed, or why it still waits after an attempt.
    pub error: Option<String>,
}

/// What the handler has to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    pub row: OutboxRow,
    pub input: Value,
    pub idempotent: bool,
    /// Counted from 1.
    pub attempt: u32,
    pub reverse: Option<Reverse>,
}

/// What a claimed `outbox.send` job is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    Send(Box<Outgoing>),
    /// The account's oldest action has to wait until then, and the others behind it.
    Wait(Timestamp),
    /// Nothing is left to send.
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
    let due = tx.now() + request.hold;
    let id = insert(tx, request, Place { operation, item, input, due, reverses: None }).await?;
    queue(inbox, tx, &request.account, due).await?;
    let row = row(tx.conn(), &id).await?.row;
    tell(tx, &row, ChangeKind::Created, origin);
    Ok(row)
}

/// Where a new row belongs, and when it goes.
struct Place {
    operation: i64,
    item: Option<i64>,
    input: String,
    due: Timestamp,
    /// The row that it takes back.
    reverses: Option<i64>,
}

async fn insert(tx: &mut Tx, request: &OutboxRequest, place: Place) -> Result<String> {
    let id = devrig_core::id::fresh();
    let now = tx.now();
    let reverse = request.reverse.as_ref().map(serde_json::to_string).transpose()?;
    sqlx::query(
        "INSERT INTO outbox (id, operation, account, item, action, input, idempotent,
           idempotency_key, state, due_at, created_at, updated_at, reverse, reverses)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?, ?, ?)",
    )
    .bind(&id)
    .bind(place.operation)
    .bind(&request.account.0)
    .bind(place.item)
    .bind(&request.action)
    .bind(place.input)
    .bind(request.idempotent)
    .bind(devrig_core::id::fresh())
    .bind(place.due.as_ms())
    .bind(now.as_ms())
    .bind(now.as_ms())
    .bind(reverse)
    .bind(place.reverses)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    Ok(id)
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

/// The job that sends the account's actions is there, and looks at them no later than `due`.
async fn queue(inbox: &Inbox, tx: &mut Tx, account: &AccountId, due: Timestamp) -> Result<()> {
    // However often DevRig dies meanwhile: the actions count their own attempts.
    let policy = RetryPolicy { max_attempts: u32::MAX, ..RetryPolicy::default() };
    let job = NewJob::new(JOB, json!({ "account": account }))
        .run_at(due)
        .dedup(format!("{JOB}:{account}"))
        .policy(policy);
    inbox.jobs.enqueue(tx, &job).await.map(drop)
}

/// At start: every account that has something to send has its job.
pub async fn resume(inbox: &Inbox, tx: &mut Tx) -> Result<()> {
    let accounts: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT account FROM outbox WHERE state IN ('waiting', 'sending')",
    )
    .fetch_all(tx.conn())
    .await
    .map_err(from_sqlx)?;
    let now = tx.now();
    for account in accounts {
        queue(inbox, tx, &AccountId(account), now).await?;
    }
    Ok(())
}

/// What an account, or each, has tried without success is tried again at once: what it lacked may
/// have been given. A wait that the service asked for is kept.
pub async fn hasten(inbox: &Inbox, tx: &mut Tx, account: Option<&AccountId>) -> Result<()> {
    let now = tx.now();
    let tried: Vec<String> = sqlx::query_scalar(
        "UPDATE outbox SET due_at = ?1
         WHERE state NOT IN ('sent', 'cancelled') AND state = 'waiting' AND attempt > 0
           AND asked = 0 AND due_at > ?1 AND account = coalesce(?2, account) RETURNING account",
    )
    .bind(now.as_ms())
    .bind(account.map(|account| &account.0))
    .fetch_all(tx.conn())
    .await
    .map_err(from_sqlx)?;
    // In the order of an account, only its oldest is ever tried: there are as many as accounts.
    for account in tried {
        queue(inbox, tx, &AccountId(account), now).await?;
    }
    Ok(())
}

/// The handler's first step: the account's oldest action, which from then on is on its way.
///
/// An action that was being sent when DevRig died is sent again when it is idempotent; otherwise
/// the person decides.
pub async fn next(tx: &mut Tx, account: &AccountId) -> Result<Turn> {
    loop {
        let oldest: Option<String> = sqlx::query_scalar(
            "SELECT id FROM outbox WHERE account = ? AND state IN ('waiting', 'sending')
             ORDER BY no LIMIT 1",
        )
        .bind(&account.0)
        .fetch_optional(tx.conn())
        .await
        .map_err(from_sqlx)?;
        let Some(id) = oldest else { return Ok(Turn::Over) };
        let mut outgoing = row(tx.conn(), &id).await?;
        if outgoing.row.state == OutboxState::Sending && !outgoing.idempotent {
            unknown(tx, &id, "DevRig ended while it was being sent").await?;
            continue;
        }
        if tx.now() < outgoing.row.due_at {
            return Ok(Turn::Wait(outgoing.row.due_at));
        }
        outgoing.attempt += 1;
        sqlx::query("UPDATE outbox SET attempt = ? WHERE id = ?")
            .bind(i64::from(outgoing.attempt))
            .bind(&id)
            .execute(tx.conn())
            .await
            .map_err(from_sqlx)?;
        set(tx, &id, OutboxState::Sending, None).await?;
        undoable(tx.conn(), &id, false).await?;
        return Ok(Turn::Send(Box::new(outgoing)));
    }
}

/// An attempt after which another follows.
#[derive(Debug, Clone)]
pub struct NotSent {
    pub after: Duration,
    /// The service asked for the wait.
    pub asked: bool,
    /// The source may know of it, so undo can no longer take it back.
    pub reached: bool,
    pub why: String,
}

/// It is tried again after a time, and says why.
pub async fn not_sent(tx: &mut Tx, id: &str, attempt: &NotSent) -> Result<()> {
    let due = tx.now() + attempt.after;
    sqlx::query("UPDATE outbox SET due_at = ?, asked = ? WHERE id = ?")
        .bind(due.as_ms())
        .bind(attempt.asked)
        .bind(id)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    if !attempt.reached {
        undoable(tx.conn(), id, true).await?;
    }
    set(tx, id, OutboxState::Waiting, Some(&attempt.why)).await
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
    if outgoing.reverse.is_some() {
        undoable(tx.conn(), id, true).await?;
    }
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

/// Withdraws an action that still waits, as undoing its operation does. One that may have reached
/// the source, and waits only to be sure, is given up.
///
/// # Errors
/// `NOT_FOUND`; `CONFLICT` when it is on its way already.
pub async fn cancel(inbox: &Inbox, tx: &mut Tx, id: &str, origin: &Origin) -> Result<()> {
    let outgoing = row(tx.conn(), id).await?;
    if outgoing.row.state != OutboxState::Waiting {
        return withdraw(tx, id).await;
    }
    let undone = operate::undo(inbox, tx, Some(&outgoing.row.operation_id), origin).await;
    match undone {
        Err(error) if error.code == Code::NothingToDo => withdraw(tx, id).await,
        undone => undone.map(drop),
    }
}

/// Sends a failed or undecided action again, or one that waits for its next attempt at once.
///
/// # Errors
/// `NOT_FOUND`; `NOTHING_TO_DO` when it neither rests nor was tried.
pub async fn retry(inbox: &Inbox, tx: &mut Tx, id: &str) -> Result<()> {
    let outgoing = row(tx.conn(), id).await?;
    let account = match outgoing.row.state {
        OutboxState::Waiting if outgoing.attempt > 0 => outgoing.row.account_id,
        _ => resting(tx, id).await?,
    };
    wait_anew(inbox, tx, id, &account, Duration::ZERO).await
}

async fn wait_anew(
    inbox: &Inbox,
    tx: &mut Tx,
    id: &str,
    account: &AccountId,
    hold: Duration,
) -> Result<()> {
    let due = tx.now() + hold;
    sqlx::query("UPDATE outbox SET due_at = ?, attempt = 0, asked = 0 WHERE id = ?")
        .bind(due.as_ms())
        .bind(id)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    set(tx, id, OutboxState::Waiting, None).await?;
    queue(inbox, tx, account, due).await
}

/// Takes a failed or undecided action off the list without sending it.
///
/// # Errors
/// `NOT_FOUND`; `NOTHING_TO_DO` when it does not rest.
pub async fn discard(tx: &mut Tx, id: &str) -> Result<()> {
    resting(tx, id).await.map(drop)?;
    set(tx, id, OutboxState::Cancelled, None).await
}

async fn resting(tx: &mut Tx, id: &str) -> Result<AccountId> {
    let OutboxRow { state, account_id, .. } = row(tx.conn(), id).await?.row;
    if matches!(state, OutboxState::Failed | OutboxState::NeedsDecision) {
        return Ok(account_id);
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

/// Undo of an action's operation: it is withdrawn while it waits, and reversed once it was sent.
pub(crate) async fn take_back(
    inbox: &Inbox,
    tx: &mut Tx,
    operation: i64,
    origin: &Origin,
) -> Result<()> {
    let id = of_operation(tx.conn(), operation).await?;
    let outgoing = row(tx.conn(), &id).await?;
    match (outgoing.row.state, &outgoing.reverse) {
        (OutboxState::Sent, Some(reverse)) => {
            send_reverse(inbox, tx, &outgoing, reverse.clone(), origin).await
        }
        _ => withdraw(tx, &id).await,
    }
}

async fn withdraw(tx: &mut Tx, id: &str) -> Result<()> {
    let state = row(tx.conn(), id).await?.row.state;
    if state != OutboxState::Waiting {
        return Err(Error::new(
            Code::Conflict,
            format!("the action is {}, so it cannot be taken back", state.as_str()),
        )
        .hint("Undo it in the source."));
    }
    set(tx, id, OutboxState::Cancelled, None).await
}

/// Its operation is told in the history and is not itself undone: redo takes it back.
async fn send_reverse(
    inbox: &Inbox,
    tx: &mut Tx,
    sent: &Outgoing,
    reverse: Reverse,
    origin: &Origin,
) -> Result<()> {
    let (no, item): (i64, Option<i64>) = place(tx.conn(), &sent.row.id).await?;
    let account = sent.row.account_id.clone();
    let label = format!("Undo: {}", sent.row.label);
    let detail = json!({ "kind": "action", "action": reverse.action }).to_string();
    let operation_id = OperationId::fresh();
    let items = usize::from(item.is_some());
    let operation =
        operate::record_beside(tx, &operation_id, &detail, &label, items, origin).await?;
    let due = tx.now() + HOLD;
    let request = OutboxRequest {
        item: None,
        account: account.clone(),
        action: reverse.action,
        label,
        input: Value::Null,
        idempotent: reverse.idempotent,
        reverse: None,
        hold: HOLD,
    };
    let place = Place { operation, item, input: sent.input.to_string(), due, reverses: Some(no) };
    let id = insert(tx, &request, place).await?;
    queue(inbox, tx, &account, due).await?;
    let row = row(tx.conn(), &id).await?.row;
    tell(tx, &row, ChangeKind::Created, origin);
    Ok(())
}

async fn place(conn: &mut SqliteConnection, id: &str) -> Result<(i64, Option<i64>)> {
    sqlx::query_as("SELECT no, item FROM outbox WHERE id = ?")
        .bind(id)
        .fetch_one(conn)
        .await
        .map_err(from_sqlx)
}

/// Redo of an action's operation: it waits anew. A reverse that still waits is withdrawn instead,
/// and what was reversed already is sent as something new.
pub(crate) async fn submit_again(inbox: &Inbox, tx: &mut Tx, operation: i64) -> Result<()> {
    let id = of_operation(tx.conn(), operation).await?;
    let outgoing = row(tx.conn(), &id).await?;
    if outgoing.row.state == OutboxState::Sent {
        let (no, _) = place(tx.conn(), &id).await?;
        let reverse: Option<String> = sqlx::query_scalar(
            "SELECT id FROM outbox WHERE reverses = ? AND state = 'waiting'
             ORDER BY no DESC LIMIT 1",
        )
        .bind(no)
        .fetch_optional(tx.conn())
        .await
        .map_err(from_sqlx)?;
        if let Some(reverse) = reverse {
            return withdraw(tx, &reverse).await;
        }
        sqlx::query("UPDATE outbox SET idempotency_key = ? WHERE id = ?")
            .bind(devrig_core::id::fresh())
            .bind(&id)
            .execute(tx.conn())
            .await
            .map_err(from_sqlx)?;
    }
    wait_anew(inbox, tx, &id, &outgoing.row.account_id, HOLD).await
}

async fn of_operation(conn: &mut SqliteConnection, operation: i64) -> Result<String> {
    sqlx::query_scalar("SELECT id FROM outbox WHERE operation = ?")
        .bind(operation)
        .fetch_one(conn)
        .await
        .map_err(from_sqlx)
}

/// Whether undo can take the action back.
async fn undoable(conn: &mut SqliteConnection, id: &str, can: bool) -> Result<()> {
    sqlx::query(
        "UPDATE operation SET undoable = ?
         WHERE no = (SELECT operation FROM outbox WHERE id = ? AND reverses IS NULL)",
    )
    .bind(can)
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
   o.idempotent, o.attempt, o.reverse
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
        attempt: u32::try_from(integer(row, "attempt")?).unwrap_or(0),
        reverse: get::<Option<String>>(row, "reverse")?
            .map(|reverse| serde_json::from_str(&reverse))
            .transpose()?,
    })
}
