//! Keeps the write-ahead log small: a task of its own copies it into the file while the writer
//! goes on, and the writer cuts it when it has grown long.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use devrig_core::Result;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::error::from_sqlx;
use crate::open::{self, StoreOptions};

const MIB: u64 = 1024 * 1024;
/// The copying begins at the reference's 1,000 pages.
const COPY_AT: u64 = 4 * MIB;
/// From here the writer cuts the log, if no reader needs it.
const CUT_AT: u64 = 32 * MIB;
/// From here the writer waits for the readers, so that the log stays under 64 MiB. A reader that
/// stays for longer than the busy timeout slows the writer down to a mebibyte each time.
const WAIT_AT: u64 = 56 * MIB;
/// Between two copies: each one syncs the file.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Checkpointer {
    log: PathBuf,
    /// One checkpoint at a time: SQLite refuses a second one at once, whatever its patience.
    turn: Arc<Mutex<()>>,
    wake: Arc<Notify>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    /// The length at which the next cut is tried, after one that a reader prevented.
    next_cut: AtomicU64,
}

impl Checkpointer {
    pub async fn start(options: &StoreOptions) -> Result<Self> {
        let conn = open::writer(options).await?;
        let (wake, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let turn = Arc::new(Mutex::new(()));
        let task = tokio::spawn(copy(conn, turn.clone(), wake.clone(), stop.clone()));
        let mut log = options.file.clone().into_os_string();
        log.push("-wal");
        Ok(Self { log: log.into(), turn, wake, stop, task, next_cut: CUT_AT.into() })
    }

    /// Between two groups, on the writer's connection.
    pub async fn after_group(&self, conn: &mut SqliteConnection) {
        let size = std::fs::metadata(&self.log).map_or(0, |meta| meta.len());
        if size >= COPY_AT {
            self.wake.notify_one();
        }
        if size < self.next_cut.load(Ordering::Relaxed) {
            return;
        }
        let _turn = self.turn.lock().await;
        let cut = if size >= WAIT_AT { truncate(conn).await } else { try_truncate(conn).await };
        let next = match cut {
            Ok(true) => CUT_AT,
            Ok(false) => size + MIB,
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log could not be cut");
                size + MIB
            }
        };
        if size >= WAIT_AT && next > size {
            tracing::warn!(size, "a reader keeps the write-ahead log long");
        }
        self.next_cut.store(next, Ordering::Relaxed);
    }

    /// Copies everything and cuts the log, on the writer's connection.
    pub async fn cut(&self, conn: &mut SqliteConnection) -> Result<bool> {
        let _turn = self.turn.lock().await;
        truncate(conn).await
    }

    /// Ends the copying, so that the writer's connection is the last one.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::debug!(%error, "the checkpoint task did not end well");
        }
    }
}

async fn copy(
    mut conn: SqliteConnection,
    turn: Arc<Mutex<()>>,
    wake: Arc<Notify>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = wake.notified() => {}
        }
        let turn = turn.lock().await;
        if let Err(error) = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut conn).await {
            tracing::debug!(%error, "a checkpoint did not complete");
        }
        drop(turn);
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    if let Err(error) = conn.close().await {
        tracing::debug!(%error, "the checkpoint connection did not close cleanly");
    }
}

/// Copies everything and cuts the log to nothing. Waits for readers up to the busy timeout; false
/// when one stayed.
pub(crate) async fn truncate(conn: &mut SqliteConnection) -> Result<bool> {
    // Being prevented is no error but the first column of the answer.
    let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(conn)
        .await
        .map_err(from_sqlx)?;
    Ok(busy == 0)
}

/// As [`truncate`], but waits for nobody.
async fn try_truncate(conn: &mut SqliteConnection) -> Result<bool> {
    set_patience(conn, Duration::ZERO).await?;
    let cut = truncate(conn).await;
    set_patience(conn, open::BUSY).await?;
    cut
}

async fn set_patience(conn: &mut SqliteConnection, patience: Duration) -> Result<()> {
    // A pragma takes no parameters, and sqlx no text made at run time but through the builder.
    sqlx::QueryBuilder::<sqlx::Sqlite>::new("PRAGMA busy_timeout = ")
        .push(patience.as_millis())
        .build()
        .execute(conn)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}
