//! What runs ask of each other and of the outside while they go on.

use async_trait::async_trait;
use devrig_core::{Code, Error, Result};
use devrig_store::Tx;
use serde::Deserialize;
use serde_json::Value;

use super::after::live;
use super::{Caller, Runs, Start};
use crate::run::{
    Asked, Call, Called, Came, OtherRuns, Output, Rest, RunKind, RunRow, RunStatus, Stands,
};
use crate::table::{flow as flows, run as table, wait};

/// Calls inside of calls.
const DEEPEST: usize = 10;

#[async_trait]
impl OtherRuns for Runs {
    async fn call(&self, call: Call<'_>) -> Result<Called> {
        let key = format!("{}/{}", call.caller.id, call.node);
        if let Some(child) = self.child(&key).await? {
            let stands = self.stands(&child, &call).await?;
            return Ok(Called { run: child.id, stands });
        }
        self.check_depth(call.caller).await?;
        let start = self.start_of(call, key).await?;
        let started = Box::pin(self.begin(start)).await?;
        // One that waits for its turn may wait for the very place that its caller has.
        let stands = match started.waits {
            true => Stands::Elsewhere,
            false => Stands::Here(started.rest),
        };
        Ok(Called { run: started.id, stands })
    }

    async fn ask(&self, run: &str, asked: &Asked, over: bool) -> Result<Came> {
        let (run, asked) = (run.to_owned(), asked.clone());
        let first = self.inner.store.write({
            let (run, asked) = (run.clone(), asked.clone());
            async move |tx: &mut Tx| {
                let known = wait::came(tx.conn(), &run, &asked.node).await?.is_some();
                wait::ask(tx, &run, &asked).await?;
                if asked.kind == crate::run::WaitKind::Request {
                    wait::hand_on(tx, &run, &asked.node).await?;
                }
                if over {
                    wait::answer(tx, &run, &asked.node, None).await?;
                }
                let came = wait::came(tx.conn(), &run, &asked.node).await?;
                Ok((came.unwrap_or(Came::Nothing), !known))
            }
        });
        let (came, first) = first.await?;
        if first && came == Came::Nothing {
            self.tell_person(&run, &asked);
        }
        Ok(came)
    }

    async fn let_go(&self, run: &str) {
        if let Err(error) = self.cancel(run).await
            && error.code != Code::NothingToDo
        {
            tracing::warn!(run, %error, "a run that took too long could not be cancelled");
        }
    }

    fn address(&self, run: &str) -> Option<String> {
        self.inner.door.get()?.address(&self.resume_path(run))
    }
}

/// How a called run ended, as its caller is told.
#[derive(Deserialize)]
struct Told {
    status: RunStatus,
    output: Value,
    #[serde(default)]
    stored: Option<Output>,
    error: Option<Error>,
}

impl Runs {
    async fn child(&self, key: &str) -> Result<Option<RunRow>> {
        let mut conn = self.inner.store.read().await?;
        table::child(&mut conn, key).await
    }

    async fn stands(&self, child: &RunRow, call: &Call<'_>) -> Result<Stands> {
        let mut conn = self.inner.store.read().await?;
        Ok(match wait::came(&mut conn, &call.caller.id, call.node).await? {
            Some(Came::Answer(answer)) => {
                let Told { status, output, stored, error } = serde_json::from_value(answer)?;
                Stands::Ended(Box::new(Rest { status, output, stored, error }))
            }
            // Its end comes with what it gave, in one transaction; so it has not ended.
            _ if !child.status.has_ended() => Stands::Elsewhere,
            _ => Stands::Ended(Box::new(Rest::of(child.status, child.error.clone()))),
        })
    }

    async fn start_of(&self, call: Call<'_>, key: String) -> Result<Start> {
        let mut conn = self.inner.store.read().await?;
        let flow = flows::get(&mut conn, &call.flow).await?;
        let version = call.version.map_or_else(|| live(&flow), Ok)?;
        let program = self.inner.programs.version(&mut conn, flow.seq, version).await?;
        Ok(Start {
            program,
            trigger: "subflow".to_owned(),
            trigger_type: "subflow",
            kind: RunKind::Sub,
            key: None,
            payload: call.input,
            cursor: None,
            depth: call.caller.depth,
            parent: Some(Caller { key, detached: call.detached }),
            answer: None,
        })
    }

    async fn check_depth(&self, caller: &RunRow) -> Result<()> {
        let mut conn = self.inner.store.read().await?;
        let mut above = caller.parent.clone();
        for _ in 1..DEEPEST {
            let Some(parent) = above else { return Ok(()) };
            let run = parent.split('/').next().unwrap_or_default();
            above = match table::get(&mut conn, run).await {
                Ok((run, _)) => run.parent,
                // Its time was over, and it is forgotten.
                Err(error) if error.code == Code::NotFound => None,
                Err(error) => return Err(error),
            };
        }
        match above {
            None => Ok(()),
            Some(_) => {
                let what = format!("flows call each other more than {DEEPEST} deep");
                Err(Error::new(Code::FlowFailed, what)
                    .hint("A flow that calls itself needs a condition that ends this."))
            }
        }
    }
}
