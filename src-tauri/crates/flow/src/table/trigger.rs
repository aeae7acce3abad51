//! The SQL of `trigger_state` and `trigger_tally`, and of events as people look at them.

use std::collections::HashMap;

use devrig_core::{Error, Result, Timestamp};
use devrig_store::{Batch, Bind, SqliteConnection, from_sqlx};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// A trigger by its flow's number and its id.
pub type TriggerKey = (i64, String);

/// What was said of a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    pub paused: bool,
    /// It owes nothing of the time before.
    pub since: Timestamp,
}

/// What happened to a trigger.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How often it started a run, and when last.
    pub fired: u64,
    pub fired_at: Option<Timestamp>,
    /// How often it should have and did not.
    pub missed: u64,
    /// Why it last did not, and when that was.
    pub error: Option<(Error, Timestamp)>,
}

/// What was said of all triggers.
pub async fn said(conn: &mut SqliteConnection) -> Result<HashMap<TriggerKey, Said>> {
    let rows: Vec<(i64, String, bool, i64)> =
        sqlx::query_as("SELECT flow, trigger, paused, since FROM trigger_state")
            .fetch_all(conn)
            .await
            .map_err(from_sqlx)?;
    let said = rows.into_iter().map(|(flow, trigger, paused, since)| {
        ((flow, trigger), Said { paused, since: Timestamp::from_ms(since) })
    });
    Ok(said.collect())
}

/// From now on a trigger waits for what it is for; nothing of the time before is owed.
pub async fn begin(
    conn: &mut SqliteConnection,
    flow: i64,
    trigger: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO trigger_state (flow, trigger, since) VALUES (?1, ?2, ?3)
         ON CONFLICT (flow, trigger) DO UPDATE SET since = ?3",
    )
    .bind(flow)
    .bind(trigger)
    .bind(now.as_ms())
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// Pauses a trigger or lets it go on. False when that is how it was.
pub async fn pause(
    conn: &mut SqliteConnection,
    flow: i64,
    trigger: &str,
    paused: bool,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO trigger_state (flow, trigger, paused, since)
         SELECT ?1, ?2, ?3, ?4 WHERE ?3 OR EXISTS
           (SELECT 1 FROM trigger_state WHERE flow = ?1 AND trigger = ?2)
         ON CONFLICT (flow, trigger) DO UPDATE SET paused = ?3, since = ?4 WHERE paused <> ?3",
    )
    .bind(flow)
    .bind(trigger)
    .bind(paused)
    .bind(now.as_ms())
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(done.rows_affected() > 0)
}

/// What happened to all triggers, as far as it was written.
pub async fn tallies(conn: &mut SqliteConnection) -> Result<HashMap<TriggerKey, Tally>> {
    let rows = sqlx::query(
        "SELECT flow, trigger, fired, fired_at, missed, error, error_at FROM trigger_tally",
    )
    .fetch_all(conn)
    .await
    .map_err(from_sqlx)?;
    rows.iter().map(tally).collect()
}

fn tally(row: &SqliteRow) -> Result<(TriggerKey, Tally)> {
    let count = |name: &str| row.try_get::<i64, _>(name).map_err(from_sqlx);
    let at = |name: &str| row.try_get::<Option<i64>, _>(name).map_err(from_sqlx);
    let error: Option<String> = row.try_get("error").map_err(from_sqlx)?;
    let error: Option<Error> = error.map(|text| serde_json::from_str(&text)).transpose()?;
    let tally = Tally {
        fired: count("fired")?.unsigned_abs(),
        fired_at: at("fired_at")?.map(Timestamp::from_ms),
        missed: count("missed")?.unsigned_abs(),
        error: error.zip(at("error_at")?.map(Timestamp::from_ms)),
    };
    Ok(((count("flow")?, row.try_get("trigger").map_err(from_sqlx)?), tally))
}

/// Writes the whole row, in the place of the one before.
pub fn put_tally(batch: &mut Batch, key: &TriggerKey, tally: &Tally) -> Result<()> {
    let count = |count: u64| Bind::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let (error, error_at) = match &tally.error {
        Some((error, at)) => (Some(serde_json::to_string(error)?), Some(at.as_ms())),
        None => (None, None),
    };
    batch.append(
        "INSERT OR REPLACE INTO trigger_tally \
         (flow, trigger, fired, fired_at, missed, error, error_at) ",
        7,
        vec![
            Bind::Int(key.0),
            Bind::from(key.1.as_str()),
            count(tally.fired),
            Bind::from(tally.fired_at.map(Timestamp::as_ms)),
            count(tally.missed),
            Bind::from(error),
            Bind::from(error_at),
        ],
    );
    Ok(())
}

/// Forgets all that is known of the triggers of a flow, but for what they told.
pub async fn forget(conn: &mut SqliteConnection, flow: i64) -> Result<()> {
    for sql in [
        "DELETE FROM trigger_cursor WHERE flow = ?",
        "DELETE FROM trigger_state WHERE flow = ?",
        "DELETE FROM trigger_tally WHERE flow = ?",
    ] {
        sqlx::query(sql).bind(flow).execute(&mut *conn).await.map_err(from_sqlx)?;
    }
    Ok(())
}

/// A run that the trigger started and that has not ended. The index of those is named by its own
/// words, and the flow's many runs that have ended are kept out of it by the plus.
pub async fn open_run(
    conn: &mut SqliteConnection,
    flow: i64,
    trigger: &str,
) -> Result<Option<String>> {
    sqlx::query_scalar(
        "SELECT run.id FROM run JOIN trigger_event AS event ON event.seq = run.event
         WHERE run.status IN ('queued', 'running', 'waiting', 'needs_decision')
           AND run.status <> 'completed' AND +run.flow = ? AND event.trigger = ? LIMIT 1",
    )
    .bind(flow)
    .bind(trigger)
    .fetch_optional(conn)
    .await
    .map_err(from_sqlx)
}

/// What a trigger told, as a list shows it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EventLine {
    pub seq: i64,
    pub trigger: String,
    pub key: Option<String>,
    pub at: i64,
    pub verdict: String,
    /// The beginning of what it told, and how many bytes there are.
    pub beginning: String,
    pub bytes: i64,
    /// The id of the run that it started.
    pub run: Option<String>,
}

/// What the triggers of a flow told, with numbers below `before`, newest first.
pub async fn events(
    conn: &mut SqliteConnection,
    flow: i64,
    trigger: Option<&str>,
    before: i64,
    limit: u32,
) -> Result<Vec<EventLine>> {
    let mut query = sqlx::QueryBuilder::new(
        "SELECT event.seq, event.trigger, event.key, event.at, event.verdict,
                substr(event.payload, 1, 200) AS beginning,
                coalesce(event.stored ->> '$.s', length(CAST(event.payload AS BLOB))) AS bytes,
                run.id AS run
         FROM trigger_event AS event LEFT JOIN run ON run.seq = event.run WHERE event.flow = ",
    );
    query.push_bind(flow).push(" AND event.seq < ").push_bind(before);
    if let Some(trigger) = trigger {
        query.push(" AND event.trigger = ").push_bind(trigger);
    }
    query.push(" ORDER BY event.seq DESC LIMIT ").push_bind(limit);
    query.build_query_as().fetch_all(conn).await.map_err(from_sqlx)
}

/// One event of a flow.
pub async fn event(
    conn: &mut SqliteConnection,
    flow: i64,
    number: i64,
) -> Result<Option<EventLine>> {
    let before = number.saturating_add(1);
    let newest = events(conn, flow, None, before, 1).await?;
    Ok(newest.into_iter().find(|event| event.seq == number))
}
