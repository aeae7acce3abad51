//! Tasks that fire triggers: each ends with what holds it, and says how it fares.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use devrig_core::{Code, Error};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::{Happened, Source};

/// After trouble with the store, such as a full disk.
const AGAIN: Duration = Duration::from_secs(2);

/// Held by the task whose turn it is.
type Turn = Arc<tokio::sync::Mutex<()>>;

/// The tasks of all triggers.
#[derive(Default)]
pub(super) struct Tasks {
    tracker: TaskTracker,
    /// By flow and trigger. A task that takes the place of another begins when that has ended, so
    /// that no event is told by both.
    turns: Mutex<HashMap<(i64, String), Turn>>,
    common: Mutex<Option<DropGuard>>,
}

/// A task that goes on while this is kept.
pub(super) struct Watching {
    pub health: Health,
    _stop: DropGuard,
}

/// How a trigger fares that is armed.
#[derive(Clone, Default)]
pub(super) struct Health(Arc<Mutex<Now>>);

#[derive(Clone, Default)]
enum Now {
    #[default]
    Well,
    /// What happens now it may not see yet.
    Starting,
    /// It does not fire, and this is why.
    Failed(Error),
}

impl Tasks {
    /// Starts a task for a trigger. It has to end soon after its token is cancelled.
    pub fn start<F: Future<Output = ()> + Send + 'static>(
        &self,
        source: &Source,
        work: impl FnOnce(Health, CancellationToken) -> F,
    ) -> Watching {
        let (health, stop) = (Health::default(), CancellationToken::new());
        let turn = self.turn((source.program.flow, source.trigger.clone()));
        let work = work(health.clone(), stop.clone());
        let ended = stop.clone();
        self.tracker.spawn(async move {
            let Some(_turn) = ended.run_until_cancelled(turn.lock()).await else { return };
            work.await;
        });
        Watching { health, _stop: stop.drop_guard() }
    }

    /// Starts the task that triggers have in common, if it does not go on already.
    pub fn start_once<F: Future<Output = ()> + Send + 'static>(
        &self,
        work: impl FnOnce(CancellationToken) -> F,
    ) {
        let mut common = self.common.lock().unwrap_or_else(PoisonError::into_inner);
        if common.is_none() {
            let stop = CancellationToken::new();
            self.tracker.spawn(work(stop.clone()));
            *common = Some(stop.drop_guard());
        }
    }

    /// Ends what they have in common, and waits for all of them.
    pub async fn end(&self) {
        drop(self.common.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.tracker.close();
        self.tracker.wait().await;
    }

    fn turn(&self, key: (i64, String)) -> Turn {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        turns.entry(key).or_default().clone()
    }
}

impl Health {
    /// The trigger does not fire before it is told to be well.
    pub fn starts(&self) {
        *self.now() = Now::Starting;
    }

    /// The trigger does not fire, and this is why.
    pub fn failed(&self, error: Error) {
        let mut now = self.now();
        if !matches!(&*now, Now::Failed(before) if before.message == error.message) {
            tracing::warn!(%error, "a trigger does not fire");
        }
        *now = Now::Failed(error);
    }

    /// All is well.
    pub fn well(&self) {
        *self.now() = Now::Well;
    }

    pub fn error(&self) -> Option<Error> {
        match &*self.now() {
            Now::Failed(error) => Some(error.clone()),
            Now::Well | Now::Starting => None,
        }
    }

    pub fn is_starting(&self) -> bool {
        matches!(*self.now(), Now::Starting)
    }

    fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It is on disk.
    Stored,
    /// It cannot be told, whatever is done: the health says why.
    Refused,
    /// The trigger was stopped before.
    Stopped,
}

/// Fires a trigger, again and again while the store has trouble, so that no event is lost.
pub(super) async fn fire(
    source: &Source,
    health: &Health,
    stop: &CancellationToken,
    event: impl Fn() -> Happened,
) -> Told {
    loop {
        match source.fire(event()).await {
            Ok(_) => {
                health.well();
                return Told::Stored;
            }
            Err(error) => {
                let passes = is_trouble(error.code);
                health.failed(error);
                if !passes {
                    return Told::Refused;
                }
            }
        }
        if stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await.is_none() {
            return Told::Stopped;
        }
    }
}

/// Whether an error lies with the store, and not with the event.
pub(super) fn is_trouble(code: Code) -> bool {
    use Code::{Cancelled, Database, DatabaseBusy, DatabaseCorrupt, DiskFull, Io, ReadOnly};
    matches!(code, Cancelled | Database | DatabaseBusy | DatabaseCorrupt | DiskFull | Io | ReadOnly)
}
