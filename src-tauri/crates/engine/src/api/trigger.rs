//! What starts flows by itself: how it stands, what it told, and trying it out.

use std::collections::HashMap;
use std::net::SocketAddr;

use devrig_core::{Error, Result, Timestamp};
use devrig_flow::events;
pub use devrig_flow::events::{TriggerEvent, TriggerEventDetail};
use devrig_flow::runs::Fired;
pub use devrig_flow::triggers::Standing;
use devrig_flow::triggers::{TriggerState, With};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::NoArgs;
use super::flow::Degraded;
use crate::Engine;

/// A trigger, and how it stands.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct TriggerInfo {
    pub flow: String,
    pub flow_name: String,
    pub trigger: String,
    /// Such as `webhook`.
    pub kind: String,
    pub state: Standing,
    /// Why it does not fire, where it cannot.
    pub error: Option<Error>,
    /// Where requests go, of a webhook that is open.
    pub url: Option<String>,
    /// How often it started a run, and when last.
    pub fired: f64,
    pub fired_at: Option<Timestamp>,
    /// How often it should have and did not.
    pub missed: f64,
    /// When it fires next, of a schedule.
    pub next: Option<Timestamp>,
    /// Why it last did not fire when it should have, and when that was.
    pub last_error: Option<Error>,
    pub last_error_at: Option<Timestamp>,
    /// Plugins that its flow uses and that do nothing at present: runs that it starts may fail.
    pub degraded: Vec<Degraded>,
}

/// One trigger with its definition.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct TriggerDetail {
    #[serde(flatten)]
    pub info: TriggerInfo,
    pub definition: Value,
    /// The times at which it fires next, of a schedule.
    pub upcoming: Vec<Timestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct TriggerArgs {
    /// A flow's id.
    pub flow: String,
    pub trigger: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct TriggerPauseArgs {
    /// A flow's id.
    pub flow: String,
    pub trigger: String,
    pub paused: bool,
}

/// With neither a payload nor an event, something is made that such a trigger could tell.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct TriggerFireArgs {
    /// A flow's id.
    pub flow: String,
    pub trigger: String,
    #[serde(default)]
    pub payload: Option<Value>,
    /// The number of an event of this flow, which is told again.
    #[serde(default)]
    pub event: Option<i64>,
}

/// What came of firing a trigger by hand.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct TriggerFired {
    /// The run that was started; absent when the flow's entry conditions do not hold.
    pub run: Option<String>,
    /// The version that it runs.
    pub version: i64,
    pub payload: Value,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct TriggerEventsArgs {
    /// A flow's id.
    pub flow: String,
    /// All of its triggers when absent.
    #[serde(default)]
    pub trigger: Option<String>,
    /// The number of the last event of the page before.
    #[serde(default)]
    pub after: Option<i64>,
    /// 50 when absent, at most 500.
    #[serde(default)]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct TriggerEventArgs {
    /// A flow's id.
    pub flow: String,
    pub number: i64,
}

pub(super) async fn list(engine: &Engine, _: NoArgs) -> Result<Vec<TriggerInfo>> {
    let hearing = engine.hearing();
    let address = hearing.listener.address();
    let states = hearing.triggers.states().await;
    let flows = engine.flows().list().await?.into_iter();
    let degraded: HashMap<_, _> = flows.map(|flow| (flow.id, flow.degraded)).collect();
    let lost = |flow: &str| degraded.get(flow).cloned().unwrap_or_default();
    let info = |state: TriggerState| {
        let degraded = lost(&state.flow);
        shown(state, address, degraded)
    };
    Ok(states.into_iter().map(info).collect())
}

pub(super) async fn get(engine: &Engine, args: TriggerArgs) -> Result<TriggerDetail> {
    let hearing = engine.hearing();
    let (state, trigger) = hearing.triggers.state(&args.flow, &args.trigger).await?;
    let upcoming = state.upcoming.clone();
    let definition = trigger.to_value();
    let degraded = engine.flows().get(&args.flow, None).await?.0.degraded;
    let info = shown(state, hearing.listener.address(), degraded);
    Ok(TriggerDetail { info, definition, upcoming })
}

pub(super) async fn pause(engine: &Engine, args: TriggerPauseArgs) -> Result<()> {
    engine.hearing().triggers.pause(&args.flow, &args.trigger, args.paused).await
}

pub(super) async fn fire(engine: &Engine, args: TriggerFireArgs) -> Result<TriggerFired> {
    let TriggerFireArgs { flow, trigger, payload, event } = args;
    let with = match (payload, event) {
        (Some(payload), None) => With::Payload(payload),
        (None, Some(number)) => With::Event(number),
        (None, None) => With::Sample,
        (Some(_), Some(_)) => {
            return Err(Error::invalid("a trigger is fired with a payload or an event, not both"));
        }
    };
    let fired = engine.hearing().triggers.fire(&flow, &trigger, with).await?;
    let run = match fired.fired {
        Fired::Started(started) => Some(started.id),
        Fired::Refused | Fired::Repeated => None,
    };
    Ok(TriggerFired { run, version: fired.version, payload: fired.payload })
}

pub(super) async fn events(engine: &Engine, args: TriggerEventsArgs) -> Result<Vec<TriggerEvent>> {
    let TriggerEventsArgs { flow, trigger, after, limit } = args;
    let wanted = events::Wanted { trigger, after, limit: limit.unwrap_or(50) };
    events::list(engine.store(), &flow, &wanted).await
}

pub(super) async fn event(engine: &Engine, args: TriggerEventArgs) -> Result<TriggerEventDetail> {
    events::get(engine.store(), &args.flow, args.number).await
}

fn shown(state: TriggerState, address: Option<SocketAddr>, degraded: Vec<Degraded>) -> TriggerInfo {
    let path = state.path.filter(|_| state.standing == Standing::Active);
    let (last_error, last_error_at) = state.last_error.unzip();
    TriggerInfo {
        flow: state.flow,
        flow_name: state.flow_name,
        trigger: state.trigger,
        kind: state.kind.to_owned(),
        state: state.standing,
        error: state.error,
        url: address.zip(path).map(|(address, path)| format!("http://{address}{path}")),
        fired: state.fired as f64,
        fired_at: state.fired_at,
        missed: state.missed as f64,
        next: state.next,
        last_error,
        last_error_at,
        degraded,
    }
}
