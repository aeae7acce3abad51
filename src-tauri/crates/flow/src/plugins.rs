//! What flows need of plugins: what their actions are, to have one done, and to ask their conditions.

use async_trait::async_trait;
use devrig_core::{Error, Result};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::action::{Effect, Stakes};
use crate::definition::Call;

/// What people and programs write in front of most plugins' names, and may leave out.
const PREFIX: &str = "devrig-plugin-";

/// The field of a config that names the item.
const ITEM: &str = "itemId";

/// The plugins of this machine, for nodes that call their actions.
#[async_trait]
pub trait PluginActions: Send + Sync {
    /// A plugin that is here, by its name as definitions have it.
    fn plugin(&self, name: &str) -> Option<PluginState>;

    /// What a plugin says of one of its actions at this moment; absent where either is not there.
    fn about(&self, plugin: &str, action: &str) -> Option<PluginAction>;

    /// Does an action once and gives what it gives. `plugin` is meant as in definitions.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` naming the field; `IN_DOUBT` when nobody knows whether it
    /// happened; else what the plugin says, in a category by which the retry policy can decide.
    async fn perform(&self, deed: PluginDeed, token: &CancellationToken) -> Result<Value>;
}

/// The plugins of this machine, for conditions that ask them.
#[async_trait]
pub trait PluginConditions: Send + Sync {
    /// Asks once. The answer comes soon, whatever the plugin does.
    ///
    /// # Errors
    /// What only a person can change, such as a plugin that is not here.
    async fn ask(&self, question: PluginQuestion) -> Result<PluginAnswer>;
}

/// What a condition wants to know.
#[derive(Debug, Clone)]
pub struct PluginQuestion {
    pub plugin: String,
    /// The plugin's only account when absent.
    pub account: Option<String>,
    pub condition: String,
    pub args: Vec<Value>,
    /// The id and the name of the flow that asks.
    pub flow: (String, String),
}

/// What a plugin says.
#[derive(Debug, Clone)]
pub struct PluginAnswer {
    pub holds: bool,
    /// Why there is no answer, which counts as no.
    pub wrong: Option<Error>,
}

/// A plugin that is here.
#[derive(Debug, Clone, Default)]
pub struct PluginState {
    /// Why it does nothing at present.
    pub stopped: Option<Error>,
    pub accounts: Vec<PluginAccount>,
    /// The names of its conditions.
    pub conditions: Vec<String>,
    pub triggers: Vec<TriggerAbout>,
}

impl PluginState {
    pub fn trigger(&self, name: &str) -> Option<&TriggerAbout> {
        self.triggers.iter().find(|trigger| trigger.name == name)
    }
}

/// What a plugin says of a trigger.
#[derive(Debug, Clone, Default)]
pub struct TriggerAbout {
    pub name: String,
    /// JSON Schema; without one it takes nothing.
    pub config: Option<Value>,
    /// JSON Schema of what its events tell, where it says so.
    pub payload: Option<Value>,
    /// What an event could tell.
    pub sample: Option<Value>,
    /// How often it is asked; absent for one that only the plugin fires.
    pub poll_ms: Option<u64>,
}

/// The plugins of this machine, for triggers that ask them for news.
#[async_trait]
pub trait PluginTriggers: Send + Sync {
    /// Asks once.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` naming the field of the config; what the plugin says.
    async fn poll(&self, poll: PluginPoll, token: &CancellationToken) -> Result<Polled>;
}

/// What a trigger asks.
#[derive(Debug, Clone)]
pub struct PluginPoll {
    pub plugin: String,
    /// The plugin's only account when absent.
    pub account: Option<String>,
    pub trigger: String,
    pub config: Value,
    /// What it was given last.
    pub cursor: Option<Value>,
    /// The id and the name of the flow that asks.
    pub flow: (String, String),
}

/// What is new.
#[derive(Debug, Clone)]
pub struct Polled {
    /// Each with the name by which it is known.
    pub events: Vec<(Option<String>, Value)>,
    /// Absent where it is as before.
    pub cursor: Option<Value>,
    pub has_more: bool,
}

/// An event that a plugin fired.
#[derive(Debug, Clone)]
pub struct PluginEvent {
    pub plugin: String,
    pub account: String,
    /// Whether the plugin has no other account, so that nobody has to name it.
    pub is_only_account: bool,
    pub trigger: String,
    pub payload: Value,
    /// Names what happened.
    pub id: Option<String>,
    /// Automatic steps since a person or a source acted.
    pub depth: u8,
}

/// An account of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginAccount {
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// What a plugin says of an action.
#[derive(Debug, Clone)]
pub struct PluginAction {
    pub effect: Effect,
    /// Whether doing it twice under one key is the same as once.
    pub idempotent: bool,
    /// JSON Schema; without one it takes nothing.
    pub input: Option<Value>,
    /// JSON Schema, where it says what it gives.
    pub output: Option<Value>,
}

impl PluginAction {
    /// Takes the item out of a config, whose field `itemId` names it. An action that has a field of
    /// that name itself keeps it.
    pub fn take_item(&self, config: &mut Map<String, Value>) -> Option<Value> {
        let own = self.input.as_ref().and_then(|schema| schema["properties"].get(ITEM));
        if own.is_some() { None } else { config.remove(ITEM) }
    }

    pub fn stakes(&self) -> Stakes {
        Stakes { effect: self.effect, idempotent: self.idempotent }
    }
}

/// An action that a node wants done.
#[derive(Debug, Clone)]
pub struct PluginDeed {
    pub call: PluginCall,
    pub input: Value,
    /// The item of the inbox that it is done to.
    pub item: Option<String>,
    /// The item that the trigger tells of, for a deed that names none. It counts where it belongs to
    /// the account.
    pub told_of: Option<String>,
    /// The same for every attempt of this node in this run.
    pub key: String,
    /// Automatic steps since a person or a source acted.
    pub depth: u8,
}

/// Which action of which plugin, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginCall {
    pub plugin: String,
    pub action: String,
    /// The plugin's only account when absent.
    pub account: Option<String>,
}

impl PluginCall {
    /// None for one of DevRig's own actions.
    pub fn of(call: &Call) -> Option<Self> {
        Some(Self {
            plugin: call.plugin_id.clone()?,
            action: call.action.clone(),
            account: call.account_id.clone(),
        })
    }
}

/// A plugin's name as permissions have it: `github` for `devrig-plugin-github`. What is short
/// already stays as it is, so that no name means two plugins.
pub fn short(name: &str) -> &str {
    let short = name.strip_prefix(PREFIX);
    short.filter(|short| !short.is_empty() && !short.starts_with(PREFIX)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn a_short_name_is_its_own_short_name() {
        for (name, expected) in [
            ("devrig-plugin-github", "github"),
            ("github", "github"),
            ("@acme/devrig-plugin-github", "@acme/devrig-plugin-github"),
            ("devrig-plugin-", "devrig-plugin-"),
            ("devrig-plugin-devrig-plugin-x", "devrig-plugin-devrig-plugin-x"),
        ] {
            assert_eq!(short(name), expected);
            assert_eq!(short(expected), expected);
        }
    }
}
