//! A node that waits: until a time, for a request, or for a person.

use std::time::Duration;

use devrig_core::{Code, Error, Result, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::node::Went;
use super::walk::Stop;
use super::{Asked, Came, Output, WaitKind, Walker};
use crate::definition::port;
use crate::program::Node;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wait {
    #[serde(default, rename = "for")]
    what: What,
    until: Option<String>,
    ms: Option<u64>,
    timeout_ms: Option<u64>,
    message: Option<String>,
    who: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum What {
    #[default]
    Time,
    Webhook,
    Approval,
}

impl Walker<'_> {
    pub(super) async fn wait(&self, node: &Node, path: &str, wait: Wait) -> Result<Went> {
        let kind = match wait.what {
            What::Time => return self.wait_for_time(path, &wait).await,
            What::Webhook => WaitKind::Request,
            What::Approval => WaitKind::Approval,
        };
        let until = match self.remembered(path) {
            Some(wait) => wait.until,
            None => {
                let until = wait.timeout_ms.map(|ms| self.now() + Duration::from_millis(ms));
                self.note_wait(path, until);
                until
            }
        };
        // Whoever answers finds the run, and that it is one which goes on.
        self.journal.barrier().await?;
        self.answer.release();
        let Wait { message, who, .. } = wait;
        let asked = Asked { node: path.to_owned(), kind, until, message, who };
        let over = until.is_some_and(|until| until <= self.now());
        let came = self.other_runs.ask(&self.journal.run().id, &asked, over).await?;
        match came {
            Came::Nothing => Ok(Went::Stopped(Stop::Parked(until))),
            Came::Over => over_of(node),
            Came::Answer(answer) => Ok(answered(kind, answer)),
        }
    }

    async fn wait_for_time(&self, path: &str, wait: &Wait) -> Result<Went> {
        let until = match (&wait.until, wait.ms) {
            (Some(until), None) => time(until)?,
            (None, Some(ms)) => self.now() + Duration::from_millis(ms),
            _ => {
                return Err(Error::invalid("flow.wait is told either `until` or `ms`")
                    .hint("Give a time, or how long; or say what it waits for in `for`."));
            }
        };
        self.rest_until(path, || until).await
    }
}

fn time(text: &str) -> Result<Timestamp> {
    text.parse().map_err(|_| {
        Error::invalid(format!("{text:?} is no time to wait until"))
            .hint("Write it as 2026-11-20T09:30:00Z, with a zone.")
    })
}

fn answered(kind: WaitKind, answer: Value) -> Went {
    let port = match (kind, answer["approved"].as_bool()) {
        (WaitKind::Approval, Some(true)) => Some(port::APPROVED.to_owned()),
        (WaitKind::Approval, _) => Some(port::REJECTED.to_owned()),
        _ => None,
    };
    Went::Through(Output::Here(answer), port)
}

/// The time was over before an answer came.
fn over_of(node: &Node) -> Result<Went> {
    if node.handles_timeout {
        return Ok(Went::at(port::TIMEOUT));
    }
    Err(Error::new(Code::Timeout, format!("nothing that {} waits for came in time", node.id))
        .hint("Give it a longer timeoutMs, or lead an edge from its port timeout."))
}
