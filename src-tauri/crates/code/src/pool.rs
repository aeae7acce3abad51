//! The pool: starts and ends workers, and carries out what the board decides.

mod watch;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use devrig_core::Result;
use devrig_core::snippet::Budget;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::board::{Act, Board, Ended, Job, Purpose};
use crate::outcome::{self, CodeFailure, CodeResult};
use crate::run::{CodeRun, Snippet};
use crate::worker::{Inbox, Worker};
use watch::Watch;

/// For processes that were killed to be gone.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// What a pool is made with.
#[derive(Debug, Clone)]
pub struct CodeSettings {
    /// The worker's program, `devrig-plugin-host`.
    pub program: PathBuf,
    /// Most workers; they are started as they are needed.
    pub workers: usize,
    /// Most heap that a run's budget may ask for, in bytes.
    pub heap_bytes: u64,
    /// Most runs that wait; the next one is refused.
    pub waiting: usize,
    /// A worker ends after so long without work,
    pub idle: Duration,
    /// but for so many.
    pub kept: usize,
}

impl CodeSettings {
    /// A worker for each core, 64 MB, 10,000 waiting; one worker is kept, and others end after
    /// 30 s.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            heap_bytes: 64 << 20,
            waiting: 10_000,
            idle: Duration::from_secs(30),
            kept: 1,
        }
    }
}

/// What a pool is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeStatus {
    pub workers: usize,
    /// Runs that a worker has.
    pub running: usize,
    pub waiting: usize,
}

/// Runs snippets. Cheap to clone; the workers end with the last handle.
#[derive(Clone)]
pub struct CodePool {
    inner: Arc<Inner>,
}

type Acts = Vec<Act<Arc<Worker>>>;

struct Inner {
    settings: CodeSettings,
    board: Mutex<Board<Arc<Worker>>>,
    last_job: AtomicU64,
    watch: Watch,
    over: CancellationToken,
}

impl CodePool {
    /// A pool without a worker; the first run starts one.
    pub fn new(settings: CodeSettings) -> Self {
        let board = Mutex::new(Board::new(settings.workers, settings.waiting));
        let (watch, over) = (Watch::default(), CancellationToken::new());
        let last_job = AtomicU64::new(0);
        Self { inner: Arc::new(Inner { settings, board, last_job, watch, over }) }
    }

    /// Runs a snippet and gives its output. An answer always comes: the budget sees to it. Must be
    /// called within a tokio runtime; dropping the future gives the run up.
    ///
    /// # Errors
    /// `CODE_FAILED` for what the snippet itself did; `TIMEOUT`, `QUOTA_EXCEEDED` and `TOO_LARGE`
    /// for its budget, the second also where too many wait; `CANCELLED`; `PLUGIN_STOPPED` when two
    /// workers ended under it; `SANDBOX_MISSING` where no code can be run.
    pub async fn run(
        &self,
        run: CodeRun,
        cancel: &CancellationToken,
    ) -> std::result::Result<CodeResult, CodeFailure> {
        run.check(self.inner.settings.heap_bytes)?;
        self.inner.run(run, Purpose::Run, cancel).await
    }

    /// Compiles a snippet without running it.
    ///
    /// # Errors
    /// `CODE_FAILED` with the place in `details`, when it does not parse.
    pub async fn check(&self, snippet: &Snippet, cancel: &CancellationToken) -> Result<()> {
        let budget = Budget { heap_bytes: self.inner.settings.heap_bytes, ..Budget::default() };
        let input = RawValue::NULL.to_owned();
        let run = CodeRun { snippet: snippet.clone(), input, budget };
        Ok(self.inner.run(run, Purpose::Check, cancel).await.map(drop)?)
    }

    pub fn status(&self) -> CodeStatus {
        let board = self.inner.board();
        let (workers, running) = (board.workers(), board.running());
        CodeStatus { workers, running, waiting: board.waiting() }
    }

    /// Ends the workers, and answers every run that is open with `CANCELLED`, and later ones too.
    pub async fn shutdown(&self) {
        let workers = self.inner.close();
        let gone = async {
            for worker in &workers {
                worker.gone().await;
            }
        };
        _ = tokio::time::timeout(LAST_WAIT, gone).await;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    async fn run(
        self: &Arc<Self>,
        run: CodeRun,
        purpose: Purpose,
        cancel: &CancellationToken,
    ) -> Ended {
        if self.over.is_cancelled() || cancel.is_cancelled() {
            return Err(outcome::cancelled().into());
        }
        let id = self.last_job.fetch_add(1, Ordering::Relaxed) + 1;
        let (answer, ended) = oneshot::channel();
        let mut wanted = Wanted { inner: self, id: Some(id) };
        self.decide(|board, now| board.add(Job::new(id, run, purpose, answer), now));
        Watch::wake(self);
        tokio::select! {
            biased;
            ended = ended => {
                wanted.id = None;
                // Only a pool that is taken down leaves without a word.
                ended.unwrap_or_else(|_| Err(outcome::cancelled().into()))
            }
            () = cancel.cancelled() => Err(outcome::cancelled().into()),
        }
    }

    fn board(&self) -> MutexGuard<'_, Board<Arc<Worker>>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides on the board, and then does it.
    fn decide(self: &Arc<Self>, decision: impl FnOnce(&mut Board<Arc<Worker>>, Instant) -> Acts) {
        let acts = decision(&mut self.board(), Instant::now());
        for act in acts {
            match act {
                Act::Flush(worker) => worker.flush(),
                Act::End(worker) => worker.kill(),
                Act::Start => drop(tokio::spawn(start(Arc::downgrade(self)))),
                // Whoever gave it up does not listen any more.
                Act::Answer(to, ended) => drop(to.send(ended)),
            }
        }
    }

    /// Kills the workers and answers everyone; gives the workers.
    fn close(&self) -> Vec<Arc<Worker>> {
        self.over.cancel();
        let acts = self.board().close();
        let mut workers = Vec::new();
        for act in acts {
            match act {
                Act::End(worker) => {
                    worker.kill();
                    workers.push(worker);
                }
                Act::Answer(to, ended) => drop(to.send(ended)),
                Act::Flush(_) | Act::Start => {}
            }
        }
        workers
    }
}

/// Gives a run up when its caller does.
struct Wanted<'a> {
    inner: &'a Arc<Inner>,
    id: Option<u64>,
}

impl Drop for Wanted<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.inner.decide(|board, _| board.drop_job(id));
        }
    }
}

/// Starts a worker and listens to it until its end.
async fn start(inner: Weak<Inner>) {
    let Some((settings, over)) =
        inner.upgrade().map(|inner| (inner.settings.clone(), inner.over.clone()))
    else {
        return;
    };
    let started = Worker::start(&settings.program, settings.heap_bytes);
    let started = tokio::select! {
        () = over.cancelled() => return,
        started = started => started,
    };
    let Some(pool) = inner.upgrade() else { return };
    let worker = match started {
        Ok(worker) => Arc::new(worker),
        Err(error) => {
            tracing::warn!(%error, "no worker for code");
            return pool.decide(|board, _| board.not_started(&error));
        }
    };
    let mut seat = 0;
    pool.decide(|board, now| {
        let (number, acts) = board.joined(Arc::clone(&worker), Arc::clone(&worker.outbox), now);
        seat = number;
        acts
    });
    drop(pool);
    tokio::select! {
        () = over.cancelled() => {}
        () = worker.send_all() => {}
        () = listen(inner, seat, &worker) => {}
    }
}

async fn listen(inner: Weak<Inner>, seat: u64, worker: &Worker) {
    let mut inbox = Inbox::default();
    loop {
        let received = worker.receive(&mut inbox).await;
        let Some(inner) = inner.upgrade() else { return };
        match received {
            Ok(told) => inner.decide(|board, now| board.told(seat, told, now)),
            Err(gone) => return inner.decide(|board, now| board.gone(seat, gone, now)),
        }
    }
}
