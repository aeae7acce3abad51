//! The queue and its workers over a real database file.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use devrig_core::id::JobId;
use devrig_core::{Code, Error, ManualClock, Result, Timestamp};
use devrig_jobs::{
    Handler, Handlers, Job, JobContext, JobInfo, JobStatus, Jobs, NewJob, Outcome, RetryPolicy,
    Workers, async_trait,
};
use devrig_store::{Store, StoreOptions, Tx};
use serde_json::{Value, json};

/// A queue over a fresh file, with a clock that the test moves.
struct Rig {
    jobs: Jobs,
    store: Store,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

impl Rig {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at("2026-11-20T09:00:00Z".parse().unwrap());
        let file = folder.path().join("devrig.db");
        let options = StoreOptions::new(file, folder.path().join("backups"), clock.clone());
        let store = Store::open(options).await.unwrap();
        Self { jobs: Jobs::new(store.clone()), store, clock, _folder: folder }
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.jobs.wake();
    }

    /// Waits until the job has the status; a test that hangs here has failed.
    async fn until(&self, id: &JobId, status: JobStatus) -> JobInfo {
        let start = Instant::now();
        loop {
            let job = self.jobs.get(id).await.unwrap();
            if job.status == status {
                return job;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{status:?} expected: {job:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A handler made of a closure.
struct With<F>(F);

#[async_trait]
impl<F, R> Handler for With<F>
where
    F: Fn(Job, JobContext) -> R + Send + Sync,
    R: Future<Output = Result<Outcome>> + Send,
{
    async fn run(&self, job: &Job, context: JobContext) -> Result<Outcome> {
        (self.0)(job.clone(), context).await
    }
}

fn with<F, R>(run: F) -> With<F>
where
    F: Fn(Job, JobContext) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Outcome>> + Send,
{
    With(run)
}

fn done() -> Result<Outcome> {
    Ok(Outcome::Done(Value::Null))
}

fn no_jitter(max_attempts: u32) -> RetryPolicy {
    RetryPolicy { max_attempts, jitter: false, ..RetryPolicy::default() }
}

async fn condition(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_stored_with_its_transaction_or_not_at_all() {
    let rig = Rig::new().await;
    let jobs = rig.jobs.clone();
    let failed: Result<()> = rig
        .store
        .write(async move |tx: &mut Tx| {
            jobs.enqueue(tx, &NewJob::new("test", json!({}))).await?;
            Err(Error::invalid("changed my mind"))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(rig.jobs.stats().await.unwrap().pending, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_job_is_taken_at_once_and_its_result_kept() {
    let rig = Rig::new().await;
    let handlers = Handlers::new().on(
        "double",
        1,
        with(async |job: Job, _| Ok(json!(job.payload.as_i64().unwrap() * 2).into())),
    );
    let workers = Workers::start(&rig.jobs, handlers).await.unwrap();
    // The workers are idle and would look again in ten seconds only.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let start = Instant::now();
    let id = rig.jobs.push(NewJob::new("double", json!(21))).await.unwrap();
    let job = rig.until(&id, JobStatus::Completed).await;
    assert!(start.elapsed() < Duration::from_secs(3), "woken by the commit, not by the timer");
    assert_eq!(job.result, Some(json!(42)));
    assert_eq!((job.attempts, job.history.len()), (1, 0));
    workers.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_run_by_priority_and_then_by_age_across_kinds() {
    let rig = Rig::new().await;
    let mut expected = Vec::new();
    for number in 0..120_i32 {
        let priority = (number * 7919) % 5 - 2;
        let kind = if number % 3 == 0 { "a" } else { "b" };
        rig.jobs.push(NewJob::new(kind, json!(number)).priority(priority)).await.unwrap();
        expected.push((-priority, number));
    }
    expected.sort_unstable();
    let order = Arc::new(Mutex::new(Vec::new()));
    let handler = {
        let order = order.clone();
        Arc::new(with(move |job: Job, _| {
            order.lock().unwrap().push(job.payload.as_i64().unwrap());
            async { done() }
        }))
    };
    let handlers = Handlers::new().on("a", 9, handler.clone()).on("b", 9, handler).total(1);
    let workers = Workers::start(&rig.jobs, handlers).await.unwrap();
    condition("all jobs", || order.lock().unwrap().len() == 120).await;
    let expected: Vec<i64> = expected.into_iter().map(|(_, number)| number.into()).collect();
    assert_eq!(*order.lock().unwrap(), expected);
    workers.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_job_is_lost_or_runs_twice_at_a_time_and_limits_hold() {
    let rig = Rig::new().await;
    #[derive(Default)]
    struct Seen {
        now: Mutex<HashSet<i64>>,
        total: AtomicUsize,
        most: AtomicUsize,
        small: AtomicUsize,
        most_small: AtomicUsize,
        completed: Mutex<Vec<i64>>,
    }
    let seen = Arc::new(Seen::default());
    let handler = {
        let seen = seen.clone();
        Arc::new(with(move |job: Job, _| {
            let seen = seen.clone();
            async move {
                let number = job.payload.as_i64().unwrap();
                assert!(seen.now.lock().unwrap().insert(number), "{number} runs twice");
                let total = seen.total.fetch_add(1, Ordering::SeqCst) + 1;
                seen.most.fetch_max(total, Ordering::SeqCst);
                if job.kind == "small" {
                    let small = seen.small.fetch_add(1, Ordering::SeqCst) + 1;
                    seen.most_small.fetch_max(small, Ordering::SeqCst);
                }
                tokio::time::sleep(Duration::from_micros(fastrand::u64(0..2_000))).await;
                if job.kind == "small" {
                    seen.small.fetch_sub(1, Ordering::SeqCst);
                }
                seen.total.fetch_sub(1, Ordering::SeqCst);
                seen.now.lock().unwrap().remove(&number);
                match number % 5 {
                    0 if job.attempt < 3 => Err(Error::new(Code::Network, "try again")),
                    _ => {
                        seen.completed.lock().unwrap().push(number);
                        done()
                    }
                }
            }
        }))
    };
    let handlers = Handlers::new().on("small", 2, handler.clone()).on("big", 9, handler).total(6);
    let workers = Workers::start(&rig.jobs, handlers).await.unwrap();
    let policy = RetryPolicy { base: Duration::ZERO, ..RetryPolicy::default() };
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..4 {
        let (jobs, policy) = (rig.jobs.clone(), policy.clone());
        callers.spawn(async move {
            for number in (0..400).filter(|number| number % 4 == caller) {
                let kind = if number % 2 == 0 { "small" } else { "big" };
                jobs.push(NewJob::new(kind, json!(number)).policy(policy.clone())).await.unwrap();
            }
        });
    }
    callers.join_all().await;
    condition("all jobs", || seen.completed.lock().unwrap().len() == 400).await;
    workers.shutdown().await;
    let mut completed = seen.completed.lock().unwrap().clone();
    completed.sort_unstable();
    assert_eq!(completed, (0..400).collect::<Vec<i64>>());
    assert_eq!(rig.jobs.stats().await.unwrap().completed, 400);
    assert!(seen.most.load(Ordering::SeqCst) <= 6);
    assert!((1..=2).contains(&seen.most_small.load(Ordering::SeqCst)));
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_retried_with_backoff_then_die_with_their_history() {
    let rig = Rig::new().await;
    let handlers = Handlers::new().on(
        "call",
        1,
        with(async |job: Job, _| {
            Err(Error::new(Code::Network, format!("attempt {}", job.attempt)))
        }),
    );
    let workers = Workers::start(&rig.jobs, handlers).await.unwrap();
    let mut feed = rig.store.changes();
    let id =
        rig.jobs.push(NewJob::new("call", json!({"a": 1})).policy(no_jitter(3))).await.unwrap();

    let waiting = rig.until(&id, JobStatus::Waiting).await;
    assert_eq!(waiting.run_at, rig.clock.now_plus(1), "the first delay is the base");
    rig.advance(Duration::from_millis(999));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(rig.jobs.get(&id).await.unwrap().status, JobStatus::Waiting, "not a moment early");
    rig.advance(Duration::from_millis(1));
    condition_async("the second attempt", async || rig.jobs.get(&id).await.unwrap().attempts == 2)
        .await;
    let waiting = rig.until(&id, JobStatus::Waiting).await;
    assert_eq!(waiting.run_at, rig.clock.now_plus(2), "the delay doubles");
    rig.advance(Duration::from_secs(2));

    let dead = rig.until(&id, JobStatus::Dead).await;
    let words: Vec<_> =
        dead.history.iter().map(|a| (a.attempt, a.error.message.as_str())).collect();
    assert_eq!(words, [(1, "attempt 1"), (2, "attempt 2"), (3, "attempt 3")]);
    assert_eq!(dead.payload, json!({"a": 1}));
    let changes = feed.recv().await.unwrap();
    assert_eq!((changes[0].table.as_str(), &changes[0].id), ("job", &id.0));
    assert!(feed.try_recv().is_err(), "only the end leaves a change row");

    // By hand it gets its attempts again, and the history goes on.
    rig.jobs.retry(&id).await.unwrap();
    condition_async("the fourth attempt", async || {
        rig.jobs.get(&id).await.unwrap().history.len() == 4
    })
    .await;
    let again = rig.until(&id, JobStatus::Waiting).await;
    assert_eq!(again.history[3].attempt, 4);
    assert_eq!(again.history[3].error.message, "attempt 1", "the handler counts anew");
    workers.shutdown().await;
}

trait NowPlus {
    fn now_plus(&self, seconds: u64) -> Timestamp;
}

impl NowPlus for ManualClock {
    fn now_plus(&self, seconds: u64) -> Timestamp {
        devrig_core::Clock::now(self) + Duration::from_secs(seconds)
    }
}

async fn condition_async(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < Duration::from_secs(20), "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn permanent_errors_and_panics_end_a_job_at_once() {
    let rig = Rig::new().await;
    let handlers = Handlers::new()
        .on("refuse", 1, with(async |_, _| Err(Error::new(Code::Unauthorized, "bad token"))))
        .on("panic", 1, with(async |_, _| panic!("out of range")));
    let workers = Workers::start(&rig.jobs, handlers).await.unwrap();
    let refused = rig.jobs.push(NewJob::new("refuse", Value::Null)).await.unwrap();
    let panicked = rig.jobs.push(NewJob::new("panic", Value::Null)).await.unwrap();
    assert_eq!(rig.until(&refused, JobStatus::Dead).await.history.len(), 1);
    let job = rig.until(&panicked, JobStatus::Dead).await;
    assert_eq!(job.history[0].error.code, Code::Internal);
    assert!(job.history[0].error.message.contains("out of range"));
    rig.jobs.discard(&panicked).await.unwrap();
    assert_eq!(rig.jobs.get(&panicked).await.unwrap_err().code, Code::NotFound);
    workers.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn later_costs_no_attempt_and_retry_names_its_own_time() {
    let rig = Rig::new().await;
    let handlers = Handlers::new()
        .on("offline", 1, with(async |_, _| Ok(Outcome::Later { after: Duration::from_secs(60) })))
        .on(
            "limited",
            1,
            with(async |_, _| {
                let error = Error::new(Code::RateLimited, "HTTP 429");
                Ok(Outcome::Retry { after: Duration::from_secs(300), error })
            }),
        )
        .on(
            "ask",
            1,
            with(async |_, _| {
                Ok(Outcome::NeedsDecision(Error::new(Code::Conflict, "posted already?")))
            }),
        );
    let workers = Workers::start(&rig.jobs, handlers).await.unwrap();
    let offline = rig.jobs.push(NewJob::new("offline", Value::Null)).await.unwrap();
    let limited = rig.jobs.push(NewJob::new("limited", Value::Null)).await.unwrap();
    let ask = rig.jobs.push(NewJob::new("ask", Value::Null)).await.unwrap();
    let job = rig.until(&offline, JobStatus::Waiting).await;
    assert_eq!((job.attempts, job.history.len()), (0, 0));
    assert_eq!(job.run_at, rig.clock.now_plus(60));
    let job = rig.until(&limited, JobStatus::Waiting).await;
    assert_eq!((job.attempts, job.history.len()), (1, 1));
    assert_eq!(job.run_at, rig.clock.now_plus(300));
    let job = rig.until(&ask, JobStatus::NeedsDecision).await;
    assert_eq!(job.history[0].error.message, "posted already?");
    rig.jobs.discard(&ask).await.unwrap();
    workers.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_one_unfinished_job_which_moves_forward() {
    let rig = Rig::new().await;
    let later = rig.clock.now_plus(3600);
    let new = NewJob::new("sync", json!(1)).dedup("sync:github");
    let first = rig.jobs.push(new.clone().run_at(later)).await.unwrap();
    assert_eq!(rig.jobs.get(&first).await.unwrap().status, JobStatus::Waiting);
    let second = rig.jobs.push(new.clone().priority(5)).await.unwrap();
    assert_eq!(first, second);
    let job = rig.jobs.get(&first).await.unwrap();
    assert_eq!((job.status, job.priority), (JobStatus::Pending, 5), "now, and urgent");
    // A later request for later does not move it back.
    rig.jobs.push(new.clone().run_at(later)).await.unwrap();
    assert_eq!(rig.jobs.get(&first).await.unwrap().status, JobStatus::Pending);

    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let open = gate.clone();
    let handlers = Handlers::new().on(
        "sync",
        4,
        with(move |_, _| {
            let gate = open.clone();
            async move {
                gate.acquire().await.unwrap().forget();
                done()
            }
        }),
    );
    let workers = Workers::start(&rig.jobs, handlers).await.unwrap();
    rig.until(&first, JobStatus::Running).await;
    assert_eq!(rig.jobs.push(new.clone()).await.unwrap(), first, "a running one counts");
    gate.add_permits(1);
    rig.until(&first, JobStatus::Completed).await;
    assert_ne!(rig.jobs.push(new).await.unwrap(), first, "an ended one does not");
    gate.add_permits(1);
    workers.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_ends_a_waiting_job_at_once_and_a_running_one_by_its_token() {
    let rig = Rig::new().await;
    let handlers = Handlers::new()
        .on(
            "polite",
            1,
            with(async |_, context: JobContext| {
                context.token.cancelled().await;
                Err(Error::new(Code::Cancelled, "as you wish"))
            }),
        )
        .on("deaf", 1, with(async |_, _| std::future::pending().await));
    let workers = Workers::start(&rig.jobs, handlers).await.unwrap();
    let unhandled = rig.jobs.push(NewJob::new("nobody", Value::Null)).await.unwrap();
    rig.jobs.cancel(&unhandled).await.unwrap();
    assert_eq!(rig.jobs.get(&unhandled).await.unwrap().status, JobStatus::Cancelled);
    assert_eq!(rig.jobs.cancel(&unhandled).await.unwrap_err().code, Code::NothingToDo);

    for kind in ["polite", "deaf"] {
        let id = rig.jobs.push(NewJob::new(kind, Value::Null)).await.unwrap();
        rig.until(&id, JobStatus::Running).await;
        assert_eq!(rig.jobs.discard(&id).await.unwrap_err().code, Code::NothingToDo);
        rig.jobs.cancel(&id).await.unwrap();
        rig.until(&id, JobStatus::Cancelled).await;
    }
    workers.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_process_died_is_taken_again_until_its_attempts_are_used_up() {
    let rig = Rig::new().await;
    let new = NewJob::new("crash", Value::Null).policy(no_jitter(2));
    let id = rig.jobs.push(new).await.unwrap();
    for attempt in 1..=2 {
        let handlers =
            Handlers::new().on("crash", 1, with(async |_, _| std::future::pending().await));
        let workers = Workers::start(&rig.jobs, handlers).await.unwrap();
        let job = rig.until(&id, JobStatus::Running).await;
        assert_eq!(job.attempts, attempt);
        // As a kill would: nothing is written.
        drop(workers);
    }
    let workers = Workers::start(&rig.jobs, Handlers::new()).await.unwrap();
    let job = rig.until(&id, JobStatus::Dead).await;
    assert_eq!(job.history.len(), 2);
    assert_eq!(job.history[1].error.code, Code::Cancelled);
    workers.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_is_bounded_and_puts_unfinished_jobs_back_uncounted() {
    let rig = Rig::new().await;
    let handlers = Handlers::new()
        .on(
            "quick",
            1,
            with(async |_, _| {
                tokio::time::sleep(Duration::from_millis(300)).await;
                done()
            }),
        )
        .on("deaf", 1, with(async |_, _| std::future::pending().await));
    let workers = Workers::start(&rig.jobs, handlers).await.unwrap();
    let quick = rig.jobs.push(NewJob::new("quick", Value::Null)).await.unwrap();
    let deaf = rig.jobs.push(NewJob::new("deaf", Value::Null)).await.unwrap();
    let second = rig.jobs.push(NewJob::new("quick", Value::Null)).await.unwrap();
    rig.until(&quick, JobStatus::Running).await;
    rig.until(&deaf, JobStatus::Running).await;
    let start = Instant::now();
    workers.shutdown().await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(rig.jobs.get(&quick).await.unwrap().status, JobStatus::Completed, "drained");
    assert_eq!(rig.jobs.get(&second).await.unwrap().status, JobStatus::Pending, "not taken");
    let job = rig.jobs.get(&deaf).await.unwrap();
    assert_eq!((job.status, job.attempts), (JobStatus::Pending, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_may_complete_its_job_with_its_effects() {
    let rig = Rig::new().await;
    let store = rig.store.clone();
    let handlers = Handlers::new().on(
        "effect",
        1,
        with(move |job: Job, _| {
            let store = store.clone();
            async move {
                store
                    .write(async move |tx: &mut Tx| {
                        Jobs::complete(tx, &job, &json!("with its effects")).await
                    })
                    .await?;
                // A crash or an error from here on changes nothing.
                Err(Error::new(Code::Network, "too late"))
            }
        }),
    );
    let workers = Workers::start(&rig.jobs, handlers).await.unwrap();
    let id = rig.jobs.push(NewJob::new("effect", Value::Null)).await.unwrap();
    rig.until(&id, JobStatus::Completed).await;
    workers.shutdown().await;
    let job = rig.jobs.get(&id).await.unwrap();
    assert_eq!(job.status, JobStatus::Completed);
    assert_eq!(job.result, Some(json!("with its effects")));
    assert!(job.history.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_row_dies_alone() {
    let rig = Rig::new().await;
    let broken = rig.jobs.push(NewJob::new("work", Value::Null).priority(9)).await.unwrap();
    let fine = rig.jobs.push(NewJob::new("work", Value::Null)).await.unwrap();
    let id = broken.clone();
    rig.store
        .write(async move |tx: &mut Tx| {
            sqlx::query("UPDATE job SET policy = '{\"strategy\": 7}' WHERE id = ?")
                .bind(id.as_str())
                .execute(tx.conn())
                .await
                .map_err(devrig_store::from_sqlx)?;
            Ok(())
        })
        .await
        .unwrap();
    let workers =
        Workers::start(&rig.jobs, Handlers::new().on("work", 1, with(async |_, _| done())))
            .await
            .unwrap();
    rig.until(&fine, JobStatus::Completed).await;
    assert_eq!(rig.until(&broken, JobStatus::Dead).await.history.len(), 1);
    workers.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_page_by_cursor_and_old_jobs_are_cleaned() {
    let rig = Rig::new().await;
    let handlers = Handlers::new().on("work", 4, with(async |_, _| done())).on(
        "fail",
        4,
        with(async |_, _| Err(Error::invalid("no"))),
    );
    let workers = Workers::start(&rig.jobs, handlers).await.unwrap();
    let mut ids = Vec::new();
    for number in 0..7 {
        let kind = if number == 3 { "fail" } else { "work" };
        let id = rig.jobs.push(NewJob::new(kind, json!(number))).await.unwrap();
        let status = if number == 3 { JobStatus::Dead } else { JobStatus::Completed };
        rig.until(&id, status).await;
        ids.push(id);
    }
    let mut listed = Vec::new();
    let mut cursor = None;
    loop {
        let page = rig.jobs.list(None, cursor.as_deref(), 3).await.unwrap();
        assert!(page.jobs.len() <= 3);
        listed.extend(page.jobs.into_iter().map(|job| job.id));
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    ids.reverse();
    assert_eq!(listed, ids);
    assert_eq!(rig.jobs.list(Some("dead"), None, 9).await.unwrap().jobs.len(), 1);
    let error = rig.jobs.list(Some("deceased"), None, 9).await.unwrap_err();
    assert!(error.hint.unwrap().contains("needs_decision"));
    assert_eq!(rig.jobs.list(None, Some("x"), 9).await.unwrap_err().code, Code::InvalidInput);

    rig.clock.advance(Duration::from_secs(60));
    assert_eq!(rig.jobs.clean_completed(Duration::from_secs(61)).await.unwrap(), 0);
    assert_eq!(rig.jobs.clean_completed(Duration::from_secs(59)).await.unwrap(), 6);
    assert_eq!(rig.jobs.stats().await.unwrap().dead, 1, "the dead stay until the person decides");
    workers.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_makes_waiting_jobs_due() {
    let rig = Rig::new().await;
    let handlers = Handlers::new().on("work", 1, with(async |_, _| done()));
    let workers = Workers::start(&rig.jobs, handlers).await.unwrap();
    let at = rig.clock.now_plus(3600);
    let id = rig.jobs.push(NewJob::new("work", Value::Null).run_at(at)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    // Nobody tells the workers; their next look at the clock finds it.
    rig.clock.set(at);
    rig.until(&id, JobStatus::Completed).await;
    workers.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_has_one_set_of_workers() {
    let rig = Rig::new().await;
    let workers = Workers::start(&rig.jobs, Handlers::new()).await.unwrap();
    let second = Workers::start(&rig.jobs, Handlers::new()).await;
    assert_eq!(second.err().map(|error| error.code), Some(Code::Conflict));
    workers.shutdown().await;
    Workers::start(&rig.jobs, Handlers::new()).await.unwrap().shutdown().await;
}
