//! Keeps the write-ahead log small: a task of its own copies it into the file while the writer
//! goes on, and the writer cuts it only when it has grown long.

use std::path::PathBuf;
use std::sync::Arc;

use devrig_core::Result;
use sqlx::SqliteConnection;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::error::from_sqlx;
use crate::open::{self, StoreOptions};

/// The copying begins at 4 MiB, the reference's 1,000 pages.
const COPY_AT: u64 = 4 * 1024 * 1024;
/// From here the writer waits for the copy and cuts the log, so that it stays under 64 MiB.
const CUT_AT: u64 = 32 * 1024 * 1024;

pub(crate) struct Checkpointer {
    log: PathBuf,
    wake: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Checkpointer {
    pub async fn start(options: &StoreOptions) -> Result<Self> {
        let mut conn = open::writer(options).await?;
        let wake = Arc::new(Notify::new());
        let woken = wake.clone();
        let task = tokio::spawn(async move {
            loop {
                woken.notified().await;
                let copy = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut conn).await;
                if let Err(error) = copy {
                    tracing::debug!(%error, "a checkpoint did not complete");
                }
            }
        });
        let mut log = options.file.clone().into_os_string();
        log.push("-wal");
        Ok(Self { log: log.into(), wake, task })
    }

    /// True when the log has to be cut by the writer itself.
    pub async fn after_group(&self) -> bool {
        let size = std::fs::metadata(&self.log).map_or(0, |meta| meta.len());
        if size >= COPY_AT {
            self.wake.notify_one();
        }
        size >= CUT_AT
    }

    pub async fn stop(&self) {
        self.task.abort();
    }
}

/// Copies everything and cuts the log to nothing. Waits for readers up to the busy timeout; then
/// the log stays, and the next call tries again.
pub(crate) async fn truncate(conn: &mut SqliteConnection) -> Result<()> {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(conn).await.map_err(from_sqlx)?;
    Ok(())
}
