//! The SQL of `flow_permission`.

use devrig_core::{Result, Timestamp};
use devrig_store::{SqliteConnection, from_sqlx};

use crate::permissions::{Permission, Permissions};

/// What a flow may touch.
pub async fn list(conn: &mut SqliteConnection, flow: i64) -> Result<Permissions> {
    let id: Option<String> = sqlx::query_scalar("SELECT id FROM flow WHERE seq = ?")
        .bind(flow)
        .fetch_optional(&mut *conn)
        .await
        .map_err(from_sqlx)?;
    let texts: Vec<String> =
        sqlx::query_scalar("SELECT permission FROM flow_permission WHERE flow = ?")
            .bind(flow)
            .fetch_all(conn)
            .await
            .map_err(from_sqlx)?;
    let allowed: Permissions = texts.iter().map(|text| text.parse()).collect::<Result<_>>()?;
    Ok(allowed.of_flow(&id.unwrap_or_default()))
}

/// Allows one thing. What is allowed already stays as it is.
pub async fn add(
    conn: &mut SqliteConnection,
    flow: i64,
    permission: &Permission,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO flow_permission (flow, permission, allowed_at) VALUES (?, ?, ?)
         ON CONFLICT DO NOTHING",
    )
    .bind(flow)
    .bind(permission.to_string())
    .bind(now.to_string())
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// Takes one thing back.
pub async fn remove(conn: &mut SqliteConnection, flow: i64, permission: &Permission) -> Result<()> {
    sqlx::query("DELETE FROM flow_permission WHERE flow = ? AND permission = ?")
        .bind(flow)
        .bind(permission.to_string())
        .execute(conn)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}
