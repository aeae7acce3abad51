//! What triggers told, and what became of it, as people see it.

use devrig_core::{Error, Result, Timestamp};
use devrig_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::run::whole;
use crate::table::trigger::{self as table, EventLine};
use crate::table::{flow as flows, run as runs};

/// Events of one page at most.
const PAGE: u32 = 500;

/// What a trigger told, in a list.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct TriggerEvent {
    pub number: i64,
    pub trigger: String,
    pub at: Timestamp,
    /// `run` when it started one; `refused` by the entry conditions; `repeated` when it came before,
    /// of schedules `missed`, `skipped` while another run goes on, and `failed`.
    pub verdict: String,
    /// The id of the run that it started, as long as that is kept.
    pub run: Option<String>,
    /// Names the same thing twice told.
    pub key: Option<String>,
    /// The beginning of what it told, as JSON.
    pub preview: String,
    pub bytes: i64,
}

/// One event, whole.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct TriggerEventDetail {
    #[serde(flatten)]
    pub event: TriggerEvent,
    pub payload: Value,
}

/// Which events of a flow are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub trigger: Option<String>,
    /// The number of the last event of the page before.
    pub after: Option<i64>,
    pub limit: u32,
}

/// What the triggers of a flow told, newest first.
///
/// # Errors
/// `NOT_FOUND` for a flow that is not there.
pub async fn list(store: &Store, flow: &str, wanted: &Wanted) -> Result<Vec<TriggerEvent>> {
    let mut conn = store.read().await?;
    let flow = flows::get(&mut conn, flow).await?.seq;
    let before = wanted.after.unwrap_or(i64::MAX);
    let limit = wanted.limit.clamp(1, PAGE);
    let trigger = wanted.trigger.as_deref();
    let lines = table::events(&mut conn, flow, trigger, before, limit).await?;
    Ok(lines.into_iter().map(TriggerEvent::from).collect())
}

/// One event of a flow.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn get(store: &Store, flow: &str, number: i64) -> Result<TriggerEventDetail> {
    let mut conn = store.read().await?;
    let flow = flows::get(&mut conn, flow).await?.seq;
    let found = table::event(&mut conn, flow, number).await?.ok_or_else(|| {
        Error::not_found(format!("the event {number} of the flow"))
            .hint("`devrig trigger events` lists them.")
    })?;
    let (_, payload) = runs::event(&mut conn, number).await?;
    drop(conn);
    Ok(TriggerEventDetail { event: found.into(), payload: whole(store, &payload).await? })
}

impl From<EventLine> for TriggerEvent {
    fn from(line: EventLine) -> Self {
        Self {
            number: line.seq,
            trigger: line.trigger,
            at: Timestamp::from_ms(line.at),
            verdict: line.verdict,
            run: line.run,
            key: line.key,
            preview: line.beginning,
            bytes: line.bytes,
        }
    }
}
