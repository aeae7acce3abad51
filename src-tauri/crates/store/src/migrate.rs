//! Brings an older file up to date: all pending migrations in one transaction, after a copy.

use devrig_core::{Code, Error, Result};
use sqlx::migrate::{Migration, Migrator};
use sqlx::{Row, SqliteConnection};

use crate::backup;
use crate::error::from_sqlx;
use crate::open::StoreOptions;

static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations");

pub(crate) async fn run(conn: &mut SqliteConnection, options: &StoreOptions) -> Result<()> {
    let applied = applied(conn).await?;
    let known: Vec<&Migration> = MIGRATIONS.iter().collect();
    refuse_newer(&applied, &known)?;
    let pending: Vec<&Migration> = known
        .into_iter()
        .filter(|migration| !applied.iter().any(|(version, _)| *version == migration.version))
        .collect();
    if pending.is_empty() {
        return Ok(());
    }
    if !applied.is_empty() {
        let copy = backup::name(options, "before-migration");
        backup::write(conn, &copy).await?;
        tracing::info!(copy = %copy.display(), "copied the database before migrating it");
    }
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *conn).await.map_err(from_sqlx)?;
    match apply(conn, options, &pending).await {
        Ok(()) => sqlx::query("COMMIT").execute(conn).await.map_err(from_sqlx).map(drop),
        Err(error) => {
            let _ = sqlx::query("ROLLBACK").execute(conn).await;
            Err(error)
        }
    }
}

async fn apply(
    conn: &mut SqliteConnection,
    options: &StoreOptions,
    pending: &[&Migration],
) -> Result<()> {
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS migration (
           version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT",
    )
    .execute(&mut *conn)
    .await
    .map_err(from_sqlx)?;
    for migration in pending {
        let name = &migration.description;
        sqlx::raw_sql(migration.sql.clone())
            .execute(&mut *conn)
            .await
            .map_err(|error| from_sqlx(error).context(format!("migration {name}")))?;
        sqlx::query("INSERT INTO migration (version, name, applied_at) VALUES (?, ?, ?)")
            .bind(migration.version)
            .bind(name.as_ref())
            .bind(options.clock.now().to_string())
            .execute(&mut *conn)
            .await
            .map_err(from_sqlx)?;
    }
    Ok(())
}

/// Versions and names of what the file has seen; empty for a new file.
pub(crate) async fn applied(conn: &mut SqliteConnection) -> Result<Vec<(i64, String)>> {
    let exists: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migration')",
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(from_sqlx)?;
    if !exists {
        return Ok(Vec::new());
    }
    let rows = sqlx::query("SELECT version, name FROM migration ORDER BY version")
        .fetch_all(conn)
        .await
        .map_err(from_sqlx)?;
    rows.iter()
        .map(|row| Ok((row.try_get(0).map_err(from_sqlx)?, row.try_get(1).map_err(from_sqlx)?)))
        .collect()
}

/// Refuses a file that a later DevRig has changed in ways this one does not know.
pub(crate) fn refuse_newer(applied: &[(i64, String)], known: &[&Migration]) -> Result<()> {
    match applied.iter().find(|(version, _)| !known.iter().any(|m| m.version == *version)) {
        None => Ok(()),
        Some((version, name)) => Err(Error::new(
            Code::DatabaseNewer,
            format!("the database was written by a newer DevRig (change {version}, {name:?})"),
        )
        .hint("Update DevRig, or restore a backup that this version wrote.")),
    }
}

pub(crate) fn known() -> Vec<&'static Migration> {
    MIGRATIONS.iter().collect()
}
