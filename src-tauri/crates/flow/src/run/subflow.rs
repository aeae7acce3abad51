//! A node that runs another flow.

use std::time::Duration;

use devrig_core::{Code, Error, Result, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::node::{PARK, Went};
use super::walk::Stop;
use super::{Call, Called, Rest, RunStatus, Stands, Walker};
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
            return Ok(Went::Through(json!({ "run": called.run }), None));
        }
        let Called { run, stands } = called;
        let rest = match stands {
            Stands::Ended(rest) => Some(rest),
            Stands::Here(rest) => tokio::select! {
                rest = tokio::time::timeout(self.patience(until), rest) => {
                    rest.ok().and_then(Result::ok)
                }
                () = self.token.cancelled() => return Ok(Went::Stopped(Stop::Cancelled)),
            },
            Stands::Elsewhere => None,
        };
        match rest {
            Some(rest) if rest.status.has_ended() => ended(&name, &run, rest),
            _ if until.is_some_and(|until| until <= self.now()) => {
                self.other_runs.let_go(&run).await;
                Err(too_long(node))
            }
            _ => Ok(Went::Stopped(Stop::Parked(until))),
        }
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

fn ended(flow: &str, run: &str, rest: Rest) -> Result<Went> {
    match (rest.status, rest.error) {
        (RunStatus::Completed, _) => Ok(Went::Through(rest.output, None)),
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
