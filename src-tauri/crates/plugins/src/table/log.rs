//! The table `plugin_log`.

use devrig_core::Result;
use devrig_core::id::AccountId;
use devrig_store::{Bind, Tx, from_sqlx};
use sqlx::SqliteExecutor;

use super::{get, json};
use crate::info::LogLine;

pub const INTO: &str = "INSERT INTO plugin_log (at, plugin, account, level, message, meta) ";
pub const COLUMNS: usize = 6;
/// Lines of one plugin that are kept.
pub const KEPT: i64 = 5_000;

pub fn values(plugin: &str, line: &LogLine) -> [Bind; COLUMNS] {
    [
        Bind::Text(line.at.to_string()),
        Bind::from(plugin),
        Bind::from(line.account.as_str()),
        Bind::from(line.level.as_str()),
        Bind::from(line.message.as_str()),
        Bind::from(line.meta.as_ref().map(ToString::to_string)),
    ]
}

/// The newest lines, newest first.
pub async fn list(
    executor: impl SqliteExecutor<'_>,
    plugin: &str,
    account: Option<&AccountId>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<LogLine>> {
    let rows = sqlx::query(
        "SELECT seq, at, account, level, message, meta FROM plugin_log
         WHERE plugin = ?1 AND (?2 IS NULL OR account = ?2) AND (?3 IS NULL OR seq < ?3)
         ORDER BY seq DESC LIMIT ?4",
    )
    .bind(plugin)
    .bind(account.map(AccountId::as_str))
    .bind(before)
    .bind(limit)
    .fetch_all(executor)
    .await
    .map_err(from_sqlx)?;
    rows.iter()
        .map(|row| {
            Ok(LogLine {
                seq: get::<i64>(row, "seq")? as f64,
                at: get::<String>(row, "at")?.parse()?,
                account: AccountId(get(row, "account")?),
                level: get(row, "level")?,
                message: get(row, "message")?,
                meta: json(row, "meta")?,
            })
        })
        .collect()
}

/// Deletes what is beyond the newest lines of a plugin; all of them when `keep` is 0.
pub async fn trim(tx: &mut Tx, plugin: &str, keep: i64) -> Result<()> {
    sqlx::query(
        "DELETE FROM plugin_log WHERE plugin = ?1 AND seq <= (
           SELECT seq FROM plugin_log WHERE plugin = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
    )
    .bind(plugin)
    .bind(keep)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    Ok(())
}
