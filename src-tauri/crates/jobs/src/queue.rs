//! The queue as the rest of DevRig uses it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use devrig_core::id::JobId;
use devrig_core::{Actor, Change, ChangeKind, Code, Error, Origin, Result, Timestamp};
use devrig_store::{Store, Tx};
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::job::{Job, JobInfo, JobPage, JobStats, JobStatus, NewJob};
use crate::table;

/// Rows of one page at most.
const PAGE: u32 = 500;
/// Rows deleted in one unit, so that other writers get their turn.
const BATCH: i64 = 1_000;

/// A handle on the queue. Cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub store: Store,
    /// Something may be due.
    pub wake: Notify,
    /// How the person cancels each job that was claimed, by its id.
    pub cancels: Mutex<HashMap<JobId, CancellationToken>>,
    pub started: std::sync::atomic::AtomicBool,
}

impl Inner {
    /// The token of a claimed job, made by whoever asks first: its worker or its cancellation.
    pub fn cancel_token(&self, id: &JobId) -> CancellationToken {
        let mut cancels = self.cancels.lock().unwrap_or_else(PoisonError::into_inner);
        cancels.entry(id.clone()).or_default().clone()
    }

    pub fn forget_token(&self, id: &JobId) {
        self.cancels.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl Jobs {
    pub fn new(store: Store) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                wake: Notify::new(),
                cancels: Mutex::default(),
                started: false.into(),
            }),
        }
    }

    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Queues a job with the caller's transaction; workers hear of it after the commit.
    ///
    /// With a `dedup` key, an unfinished job (running ones included) that has it already is moved
    /// forward to the earlier time and the higher priority, and its id is given instead. Its
    /// payload stays.
    pub async fn enqueue(&self, tx: &mut Tx, new: &NewJob) -> Result<JobId> {
        let now = tx.now();
        let id = table::insert(tx.conn(), new, now).await?;
        self.wake_after(tx);
        Ok(id)
    }

    /// Queues a job by itself.
    pub async fn push(&self, new: NewJob) -> Result<JobId> {
        let jobs = self.clone();
        self.store().write(async move |tx: &mut Tx| jobs.enqueue(tx, &new).await).await
    }

    /// Completes a running job with the caller's transaction, so that its effects and its end are
    /// one. What the handler returns afterwards has no further effect.
    ///
    /// # Errors
    /// `CONFLICT` when this claim has ended already; the caller's effects must not be stored then.
    pub async fn complete(tx: &mut Tx, job: &Job, result: &Value) -> Result<()> {
        let now = tx.now();
        let result = Some(result.to_string());
        if table::end(tx.conn(), job, JobStatus::Completed, result, now).await? {
            return Ok(());
        }
        Err(Error::new(Code::Conflict, format!("job {} has ended already", job.id)))
    }

    /// Puts a running job back until a time with the caller's transaction, so that what it looked
    /// at and when it looks again are one. The attempt is not counted, and what the handler
    /// returns afterwards has no further effect.
    ///
    /// # Errors
    /// `CONFLICT` when this claim has ended already.
    pub async fn postpone(&self, tx: &mut Tx, job: &Job, until: Timestamp) -> Result<()> {
        let now = tx.now();
        if table::put_back(tx.conn(), job, until, false, now).await? {
            self.wake_after(tx);
            return Ok(());
        }
        Err(Error::new(Code::Conflict, format!("job {} has ended already", job.id)))
    }

    /// Ends a job that is not done: at once when it has not begun, through its token when it
    /// runs.
    ///
    /// # Errors
    /// `NOT_FOUND`; `NOTHING_TO_DO` when it has ended.
    pub async fn cancel(&self, id: &JobId) -> Result<()> {
        let (jobs, id) = (self.clone(), id.clone());
        self.store()
            .write(async move |tx: &mut Tx| {
                let now = tx.now();
                match table::status(tx.conn(), &id).await? {
                    JobStatus::Pending | JobStatus::Waiting => {
                        table::cancel_unstarted(tx.conn(), &id, now).await?;
                        tx.change(by_person(&id, ChangeKind::Updated));
                    }
                    JobStatus::Running => {
                        // Runs before any later commit, so the job's own end cannot come between
                        // and leave the token behind.
                        let (jobs, id) = (jobs.clone(), id.clone());
                        tx.after_commit(move || jobs.inner.cancel_token(&id).cancel());
                    }
                    ended => return Err(nothing_to_do(&id, ended)),
                }
                Ok(())
            })
            .await
    }

    /// Runs a dead, cancelled or undecided job again, with as many attempts as at first. Its
    /// history stays.
    ///
    /// # Errors
    /// `NOT_FOUND`; `NOTHING_TO_DO` when it is not at rest; `CONFLICT` when another job does the
    /// same.
    pub async fn retry(&self, id: &JobId) -> Result<()> {
        let (jobs, id) = (self.clone(), id.clone());
        self.store()
            .write(async move |tx: &mut Tx| {
                let now = tx.now();
                match table::status(tx.conn(), &id).await? {
                    JobStatus::Dead | JobStatus::Cancelled | JobStatus::NeedsDecision => {}
                    other => return Err(nothing_to_do(&id, other)),
                }
                table::revive(tx.conn(), &id, now).await.map_err(|error| match error.code {
                    Code::Conflict => {
                        Error::new(Code::Conflict, format!("another job does what job {id} did"))
                            .hint("Discard this one, or wait for the other to end.")
                    }
                    _ => error,
                })?;
                tx.change(by_person(&id, ChangeKind::Updated));
                jobs.wake_after(tx);
                Ok(())
            })
            .await
    }

    /// Deletes a job that is at rest, with its history.
    ///
    /// # Errors
    /// `NOT_FOUND`; `NOTHING_TO_DO` when it is still to run: cancel it first.
    pub async fn discard(&self, id: &JobId) -> Result<()> {
        let id = id.clone();
        self.store()
            .write(async move |tx: &mut Tx| {
                match table::status(tx.conn(), &id).await? {
                    JobStatus::Pending | JobStatus::Waiting | JobStatus::Running => {
                        return Err(Error::new(
                            Code::NothingToDo,
                            format!("job {id} has not ended"),
                        )
                        .hint("Cancel it first."));
                    }
                    _ => table::delete(tx.conn(), &id).await?,
                }
                tx.change(by_person(&id, ChangeKind::Deleted));
                Ok(())
            })
            .await
    }

    /// How many jobs there are of each status.
    pub async fn stats(&self) -> Result<JobStats> {
        table::stats(self.store().reader()).await
    }

    /// Jobs with their payload and history, newest first: all, or those of one status by its name
    /// (`dead`…). `cursor` is the last page's.
    pub async fn list(
        &self,
        status: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<JobPage> {
        let status = status.map(parse_status).transpose()?;
        let before = cursor.map_or(Ok(i64::MAX), |cursor| {
            cursor.parse().map_err(|_| {
                Error::invalid(format!("{cursor:?} is not a cursor of the job list"))
                    .hint("Pass the cursor of the last page as it was.")
            })
        })?;
        let limit = i64::from(limit.clamp(1, PAGE));
        let mut conn = self.store().read().await?;
        let mut rows = table::list(&mut conn, status, before, limit + 1).await?;
        let more = rows.len() as i64 > limit;
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let cursor = rows.last().filter(|_| more).map(|(seq, _)| seq.to_string());
        Ok(JobPage { jobs: rows.into_iter().map(|(_, job)| job).collect(), cursor })
    }

    /// One job.
    pub async fn get(&self, id: &JobId) -> Result<JobInfo> {
        let mut conn = self.store().read().await?;
        table::get(&mut conn, id).await
    }

    /// Deletes jobs that completed or were cancelled longer ago than `keep`; dead ones stay until
    /// the person decides. Gives their number.
    pub async fn clean_completed(&self, keep: Duration) -> Result<u64> {
        let before = self.store().clock().now() - keep;
        let mut total = 0;
        loop {
            let deleted = self
                .store()
                .write(async move |tx: &mut Tx| table::delete_ended(tx.conn(), before, BATCH).await)
                .await?;
            total += deleted;
            if deleted == 0 {
                return Ok(total);
            }
        }
    }

    /// Makes the workers look at the queue and the clock now.
    pub fn wake(&self) {
        self.inner.wake.notify_one();
    }

    pub(crate) fn wake_after(&self, tx: &mut Tx) {
        let jobs = self.clone();
        tx.after_commit(move || jobs.wake());
    }
}

/// The change row of a job that the workers ended or stopped. What goes well leaves none: nobody
/// watches single jobs, and it would double the writing.
pub(crate) fn by_system(id: &JobId) -> Change {
    let origin = Origin::new(Actor::System).because(id.as_str());
    Change::new("job", id.as_str(), ChangeKind::Updated, &origin)
}

fn by_person(id: &JobId, kind: ChangeKind) -> Change {
    Change::new("job", id.as_str(), kind, &Origin::person())
}

fn nothing_to_do(id: &JobId, status: JobStatus) -> Error {
    let status = status.as_str().replace('_', " ");
    Error::new(Code::NothingToDo, format!("job {id} is {status}"))
}

fn parse_status(text: &str) -> Result<JobStatus> {
    JobStatus::parse(text).ok_or_else(|| {
        let names: Vec<_> = JobStatus::ALL.iter().map(|status| status.as_str()).collect();
        Error::invalid(format!("{text:?} is not a status of a job"))
            .hint(format!("Use one of {}.", names.join(", ")))
    })
}
