//! Triggers as flows wait for them: polled, or fired by the plugin.

use std::sync::Arc;

use devrig_core::id::AccountId;
use devrig_core::protocol::{FlowRef, Handler, PollInput};
use devrig_core::{Code, Error, Result};
use devrig_jobs::async_trait;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use super::Plugins;
use super::actions::check_against;
use crate::connection;
use crate::core::Plugin;
use crate::manifest::Trigger;
use crate::seat::Seat;
use crate::text::shown;
use crate::worker::Purpose;

/// Of one answer.
const MOST_EVENTS: usize = 1_000;
/// What one event tells.
const LARGEST_PAYLOAD: usize = 1024 * 1024;
const LONGEST_ID: usize = 200;
const LARGEST_CURSOR: usize = 64 * 1024;

/// What a manifest says of a trigger.
#[derive(Debug, Clone)]
pub struct TriggerAbout {
    /// The plugin's whole name.
    pub plugin: String,
    pub id: String,
    /// What people call it.
    pub name: String,
    pub description: String,
    /// JSON Schema; without one it takes no config.
    pub config: Option<Value>,
    /// JSON Schema of what its events tell, where it is told.
    pub payload: Option<Value>,
    /// What an event could tell.
    pub sample: Option<Value>,
    /// How often it is asked unless a flow says otherwise; absent for one that only the plugin fires.
    pub poll_ms: Option<u64>,
}

/// A trigger of a flow that is asked for news.
#[derive(Debug, Clone)]
pub struct Poll {
    /// By its whole name, or by what follows `devrig-plugin-`.
    pub plugin: String,
    pub trigger: String,
    /// The one account of the plugin when absent.
    pub account: Option<AccountId>,
    pub config: Value,
    /// What it gave last.
    pub cursor: Option<Value>,
    /// Whose trigger it is.
    pub flow: FlowRef,
}

/// What a trigger has to tell.
#[derive(Debug, Clone)]
pub struct Polled {
    /// Each with the name by which it is known.
    pub events: Vec<(Option<String>, Value)>,
    /// From where it goes on; absent where that is as before.
    pub cursor: Option<Value>,
    pub has_more: bool,
}

/// An event that a plugin fired.
#[derive(Debug, Clone)]
pub struct TriggerFired {
    /// The plugin's whole name.
    pub plugin: String,
    pub account: AccountId,
    /// Whether the plugin has no other account, so that nobody has to name it.
    pub is_only_account: bool,
    pub trigger: String,
    pub payload: Value,
    /// Names what happened.
    pub id: Option<String>,
    /// Automatic steps since a person or a source acted.
    pub depth: u8,
}

/// Who hands events to flows.
#[async_trait]
pub trait TriggerSink: Send + Sync {
    /// Returns when the event is on disk for each flow that waits for it, with the number of these.
    ///
    /// # Errors
    /// What storing it meets. Told again under its id it is not told twice.
    async fn fire(&self, event: TriggerFired) -> Result<u32>;
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow)]
    events: Vec<Event<'a>>,
    #[serde(default, borrow)]
    cursor: Option<&'a RawValue>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(default, borrow)]
    payload: Option<&'a RawValue>,
}

impl Plugins {
    /// What is declared of the triggers of a plugin that is here.
    pub fn about_triggers(&self, plugin: &str) -> Vec<TriggerAbout> {
        let Some(plugin) = self.named(plugin) else { return Vec::new() };
        plugin.manifest.triggers.iter().map(|trigger| about(&plugin, trigger)).collect()
    }

    /// Lets plugins fire triggers.
    pub fn set_sink(&self, sink: Arc<dyn TriggerSink>) {
        self.inner.core.sink.send_replace(Some(sink));
    }

    /// Asks a trigger for what is new.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` naming the field of the config; why the plugin may not run; what
    /// the plugin says; `PLUGIN_FAILED` for an answer that is none.
    pub async fn poll(&self, poll: Poll, token: &CancellationToken) -> Result<Polled> {
        let seat = self.chosen(&poll.plugin, poll.account.as_ref())?;
        seat.plugin.may_run()?;
        let declared = declared(&seat, &poll.trigger)?;
        check_against(declared.config_schema.as_ref(), &poll.config, &declared.id, "config")?;
        let worker = seat.worker().await?;
        let Poll { config, cursor, flow, .. } = poll;
        let input = serde_json::to_value(PollInput { config, cursor, flow })?;
        let handler = Handler::Poll { trigger: declared.id.clone() };
        let (outcome, _) = worker.call(handler, input, Purpose::Poll, token).await;
        let learnt = outcome.as_ref().err();
        connection::learn(&self.inner.core, &seat, learnt).await?;
        polled(outcome?.get())
    }
}

fn about(plugin: &Plugin, trigger: &Trigger) -> TriggerAbout {
    TriggerAbout {
        plugin: plugin.name().to_owned(),
        id: trigger.id.clone(),
        name: shown(&trigger.name, 100),
        description: shown(&trigger.description, 500),
        config: trigger.config_schema.clone(),
        payload: trigger.payload_schema.clone(),
        sample: trigger.sample_payload.clone(),
        poll_ms: trigger.poll_interval_ms,
    }
}

fn declared<'a>(seat: &'a Seat, trigger: &str) -> Result<&'a Trigger> {
    let (plugin, trigger) = (shown(seat.plugin.name(), 100), shown(trigger, 100));
    let declared = seat.plugin.manifest.trigger(&trigger).ok_or_else(|| {
        Error::not_found(format!("the trigger {trigger:?} of {plugin}"))
            .hint(format!("`devrig plugin show {plugin}` names those that it has."))
    })?;
    match declared.poll_interval_ms {
        Some(_) => Ok(declared),
        None => Err(Error::invalid(format!("{plugin} fires {trigger} itself, nobody asks for it"))),
    }
}

fn polled(text: &str) -> Result<Polled> {
    let answer: Answer<'_> = serde_json::from_str(text).map_err(|error| {
        broken(format!("the trigger returned something else: {error}"))
            .hint("It returns { events: [{ id?, payload }], cursor?, hasMore? }.")
    })?;
    if answer.events.len() > MOST_EVENTS {
        let count = answer.events.len();
        return Err(broken(format!("{count} events are too many for one answer"))
            .hint(format!("Give {MOST_EVENTS} at most, and hasMore.")));
    }
    let cursor = answer.cursor.map(RawValue::get).filter(|text| text.trim() != "null");
    if cursor.is_some_and(|text| text.len() > LARGEST_CURSOR) {
        return Err(broken("the cursor of the trigger has more than 64 KB"));
    }
    let mut events = Vec::with_capacity(answer.events.len());
    for Event { id, payload } in answer.events {
        let payload = payload.map_or("null", RawValue::get);
        check_event(payload.len(), id.as_deref()).map_err(|error| broken(error.message))?;
        events.push((id, serde_json::from_str(payload)?));
    }
    let cursor = cursor.map(serde_json::from_str).transpose()?;
    Ok(Polled { events, cursor, has_more: answer.has_more })
}

/// Bounds what an event tells.
pub(crate) fn check_event(payload: usize, id: Option<&str>) -> Result<()> {
    if payload > LARGEST_PAYLOAD {
        return Err(Error::new(Code::TooLarge, "an event of a trigger tells at most 1 MB")
            .hint("Tell where the rest is to be had."));
    }
    if id.is_some_and(|id| id.is_empty() || id.len() > LONGEST_ID) {
        return Err(Error::invalid("the id of an event has 1 to 200 bytes"));
    }
    Ok(())
}

/// Asking again gives the same.
fn broken(message: impl Into<String>) -> Error {
    Error::new(Code::PluginFailed, message.into()).permanent()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_read_within_bounds() {
        let read = |answer: Value| polled(&answer.to_string());
        let good = read(json!({"events": [{"id": "a", "payload": 1}, {}], "cursor": {"n": 2}}));
        let good = good.unwrap();
        assert_eq!(good.events, [(Some("a".to_owned()), json!(1)), (None, Value::Null)]);
        assert_eq!((good.cursor, good.has_more), (Some(json!({"n": 2})), false));
        assert_eq!(read(json!({"events": [], "cursor": null})).unwrap().cursor, None);
        let long = "x".repeat(LARGEST_PAYLOAD + 1);
        for bad in [
            json!(null),
            json!({}),
            json!({"events": 7}),
            json!({"events": vec![json!({}); MOST_EVENTS + 1]}),
            json!({"events": [{"payload": long}]}),
            json!({"events": [{"id": ""}]}),
            json!({"events": [], "cursor": "x".repeat(LARGEST_CURSOR + 1)}),
        ] {
            let error = read(bad).unwrap_err();
            assert!(error.code == Code::PluginFailed && !error.retryable, "{error}");
        }
    }
}
