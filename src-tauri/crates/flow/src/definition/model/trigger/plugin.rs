//! A trigger that a plugin brings.

use serde_json::{Map, Value};

use crate::definition::model::LONGEST;
use crate::definition::wire::{Object, Writer};

/// A plugin's own trigger.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PluginTrigger {
    pub plugin_id: String,
    /// Absent: the plugin's only account.
    pub account_id: Option<String>,
    /// The plugin's name for it.
    pub trigger: String,
    pub config: Map<String, Value>,
    /// How often it is asked; the plugin's own way when absent.
    pub interval_ms: Option<u64>,
}

impl PluginTrigger {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        Self {
            plugin_id: object.required("pluginId", |at| at.line(214)),
            account_id: object.optional("accountId", |at| at.line(64)),
            trigger: object.required("trigger", |at| at.line(200)),
            config: object.or("config", Map::new(), |at| at.map()),
            interval_ms: object.optional("intervalMs", |at| at.integer(5_000..=LONGEST)),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        into.put("pluginId", &self.plugin_id);
        into.some("accountId", &self.account_id);
        into.put("trigger", &self.trigger);
        into.unless("config", &self.config, &Map::new());
        into.some("intervalMs", &self.interval_ms);
    }
}
