//! What the window, the command line and scripts are shown of plugins, accounts and syncs.

use devrig_core::id::AccountId;
use devrig_core::{Error, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::manifest::Scope;

/// Where a plugin comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub enum PluginSource {
    /// Ships with DevRig.
    Bundled,
    /// Installed by the person.
    Installed,
}

/// How far a plugin has come in its life (reference §2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub enum PluginState {
    /// Installed, and waits for the person's grants.
    Installed,
    Active,
    Disabled,
    Error,
    /// Failed too often; enabling it starts it again.
    Quarantined,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct PluginInfo {
    /// The manifest's name, such as `devrig-plugin-git-local`.
    pub name: String,
    pub version: String,
    pub display_name: String,
    pub description: String,
    pub author: String,
    pub source: PluginSource,
    pub state: PluginState,
    pub error: Option<Error>,
    /// What the person should know, such as a reduced sandbox.
    pub warning: Option<String>,
    pub permissions: Vec<PermissionInfo>,
    pub data_sources: Vec<DataSourceInfo>,
    pub actions: Vec<ActionInfo>,
    /// What flows can ask it.
    #[serde(default)]
    pub conditions: Vec<PluginConditionInfo>,
    /// What it starts flows by.
    #[serde(default)]
    pub triggers: Vec<PluginTriggerInfo>,
    /// JSON Schema of an account's settings.
    pub settings_schema: Option<Value>,
    /// Names of secrets that an account can hold.
    pub secrets: Vec<String>,
    pub accounts: Vec<AccountInfo>,
}

/// A permission that the manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct PermissionInfo {
    /// As the manifest writes it, such as `network:api.github.com`.
    pub permission: String,
    /// What it allows, in DevRig's own words.
    pub words: String,
    /// True for the broad forms that deserve a second look.
    pub wide: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct DataSourceInfo {
    pub id: String,
    pub name: String,
    pub description: String,
    #[specta(type = u32)]
    pub default_interval_ms: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct ActionInfo {
    pub id: String,
    pub name: String,
    pub description: String,
    pub input_schema: Option<Value>,
    /// Data sources or item types that it applies to; empty means every item of the plugin.
    pub applies_to: Vec<String>,
    /// Sending it twice does no harm.
    pub idempotent: bool,
    /// Only reads, so nothing waits in the outbox.
    pub read_only: bool,
    /// The action that takes this one back.
    pub reverse: Option<String>,
}

/// A question that flows can ask a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct PluginConditionInfo {
    pub id: String,
    pub name: String,
    pub description: String,
    /// JSON Schema of the list of its arguments.
    pub config_schema: Option<Value>,
}

/// What a plugin starts flows by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct PluginTriggerInfo {
    pub id: String,
    pub name: String,
    pub description: String,
    pub config_schema: Option<Value>,
    /// JSON Schema of what its events tell.
    pub payload_schema: Option<Value>,
    pub sample_payload: Option<Value>,
    /// How often it is asked unless a flow says otherwise; null for one that only the plugin fires.
    #[specta(type = Option<u32>)]
    pub poll_interval_ms: Option<f64>,
}

/// A plugin as it is used.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct AccountInfo {
    pub id: AccountId,
    pub plugin: String,
    pub name: String,
    pub enabled: bool,
    pub settings: Value,
    /// Permissions in force, as the manifest writes them.
    pub granted: Vec<String>,
    /// Secrets that have a value.
    pub secrets_set: Vec<String>,
    /// Why its syncs wait, in words: missing grants, settings, a locked keychain.
    pub waiting: Option<String>,
    /// How a person connects it, for plugins that say so.
    pub connect: Option<ConnectInfo>,
    /// What the service last said of its secret.
    pub connection: Option<ConnectionState>,
}

/// How an account is connected: which secret, and where to get it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct ConnectInfo {
    /// The secret's name.
    pub secret: String,
    /// What people call it, such as "Personal access token".
    pub title: String,
    pub description: String,
    /// The rights that it has to carry, and why.
    pub scopes: Vec<Scope>,
    /// The page where such a secret is made.
    pub url: Option<String>,
}

/// What a service said of an account's secret.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionState {
    /// Who it belongs to, such as a login; none until a check went well.
    pub identity: Option<String>,
    pub detail: Option<String>,
    /// What will not work with it.
    pub warnings: Vec<String>,
    pub checked_at: Timestamp,
    /// Why it does not work.
    pub error: Option<Error>,
}

impl ConnectionState {
    pub(crate) fn unknown(now: Timestamp) -> Self {
        Self { identity: None, detail: None, warnings: Vec::new(), checked_at: now, error: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub enum SyncState {
    Idle,
    Syncing,
    Error,
    /// Nothing is wrong; something is missing that only the person can give.
    Waiting,
    Disabled,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct SyncStatus {
    pub account: AccountId,
    pub plugin: String,
    pub source: String,
    /// The data source's name for people.
    pub name: String,
    pub state: SyncState,
    /// The last time that it went well.
    pub last_sync_at: Option<Timestamp>,
    /// When the last run ended, well or not.
    pub ended_at: Option<Timestamp>,
    /// When that run had begun; none where it is to run again at once.
    pub began_at: Option<Timestamp>,
    pub next_sync_at: Option<Timestamp>,
    pub error: Option<Error>,
    #[specta(type = u32)]
    pub items_synced: f64,
    pub progress: Option<SyncProgress>,
    #[specta(type = u32)]
    pub interval_ms: f64,
    /// When it is left alone, such as `22:00-07:00 Europe/Berlin`.
    pub quiet_hours: Option<String>,
}

impl SyncStatus {
    /// True when a run that was asked for at `asked` is over, well or not. One that went on already
    /// may have looked before what it was asked for was there.
    pub fn is_over(&self, asked: Timestamp) -> bool {
        self.state != SyncState::Syncing && self.began_at.is_some_and(|began| began >= asked)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct SyncProgress {
    #[specta(type = u32)]
    pub current: f64,
    #[specta(type = Option<u32>)]
    pub total: Option<f64>,
    pub message: Option<String>,
}

/// A line of a plugin's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    #[specta(type = u32)]
    pub seq: f64,
    pub at: Timestamp,
    pub account: AccountId,
    /// `debug`, `info`, `warn`, `error`.
    pub level: String,
    pub message: String,
    pub meta: Option<Value>,
}

/// Something wrong in a plugin's package, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    pub file: String,
    pub line: Option<u32>,
    pub column: Option<u32>,
    /// JSON pointer to the field.
    pub field: Option<String>,
    pub message: String,
    pub hint: Option<String>,
}
