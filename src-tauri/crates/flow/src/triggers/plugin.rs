//! Triggers that plugins bring: asked for news at an interval, or fired by the plugin.

use std::sync::Arc;
use std::time::Duration;

use devrig_core::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::polling::news::hash;
use super::polling::pace::Pace;
use super::task::{Health, Told, fire, is_trouble};
use super::{Happened, Source};
use crate::definition::PluginTrigger;
use crate::input::Input;
use crate::plugins::{PluginActions, PluginEvent, PluginPoll, PluginTriggers, Polled, short};
use crate::secrets::Masks;
use crate::shape;

/// How long an event is known by its id.
pub(super) const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);
/// After trouble with the store.
const AGAIN: Duration = Duration::from_secs(2);
/// Between two looks whether a plugin has come that can be asked.
const LOOK: Duration = Duration::from_secs(5);
/// Between two answers of which the first one said that there is more.
const MORE: Duration = Duration::from_millis(200);
/// Of a question that failed, before the next interval.
const RETRIES: u32 = 3;

/// A trigger of a flow that waits for a plugin.
pub(super) struct Waiting {
    wanted: PluginTrigger,
    source: Source,
    plugins: Arc<dyn PluginActions>,
    pub health: Health,
}

impl Waiting {
    pub fn new(wanted: &PluginTrigger, source: Source, plugins: Arc<dyn PluginActions>) -> Self {
        Self { wanted: wanted.clone(), source, plugins, health: Health::default() }
    }

    /// How often it is asked; never where only the plugin fires it, and not as things stand where
    /// it cannot fire at all. Plugins come, go and change while a trigger waits for them.
    fn interval(&self) -> Option<Duration> {
        if shape::trouble(&self.wanted, &*self.plugins).is_some() {
            return None;
        }
        let state = self.plugins.plugin(&self.wanted.plugin_id)?;
        let usual = state.trigger(&self.wanted.trigger)?.poll_ms?;
        Some(Duration::from_millis(self.wanted.interval_ms.unwrap_or(usual)))
    }

    /// Why it does not fire at the moment.
    pub fn error(&self) -> Option<Error> {
        let fault = shape::trouble(&self.wanted, &*self.plugins);
        fault.or_else(|| self.health.error())
    }

    pub fn waits_for(&self, event: &PluginEvent) -> bool {
        let account = match &self.wanted.account_id {
            Some(id) => *id == event.account,
            None => event.is_only_account,
        };
        account
            && self.wanted.trigger == event.trigger
            && short(&self.wanted.plugin_id) == short(&event.plugin)
    }

    /// Takes an event that the plugin fired.
    ///
    /// # Errors
    /// Trouble with the store: it should be told again.
    pub async fn take(&self, event: &PluginEvent) -> Result<()> {
        let happened = Happened {
            payload: event.payload.clone(),
            key: event.id.clone(),
            depth: event.depth,
            ..Happened::default()
        };
        let taken = match self.may().await {
            Ok(()) => self.source.fire(happened).await.map(drop),
            Err(error) => Err(self.source.failed(error)),
        };
        match taken {
            Ok(()) => self.health.well(),
            Err(error) if is_trouble(error.code) => return Err(error),
            Err(error) => self.health.failed(error),
        }
        Ok(())
    }

    async fn may(&self) -> Result<()> {
        self.source.permissions().await?.plugin(&self.wanted.plugin_id)
    }
}

/// A trigger that is asked.
pub(super) struct Poll {
    waiting: Arc<Waiting>,
    asked: Arc<dyn PluginTriggers>,
    config: Input,
    /// Names what is asked: a cursor of something else counts for nothing.
    of: String,
}

/// The trigger's cursor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Memory {
    of: String,
    /// The plugin's own.
    cursor: Value,
}

impl Poll {
    /// # Errors
    /// `INVALID_INPUT` for a template that is none.
    pub fn new(waiting: Arc<Waiting>, asked: Arc<dyn PluginTriggers>) -> Result<Self> {
        let PluginTrigger { plugin_id, account_id, trigger, config, .. } = &waiting.wanted;
        let of = hash(&json!([short(plugin_id), account_id, trigger, config]));
        let config = Input::compile(config, &[])?;
        Ok(Self { waiting, asked, config, of })
    }

    /// Asks until `stop`.
    pub async fn run(self, health: Health, stop: CancellationToken) {
        let Some(mut memory) = self.begin(&health, &stop).await else { return };
        let mut every = None;
        let mut pace = Pace::new(LOOK, RETRIES);
        let mut wait = Duration::ZERO;
        while stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_some() {
            let interval = self.interval(&health).await;
            let Some(interval) = interval else {
                (every, wait) = (None, LOOK);
                continue;
            };
            if every != Some(interval) {
                (every, pace) = (Some(interval), Pace::new(interval, RETRIES));
                wait = pace.at_start(memory.is_some(), fastrand::f64());
                continue;
            }
            wait = match self.round(&mut memory, &health, &stop).await {
                Ok(true) => MORE,
                Ok(false) => pace.after_answer(fastrand::f64()),
                Err(error) => {
                    let wait = pace.after_failure(&error, fastrand::f64());
                    health.failed(self.waiting.source.failed(error));
                    wait
                }
            };
        }
    }

    /// Where it was; nothing when stopped before that could be read.
    async fn begin(&self, health: &Health, stop: &CancellationToken) -> Option<Option<Memory>> {
        loop {
            match self.remembered().await {
                Ok(memory) => return Some(memory),
                Err(error) => health.failed(error),
            }
            stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await?;
        }
    }

    /// How often it is asked, as long as the flow may use the plugin.
    async fn interval(&self, health: &Health) -> Option<Duration> {
        let interval = self.waiting.interval()?;
        match self.waiting.may().await {
            Ok(()) => Some(interval),
            Err(error) => {
                health.failed(error);
                None
            }
        }
    }

    async fn remembered(&self) -> Result<Option<Memory>> {
        let cursor = self.waiting.source.cursor().await?;
        let memory = cursor.and_then(|cursor| serde_json::from_value::<Memory>(cursor).ok());
        Ok(memory.filter(|memory| memory.of == self.of))
    }

    /// True when there is more at once.
    async fn round(
        &self,
        memory: &mut Option<Memory>,
        health: &Health,
        stop: &CancellationToken,
    ) -> Result<bool> {
        let masks = Masks::default();
        let asked = self.ask(memory.as_ref(), &masks, stop);
        let Some(polled) = stop.run_until_cancelled(asked).await else { return Ok(false) };
        let polled = polled.map_err(|error| masks.error(error))?;
        let cursor = polled.cursor.map(|cursor| masks.value(cursor));
        let now = cursor.map(|cursor| Memory { of: self.of.clone(), cursor });
        let moved = now.is_some() && now != *memory;
        let last = polled.events.len().saturating_sub(1);
        let mut told = None;
        for (index, (id, payload)) in polled.events.into_iter().enumerate() {
            let payload = masks.value(payload);
            let cursor = now.as_ref().filter(|_| index == last && moved).map(|now| json!(now));
            let event = || Happened {
                payload: payload.clone(),
                key: id.clone(),
                cursor: cursor.clone(),
                ..Happened::default()
            };
            told = Some(fire(&self.waiting.source, health, stop, event).await);
            if told == Some(Told::Stopped) {
                return Ok(false);
            }
        }
        if let Some(now) = now.filter(|_| moved) {
            if told != Some(Told::Stored) {
                self.waiting.source.keep(&json!(now)).await?;
            }
            *memory = Some(now);
        }
        if told != Some(Told::Refused) {
            health.well();
        }
        Ok(polled.has_more && moved)
    }

    async fn ask(
        &self,
        memory: Option<&Memory>,
        masks: &Masks,
        stop: &CancellationToken,
    ) -> Result<Polled> {
        let Waiting { wanted, source, .. } = &*self.waiting;
        let flow = &source.program.definition;
        let poll = PluginPoll {
            plugin: wanted.plugin_id.clone(),
            account: wanted.account_id.clone(),
            trigger: wanted.trigger.clone(),
            config: source.resolved(&self.config, masks).await?,
            cursor: memory.map(|memory| memory.cursor.clone()),
            flow: (flow.id.to_string(), flow.name.clone()),
        };
        self.asked.poll(poll, stop).await
    }
}

/// No plugin brings triggers to this engine.
pub(super) fn nobody(wanted: &PluginTrigger) -> Error {
    let what = format!("{} cannot bring the trigger {}", wanted.plugin_id, wanted.trigger);
    Error::new(Code::Unsupported, what).hint("There are no plugins here.")
}
