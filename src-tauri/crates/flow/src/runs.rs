//! Starts runs, keeps them going over restarts, and ends them.

mod decide;
mod drive;
mod fire;

pub use decide::Decision;
pub use fire::Fired;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use devrig_core::{Code, Error, Result, Timestamp, id};
use devrig_store::{Store, Tx, from_sqlx};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::program::Program;
use crate::programs::Programs;
use crate::run::{Answer, Board, Held, Journal, Memory, RunKind, RunRow, RunStatus};
use crate::table::run::{self as table, EventRow};

/// Runs at a time, of all flows together.
const MOST: usize = 256;

/// What starts a run.
pub struct Start {
    pub program: Arc<Program>,
    /// The id of the trigger, or who it was.
    pub trigger: String,
    pub trigger_type: &'static str,
    pub kind: RunKind,
    /// Names the same event twice told.
    pub key: Option<String>,
    pub payload: Value,
    /// Automatic steps since a person or a source acted.
    pub depth: u8,
    pub parent: Option<String>,
    /// Whoever waits for an answer while the run goes on. Without one, the start is on disk before
    /// it is confirmed.
    pub answer: Option<oneshot::Sender<Answer>>,
}

/// A run that was started.
#[derive(Debug)]
pub struct Started {
    pub id: String,
    /// Tells when it has ended, or is parked.
    pub rest: oneshot::Receiver<Rest>,
}

/// Where a run came to rest.
#[derive(Debug, Clone)]
pub struct Rest {
    pub status: RunStatus,
    pub output: Value,
    pub error: Option<Error>,
}

/// A handle on the runs. Cheap to clone.
#[derive(Clone)]
pub struct Runs {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    programs: Programs,
    next_run: AtomicI64,
    next_event: AtomicI64,
    board: Mutex<Board<Waiting>>,
    /// How each run that goes on is cancelled, by its id.
    tokens: Mutex<HashMap<String, CancellationToken>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    taking: fire::Taking,
    /// Something may be due: a parked run, or one that was parked just now.
    wake: tokio::sync::Notify,
}

/// A run that waits for its turn: it is read again when that comes.
struct Waiting {
    id: String,
    flow: i64,
    held: Held,
    rest: Option<oneshot::Sender<Rest>>,
}

/// A run that has its place.
struct Going {
    token: CancellationToken,
    program: Arc<Program>,
    journal: Journal,
    memory: Memory,
    held: Held,
    trigger: Value,
    rest: Option<oneshot::Sender<Rest>>,
}

impl Runs {
    /// Takes up what the last process left: what ran goes on at once.
    ///
    /// # Errors
    /// What reading meets.
    pub async fn start(store: Store, programs: Programs) -> Result<Self> {
        let mut conn = store.reader().acquire().await.map_err(from_sqlx)?;
        let (run, event) = table::last_numbers(&mut conn).await?;
        let open = table::open(&mut conn).await?;
        drop(conn);
        let runs = Self {
            inner: Arc::new(Inner {
                store,
                programs,
                next_run: AtomicI64::new(run + 1),
                next_event: AtomicI64::new(event + 1),
                board: Mutex::new(Board::new(MOST)),
                tokens: Mutex::default(),
                tasks: TaskTracker::new(),
                stop: CancellationToken::new(),
                taking: fire::Taking::default(),
                wake: tokio::sync::Notify::new(),
            }),
        };
        runs.take_up(open);
        let waker = runs.clone();
        runs.inner.tasks.spawn(async move { waker.wake_parked().await });
        Ok(runs)
    }

    fn take_up(&self, open: Vec<RunRow>) {
        for run in open {
            if run.status != RunStatus::Waiting {
                self.board().wait(
                    run.flow,
                    Waiting { id: run.id, flow: run.flow, held: Held::default(), rest: None },
                );
            }
        }
        self.fill();
    }

    /// Begins a run. When this answers, the run is on disk, unless somebody waits for its answer:
    /// then it is on disk before that comes.
    ///
    /// # Errors
    /// What the store meets; `CANCELLED` while DevRig stops.
    pub async fn begin(&self, start: Start) -> Result<Started> {
        if self.inner.stop.is_cancelled() {
            return Err(Error::new(Code::Cancelled, "DevRig is stopping, so nothing is started"));
        }
        let definition = &start.program.definition.settings;
        let flow = start.program.flow;
        let most = usize::try_from(definition.max_concurrent_runs).unwrap_or(usize::MAX);
        let entered = {
            let mut board = self.board();
            board.set(flow, most, definition.priority);
            board.enter(flow)
        };
        let (event, run, trigger) = self.rows(&start, entered);
        let id = run.id.clone();
        let (tell, rest) = oneshot::channel();
        let waited_for = start.answer.is_some();
        let journal = Journal::fresh(self.inner.store.clone(), run, event);
        let token = entered.then(|| self.new_token(&id));
        if !(entered && waited_for)
            && let Err(error) = journal.barrier().await
        {
            if entered {
                self.tokens().remove(&id);
                self.board().leave(flow);
                self.fill();
            }
            return Err(error);
        }
        let Some(token) = token else {
            let held = start.answer.map(Held::to).unwrap_or_default();
            self.board().wait(flow, Waiting { id: id.clone(), flow, held, rest: Some(tell) });
            // A place may have become free while the row was written.
            self.fill();
            return Ok(Started { id, rest });
        };
        self.spawn(Going {
            token,
            program: start.program,
            journal,
            memory: Memory::default(),
            held: start.answer.map(Held::to).unwrap_or_default(),
            trigger,
            rest: Some(tell),
        });
        Ok(Started { id, rest })
    }

    fn rows(&self, start: &Start, entered: bool) -> (EventRow, RunRow, Value) {
        let event = self.event(start, "run");
        let now = event.at;
        let Start { program, trigger, trigger_type, kind, payload, depth, parent, .. } = start;
        let run = RunRow {
            seq: self.inner.next_run.fetch_add(1, Ordering::Relaxed),
            id: id::fresh(),
            flow: program.flow,
            version: program.version,
            event: event.seq,
            kind: *kind,
            parent: parent.clone(),
            status: if entered { RunStatus::Running } else { RunStatus::Queued },
            priority: program.definition.settings.priority,
            depth: *depth,
            queued_at: now,
            started_at: entered.then_some(now),
            ended_at: None,
            wake_at: None,
            error: None,
        };
        let told = told(trigger, trigger_type, now, payload.clone());
        (event, run, told)
    }

    fn event(&self, start: &Start, verdict: &'static str) -> EventRow {
        EventRow {
            seq: self.inner.next_event.fetch_add(1, Ordering::Relaxed),
            flow: start.program.flow,
            trigger: start.trigger.clone(),
            key: start.key.clone(),
            at: self.inner.store.clock().now(),
            verdict,
            payload: start.payload.to_string(),
        }
    }

    /// Ends a run: at once when it waits, through its token when it goes on.
    ///
    /// # Errors
    /// `NOT_FOUND`; `NOTHING_TO_DO` when it has ended.
    pub async fn cancel(&self, id: &str) -> Result<()> {
        if self.cancel_going(id) {
            return Ok(());
        }
        let owned = id.to_owned();
        let run = self
            .inner
            .store
            .write(async move |tx: &mut Tx| {
                let (mut run, _) = table::get(tx.conn(), &owned).await?;
                if run.status.has_ended() {
                    let how = run.status.as_str();
                    return Err(Error::new(Code::NothingToDo, format!("the run is {how} already")));
                }
                run.status = RunStatus::Cancelled;
                run.ended_at = Some(tx.now());
                run.wake_at = None;
                table::put_changed(tx, &run)?;
                Ok(run)
            })
            .await?;
        self.board().drop_waiting(run.flow, |waiting| waiting.id == run.id);
        // Its turn may have come while this was written.
        self.cancel_going(id);
        Ok(())
    }

    fn cancel_going(&self, id: &str) -> bool {
        self.tokens().get(id).map(CancellationToken::cancel).is_some()
    }

    /// The token of a run that is about to go on. It is there before anybody can see the run go.
    fn new_token(&self, id: &str) -> CancellationToken {
        let token = self.inner.stop.child_token();
        self.tokens().insert(id.to_owned(), token.clone());
        token
    }

    /// Stops taking runs, and lets go of those that go on: the next start takes them up.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Looks at parked runs now: after the machine slept, or the clock was set.
    pub fn look(&self) {
        self.inner.wake.notify_one();
    }

    /// How many runs wait for their turn, and how many go on.
    pub fn counts(&self) -> (usize, usize) {
        self.board().counts()
    }

    fn board(&self) -> std::sync::MutexGuard<'_, Board<Waiting>> {
        self.inner.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.inner.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `trigger`, as expressions see it.
fn told(trigger: &str, kind: &str, at: Timestamp, payload: Value) -> Value {
    let payload = match kind {
        "webhook" => crate::triggers::webhook::with_body(payload),
        _ => payload,
    };
    json!({ "id": trigger, "type": kind, "firedAt": at, "payload": payload })
}
