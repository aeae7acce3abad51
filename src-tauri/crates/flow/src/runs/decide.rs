//! What the person says of a run whose effect is in doubt.

use std::sync::Arc;

use devrig_core::{Code, Error, Result};
use devrig_store::Tx;
use serde::{Deserialize, Serialize};

use super::after::{Aftermath, Ending};
use super::drive::trigger_type;
use super::{Runs, Waiting};
use crate::run::{End, Entry, Held, Memory, NodeStatus, Rest, RunStatus, Told};
use crate::table::run as table;

/// How a run goes on whose node may have had its effect, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The node is done again.
    Again,
    /// The run goes on as if the node had been skipped: it happened, or is not wanted.
    Skip,
    /// The run has failed.
    Fail,
}

impl Runs {
    /// Goes on with a run that needs a decision.
    ///
    /// # Errors
    /// `NOT_FOUND`; `NOTHING_TO_DO` when it needs none.
    pub async fn decide(&self, id: &str, decision: Decision) -> Result<()> {
        let after = match decision {
            Decision::Fail => self.after_failing(id).await?,
            _ => Aftermath::default(),
        };
        let rows = after.rows.clone();
        let owned = id.to_owned();
        let run = self
            .inner
            .store
            .write(async move |tx: &mut Tx| {
                let (mut run, _) = table::get(tx.conn(), &owned).await?;
                if run.status != RunStatus::NeedsDecision {
                    let what = format!("the run {} needs no decision", run.id);
                    return Err(Error::new(Code::NothingToDo, what));
                }
                let (entries, part) = table::journal(tx.conn(), run.seq).await?;
                let doubtful = Memory::of(entries).in_doubt();
                if decision == Decision::Fail {
                    run.status = RunStatus::Failed;
                    run.ended_at = Some(tx.now());
                } else {
                    run.status = RunStatus::Queued;
                    run.error = None;
                }
                let said: Vec<Entry> =
                    doubtful.into_iter().filter_map(|path| entry(decision, path)).collect();
                let mut batch = rows.clone();
                table::add_entries(&mut batch, run.seq, part, &said)?;
                tx.add(batch);
                table::put_changed(tx, &run)?;
                Ok(run)
            })
            .await?;
        if run.status == RunStatus::Queued {
            let waiting = Waiting { id: run.id, flow: run.flow, held: Held::default(), rest: None };
            self.board().wait(run.flow, waiting);
            self.fill();
        } else {
            self.follow_up(&run, run.status, after).await;
        }
        Ok(())
    }

    async fn after_failing(&self, id: &str) -> Result<Aftermath> {
        let mut conn = self.inner.store.read().await?;
        let (mut run, _) = table::get(&mut conn, id).await?;
        let (trigger, payload) = table::event(&mut conn, run.event).await?;
        let (entries, _) = table::journal(&mut conn, run.seq).await?;
        let program = self.inner.programs.version(&mut conn, run.flow, run.version).await.ok();
        drop(conn);
        run.ended_at = Some(self.inner.store.clock().now());
        let rest = Rest::of(RunStatus::Failed, run.error.clone());
        let kind = program.as_ref().map_or("manual", |it| trigger_type(&run, it, &trigger));
        let ending = Ending {
            run: &run,
            rest: &rest,
            program: program.as_deref(),
            node: Memory::of(entries).in_doubt().into_iter().next(),
            trigger: &Told::new(&trigger, kind, run.queued_at, payload),
        };
        Ok(self.aftermath(&ending).await)
    }
}

fn entry(decision: Decision, node: String) -> Option<Entry> {
    match decision {
        Decision::Again => Some(Entry::Redo { node }),
        Decision::Skip => Some(Entry::Ended(Arc::new(End {
            node,
            status: NodeStatus::Skipped,
            ..End::default()
        }))),
        Decision::Fail => None,
    }
}
