//! The SQL of `secret` and `secret_key`.

use devrig_core::{Code, Error, Result, Timestamp};
use devrig_store::{SqliteConnection, from_sqlx};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteExecutor};

use crate::cipher::Sealed;
use crate::passphrase::Wrap;

/// A key as the file knows it: everything but the key.
#[derive(Debug, Clone)]
pub struct KeyRow {
    pub id: String,
    pub proof: Sealed,
    /// The key itself, sealed under the passphrase; none when the keychain has it.
    pub wrap: Option<Wrap>,
}

/// The newest key: the one that values are sealed with.
pub async fn present_key(executor: impl SqliteExecutor<'_>) -> Result<Option<KeyRow>> {
    let row = sqlx::query(
        "SELECT id, nonce, proof AS ciphertext, wrap FROM secret_key
         ORDER BY created_at DESC LIMIT 1",
    )
    .fetch_optional(executor)
    .await
    .map_err(from_sqlx)?;
    row.map(|row| {
        let wrap: Option<String> = row.try_get("wrap").map_err(from_sqlx)?;
        Ok(KeyRow {
            id: row.try_get("id").map_err(from_sqlx)?,
            proof: sealed(&row, "the key")?,
            wrap: wrap.map(|wrap| serde_json::from_str(&wrap)).transpose()?,
        })
    })
    .transpose()
}

pub async fn insert_key(conn: &mut SqliteConnection, key: &KeyRow, now: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO secret_key (id, kept_in, nonce, proof, created_at, wrap)
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(&key.id)
    .bind(if key.wrap.is_some() { "passphrase" } else { "keychain" })
    .bind(key.proof.nonce.as_slice())
    .bind(&key.proof.ciphertext)
    .bind(now.to_string())
    .bind(key.wrap.as_ref().map(serde_json::to_string).transpose()?)
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// Removes keys that seal nothing.
pub async fn delete_unused_keys(conn: &mut SqliteConnection) -> Result<()> {
    sqlx::query("DELETE FROM secret_key WHERE id NOT IN (SELECT key_id FROM secret)")
        .execute(conn)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// Removes every key but this one.
pub async fn delete_other_keys(conn: &mut SqliteConnection, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM secret_key WHERE id <> ?")
        .bind(id)
        .execute(conn)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

pub async fn any(executor: impl SqliteExecutor<'_>) -> Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM secret)")
        .fetch_one(executor)
        .await
        .map_err(from_sqlx)
}

/// Stores a value in the place of the one before. True when there was none.
pub async fn put(
    conn: &mut SqliteConnection,
    scope: &str,
    name: &str,
    key_id: &str,
    sealed: &Sealed,
    now: Timestamp,
) -> Result<bool> {
    let created: bool = sqlx::query_scalar(
        "INSERT INTO secret (scope, name, key_id, nonce, ciphertext, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
         ON CONFLICT (scope, name) DO UPDATE SET
           key_id = excluded.key_id, nonce = excluded.nonce, ciphertext = excluded.ciphertext,
           updated_at = excluded.updated_at
         RETURNING created_at = updated_at",
    )
    .bind(scope)
    .bind(name)
    .bind(key_id)
    .bind(sealed.nonce.as_slice())
    .bind(&sealed.ciphertext)
    .bind(now.to_string())
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(created)
}

/// A stored value and the key that it needs.
pub async fn get(
    executor: impl SqliteExecutor<'_>,
    scope: &str,
    name: &str,
) -> Result<Option<(String, Sealed)>> {
    let row =
        sqlx::query("SELECT key_id, nonce, ciphertext FROM secret WHERE scope = ? AND name = ?")
            .bind(scope)
            .bind(name)
            .fetch_optional(executor)
            .await
            .map_err(from_sqlx)?;
    row.map(|row| Ok((row.try_get("key_id").map_err(from_sqlx)?, sealed(&row, name)?))).transpose()
}

pub async fn delete(conn: &mut SqliteConnection, scope: &str, name: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM secret WHERE scope = ? AND name = ?")
        .bind(scope)
        .bind(name)
        .execute(conn)
        .await
        .map_err(from_sqlx)?;
    Ok(done.rows_affected() > 0)
}

/// A stored value as it lies in the file.
#[derive(Debug, Clone)]
pub struct SecretRow {
    pub scope: String,
    pub name: String,
    pub key_id: String,
    pub sealed: Sealed,
}

pub async fn all(conn: &mut SqliteConnection) -> Result<Vec<SecretRow>> {
    let rows = sqlx::query("SELECT scope, name, key_id, nonce, ciphertext FROM secret")
        .fetch_all(conn)
        .await
        .map_err(from_sqlx)?;
    let text = |row: &SqliteRow, column| row.try_get::<String, _>(column).map_err(from_sqlx);
    rows.iter()
        .map(|row| {
            let name = text(row, "name")?;
            Ok(SecretRow {
                scope: text(row, "scope")?,
                key_id: text(row, "key_id")?,
                sealed: sealed(row, &name)?,
                name,
            })
        })
        .collect()
}

/// Stores the same value as another key sealed it.
pub async fn reseal(conn: &mut SqliteConnection, row: &SecretRow) -> Result<()> {
    sqlx::query(
        "UPDATE secret SET key_id = ?, nonce = ?, ciphertext = ? WHERE scope = ? AND name = ?",
    )
    .bind(&row.key_id)
    .bind(row.sealed.nonce.as_slice())
    .bind(&row.sealed.ciphertext)
    .bind(&row.scope)
    .bind(&row.name)
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// Names with the times of creation and last change.
pub async fn names(
    executor: impl SqliteExecutor<'_>,
    scope: &str,
) -> Result<Vec<(String, Timestamp, Timestamp)>> {
    let rows = sqlx::query(
        "SELECT name, created_at, updated_at FROM secret WHERE scope = ? ORDER BY name",
    )
    .bind(scope)
    .fetch_all(executor)
    .await
    .map_err(from_sqlx)?;
    let text = |row: &SqliteRow, column| row.try_get::<String, _>(column).map_err(from_sqlx);
    rows.iter()
        .map(|row| {
            let times = (text(row, "created_at")?.parse()?, text(row, "updated_at")?.parse()?);
            Ok((text(row, "name")?, times.0, times.1))
        })
        .collect()
}

fn sealed(row: &SqliteRow, name: &str) -> Result<Sealed> {
    let nonce: Vec<u8> = row.try_get("nonce").map_err(from_sqlx)?;
    let nonce = nonce.try_into().map_err(|_| {
        Error::new(Code::SecretUnreadable, format!("the stored form of {name} is damaged"))
            .hint("Enter it again.")
    })?;
    Ok(Sealed { nonce, ciphertext: row.try_get("ciphertext").map_err(from_sqlx)? })
}
