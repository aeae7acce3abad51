//! One run from its place on the board to its rest.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use devrig_core::{Code, Context as _, Error, Result, Timestamp};
use devrig_net::outliving::Outliving;
use devrig_store::Tx;
use futures::FutureExt;

use super::after::Ending;
use super::{Going, Rest, Runs, Turn, Waiting};
use crate::action::{Level, Log as _};
use crate::payloads;
use crate::program::Program;
use crate::run::{
    Access, Frame, Held, Journal, Memory, Parts, RunKind, RunRow, RunStatus, Stop, Told, Walked,
    Walker, whole,
};
use crate::table::run as table;

/// A run that takes longer is written down before it has ended, so that it is seen.
const SEEN: Duration = Duration::from_millis(50);
/// What a run tells is written down this often at least, so that it can be followed.
const FOLLOWED: Duration = Duration::from_secs(1);
/// After a write that the disk refused.
const PAUSE: Duration = Duration::from_millis(500);
/// Parked runs are looked at this often at least: the clock of the wall may jump, as after a sleep.
const LOOK: Duration = Duration::from_secs(30);

impl Runs {
    /// The run goes on whether that is waited for or not.
    pub(super) fn going(&self, going: Box<Going>) -> Outliving<()> {
        let runs = self.clone();
        Outliving::new(&self.inner.tasks, async move { runs.go(going).await })
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
        let turn = self.new_turn(&id);
        match self.read(&id, turn.clone()).await {
            Ok(Some(mut going)) => {
                going.rest = rest;
                going.held = held;
                self.go(going).await;
            }
            // It was cancelled while it waited for this.
            Ok(None) => self.done(&id, &turn, flow),
            Err(error) => {
                tracing::error!(run = id, %error, "a run cannot go on");
                Box::pin(self.bury(&id, error)).await;
                self.done(&id, &turn, flow);
            }
        }
    }

    /// The run takes its place away with it.
    pub(super) fn done(&self, id: &str, turn: &Turn, flow: i64) {
        self.end_turn(id, turn);
        self.board().leave(flow);
        self.fill();
    }

    async fn read(&self, id: &str, turn: Turn) -> Result<Option<Box<Going>>> {
        let store = &self.inner.store;
        let mut conn = store.read().await?;
        let (mut run, _) = table::get(&mut conn, id).await?;
        if run.status.has_ended() {
            return Ok(None);
        }
        let (trigger, payload) = table::event(&mut conn, run.event).await?;
        let (entries, part) = table::journal(&mut conn, run.seq).await?;
        let program = self.inner.programs.of_run(&mut conn, &run, &entries).await?;
        drop(conn);
        let kind = trigger_type(&run, &program, &trigger);
        let trigger = Told::new(&trigger, kind, run.queued_at, payload);
        run.started_at.get_or_insert(store.clock().now());
        let journal = Journal::resumed(store.clone(), run, part);
        journal.change(|run| {
            run.status = RunStatus::Running;
            run.wake_at = None;
        });
        let memory = Memory::of(entries);
        let held = Held::default();
        let rest = None;
        Ok(Some(Box::new(Going { turn, program, journal, memory, held, trigger, rest })))
    }

    /// Walks, writes down how that ended, and gives the place to the next.
    async fn go(&self, mut going: Box<Going>) {
        let flow = going.program.flow;
        let row = going.journal.run();
        let (id, called) = (row.id, row.parent.is_some());
        let tell = going.rest.take();
        let turn = going.turn.clone();
        let rest = self.walk(going).await;
        let parked = rest.as_ref().is_some_and(|rest| rest.status == RunStatus::Waiting);
        self.done(&id, &turn, flow);
        if parked {
            Box::pin(self.parked(&id, &turn)).await;
        }
        if let (Some(tell), Some(mut rest)) = (tell, rest) {
            // Another run reads a large output where it needs it.
            if !called && !tell.is_closed() {
                Box::pin(self.read_back(&mut rest)).await;
            }
            // Whoever started it may not wait for its end.
            let _ = tell.send(rest);
        }
    }

    async fn read_back(&self, rest: &mut Rest) {
        let Some(stored) = rest.stored.take() else { return };
        let _room = payloads::room(stored.stored()).await;
        match whole(&self.inner.store, &stored).await {
            Ok(output) => rest.output = output,
            Err(error) => rest.error = Some(error.context("what the run gave")),
        }
    }

    /// What came for a run while it was about to be parked is not lost.
    async fn parked(&self, id: &str, turn: &Turn) {
        self.look();
        if turn.token.is_cancelled()
            && !self.inner.stop.is_cancelled()
            && let Err(error) = self.cancel_resting(id).await
        {
            tracing::warn!(run = id, %error, "a parked run could not be cancelled");
        }
    }

    /// Nothing when DevRig stopped meanwhile: the run is as it was, and goes on at the next start.
    async fn walk(&self, going: Box<Going>) -> Option<Rest> {
        let Going { turn, program, journal, memory, held, trigger, .. } = *going;
        let (store, access) = (self.inner.store.clone(), self.access(program.flow));
        let walker = Walker::new(Parts {
            program: &program,
            journal: &journal,
            memory,
            store,
            access,
            others: self.inner.others.clone(),
            circuits: &self.inner.circuits,
            token: turn.token,
            answer: &held,
            other_runs: self,
            trigger,
        });
        let around = program.around.as_ref().map(|graph| Frame::seen(graph, &walker.memory));
        let frame = match &around {
            Some(around) => around.alone(&program.graph, walker.memory.item.clone()),
            None => Frame::whole(&program.graph),
        };
        // A defect in an action must not leave a run behind that nobody can end.
        let walked = AssertUnwindSafe(self.in_time(&walker, &frame)).catch_unwind().await;
        let walked = walked.unwrap_or_else(|panic| {
            let error = self.defect(&journal.run(), walker.failed_at(), &*panic);
            Walked::Stopped(Stop::Failed(error))
        });
        let stopped = matches!(&walked, Walked::Stopped(stop) if !matches!(stop, Stop::Parked(_)));
        if stopped && self.inner.stop.is_cancelled() {
            self.written(&journal).await;
            return None;
        }
        let rest = match walked {
            Walked::Done(output) => Rest::with(output),
            Walked::Broke => Rest::with(frame.output()),
            Walked::Stopped(stop) => at_rest(&journal, stop),
        };
        if rest.status.has_ended() {
            self.end(&walker, &rest).await;
        } else {
            journal.change(|run| {
                run.status = rest.status;
                run.error.clone_from(&rest.error);
            });
            self.written(&journal).await;
        }
        held.release();
        Some(rest)
    }

    /// Writes down how a run ended, and what follows from that.
    async fn end(&self, walker: &Walker<'_>, rest: &Rest) {
        let journal = walker.journal;
        let mut run = journal.run();
        run.status = rest.status;
        run.error.clone_from(&rest.error);
        run.ended_at = Some(self.inner.store.clock().now());
        let mut after = self
            .aftermath(&Ending {
                run: &run,
                rest,
                program: Some(walker.program),
                node: walker.failed_at(),
                trigger: &walker.trigger,
            })
            .await;
        if let Some(error) = &after.complaint {
            journal.say(Level::Warn, &error.message);
        }
        let ended = run.clone();
        journal.end(move |row| *row = ended, std::mem::take(&mut after.rows));
        self.written(journal).await;
        self.follow_up(&run, rest.status, after).await;
    }

    /// The way of a flow to the person's own things.
    pub(crate) fn access(&self, flow: i64) -> Access {
        Access::new(flow, self.inner.permits.clone(), self.inner.secrets.clone())
    }

    pub(super) async fn in_time<'a>(&self, walker: &'a Walker<'a>, frame: &'a Frame<'a>) -> Walked {
        let limit = Duration::from_millis(walker.program.definition.settings.timeout_ms);
        let timed = tokio::time::timeout(limit, walker.walk(frame));
        tokio::pin!(timed);
        let mut next = SEEN;
        let walked = loop {
            tokio::select! {
                walked = &mut timed => break walked,
                () = tokio::time::sleep(next) => next = FOLLOWED,
            }
            // A write that was begun is never left: what it took would be lost.
            let written = self.written(walker.journal);
            tokio::pin!(written);
            tokio::select! {
                walked = &mut timed => {
                    written.await;
                    break walked;
                }
                () = &mut written => {}
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
        if let Err(error) = self.try_to_bury(id, error).await {
            tracing::error!(run = id, %error, "nor can it be ended");
        }
    }

    async fn try_to_bury(&self, id: &str, error: Error) -> Result<()> {
        let mut conn = self.inner.store.read().await?;
        let (mut run, _) = table::get(&mut conn, id).await?;
        drop(conn);
        run.status = RunStatus::Failed;
        run.ended_at = Some(self.inner.store.clock().now());
        run.error = Some(error.clone());
        let rest = Rest::of(run.status, Some(error));
        let trigger = Told::default();
        let ending =
            Ending { run: &run, rest: &rest, program: None, node: None, trigger: &trigger };
        let after = self.aftermath(&ending).await;
        let (row, rows) = (run.clone(), after.rows.clone());
        let unit = async move |tx: &mut Tx| {
            tx.add(rows.clone());
            table::put_changed(tx, &row)
        };
        self.inner.store.write(unit).await?;
        self.follow_up(&run, run.status, after).await;
        Ok(())
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
        let mut conn = store.read().await?;
        table::next_wake(&mut conn).await
    }
}

/// What started it, as one word.
pub(super) fn trigger_type(run: &RunRow, program: &Program, trigger: &str) -> &'static str {
    match run.kind {
        RunKind::Sub => "subflow",
        RunKind::Error => "error",
        _ => program
            .definition
            .trigger(trigger)
            .map_or("manual", |found| found.trigger_type().as_str()),
    }
}

fn at_rest(journal: &Journal, stop: Stop) -> Rest {
    let (status, error) = match stop {
        Stop::Cancelled => (RunStatus::Cancelled, None),
        Stop::Failed(error) => (RunStatus::Failed, Some(error)),
        Stop::InDoubt { path, error } => {
            (RunStatus::NeedsDecision, Some(error.unwrap_or_else(|| in_doubt(&path))))
        }
        Stop::Parked(until) => {
            journal.change(|run| run.wake_at = until);
            (RunStatus::Waiting, None)
        }
    };
    Rest::of(status, error)
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
