//! The nodes that steer: loops, branches side by side, delays, answers, failures.

use std::time::Duration;

use devrig_core::{Code, Error, Result, Timestamp};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde::Deserialize;
use serde_json::Value;

use super::answer::Answer;
use super::frame::Round;
use super::memory::Wait;
use super::node::Went;
use super::walk::{Stop, Walked};
use super::{Entry, Frame, Gathered, Output, Walker};
use crate::action::{Control, Level, Log};
use crate::program::{Graph, Node, Step};

/// Rounds of one loop at most.
const ROUNDS: usize = 100_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Loop {
    items: Vec<Value>,
    #[serde(default = "one")]
    concurrency: usize,
}

fn one() -> usize {
    1
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delay {
    ms: u64,
}

#[derive(Deserialize)]
struct Branch {
    port: String,
}

#[derive(Deserialize)]
struct Fail {
    message: String,
    hint: Option<String>,
}

impl Walker<'_> {
    pub(super) async fn control(
        &self,
        control: Control,
        frame: &Frame<'_>,
        node: &Node,
        step: &Step,
        path: &str,
        input: Value,
    ) -> Result<Went> {
        // Those with much to remember are apart, so that a node has no room for all of them.
        match control {
            Control::Loop => Box::pin(self.rounds(frame, body(step)?, path, read(input)?)).await,
            Control::Parallel => self.side_by_side(frame, body(step)?, path).await,
            Control::Break => Ok(Went::on()),
            Control::Delay => self.rest(path, read(input)?).await,
            Control::Branch => {
                let Branch { port } = read(input)?;
                Ok(Went::at(&port))
            }
            Control::Fail => {
                let Fail { message, hint } = read(input)?;
                let error = Error::new(Code::FlowFailed, message);
                Err(hint.into_iter().fold(error, Error::hint))
            }
            Control::Respond => Ok(self.respond(input)),
            Control::Subflow => Box::pin(self.subflow(node, path, read(input)?)).await,
            Control::Wait => Box::pin(self.wait(node, path, read(input)?)).await,
        }
    }

    async fn side_by_side(&self, frame: &Frame<'_>, body: &Graph, path: &str) -> Result<Went> {
        let inner = frame.body(body, path, None);
        match self.walk(&inner).await {
            Walked::Done(output) => Ok(Went::Through(output, None)),
            Walked::Broke => Ok(Went::Through(inner.output(), None)),
            Walked::Stopped(stop) => stopped(stop),
        }
    }

    /// Runs the body for each item, several rounds side by side, and gives what each gave, in order.
    async fn rounds(
        &self,
        frame: &Frame<'_>,
        body: &Graph,
        path: &str,
        Loop { items, concurrency }: Loop,
    ) -> Result<Went> {
        let length = items.len();
        if length > ROUNDS {
            return Err(Error::new(
                Code::TooLarge,
                format!("{path} would go through {length} items; {ROUNDS} are allowed"),
            )
            .hint("Split the list, or work on many items in one node."));
        }
        let mut rounds = items.into_iter().enumerate().map(|(index, item)| async move {
            let inner = frame.body(body, path, Some(Round { item, index, length }));
            let walked = self.walk(&inner).await;
            (index, walked, inner.output())
        });
        let mut running = FuturesUnordered::new();
        let mut outputs = Gathered::new(length);
        // The round that a break ends the loop with: those before it are part of it, however long
        // they take.
        let mut last = length;
        let mut parked = Vec::new();
        loop {
            // A parked round keeps its place: what comes after it waits for it.
            while last == length && running.len() + parked.len() < concurrency.clamp(1, 100) {
                match rounds.next() {
                    Some(round) => running.push(round),
                    None => break,
                }
            }
            let Some((index, walked, output)) = running.next().await else { break };
            match walked {
                Walked::Done(_) => self.gather(&mut outputs, index, output).await,
                Walked::Broke => {
                    last = last.min(index);
                    outputs.cut(last);
                    self.gather(&mut outputs, index, output).await;
                }
                Walked::Stopped(Stop::Parked(until)) => parked.push((index, until)),
                Walked::Stopped(_) if index > last => {}
                Walked::Stopped(stop) => return stopped(stop),
            }
            let counts = |(index, _): &&(usize, Option<Timestamp>)| *index <= last;
            if last < length && outputs.before(last) + parked.iter().filter(counts).count() >= last
            {
                break;
            }
        }
        let open = parked.into_iter().filter(|(index, _)| *index <= last);
        match open.map(|(_, until)| until).reduce(sooner) {
            Some(until) => Ok(Went::Stopped(Stop::Parked(until))),
            None => {
                if let Some(rest) = outputs.rest() {
                    self.spread(&mut outputs, rest).await;
                }
                Ok(Went::Through(outputs.all(), None))
            }
        }
    }

    async fn gather(&self, outputs: &mut Gathered, round: usize, output: Output) {
        outputs.add(round, output);
        if let Some(heavy) = outputs.heavy() {
            self.spread(outputs, heavy).await;
        }
    }

    async fn spread(&self, outputs: &mut Gathered, list: Vec<Value>) {
        let length = list.len();
        let list = self.journal.masks().value(Value::Array(list));
        let kept = self.keep(Output::Here(list)).await;
        outputs.spread(length, kept);
    }

    async fn rest(&self, path: &str, Delay { ms }: Delay) -> Result<Went> {
        self.rest_until(path, || self.now() + Duration::from_millis(ms)).await
    }

    /// Waits for a time, which is decided once and kept over restarts.
    pub(super) async fn rest_until(
        &self,
        path: &str,
        until: impl FnOnce() -> Timestamp,
    ) -> Result<Went> {
        let until = match self.remembered(path) {
            Some(wait) => wait.until.unwrap_or_else(|| self.now()),
            None => {
                let until = until();
                self.note_wait(path, Some(until));
                until
            }
        };
        match self.pause(until).await {
            Some(stop) => Ok(Went::Stopped(stop)),
            None => Ok(Went::on()),
        }
    }

    /// What the node waits for since it was first looked at.
    pub(super) fn remembered(&self, path: &str) -> Option<&Wait> {
        self.memory.past(path)?.wait.as_ref()
    }

    pub(super) fn note_wait(&self, path: &str, until: Option<Timestamp>) {
        let at = self.journal.elapsed();
        self.journal.note(Entry::Waits { node: path.to_owned(), at, until });
    }

    fn respond(&self, input: Value) -> Went {
        let given = read::<Answer>(input.clone()).map(|answer| self.answer.give(answer));
        if !matches!(given, Ok(true)) {
            self.journal.say(Level::Info, "no request waits for an answer, so none was sent");
        }
        Went::with(input)
    }
}

fn body(step: &Step) -> Result<&Graph> {
    step.body.as_ref().ok_or_else(|| {
        Error::invalid(format!("{} has no body", step.action.about.name))
            .hint("Put the nodes that it runs into its `body`.")
    })
}

pub(super) fn read<T: serde::de::DeserializeOwned>(input: Value) -> Result<T> {
    serde_json::from_value(input).map_err(Error::from)
}

/// Inside of a body, a failure is the failure of the node around it.
fn stopped(stop: Stop) -> Result<Went> {
    match stop {
        Stop::Failed(error) => Err(error),
        other => Ok(Went::Stopped(other)),
    }
}

/// Of two parked rounds, the one that goes on first.
fn sooner(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
