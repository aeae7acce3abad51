//! What the person does with a trigger: looks at it, stops it, lets it go on, and fires it.

use std::sync::Arc;
use std::time::Duration;

use devrig_core::{Change, ChangeKind, Code, Error, Origin, Result};
use devrig_store::Tx;
use serde_json::Value;

use super::{Standing, TriggerState, Triggers, sample, webhook};
use crate::definition::{Trigger, TriggerKind};
use crate::flows::FlowInfo;
use crate::program::Program;
use crate::run::RunKind;
use crate::runs::{Fired, Start};
use crate::table::trigger::Tally;
use crate::table::{flow as flows, trigger as table};
use crate::{events, shape};

/// What a trigger is fired with by hand.
#[derive(Debug, Clone)]
pub enum With {
    Payload(Value),
    /// What it told before, by the event's number.
    Event(i64),
    /// Something that it could tell.
    Sample,
}

/// What came of firing a trigger by hand.
#[derive(Debug)]
pub struct FiredByHand {
    pub fired: Fired,
    pub version: i64,
    pub payload: Value,
}

impl Triggers {
    /// How one trigger stands, with its definition; also one of a flow that is not enabled.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn state(&self, flow: &str, trigger: &str) -> Result<(TriggerState, Trigger)> {
        let (info, program, found) = self.find(flow, trigger).await?;
        let states = self.states().await;
        let state = states.into_iter().find(|one| one.flow == info.id && one.trigger == trigger);
        let state = match state {
            Some(state) => state,
            None => {
                self.timing.tallies.read().await?;
                let tally = self.timing.tallies.meter(program.flow, trigger).tally();
                off(&info, &found, tally)
            }
        };
        Ok((state, found))
    }

    /// Stops one trigger, or lets it go on. That outlives new versions of its flow.
    ///
    /// # Errors
    /// `NOT_FOUND`; `NOTHING_TO_DO` when that is how it is.
    pub async fn pause(&self, flow: &str, trigger: &str, paused: bool) -> Result<()> {
        let (_, _, found) = self.find(flow, trigger).await?;
        if matches!(found.kind, TriggerKind::Manual { .. }) {
            let what = format!("the trigger {trigger} fires only when somebody asks for it");
            return Err(Error::new(Code::NothingToDo, what).hint("There is nothing to pause."));
        }
        let (flow, trigger) = (flow.to_owned(), trigger.to_owned());
        let store = self.flows.runs().store();
        store
            .write(async move |tx: &mut Tx| {
                let seq = flows::get(tx.conn(), &flow).await?.seq;
                let now = tx.now();
                if !table::pause(tx.conn(), seq, &trigger, paused, now).await? {
                    let how = if paused { "paused already" } else { "not paused" };
                    let what = format!("the trigger {trigger} is {how}");
                    return Err(Error::new(Code::NothingToDo, what));
                }
                tx.change(Change::new("flow", &flow, ChangeKind::Updated, &Origin::person()));
                Ok(())
            })
            .await?;
        self.follow().await
    }

    /// Fires a trigger once: with the version that is live, or the newest where none is. The entry
    /// conditions decide as always.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` for a payload that does not fit a manual trigger.
    pub async fn fire(&self, flow: &str, trigger: &str, with: With) -> Result<FiredByHand> {
        let (info, program, found) = self.find(flow, trigger).await?;
        let payload = self.payload(&info, &found, with).await?;
        if let TriggerKind::Manual { input_schema: Some(schema) } = &found.kind {
            shape::check_input(trigger, schema, &payload)?;
        }
        let version = program.version;
        let start = Start {
            program,
            trigger: trigger.to_owned(),
            trigger_type: found.trigger_type().as_str(),
            kind: RunKind::Manual,
            key: None,
            payload: payload.clone(),
            cursor: None,
            depth: 0,
            parent: None,
            answer: None,
        };
        let fired = self.flows.runs().fire(start, Duration::ZERO).await?;
        Ok(FiredByHand { fired, version, payload })
    }

    async fn payload(&self, flow: &FlowInfo, trigger: &Trigger, with: With) -> Result<Value> {
        let store = self.flows.runs().store();
        match (with, &trigger.kind) {
            (With::Payload(payload), TriggerKind::Webhook(_)) => Ok(webhook::as_sent(payload)),
            (With::Payload(payload), _) => Ok(payload),
            (With::Event(number), _) => Ok(events::get(store, &flow.id, number).await?.payload),
            (With::Sample, _) => {
                let plugins = self.flows.actions().plugins();
                let now = store.clock().now();
                if let Some(sample) = sample::of(trigger, &flow.id, plugins, now)? {
                    return Ok(sample);
                }
                let wanted = events::Wanted {
                    trigger: Some(trigger.id.to_string()),
                    limit: 1,
                    ..events::Wanted::default()
                };
                let newest = events::list(store, &flow.id, &wanted).await?.into_iter().next();
                let newest = newest.ok_or_else(|| no_sample(trigger))?;
                Ok(events::get(store, &flow.id, newest.number).await?.payload)
            }
        }
    }

    /// The trigger in the live version, or in the newest where none is live.
    async fn find(&self, flow: &str, trigger: &str) -> Result<(FlowInfo, Arc<Program>, Trigger)> {
        let (info, _) = self.flows.get(flow, None).await?;
        let version = info.live.unwrap_or(info.latest);
        let program = self.flows.program(flow, Some(version)).await?;
        let found = program.definition.trigger(trigger).cloned().ok_or_else(|| {
            Error::not_found(format!("the trigger {trigger:?} in version {version} of the flow"))
                .hint("`devrig flow show` names the triggers of a flow.")
        })?;
        Ok((info, program, found))
    }
}

fn off(flow: &FlowInfo, trigger: &Trigger, tally: Tally) -> TriggerState {
    TriggerState {
        flow: flow.id.clone(),
        flow_name: flow.name.clone(),
        trigger: trigger.id.to_string(),
        kind: trigger.trigger_type().as_str(),
        standing: Standing::Off,
        error: None,
        path: None,
        next: None,
        upcoming: Vec::new(),
        fired: tally.fired,
        fired_at: tally.fired_at,
        missed: tally.missed,
        last_error: tally.error,
    }
}

fn no_sample(trigger: &Trigger) -> Error {
    let kind = trigger.trigger_type().as_str();
    let what = format!("the trigger {} has told nothing yet that could be told again", trigger.id);
    Error::invalid(what).hint(format!("Give what a {kind} trigger tells: --payload FILE."))
}
