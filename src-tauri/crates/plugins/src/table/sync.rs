//! The table `sync_state`: one row for each data source of each account.

use devrig_core::id::AccountId;
use devrig_core::{Change, ChangeKind, Error, Origin, Result, Timestamp};
use devrig_store::{Tx, from_sqlx};
use sqlx::SqliteExecutor;
use sqlx::sqlite::SqliteRow;

use super::{get, json};

#[derive(Debug, Clone)]
pub struct SyncRow {
    pub account: AccountId,
    pub source: String,
    pub cursor: Option<String>,
    pub backfilled: bool,
    pub enabled: bool,
    pub interval_ms: Option<i64>,
    pub next_at: Timestamp,
    pub failures: u32,
    pub error: Option<Error>,
    pub waiting: Option<String>,
    pub last_sync_at: Option<Timestamp>,
    /// When the last run ended, well or not.
    pub ended_at: Option<Timestamp>,
    /// When that run had begun; none where it is to run again at once.
    pub began_at: Option<Timestamp>,
    pub quiet_hours: Option<String>,
    pub items_synced: i64,
}

fn read(row: &SqliteRow) -> Result<SyncRow> {
    Ok(SyncRow {
        account: AccountId(get(row, "account")?),
        source: get(row, "source")?,
        cursor: get(row, "cursor")?,
        backfilled: get(row, "backfilled")?,
        enabled: get(row, "enabled")?,
        interval_ms: get(row, "interval_ms")?,
        next_at: get::<String>(row, "next_at")?.parse()?,
        failures: get(row, "failures")?,
        error: json(row, "error")?,
        waiting: get(row, "waiting")?,
        last_sync_at: time(row, "last_sync_at")?,
        ended_at: time(row, "ended_at")?,
        began_at: time(row, "began_at")?,
        quiet_hours: get(row, "quiet_hours")?,
        items_synced: get(row, "items_synced")?,
    })
}

fn time(row: &SqliteRow, column: &'static str) -> Result<Option<Timestamp>> {
    get::<Option<String>>(row, column)?.map(|text| text.parse()).transpose()
}

pub async fn all(executor: impl SqliteExecutor<'_>) -> Result<Vec<SyncRow>> {
    let rows = sqlx::query(
        "SELECT account, source, cursor, backfilled, enabled, interval_ms, next_at, failures,
           error, waiting, last_sync_at, ended_at, began_at, quiet_hours, items_synced
         FROM sync_state ORDER BY account, source",
    )
    .fetch_all(executor)
    .await
    .map_err(from_sqlx)?;
    rows.iter().map(read).collect()
}

pub async fn one(
    executor: impl SqliteExecutor<'_>,
    account: &AccountId,
    source: &str,
) -> Result<Option<SyncRow>> {
    let row = sqlx::query(
        "SELECT account, source, cursor, backfilled, enabled, interval_ms, next_at, failures,
           error, waiting, last_sync_at, ended_at, began_at, quiet_hours, items_synced
         FROM sync_state WHERE account = ? AND source = ?",
    )
    .bind(account.as_str())
    .bind(source)
    .fetch_optional(executor)
    .await
    .map_err(from_sqlx)?;
    row.as_ref().map(read).transpose()
}

/// Makes the row of a source unless it is there.
pub async fn ensure(tx: &mut Tx, account: &AccountId, source: &str) -> Result<()> {
    let now = tx.now().to_string();
    sqlx::query(
        "INSERT INTO sync_state (account, source, next_at) VALUES (?, ?, ?)
         ON CONFLICT DO NOTHING",
    )
    .bind(account.as_str())
    .bind(source)
    .bind(now)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// Stores when it is due next; what waited is tried again then.
pub async fn schedule(
    tx: &mut Tx,
    account: &AccountId,
    source: &str,
    next_at: Timestamp,
) -> Result<()> {
    sqlx::query("UPDATE sync_state SET next_at = ? WHERE account = ? AND source = ?")
        .bind(next_at.to_string())
        .bind(account.as_str())
        .bind(source)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// Commits a page: called after its items are stored, never before.
pub async fn commit_page(
    tx: &mut Tx,
    account: &AccountId,
    source: &str,
    cursor: &str,
    items: i64,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE sync_state SET cursor = ?, items_synced = items_synced + ?
         WHERE account = ? AND source = ?",
    )
    .bind(cursor)
    .bind(items)
    .bind(account.as_str())
    .bind(source)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    Ok(done.rows_affected() == 1)
}

/// How a sync ended.
#[derive(Debug, Clone)]
pub enum End {
    /// `caught_up` unless the page cap ended it.
    Well {
        caught_up: bool,
    },
    Failed(Error),
    Waits(String),
    /// Not at all: it is to run again.
    Due,
}

/// Stores how a run ended that had begun at `began_at`.
pub async fn end(
    tx: &mut Tx,
    account: &AccountId,
    source: &str,
    end: &End,
    began_at: Timestamp,
    next_at: Timestamp,
) -> Result<()> {
    let now = tx.now().to_string();
    let began_at = (!matches!(end, End::Due)).then(|| began_at.to_string());
    let (well, caught_up, error, waiting) = match end {
        End::Well { caught_up } => (true, *caught_up, None, None),
        End::Failed(error) => (false, false, Some(serde_json::to_string(error)?), None),
        End::Waits(why) => (false, false, None, Some(why.clone())),
        End::Due => (false, false, None, None),
    };
    sqlx::query(
        "UPDATE sync_state SET
           next_at = ?1, error = ?2, waiting = ?3,
           failures = CASE WHEN ?2 IS NULL THEN 0 ELSE failures + 1 END,
           backfilled = backfilled OR ?4,
           last_sync_at = CASE WHEN ?5 THEN ?6 ELSE last_sync_at END,
           ended_at = ?6, began_at = ?9
         WHERE account = ?7 AND source = ?8",
    )
    .bind(next_at.to_string())
    .bind(error)
    .bind(waiting)
    .bind(caught_up)
    .bind(well)
    .bind(now)
    .bind(account.as_str())
    .bind(source)
    .bind(began_at)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    changed(tx, account, source);
    Ok(())
}

/// What the person chose for a source; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    pub interval_ms: Option<i64>,
    pub enabled: Option<bool>,
    /// Empty for none.
    pub quiet_hours: Option<String>,
}

/// Stores what the person chose for a source.
pub async fn configure(
    tx: &mut Tx,
    account: &AccountId,
    source: &str,
    chosen: &Chosen,
    next_at: Timestamp,
) -> Result<()> {
    sqlx::query(
        "UPDATE sync_state SET interval_ms = coalesce(?, interval_ms),
           enabled = coalesce(?, enabled), quiet_hours = nullif(coalesce(?, quiet_hours), ''),
           next_at = ?
         WHERE account = ? AND source = ?",
    )
    .bind(chosen.interval_ms)
    .bind(chosen.enabled)
    .bind(chosen.quiet_hours.clone())
    .bind(next_at.to_string())
    .bind(account.as_str())
    .bind(source)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    changed(tx, account, source);
    Ok(())
}

fn changed(tx: &mut Tx, account: &AccountId, source: &str) {
    let id = format!("{account}/{source}");
    let origin = Origin::new(devrig_core::Actor::System);
    tx.change(Change::new("sync_state", id, ChangeKind::Updated, &origin));
}

/// Makes what waited due at once: of one account, or of all. For one account the person gave
/// something, which what failed there may have lacked too.
pub async fn recheck(tx: &mut Tx, account: Option<&AccountId>) -> Result<u64> {
    let now = tx.now().to_string();
    let done = sqlx::query(
        "UPDATE sync_state SET waiting = NULL, next_at = ?1
         WHERE (?2 IS NULL AND waiting IS NOT NULL)
           OR (account = ?2 AND (waiting IS NOT NULL OR error IS NOT NULL))",
    )
    .bind(now)
    .bind(account.map(AccountId::as_str))
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    Ok(done.rows_affected())
}
