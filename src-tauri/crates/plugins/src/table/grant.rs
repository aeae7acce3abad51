//! The table `grant`: what the person allowed, account by account.

use std::collections::{HashMap, HashSet};

use devrig_core::id::AccountId;
use devrig_core::{Change, ChangeKind, Origin, Result};
use devrig_store::{Tx, from_sqlx};
use sqlx::SqliteExecutor;

use super::get;

pub async fn all(executor: impl SqliteExecutor<'_>) -> Result<HashMap<AccountId, HashSet<String>>> {
    let rows = sqlx::query("SELECT account, permission FROM \"grant\"")
        .fetch_all(executor)
        .await
        .map_err(from_sqlx)?;
    let mut grants: HashMap<AccountId, HashSet<String>> = HashMap::new();
    for row in &rows {
        grants.entry(AccountId(get(row, "account")?)).or_default().insert(get(row, "permission")?);
    }
    Ok(grants)
}

pub async fn insert(
    tx: &mut Tx,
    account: &AccountId,
    permissions: &[String],
    origin: &Origin,
) -> Result<()> {
    let now = tx.now().to_string();
    for permission in permissions {
        sqlx::query(
            "INSERT INTO \"grant\" (account, permission, granted_at) VALUES (?, ?, ?)
             ON CONFLICT DO NOTHING",
        )
        .bind(account.as_str())
        .bind(permission)
        .bind(&now)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    }
    tx.change(Change::new("grant", account.as_str(), ChangeKind::Updated, origin));
    Ok(())
}

/// Takes back one permission, or all of them. Gives how many there were.
pub async fn delete(
    tx: &mut Tx,
    account: &AccountId,
    permission: Option<&str>,
    origin: &Origin,
) -> Result<u64> {
    let done =
        sqlx::query("DELETE FROM \"grant\" WHERE account = ?1 AND (?2 IS NULL OR permission = ?2)")
            .bind(account.as_str())
            .bind(permission)
            .execute(tx.conn())
            .await
            .map_err(from_sqlx)?;
    tx.change(Change::new("grant", account.as_str(), ChangeKind::Updated, origin));
    Ok(done.rows_affected())
}
