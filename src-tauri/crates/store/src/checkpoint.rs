//! Keeps the write-ahead log small: a task of its own copies it into the file and syncs the file
//! while the writer goes on, and the writer begins the log anew when little is left to copy.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use devrig_core::Result;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::error::from_sqlx;
use crate::open::{self, StoreOptions};

const MIB: u64 = 1024 * 1024;
/// A page in the log.
const PAGE: u64 = 4 * 1024;
/// The copying begins at the reference's 1,000 pages.
const COPY_AT: u64 = 1_000;
/// From so many pages the log is begun anew, in the length that it has: writing over it syncs
/// sooner than making it longer.
const RENEW_AT: u64 = 4_000;
/// So few pages are copied while everyone waits.
const LITTLE: u64 = 200;
/// Copies in a row, before the writer has to help.
const ROUNDS: usize = 3;
/// A log that a reader made longer than this is cut to nothing when it can be.
const CUT_AT: u64 = 32 * MIB;
/// From here the writer waits for the readers, so that the log stays under 64 MiB. A reader that
/// stays for longer than the busy timeout slows the writer down to a mebibyte each time.
const WAIT_AT: u64 = 56 * MIB;
/// Between two copies: each one syncs the file.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Checkpointer {
    log: PathBuf,
    /// Held to the end: closing one handle of a file gives up the process's locks on it.
    _file: Arc<File>,
    shared: Arc<Shared>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    /// The length at which the writer waits for the readers next, after one that stayed.
    next_wait: AtomicU64,
}

/// What the writer and the copying task tell each other.
#[derive(Default)]
struct Shared {
    /// One checkpoint at a time: SQLite refuses a second one at once, whatever its patience.
    turn: Mutex<()>,
    wake: Notify,
    /// The log is long, and nearly all of it is in the file.
    ripe: AtomicBool,
}

impl Checkpointer {
    pub async fn start(options: &StoreOptions) -> Result<Self> {
        let conn = open::writer(options).await?;
        let file = File::options().write(true).open(&options.file)?;
        let (shared, stop) = (Arc::new(Shared::default()), CancellationToken::new());
        let file = Arc::new(file);
        let copier = Copier { conn, file: file.clone(), shared: shared.clone() };
        let task = tokio::spawn(copier.work(stop.clone()));
        let mut log = options.file.clone().into_os_string();
        log.push("-wal");
        Ok(Self { log: log.into(), _file: file, shared, stop, task, next_wait: WAIT_AT.into() })
    }

    /// Between two groups, on the writer's connection.
    pub async fn after_group(&self, conn: &mut SqliteConnection) {
        let size = std::fs::metadata(&self.log).map_or(0, |meta| meta.len());
        if size >= PAGE * COPY_AT {
            self.shared.wake.notify_one();
        }
        if size >= self.next_wait.load(Ordering::Relaxed) {
            self.wait(conn, size).await;
        } else if self.shared.ripe.swap(false, Ordering::Relaxed) {
            self.renew(conn, size).await;
        }
    }

    /// Begins the log anew, if no reader needs it.
    async fn renew(&self, conn: &mut SqliteConnection, size: u64) {
        let _turn = self.shared.turn.lock().await;
        let how = if size >= CUT_AT { How::Truncate } else { How::Restart };
        if let Err(error) = at_once(conn, how).await {
            tracing::warn!(%error, "the write-ahead log could not be begun anew");
        }
    }

    async fn wait(&self, conn: &mut SqliteConnection, size: u64) {
        let next = match self.cut(conn).await {
            Ok(true) => WAIT_AT,
            Ok(false) => {
                tracing::warn!(size, "a reader keeps the write-ahead log long");
                size + MIB
            }
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log could not be cut");
                size + MIB
            }
        };
        self.next_wait.store(next, Ordering::Relaxed);
    }

    /// Copies everything and cuts the log, on the writer's connection.
    pub async fn cut(&self, conn: &mut SqliteConnection) -> Result<bool> {
        let _turn = self.shared.turn.lock().await;
        truncate(conn).await
    }

    /// Ends the copying, so that the writer's connection is the last one.
    pub async fn stop(&mut self) {
        self.stop.cancel();
        if let Err(error) = (&mut self.task).await {
            tracing::debug!(%error, "the checkpoint task did not end well");
        }
    }
}

/// Copies the log into the file beside the writer.
struct Copier {
    conn: SqliteConnection,
    file: Arc<File>,
    shared: Arc<Shared>,
}

/// How long the log is and how much of it is in the file, in pages.
#[derive(Debug, Clone, Copy)]
struct Log {
    pages: u64,
    copied: u64,
}

impl Log {
    fn left(self) -> u64 {
        self.pages.saturating_sub(self.copied)
    }
}

impl Copier {
    async fn work(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.shared.wake.notified() => {}
            }
            match self.keep_up().await {
                Ok(log) if log.pages >= RENEW_AT => {
                    self.shared.ripe.store(true, Ordering::Relaxed);
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "a checkpoint did not complete"),
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        if let Err(error) = self.conn.close().await {
            tracing::debug!(%error, "the checkpoint connection did not close cleanly");
        }
    }

    /// Copies until little is left. The writer goes on meanwhile, so that it takes some rounds.
    async fn keep_up(&mut self) -> Result<Log> {
        let mut log = checkpoint(&mut self.conn, How::Look).await?.1;
        if log.left() < COPY_AT && log.pages < RENEW_AT {
            return Ok(log);
        }
        for _ in 0..ROUNDS {
            log = self.copy().await?;
            if log.left() < LITTLE {
                break;
            }
        }
        Ok(log)
    }

    /// SQLite syncs the file only when nothing was written meanwhile. Without a sync here, all
    /// that was copied would be synced when the log is begun anew, while everyone waits.
    async fn copy(&mut self) -> Result<Log> {
        let turn = self.shared.turn.lock().await;
        checkpoint(&mut self.conn, How::Passive).await?;
        drop(turn);
        let file = self.file.clone();
        tokio::task::spawn_blocking(move || file.sync_data())
            .await
            .map_err(|error| devrig_core::Error::internal(error.to_string()))??;
        Ok(checkpoint(&mut self.conn, How::Look).await?.1)
    }
}

/// The ways of SQLite to look after its log.
#[derive(Debug, Clone, Copy)]
enum How {
    /// Says how long it is.
    Look,
    /// Copies what no reader needs, and waits for nobody.
    Passive,
    /// Copies everything, so that the next write begins the log anew.
    Restart,
    /// As `Restart`, and cuts it to nothing.
    Truncate,
}

/// Whether it came to its end, and how the log stands.
async fn checkpoint(conn: &mut SqliteConnection, how: How) -> Result<(bool, Log)> {
    let pragma = match how {
        How::Look => "PRAGMA wal_checkpoint(NOOP)",
        How::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
        How::Restart => "PRAGMA wal_checkpoint(RESTART)",
        How::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    // Being prevented is no error but the first column of the answer.
    let (busy, pages, copied): (i64, i64, i64) =
        sqlx::query_as(pragma).fetch_one(conn).await.map_err(from_sqlx)?;
    let count = |pages| u64::try_from(pages).unwrap_or(0);
    Ok((busy == 0, Log { pages: count(pages), copied: count(copied) }))
}

/// Copies everything and cuts the log to nothing. Waits for readers up to the busy timeout; false
/// when one stayed.
pub(crate) async fn truncate(conn: &mut SqliteConnection) -> Result<bool> {
    Ok(checkpoint(conn, How::Truncate).await?.0)
}

/// Waits for nobody.
async fn at_once(conn: &mut SqliteConnection, how: How) -> Result<bool> {
    set_patience(conn, Duration::ZERO).await?;
    let done = checkpoint(conn, how).await;
    set_patience(conn, open::BUSY).await?;
    Ok(done?.0)
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
