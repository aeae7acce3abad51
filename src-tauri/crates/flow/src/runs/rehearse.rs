//! Walks that leave no run behind: for tests of flows, and for past triggers through an edited one.

use std::sync::Arc;

use async_trait::async_trait;
use devrig_core::{Code, Error, Result};
use tokio_util::sync::CancellationToken;

use super::Runs;
use crate::program::Program;
use crate::run::{
    Asked, Call, Called, Came, End, Frame, Held, Journal, Memory, NodeStatus, OtherRuns, Output,
    Parts, RunKind, RunRow, RunStatus, StandIn, Stop, Told, Walked, Walker,
};

/// What a walk came to.
#[derive(Debug)]
pub(super) struct Rehearsed {
    pub status: RunStatus,
    pub output: Output,
    pub error: Option<Error>,
    /// In the order in which they ended.
    pub ends: Vec<Arc<End>>,
    /// Nodes that touch the world, and of which nobody knows what they would give. Where there are
    /// some, what comes after them is not known either.
    pub unknown: Vec<String>,
    /// Conditions of plugins of which nobody knows what they would say, with the same effect.
    pub unasked: Vec<String>,
}

impl Rehearsed {
    /// The nodes that ran.
    pub fn ran(&self) -> impl Iterator<Item = &Arc<End>> {
        self.ends.iter().filter(|end| ran(end))
    }
}

/// Whether a node did something, well or not.
pub(super) fn ran(end: &End) -> bool {
    matches!(end.status, NodeStatus::Completed | NodeStatus::Failed | NodeStatus::Skipped)
}

impl Runs {
    pub(super) async fn rehearse(
        &self,
        program: &Program,
        trigger: Told,
        stand_in: &StandIn,
    ) -> Rehearsed {
        let now = self.inner.store.clock().now();
        let journal = Journal::unwritten(self.inner.store.clone(), row(program, now));
        let held = Held::default();
        let walker = Walker::new(Parts {
            program,
            journal: &journal,
            memory: Memory::default(),
            store: self.inner.store.clone(),
            access: self.access(program.flow),
            token: CancellationToken::new(),
            answer: &held,
            others: self.inner.others.clone(),
            circuits: &self.inner.circuits,
            other_runs: &Nobody,
            trigger,
        })
        .standing_in(stand_in);
        let frame = Frame::whole(&program.graph);
        let walked = self.in_time(&walker, &frame).await;
        let output = frame.output();
        let (status, error) = match walked {
            Walked::Done(_) | Walked::Broke => (RunStatus::Completed, None),
            Walked::Stopped(Stop::Failed(error)) => (RunStatus::Failed, Some(error)),
            Walked::Stopped(Stop::Parked(_)) => (RunStatus::Waiting, None),
            Walked::Stopped(Stop::InDoubt { .. }) => (RunStatus::NeedsDecision, None),
            Walked::Stopped(Stop::Cancelled) => (RunStatus::Cancelled, None),
        };
        Rehearsed {
            status,
            output,
            error,
            ends: journal.ends(),
            unknown: stand_in.missing(),
            unasked: stand_in.unasked(),
        }
    }
}

fn row(program: &Program, now: devrig_core::Timestamp) -> RunRow {
    RunRow {
        seq: 0,
        id: "rehearsal".to_owned(),
        flow: program.flow,
        version: program.version,
        event: 0,
        kind: RunKind::Live,
        trigger_type: "manual".to_owned(),
        parent: None,
        detached: false,
        again: false,
        retry_of: None,
        status: RunStatus::Running,
        priority: 0,
        depth: 0,
        queued_at: now,
        started_at: Some(now),
        ended_at: None,
        wake_at: None,
        error: None,
    }
}

/// Nobody is reached from a walk that leaves nothing behind.
struct Nobody;

#[async_trait]
impl OtherRuns for Nobody {
    async fn call(&self, _: Call<'_>) -> Result<Called> {
        Err(unreached())
    }

    async fn ask(&self, _: &str, _: &Asked, _: bool) -> Result<Came> {
        Err(unreached())
    }

    async fn let_go(&self, _: &str) {}

    fn address(&self, _: &str) -> Option<String> {
        None
    }
}

fn unreached() -> Error {
    Error::new(Code::Unsupported, "nothing outside is reached while a flow is tried out")
}
