//! Events of a plugin's triggers, which start flows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use devrig_core::{Code, Error, Origin, Result};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Broker, Desk, read};
use crate::plugins::{TriggerFired, TriggerSink, check_event};
use crate::text::shown;
use crate::worker::Purpose;

/// Events of one account in a minute. Who has more gives them to a trigger that is polled.
const MOST_A_MINUTE: u32 = 1_000;
/// Until flows run.
const STARTING: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fire<'a> {
    trigger: String,
    #[serde(default, borrow)]
    payload: Option<&'a RawValue>,
    #[serde(default)]
    id: Option<String>,
}

impl Broker {
    /// Returns when each flow that waits for it has the event on disk.
    pub(super) async fn trigger_fire(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        let Fire { trigger, payload, id } = read(params)?;
        let manifest = &desk.seat.plugin.manifest;
        let declared = manifest.trigger(&trigger).ok_or_else(|| undeclared(&trigger))?;
        let payload = payload.map_or("null", RawValue::get);
        check_event(payload.len(), id.as_deref())?;
        let depth = depth(desk)?;
        self.count_event()?;
        let sink = sink(desk).await?;
        let event = TriggerFired {
            plugin: desk.plugin().to_owned(),
            account: desk.seat.id.clone(),
            is_only_account: desk.core.seats_of(desk.plugin()).len() == 1,
            trigger: declared.id.clone(),
            payload: serde_json::from_str(payload)?,
            id,
            depth,
        };
        Ok(json!({ "flows": sink.fire(event).await? }))
    }

    fn count_event(&self) -> Result<()> {
        let mut fired = self.lock(&self.fired);
        if fired.0.elapsed() > Duration::from_secs(60) {
            *fired = (Instant::now(), 0);
        }
        fired.1 += 1;
        if fired.1 <= MOST_A_MINUTE {
            return Ok(());
        }
        let message = format!("an account fires at most {MOST_A_MINUTE} events a minute");
        let mut error = Error::new(Code::QuotaExceeded, message)
            .hint("Fire one event for several things, or let DevRig poll the trigger.");
        error.retryable = true;
        Err(error)
    }
}

/// Who hands events to flows; DevRig may be about to start them.
async fn sink(desk: &Desk) -> Result<Arc<dyn TriggerSink>> {
    let mut sink = desk.core.sink.subscribe();
    let found = tokio::time::timeout(STARTING, sink.wait_for(Option::is_some)).await;
    let found = found.ok().and_then(|found| found.ok()?.clone());
    found.ok_or_else(|| {
        let mut error = Error::new(Code::Unsupported, "no flows run here");
        error.retryable = true;
        error.hint("Fire it again later.")
    })
}

/// Automatic steps up to the event: those up to what fires it, and one.
fn depth(desk: &Desk) -> Result<u8> {
    let depth = match desk.call.as_ref().map(|call| &call.purpose) {
        Some(Purpose::Condition) => return Err(only_answers("a condition", "triggers:condition")),
        Some(Purpose::Before) => {
            return Err(only_answers("a hook before an action", "triggers:hook"));
        }
        Some(Purpose::Action { depth, .. } | Purpose::After { depth }) => depth.saturating_add(1),
        _ => 0,
    };
    if depth < Origin::MAX_DEPTH {
        return Ok(depth);
    }
    let steps = Origin::MAX_DEPTH;
    Err(Error::new(Code::Refused, format!("{steps} automatic steps in a row start nothing more"))
        .hint("See whether flows and the plugin's actions set each other off.")
        .details(json!({ "rule": "triggers:depth" })))
}

fn only_answers(what: &str, rule: &str) -> Error {
    Error::new(Code::Refused, format!("{what} only answers, and fires nothing"))
        .hint("Fire it from a sync, an action, an event or a hook after an action.")
        .details(json!({ "rule": rule }))
}

fn undeclared(trigger: &str) -> Error {
    let message = format!("the trigger {:?} is not declared in the manifest", shown(trigger, 100));
    Error::new(Code::Refused, message)
        .hint("Add it to capabilities.triggers in devrig-plugin.json.")
        .details(json!({ "rule": "triggers:undeclared" }))
}
