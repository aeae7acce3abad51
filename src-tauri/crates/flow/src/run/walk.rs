//! Walks a graph: starts what the plan says, waits for what runs, tells the plan how it ended.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use devrig_core::{Error, Result, Timestamp};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use super::{End, Entry, Frame, NodeStatus, Output, Walker};
use crate::definition::port;
use crate::plan::Plan;

/// How a walk over a graph ended.
#[derive(Debug)]
pub enum Walked {
    /// To its end, with what it gives.
    Done(Output),
    /// A node asked to leave the loop around it.
    Broke,
    Stopped(Stop),
}

/// Why a walk did not come to its end.
#[derive(Debug)]
pub enum Stop {
    /// A node failed, and nothing handles it.
    Failed(Error),
    /// Nothing can go on before this time, or before an answer when there is none.
    Parked(Option<Timestamp>),
    /// It is not known whether the effect of a node happened.
    InDoubt {
        path: String,
        /// What was met; absent where DevRig ended in the middle.
        error: Option<Error>,
    },
    Cancelled,
}

/// How one node ended, and which ways lead on from it.
enum Settled {
    With(Arc<End>, Ways),
    Stopped(Stop),
}

/// The ways out of a node that has ended, by their numbers.
struct Ways {
    taken: Vec<usize>,
    /// Those that a condition of their own closed.
    closed: Vec<usize>,
}

/// How one node ended.
pub(super) enum Ended {
    With(Arc<End>),
    Stopped(Stop),
}

impl Walker<'_> {
    /// Walks the graph of a frame.
    pub fn walk<'a>(&'a self, frame: &'a Frame<'a>) -> BoxFuture<'a, Walked> {
        Box::pin(async move {
            let mut way = Walk::begin(self, frame);
            way.go().await
        })
    }

    /// Runs a node, and decides which ways lead on: whoever answers a condition holds up no other.
    async fn settled(&self, frame: &Frame<'_>, node: usize) -> Settled {
        let end = match self.watched(frame, node).await {
            Ended::With(end) => end,
            Ended::Stopped(stop) => return Settled::Stopped(stop),
        };
        // Conditions on the ways see the node's own output.
        frame.keep(node, end.clone());
        match self.ways(frame, node, &end).await {
            Ok(ways) => Settled::With(end, ways),
            Err(error) => Settled::Stopped(Stop::Failed(self.journal.masks().error(error))),
        }
    }

    /// A defect is known by the node that it came from.
    async fn watched(&self, frame: &Frame<'_>, node: usize) -> Ended {
        let ended = AssertUnwindSafe(self.node(frame, node)).catch_unwind().await;
        ended.unwrap_or_else(|panic| {
            self.note_failure(&frame.path(node), false);
            resume_unwind(panic)
        })
    }

    async fn ways(&self, frame: &Frame<'_>, node: usize, end: &End) -> Result<Ways> {
        let chosen = end.port.as_deref().unwrap_or(port::OUT);
        let mut ways = Ways { taken: Vec::new(), closed: end.closed.clone() };
        let decided = self.remembers(&end.node);
        for way in frame.graph.wiring.ways_out(node) {
            let out = &frame.graph.ways[*way];
            if out.port != chosen || ways.closed.contains(way) {
                continue;
            }
            match &out.condition {
                // What others said before a crash stays so, whatever they would say now.
                Some(condition) if decided && !condition.dependencies().is_empty() => {
                    ways.taken.push(*way);
                }
                Some(condition) if !self.holds(frame, condition).await? => ways.closed.push(*way),
                _ => ways.taken.push(*way),
            }
        }
        Ok(ways)
    }
}

struct Walk<'a> {
    walker: &'a Walker<'a>,
    frame: &'a Frame<'a>,
    plan: Plan,
    ready: VecDeque<usize>,
    running: FuturesUnordered<BoxFuture<'a, (usize, Settled)>>,
    /// When the first of the parked nodes goes on; `Some(None)` while all wait for answers.
    parked: Option<Option<Timestamp>>,
    /// A node asked to leave the loop around it.
    broken: bool,
}

impl<'a> Walk<'a> {
    fn begin(walker: &'a Walker<'a>, frame: &'a Frame<'a>) -> Self {
        let (plan, next) = Plan::begin(&frame.graph.wiring);
        Self {
            walker,
            frame,
            plan,
            ready: next.start.into(),
            running: FuturesUnordered::new(),
            parked: None,
            broken: false,
        }
    }

    async fn go(&mut self) -> Walked {
        loop {
            self.start();
            let Some((node, ended)) = self.running.next().await else { break };
            match ended {
                Settled::With(end, ways) => self.settle(node, end, ways),
                Settled::Stopped(Stop::Parked(until)) => self.park(until),
                Settled::Stopped(stop) => return Walked::Stopped(stop),
            }
            if self.broken {
                return Walked::Broke;
            }
        }
        match self.parked {
            Some(until) => Walked::Stopped(Stop::Parked(until)),
            None => Walked::Done(self.frame.output()),
        }
    }

    /// Starts what is ready. One after another where the flow says so.
    fn start(&mut self) {
        while let Some(node) = self.ready.pop_front() {
            let (walker, frame) = (self.walker, self.frame);
            self.running.push(Box::pin(async move { (node, walker.settled(frame, node).await) }));
            if frame.graph.sequential && !self.running.is_empty() {
                return;
            }
        }
    }

    fn settle(&mut self, node: usize, end: Arc<End>, ways: Ways) {
        let Ways { taken, closed } = ways;
        self.broken |= end.status == NodeStatus::Completed && self.frame.graph.nodes[node].breaks();
        if !self.walker.remembers(&end.node) {
            let noted = match closed.is_empty() {
                true => end,
                false => Arc::new(End { closed, ..End::clone(&end) }),
            };
            self.walker.journal.note(Entry::Ended(noted));
        }
        let next = self.plan.end(&self.frame.graph.wiring, node, |way| taken.contains(&way));
        self.ready.extend(next.start);
    }

    fn park(&mut self, until: Option<Timestamp>) {
        self.parked = Some(match (self.parked, until) {
            (Some(Some(first)), Some(until)) => Some(first.min(until)),
            (Some(first), None) => first,
            (_, until) => until,
        });
    }
}
