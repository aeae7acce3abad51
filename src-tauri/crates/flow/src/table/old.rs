//! Runs and events whose time may be over, from the oldest on, and how they are deleted.

use std::collections::HashSet;

use devrig_core::{Result, Timestamp};
use devrig_store::{SqliteConnection, Tx, from_sqlx};
use serde_json::Value;
use sqlx::{QueryBuilder, Row};

use super::payload;
use super::run::NOTHING_LEFT;
use crate::retention::Cleaned;
use crate::run::RunStatus;

/// What decides whether a run may go.
#[derive(Debug, Clone)]
pub struct Old {
    pub seq: i64,
    pub queued_at: Timestamp,
    pub status: RunStatus,
    pub ended_at: Option<Timestamp>,
}

/// How far the old runs have been looked at.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The last one to look at, as `after`.
    pub until: (Timestamp, i64),
    /// The time of queuing and the number of the last one.
    pub after: Option<(Timestamp, i64)>,
}

/// The next runs, of one flow or all, oldest first.
pub async fn page(
    conn: &mut SqliteConnection,
    flow: Option<i64>,
    place: Place,
    limit: u32,
) -> Result<Vec<Old>> {
    let mut query = QueryBuilder::new("SELECT seq, queued_at, status, ended_at FROM run ");
    match flow {
        Some(flow) => query.push("INDEXED BY run_flow WHERE flow = ").push_bind(flow),
        None => query.push("INDEXED BY run_queued WHERE 1"),
    };
    query.push(" AND (queued_at, seq) <= (").push_bind(place.until.0.as_ms());
    query.push(", ").push_bind(place.until.1).push(")");
    if let Some((at, seq)) = place.after {
        query.push(" AND (queued_at, seq) > (").push_bind(at.as_ms());
        query.push(", ").push_bind(seq).push(")");
    }
    query.push(" ORDER BY queued_at, seq LIMIT ").push_bind(limit);
    let rows = query.build().fetch_all(conn).await.map_err(from_sqlx)?;
    rows.iter().map(row).collect()
}

fn row(row: &sqlx::sqlite::SqliteRow) -> Result<Old> {
    let status: String = row.try_get("status").map_err(from_sqlx)?;
    let ended_at: Option<i64> = row.try_get("ended_at").map_err(from_sqlx)?;
    Ok(Old {
        seq: row.try_get("seq").map_err(from_sqlx)?,
        queued_at: Timestamp::from_ms(row.try_get("queued_at").map_err(from_sqlx)?),
        status: RunStatus::parse(&status)?,
        ended_at: ended_at.map(Timestamp::from_ms),
    })
}

/// The flows that have more than so many runs.
pub async fn flows_beyond(conn: &mut SqliteConnection, most: u32) -> Result<Vec<i64>> {
    sqlx::query_scalar("SELECT flow FROM run INDEXED BY run_flow GROUP BY flow HAVING count(*) > ?")
        .bind(most)
        .fetch_all(conn)
        .await
        .map_err(from_sqlx)
}

/// The newest run of a flow that is beyond its newest `most`: when it was queued, and its number.
pub async fn nth_newest(
    conn: &mut SqliteConnection,
    flow: i64,
    most: u32,
) -> Result<Option<(Timestamp, i64)>> {
    let found: Option<(i64, i64)> = sqlx::query_as(
        "SELECT queued_at, seq FROM run INDEXED BY run_flow WHERE flow = ?
         ORDER BY queued_at DESC, seq DESC LIMIT 1 OFFSET ?",
    )
    .bind(flow)
    .bind(most)
    .fetch_optional(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(found.map(|(at, seq)| (Timestamp::from_ms(at), seq)))
}

/// The flows whose version in use says that only runs that failed are kept.
pub async fn flows_that_keep_failures(conn: &mut SqliteConnection) -> Result<HashSet<i64>> {
    let flows: Vec<i64> = sqlx::query_scalar(
        "SELECT flow.seq FROM flow
         JOIN flow_version AS used
           ON used.flow = flow.seq AND used.version = coalesce(flow.live, flow.latest)
         WHERE used.definition ->> '$.settings.saveRuns' = 'failed'",
    )
    .fetch_all(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(flows.into_iter().collect())
}

/// Deletes those of these runs that have ended, with their journals, and their events where
/// nothing else came of them. An event that names itself is kept until its time is over, so that
/// it is known when it is told again.
pub async fn delete(tx: &mut Tx, runs: &[i64], events_until: Timestamp) -> Result<Cleaned> {
    let list = serde_json::to_string(runs)?;
    // A run that was begun again since it was looked at stays.
    let gone: Vec<(i64, i64, String)> = sqlx::query_as(
        "DELETE FROM run WHERE seq IN (SELECT value FROM json_each(?))
           AND status IN ('completed', 'failed', 'cancelled') RETURNING seq, event, id",
    )
    .bind(list)
    .fetch_all(tx.conn())
    .await
    .map_err(from_sqlx)?;
    let list = |of: fn(&(i64, i64, String)) -> Value| {
        Value::Array(gone.iter().map(of).collect()).to_string()
    };
    let (runs, events, ids) = (
        list(|gone| gone.0.into()),
        list(|gone| gone.1.into()),
        list(|gone| gone.2.as_str().into()),
    );
    for (sql, which) in [
        ("DELETE FROM run_journal WHERE run IN (SELECT value FROM json_each(?))", &runs),
        ("DELETE FROM run_error WHERE rowid IN (SELECT value FROM json_each(?))", &runs),
        ("DELETE FROM run_wait WHERE run IN (SELECT value FROM json_each(?))", &ids),
    ] {
        sqlx::query(sql).bind(which).execute(tx.conn()).await.map_err(from_sqlx)?;
    }
    payload::forget(tx.conn(), &runs).await?;
    let mut query =
        QueryBuilder::new("DELETE FROM trigger_event WHERE seq IN (SELECT value FROM json_each(");
    query.push_bind(events).push(")) AND (key IS NULL OR at <= ").push_bind(events_until.as_ms());
    query.push(")").push(NOTHING_LEFT).push("RETURNING seq");
    let events: Vec<i64> =
        query.build_query_scalar().fetch_all(tx.conn()).await.map_err(from_sqlx)?;
    forget_told(tx, &events).await?;
    Ok(Cleaned { runs: count(gone.len()), events: count(events.len()) })
}

/// Events point to payloads by their numbers with a minus.
async fn forget_told(tx: &mut Tx, events: &[i64]) -> Result<()> {
    let holders = events.iter().map(|event| Value::from(-event)).collect();
    payload::forget(tx.conn(), &Value::Array(holders).to_string()).await
}

/// The number of the last of the next events after `after`; nothing where none of them is as old
/// as `until`.
pub async fn events_page(
    conn: &mut SqliteConnection,
    after: i64,
    until: Timestamp,
    limit: u32,
) -> Result<Option<i64>> {
    let (last, oldest): (Option<i64>, Option<i64>) = sqlx::query_as(
        "SELECT max(seq), min(at) FROM
           (SELECT seq, at FROM trigger_event WHERE seq > ? ORDER BY seq LIMIT ?)",
    )
    .bind(after)
    .bind(limit)
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(last.filter(|_| oldest.is_some_and(|at| at <= until.as_ms())))
}

/// Deletes the old ones of some events, where no run is left of them.
pub async fn delete_events(tx: &mut Tx, after: i64, last: i64, until: Timestamp) -> Result<u32> {
    let mut query = QueryBuilder::new("DELETE FROM trigger_event WHERE seq > ");
    query.push_bind(after).push(" AND seq <= ").push_bind(last);
    query.push(" AND at <= ").push_bind(until.as_ms()).push(NOTHING_LEFT).push("RETURNING seq");
    let gone: Vec<i64> =
        query.build_query_scalar().fetch_all(tx.conn()).await.map_err(from_sqlx)?;
    forget_told(tx, &gone).await?;
    Ok(count(gone.len()))
}

fn count(rows: impl TryInto<u32>) -> u32 {
    rows.try_into().unwrap_or(u32::MAX)
}
