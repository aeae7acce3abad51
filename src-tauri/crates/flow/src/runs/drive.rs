//! One run from its place on the board to its rest.

use std::time::Duration;

use devrig_core::{Code, Context as _, Error, Result, Timestamp};
use devrig_store::{Tx, from_sqlx};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Going, Rest, Runs, Waiting, told};
use crate::program::Program;
use crate::run::{Frame, Held, Journal, Memory, RunStatus, Stop, Walked, Walker};
use crate::table::run as table;

/// A run that takes longer is written down before it has ended, so that it is seen.
const SEEN: Duration = Duration::from_millis(50);
/// After a write that the disk refused.
const PAUSE: Duration = Duration::from_millis(500);
/// Parked runs are looked at this often at least: the clock of the wall may jump, as after a sleep.
const LOOK: Duration = Duration::from_secs(30);

impl Runs {
    pub(super) fn spawn(&self, going: Going) {
        let runs = self.clone();
        self.inner.tasks.spawn(async move { runs.go(going).await });
    }

    /// Gives free places to runs that wait.
    pub(super) fn fill(&self) {
        while !self.inner.stop.is_cancelled() {
            let Some(next) = self.board().start_next() else { return };
            let runs = self.clone();
            self.inner.tasks.spawn(async move { runs.take(next).await });
        }
    }

    /// Reads a run that has its turn now, and goes on with it.
    async fn take(&self, waiting: Waiting) {
        let Waiting { id, flow, held, rest } = waiting;
        let token = self.new_token(&id);
        match self.read(&id, token).await {
            Ok(Some(mut going)) => {
                going.rest = rest;
                going.held = held;
                self.go(going).await;
            }
            // It was cancelled while it waited for this.
            Ok(None) => self.done(&id, flow),
            Err(error) => {
                tracing::error!(run = id, %error, "a run cannot go on");
                self.bury(&id, error).await;
                self.done(&id, flow);
            }
        }
    }

    /// The run takes its place away with it.
    fn done(&self, id: &str, flow: i64) {
        self.tokens().remove(id);
        self.board().leave(flow);
        self.fill();
    }

    async fn read(&self, id: &str, token: CancellationToken) -> Result<Option<Going>> {
        let store = &self.inner.store;
        let mut conn = store.reader().acquire().await.map_err(from_sqlx)?;
        let (mut run, _) = table::get(&mut conn, id).await?;
        if run.status.has_ended() {
            return Ok(None);
        }
        let (trigger, payload) = table::event(&mut conn, run.event).await?;
        let (entries, part) = table::journal(&mut conn, run.seq).await?;
        let program = self.inner.programs.version(&mut conn, run.flow, run.version).await?;
        drop(conn);
        let kind = program
            .definition
            .trigger(&trigger)
            .map_or("manual", |found| found.trigger_type().as_str());
        let trigger = told(&trigger, kind, run.queued_at, payload);
        run.started_at.get_or_insert(store.clock().now());
        let journal = Journal::resumed(store.clone(), run, part);
        journal.change(|run| {
            run.status = RunStatus::Running;
            run.wake_at = None;
        });
        let memory = Memory::of(entries);
        let held = Held::default();
        Ok(Some(Going { token, program, journal, memory, held, trigger, rest: None }))
    }

    /// Walks, writes down how that ended, and gives the place to the next.
    async fn go(&self, mut going: Going) {
        let flow = going.program.flow;
        let id = going.journal.run().id;
        let tell = going.rest.take();
        let rest = self.walk(going).await;
        if rest.as_ref().is_some_and(|rest| rest.status == RunStatus::Waiting) {
            self.inner.wake.notify_one();
        }
        self.done(&id, flow);
        if let (Some(tell), Some(rest)) = (tell, rest) {
            // Whoever started it may not wait for its end.
            let _ = tell.send(rest);
        }
    }

    /// Nothing when DevRig stopped meanwhile: the run is as it was, and goes on at the next start.
    async fn walk(&self, going: Going) -> Option<Rest> {
        let Going { token, program, journal, memory, held, trigger, .. } = going;
        let store = self.inner.store.clone();
        let walker = Walker::new(&program, &journal, memory, store, token, &held, trigger);
        let frame = Frame::whole(&program.graph);
        let walked = self.in_time(&walker, &frame).await;
        let stopped = matches!(&walked, Walked::Stopped(stop) if !matches!(stop, Stop::Parked(_)));
        if stopped && self.inner.stop.is_cancelled() {
            self.written(&journal).await;
            return None;
        }
        let rest = match walked {
            Walked::Done(output) => Rest { status: RunStatus::Completed, output, error: None },
            Walked::Broke => {
                Rest { status: RunStatus::Completed, output: frame.output(), error: None }
            }
            Walked::Stopped(stop) => at_rest(&journal, stop),
        };
        let now = self.inner.store.clock().now();
        journal.change(|run| {
            run.status = rest.status;
            run.error.clone_from(&rest.error);
            run.ended_at = rest.status.has_ended().then_some(now);
        });
        self.written(&journal).await;
        held.release();
        Some(rest)
    }

    async fn in_time<'a>(&self, walker: &'a Walker<'a>, frame: &'a Frame<'a>) -> Walked {
        let limit = Duration::from_millis(walker.program.definition.settings.timeout_ms);
        let timed = tokio::time::timeout(limit, walker.walk(frame));
        tokio::pin!(timed);
        let walked = tokio::select! {
            walked = &mut timed => walked,
            () = tokio::time::sleep(SEEN) => {
                self.written(walker.journal).await;
                timed.await
            }
        };
        walked.unwrap_or_else(|_| Walked::Stopped(Stop::Failed(too_long(walker.program))))
    }

    /// Writes until it is written: a full disk must not lose how a run ended.
    async fn written(&self, journal: &Journal) {
        while let Err(error) = journal.barrier().await {
            if error.code == Code::Cancelled {
                return;
            }
            tracing::warn!(%error, "a run could not be written down yet");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// A run whose rows cannot be read has failed, and says why.
    async fn bury(&self, id: &str, error: Error) {
        let owned = id.to_owned();
        let buried = self
            .inner
            .store
            .write(async move |tx: &mut Tx| {
                let (mut run, _) = table::get(tx.conn(), &owned).await?;
                run.status = RunStatus::Failed;
                run.ended_at = Some(tx.now());
                run.error = Some(error.clone());
                table::put_changed(tx, &run)
            })
            .await;
        if let Err(error) = buried {
            tracing::error!(run = id, %error, "nor can it be ended");
        }
    }

    /// Brings parked runs back when their time has come.
    pub(super) async fn wake_parked(&self) {
        while !self.inner.stop.is_cancelled() {
            let next = self.due().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "parked runs could not be looked at");
                Some(self.inner.store.clock().now() + PAUSE)
            });
            let left = next.map_or(LOOK, |next| next.since(self.inner.store.clock().now()));
            tokio::select! {
                () = tokio::time::sleep(left.min(LOOK)) => {}
                () = self.inner.wake.notified() => {}
                () = self.inner.stop.cancelled() => {}
            }
        }
    }

    /// Queues the parked runs that are due, and gives the time of the next.
    async fn due(&self) -> Result<Option<Timestamp>> {
        let store = &self.inner.store;
        let now = store.clock().now();
        let due = store
            .write(async move |tx: &mut Tx| table::wake(tx, now).await)
            .await
            .context("waking parked runs")?;
        for (flow, id) in due {
            self.board().wait(flow, Waiting { id, flow, held: Held::default(), rest: None });
        }
        self.fill();
        let mut conn = store.reader().acquire().await.map_err(from_sqlx)?;
        table::next_wake(&mut conn).await
    }
}

fn at_rest(journal: &Journal, stop: Stop) -> Rest {
    let (status, error) = match stop {
        Stop::Cancelled => (RunStatus::Cancelled, None),
        Stop::Failed(error) => (RunStatus::Failed, Some(error)),
        Stop::InDoubt { path } => (RunStatus::NeedsDecision, Some(in_doubt(&path))),
        Stop::Parked(until) => {
            journal.change(|run| run.wake_at = until);
            (RunStatus::Waiting, None)
        }
    };
    Rest { status, output: Value::Null, error }
}

fn too_long(program: &Program) -> Error {
    let limit = program.definition.settings.timeout_ms;
    Error::new(Code::Timeout, format!("the run was not done after {limit} ms"))
        .hint("Raise settings.timeoutMs of the flow, or give its nodes limits of their own.")
}

fn in_doubt(path: &str) -> Error {
    Error::new(
        Code::InDoubt,
        format!("DevRig ended while {path} had its effect, so nobody knows whether it happened"),
    )
    .hint("Look where it should have happened, then retry the run or go on without the node.")
}
