//! Starts runs, keeps them going over restarts, and ends them.

mod after;
mod again;
mod answers;
mod backtest;
mod decide;
mod defect;
mod drive;
mod figures;
mod fire;
mod one_node;
mod other_runs;
mod rehearse;
mod trial;

pub use again::Of;
pub use answers::{Approval, Door, ROOT as WAIT_ROOT, Said};
pub use backtest::{Backtest, BacktestRun};
pub use decide::Decision;
pub use defect::Defect;
pub use figures::Figures;
pub use fire::Fired;
pub use one_node::OneNode;
pub use trial::FlowTest;

pub use crate::run::Rest;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use devrig_core::notify::Notifier;
use devrig_core::{Code, Error, Result, Timestamp, id};
use devrig_net::outliving::Outliving;
use devrig_store::{Batch, Store, Tx};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::after::Ending;
use crate::circuits::{CircuitState, Circuits};
use crate::others::Others;
use crate::payloads::{self, Unstored};
use crate::permits::Permits;
use crate::program::Program;
use crate::programs::Programs;
use crate::run::{
    Answer, Board, Held, Journal, Memory, Output, RunKind, RunRow, RunStatus, Told, whole,
};
use crate::secrets::Secrets;
use crate::table::payload;
use crate::table::run::{self as table, EventRow};

/// Runs at a time, of all flows together.
const MOST: usize = 256;
/// So much of a large payload is shown in a list, in bytes.
const BEGINNING: usize = 200;

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
    /// Where the trigger is after this, stored with the event.
    pub cursor: Option<Value>,
    /// Automatic steps since a person or a source acted.
    pub depth: u8,
    pub parent: Option<Caller>,
    /// Whoever waits for an answer while the run goes on. Without one, the start is on disk before
    /// it is confirmed.
    pub answer: Option<oneshot::Sender<Answer>>,
}

/// The run and node that call a flow.
pub struct Caller {
    /// `<run>/<path of the node>`.
    pub key: String,
    /// It does not wait for the end.
    pub detached: bool,
}

/// A run that was started.
#[derive(Debug)]
pub struct Started {
    pub id: String,
    /// It waits for its turn.
    pub waits: bool,
    /// Tells when it has ended, or is parked.
    pub rest: oneshot::Receiver<Rest>,
    /// The run itself where somebody waits for its answer: see [`Started::answered`].
    going: Option<Outliving<()>>,
}

impl Started {
    /// Waits for the answer, and does the run's work meanwhile in the task of whoever waits. Nothing
    /// when the run came to rest without one.
    pub async fn answered(&mut self, mut answer: oneshot::Receiver<Answer>) -> Option<Answer> {
        let Some(going) = &mut self.going else { return answer.await.ok() };
        tokio::select! {
            biased;
            // That none will come is known before the run has told how it ended.
            Ok(answer) = &mut answer => Some(answer),
            _ = going => answer.try_recv().ok(),
        }
    }
}

/// A handle on the runs. Cheap to clone.
#[derive(Clone)]
pub struct Runs {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    programs: Programs,
    permits: Permits,
    secrets: Arc<dyn Secrets>,
    others: Others,
    circuits: Circuits,
    next_run: AtomicI64,
    next_event: AtomicI64,
    board: Mutex<Board<Waiting>>,
    /// How each run that goes on is cancelled, by its id.
    tokens: Mutex<HashMap<String, Turn>>,
    next_turn: AtomicI64,
    tasks: TaskTracker,
    stop: CancellationToken,
    taking: fire::Taking,
    tally: figures::Counted,
    begun_at: Timestamp,
    /// Something may be due: a parked run, or one that was parked just now.
    wake: tokio::sync::Notify,
    /// What the addresses are signed with at which runs are resumed.
    key: Vec<u8>,
    door: OnceLock<Arc<dyn Door>>,
    notifier: OnceLock<Arc<dyn Notifier>>,
    defects: tokio::sync::broadcast::Sender<Defect>,
}

/// A run's time on the board. One that is parked may be there again before it has quite left.
#[derive(Clone)]
struct Turn {
    number: i64,
    token: CancellationToken,
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
    turn: Turn,
    program: Arc<Program>,
    journal: Journal,
    memory: Memory,
    held: Held,
    trigger: Told,
    rest: Option<oneshot::Sender<Rest>>,
}

/// A run that is about to begin.
struct Launch {
    program: Arc<Program>,
    journal: Journal,
    memory: Memory,
    trigger: Told,
    answer: Option<oneshot::Sender<Answer>>,
    /// It has its place.
    entered: bool,
}

impl Runs {
    /// Takes up what the last process left: what ran goes on at once.
    ///
    /// # Errors
    /// What reading meets.
    pub async fn start(
        store: Store,
        programs: Programs,
        secrets: Arc<dyn Secrets>,
        others: Others,
    ) -> Result<Self> {
        let mut conn = store.read().await?;
        let (run, event) = table::last_numbers(&mut conn).await?;
        let held = payload::last_holders(&mut conn).await?;
        let open = table::open(&mut conn).await?;
        drop(conn);
        // What a crash kept from being written may have left large values under its numbers.
        let (run, event) = (run.max(held.0), event.max(held.1));
        let clock = store.clock().clone();
        let begun_at = store.clock().now();
        let key = store.write(async |tx: &mut Tx| crate::table::wait::key(tx).await).await?;
        let ids = open.iter().map(|run| run.id.clone()).collect();
        crate::actions::shell::end_left_behind(ids).await;
        let runs = Self {
            inner: Arc::new(Inner {
                permits: Permits::new(store.clone()),
                store,
                programs,
                secrets,
                others,
                circuits: Circuits::new(clock),
                next_run: AtomicI64::new(run + 1),
                next_event: AtomicI64::new(event + 1),
                board: Mutex::new(Board::new(MOST)),
                tokens: Mutex::default(),
                next_turn: AtomicI64::default(),
                tasks: TaskTracker::new(),
                stop: CancellationToken::new(),
                taking: fire::Taking::default(),
                tally: figures::Counted::default(),
                begun_at,
                wake: tokio::sync::Notify::new(),
                key,
                door: OnceLock::new(),
                notifier: OnceLock::new(),
                defects: tokio::sync::broadcast::channel(defect::KEPT).0,
            }),
        };
        runs.take_up(open);
        let waker = runs.clone();
        runs.inner.tasks.spawn(async move {
            waker.forget_unwritten(run, event).await;
            waker.let_orphans_go().await;
            waker.wake_parked().await;
        });
        Ok(runs)
    }

    /// `run` and `event` are the last numbers of the processes before this one.
    async fn forget_unwritten(&self, run: i64, event: i64) {
        let unit = async move |tx: &mut Tx| payload::forget_unwritten(tx, run, event).await;
        if let Err(error) = self.inner.store.write(unit).await {
            tracing::warn!(%error, "large values that a crash left could not be let go");
        }
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
        let entered = self.enter(&start.program);
        let (mut event, run) = self.rows(&start, entered);
        let Start { program, trigger, trigger_type, payload, answer, .. } = start;
        let payload = self.lay_aside(&mut event, payload).await;
        let trigger = Told::new(&trigger, trigger_type, event.at, payload);
        let journal = Journal::fresh(self.inner.store.clone(), run, Some(event));
        let memory = Memory::default();
        self.launch(Launch { program, journal, memory, trigger, answer, entered }).await
    }

    /// Takes a place for a run of this flow, where there is one.
    fn enter(&self, program: &Program) -> bool {
        self.set_lane(program);
        self.board().enter(program.flow)
    }

    async fn launch(&self, launch: Launch) -> Result<Started> {
        let Launch { program, journal, memory, trigger, answer, entered } = launch;
        let flow = program.flow;
        let id = journal.run().id;
        let (tell, rest) = oneshot::channel();
        let waited_for = answer.is_some();
        let held = answer.map(Held::to).unwrap_or_default();
        let turn = entered.then(|| self.new_turn(&id));
        if !(entered && waited_for)
            && let Err(error) = journal.barrier().await
        {
            if let Some(turn) = &turn {
                self.done(&id, turn, flow);
            }
            return Err(error);
        }
        let Some(turn) = turn else {
            self.board().wait(flow, Waiting { id: id.clone(), flow, held, rest: Some(tell) });
            // A place may have become free while the row was written.
            self.fill();
            return Ok(Started { id, waits: true, rest, going: None });
        };
        let rest_of = Some(tell);
        let going = self.going(Box::new(Going {
            turn,
            program,
            journal,
            memory,
            held,
            trigger,
            rest: rest_of,
        }));
        // Dropped, it goes on by itself.
        Ok(Started { id, waits: false, rest, going: waited_for.then_some(going) })
    }

    /// Tells the board how a flow wants its runs to take turns.
    fn set_lane(&self, program: &Program) {
        let settings = &program.definition.settings;
        let most = usize::try_from(settings.max_concurrent_runs).unwrap_or(usize::MAX);
        self.board().set(program.flow, most, settings.priority);
    }

    fn rows(&self, start: &Start, entered: bool) -> (EventRow, RunRow) {
        let seq = self.inner.next_run.fetch_add(1, Ordering::Relaxed);
        let event = EventRow { run: Some(seq), ..self.event(start, "run") };
        let now = event.at;
        let Start { program, trigger_type, kind, depth, parent, .. } = start;
        let run = RunRow {
            seq,
            id: id::ranked(seq.unsigned_abs()),
            flow: program.flow,
            version: program.version,
            event: event.seq,
            kind: *kind,
            parent: parent.as_ref().map(|parent| parent.key.clone()),
            detached: parent.as_ref().is_some_and(|parent| parent.detached),
            again: false,
            retry_of: None,
            status: if entered { RunStatus::Running } else { RunStatus::Queued },
            priority: program.definition.settings.priority,
            depth: *depth,
            queued_at: now,
            started_at: entered.then_some(now),
            ended_at: None,
            wake_at: None,
            error: None,
            trigger_type: (*trigger_type).to_owned(),
        };
        (event, run)
    }

    /// Stores what an event told where it is large. Where that fails, the event itself has it.
    async fn lay_aside(&self, event: &mut EventRow, payload: Value) -> Output {
        if !event.is_large() {
            return Output::Here(payload);
        }
        let end = event.payload.floor_char_boundary(BEGINNING);
        event.payload = event.payload[..end].to_owned();
        match payloads::put(&self.inner.store, -event.seq, payload).await {
            Ok(stored) => {
                event.stored = Some(stored.clone());
                Output::Stored(stored)
            }
            Err(unstored) => {
                let Unstored { error, value } = *unstored;
                tracing::warn!(%error, "a large payload could not be stored by itself");
                event.payload = value.to_string();
                Output::Here(value)
            }
        }
    }

    fn number(&self) -> i64 {
        self.inner.next_run.fetch_add(1, Ordering::Relaxed)
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
            stored: None,
            cursor: start.cursor.clone(),
            run: None,
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
        self.cancel_resting(id).await
    }

    /// Ends a run that does not go on at this moment.
    async fn cancel_resting(&self, id: &str) -> Result<()> {
        let mut conn = self.inner.store.read().await?;
        let (run, _) = table::get(&mut conn, id).await?;
        drop(conn);
        let rest = Rest::of(RunStatus::Cancelled, None);
        let trigger = Told::default();
        let ending =
            Ending { run: &run, rest: &rest, program: None, node: None, trigger: &trigger };
        let after = self.aftermath(&ending).await;
        let (owned, rows) = (id.to_owned(), after.rows.clone());
        let unit = async move |tx: &mut Tx| {
            let (mut run, _) = table::get(tx.conn(), &owned).await?;
            if run.status.has_ended() {
                let how = run.status.as_str();
                return Err(Error::new(Code::NothingToDo, format!("the run is {how} already")));
            }
            run.status = RunStatus::Cancelled;
            run.ended_at = Some(tx.now());
            run.wake_at = None;
            tx.add(rows.clone());
            table::put_changed(tx, &run)
        };
        self.inner.store.write(unit).await?;
        self.board().drop_waiting(run.flow, |waiting| waiting.id == run.id);
        // Its turn may have come while this was written.
        self.cancel_going(id);
        self.follow_up(&run, RunStatus::Cancelled, after).await;
        Ok(())
    }

    fn cancel_going(&self, id: &str) -> bool {
        self.tokens().get(id).map(|turn| turn.token.cancel()).is_some()
    }

    /// The turn of a run that is about to go on. It is there before anybody can see the run go.
    fn new_turn(&self, id: &str) -> Turn {
        let number = self.inner.next_turn.fetch_add(1, Ordering::Relaxed);
        let turn = Turn { number, token: self.inner.stop.child_token() };
        self.tokens().insert(id.to_owned(), turn.clone());
        turn
    }

    fn end_turn(&self, id: &str, turn: &Turn) {
        let mut tokens = self.tokens();
        if tokens.get(id).is_some_and(|now| now.number == turn.number) {
            tokens.remove(id);
        }
    }

    /// Stops taking runs, and lets go of those that go on: the next start takes them up.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    pub(crate) async fn cursor(&self, flow: i64, trigger: &str) -> Result<Option<Value>> {
        let mut conn = self.inner.store.read().await?;
        table::cursor(&mut conn, flow, trigger).await
    }

    /// Keeps where a trigger is, when nothing was told.
    pub(crate) async fn keep_cursor(&self, flow: i64, trigger: &str, cursor: &Value) -> Result<()> {
        let mut batch = Batch::default();
        table::put_cursor(&mut batch, flow, trigger, cursor);
        self.inner.store.write_batch(batch).await
    }

    /// A run that the trigger started and that has not ended.
    pub(crate) async fn open_run(&self, flow: i64, trigger: &str) -> Result<Option<String>> {
        let mut conn = self.inner.store.read().await?;
        crate::table::trigger::open_run(&mut conn, flow, trigger).await
    }

    /// What a run gave that has ended.
    pub(crate) async fn output(&self, run: &RunRow) -> Result<Value> {
        let mut conn = self.inner.store.read().await?;
        let program = self.inner.programs.version(&mut conn, run.flow, run.version).await?;
        let (entries, _) = table::journal(&mut conn, run.seq).await?;
        drop(conn);
        whole(&self.inner.store, &crate::run::output(&program, entries)).await
    }

    /// `trigger`, as expressions see it now.
    pub(crate) fn told(&self, trigger: &str, kind: &'static str, payload: &Value) -> Value {
        let payload = Output::Here(payload.clone());
        Told::new(trigger, kind, self.inner.store.clock().now(), payload).into_seen()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// What flows may touch.
    pub(crate) fn permits(&self) -> &Permits {
        &self.inner.permits
    }

    /// Looks at parked runs now: after the machine slept, or the clock was set.
    pub fn look(&self) {
        self.inner.wake.notify_one();
    }

    /// The targets of flows that are in trouble.
    pub fn circuits(&self) -> Vec<CircuitState> {
        self.inner.circuits.states()
    }

    /// How many runs wait for their turn, and how many go on.
    pub fn counts(&self) -> (usize, usize) {
        self.board().counts()
    }

    fn board(&self) -> std::sync::MutexGuard<'_, Board<Waiting>> {
        self.inner.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<String, Turn>> {
        self.inner.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
