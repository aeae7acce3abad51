//! What follows from the end of a run: its error flow, the run that called it, those that it called.

use devrig_core::{Actor, Change, ChangeKind, Code, Error, Origin, Result};
use devrig_store::Batch;
use serde_json::{Value, json};

use super::{Runs, Start, Waiting};
use crate::program::Program;
use crate::run::{Held, Rest, RunKind, RunRow, RunStatus, Told};
use crate::table::{flow as flows, payload, run as table, wait};

/// A run that has ended, before that is written down.
pub(super) struct Ending<'a> {
    pub run: &'a RunRow,
    pub rest: &'a Rest,
    /// The version that it ran, where it can be read.
    pub program: Option<&'a Program>,
    /// The path of the node that it failed at.
    pub node: Option<String>,
    pub trigger: &'a Told,
}

/// What follows from an end.
#[derive(Default)]
pub(super) struct Aftermath {
    /// To be written in the transaction of the end, so that it happens once whatever crashes.
    pub rows: Batch,
    /// The error flow's run.
    next: Option<Waiting>,
    /// Why there is none.
    pub complaint: Option<Error>,
}

impl Runs {
    pub(super) async fn aftermath(&self, ending: &Ending<'_>) -> Aftermath {
        let mut after = Aftermath::default();
        if let Some((caller, node)) = ending.run.parent.as_deref().and_then(|at| at.split_once('/'))
            && !ending.run.detached
        {
            let now = self.inner.store.clock().now();
            wait::put_end(&mut after.rows, caller, node, now, &told(ending));
            self.hand_on(&mut after.rows, caller, ending.rest).await;
        }
        if ending.rest.status == RunStatus::Failed && ending.run.kind == RunKind::Live {
            match Box::pin(self.error_run(ending)).await {
                Ok(Some((rows, next))) => {
                    after.rows.merge(rows);
                    after.next = Some(next);
                }
                Ok(None) => {}
                Err(error) => after.complaint = Some(error.context("the error flow")),
            }
        }
        after
    }

    /// The run that called points to what this one gave, from the moment it is told.
    async fn hand_on(&self, rows: &mut Batch, caller: &str, rest: &Rest) {
        let Some(stored) = &rest.stored else { return };
        let caller = async {
            let mut conn = self.inner.store.read().await?;
            table::get(&mut conn, caller).await
        };
        match caller.await {
            Ok((caller, _)) => payload::hand_on(rows, caller.seq, &stored.hashes()),
            Err(error) if error.code == Code::NotFound => {}
            Err(error) => tracing::warn!(%error, "the run that called could not be read"),
        }
    }

    /// Goes on with what follows, after it is on disk.
    pub(super) async fn follow_up(&self, run: &RunRow, status: RunStatus, after: Aftermath) {
        self.count(run, status);
        if let Some(next) = after.next {
            self.board().wait(next.flow, next);
            self.fill();
        }
        if run.parent.is_some() && status.has_ended() {
            self.look();
        }
        if matches!(status, RunStatus::Failed | RunStatus::Cancelled) {
            Box::pin(self.let_children_go(&run.id)).await;
        }
    }

    async fn error_run(&self, ending: &Ending<'_>) -> Result<Option<(Batch, Waiting)>> {
        let Some(program) = ending.program else { return Ok(None) };
        let Some(id) = &program.definition.error_flow_id else { return Ok(None) };
        if ending.run.depth >= Origin::MAX_DEPTH {
            let what = format!("{} automatic steps follow from each other", ending.run.depth);
            return Err(Error::new(Code::Refused, what).hint("Look which flows start each other."));
        }
        let mut conn = self.inner.store.read().await?;
        let flow = flows::get(&mut conn, id.as_str()).await?;
        let live = live(&flow)?;
        let handler = self.inner.programs.version(&mut conn, flow.seq, live).await?;
        drop(conn);
        let start = Start {
            program: handler,
            trigger: "error".to_owned(),
            trigger_type: "error",
            kind: RunKind::Error,
            key: None,
            payload: failure(ending, program, self.trigger(ending).await),
            cursor: None,
            depth: ending.run.depth + 1,
            parent: None,
            answer: None,
        };
        self.queued(start).await.map(Some)
    }

    /// What the trigger told, as far as it can be read.
    async fn trigger(&self, ending: &Ending<'_>) -> Value {
        ending.trigger.whole(&self.inner.store).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "an error flow is not told what the trigger told");
            ending.trigger.seen().clone()
        })
    }

    /// A run that waits for its turn from the moment its rows are written.
    async fn queued(&self, start: Start) -> Result<(Batch, Waiting)> {
        let flow = start.program.flow;
        self.set_lane(&start.program);
        let (mut event, run) = self.rows(&start, false);
        self.lay_aside(&mut event, start.payload).await;
        let mut rows = Batch::default();
        table::add_event(&mut rows, &event)?;
        table::put(&mut rows, &run)?;
        let origin = Origin { depth: run.depth, ..Origin::new(Actor::Flow) };
        rows.change(Change::new("run", &run.id, ChangeKind::Created, &origin));
        Ok((rows, Waiting { id: run.id, flow, held: Held::default(), rest: None }))
    }

    /// Cancels the runs that a run called and waited for.
    pub(super) async fn let_children_go(&self, run: &str) {
        let children = async {
            let mut conn = self.inner.store.read().await?;
            table::children(&mut conn, run).await
        };
        self.cancel_all(children.await).await;
    }

    /// The same after a crash between the end of a run and that of those it called.
    pub(super) async fn let_orphans_go(&self) {
        let orphans = async {
            let mut conn = self.inner.store.read().await?;
            table::orphans(&mut conn).await
        };
        self.cancel_all(orphans.await).await;
    }

    async fn cancel_all(&self, runs: Result<Vec<String>>) {
        let runs = runs.unwrap_or_else(|error| {
            tracing::warn!(%error, "runs that nobody waits for could not be found");
            Vec::new()
        });
        for run in runs {
            // One that ended meanwhile is as good.
            if let Err(error) = Box::pin(self.cancel(&run)).await
                && error.code != Code::NothingToDo
            {
                tracing::warn!(run, %error, "a run that nobody waits for goes on");
            }
        }
    }
}

/// The version that others start.
pub(super) fn live(flow: &flows::FlowRow) -> Result<i64> {
    flow.live.ok_or_else(|| {
        Error::new(Code::Conflict, format!("{} has no live version", flow.name))
            .hint("Publish one: `devrig flow publish`.")
    })
}

/// How a run ended, for the one that called it.
fn told(ending: &Ending<'_>) -> Value {
    let Rest { status, output, stored, error } = ending.rest;
    json!({
        "run": ending.run.id, "status": status, "output": output, "stored": stored, "error": error,
    })
}

/// `trigger.payload` of an error flow.
fn failure(ending: &Ending<'_>, program: &Program, trigger: Value) -> Value {
    let Ending { run, rest, node, .. } = ending;
    let definition = &program.definition;
    json!({
        "run": {
            "id": run.id, "kind": run.kind, "queuedAt": run.queued_at,
            "startedAt": run.started_at, "endedAt": run.ended_at,
        },
        "flow": { "id": definition.id, "name": definition.name, "version": program.version },
        "node": node,
        "error": rest.error,
        "trigger": trigger,
    })
}
