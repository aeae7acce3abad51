//! How the file is opened: pragmas, durability, page sizes (DESIGN §5).

use std::path::{Path, PathBuf};
use std::time::Duration;

use devrig_core::{Code, Error, SharedClock};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};

use crate::error::{from_sqlx, read_only};

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

/// How long a statement waits for a lock.
pub(crate) const BUSY: Duration = Duration::from_secs(5);
/// Large things that are read at a time.
const BULK: u32 = 2;

fn base(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(true)
        .busy_timeout(BUSY)
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
    create_private(&options.file)?;
    let mut connect = base(&options.file);
    // The file remembers it; asking again writes to the file, though it may be one to refuse.
    if std::fs::metadata(&options.file)?.len() == 0 {
        connect = connect.auto_vacuum(SqliteAutoVacuum::Incremental);
    }
    connect
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .pragma("wal_autocheckpoint", "0")
        .connect()
        .await
        .map_err(|error| explain(from_sqlx(error), &options.file))
}

/// A read-only disk shows in SQLite as a file that cannot be opened, when it has no log yet.
fn explain(error: Error, file: &Path) -> Error {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    let folder = file.parent().unwrap_or(Path::new("."));
    if error.code != Code::Io {
        return error;
    }
    // Whether a file can be made there is the only test that counts mounts, modes and owners.
    let trial = folder.join(format!(".devrig-write-{}", std::process::id()));
    match std::fs::File::create_new(&trial) {
        Ok(_) => {
            let _ = std::fs::remove_file(&trial);
            error
        }
        Err(io) if matches!(io.kind(), PermissionDenied | ReadOnlyFilesystem) => read_only(),
        Err(_) => error,
    }
}

/// Makes the file, if it is not there, readable by the person alone; SQLite gives its companions
/// the same mode.
fn create_private(file: &Path) -> devrig_core::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => {
            let message = format!("creating the database {}", file.display());
            let error = match error.kind() {
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                    read_only()
                }
                _ => Error::from(error),
            };
            Err(error.context(message))
        }
    }
}

pub(crate) async fn readers(options: &StoreOptions) -> devrig_core::Result<SqlitePool> {
    SqlitePoolOptions::new()
        .max_connections(options.readers)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(base(&options.file).read_only(true))
        .await
        .map_err(from_sqlx)
}

/// Connections for what is large and read once. Those of [`readers`] keep 20 MB each of what they
/// last read, which would be nothing else any more.
pub(crate) fn bulk_readers(options: &StoreOptions) -> SqlitePool {
    let connect = base(&options.file).read_only(true);
    let connect = connect.pragma("cache_size", "-1000").pragma("mmap_size", "0");
    SqlitePoolOptions::new()
        .max_connections(BULK)
        .acquire_timeout(Duration::from_secs(10))
        .connect_lazy_with(connect)
}
