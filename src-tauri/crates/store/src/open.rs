//! How the file is opened: pragmas, durability, page sizes (DESIGN §5).

use std::path::{Path, PathBuf};
use std::time::Duration;

use devrig_core::SharedClock;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};

use crate::error::from_sqlx;

/// What a power cut may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Nothing that was acknowledged (`synchronous=FULL`; a sync costs 0.12 ms, and commits go in
    /// groups).
    #[default]
    Full,
    /// The last moments, never the file's consistency (`synchronous=NORMAL`).
    Normal,
}

/// Where the file is and how it is kept.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    pub file: PathBuf,
    /// Where copies go before a migration and by `devrig db backup`.
    pub backups: PathBuf,
    pub clock: SharedClock,
    pub durability: Durability,
    /// Reading connections.
    pub readers: u32,
}

impl StoreOptions {
    pub fn new(file: impl Into<PathBuf>, backups: impl Into<PathBuf>, clock: SharedClock) -> Self {
        Self {
            file: file.into(),
            backups: backups.into(),
            clock,
            durability: Durability::default(),
            readers: 4,
        }
    }
}

fn base(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("cache_size", "-20000")
        .pragma("mmap_size", "268435456")
        .pragma("temp_store", "memory")
        .statement_cache_capacity(512)
        .disable_statement_logging()
}

/// The writing connection. Checkpoints are run by [`crate::checkpoint`], between groups.
pub(crate) async fn writer(options: &StoreOptions) -> devrig_core::Result<SqliteConnection> {
    let synchronous = match options.durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::Normal => SqliteSynchronous::Normal,
    };
    base(&options.file)
        .create_if_missing(true)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .pragma("wal_autocheckpoint", "0")
        .connect()
        .await
        .map_err(from_sqlx)
}

pub(crate) async fn readers(options: &StoreOptions) -> devrig_core::Result<SqlitePool> {
    SqlitePoolOptions::new()
        .max_connections(options.readers)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(base(&options.file).read_only(true))
        .await
        .map_err(from_sqlx)
}
