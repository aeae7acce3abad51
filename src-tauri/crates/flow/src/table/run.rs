//! The SQL of `run`, `run_journal` and `trigger_event`.

use std::time::Duration;

use devrig_core::{Actor, Change, ChangeKind, Error, Origin, Result, Timestamp};
use devrig_store::{Batch, Bind, SqliteConnection, Tx, from_sqlx};
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::found;
use crate::payloads;
use crate::run::{Entry, Output, RunKind, RunRow, RunStatus, Stored};

/// An event as its row has it.
#[derive(Debug, Clone)]
pub struct EventRow {
    pub seq: i64,
    pub flow: i64,
    pub trigger: String,
    /// Names the same thing twice told.
    pub key: Option<String>,
    pub at: Timestamp,
    pub verdict: &'static str,
    /// What it told, as JSON.
    pub payload: String,
    /// Where that is, when it is large: then `payload` is the beginning of it.
    pub stored: Option<Stored>,
    /// Where its trigger is from now on.
    pub cursor: Option<Value>,
    /// The number of the run that it started.
    pub run: Option<i64>,
}

impl EventRow {
    /// Whether what it told is to be stored by itself.
    pub fn is_large(&self) -> bool {
        self.payload.len() > payloads::LARGE
    }
}

/// Writes an event.
pub fn add_event(batch: &mut Batch, event: &EventRow) -> Result<()> {
    let mut values = vec![
        Bind::Int(event.seq),
        Bind::Int(event.flow),
        Bind::from(event.trigger.as_str()),
        Bind::from(event.key.clone()),
        Bind::Int(event.at.as_ms()),
        Bind::from(event.verdict),
        Bind::from(event.payload.as_str()),
        Bind::from(event.run),
    ];
    let columns = "INSERT INTO trigger_event (seq, flow, trigger, key, at, verdict, payload, run) ";
    let with_stored =
        "INSERT INTO trigger_event (seq, flow, trigger, key, at, verdict, payload, run, stored) ";
    match &event.stored {
        None => batch.append(columns, 8, values),
        Some(stored) => {
            values.push(Bind::from(serde_json::to_string(stored)?));
            batch.append(with_stored, 9, values);
        }
    }
    if let Some(cursor) = &event.cursor {
        put_cursor(batch, event.flow, &event.trigger, cursor);
    }
    Ok(())
}

/// Writes where a trigger is.
pub fn put_cursor(batch: &mut Batch, flow: i64, trigger: &str, cursor: &Value) {
    batch.append(
        "INSERT OR REPLACE INTO trigger_cursor (flow, trigger, cursor) ",
        3,
        vec![Bind::Int(flow), Bind::from(trigger), Bind::from(cursor.to_string())],
    );
}

/// Where a trigger is, if it ever was anywhere.
pub async fn cursor(
    conn: &mut SqliteConnection,
    flow: i64,
    trigger: &str,
) -> Result<Option<Value>> {
    let text: Option<String> =
        sqlx::query_scalar("SELECT cursor FROM trigger_cursor WHERE flow = ? AND trigger = ?")
            .bind(flow)
            .bind(trigger)
            .fetch_optional(conn)
            .await
            .map_err(from_sqlx)?;
    Ok(text.as_deref().map(serde_json::from_str).transpose()?)
}

/// Writes the whole row, in the place of the one before.
pub fn put(batch: &mut Batch, run: &RunRow) -> Result<()> {
    let ms = |at: Option<Timestamp>| Bind::from(at.map(Timestamp::as_ms));
    let error = run.error.as_ref().map(serde_json::to_string).transpose()?;
    batch.append(
        "INSERT OR REPLACE INTO run (seq, id, flow, version, event, kind, parent, detached, \
         again, retry_of, status, priority, depth, queued_at, started_at, ended_at, wake_at, \
         error, trigger_type) ",
        19,
        vec![
            Bind::Int(run.seq),
            Bind::from(run.id.as_str()),
            Bind::Int(run.flow),
            Bind::Int(run.version),
            Bind::Int(run.event),
            Bind::from(run.kind.as_str()),
            Bind::from(run.parent.clone()),
            Bind::Int(run.detached.into()),
            Bind::Int(run.again.into()),
            Bind::from(run.retry_of.clone()),
            Bind::from(run.status.as_str()),
            Bind::Int(run.priority.into()),
            Bind::Int(run.depth.into()),
            Bind::Int(run.queued_at.as_ms()),
            ms(run.started_at),
            ms(run.ended_at),
            ms(run.wake_at),
            Bind::from(error),
            Bind::from(run.trigger_type.as_str()),
        ],
    );
    if let Some(error) = &run.error {
        found::add_words(batch, run.seq, error);
    }
    Ok(())
}

/// As [`put`], for a change that others are to hear of.
pub fn put_changed(tx: &mut Tx, run: &RunRow) -> Result<()> {
    let origin = Origin { depth: run.depth, ..Origin::new(Actor::Flow) };
    let mut batch = Batch::default();
    batch.change(Change::new("run", &run.id, ChangeKind::Updated, &origin));
    put(&mut batch, run)?;
    tx.add(batch);
    Ok(())
}

/// Queues the waiting runs whose time has come, or what one of their nodes waits for, and gives their
/// flows and ids. SQLite uses the index of runs that are not completed only where a query says so in
/// the index's own words.
pub async fn wake(tx: &mut Tx, now: Timestamp) -> Result<Vec<(i64, String)>> {
    let woken: Vec<(i64, String)> = sqlx::query_as(
        "UPDATE run SET status = 'queued', wake_at = NULL
         WHERE status = 'waiting' AND status <> 'completed'
           AND (wake_at <= ? OR id IN (SELECT run FROM run_wait WHERE fresh = 1))
         RETURNING flow, id",
    )
    .bind(now.as_ms())
    .fetch_all(tx.conn())
    .await
    .map_err(from_sqlx)?;
    // What runs and is not parked yet finds it when it parks; what has ended never looks.
    sqlx::query(
        "UPDATE run_wait SET fresh = 0 WHERE fresh = 1
         AND run NOT IN (SELECT id FROM run
           WHERE status IN ('running', 'waiting') AND status <> 'completed')",
    )
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    Ok(woken)
}

/// The run that a node called.
pub async fn child(conn: &mut SqliteConnection, parent: &str) -> Result<Option<RunRow>> {
    let mut query = sqlx::QueryBuilder::new(COLUMNS);
    query.push("WHERE run.parent = ").push_bind(parent);
    let found = query.build().fetch_optional(conn).await.map_err(from_sqlx)?;
    found.as_ref().map(row).transpose()
}

/// The runs that a run called, waits for, and that have not ended.
pub async fn children(conn: &mut SqliteConnection, run: &str) -> Result<Vec<String>> {
    // No id has a slash in it, and `0` is what comes after one.
    sqlx::query_scalar(
        "SELECT id FROM run
         WHERE parent > ? || '/' AND parent < ? || '0' AND detached = 0 AND ended_at IS NULL",
    )
    .bind(run)
    .bind(run)
    .fetch_all(conn)
    .await
    .map_err(from_sqlx)
}

/// Runs that have not ended, and whose end nobody waits for any more.
pub async fn orphans(conn: &mut SqliteConnection) -> Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT child.id FROM run AS child
         JOIN run AS caller ON caller.id = substr(child.parent, 1, instr(child.parent, '/') - 1)
         WHERE child.status IN ('queued', 'running', 'waiting', 'needs_decision')
           AND child.status <> 'completed' AND child.parent IS NOT NULL AND child.detached = 0
           AND caller.ended_at IS NOT NULL",
    )
    .fetch_all(conn)
    .await
    .map_err(from_sqlx)
}

/// When the next waiting run goes on by itself.
pub async fn next_wake(conn: &mut SqliteConnection) -> Result<Option<Timestamp>> {
    let next: Option<i64> = sqlx::query_scalar(
        "SELECT min(wake_at) FROM run INDEXED BY run_status
         WHERE status = 'waiting' AND status <> 'completed'",
    )
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(next.map(Timestamp::from_ms))
}

/// How many runs are parked, and how many need a decision.
pub async fn resting(conn: &mut SqliteConnection) -> Result<(u32, u32)> {
    sqlx::query_as(
        "SELECT count(*) FILTER (WHERE status = 'waiting'),
                count(*) FILTER (WHERE status = 'needs_decision')
         FROM run INDEXED BY run_status
         WHERE status IN ('waiting', 'needs_decision') AND status <> 'completed'",
    )
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)
}

/// How runs ended within some time, when, and how long they took: of those that were queued in it,
/// and the newest of very many.
pub async fn ended_between(
    conn: &mut SqliteConnection,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(RunStatus, Timestamp, Duration)>> {
    /// Reading them takes some milliseconds.
    const MOST: u32 = 10_000;
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT status, ended_at, coalesce(started_at, ended_at) FROM
           (SELECT status, started_at, ended_at FROM run INDEXED BY run_queued
            WHERE queued_at BETWEEN ? AND ? ORDER BY queued_at DESC, seq DESC LIMIT ?)
         WHERE ended_at <= ?",
    )
    .bind(from.as_ms())
    .bind(to.as_ms())
    .bind(MOST)
    .bind(to.as_ms())
    .fetch_all(conn)
    .await
    .map_err(from_sqlx)?;
    rows.into_iter()
        .map(|(status, at, start)| {
            let at = Timestamp::from_ms(at);
            Ok((RunStatus::parse(&status)?, at, at.since(Timestamp::from_ms(start))))
        })
        .collect()
}

/// Forgets a run with everything that hangs on it.
pub async fn delete(conn: &mut SqliteConnection, run: &RunRow) -> Result<()> {
    for sql in [
        "DELETE FROM payload_use WHERE holder = ?",
        "DELETE FROM run_wait WHERE run = (SELECT id FROM run WHERE seq = ?)",
        "DELETE FROM run_journal WHERE run = ?",
        "DELETE FROM run_error WHERE rowid = ?",
        "DELETE FROM run WHERE seq = ?",
    ] {
        sqlx::query(sql).bind(run.seq).execute(&mut *conn).await.map_err(from_sqlx)?;
    }
    let mut query = sqlx::QueryBuilder::new("DELETE FROM trigger_event WHERE seq = ");
    query.push_bind(run.event).push(NOTHING_LEFT);
    query.build().execute(&mut *conn).await.map_err(from_sqlx)?;
    sqlx::query(
        "DELETE FROM payload_use WHERE holder = -?1
         AND NOT EXISTS (SELECT 1 FROM trigger_event WHERE seq = ?1)",
    )
    .bind(run.event)
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// No run is left of an event: the one that it started, or one that was begun again.
pub(super) const NOTHING_LEFT: &str =
    " AND NOT EXISTS (SELECT 1 FROM run WHERE run.seq = trigger_event.run)
      AND NOT EXISTS (SELECT 1 FROM run WHERE run.event = trigger_event.seq AND run.again = 1) ";

/// Writes entries as one part of a run's journal.
pub fn add_entries(batch: &mut Batch, run: i64, part: i64, entries: &[Entry]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let entries = serde_json::to_string(entries)?;
    let values = vec![Bind::Int(run), Bind::Int(part), Bind::from(entries)];
    batch.append("INSERT INTO run_journal (run, part, entries) ", 3, values);
    Ok(())
}

/// The journal of a run from its beginning, and the number of its next part.
pub async fn journal(conn: &mut SqliteConnection, run: i64) -> Result<(Vec<Entry>, i64)> {
    let rows: Vec<(i64, String)> =
        sqlx::query_as("SELECT part, entries FROM run_journal WHERE run = ? ORDER BY part")
            .bind(run)
            .fetch_all(conn)
            .await
            .map_err(from_sqlx)?;
    let next = rows.last().map_or(0, |(part, _)| part + 1);
    let mut entries = Vec::new();
    for (part, text) in rows {
        let read: Vec<Entry> = serde_json::from_str(&text).map_err(|error| {
            Error::internal(format!("part {part} of the journal of run {run}: {error}"))
        })?;
        entries.extend(read);
    }
    Ok((entries, next))
}

/// A run that has ended, with all that led to its end.
#[derive(Debug)]
pub struct PastRun {
    pub row: RunRow,
    pub trigger: String,
    pub payload: Output,
    pub entries: Vec<Entry>,
}

/// The last runs of a flow that a trigger or a person started and that came to their own end, newest
/// first.
pub async fn past(conn: &mut SqliteConnection, flow: i64, last: u32) -> Result<Vec<PastRun>> {
    let mut query = sqlx::QueryBuilder::new(COLUMNS);
    query.push("WHERE run.flow = ").push_bind(flow).push(
        " AND run.kind IN ('live', 'manual') AND run.status IN ('completed', 'failed')
          AND run.retry_of IS NULL ORDER BY run.seq DESC LIMIT ",
    );
    query.push_bind(last);
    let rows = query.build().fetch_all(&mut *conn).await.map_err(from_sqlx)?;
    let mut past = Vec::with_capacity(rows.len());
    for found in &rows {
        let row = row(found)?;
        let (trigger, payload) = event(conn, row.event).await?;
        let (entries, _) = journal(conn, row.seq).await?;
        past.push(PastRun { row, trigger, payload, entries });
    }
    Ok(past)
}

/// The highest numbers of runs and of events.
pub async fn last_numbers(conn: &mut SqliteConnection) -> Result<(i64, i64)> {
    sqlx::query_as(
        "SELECT coalesce((SELECT max(seq) FROM run), 0),
                coalesce((SELECT max(seq) FROM trigger_event), 0)",
    )
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)
}

/// How people call the flow of a run; empty when it was deleted.
#[derive(Debug, Clone, Default)]
pub struct FlowNames {
    pub id: String,
    pub name: String,
}

pub(super) const COLUMNS: &str = "SELECT run.seq, run.id, run.flow, run.version, run.event, \
     run.kind, run.parent, run.detached, run.again, run.retry_of, run.status, run.priority, \
     run.depth, run.queued_at, run.started_at, run.ended_at, run.wake_at, run.error, \
     run.trigger_type, flow.id AS flow_id, flow.name AS flow_name FROM run LEFT JOIN flow ON flow.seq = run.flow ";

/// Runs that have not ended, oldest first.
pub async fn open(conn: &mut SqliteConnection) -> Result<Vec<RunRow>> {
    let mut query = sqlx::QueryBuilder::new(COLUMNS);
    query.push(
        "WHERE run.seq IN (SELECT seq FROM run INDEXED BY run_status
           WHERE status IN ('queued', 'running', 'waiting') AND status <> 'completed')
         ORDER BY run.seq",
    );
    let rows = query.build().fetch_all(conn).await.map_err(from_sqlx)?;
    rows.iter().map(row).collect()
}

/// One run and its flow's names.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn get(conn: &mut SqliteConnection, id: &str) -> Result<(RunRow, FlowNames)> {
    let mut query = sqlx::QueryBuilder::new(COLUMNS);
    query.push("WHERE run.id = ").push_bind(id);
    let found = query.build().fetch_optional(conn).await.map_err(from_sqlx)?;
    named(&found.ok_or_else(|| {
        Error::not_found(format!("the run {id}")).hint("`devrig run list` lists them.")
    })?)
}

/// Those of these runs that have ended, in the order in which they began.
pub async fn ended<'a>(
    conn: &mut SqliteConnection,
    ids: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<(RunRow, FlowNames)>> {
    let mut query = sqlx::QueryBuilder::new(COLUMNS);
    query.push("WHERE run.status IN ('completed', 'failed', 'cancelled') AND run.id IN (");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(id);
    }
    query.push(") ORDER BY run.seq");
    let rows = query.build().fetch_all(conn).await.map_err(from_sqlx)?;
    rows.iter().map(named).collect()
}

pub(super) fn named(found: &SqliteRow) -> Result<(RunRow, FlowNames)> {
    let text = |name: &str| found.try_get::<Option<String>, _>(name).map_err(from_sqlx);
    let names = FlowNames {
        id: text("flow_id")?.unwrap_or_default(),
        name: text("flow_name")?.unwrap_or_default(),
    };
    Ok((row(found)?, names))
}

/// Whether an event with this key started something since a time.
pub async fn came_since(
    conn: &mut SqliteConnection,
    flow: i64,
    trigger: &str,
    key: &str,
    since: Timestamp,
) -> Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM trigger_event
         WHERE flow = ? AND trigger = ? AND key = ? AND at > ? AND verdict <> 'repeated')",
    )
    .bind(flow)
    .bind(trigger)
    .bind(key)
    .bind(since.as_ms())
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)
}

/// The trigger of an event, and what it told or where that is.
pub async fn event(conn: &mut SqliteConnection, seq: i64) -> Result<(String, Output)> {
    let (trigger, payload, stored): (String, String, Option<String>) =
        sqlx::query_as("SELECT trigger, payload, stored FROM trigger_event WHERE seq = ?")
            .bind(seq)
            .fetch_one(conn)
            .await
            .map_err(from_sqlx)?;
    let payload = match stored {
        Some(stored) => Output::Stored(serde_json::from_str(&stored)?),
        None => Output::Here(serde_json::from_str(&payload)?),
    };
    Ok((trigger, payload))
}

fn row(row: &SqliteRow) -> Result<RunRow> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(from_sqlx);
    let number = |name: &str| row.try_get::<i64, _>(name).map_err(from_sqlx);
    let at = |name: &str| {
        let ms = row.try_get::<Option<i64>, _>(name).map_err(from_sqlx)?;
        Ok::<_, Error>(ms.map(Timestamp::from_ms))
    };
    let error: Option<String> = row.try_get("error").map_err(from_sqlx)?;
    Ok(RunRow {
        seq: number("seq")?,
        id: text("id")?,
        flow: number("flow")?,
        version: number("version")?,
        event: number("event")?,
        kind: RunKind::parse(&text("kind")?)?,
        parent: row.try_get("parent").map_err(from_sqlx)?,
        detached: row.try_get("detached").map_err(from_sqlx)?,
        again: number("again")? != 0,
        retry_of: row.try_get("retry_of").map_err(from_sqlx)?,
        status: RunStatus::parse(&text("status")?)?,
        priority: i8::try_from(number("priority")?).unwrap_or_default(),
        depth: u8::try_from(number("depth")?).unwrap_or(u8::MAX),
        queued_at: Timestamp::from_ms(number("queued_at")?),
        started_at: at("started_at")?,
        ended_at: at("ended_at")?,
        wake_at: at("wake_at")?,
        error: error.map(|text| serde_json::from_str(&text)).transpose()?,
        trigger_type: text("trigger_type")?,
    })
}
