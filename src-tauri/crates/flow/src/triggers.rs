//! What starts flows by itself: kept in step with which flows are enabled, and which version of each
//! is live.

pub mod webhook;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use devrig_core::{Error, Result};
use devrig_net::listener::{Listener, Registration, SecretSource};
use serde_json::Value;
use tokio::sync::{Mutex, oneshot};

use crate::definition::{Trigger, TriggerKind};
use crate::program::Program;
use crate::run::{Answer, RunKind};
use crate::runs::{Fired, Runs, Start};
use crate::{Flows, definition};

/// What triggers need from outside.
#[derive(Clone)]
pub struct Surroundings {
    pub listener: Arc<Listener>,
    pub secrets: Arc<dyn Secrets>,
}

/// Where the secrets of flows are, by name.
pub trait Secrets: Send + Sync {
    /// Gives the secret each time it is asked.
    fn source(&self, name: &str) -> Arc<dyn SecretSource>;
}

/// A trigger as it fires: which flow and version it starts.
#[derive(Clone)]
pub struct Source {
    pub runs: Runs,
    pub program: Arc<Program>,
    pub trigger: String,
    pub kind: &'static str,
    pub window: Duration,
}

impl Source {
    /// Fires the trigger with what it tells.
    ///
    /// # Errors
    /// What the store meets.
    pub async fn fire(
        &self,
        payload: Value,
        key: Option<String>,
        answer: Option<oneshot::Sender<Answer>>,
    ) -> Result<Fired> {
        let start = Start {
            program: self.program.clone(),
            trigger: self.trigger.clone(),
            trigger_type: self.kind,
            kind: RunKind::Live,
            key,
            payload,
            depth: 0,
            parent: None,
            answer,
        };
        self.runs.fire(start, self.window).await
    }
}

/// How a trigger stands.
#[derive(Debug, Clone)]
pub struct TriggerState {
    pub flow: String,
    pub trigger: String,
    pub kind: &'static str,
    /// Why it does not fire, where it does not.
    pub error: Option<Error>,
    /// Where requests go, of a webhook.
    pub path: Option<String>,
}

/// A handle on the triggers of all flows. Cheap to clone.
#[derive(Clone)]
pub struct Triggers {
    flows: Flows,
    surroundings: Surroundings,
    armed: Arc<Mutex<HashMap<(String, String), Armed>>>,
}

/// A trigger that fires, while this is kept.
struct Armed {
    version: i64,
    trigger: Trigger,
    held: Result<Held>,
}

enum Held {
    Webhook(#[expect(dead_code, reason = "dropping it takes the route away")] Registration),
    /// Fires when somebody asks for it.
    Passive,
}

impl Triggers {
    pub fn new(flows: Flows, surroundings: Surroundings) -> Self {
        Self { flows, surroundings, armed: Arc::default() }
    }

    /// Arms what should fire and disarms what should not. One that cannot be armed costs only itself,
    /// and says why.
    ///
    /// # Errors
    /// What reading the flows meets.
    pub async fn follow(&self) -> Result<()> {
        let mut armed = self.armed.lock().await;
        let wanted = self.wanted().await?;
        armed.retain(|key, now| {
            let same = |(program, trigger): &(Arc<Program>, Trigger)| {
                program.version == now.version && *trigger == now.trigger && now.held.is_ok()
            };
            wanted.get(key).is_some_and(same)
        });
        for (key, (program, trigger)) in wanted {
            if armed.contains_key(&key) {
                continue;
            }
            let version = program.version;
            let held = self.arm(program, &trigger);
            if let Err(error) = &held {
                tracing::warn!(flow = key.0, trigger = key.1, %error, "a trigger does not fire");
            }
            armed.insert(key, Armed { version, trigger, held });
        }
        Ok(())
    }

    /// How every armed trigger stands, by flow.
    pub async fn states(&self) -> Vec<TriggerState> {
        let armed = self.armed.lock().await;
        let mut states: Vec<_> = armed
            .iter()
            .map(|((flow, trigger), armed)| TriggerState {
                flow: flow.clone(),
                trigger: trigger.clone(),
                kind: armed.trigger.trigger_type().as_str(),
                error: armed.held.as_ref().err().cloned(),
                path: match &armed.trigger.kind {
                    TriggerKind::Webhook(hook) => Some(webhook::path(hook, flow, trigger)),
                    _ => None,
                },
            })
            .collect();
        states.sort_by(|a, b| (&a.flow, &a.trigger).cmp(&(&b.flow, &b.trigger)));
        states
    }

    /// Disarms everything.
    pub async fn stop(&self) {
        self.armed.lock().await.clear();
    }

    async fn wanted(&self) -> Result<HashMap<(String, String), (Arc<Program>, Trigger)>> {
        let mut wanted = HashMap::new();
        for flow in self.flows.list().await? {
            let (true, Some(live)) = (flow.enabled, flow.live) else { continue };
            match self.flows.program(&flow.id, Some(live)).await {
                Ok(program) => {
                    let triggers = program.definition.triggers.iter();
                    for trigger in triggers.filter(|trigger| !trigger.disabled) {
                        let key = (flow.id.clone(), trigger.id.to_string());
                        wanted.insert(key, (program.clone(), trigger.clone()));
                    }
                }
                // One flow that cannot run keeps no other from starting.
                Err(error) => tracing::error!(flow = flow.id, %error, "a flow cannot run"),
            }
        }
        Ok(wanted)
    }

    fn arm(&self, program: Arc<Program>, trigger: &definition::Trigger) -> Result<Held> {
        let usual = match trigger.kind {
            TriggerKind::Webhook(_) => webhook::WINDOW,
            _ => Duration::ZERO,
        };
        let source = Source {
            runs: self.flows.runs().clone(),
            program,
            trigger: trigger.id.to_string(),
            kind: trigger.trigger_type().as_str(),
            window: trigger.dedup_window_ms.map_or(usual, Duration::from_millis),
        };
        match &trigger.kind {
            TriggerKind::Webhook(hook) => {
                webhook::arm(hook, source, &self.surroundings).map(Held::Webhook)
            }
            TriggerKind::Manual { .. } => Ok(Held::Passive),
            _ => Err(Error::new(
                devrig_core::Code::Unsupported,
                format!("triggers of the type {} do not fire yet", trigger.trigger_type().as_str()),
            )
            .hint("Use a webhook or run the flow by hand.")),
        }
    }
}
