//! Walks a graph: starts what the plan says, waits for what runs, tells the plan how it ended.

use std::collections::VecDeque;
use std::sync::Arc;

use devrig_core::{Error, Result, Timestamp};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use serde_json::Value;

use super::{End, Entry, Frame, NodeStatus, Walker};
use crate::definition::port;
use crate::plan::Plan;

/// How a walk over a graph ended.
#[derive(Debug)]
pub enum Walked {
    /// To its end, with what it gives.
    Done(Value),
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
    },
    Cancelled,
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

    /// The ways out of a node that has ended which are taken, and those that a condition of their own
    /// closes.
    fn ways(&self, frame: &Frame<'_>, node: usize, end: &End) -> Result<(Vec<usize>, Vec<usize>)> {
        let chosen = end.port.as_deref().unwrap_or(port::OUT);
        let (mut taken, mut closed) = (Vec::new(), end.closed.clone());
        for way in frame.graph.wiring.ways_out(node) {
            let out = &frame.graph.ways[*way];
            if out.port != chosen || closed.contains(way) {
                continue;
            }
            match &out.condition {
                Some(condition) if !self.holds(frame, condition)? => closed.push(*way),
                _ => taken.push(*way),
            }
        }
        Ok((taken, closed))
    }
}

struct Walk<'a> {
    walker: &'a Walker<'a>,
    frame: &'a Frame<'a>,
    plan: Plan,
    ready: VecDeque<usize>,
    running: FuturesUnordered<BoxFuture<'a, (usize, Ended)>>,
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
                Ended::With(end) => {
                    if let Err(error) = self.settle(node, end) {
                        return Walked::Stopped(Stop::Failed(error));
                    }
                }
                Ended::Stopped(Stop::Parked(until)) => self.park(until),
                Ended::Stopped(stop) => return Walked::Stopped(stop),
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
            self.running.push(Box::pin(async move { (node, walker.node(frame, node).await) }));
            if frame.graph.sequential && !self.running.is_empty() {
                return;
            }
        }
    }

    fn settle(&mut self, node: usize, end: Arc<End>) -> Result<()> {
        // Conditions on the ways see the node's own output.
        self.frame.keep(node, end.clone());
        let (taken, closed) = self.walker.ways(self.frame, node, &end)?;
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
        Ok(())
    }

    fn park(&mut self, until: Option<Timestamp>) {
        self.parked = Some(match (self.parked, until) {
            (Some(Some(first)), Some(until)) => Some(first.min(until)),
            (Some(first), None) => first,
            (_, until) => until,
        });
    }
}
