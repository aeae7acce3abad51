//! The ends of runs, which start other flows.
//!
//! One durable reader of the change feed serves all triggers of this kind, and there is none where
//! no flow waits for another. It moves on when what it read has been told; what is told again after
//! a crash is known by its key.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use devrig_core::{ChangeKind, Code, Error, Origin, Result};
use devrig_expr::Condition;
use devrig_store::{ChangeRow, Store, Subscriber, Tx};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::task::is_trouble;
use super::{Happened, Source, ended};
use crate::definition::Event;
use crate::run::{RunRow, RunStatus};
use crate::runs::Runs;
use crate::table::run::{self as table, FlowNames};

/// The reader's name in the feed.
const NAME: &str = "flow.ends";
/// Changes of one turn.
const TURN: u32 = 500;
/// A reader that told nothing for so many changes notes that it has read them.
const UNNOTED: i64 = 2_000;
/// Events of one turn that are taken side by side.
const AT_ONCE: usize = 16;
/// After reading or writing failed.
const AGAIN: Duration = Duration::from_secs(5);

/// A trigger that waits for ends of runs.
pub(super) struct Listener {
    source: Source,
    event: Event,
    /// None, or one.
    filter: Vec<Condition>,
}

/// Tells the ends of runs to those that wait for them. Cheap to clone.
#[derive(Clone)]
pub(super) struct Ends {
    inner: Arc<Inner>,
}

struct Inner {
    runs: Runs,
    /// Nothing before the flows were read for the first time.
    listeners: Mutex<Option<Listeners>>,
    changed: Notify,
}

type Listeners = Arc<[Arc<Listener>]>;

/// A run that has ended, with what it gave.
struct End {
    run: RunRow,
    of: FlowNames,
    payload: Value,
}

/// # Errors
/// `INVALID_INPUT` for a filter that is none.
pub(super) fn arm(event: &Event, source: Source) -> Result<Arc<Listener>> {
    let filter = event.filter.iter().map(Condition::parse).collect::<Result<_>>()?;
    Ok(Arc::new(Listener { source, event: event.clone(), filter }))
}

impl Ends {
    pub fn new(runs: Runs) -> Self {
        let inner = Inner { runs, listeners: Mutex::default(), changed: Notify::new() };
        Self { inner: Arc::new(inner) }
    }

    /// From now on these are told, and no others.
    pub fn tell(&self, listeners: Vec<Arc<Listener>>) {
        let mut kept = self.inner.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.as_deref().is_some_and(|kept| are_same(kept, &listeners)) {
            *kept = Some(listeners.into());
            self.inner.changed.notify_one();
        }
    }

    /// Runs until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let again = match self.follow(&stop).await {
                Ok(()) => Duration::MAX,
                Err(error) => {
                    tracing::warn!(%error, "ends of runs were not told, and are tried again");
                    AGAIN
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(again) => {}
                () = self.inner.changed.notified() => {}
            }
        }
    }

    /// Returns when nobody is to be told any more.
    async fn follow(&self, stop: &CancellationToken) -> Result<()> {
        let Some(listeners) = self.listeners() else { return Ok(()) };
        if listeners.is_empty() {
            return self
                .store()
                .write(async |tx: &mut Tx| Subscriber::forget(NAME, tx).await)
                .await;
        }
        let mut feed = self.store().subscriber(NAME).await?;
        let (mut seen, mut noted) = (0, 0);
        loop {
            let rows = tokio::select! {
                () = stop.cancelled() => return self.advance(seen).await,
                () = self.inner.changed.notified() => {
                    // Whoever comes next finds the change in the list.
                    self.inner.changed.notify_one();
                    return self.advance(seen).await;
                }
                rows = feed.next_after(seen, TURN) => match rows {
                    Err(error) if error.code == Code::Cancelled => return Ok(()),
                    rows => rows?,
                },
            };
            seen = rows.last().map_or(seen, |row| row.seq);
            let told = self.turn(&listeners, &rows).await?;
            // What is told again after a crash has its key.
            if told || seen - noted > UNNOTED {
                self.advance(seen).await?;
                noted = seen;
            }
        }
    }

    async fn advance(&self, seen: i64) -> Result<()> {
        let advance = async move |tx: &mut Tx| Subscriber::advance(NAME, tx, seen).await;
        self.store().write(advance).await
    }

    /// Whether anybody was told of something.
    async fn turn(&self, listeners: &Listeners, rows: &[ChangeRow]) -> Result<bool> {
        let changed =
            rows.iter().filter(|row| row.table == "run" && row.kind != ChangeKind::Deleted);
        let ids: BTreeSet<&str> = changed.map(|row| row.id.as_str()).collect();
        let mut any = false;
        if ids.is_empty() {
            return Ok(any);
        }
        let mut conn = self.store().read().await?;
        let ended = table::ended(&mut conn, ids).await?;
        drop(conn);
        for (run, of) in ended {
            let waiting = listeners.iter().filter(|listener| listener.waits_for(&run, &of));
            let waiting: Vec<_> = waiting.cloned().collect();
            if waiting.is_empty() {
                continue;
            }
            let output = self.output(&run).await;
            let payload = ended::payload(&run, &of, &output);
            let end = End { run, of, payload };
            let told = stream::iter(waiting).map(|listener| {
                let end = &end;
                async move { listener.hear(end).await }
            });
            told.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
            any = true;
        }
        Ok(any)
    }

    /// Nothing of a run that failed, or whose flow is gone.
    async fn output(&self, run: &RunRow) -> Value {
        if run.status != RunStatus::Completed {
            return Value::Null;
        }
        self.inner.runs.output(run).await.unwrap_or_else(|error| {
            tracing::warn!(run = run.id, %error, "nobody can say what the run gave");
            Value::Null
        })
    }

    fn listeners(&self) -> Option<Listeners> {
        self.inner.listeners.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn store(&self) -> &Store {
        self.inner.runs.store()
    }
}

fn are_same(some: &[Arc<Listener>], others: &[Arc<Listener>]) -> bool {
    some.len() == others.len()
        && others.iter().all(|one| some.iter().any(|some| Arc::ptr_eq(some, one)))
}

impl Listener {
    fn waits_for(&self, run: &RunRow, of: &FlowNames) -> bool {
        let before = self.source.since.zip(run.ended_at).is_some_and(|(since, at)| at < since);
        !before && ended::concerns(&self.event, &self.source.program.definition.id, run, of)
    }

    /// # Errors
    /// What the store meets. What can never be decided is kept for the person to see, and the next
    /// end is told.
    async fn hear(&self, end: &End) -> Result<()> {
        let decided = match self.decide(end).await {
            Ok(false) => return Ok(()),
            Err(error) if is_trouble(error.code) => return Err(error),
            decided => decided,
        };
        let key = ended::key(&end.run);
        if self.source.came(&key).await? {
            return Ok(());
        }
        let event = Happened {
            payload: end.payload.clone(),
            key: Some(key),
            depth: end.run.depth.saturating_add(1),
            ..Happened::default()
        };
        match decided {
            Ok(_) => self.source.fire(event).await.map(drop),
            Err(error) => {
                self.source.meter.missed(1, error, self.source.now());
                self.source.note(event, "failed").await
            }
        }
    }

    /// Whether this end is one that starts something.
    async fn decide(&self, end: &End) -> Result<bool> {
        if !self.passes(&end.payload).await? {
            return Ok(false);
        }
        if ended::is_too_deep(&end.run) {
            return Err(too_deep(end));
        }
        // Whether the entry conditions hold is asked when it fires; here, whether that can be said.
        self.source.admits(&end.payload).await.map(|_| true)
    }

    async fn passes(&self, payload: &Value) -> Result<bool> {
        let source = &self.source;
        let told = source.runs.told(&source.trigger, source.kind, payload);
        source.runs.all_hold(&source.program, &self.filter, &told).await
    }
}

fn too_deep(end: &End) -> Error {
    let (run, flow, most) = (&end.run.id, &end.of.name, Origin::MAX_DEPTH);
    let message = format!(
        "the run {run} of {flow} starts nothing here: flows have set each other off {most} times"
    );
    Error::new(Code::Refused, message)
        .hint("Look for flows that start each other in a circle, and end it with a filter.")
}
