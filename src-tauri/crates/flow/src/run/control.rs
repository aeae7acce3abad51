//! The nodes that steer: loops, branches side by side, delays, answers, failures.

use std::time::Duration;

use devrig_core::{Code, Error, Result};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::Value;

use super::answer::Answer;
use super::frame::Round;
use super::node::Went;
use super::walk::{Stop, Walked};
use super::{Entry, Frame, Walker};
use crate::action::{Control, Level, Log};
use crate::program::{Graph, Step};

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
        step: &Step,
        path: &str,
        input: Value,
    ) -> Result<Went> {
        match control {
            Control::Loop => self.rounds(frame, body(step)?, path, read(input)?).await,
            Control::Parallel => self.side_by_side(frame, body(step)?, path).await,
            Control::Break => Ok(Went::Through(Value::Null, None)),
            Control::Delay => self.rest(path, read(input)?).await,
            Control::Branch => {
                let Branch { port } = read(input)?;
                Ok(Went::Through(Value::Null, Some(port)))
            }
            Control::Fail => {
                let Fail { message, hint } = read(input)?;
                let error = Error::new(Code::FlowFailed, message);
                Err(hint.into_iter().fold(error, Error::hint))
            }
            Control::Respond => Ok(self.respond(input)),
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
        let rounds = items.into_iter().enumerate().map(|(index, item)| async move {
            let inner = frame.body(body, path, Some(Round { item, index, length }));
            let walked = self.walk(&inner).await;
            (index, walked, inner.output())
        });
        let mut running = futures::stream::iter(rounds).buffered(concurrency.clamp(1, 100));
        let mut outputs = Vec::with_capacity(length);
        let mut parked: Option<Stop> = None;
        while let Some((_, walked, output)) = running.next().await {
            match walked {
                Walked::Done(_) => outputs.push(output),
                Walked::Broke => {
                    outputs.push(output);
                    break;
                }
                Walked::Stopped(stop @ Stop::Parked(_)) => parked = Some(sooner(parked, stop)),
                Walked::Stopped(stop) => return stopped(stop),
            }
        }
        match parked {
            Some(stop) => Ok(Went::Stopped(stop)),
            None => Ok(Went::Through(Value::Array(outputs), None)),
        }
    }

    async fn rest(&self, path: &str, Delay { ms }: Delay) -> Result<Went> {
        let past = self.memory.past(path).and_then(|past| past.wait.as_ref()?.until);
        let until = past.unwrap_or_else(|| {
            let until = self.now() + Duration::from_millis(ms);
            let at = self.journal.elapsed();
            let node = path.to_owned();
            self.journal.note(Entry::Waits { node, at, until: Some(until), token: None });
            until
        });
        match self.pause(until).await {
            Some(stop) => Ok(Went::Stopped(stop)),
            None => Ok(Went::Through(Value::Null, None)),
        }
    }

    fn respond(&self, input: Value) -> Went {
        let given = read::<Answer>(input.clone()).map(|answer| self.answer.give(answer));
        if !matches!(given, Ok(true)) {
            self.journal.say(Level::Info, "no request waits for an answer, so none was sent");
        }
        Went::Through(input, None)
    }
}

fn body(step: &Step) -> Result<&Graph> {
    step.body.as_ref().ok_or_else(|| {
        Error::invalid(format!("{} has no body", step.action.about.name))
            .hint("Put the nodes that it runs into its `body`.")
    })
}

fn read<T: serde::de::DeserializeOwned>(input: Value) -> Result<T> {
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
fn sooner(one: Option<Stop>, other: Stop) -> Stop {
    match (one, other) {
        (Some(Stop::Parked(Some(a))), Stop::Parked(Some(b))) => Stop::Parked(Some(a.min(b))),
        (Some(Stop::Parked(Some(a))), Stop::Parked(None)) => Stop::Parked(Some(a)),
        (_, other) => other,
    }
}
