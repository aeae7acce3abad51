//! Past triggers through an edited flow: which runs would take another way?

use std::collections::{BTreeSet, HashMap, hash_map};
use std::sync::Arc;
use std::time::Instant;

use devrig_core::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Runs;
use super::drive::trigger_type;
use super::rehearse::{Rehearsed, ran};
use crate::definition::{self, Definition};
use crate::payloads;
use crate::program::Program;
use crate::run::reuse::same_work;
use crate::run::{End, Entry, Frame, Output, RunRow, RunStatus, StandIn, Told, leaf, whole};
use crate::table::run::{self as table, PastRun};

/// Triggers at most.
const MOST: u32 = 10_000;
/// Tasks that share the work.
const TASKS: usize = 8;

/// What a backtest found.
#[derive(Debug, Clone, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Backtest {
    /// How many triggers went through.
    pub runs: u32,
    /// Runs that would go as they went.
    pub same: u32,
    /// Those that would not, or of which it is not known, newest first.
    pub others: Vec<BacktestRun>,
    pub took_ms: u32,
}

/// A run that would go another way.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct BacktestRun {
    pub run: String,
    pub before: RunStatus,
    /// Absent when that is not known.
    pub after: Option<RunStatus>,
    /// Paths of nodes that ran only now, and only then.
    pub newly: Vec<String>,
    pub gone: Vec<String>,
    /// Nodes that touch the world and of which no output is recorded; what comes after them is not
    /// known.
    pub unknown: Vec<String>,
    /// What the flow gave and would give, where that differs.
    pub output_before: Option<Value>,
    pub output_after: Option<Value>,
    pub error: Option<Error>,
}

impl Runs {
    /// Sends the last triggers of the flow through `program`. What nodes got from outside then stands
    /// in for touching it again; nothing is written.
    ///
    /// # Errors
    /// What reading meets.
    pub async fn backtest(&self, program: Arc<Program>, last: u32) -> Result<Backtest> {
        let begun = Instant::now();
        let mut conn = self.inner.store.read().await?;
        let past = table::past(&mut conn, program.flow, last.clamp(1, MOST)).await?;
        let mut versions = HashMap::new();
        for run in &past {
            let version = run.row.version;
            if let hash_map::Entry::Vacant(place) = versions.entry(version) {
                let before = self.inner.programs.version(&mut conn, program.flow, version).await?;
                let same = same_nodes(&before.definition, &program.definition);
                place.insert((before, Arc::new(same)));
            }
        }
        drop(conn);
        let runs = u32::try_from(past.len()).unwrap_or(u32::MAX);
        let each = past.len().div_ceil(TASKS).max(1);
        let mut past = past.into_iter().peekable();
        let mut tasks = Vec::new();
        while past.peek().is_some() {
            let some: Vec<PastRun> = past.by_ref().take(each).collect();
            let (all, program, versions) = (self.clone(), program.clone(), versions.clone());
            tasks.push(tokio::spawn(async move {
                let mut found = Vec::new();
                for run in some {
                    let (before, same) = &versions[&run.row.version];
                    found.extend(all.once_more(&program, before, same, run).await);
                }
                found
            }));
        }
        let mut others = Vec::new();
        for task in tasks {
            let found = task.await;
            others.extend(found.map_err(|error| Error::internal(error.to_string()))?);
        }
        let same = runs - u32::try_from(others.len()).unwrap_or(runs);
        let took_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
        Ok(Backtest { runs, same, others, took_ms })
    }

    async fn once_more(
        &self,
        program: &Program,
        before: &Program,
        same: &BTreeSet<String>,
        past: PastRun,
    ) -> Option<BacktestRun> {
        let PastRun { row, trigger, payload, entries } = past;
        let kind = trigger_type(&row, program, &trigger);
        let trigger = Told::new(&trigger, kind, row.queued_at, payload);
        let ends: Vec<Arc<End>> = entries.into_iter().filter_map(ended).collect();
        let recorded = ends.iter().filter(|end| same.contains(leaf(&end.node)));
        let recorded = recorded.map(|end| (end.node.clone(), end.clone())).collect();
        let rehearsed = self.rehearse(program, trigger, &StandIn::new(recorded)).await;
        let gave = self.apart(output(before, &ends), rehearsed.output.clone()).await;
        compare(&row, &ends, gave, rehearsed)
    }

    /// Two outputs, where they differ.
    async fn apart(&self, then: Output, now: Output) -> Option<Result<(Value, Value)>> {
        if then == now {
            return None;
        }
        let _room = match then.stored() + now.stored() {
            0 => None,
            bytes => Some(payloads::room(bytes).await),
        };
        let read = async {
            let store = &self.inner.store;
            Ok((whole(store, &then).await?, whole(store, &now).await?))
        };
        match read.await {
            Ok((then, now)) if then == now => None,
            read => Some(read),
        }
    }
}

fn ended(entry: Entry) -> Option<Arc<End>> {
    match entry {
        Entry::Ended(end) => Some(end),
        _ => None,
    }
}

/// The nodes whose recorded outputs count: those that are asked the same way.
fn same_nodes(before: &Definition, after: &Definition) -> BTreeSet<String> {
    let same = |node: &&definition::Node| {
        before.node(node.id.as_str()).is_some_and(|other| same_work(other, node))
    };
    after.nodes().filter(same).map(|node| node.id.to_string()).collect()
}

/// Nothing where all is as it was.
fn compare(
    row: &RunRow,
    ends: &[Arc<End>],
    gave: Option<Result<(Value, Value)>>,
    now: Rehearsed,
) -> Option<BacktestRun> {
    let then: BTreeSet<&str> =
        ends.iter().filter(|end| ran(end)).map(|end| end.node.as_str()).collect();
    let ran: BTreeSet<&str> = now.ran().map(|end| end.node.as_str()).collect();
    let only = |one: &BTreeSet<&str>, other: &BTreeSet<&str>| -> Vec<String> {
        one.difference(other).map(|path| (*path).to_owned()).collect()
    };
    let unknown: Vec<String> = now.unknown.iter().chain(&now.unasked).cloned().collect();
    let known = unknown.is_empty();
    let gave = gave.filter(|_| known);
    let differs = gave.is_some();
    let (gave, unread) = match gave {
        Some(Ok(gave)) => (Some(gave), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    let (then_gave, now_gives) = gave.unzip();
    let found = BacktestRun {
        run: row.id.clone(),
        before: row.status,
        after: known.then_some(now.status),
        newly: only(&ran, &then),
        // What would come after something unknown may well come.
        gone: if known { only(&then, &ran) } else { Vec::new() },
        output_before: then_gave,
        output_after: now_gives,
        unknown,
        error: now.error.or(unread),
    };
    let same = known && !differs && row.status == now.status;
    let same = same && found.newly.is_empty() && found.gone.is_empty();
    (!same).then_some(found)
}

/// What a run gave, from how its nodes ended.
fn output(program: &Program, ends: &[Arc<End>]) -> Output {
    let frame = Frame::whole(&program.graph);
    for end in ends {
        if let Some(number) = program.graph.number(&end.node) {
            frame.keep(number, end.clone());
        }
    }
    frame.output()
}
