//! A node that runs another flow.

use std::time::Duration;

use devrig_core::{Code, Error, Result, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::node::{PARK, Went};
use super::walk::Stop;
use super::{Call, Called, Output, Rest, RunStatus, Stands, Walker, whole};
use crate::payloads;
use crate::program::Node;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subflow {
    flow_id: String,
    version: Option<i64>,
    #[serde(default)]
    input: Value,
    #[serde(default = "yes")]
    wait: bool,
}

fn yes() -> bool {
    true
}

impl Walker<'_> {
    /// Everything before the call is on disk before it, so that a crash can only find the same run
    /// again.
    pub(super) async fn subflow(&self, node: &Node, path: &str, subflow: Subflow) -> Result<Went> {
        let until = self.limit(node, path);
        self.journal.barrier().await?;
        self.answer.release();
        let Subflow { flow_id, version, input, wait } = subflow;
        let name = flow_id.clone();
        let called = self
            .other_runs
            .call(Call {
                caller: &self.journal.run(),
                node: path,
                flow: flow_id,
                version,
                input,
                detached: !wait,
            })
            .await?;
        if !wait {
            return Ok(Went::with(json!({ "run": called.run })));
        }
        let Called { run, stands } = called;
        let rest = match stands {
            Stands::Ended(rest) => Some(*rest),
            Stands::Here(rest) => tokio::select! {
                rest = tokio::time::timeout(self.patience(until), rest) => {
                    rest.ok().and_then(Result::ok)
                }
                () = self.token.cancelled() => return Ok(Went::Stopped(Stop::Cancelled)),
            },
            Stands::Elsewhere => None,
        };
        match rest {
            Some(rest) if rest.status.has_ended() => self.gave(ended(&name, &run, rest)?).await,
            _ if until.is_some_and(|until| until <= self.now()) => {
                self.other_runs.let_go(&run).await;
                Err(too_long(node))
            }
            _ => Ok(Went::Stopped(Stop::Parked(until))),
        }
    }

    /// What the called run gave was hidden by what that one knew; this one may know more secrets.
    async fn gave(&self, output: Output) -> Result<Went> {
        let size = output.stored();
        if size == 0 || !self.journal.masks().has_any() {
            return Ok(Went::Through(output, None));
        }
        let _room = payloads::room(size).await;
        let value = self.journal.masks().value(whole(&self.store, &output).await?);
        Ok(Went::Through(self.keep(Output::Here(value)).await, None))
    }

    /// Until when the node may wait, by its own limit.
    pub(super) fn limit(&self, node: &Node, path: &str) -> Option<Timestamp> {
        if let Some(wait) = self.remembered(path) {
            return wait.until;
        }
        let until = node.timeout.map(|timeout| self.now() + timeout);
        self.note_wait(path, until);
        until
    }

    fn patience(&self, until: Option<Timestamp>) -> Duration {
        until.map_or(PARK, |until| until.since(self.now()).min(PARK))
    }
}

fn ended(flow: &str, run: &str, rest: Rest) -> Result<Output> {
    match (rest.status, rest.error) {
        (RunStatus::Completed, _) => Ok(rest.stored.unwrap_or(Output::Here(rest.output))),
        (RunStatus::Failed, Some(error)) => Err(error.context(format!("the flow {flow}"))),
        (status, _) => {
            let how = status.as_str();
            Err(Error::new(Code::FlowFailed, format!("the run {run} of the flow {flow} was {how}"))
                .hint("`devrig run show` tells what happened in it."))
        }
    }
}

fn too_long(node: &Node) -> Error {
    let after = node.timeout.unwrap_or_default().as_millis();
    let what = format!("the flow that {} calls was not done after {after} ms", node.id);
    Error::new(Code::Timeout, what).hint("Give the node a longer timeoutMs, or none.")
}
