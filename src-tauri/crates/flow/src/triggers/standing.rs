//! How triggers stand.

use devrig_core::{Error, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Armed, Held, Triggers, webhook};
use crate::definition::TriggerKind;
use crate::table::trigger::Tally;

/// Whether a trigger fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Active,
    /// It begins to watch, and does not see yet what happens.
    Starting,
    /// The person stopped it.
    Paused,
    /// It has fired as often as it may.
    Done,
    /// It cannot fire; the error says why.
    Failed,
    /// Its flow is not enabled, or it is disabled in the live version.
    Off,
}

/// How a trigger of an enabled flow stands.
#[derive(Debug, Clone)]
pub struct TriggerState {
    pub flow: String,
    pub flow_name: String,
    pub trigger: String,
    pub kind: &'static str,
    pub standing: Standing,
    /// Why it does not fire, where it does not.
    pub error: Option<Error>,
    /// Where requests go, of a webhook.
    pub path: Option<String>,
    /// When it fires next, of a schedule.
    pub next: Option<Timestamp>,
    /// Some times at which it fires, the next one first.
    pub upcoming: Vec<Timestamp>,
    /// How often it started a run, and when last.
    pub fired: u64,
    pub fired_at: Option<Timestamp>,
    /// How often it should have and did not.
    pub missed: u64,
    /// Why it last did not, and when that was.
    pub last_error: Option<(Error, Timestamp)>,
}

impl Standing {
    /// As it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Starting => "starting",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Off => "off",
        }
    }
}

impl Triggers {
    /// How every trigger of the enabled flows stands, by flow.
    pub async fn states(&self) -> Vec<TriggerState> {
        let armed = self.armed.lock().await;
        let mut states: Vec<_> = armed
            .iter()
            .map(|((flow, _), armed)| {
                armed.state(flow, armed.wanted.meter(&self.timing.tallies).tally())
            })
            .collect();
        states.sort_by(|a, b| (&a.flow, &a.trigger).cmp(&(&b.flow, &b.trigger)));
        states
    }
}

impl Armed {
    fn state(&self, flow: &str, tally: Tally) -> TriggerState {
        let trigger = &self.wanted.trigger;
        let path = match (&trigger.kind, &self.held) {
            (TriggerKind::Webhook(hook), Ok(_)) => {
                Some(webhook::path(hook, flow, trigger.id.as_str()))
            }
            _ => None,
        };
        let upcoming = match &self.held {
            Ok(Held::Cron(cron)) => cron.upcoming(),
            _ => Vec::new(),
        };
        TriggerState {
            flow: flow.to_owned(),
            flow_name: self.wanted.flow_name.clone(),
            trigger: trigger.id.to_string(),
            kind: trigger.trigger_type().as_str(),
            standing: self.standing(),
            error: self.error(),
            path,
            next: upcoming.first().copied(),
            upcoming,
            fired: tally.fired,
            fired_at: tally.fired_at,
            missed: tally.missed,
            last_error: tally.error,
        }
    }

    fn standing(&self) -> Standing {
        match &self.held {
            Err(_) => Standing::Failed,
            Ok(Held::Paused) => Standing::Paused,
            Ok(Held::Cron(cron)) if cron.is_done() => Standing::Done,
            Ok(_) if self.error().is_some() => Standing::Failed,
            Ok(Held::Watching(watching)) if watching.health.is_starting() => Standing::Starting,
            Ok(_) => Standing::Active,
        }
    }
}
