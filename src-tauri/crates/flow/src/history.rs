//! What became of runs, as people see it.

use std::collections::BTreeMap;

use devrig_core::{Error, Result, Timestamp};
use devrig_store::{SqliteConnection, Store};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

use crate::action::Level;
use crate::definition::TriggerType;
use crate::run::{Entry, NodeStatus, Output, RunKind, RunRow, RunStatus, whole};
use crate::table::found::{self, Filter};
use crate::table::run as table;

/// Rows of one page at most.
const PAGE: u32 = 500;
/// Large values of a run are shown as far as they take so many bytes together.
const SHOWN: u64 = 16 * 1024 * 1024;

/// A run in a list.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct RunInfo {
    pub id: String,
    pub flow_id: String,
    pub flow_name: String,
    pub version: i64,
    pub kind: RunKind,
    /// The type of the trigger that started it, such as `webhook`.
    pub trigger_type: String,
    pub status: RunStatus,
    pub queued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// When a waiting one goes on by itself.
    pub wake_at: Option<Timestamp>,
    pub error: Option<Error>,
    /// `<run>/<path of its node>`, of what called it.
    pub parent: Option<String>,
    /// The failed run whose work it goes on with.
    pub retry_of: Option<String>,
}

/// A run with what happened in it.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct RunDetail {
    #[serde(flatten)]
    pub run: RunInfo,
    /// The id of the trigger, and what it told.
    pub trigger: String,
    pub payload: Value,
    /// How long that is in bytes, where it is too large to be shown: then `payload` is null.
    pub payload_bytes: Option<f64>,
    /// In the order in which they ended.
    pub nodes: Vec<NodeRun>,
    pub log: Vec<LogLine>,
}

/// What became of one node.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct NodeRun {
    /// Its id, after those of the loops around it with their rounds: `each#3/fetch`.
    pub path: String,
    /// Absent while it has not ended.
    pub status: Option<NodeStatus>,
    pub started_at: Timestamp,
    pub took_ms: Option<u32>,
    pub attempts: u32,
    pub output: Value,
    /// How long the output is in bytes, where it is too large to be shown: then `output` is null.
    pub output_bytes: Option<f64>,
    /// The way that it took, where it is not `out`.
    pub port: Option<String>,
    pub error: Option<Error>,
    /// Until when it waits.
    pub until: Option<Timestamp>,
}

/// A line of a run's log.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename = "RunLogLine", rename_all = "camelCase")]
pub struct LogLine {
    pub at: Timestamp,
    pub level: Level,
    pub message: String,
}

/// Which runs are wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wanted {
    pub flow: Option<String>,
    pub status: Option<RunStatus>,
    pub kind: Option<RunKind>,
    /// Such as `webhook`.
    pub trigger_type: Option<String>,
    /// Queued at this time or later, and before that one.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Words of the error, the last of which may be the beginning of one, or the beginning of an id.
    pub text: Option<String>,
    /// The id of the last run of the page before.
    pub after: Option<String>,
    pub limit: u32,
}

/// Runs, newest first.
///
/// # Errors
/// `NOT_FOUND` for a flow or a place that is not there, `INVALID_INPUT` for a type of triggers that
/// there is not, or a text without a word.
pub async fn list(store: &Store, wanted: &Wanted) -> Result<Vec<RunInfo>> {
    let mut conn = store.read().await?;
    let filter = filter(&mut conn, wanted).await?;
    let limit = wanted.limit.clamp(1, PAGE);
    let rows = match wanted.text.as_deref() {
        Some(text) => found::with_text(&mut conn, &filter, text, limit).await?,
        None => found::list(&mut conn, &filter, limit).await?,
    };
    Ok(rows.into_iter().map(RunInfo::from).collect())
}

async fn filter(conn: &mut SqliteConnection, wanted: &Wanted) -> Result<Filter> {
    let flow = match &wanted.flow {
        Some(id) => Some(crate::table::flow::get(&mut *conn, id).await?.seq),
        None => None,
    };
    let before = match &wanted.after {
        Some(id) => {
            let (row, _) = table::get(&mut *conn, id).await?;
            Some((row.queued_at, row.seq))
        }
        None => None,
    };
    let trigger_type = wanted.trigger_type.as_deref().map(known_type).transpose()?;
    let Wanted { status, kind, since, until, .. } = *wanted;
    Ok(Filter { flow, status, kind, trigger_type, since, until, before })
}

fn known_type(text: &str) -> Result<&'static str> {
    let others = ["subflow", "error"];
    let known: Vec<&str> = TriggerType::words().into_iter().chain(others).collect();
    known.iter().copied().find(|each| *each == text).ok_or_else(|| {
        Error::invalid(format!("{text:?} is no type of triggers"))
            .hint(format!("It is one of {}.", known.join(", ")))
    })
}

/// One run with what happened in it.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn get(store: &Store, id: &str) -> Result<RunDetail> {
    let mut conn = store.read().await?;
    let (row, names) = table::get(&mut conn, id).await?;
    let (trigger, payload) = table::event(&mut conn, row.event).await?;
    let (entries, _) = table::journal(&mut conn, row.seq).await?;
    let start = row.started_at.unwrap_or(row.queued_at);
    drop(conn);
    let stored = stored(&entries);
    let (mut nodes, log) = told(start, entries);
    let mut shown = Shown { store, left: SHOWN };
    let (payload, payload_bytes) = shown.read(&payload).await;
    for node in &mut nodes {
        let Some(output) = stored.get(&node.path) else { continue };
        (node.output, node.output_bytes) = shown.read(output).await;
    }
    let run = RunInfo::from((row, names));
    Ok(RunDetail { run, trigger, payload, payload_bytes, nodes, log })
}

/// The outputs that are stored, by the paths of their nodes.
fn stored(entries: &[Entry]) -> BTreeMap<String, Output> {
    let stored = entries.iter().filter_map(|entry| match entry {
        Entry::Ended(end) => Some((end.node.clone(), end.kept.clone()?)),
        _ => None,
    });
    stored.collect()
}

/// Reads large values back, as many as may be shown. A run is shown without what is gone.
struct Shown<'a> {
    store: &'a Store,
    left: u64,
}

impl Shown<'_> {
    async fn read(&mut self, output: &Output) -> (Value, Option<f64>) {
        let size = output.stored();
        if size > self.left {
            return (Value::Null, Some(size as f64));
        }
        match whole(self.store, output).await {
            Ok(value) => {
                self.left -= size;
                (value, None)
            }
            Err(error) => {
                tracing::warn!(%error, "a large value of a run cannot be shown");
                (Value::Null, Some(size as f64))
            }
        }
    }
}

/// Puts the entries of a journal together by node.
fn told(start: Timestamp, entries: Vec<Entry>) -> (Vec<NodeRun>, Vec<LogLine>) {
    let mut open: BTreeMap<String, NodeRun> = BTreeMap::new();
    let mut ended = Vec::new();
    let mut log = Vec::new();
    let time = |ms: u64| start + Duration::from_millis(ms);
    for entry in entries {
        match entry {
            Entry::Begun { node, at, .. } => {
                open.entry(node.clone()).or_insert_with(|| NodeRun::begun(node, time(at)));
            }
            Entry::Again { node, at, error, due } => {
                let message = format!("{node}: {error}. Tried again at {due}.");
                log.push(LogLine { at: time(at), level: Level::Warn, message });
                let run =
                    open.entry(node.clone()).or_insert_with(|| NodeRun::begun(node, time(at)));
                run.attempts += 1;
                run.error = Some(error);
            }
            Entry::Waits { node, at, until } => {
                let run =
                    open.entry(node.clone()).or_insert_with(|| NodeRun::begun(node, time(at)));
                run.until = until;
            }
            Entry::Redo { .. } | Entry::Only { .. } => {}
            Entry::Said { at, level, message } => {
                log.push(LogLine { at: time(at), level, message });
            }
            Entry::Ended(end) => {
                open.remove(&end.node);
                ended.push(NodeRun {
                    path: end.node.clone(),
                    status: Some(end.status),
                    started_at: time(end.at),
                    took_ms: Some(u32::try_from(end.took).unwrap_or(u32::MAX)),
                    attempts: end.attempts,
                    output: end.output.clone(),
                    output_bytes: None,
                    port: end.port.clone(),
                    error: end.error.clone(),
                    until: None,
                });
            }
        }
    }
    ended.extend(open.into_values());
    (ended, log)
}

impl NodeRun {
    fn begun(path: String, started_at: Timestamp) -> Self {
        Self {
            path,
            status: None,
            started_at,
            took_ms: None,
            attempts: 0,
            output: Value::Null,
            output_bytes: None,
            port: None,
            error: None,
            until: None,
        }
    }
}

impl From<(RunRow, table::FlowNames)> for RunInfo {
    fn from((row, names): (RunRow, table::FlowNames)) -> Self {
        Self {
            id: row.id,
            flow_id: names.id,
            flow_name: names.name,
            version: row.version,
            kind: row.kind,
            trigger_type: row.trigger_type,
            status: row.status,
            queued_at: row.queued_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            wake_at: row.wake_at,
            error: row.error,
            parent: row.parent,
            retry_of: row.retry_of,
        }
    }
}
