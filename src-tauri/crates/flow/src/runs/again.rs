//! Runs that are done again: from where they failed, from a node, or from their beginning.

use devrig_core::{Change, ChangeKind, Code, Error, Origin, Result, id};
use devrig_store::Tx;
use std::sync::Arc;

use super::drive::trigger_type;
use super::{Launch, Runs, Started};
use crate::program::Program;
use crate::retention;
use crate::run::reuse::{Keep, reusable};
use crate::run::{Entry, Journal, RunKind, RunRow, RunStatus, Told, only};
use crate::table::{flow as flows, payload, run as table};

/// Which version a run is done again with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The one that it had.
    Same,
    /// The newest one.
    Latest,
}

/// A run with what is needed to do it again.
pub(super) struct Past {
    pub run: RunRow,
    pub trigger: Told,
    before: Arc<Program>,
    program: Arc<Program>,
    pub entries: Vec<Entry>,
}

impl Past {
    /// What a run of one node alone was given, which counts however often it is done again.
    fn given(&self) -> Option<Keep> {
        let node = only(self.run.kind, &self.entries)?;
        Some(Keep::all_but(&self.before.definition, node))
    }
}

impl Runs {
    /// Goes on from where a run failed or was cancelled, in a run of its own: what had ended well
    /// counts, in the same version all of it, in the newest what did not change.
    ///
    /// # Errors
    /// `NOT_FOUND`; `NOTHING_TO_DO` for a run that goes on or has completed.
    pub async fn retry(&self, id: &str, of: Of) -> Result<Started> {
        let past = self.past(id, of).await?;
        let how = past.run.status;
        if !matches!(how, RunStatus::Failed | RunStatus::Cancelled) {
            let what = format!("the run is {}, so there is nothing to retry", how.as_str());
            return Err(Error::new(Code::NothingToDo, what)
                .hint("`devrig run replay` does a run again from its beginning."));
        }
        let keep = match past.before.version == past.program.version {
            true => Keep::All,
            false => past.given().unwrap_or_else(|| {
                Keep::unchanged(&past.before.definition, &past.program.definition)
            }),
        };
        let root = past.run.retry_of.clone().unwrap_or_else(|| past.run.id.clone());
        let run = RunRow { retry_of: Some(root), ..past.run.clone() };
        self.again(run, past, &keep).await
    }

    /// Does a run again from its beginning, with what its trigger told.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn replay(&self, id: &str, of: Of) -> Result<Started> {
        let past = self.past(id, of).await?;
        let run = RunRow { retry_of: None, ..past.run.clone() };
        let keep = past.given().unwrap_or_else(|| Keep::Only(Default::default()));
        self.again(run, past, &keep).await
    }

    /// Runs a flow by hand from a node on; what comes before it, and beside it, is as it was in
    /// another run.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` for a run of another flow.
    pub async fn run_from(&self, program: Arc<Program>, node: &str, of: &str) -> Result<Started> {
        let mut past = self.past_of(&program, of).await?;
        if program.graph.number(node).is_none() {
            let name = &program.definition.name;
            return Err(Error::not_found(format!("the node {node} of {name}"))
                .hint("Name a node of the flow's own graph, not of a body."));
        }
        let keep = Keep::all_but_from(&program.definition, node);
        past.program = program;
        let run = RunRow { kind: RunKind::Manual, retry_of: None, ..past.run.clone() };
        self.again(run, past, &keep).await
    }

    /// Forgets a run that has ended, with its journal.
    ///
    /// # Errors
    /// `NOT_FOUND`; `NOTHING_TO_DO` for one that has not ended.
    pub async fn discard(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        let unit = async move |tx: &mut Tx| {
            let (run, _) = table::get(tx.conn(), &id).await?;
            if !run.status.has_ended() {
                let what = format!("the run is {}, so it is still needed", run.status.as_str());
                return Err(Error::new(Code::NothingToDo, what).hint("Cancel it first."));
            }
            table::delete(tx.conn(), &run).await?;
            tx.change(Change::new("run", &id, ChangeKind::Deleted, &Origin::person()));
            Ok(())
        };
        self.inner.store.write(unit).await?;
        retention::free_payloads(&self.inner.store).await
    }

    pub(super) async fn past(&self, id: &str, of: Of) -> Result<Past> {
        let mut conn = self.inner.store.read().await?;
        let (run, _) = table::get(&mut conn, id).await?;
        let (trigger, payload) = table::event(&mut conn, run.event).await?;
        let (entries, _) = table::journal(&mut conn, run.seq).await?;
        let before = self.inner.programs.version(&mut conn, run.flow, run.version).await?;
        let program = match of {
            Of::Same => before.clone(),
            Of::Latest => {
                let latest = flows::get(&mut conn, before.definition.id.as_str()).await?.latest;
                self.inner.programs.version(&mut conn, run.flow, latest).await?
            }
        };
        let program = match only(run.kind, &entries) {
            Some(node) => Arc::new(program.alone(node, self.inner.programs.actions())?),
            None => program,
        };
        drop(conn);
        let kind = trigger_type(&run, &program, &trigger);
        let trigger = Told::new(&trigger, kind, run.queued_at, payload);
        Ok(Past { run, trigger, before, program, entries })
    }

    /// `like` is the row of a new run but for what is new in it.
    async fn again(&self, like: RunRow, past: Past, keep: &Keep) -> Result<Started> {
        let Past { trigger, program, entries, .. } = past;
        let entries = reusable(entries, keep);
        let number = self.number();
        self.share(number, &entries).await?;
        let entered = self.enter(&program);
        let run = self.fresh_row(number, like, &program, entered);
        let journal = Journal::fresh(self.inner.store.clone(), run, None);
        entries.iter().for_each(|entry| journal.note(entry.clone()));
        let memory = crate::run::Memory::of(entries);
        self.launch(Launch { program, journal, memory, trigger, answer: None, entered }).await
    }

    /// The large values that are taken over stay as long as either run does.
    pub(super) async fn share(&self, run: i64, entries: &[Entry]) -> Result<()> {
        let hashes: Vec<String> = entries.iter().flat_map(Entry::hashes).collect();
        if hashes.is_empty() {
            return Ok(());
        }
        let unit = async move |tx: &mut Tx| payload::share(tx, run, &hashes).await;
        self.inner.store.write(unit).await
    }

    /// A run with the number `seq` that begins like another one.
    pub(super) fn fresh_row(
        &self,
        seq: i64,
        like: RunRow,
        program: &Program,
        entered: bool,
    ) -> RunRow {
        let now = self.inner.store.clock().now();
        RunRow {
            seq,
            id: id::ranked(seq.unsigned_abs()),
            version: program.version,
            parent: None,
            detached: false,
            again: true,
            status: if entered { RunStatus::Running } else { RunStatus::Queued },
            queued_at: now,
            started_at: entered.then_some(now),
            ended_at: None,
            wake_at: None,
            error: None,
            ..like
        }
    }
}
