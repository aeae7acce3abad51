//! The SQL of `run_wait` and `flow_key`.

use devrig_core::{Error, Result, Timestamp};
use devrig_store::{Batch, Bind, SqliteConnection, Tx, from_sqlx};
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::run::{Asked, WaitKind};

/// What was to come for a node, as its row has it.
#[derive(Debug, Clone, PartialEq)]
pub enum Came {
    /// Nothing so far.
    Nothing,
    Answer(Value),
    /// The time was over before it came.
    Over,
}

/// A person's approval that a run waits for.
#[derive(Debug, Clone)]
pub struct ApprovalRow {
    pub run: String,
    pub node: String,
    pub flow_id: String,
    pub flow_name: String,
    pub at: Timestamp,
    pub until: Option<Timestamp>,
    pub message: String,
    pub who: Option<String>,
}

/// Writes down what a node waits for, where that is not known yet.
pub async fn ask(tx: &mut Tx, run: &str, asked: &Asked) -> Result<()> {
    let now = tx.now();
    sqlx::query(
        "INSERT INTO run_wait (run, node, kind, at, until, message, who)
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(run)
    .bind(&asked.node)
    .bind(asked.kind.as_str())
    .bind(now.as_ms())
    .bind(asked.until.map(Timestamp::as_ms))
    .bind(&asked.message)
    .bind(&asked.who)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)
    .map(drop)
}

/// What came for a node.
pub async fn came(conn: &mut SqliteConnection, run: &str, node: &str) -> Result<Option<Came>> {
    let found: Option<(Option<i64>, Option<String>)> =
        sqlx::query_as("SELECT answered_at, answer FROM run_wait WHERE run = ? AND node = ?")
            .bind(run)
            .bind(node)
            .fetch_optional(conn)
            .await
            .map_err(from_sqlx)?;
    found
        .map(|found| match found {
            (None, _) => Ok(Came::Nothing),
            (Some(_), None) => Ok(Came::Over),
            (Some(_), Some(answer)) => Ok(Came::Answer(serde_json::from_str(&answer)?)),
        })
        .transpose()
}

/// Answers a node. `None` closes its wait without an answer. What was answered stays so.
pub async fn answer(tx: &mut Tx, run: &str, node: &str, answer: Option<&Value>) -> Result<()> {
    let now = tx.now();
    sqlx::query(
        "UPDATE run_wait SET answered_at = ?, answer = ?, fresh = ?
         WHERE run = ? AND node = ? AND answered_at IS NULL",
    )
    .bind(now.as_ms())
    .bind(answer.map(Value::to_string))
    .bind(answer.is_some())
    .bind(run)
    .bind(node)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)
    .map(drop)
}

/// Keeps a request that came before the node which will wait for it.
pub async fn keep(tx: &mut Tx, run: &str, node: &str, answer: &Value) -> Result<()> {
    let now = tx.now().as_ms();
    sqlx::query(
        "INSERT INTO run_wait (run, node, kind, at, answered_at, answer)
         VALUES (?, ?, 'request', ?, ?, ?)",
    )
    .bind(run)
    .bind(node)
    .bind(now)
    .bind(now)
    .bind(answer.to_string())
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)
    .map(drop)
}

/// Gives a request that came for no node in particular to one.
pub async fn hand_on(tx: &mut Tx, run: &str, node: &str) -> Result<()> {
    sqlx::query(
        "UPDATE run_wait SET
           answered_at = (SELECT answered_at FROM run_wait WHERE run = ?1 AND node = ''),
           answer = (SELECT answer FROM run_wait WHERE run = ?1 AND node = '')
         WHERE run = ?1 AND node = ?2 AND answered_at IS NULL
           AND EXISTS (SELECT 1 FROM run_wait
                       WHERE run = ?1 AND node = '' AND answer IS NOT NULL)",
    )
    .bind(run)
    .bind(node)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    sqlx::query("UPDATE run_wait SET answer = NULL WHERE run = ? AND node = ''")
        .bind(run)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// The nodes of a run that wait for something of a kind, longest first, and whether any ever did.
pub async fn of_kind(
    conn: &mut SqliteConnection,
    run: &str,
    kind: WaitKind,
) -> Result<(Vec<String>, bool)> {
    let found: Vec<(String, bool)> = sqlx::query_as(
        "SELECT node, answered_at IS NULL FROM run_wait WHERE run = ? AND kind = ? ORDER BY at",
    )
    .bind(run)
    .bind(kind.as_str())
    .fetch_all(conn)
    .await
    .map_err(from_sqlx)?;
    let any = !found.is_empty();
    let open = found.into_iter().filter_map(|(node, open)| open.then_some(node));
    Ok((open.collect(), any))
}

/// Whether any run waits for a request.
pub async fn any_request(conn: &mut SqliteConnection) -> Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM run_wait JOIN run ON run.id = run_wait.run
         WHERE run_wait.kind = 'request' AND run_wait.answered_at IS NULL
           AND run.ended_at IS NULL)",
    )
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)
}

/// Writes how the run that a node called has ended, for the run that called it.
pub fn put_end(batch: &mut Batch, run: &str, node: &str, at: Timestamp, end: &Value) {
    batch.append(
        "INSERT OR REPLACE INTO run_wait (run, node, kind, at, answered_at, answer, fresh) ",
        7,
        vec![
            Bind::from(run),
            Bind::from(node),
            Bind::from(WaitKind::Run.as_str()),
            Bind::Int(at.as_ms()),
            Bind::Int(at.as_ms()),
            Bind::from(end.to_string()),
            Bind::Int(1),
        ],
    );
}

/// The approvals that runs wait for, longest first.
pub async fn approvals(conn: &mut SqliteConnection) -> Result<Vec<ApprovalRow>> {
    let rows = sqlx::query(
        "SELECT run_wait.run, run_wait.node, run_wait.at, run_wait.until, run_wait.message,
                run_wait.who, flow.id AS flow_id, flow.name AS flow_name
         FROM run_wait JOIN run ON run.id = run_wait.run LEFT JOIN flow ON flow.seq = run.flow
         WHERE run_wait.kind = 'approval' AND run_wait.answered_at IS NULL
           AND run.ended_at IS NULL
         ORDER BY run_wait.at, run_wait.run, run_wait.node",
    )
    .fetch_all(conn)
    .await
    .map_err(from_sqlx)?;
    rows.iter().map(approval).collect()
}

fn approval(row: &SqliteRow) -> Result<ApprovalRow> {
    let text = |name: &str| row.try_get::<Option<String>, _>(name).map_err(from_sqlx);
    let at = |name: &str| row.try_get::<Option<i64>, _>(name).map_err(from_sqlx);
    Ok(ApprovalRow {
        run: text("run")?.unwrap_or_default(),
        node: text("node")?.unwrap_or_default(),
        flow_id: text("flow_id")?.unwrap_or_default(),
        flow_name: text("flow_name")?.unwrap_or_default(),
        at: Timestamp::from_ms(at("at")?.unwrap_or_default()),
        until: at("until")?.map(Timestamp::from_ms),
        message: text("message")?.unwrap_or_default(),
        who: text("who")?,
    })
}

/// What the addresses of runs are signed with. It is made where there is none.
pub async fn key(tx: &mut Tx) -> Result<Vec<u8>> {
    let found: Option<Vec<u8>> = sqlx::query_scalar("SELECT key FROM flow_key")
        .fetch_optional(tx.conn())
        .await
        .map_err(from_sqlx)?;
    if let Some(key) = found {
        return Ok(key);
    }
    let mut key = vec![0; 32];
    getrandom::fill(&mut key)
        .map_err(|error| Error::internal(format!("the system gives no random bytes: {error}")))?;
    sqlx::query("INSERT INTO flow_key (id, key) VALUES (1, ?)")
        .bind(&key)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    Ok(key)
}
