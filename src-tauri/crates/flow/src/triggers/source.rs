//! A trigger as it fires.

use std::sync::Arc;
use std::time::Duration;

use devrig_core::{Code, Error, Result, Timestamp};
use devrig_expr::Data;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::tally::Meter;
use crate::input::Input;
use crate::permissions::Permissions;
use crate::program::Program;
use crate::run::{Access, Answer, RunKind};
use crate::runs::{Fired, Runs, Start};
use crate::secrets::Masks;

/// Which flow and version a trigger starts, and how it stands.
#[derive(Clone)]
pub struct Source {
    pub runs: Runs,
    pub program: Arc<Program>,
    pub trigger: String,
    pub kind: &'static str,
    /// An event with a key that came within this time is not taken again.
    pub window: Duration,
    /// What names no delivery is the same event when it tells the same.
    pub by_content: bool,
    /// It owes nothing of the time before.
    pub since: Option<Timestamp>,
    pub(super) meter: Arc<Meter>,
}

/// What a trigger tells of.
#[derive(Default)]
pub struct Happened {
    pub payload: Value,
    /// Names the same thing twice told.
    pub key: Option<String>,
    /// Where the trigger is after this. It is on disk when this is, or not at all.
    pub cursor: Option<Value>,
    /// Automatic steps since a person or a source acted.
    pub depth: u8,
    /// Whoever waits for the flow's own answer.
    pub answer: Option<oneshot::Sender<Answer>>,
}

impl Source {
    /// Fires the trigger with what it tells.
    ///
    /// # Errors
    /// What the store meets.
    pub async fn fire(&self, mut event: Happened) -> Result<Fired> {
        if self.by_content {
            event.key.get_or_insert_with(|| content(&event.payload));
        }
        let fired = self.runs.fire(self.start(event), self.window).await;
        match &fired {
            Ok(Fired::Started(_)) => self.meter.fired(self.now()),
            Err(error) if error.code != Code::Cancelled => {
                self.meter.failed(error.clone(), self.now());
            }
            _ => {}
        }
        fired
    }

    /// Keeps what the trigger tells, and starts nothing. `verdict` says why.
    ///
    /// # Errors
    /// What the store meets.
    pub(super) async fn note(&self, event: Happened, verdict: &'static str) -> Result<()> {
        self.runs.note(&self.start(event), verdict).await
    }

    /// Whether the flow's entry conditions let this in.
    ///
    /// # Errors
    /// A condition that cannot be decided.
    pub(super) async fn admits(&self, payload: &Value) -> Result<bool> {
        self.runs.admits(&self.program, &self.trigger, self.kind, payload).await
    }

    /// Whether an event of this key was taken before, whenever that was.
    ///
    /// # Errors
    /// What reading meets.
    pub(super) async fn came(&self, key: &str) -> Result<bool> {
        self.runs.came(self.program.flow, &self.trigger, key).await
    }

    /// A run that it started and that has not ended.
    ///
    /// # Errors
    /// What reading meets.
    pub(super) async fn open_run(&self) -> Result<Option<String>> {
        self.runs.open_run(self.program.flow, &self.trigger).await
    }

    /// Where the trigger is, if it told of that before.
    ///
    /// # Errors
    /// What reading meets.
    pub async fn cursor(&self) -> Result<Option<Value>> {
        self.runs.cursor(self.program.flow, &self.trigger).await
    }

    /// Keeps where the trigger is, when it has nothing to tell.
    ///
    /// # Errors
    /// What the store meets.
    pub async fn keep(&self, cursor: &Value) -> Result<()> {
        self.runs.keep_cursor(self.program.flow, &self.trigger, cursor).await
    }

    /// The flow's way to secrets and variables.
    pub(crate) fn access(&self) -> Access {
        self.runs.access(self.program.flow)
    }

    /// What the flow may touch at this moment.
    ///
    /// # Errors
    /// What reading meets.
    pub async fn permissions(&self) -> Result<Arc<Permissions>> {
        self.runs.permits().of(self.program.flow).await
    }

    /// A config with the values of its texts, which know `flow`, `variables`, `secrets` and `env`.
    ///
    /// # Errors
    /// What the flow may not use or is not there, and a text that has no value.
    pub(super) async fn resolved(&self, config: &Input, masks: &Masks) -> Result<Value> {
        let definition = &self.program.definition;
        let own = self.access().roots(&config.reads, masks).await?;
        let flow = json!({ "id": definition.id, "name": definition.name });
        let variables = Value::Object(definition.variables.clone());
        let mut roots = vec![("flow", Data::from(&flow)), ("variables", Data::from(&variables))];
        roots.extend(own.iter().map(|(name, value)| (*name, Data::from(value))));
        config.resolve(&Data::object(roots))
    }

    /// Notes that something is wrong with it, and hands that back.
    pub(super) fn failed(&self, error: Error) -> Error {
        self.meter.failed(error.clone(), self.now());
        error
    }

    pub(super) fn now(&self) -> Timestamp {
        self.runs.store().clock().now()
    }

    fn start(&self, event: Happened) -> Start {
        let Happened { payload, key, cursor, depth, answer } = event;
        Start {
            program: self.program.clone(),
            trigger: self.trigger.clone(),
            trigger_type: self.kind,
            kind: RunKind::Live,
            key,
            payload,
            cursor,
            depth,
            parent: None,
            answer,
        }
    }
}

/// A key made of what is told. Headers differ each time that a request is sent.
fn content(payload: &Value) -> String {
    let hash = match payload {
        Value::Object(fields) => {
            let told = fields.iter().filter(|(name, _)| *name != "headers");
            Sha256::digest(
                Value::Object(told.map(|(k, v)| (k.clone(), v.clone())).collect()).to_string(),
            )
        }
        payload => Sha256::digest(payload.to_string()),
    };
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("content:{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_has_the_same_key_whatever_its_headers() {
        let sent = |date: &str, body: &str| json!({"headers": {"date": date}, "rawBody": body});
        assert_eq!(content(&sent("today", "x")), content(&sent("tomorrow", "x")));
        assert_ne!(content(&sent("today", "x")), content(&sent("today", "y")));
        assert_ne!(content(&json!("x")), content(&json!("y")));
    }
}
