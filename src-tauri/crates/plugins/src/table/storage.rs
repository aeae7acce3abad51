//! The tables `plugin_storage` and `plugin_storage_size`.

use devrig_core::id::AccountId;
use devrig_core::{Code, Error, Result};
use devrig_store::{SqliteConnection, Tx, from_sqlx};
use sqlx::SqliteExecutor;

/// Bytes of keys and values that one account can keep.
pub const QUOTA: i64 = 5 * 1024 * 1024;

pub async fn value(
    executor: impl SqliteExecutor<'_>,
    account: &AccountId,
    key: &str,
) -> Result<Option<String>> {
    sqlx::query_scalar("SELECT value FROM plugin_storage WHERE account = ? AND key = ?")
        .bind(account.as_str())
        .bind(key)
        .fetch_optional(executor)
        .await
        .map_err(from_sqlx)
}

/// Keys that begin with `prefix`, sorted.
pub async fn keys(
    executor: impl SqliteExecutor<'_>,
    account: &AccountId,
    prefix: &str,
) -> Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT key FROM plugin_storage
         WHERE account = ?1 AND key >= ?2 AND substr(key, 1, length(?2)) = ?2 ORDER BY key",
    )
    .bind(account.as_str())
    .bind(prefix)
    .fetch_all(executor)
    .await
    .map_err(from_sqlx)
}

/// Stores a value, or deletes the key when there is none.
///
/// # Errors
/// `QUOTA_EXCEEDED`; nothing is stored then.
pub async fn set(tx: &mut Tx, account: &AccountId, key: &str, new: Option<&str>) -> Result<()> {
    let old = value(&mut *tx.conn(), account, key).await?;
    let size = |value: &str| i64::try_from(key.len() + value.len()).unwrap_or(i64::MAX);
    let change = new.map_or(0, size) - old.as_deref().map_or(0, size);
    let held = grow(tx.conn(), account, change).await?;
    // Making room is always possible.
    if held > QUOTA && change > 0 {
        return Err(Error::new(
            Code::QuotaExceeded,
            format!("the storage of this account is full: it holds {} KB", QUOTA / 1024),
        )
        .hint("Delete what is not needed any more."));
    }
    let query = match new {
        Some(value) => sqlx::query(
            "INSERT INTO plugin_storage (account, key, value) VALUES (?, ?, ?)
             ON CONFLICT (account, key) DO UPDATE SET value = excluded.value",
        )
        .bind(account.as_str())
        .bind(key)
        .bind(value),
        None => sqlx::query("DELETE FROM plugin_storage WHERE account = ? AND key = ?")
            .bind(account.as_str())
            .bind(key),
    };
    query.execute(tx.conn()).await.map_err(from_sqlx)?;
    Ok(())
}

async fn grow(conn: &mut SqliteConnection, account: &AccountId, by: i64) -> Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO plugin_storage_size (account, bytes) VALUES (?, max(?, 0))
         ON CONFLICT (account) DO UPDATE SET bytes = max(bytes + excluded.bytes, 0)
         RETURNING bytes",
    )
    .bind(account.as_str())
    .bind(by)
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)
}

pub async fn clear(tx: &mut Tx, account: &AccountId) -> Result<()> {
    for table in [
        "DELETE FROM plugin_storage WHERE account = ?",
        "DELETE FROM plugin_storage_size WHERE account = ?",
    ] {
        sqlx::query(table).bind(account.as_str()).execute(tx.conn()).await.map_err(from_sqlx)?;
    }
    Ok(())
}
