//! The table `plugin`.

use devrig_core::{Change, ChangeKind, Error, Origin, Result};
use devrig_store::{Tx, from_sqlx};
use sqlx::SqliteExecutor;

use super::{get, json};
use crate::info::PluginSource;
use crate::package::Hashes;

#[derive(Debug, Clone)]
pub struct PluginRow {
    pub name: String,
    pub version: String,
    pub source: PluginSource,
    pub files: Hashes,
    pub enabled: bool,
    pub quarantine: Option<Error>,
}

fn source_text(source: PluginSource) -> &'static str {
    match source {
        PluginSource::Bundled => "bundled",
        PluginSource::Installed => "installed",
    }
}

pub async fn all(executor: impl SqliteExecutor<'_>) -> Result<Vec<PluginRow>> {
    let rows = sqlx::query(
        "SELECT name, version, source, files, enabled, quarantine FROM plugin ORDER BY name",
    )
    .fetch_all(executor)
    .await
    .map_err(from_sqlx)?;
    rows.iter()
        .map(|row| {
            let source = match get::<String>(row, "source")?.as_str() {
                "bundled" => PluginSource::Bundled,
                _ => PluginSource::Installed,
            };
            Ok(PluginRow {
                name: get(row, "name")?,
                version: get(row, "version")?,
                source,
                files: json(row, "files")?.unwrap_or_default(),
                enabled: get(row, "enabled")?,
                quarantine: json(row, "quarantine")?,
            })
        })
        .collect()
}

/// Stores a plugin, new or in another version. Whether it is enabled stays as it was.
pub async fn put(tx: &mut Tx, row: &PluginRow, origin: &Origin) -> Result<()> {
    let now = tx.now().to_string();
    sqlx::query(
        "INSERT INTO plugin (name, version, source, files, installed_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET version = excluded.version, source = excluded.source,
           files = excluded.files, quarantine = NULL, installed_at = excluded.installed_at",
    )
    .bind(&row.name)
    .bind(&row.version)
    .bind(source_text(row.source))
    .bind(serde_json::to_string(&row.files)?)
    .bind(now)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    tx.change(Change::new("plugin", &row.name, ChangeKind::Updated, origin));
    Ok(())
}

pub async fn set_enabled(tx: &mut Tx, name: &str, enabled: bool, origin: &Origin) -> Result<()> {
    sqlx::query("UPDATE plugin SET enabled = ?, quarantine = NULL WHERE name = ?")
        .bind(enabled)
        .bind(name)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    tx.change(Change::new("plugin", name, ChangeKind::Updated, origin));
    Ok(())
}

pub async fn set_quarantine(tx: &mut Tx, name: &str, why: &Error, origin: &Origin) -> Result<()> {
    sqlx::query("UPDATE plugin SET quarantine = ? WHERE name = ?")
        .bind(serde_json::to_string(why)?)
        .bind(name)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    tx.change(Change::new("plugin", name, ChangeKind::Updated, origin));
    Ok(())
}

pub async fn delete(tx: &mut Tx, name: &str, origin: &Origin) -> Result<()> {
    sqlx::query("DELETE FROM plugin WHERE name = ?")
        .bind(name)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    tx.change(Change::new("plugin", name, ChangeKind::Deleted, origin));
    Ok(())
}
