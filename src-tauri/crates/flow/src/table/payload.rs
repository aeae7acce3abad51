//! The SQL of `payload`, `payload_part` and `payload_use`.
//!
//! Whoever needs a payload says so in `payload_use` before it is written or pointed to; nothing is
//! deleted that stands there. All of it goes through the one writer, so there is no moment between
//! the two.

use devrig_core::{Error, Result};
use devrig_store::{Batch, Bind, SqliteConnection, Store, Tx, from_sqlx};
use sqlx::QueryBuilder;

/// Notes that a run or an event points to a payload, and gives whether all of it is there already.
pub async fn claim(tx: &mut Tx, holder: i64, hash: &str, size: i64) -> Result<bool> {
    sqlx::query("INSERT OR IGNORE INTO payload_use (holder, hash) VALUES (?, ?)")
        .bind(holder)
        .bind(hash)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    sqlx::query_scalar(
        "INSERT INTO payload (hash, size) VALUES (?, ?)
         ON CONFLICT (hash) DO UPDATE SET size = size RETURNING whole",
    )
    .bind(hash)
    .bind(size)
    .fetch_one(tx.conn())
    .await
    .map_err(from_sqlx)
}

/// Notes that a run points to payloads that another one has brought.
///
/// # Errors
/// `NOT_FOUND` when one of them is not there any more.
pub async fn share(tx: &mut Tx, holder: i64, hashes: &[String]) -> Result<()> {
    for hash in hashes {
        let there = sqlx::query(
            "INSERT INTO payload_use (holder, hash) SELECT ?, hash FROM payload
             WHERE hash = ? AND whole = 1 ON CONFLICT DO UPDATE SET hash = excluded.hash",
        )
        .bind(holder)
        .bind(hash)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
        if there.rows_affected() == 0 {
            return Err(gone(hash));
        }
    }
    Ok(())
}

/// The same for payloads that are certainly there, as whoever gives them away points to them.
pub fn hand_on(batch: &mut Batch, holder: i64, hashes: &[String]) {
    let each = |hash: &String| [Bind::Int(holder), Bind::from(hash.as_str())];
    let values = hashes.iter().flat_map(each).collect();
    batch.append("INSERT OR IGNORE INTO payload_use (holder, hash) ", 2, values);
}

/// Writes a part. A second time it is the same.
pub async fn add_part(store: &Store, hash: &str, part: i64, bytes: Vec<u8>) -> Result<()> {
    let into = "INSERT OR REPLACE INTO payload_part (hash, part, bytes) ";
    store.append(into, 3, vec![Bind::from(hash), Bind::Int(part), Bind::Blob(bytes)]).await
}

/// Writes the last part, and notes that all are there.
pub async fn complete(tx: &mut Tx, hash: &str, part: i64, bytes: &[u8]) -> Result<()> {
    sqlx::query("INSERT OR REPLACE INTO payload_part (hash, part, bytes) VALUES (?, ?, ?)")
        .bind(hash)
        .bind(part)
        .bind(bytes)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    sqlx::query("UPDATE payload SET whole = 1 WHERE hash = ?")
        .bind(hash)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// All parts of a payload, in their order. One statement, so that none goes while others are read.
///
/// # Errors
/// `NOT_FOUND` for a payload that is not there whole.
pub async fn parts(conn: &mut SqliteConnection, hash: &str) -> Result<Vec<Vec<u8>>> {
    let parts: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT bytes FROM payload_part WHERE hash = ?1
           AND EXISTS (SELECT 1 FROM payload WHERE hash = ?1 AND whole = 1) ORDER BY part",
    )
    .bind(hash)
    .fetch_all(conn)
    .await
    .map_err(from_sqlx)?;
    if parts.is_empty() { Err(gone(hash)) } else { Ok(parts) }
}

fn gone(hash: &str) -> Error {
    Error::not_found(format!("the large value {hash}"))
        .hint("It was deleted with the run that it came from. Run the flow again.")
}

/// Runs and events that are deleted point to nothing any more. `holders` is a JSON list.
pub async fn forget(conn: &mut SqliteConnection, holders: &str) -> Result<()> {
    sqlx::query("DELETE FROM payload_use WHERE holder IN (SELECT value FROM json_each(?))")
        .bind(holders)
        .execute(conn)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// The highest numbers of a run and of an event that stand for one here.
pub async fn last_holders(conn: &mut SqliteConnection) -> Result<(i64, i64)> {
    sqlx::query_as(
        "SELECT max(0, coalesce((SELECT max(holder) FROM payload_use), 0)),
                max(0, -coalesce((SELECT min(holder) FROM payload_use), 0))",
    )
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)
}

/// Forgets runs and events that a crash kept from being written, among those up to these numbers.
pub async fn forget_unwritten(tx: &mut Tx, run: i64, event: i64) -> Result<()> {
    sqlx::query(
        "DELETE FROM payload_use WHERE
           (holder BETWEEN 1 AND ? AND NOT EXISTS (SELECT 1 FROM run WHERE seq = holder))
           OR (holder BETWEEN -? AND -1
             AND NOT EXISTS (SELECT 1 FROM trigger_event WHERE seq = -holder))",
    )
    .bind(run)
    .bind(event)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// Payloads that nobody points to, behind `after` in the order of their hashes.
pub async fn loose(conn: &mut SqliteConnection, after: &str, limit: u32) -> Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT hash FROM payload WHERE hash > ?
           AND NOT EXISTS (SELECT 1 FROM payload_use WHERE payload_use.hash = payload.hash)
         ORDER BY hash LIMIT ?",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await
    .map_err(from_sqlx)
}

/// Deletes at most `limit` parts of these payloads, as far as nobody points to them, and gives
/// whether something is left to delete. Whoever wants one again meanwhile finds that it is not whole
/// and writes it anew.
pub async fn free(tx: &mut Tx, hashes: &[String], limit: u32) -> Result<bool> {
    let unused = "AND NOT EXISTS (SELECT 1 FROM payload_use AS used WHERE used.hash = ";
    let listed = serde_json::to_string(hashes)?;
    let mut broken = QueryBuilder::new("UPDATE payload SET whole = 0 WHERE hash IN ");
    broken.push("(SELECT value FROM json_each(").push_bind(&listed).push(")) ");
    broken.push(unused).push("payload.hash)");
    broken.build().execute(tx.conn()).await.map_err(from_sqlx)?;
    let mut parts = QueryBuilder::new("DELETE FROM payload_part WHERE rowid IN ");
    parts.push("(SELECT rowid FROM payload_part AS old WHERE hash IN ");
    parts.push("(SELECT value FROM json_each(").push_bind(&listed).push(")) ");
    parts.push(unused).push("old.hash) LIMIT ").push_bind(limit).push(")");
    let gone = parts.build().execute(tx.conn()).await.map_err(from_sqlx)?.rows_affected();
    if gone >= u64::from(limit) {
        return Ok(true);
    }
    let mut rows = QueryBuilder::new("DELETE FROM payload WHERE hash IN ");
    rows.push("(SELECT value FROM json_each(").push_bind(&listed).push(")) ");
    rows.push(unused).push("payload.hash)");
    rows.build().execute(tx.conn()).await.map_err(from_sqlx)?;
    Ok(false)
}
