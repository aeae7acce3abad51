//! Checking, copying and restoring the file.

use std::path::{Path, PathBuf};

use devrig_core::{Code, Error, Result};
use serde::Serialize;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::error::from_sqlx;
use crate::migrate;
use crate::open::StoreOptions;

/// What `devrig db check` found.
#[derive(Debug, Clone, Serialize, serde::Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    pub ok: bool,
    /// Problems in SQLite's words; empty when `ok`.
    pub problems: Vec<String>,
    #[specta(type = u32)]
    pub size_bytes: f64,
    pub migrations: u32,
}

/// A file name under the backups folder that tells when and why.
pub(crate) fn name(options: &StoreOptions, why: &str) -> PathBuf {
    let stamp = options.clock.now().to_string().replace([':', '.'], "-");
    options.backups.join(format!("devrig-{stamp}-{why}.db"))
}

/// Writes a compact, consistent copy to `target`, which must not exist.
pub(crate) async fn write(conn: &mut SqliteConnection, target: &Path) -> Result<()> {
    if target.exists() {
        return Err(Error::new(Code::Conflict, format!("{} exists already", target.display()))
            .hint("Choose another file name."));
    }
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder)?;
    }
    sqlx::query("VACUUM INTO ?")
        .bind(target.to_string_lossy().as_ref())
        .execute(conn)
        .await
        .map_err(|error| from_sqlx(error).context(format!("copying to {}", target.display())))?;
    private(target)
}

/// Only the person may read the file.
fn private(file: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600))?;
    }
    let _ = file;
    Ok(())
}

impl crate::Store {
    /// Copies the database; without a target into the backups folder. Gives the copy's path.
    pub async fn backup(&self, target: Option<PathBuf>) -> Result<PathBuf> {
        let target = target.unwrap_or_else(|| name(self.options(), "backup"));
        let mut conn = self.read().await?;
        write(&mut conn, &target).await?;
        Ok(target)
    }

    /// Reads every page and index and every reference between tables.
    pub async fn check(&self) -> Result<Check> {
        let mut conn = self.read().await?;
        inspect(&mut conn, &self.options().file).await
    }
}

async fn inspect(conn: &mut SqliteConnection, file: &Path) -> Result<Check> {
    let mut problems: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(50)")
        .fetch_all(&mut *conn)
        .await
        .map_err(from_sqlx)?;
    problems.retain(|line| line != "ok");
    let broken =
        sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut *conn).await.map_err(from_sqlx)?;
    if !broken.is_empty() {
        problems.push(format!("{} rows refer to rows that do not exist", broken.len()));
    }
    let migrations = migrate::applied(conn).await?.len();
    Ok(Check {
        ok: problems.is_empty(),
        problems,
        size_bytes: std::fs::metadata(file).map_or(0, |meta| meta.len()) as f64,
        migrations: u32::try_from(migrations).unwrap_or(u32::MAX),
    })
}

/// Puts `copy` in the place of the database, which must be closed. The present file is kept in
/// the backups folder; its path is returned.
///
/// # Errors
/// `DATABASE_CORRUPT` or `DATABASE_NEWER` when the copy is not usable; nothing is changed then.
pub async fn restore(options: &StoreOptions, copy: &Path) -> Result<Option<PathBuf>> {
    if !copy.is_file() {
        return Err(
            Error::not_found(copy.display()).hint("Name a file that `devrig db backup` wrote.")
        );
    }
    let mut conn = SqliteConnectOptions::new()
        .filename(copy)
        .read_only(true)
        .connect()
        .await
        .map_err(from_sqlx)?;
    let check = inspect(&mut conn, copy).await?;
    let applied = migrate::applied(&mut conn).await?;
    if !check.ok || applied.is_empty() {
        let problem = check.problems.first().cloned().unwrap_or("not a DevRig database".into());
        return Err(Error::new(
            Code::DatabaseCorrupt,
            format!("{} cannot be restored: {problem}", copy.display()),
        ));
    }
    migrate::refuse_newer(&applied, &migrate::known())?;

    // The copy is complete beside the target before anything is moved. SQLite makes it, as it may
    // have a log of its own.
    let incoming = options.file.with_extension("incoming");
    if incoming.exists() {
        std::fs::remove_file(&incoming)?;
    }
    write(&mut conn, &incoming).await?;
    conn.close().await.map_err(from_sqlx)?;
    std::fs::File::open(&incoming)?.sync_all()?;
    let kept = options.file.exists().then(|| name(options, "before-restore"));
    if let Some(kept) = &kept {
        std::fs::create_dir_all(&options.backups)?;
        for suffix in ["-wal", "-shm", ""] {
            let (from, to) = (with_suffix(&options.file, suffix), with_suffix(kept, suffix));
            if from.exists() {
                std::fs::rename(from, to)?;
            }
        }
    }
    std::fs::rename(&incoming, &options.file)?;
    #[cfg(unix)]
    if let Some(folder) = options.file.parent() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(kept)
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
