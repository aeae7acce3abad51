//! Settings: one JSON value for each key.

use devrig_core::{Change, ChangeKind, Error, Origin, Result};
use serde_json::Value;
use sqlx::{Row, SqliteExecutor};

use crate::error::from_sqlx;
use crate::tx::Tx;

/// The value of `key`, when it was ever set.
pub async fn get(executor: impl SqliteExecutor<'_>, key: &str) -> Result<Option<Value>> {
    let text: Option<String> = sqlx::query_scalar("SELECT value FROM setting WHERE key = ?")
        .bind(key)
        .fetch_optional(executor)
        .await
        .map_err(from_sqlx)?;
    text.map(|text| parse(key, &text)).transpose()
}

/// Every setting that was ever set, by key.
pub async fn all(executor: impl SqliteExecutor<'_>) -> Result<Vec<(String, Value)>> {
    let rows = sqlx::query("SELECT key, value FROM setting ORDER BY key")
        .fetch_all(executor)
        .await
        .map_err(from_sqlx)?;
    rows.iter()
        .map(|row| {
            let key: String = row.try_get(0).map_err(from_sqlx)?;
            let text: String = row.try_get(1).map_err(from_sqlx)?;
            let value = parse(&key, &text)?;
            Ok((key, value))
        })
        .collect()
}

/// Stores the value and its change row.
pub async fn set(tx: &mut Tx, key: &str, value: &Value, origin: &Origin) -> Result<()> {
    let now = tx.now().to_string();
    sqlx::query(
        "INSERT INTO setting (key, value, updated_at) VALUES (?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
    )
    .bind(key)
    .bind(value.to_string())
    .bind(now)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    tx.change(Change::new("setting", key, ChangeKind::Updated, origin));
    Ok(())
}

fn parse(key: &str, text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|error| Error::internal(format!("the setting {key} is not JSON: {error}")))
}
