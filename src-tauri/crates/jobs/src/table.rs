//! The SQL of `job` and `job_attempt`.

use devrig_core::error::Context;
use devrig_core::id::JobId;
use devrig_core::{Error, Result, Timestamp};
use devrig_store::{SqliteConnection, from_sqlx};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteExecutor};

use crate::job::{Attempt, Job, JobInfo, JobStats, JobStatus, NewJob};
use crate::retry::RetryPolicy;

/// Stores a job, or finds the unfinished one with its key and moves it forward.
pub async fn insert(conn: &mut SqliteConnection, new: &NewJob, now: Timestamp) -> Result<JobId> {
    let run_at = new.run_at.unwrap_or(now);
    let status = if run_at > now { JobStatus::Waiting } else { JobStatus::Pending };
    let policy = (new.policy != RetryPolicy::default())
        .then(|| serde_json::to_string(&new.policy))
        .transpose()?;
    let id: String = sqlx::query_scalar(
        "INSERT INTO job (id, kind, payload, dedup, status, priority, run_at, gives_up_at, policy,
                          created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (dedup) WHERE dedup IS NOT NULL AND status IN ('pending', 'waiting', 'running')
         DO UPDATE SET
           priority = max(priority, excluded.priority),
           run_at = min(run_at, excluded.run_at),
           status = CASE WHEN status = 'waiting' AND excluded.run_at <= ?10 THEN 'pending'
                         ELSE status END
         RETURNING id",
    )
    .bind(JobId::fresh().0)
    .bind(&new.kind)
    .bind(new.payload.to_string())
    .bind(&new.dedup)
    .bind(status.as_str())
    .bind(new.priority)
    .bind(run_at.to_string())
    .bind(i64::from(new.policy.max_attempts.max(1)))
    .bind(policy)
    .bind(now.to_string())
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(JobId(id))
}

/// Jobs whose time has come become pending.
pub async fn promote(conn: &mut SqliteConnection, now: Timestamp) -> Result<()> {
    sqlx::query("UPDATE job SET status = 'pending' WHERE status = 'waiting' AND run_at <= ?")
        .bind(now.to_string())
        .execute(conn)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// The earliest time of a waiting job.
pub async fn next_due(executor: impl SqliteExecutor<'_>) -> Result<Option<Timestamp>> {
    let due: Option<String> =
        sqlx::query_scalar("SELECT min(run_at) FROM job WHERE status = 'waiting'")
            .fetch_one(executor)
            .await
            .map_err(from_sqlx)?;
    due.map(|due| due.parse()).transpose()
}

/// The place of a pending job in the order of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub before: std::cmp::Reverse<i64>,
    pub seq: i64,
}

/// The first `limit` pending jobs of a kind.
pub async fn first(conn: &mut SqliteConnection, kind: &str, limit: i64) -> Result<Vec<Place>> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT priority, seq FROM job WHERE kind = ? AND status = 'pending'
         ORDER BY priority DESC, seq LIMIT ?",
    )
    .bind(kind)
    .bind(limit)
    .fetch_all(conn)
    .await
    .map_err(from_sqlx)?;
    let place = |(priority, seq)| Place { before: std::cmp::Reverse(priority), seq };
    Ok(rows.into_iter().map(place).collect())
}

/// Takes a pending job.
///
/// # Errors
/// `INVALID_INPUT` when the row was changed by another hand and cannot be read.
pub async fn take(conn: &mut SqliteConnection, seq: i64, now: Timestamp) -> Result<Job> {
    let row = sqlx::query(
        "UPDATE job SET status = 'running', attempts = attempts + 1, started_at = ?
         WHERE seq = ?
         RETURNING seq, id, kind, payload, attempts, gives_up_at, policy, created_at, started_at",
    )
    .bind(now.to_string())
    .bind(seq)
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)?;
    job(&row).context(format!("reading job {seq}"))
}

fn job(row: &SqliteRow) -> Result<Job> {
    let policy: RetryPolicy = match text(row, "policy")? {
        Some(policy) => serde_json::from_str(&policy)?,
        None => RetryPolicy::default(),
    };
    let attempts = number(row, "attempts")?;
    let budget = i64::from(policy.max_attempts.max(1));
    let attempt = attempts - (number(row, "gives_up_at")? - budget);
    Ok(Job {
        id: JobId(needed(row, "id")?),
        kind: needed(row, "kind")?,
        payload: serde_json::from_str(&needed(row, "payload")?)?,
        attempt: u32::try_from(attempt).unwrap_or(1),
        created_at: needed(row, "created_at")?.parse()?,
        policy,
        seq: number(row, "seq")?,
        attempts,
        started_at: needed(row, "started_at")?.parse()?,
    })
}

/// Ends the claim that `job` stands for with a final status. False when it is no longer ours.
pub async fn end(
    conn: &mut SqliteConnection,
    job: &Job,
    status: JobStatus,
    result: Option<String>,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE job SET status = ?, result = ?, finished_at = ?
         WHERE seq = ? AND attempts = ? AND status = 'running'",
    )
    .bind(status.as_str())
    .bind(result)
    .bind(now.to_string())
    .bind(job.seq)
    .bind(job.attempts)
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(done.rows_affected() == 1)
}

/// Puts the job back until `run_at`. An attempt that does not count leaves no trace.
pub async fn put_back(
    conn: &mut SqliteConnection,
    job: &Job,
    run_at: Timestamp,
    counts: bool,
    now: Timestamp,
) -> Result<bool> {
    let status = if run_at > now { JobStatus::Waiting } else { JobStatus::Pending };
    let done = sqlx::query(
        "UPDATE job SET status = ?, run_at = ?, attempts = attempts - ?
         WHERE seq = ? AND attempts = ? AND status = 'running'",
    )
    .bind(status.as_str())
    .bind(run_at.to_string())
    .bind(i64::from(!counts))
    .bind(job.seq)
    .bind(job.attempts)
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(done.rows_affected() == 1)
}

pub async fn record(
    conn: &mut SqliteConnection,
    job: &Job,
    error: &Error,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO job_attempt (job, attempt, started_at, ended_at, error)
         VALUES (?, ?, ?, ?, ?)",
    )
    .bind(job.seq)
    .bind(job.attempts)
    .bind(job.started_at.to_string())
    .bind(now.to_string())
    .bind(serde_json::to_string(error)?)
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// Takes back what a process that ended had claimed: each such attempt is recorded with `error`,
/// and its job is due again unless it was the last. Gives the ids of those that died.
pub async fn recover(
    conn: &mut SqliteConnection,
    error: &Error,
    now: Timestamp,
) -> Result<Vec<JobId>> {
    sqlx::query(
        "INSERT INTO job_attempt (job, attempt, started_at, ended_at, error)
         SELECT seq, attempts, coalesce(started_at, created_at), ?, ? FROM job
         WHERE status = 'running'
         ON CONFLICT DO NOTHING",
    )
    .bind(now.to_string())
    .bind(serde_json::to_string(error)?)
    .execute(&mut *conn)
    .await
    .map_err(from_sqlx)?;
    let dead: Vec<String> = sqlx::query_scalar(
        "UPDATE job SET status = 'dead', finished_at = ?
         WHERE status = 'running' AND attempts >= gives_up_at RETURNING id",
    )
    .bind(now.to_string())
    .fetch_all(&mut *conn)
    .await
    .map_err(from_sqlx)?;
    sqlx::query("UPDATE job SET status = 'pending' WHERE status = 'running'")
        .execute(conn)
        .await
        .map_err(from_sqlx)?;
    Ok(dead.into_iter().map(JobId).collect())
}

/// Ends a job whose row cannot be read, so that it does not hold up the queue.
pub async fn bury(
    conn: &mut SqliteConnection,
    seq: i64,
    error: &Error,
    now: Timestamp,
) -> Result<JobId> {
    let id = sqlx::query_scalar(
        "UPDATE job SET status = 'dead', finished_at = ? WHERE seq = ? RETURNING id",
    )
    .bind(now.to_string())
    .bind(seq)
    .fetch_one(&mut *conn)
    .await
    .map_err(from_sqlx)?;
    sqlx::query(
        "INSERT INTO job_attempt (job, attempt, started_at, ended_at, error)
         SELECT seq, attempts, coalesce(started_at, created_at), ?, ? FROM job WHERE seq = ?",
    )
    .bind(now.to_string())
    .bind(serde_json::to_string(error)?)
    .bind(seq)
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(JobId(id))
}

pub async fn status(conn: &mut SqliteConnection, id: &JobId) -> Result<JobStatus> {
    let status: Option<String> = sqlx::query_scalar("SELECT status FROM job WHERE id = ?")
        .bind(id.as_str())
        .fetch_optional(conn)
        .await
        .map_err(from_sqlx)?;
    let status = status.ok_or_else(|| missing(id))?;
    JobStatus::parse(&status).ok_or_else(|| unknown(&status))
}

pub async fn cancel_unstarted(
    conn: &mut SqliteConnection,
    id: &JobId,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "UPDATE job SET status = 'cancelled', finished_at = ?
         WHERE id = ? AND status IN ('pending', 'waiting')",
    )
    .bind(now.to_string())
    .bind(id.as_str())
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// Gives a resting job as many attempts as it had at first.
///
/// # Errors
/// `CONFLICT` when an unfinished job has its key.
pub async fn revive(conn: &mut SqliteConnection, id: &JobId, now: Timestamp) -> Result<()> {
    sqlx::query(
        "UPDATE job SET status = 'pending', run_at = ?, finished_at = NULL,
           gives_up_at = attempts + coalesce(policy ->> '$.maxAttempts', ?)
         WHERE id = ?",
    )
    .bind(now.to_string())
    .bind(i64::from(RetryPolicy::default().max_attempts))
    .bind(id.as_str())
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

pub async fn delete(conn: &mut SqliteConnection, id: &JobId) -> Result<()> {
    sqlx::query("DELETE FROM job WHERE id = ?")
        .bind(id.as_str())
        .execute(conn)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// Deletes some of the jobs that ended before `before`, and says how many.
pub async fn delete_ended(
    conn: &mut SqliteConnection,
    before: Timestamp,
    limit: i64,
) -> Result<u64> {
    let done = sqlx::query(
        "DELETE FROM job WHERE seq IN (
           SELECT seq FROM job WHERE status IN ('completed', 'cancelled') AND finished_at < ?
           LIMIT ?)",
    )
    .bind(before.to_string())
    .bind(limit)
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(done.rows_affected())
}

pub async fn stats(executor: impl SqliteExecutor<'_>) -> Result<JobStats> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT status, count(*) FROM job GROUP BY status")
            .fetch_all(executor)
            .await
            .map_err(from_sqlx)?;
    let mut stats = JobStats::default();
    for (status, count) in rows {
        let place = match JobStatus::parse(&status).ok_or_else(|| unknown(&status))? {
            JobStatus::Pending => &mut stats.pending,
            JobStatus::Waiting => &mut stats.waiting,
            JobStatus::Running => &mut stats.running,
            JobStatus::Completed => &mut stats.completed,
            JobStatus::NeedsDecision => &mut stats.needs_decision,
            JobStatus::Dead => &mut stats.dead,
            JobStatus::Cancelled => &mut stats.cancelled,
        };
        *place = u32::try_from(count).unwrap_or(u32::MAX);
    }
    Ok(stats)
}

/// Jobs below `before`, newest first, with their sequence numbers.
pub async fn list(
    conn: &mut SqliteConnection,
    status: Option<JobStatus>,
    before: i64,
    limit: i64,
) -> Result<Vec<(i64, JobInfo)>> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT seq, id, kind, status, payload, result, priority, attempts, run_at, created_at,
                started_at, finished_at
         FROM job WHERE seq < ",
    );
    query.push_bind(before);
    if let Some(status) = status {
        query.push(" AND status = ").push_bind(status.as_str());
    }
    query.push(" ORDER BY seq DESC LIMIT ").push_bind(limit);
    let rows = query.build().fetch_all(&mut *conn).await.map_err(from_sqlx)?;
    let mut jobs = Vec::with_capacity(rows.len());
    for row in &rows {
        let seq = number(row, "seq")?;
        jobs.push((seq, info(row, history(&mut *conn, seq).await?)?));
    }
    Ok(jobs)
}

pub async fn get(conn: &mut SqliteConnection, id: &JobId) -> Result<JobInfo> {
    let row = sqlx::query(
        "SELECT seq, id, kind, status, payload, result, priority, attempts, run_at, created_at,
                started_at, finished_at
         FROM job WHERE id = ?",
    )
    .bind(id.as_str())
    .fetch_optional(&mut *conn)
    .await
    .map_err(from_sqlx)?
    .ok_or_else(|| missing(id))?;
    info(&row, history(conn, number(&row, "seq")?).await?)
}

fn missing(id: &JobId) -> Error {
    Error::not_found(format!("job {id}")).hint("`devrig job list` shows the jobs there are.")
}

async fn history(conn: &mut SqliteConnection, seq: i64) -> Result<Vec<Attempt>> {
    let rows = sqlx::query(
        "SELECT attempt, started_at, ended_at, error FROM job_attempt WHERE job = ?
         ORDER BY attempt",
    )
    .bind(seq)
    .fetch_all(conn)
    .await
    .map_err(from_sqlx)?;
    rows.iter()
        .map(|row| {
            Ok(Attempt {
                attempt: u32::try_from(number(row, "attempt")?).unwrap_or(u32::MAX),
                started_at: needed(row, "started_at")?.parse()?,
                ended_at: needed(row, "ended_at")?.parse()?,
                error: serde_json::from_str(&needed(row, "error")?)?,
            })
        })
        .collect()
}

fn info(row: &SqliteRow, history: Vec<Attempt>) -> Result<JobInfo> {
    let status = needed(row, "status")?;
    let time = |column| text(row, column)?.map(|at| at.parse()).transpose();
    Ok(JobInfo {
        id: JobId(needed(row, "id")?),
        kind: needed(row, "kind")?,
        status: JobStatus::parse(&status).ok_or_else(|| unknown(&status))?,
        payload: serde_json::from_str(&needed(row, "payload")?)?,
        result: text(row, "result")?.map(|result| serde_json::from_str(&result)).transpose()?,
        priority: row.try_get("priority").map_err(from_sqlx)?,
        attempts: u32::try_from(number(row, "attempts")?).unwrap_or(u32::MAX),
        run_at: needed(row, "run_at")?.parse()?,
        created_at: needed(row, "created_at")?.parse()?,
        started_at: time("started_at")?,
        finished_at: time("finished_at")?,
        history,
    })
}

fn text(row: &SqliteRow, column: &str) -> Result<Option<String>> {
    row.try_get(column).map_err(from_sqlx)
}

fn needed(row: &SqliteRow, column: &str) -> Result<String> {
    row.try_get(column).map_err(from_sqlx)
}

fn number(row: &SqliteRow, column: &str) -> Result<i64> {
    row.try_get(column).map_err(from_sqlx)
}

fn unknown(status: &str) -> Error {
    Error::internal(format!("a job has the unknown status {status:?}"))
}
