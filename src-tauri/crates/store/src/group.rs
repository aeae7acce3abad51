//! The writer: one thread, one connection, and a queue whose waiting units commit together.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use devrig_core::{Code, Error, Result, SharedClock};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqlitePool};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::append::{Batch, Bind, Waiting};
use crate::appender::Appender;
use crate::error::from_sqlx;
use crate::feed::{self, ChangeRow};
use crate::open::{self, StoreOptions};
use crate::tx::Tx;
use crate::{checkpoint, migrate};

/// Units that may wait; a caller beyond them waits for room.
const QUEUE: usize = 4096;
/// Units committed together at most, so that the first of a group is not kept waiting.
const GROUP: usize = 512;
/// What closing may take.
const CLOSE: Duration = Duration::from_secs(10);
/// Failing units of one group that are set apart before every unit runs by itself.
const APART: usize = 4;
/// Groups of changes that a slow listener may lag behind before it has to read the table.
const FEED: usize = 1024;

/// A handle on the database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub options: StoreOptions,
    readers: SqlitePool,
    bulk: SqlitePool,
    queue: mpsc::Sender<Work>,
    pub feed: broadcast::Sender<Arc<[ChangeRow]>>,
    closed: tokio::sync::watch::Receiver<bool>,
}

pub(crate) enum Work {
    Unit(Box<dyn Unit>),
    Append(Appended),
    /// Empties the log into the file and cuts it; answers when done.
    Truncate(oneshot::Sender<Result<()>>),
    Close,
}

pub(crate) struct Appended {
    batch: Batch,
    reply: oneshot::Sender<Result<()>>,
}

/// A unit of writing, kept until its group has committed.
pub(crate) trait Unit: Send {
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> LocalBoxFuture<'a, Result<()>>;
    fn finish(self: Box<Self>, outcome: Result<()>);
}

struct Pending<F, T> {
    unit: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<F, T> Unit for Pending<F, T>
where
    F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
    T: Send + 'static,
{
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            // A defect in one unit must not end the writer for everyone.
            let run = std::panic::AssertUnwindSafe((self.unit)(tx)).catch_unwind().await;
            let value =
                run.unwrap_or_else(|_| Err(Error::internal("a unit of writing panicked")))?;
            self.value = Some(value);
            Ok(())
        })
    }

    fn finish(self: Box<Self>, outcome: Result<()>) {
        let Pending { value, reply, .. } = *self;
        let outcome = outcome
            .and_then(|()| value.ok_or_else(|| Error::internal("a unit ended without a value")));
        // The caller may have gone; what it asked for is done or undone all the same.
        let _ = reply.send(outcome);
    }
}

impl Store {
    /// Opens or creates the file, migrates it, and starts the writer.
    ///
    /// # Errors
    /// `DATABASE_NEWER` when a later DevRig wrote the file, `DATABASE_CORRUPT`, `READ_ONLY`,
    /// `DISK_FULL`, `IO`.
    pub async fn open(options: StoreOptions) -> Result<Self> {
        let mut conn = open::writer(&options).await?;
        migrate::run(&mut conn, &options).await?;
        let next_seq = feed::next_seq(&mut conn).await?;
        let readers = open::readers(&options).await?;
        let appender = Appender::open(&options)?;
        let bulk = open::bulk_readers(&options);
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (feed, _) = broadcast::channel(FEED);
        let (closing, closed) = tokio::sync::watch::channel(false);
        let writer = Writer {
            tx: Tx {
                conn,
                now: options.clock.now(),
                changes: Vec::new(),
                appends: Waiting::default(),
                after_commit: Vec::new(),
            },
            appender,
            clock: options.clock.clone(),
            feed: feed.clone(),
            next_seq: AtomicI64::new(next_seq),
            checkpoints: checkpoint::Checkpointer::start(&options).await?,
        };
        std::thread::Builder::new()
            .name("devrig-writer".into())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                match runtime {
                    Ok(runtime) => runtime.block_on(writer.work(waiting)),
                    Err(error) => tracing::error!(%error, "the writer's runtime did not start"),
                }
                closing.send_replace(true);
            })
            .map_err(Error::from)?;
        Ok(Self { inner: Arc::new(Inner { options, readers, bulk, queue, feed, closed }) })
    }

    /// Reading connections: they see what was committed before a statement begins.
    pub fn reader(&self) -> &SqlitePool {
        &self.inner.readers
    }

    /// One of them. Apart, as sqlx needs some kilobytes to wait for it, which everything that may
    /// have to read would carry along.
    ///
    /// # Errors
    /// What opening a connection meets.
    pub async fn read(&self) -> Result<PoolConnection<Sqlite>> {
        Box::pin(self.inner.readers.acquire()).await.map_err(from_sqlx)
    }

    /// Reading connections for what is large and read once: they keep nothing of it in memory.
    pub fn bulk_reader(&self) -> &SqlitePool {
        &self.inner.bulk
    }

    pub fn clock(&self) -> &SharedClock {
        &self.inner.options.clock
    }

    /// How long the file is, in bytes, without its log.
    pub fn size(&self) -> u64 {
        std::fs::metadata(&self.inner.options.file).map_or(0, |meta| meta.len())
    }

    /// How long the write-ahead log is, in bytes.
    pub fn log_size(&self) -> u64 {
        let mut log = self.inner.options.file.clone().into_os_string();
        log.push("-wal");
        std::fs::metadata(log).map_or(0, |meta| meta.len())
    }

    pub fn options(&self) -> &StoreOptions {
        &self.inner.options
    }

    /// Runs a unit of writing in a transaction and returns its value after the commit.
    ///
    /// Units that wait together commit together. When one of a group fails, the group is rolled
    /// back and each unit runs again by itself, so a unit must have no effect but on `tx`.
    ///
    /// # Errors
    /// Whatever the unit returns, and what the commit meets (`DISK_FULL`, `READ_ONLY`…); nothing
    /// of the unit is stored then.
    pub async fn write<T, F>(&self, unit: F) -> Result<T>
    where
        F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Work::Unit(Box::new(Pending { unit, value: None, reply }))).await?;
        answer.await.map_err(|_| stopped())?
    }

    /// Appends rows in multi-row statements together with everything else that waits; see
    /// [`Tx::append`].
    pub async fn append(
        &self,
        into: &'static str,
        columns: usize,
        values: Vec<Bind>,
    ) -> Result<()> {
        let mut batch = Batch::default();
        batch.append(into, columns, values);
        self.write_batch(batch).await
    }

    /// Writes what needs nothing read first, together with everything else that waits.
    pub async fn write_batch(&self, batch: Batch) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        self.send(Work::Append(Appended { batch, reply })).await?;
        answer.await.map_err(|_| stopped())?
    }

    /// Empties the write-ahead log into the file.
    pub async fn checkpoint(&self) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        self.send(Work::Truncate(reply)).await?;
        answer.await.map_err(|_| stopped())?
    }

    /// Finishes what waits, checkpoints, and closes the file. Later writes are refused. Gives up
    /// after ten seconds: what was confirmed is in the log, which the next start reads.
    pub async fn close(&self) {
        let close = async {
            // Readers go first: the last checkpoint cannot cut the log while one has it open. One
            // that does not end does not keep the writer from closing.
            let close = async { tokio::join!(self.inner.readers.close(), self.inner.bulk.close()) };
            _ = tokio::time::timeout(CLOSE / 2, close).await;
            let _ = self.inner.queue.send(Work::Close).await;
            let mut closed = self.inner.closed.clone();
            let _ = closed.wait_for(|closed| *closed).await;
        };
        if tokio::time::timeout(CLOSE, close).await.is_err() {
            tracing::warn!("the database did not close in time; its log stays");
        }
    }

    async fn send(&self, work: Work) -> Result<()> {
        self.inner.queue.send(work).await.map_err(|_| stopped())
    }
}

fn stopped() -> Error {
    Error::new(Code::Cancelled, "DevRig is shutting down, so nothing more is written")
}

struct Writer {
    tx: Tx,
    appender: Appender,
    clock: SharedClock,
    feed: broadcast::Sender<Arc<[ChangeRow]>>,
    next_seq: AtomicI64,
    checkpoints: checkpoint::Checkpointer,
}

/// Why a group was rolled back, and by which unit if it was one's own doing.
struct Failure {
    unit: Option<usize>,
    error: Error,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { unit: None, error }
    }
}

impl Writer {
    async fn work(mut self, mut waiting: mpsc::Receiver<Work>) {
        let mut batch = Vec::with_capacity(GROUP);
        let mut open = true;
        while open && waiting.recv_many(&mut batch, GROUP).await > 0 {
            let mut units = Vec::new();
            let mut appends = Vec::new();
            let mut truncations = Vec::new();
            for work in batch.drain(..) {
                match work {
                    Work::Unit(unit) => units.push(unit),
                    Work::Append(append) => appends.push(append),
                    Work::Truncate(reply) => truncations.push(reply),
                    Work::Close => {
                        open = false;
                        waiting.close();
                    }
                }
            }
            if !units.is_empty() || !appends.is_empty() {
                self.commit(units, appends).await;
            }
            for reply in truncations {
                let cut = self.checkpoints.cut(&mut self.tx.conn).await;
                let _ = reply.send(cut.map(drop));
            }
            self.checkpoints.after_group(&mut self.tx.conn).await;
        }
        self.checkpoints.stop().await;
        drop(self.appender);
        if let Err(error) = checkpoint::truncate(&mut self.tx.conn).await {
            tracing::warn!(%error, "the last checkpoint did not complete");
        }
        use sqlx::Connection;
        if let Err(error) = self.tx.conn.close().await {
            tracing::warn!(%error, "the database did not close cleanly");
        }
    }

    /// All together. A unit that fails is set apart and the others run again without it; when that
    /// does not help (a full disk, a constraint met at the end), each runs by itself.
    async fn commit(&mut self, mut units: Vec<Box<dyn Unit>>, appends: Vec<Appended>) {
        let mut apart = Vec::new();
        while units.len() + appends.len() > 1 {
            let batches: Vec<_> = appends.iter().map(|append| &append.batch).collect();
            match self.transaction(&mut units, &batches).await {
                Ok(()) => {
                    units.into_iter().for_each(|unit| unit.finish(Ok(())));
                    appends.into_iter().for_each(|append| drop(append.reply.send(Ok(()))));
                    return self.each(apart, Vec::new()).await;
                }
                Err(Failure { unit: Some(at), .. }) if apart.len() < APART => {
                    apart.push(units.remove(at));
                }
                Err(_) => break,
            }
        }
        units.extend(apart);
        self.each(units, appends).await;
    }

    async fn each(&mut self, units: Vec<Box<dyn Unit>>, appends: Vec<Appended>) {
        for unit in units {
            let mut one = vec![unit];
            let outcome = self.transaction(&mut one, &[]).await.map_err(|f| f.error);
            one.into_iter().for_each(|unit| unit.finish(outcome.clone()));
        }
        for append in appends {
            let outcome = self.transaction(&mut [], &[&append.batch]).await.map_err(|f| f.error);
            // The caller may have gone.
            let _ = append.reply.send(outcome);
        }
    }

    async fn transaction(
        &mut self,
        units: &mut [Box<dyn Unit>],
        batches: &[&Batch],
    ) -> Result<(), Failure> {
        if units.is_empty() {
            return Ok(self.append(batches)?);
        }
        self.tx.forget();
        self.tx.now = self.clock.now();
        let outcome = self.attempt(units, batches).await;
        if let Err(error) = outcome {
            self.tx.forget();
            // A failed COMMIT or a full disk may have rolled back already; then there is nothing
            // to roll back, which is what was wanted.
            if let Err(rollback) = sqlx::query("ROLLBACK").execute(&mut self.tx.conn).await {
                tracing::trace!(%rollback, "nothing to roll back");
            }
            return Err(error);
        }
        for run in std::mem::take(&mut self.tx.after_commit) {
            // A defect in one caller's hook must not end the writer for everyone.
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err() {
                tracing::error!("what was to run after a commit panicked");
            }
        }
        Ok(())
    }

    async fn attempt(
        &mut self,
        units: &mut [Box<dyn Unit>],
        batches: &[&Batch],
    ) -> Result<(), Failure> {
        let tx = &mut self.tx;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut tx.conn).await.map_err(from_sqlx)?;
        for (at, unit) in units.iter_mut().enumerate() {
            unit.run(tx).await.map_err(|error| Failure { unit: Some(at), error })?;
        }
        batches.iter().for_each(|batch| tx.add(Batch::clone(batch)));
        let changes = std::mem::take(&mut tx.changes);
        let changes = feed::number(changes, self.next_seq.get_mut(), tx.now);
        tx.appends.push(feed::rows(&changes));
        let mut appends = std::mem::take(&mut tx.appends);
        appends.commit(&mut tx.conn).await.map_err(from_sqlx)?;
        self.tell(changes);
        Ok(())
    }

    /// Batches alone need nothing of sqlx, so they are spared the hop to its thread.
    fn append(&mut self, batches: &[&Batch]) -> Result<()> {
        let changes = batches.iter().flat_map(|batch| batch.changes.iter().cloned());
        let changes = feed::number(changes, self.next_seq.get_mut(), self.clock.now());
        let told = feed::rows(&changes);
        let rows = batches.iter().flat_map(|batch| &batch.rows);
        self.appender.commit(rows.chain([&told]))?;
        self.tell(changes);
        Ok(())
    }

    fn tell(&self, changes: Vec<ChangeRow>) {
        if !changes.is_empty() {
            // No listener is no error: the rows are in the table.
            let _ = self.feed.send(changes.into());
        }
    }
}
