//! The table `account`.

use devrig_core::id::AccountId;
use devrig_core::{Change, ChangeKind, Code, Error, Origin, Result};
use devrig_store::{Tx, from_sqlx};
use serde_json::Value;
use sqlx::SqliteExecutor;

use super::{get, json};
use crate::info::ConnectionState;

#[derive(Debug, Clone)]
pub struct AccountRow {
    pub id: AccountId,
    pub plugin: String,
    pub name: String,
    pub settings: Value,
    pub connection: Option<ConnectionState>,
}

pub async fn all(executor: impl SqliteExecutor<'_>) -> Result<Vec<AccountRow>> {
    let rows = sqlx::query(
        "SELECT id, plugin, name, settings, connection FROM account ORDER BY plugin, created_at, id",
    )
    .fetch_all(executor)
    .await
    .map_err(from_sqlx)?;
    rows.iter()
        .map(|row| {
            Ok(AccountRow {
                id: AccountId(get(row, "id")?),
                plugin: get(row, "plugin")?,
                name: get(row, "name")?,
                settings: json(row, "settings")?.unwrap_or_default(),
                connection: json(row, "connection")?,
            })
        })
        .collect()
}

/// # Errors
/// `CONFLICT` when the plugin has an account of that name.
pub async fn insert(tx: &mut Tx, row: &AccountRow, origin: &Origin) -> Result<()> {
    let now = tx.now().to_string();
    sqlx::query(
        "INSERT INTO account (id, plugin, name, settings, created_at) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(row.id.as_str())
    .bind(&row.plugin)
    .bind(&row.name)
    .bind(row.settings.to_string())
    .bind(now)
    .execute(tx.conn())
    .await
    .map_err(|error| taken(error, &row.name))?;
    tx.change(Change::new("account", row.id.as_str(), ChangeKind::Created, origin));
    Ok(())
}

/// Stores name and settings.
///
/// # Errors
/// `CONFLICT` when the plugin has another account of that name; `NOT_FOUND`.
pub async fn update(tx: &mut Tx, row: &AccountRow, origin: &Origin) -> Result<()> {
    let done = sqlx::query("UPDATE account SET name = ?, settings = ? WHERE id = ?")
        .bind(&row.name)
        .bind(row.settings.to_string())
        .bind(row.id.as_str())
        .execute(tx.conn())
        .await
        .map_err(|error| taken(error, &row.name))?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found(format!("the account {}", row.id)));
    }
    tx.change(Change::new("account", row.id.as_str(), ChangeKind::Updated, origin));
    Ok(())
}

/// Stores what the service said of the account's secret.
pub async fn set_connection(
    tx: &mut Tx,
    id: &AccountId,
    state: Option<&ConnectionState>,
    origin: &Origin,
) -> Result<()> {
    let state = state.map(serde_json::to_string).transpose()?;
    sqlx::query("UPDATE account SET connection = ? WHERE id = ?")
        .bind(state)
        .bind(id.as_str())
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    tx.change(Change::new("account", id.as_str(), ChangeKind::Updated, origin));
    Ok(())
}

fn taken(error: sqlx::Error, name: &str) -> Error {
    let is_taken = error.as_database_error().is_some_and(|error| error.is_unique_violation());
    if is_taken {
        return Error::new(Code::Conflict, format!("the plugin has an account {name:?} already"))
            .hint("Choose another name.");
    }
    from_sqlx(error)
}

/// Deletes the account with its grants, sync state and storage.
pub async fn delete(tx: &mut Tx, id: &AccountId, origin: &Origin) -> Result<()> {
    sqlx::query("DELETE FROM account WHERE id = ?")
        .bind(id.as_str())
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    tx.change(Change::new("account", id.as_str(), ChangeKind::Deleted, origin));
    Ok(())
}
