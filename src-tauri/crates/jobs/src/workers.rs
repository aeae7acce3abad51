//! Claims jobs and runs them, bounded by kind and in total, until told to stop.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::Duration;

use devrig_core::{Category, Code, Error, Result, Timestamp};
use devrig_store::Tx;
use futures::FutureExt;
use serde_json::Value;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::handler::{Handlers, JobContext, Outcome};
use crate::job::{Job, JobStatus};
use crate::queue::{Jobs, by_system};
use crate::table;

/// Between two looks at the queue and the clock at most: the machine may have slept, or its clock
/// been set, while a timer ran.
const LOOK: Duration = Duration::from_secs(10);
/// What a cancelled handler may take to end by itself.
const GRACE: Duration = Duration::from_secs(2);
/// What running jobs get to end by themselves at shutdown, before they are cancelled.
const DRAIN: Duration = Duration::from_secs(2);
/// After the database refused to write.
const PAUSE: Duration = Duration::from_secs(1);

/// The running workers. Dropping them stops all work without a drain.
pub struct Workers {
    jobs: Jobs,
    /// No more jobs are taken.
    closing: CancellationToken,
    /// Running jobs are to end.
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Workers {
    /// Takes back what a process that died had claimed, and starts to work.
    ///
    /// # Errors
    /// `CONFLICT` when this queue has workers already; what the database meets.
    pub async fn start(jobs: &Jobs, handlers: Handlers) -> Result<Self> {
        if jobs.inner.started.swap(true, Ordering::SeqCst) {
            return Err(Error::new(Code::Conflict, "this queue has workers already"));
        }
        if let Err(error) = recover(jobs).await {
            jobs.inner.started.store(false, Ordering::SeqCst);
            return Err(error);
        }
        let closing = CancellationToken::new();
        let stop = CancellationToken::new();
        let dispatcher = Dispatcher {
            jobs: jobs.clone(),
            handlers,
            running: HashMap::new(),
            tasks: JoinSet::new(),
            stop: stop.clone(),
        };
        let task = tokio::spawn(dispatcher.work(closing.clone()));
        Ok(Self { jobs: jobs.clone(), closing, stop, task })
    }

    /// Takes no more jobs, lets the running ones end for two seconds, cancels them, and puts back
    /// those that did not end; that attempt is not counted. Takes some four seconds at most, unless
    /// the database hangs.
    pub async fn shutdown(mut self) {
        self.closing.cancel();
        if tokio::time::timeout(DRAIN, &mut self.task).await.is_err() {
            self.stop.cancel();
            if let Err(error) = (&mut self.task).await {
                tracing::warn!(%error, "the workers did not end well");
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.closing.cancel();
        self.stop.cancel();
        self.task.abort();
        self.jobs.inner.started.store(false, Ordering::SeqCst);
    }
}

async fn recover(jobs: &Jobs) -> Result<()> {
    let error = Error::new(Code::Cancelled, "DevRig ended while the job ran");
    let dead = jobs
        .store()
        .write(async move |tx: &mut Tx| {
            let now = tx.now();
            let dead = table::recover(tx.conn(), &error, now).await?;
            dead.iter().for_each(|id| tx.change(by_system(id)));
            Ok(dead.len())
        })
        .await?;
    if dead > 0 {
        tracing::warn!(dead, "jobs were on their last attempt when DevRig ended");
    }
    Ok(())
}

/// What one look at the queue gave.
struct Claim {
    jobs: Vec<Job>,
    next_due: Option<Timestamp>,
}

struct Dispatcher {
    jobs: Jobs,
    handlers: Handlers,
    running: HashMap<String, usize>,
    /// Give the kind of the job that ended.
    tasks: JoinSet<String>,
    stop: CancellationToken,
}

impl Dispatcher {
    async fn work(mut self, closing: CancellationToken) {
        let jobs = self.jobs.clone();
        while !closing.is_cancelled() {
            let wait = self.look().await;
            tokio::select! {
                () = closing.cancelled() => break,
                () = jobs.inner.wake.notified() => {}
                () = tokio::time::sleep(wait) => {}
                Some(ended) = self.tasks.join_next() => self.ended(ended),
            }
            while let Some(ended) = self.tasks.try_join_next() {
                self.ended(ended);
            }
        }
        while self.tasks.join_next().await.is_some() {}
    }

    fn ended(&mut self, kind: Result<String, tokio::task::JoinError>) {
        match kind {
            Ok(kind) => {
                if let Some(running) = self.running.get_mut(&kind) {
                    *running = running.saturating_sub(1);
                }
            }
            // The handler's own panics are caught, so this is a defect of this module; its slot
            // stays taken rather than that a kind runs too often.
            Err(error) => tracing::error!(%error, "a worker task failed"),
        }
    }

    /// Starts what is due and has room, and says how long to wait for the next look.
    async fn look(&mut self) -> Duration {
        let room = self.room();
        if room.is_empty() {
            return LOOK;
        }
        let total = self.handlers.total.saturating_sub(self.tasks.len());
        match claim(&self.jobs, room, total).await {
            Ok(claim) => {
                for job in claim.jobs {
                    self.start(job);
                }
                let now = self.jobs.store().clock().now();
                claim.next_due.map_or(LOOK, |due| due.since(now).min(LOOK))
            }
            Err(error) if error.code == Code::Cancelled => LOOK,
            Err(error) => {
                tracing::warn!(%error, "the queue could not be read; trying again");
                PAUSE
            }
        }
    }

    /// Kinds that have free workers, and how many.
    fn room(&self) -> Vec<(String, usize)> {
        if self.tasks.len() >= self.handlers.total {
            return Vec::new();
        }
        self.handlers
            .kinds
            .iter()
            .map(|(kind, (_, limit))| {
                let running = self.running.get(kind).copied().unwrap_or(0);
                (kind.clone(), limit.saturating_sub(running))
            })
            .filter(|(_, room)| *room > 0)
            .collect()
    }

    fn start(&mut self, job: Job) {
        // Only kinds with a handler are claimed.
        let Some((handler, _)) = self.handlers.kinds.get(&job.kind).cloned() else {
            return;
        };
        *self.running.entry(job.kind.clone()).or_default() += 1;
        let (jobs, stop) = (self.jobs.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            let by_person = jobs.inner.cancel_token(&job.id);
            let token = stop.child_token();
            let run = handler.run(&job, JobContext { token: token.clone() });
            let outcome = bounded(run, &token, &by_person).await;
            let end = decide(&job, outcome, by_person.is_cancelled(), stop.is_cancelled());
            store_end(&jobs, &job, end, &stop).await;
            jobs.inner.forget_token(&job.id);
            job.kind
        });
    }
}

/// Runs the handler until it ends, or for the grace time after a cancellation. Panics are errors.
async fn bounded(
    run: impl Future<Output = Result<Outcome>>,
    token: &CancellationToken,
    by_person: &CancellationToken,
) -> Result<Outcome> {
    let run = AssertUnwindSafe(run).catch_unwind();
    tokio::pin!(run);
    let outcome = tokio::select! {
        outcome = &mut run => Some(outcome),
        () = by_person.cancelled() => None,
        () = token.cancelled() => None,
    };
    let outcome = match outcome {
        Some(outcome) => outcome,
        None => {
            token.cancel();
            match tokio::time::timeout(GRACE, run).await {
                Ok(outcome) => outcome,
                Err(_) => Ok(Err(Error::new(Code::Cancelled, "the job was cancelled"))),
            }
        }
    };
    outcome.unwrap_or_else(|panic| {
        let words = panic
            .downcast_ref::<&str>()
            .map(|words| (*words).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(Error::internal(format!("the job's handler panicked: {words}")))
    })
}

/// How an attempt is written down.
#[derive(Debug, Clone)]
enum End {
    Completed(Value),
    Cancelled,
    /// Back into the queue; with an error, the attempt counts.
    Again {
        after: Duration,
        error: Option<Error>,
    },
    Rests(JobStatus, Error),
}

fn decide(job: &Job, outcome: Result<Outcome>, by_person: bool, stopping: bool) -> End {
    let error = match outcome {
        Ok(Outcome::Done(result)) => return End::Completed(result),
        // Whatever else a handler makes of its cancellation, it was cancelled.
        _ if by_person => return End::Cancelled,
        Ok(Outcome::Later { after }) => return End::Again { after, error: None },
        Ok(Outcome::NeedsDecision(error)) => return End::Rests(JobStatus::NeedsDecision, error),
        Ok(Outcome::Retry { after, error }) if !job.is_last_attempt() => {
            return End::Again { after, error: Some(error) };
        }
        Ok(Outcome::Retry { error, .. }) | Err(error) => error,
    };
    if stopping && error.category == Category::Cancelled {
        return End::Again { after: Duration::ZERO, error: None };
    }
    match job.policy.after(job.attempt, &error, fastrand::f64()) {
        Some(after) => End::Again { after, error: Some(error) },
        None => End::Rests(JobStatus::Dead, error),
    }
}

/// Writes the end down, and goes on trying while the database cannot: a full disk must not lose
/// it. At shutdown the job stays claimed, and the next start takes it back.
async fn store_end(jobs: &Jobs, job: &Job, end: End, stop: &CancellationToken) {
    loop {
        let (job, end, unit_jobs) = (job.clone(), end.clone(), jobs.clone());
        let kind = job.kind.clone();
        let stored = jobs
            .store()
            .write(async move |tx: &mut Tx| write_end(tx, &unit_jobs, &job, &end).await)
            .await;
        match stored {
            Ok(()) => return,
            Err(error) if error.code == Code::Cancelled || stop.is_cancelled() => {
                tracing::warn!(%error, kind, "a job's end was not stored; it will run again");
                return;
            }
            Err(error) => tracing::warn!(%error, kind, "a job's end could not be stored yet"),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn write_end(tx: &mut Tx, jobs: &Jobs, job: &Job, end: &End) -> Result<()> {
    let now = tx.now();
    match end {
        End::Completed(result) => {
            // No row changes when the handler completed it itself.
            let result = (!result.is_null()).then(|| result.to_string());
            table::end(tx.conn(), job, JobStatus::Completed, result, now).await?;
        }
        End::Cancelled => {
            if table::end(tx.conn(), job, JobStatus::Cancelled, None, now).await? {
                tx.change(by_system(&job.id));
            }
        }
        End::Again { after, error } => {
            let back = table::put_back(tx.conn(), job, now + *after, error.is_some(), now).await?;
            if let (true, Some(error)) = (back, error) {
                table::record(tx.conn(), job, error, now).await?;
            }
            jobs.wake_after(tx);
        }
        End::Rests(status, error) => {
            if table::end(tx.conn(), job, *status, None, now).await? {
                table::record(tx.conn(), job, error, now).await?;
                tx.change(by_system(&job.id));
                let (id, kind, error) = (job.id.clone(), job.kind.clone(), error.clone());
                tx.after_commit(move || tracing::warn!(%id, kind, %error, "a job gave up"));
            }
        }
    }
    Ok(())
}

/// Takes up to `total` due jobs, and of each kind no more than it has room for, in one
/// transaction: by priority, then by age.
async fn claim(jobs: &Jobs, room: Vec<(String, usize)>, total: usize) -> Result<Claim> {
    jobs.store()
        .write(async move |tx: &mut Tx| {
            let now = tx.now();
            table::promote(tx.conn(), now).await?;
            let mut places = Vec::new();
            for (kind, room) in &room {
                let limit = i64::try_from(total.min(*room)).unwrap_or(i64::MAX);
                places.extend(table::first(tx.conn(), kind, limit).await?);
            }
            places.sort_unstable();
            let mut jobs = Vec::new();
            for place in places.into_iter().take(total) {
                match table::take(tx.conn(), place.seq, now).await {
                    Ok(job) => jobs.push(job),
                    Err(error) if error.code == Code::InvalidInput => {
                        let id = table::bury(tx.conn(), place.seq, &error, now).await?;
                        tx.change(by_system(&id));
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(Claim { jobs, next_due: table::next_due(tx.conn()).await? })
        })
        .await
}
