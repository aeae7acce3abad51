//! Addresses that are asked again and again, and start flows when the answer is another one.

mod ask;
mod feed;
pub(super) mod news;
pub(super) mod pace;

use std::sync::Arc;
use std::time::Duration;

use devrig_core::Result;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use self::ask::{Answer, Validators};
use self::news::{Fresh, Known};
use self::pace::Pace;
use super::task::{Health, Told, fire};
use super::{Happened, Source};
use crate::definition::Polling;
use crate::input::Input;
use crate::network::Network;
use crate::plugins::PluginActions;
use crate::secrets::Masks;

/// How long an element is known by its key alone, which bridges a crash between several of them.
pub(super) const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// After trouble with the store.
const AGAIN: Duration = Duration::from_secs(2);

/// A source that is asked.
pub(super) struct Poll {
    definition: Polling,
    source: Source,
    asked: Asked,
    /// Address, method, headers and body.
    input: Input,
    /// Names what is asked and compared: what is known of something else counts for nothing.
    of: String,
}

/// Whom it asks.
pub(super) enum Asked {
    Address(Network),
    /// Its action that only reads.
    Plugin(Arc<dyn PluginActions>),
}

/// The trigger's cursor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Memory {
    of: String,
    #[serde(default)]
    validators: Validators,
    known: Known,
}

impl Poll {
    /// # Errors
    /// `INVALID_INPUT` for a template that is none.
    pub fn new(definition: &Polling, source: Source, asked: Asked) -> Result<Self> {
        let mut config: Map<String, Value> = definition.source.to_map();
        let of = news::hash(&json!([config, format!("{:?}", definition.deduplication)]));
        config.remove("type");
        let input = Input::compile(&config, &[])?;
        Ok(Self { definition: definition.clone(), source, asked, input, of })
    }

    /// Asks until `stop`.
    pub async fn run(self, health: Health, stop: CancellationToken) {
        let interval = Duration::from_millis(self.definition.interval_ms);
        let mut pace = Pace::new(interval, self.definition.max_retries);
        let mut memory = loop {
            match self.remembered().await {
                Ok(memory) => break memory,
                Err(error) => health.failed(error),
            }
            if stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await.is_none() {
                return;
            }
        };
        let mut wait = pace.at_start(memory.is_some(), fastrand::f64());
        while stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_some() {
            wait = match self.round(&mut memory, &health, &stop).await {
                Ok(()) => pace.after_answer(fastrand::f64()),
                Err(error) => {
                    let wait = pace.after_failure(&error, fastrand::f64());
                    health.failed(error);
                    wait
                }
            };
        }
    }

    async fn remembered(&self) -> Result<Option<Memory>> {
        let cursor = self.source.cursor().await?;
        let memory = cursor.and_then(|cursor| serde_json::from_value::<Memory>(cursor).ok());
        Ok(memory.filter(|memory| memory.of == self.of))
    }

    async fn round(
        &self,
        memory: &mut Option<Memory>,
        health: &Health,
        stop: &CancellationToken,
    ) -> Result<()> {
        let masks = Masks::default();
        let before = memory.as_ref().map(|memory| &memory.validators);
        let Some(asked) = stop.run_until_cancelled(self.ask(before, &masks, stop)).await else {
            return Ok(());
        };
        let Answer::Said { value, validators } = asked.map_err(|error| masks.error(error))? else {
            health.well();
            return Ok(());
        };
        let value = masks.value(value);
        let known = memory.as_ref().map(|memory| &memory.known);
        let judged = news::judge(&self.definition.deduplication, known, &value);
        let (known, mut fresh) = judged.map_err(|error| masks.error(error))?;
        if memory.is_none() && !self.definition.fire_on_first {
            fresh.clear();
        }
        let now = Memory { of: self.of.clone(), validators, known };
        match self.tell(&fresh, &now, health, stop).await {
            Some(Told::Stopped) => return Ok(()),
            Some(Told::Stored) => {}
            Some(Told::Refused) => self.note(memory.as_ref(), &now).await?,
            None => {
                self.note(memory.as_ref(), &now).await?;
                health.well();
            }
        }
        *memory = Some(now);
        Ok(())
    }

    /// Tells all of it, the last with what is known from then on. Gives what became of that, or of
    /// the one at which it was stopped.
    async fn tell(
        &self,
        fresh: &[Fresh],
        now: &Memory,
        health: &Health,
        stop: &CancellationToken,
    ) -> Option<Told> {
        let mut told = None;
        for (index, each) in fresh.iter().enumerate() {
            let memory = match index + 1 == fresh.len() {
                true => Some(now.clone()),
                // Without what lets the server answer that nothing is new: the rest is.
                false => each.known.clone().map(|known| Memory {
                    of: self.of.clone(),
                    validators: Validators::default(),
                    known,
                }),
            };
            let event = || happened(each, memory.as_ref());
            told = Some(fire(&self.source, health, stop, event).await);
            if told == Some(Told::Stopped) {
                break;
            }
        }
        told
    }

    async fn note(&self, before: Option<&Memory>, now: &Memory) -> Result<()> {
        match before == Some(now) {
            true => Ok(()),
            false => self.source.keep(&json!(now)).await,
        }
    }
}

fn happened(fresh: &Fresh, memory: Option<&Memory>) -> Happened {
    let mut payload = json!({ "data": fresh.data });
    if let Some(previous) = &fresh.previous {
        payload["previous"] = previous.clone();
    }
    Happened {
        payload,
        key: fresh.key.clone(),
        cursor: memory.map(|memory| json!(memory)),
        ..Happened::default()
    }
}
