//! What starts a flow.

mod cron;
mod event;
mod filesystem;
mod inbox;
mod plugin;
mod polling;
mod webhook;

use serde_json::Value;

pub use cron::{Cron, Misfire};
pub use event::{Event, RunEvent, SourceFlow};
pub use filesystem::{FileEvent, Filesystem};
pub use inbox::{Inbox, InboxChange};
pub use plugin::PluginTrigger;
pub use polling::{Deduplication, Polling, PollingSource};
pub(crate) use webhook::is_path as is_webhook_path;
pub use webhook::{HmacAuth, HmacScheme, Method, Respond, Webhook, WebhookAuth};

use super::{LONGEST, TriggerId, id};
use crate::definition::wire::{Object, Owner, Word, Writer, words};

/// One of the things that start a flow.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trigger {
    pub id: TriggerId,
    pub disabled: bool,
    /// The same event is not taken again within this time; 0 takes every one. Absent: as is usual
    /// for the type.
    pub dedup_window_ms: Option<u64>,
    pub kind: TriggerKind,
}

/// What a trigger waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum TriggerKind {
    /// A time of the calendar.
    Cron(Cron),
    /// A request to DevRig's listener.
    Webhook(Webhook),
    /// A change in a folder.
    Filesystem(Filesystem),
    /// Another answer of something that is asked again and again.
    Polling(Polling),
    /// A person or program that starts it, with an input that fits this JSON Schema.
    Manual { input_schema: Option<Value> },
    /// The end of a run of a flow.
    Event(Event),
    /// An item of the inbox.
    Inbox(Inbox),
    /// Whatever a plugin says.
    Plugin(PluginTrigger),
}

words! {
    /// The type of a trigger.
    TriggerType {
        Manual = "manual",
        Cron = "cron",
        Webhook = "webhook",
        Filesystem = "filesystem",
        Polling = "polling",
        Event = "event",
        Inbox = "inbox",
        Plugin = "plugin",
    }
}

impl TriggerType {
    /// All of them, as JSON has them.
    pub fn words() -> Vec<&'static str> {
        <Self as Word>::known()
    }
}

impl Default for TriggerKind {
    fn default() -> Self {
        Self::Manual { input_schema: None }
    }
}

impl Trigger {
    /// A trigger with nothing but an id and what it waits for.
    pub fn new(id: impl Into<TriggerId>, kind: TriggerKind) -> Self {
        Self { id: id.into(), kind, ..Self::default() }
    }

    /// What kind it is, as one word.
    pub fn trigger_type(&self) -> TriggerType {
        match &self.kind {
            TriggerKind::Cron(_) => TriggerType::Cron,
            TriggerKind::Webhook(_) => TriggerType::Webhook,
            TriggerKind::Filesystem(_) => TriggerType::Filesystem,
            TriggerKind::Polling(_) => TriggerType::Polling,
            TriggerKind::Manual { .. } => TriggerType::Manual,
            TriggerKind::Event(_) => TriggerType::Event,
            TriggerKind::Inbox(_) => TriggerType::Inbox,
            TriggerKind::Plugin(_) => TriggerType::Plugin,
        }
    }

    /// As it stands in a definition.
    pub fn to_value(&self) -> Value {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.into_value()
    }

    pub(crate) fn read(object: &Object<'_>) -> Self {
        let id: String = object.peek("id").chars().take(id::LONGEST).collect();
        let owner = if id.is_empty() { Owner::Flow } else { Owner::Trigger(&id) };
        object.owned_by(owner, Self::read_fields)
    }

    fn read_fields(object: &Object<'_>) -> Self {
        let mut trigger = Self {
            id: object.required("id", id::read_name),
            disabled: object.or("disabled", false, |at| at.flag()),
            dedup_window_ms: object.optional("dedupWindowMs", |at| at.integer(0..=LONGEST)),
            kind: TriggerKind::default(),
        };
        let kind = object.required("type", |at| at.word());
        match TriggerType::known().contains(&object.peek("type")) {
            true => trigger.kind = read_kind(kind, object),
            // Without a known type nothing is said about fields that may well be right.
            false => object.know_all(),
        }
        trigger
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        into.put("id", &self.id);
        into.put("type", self.trigger_type());
        match &self.kind {
            TriggerKind::Cron(cron) => cron.write(into),
            TriggerKind::Webhook(webhook) => webhook.write(into),
            TriggerKind::Filesystem(filesystem) => filesystem.write(into),
            TriggerKind::Polling(polling) => polling.write(into),
            TriggerKind::Manual { input_schema } => into.some("inputSchema", input_schema),
            TriggerKind::Event(event) => event.write(into),
            TriggerKind::Inbox(inbox) => inbox.write(into),
            TriggerKind::Plugin(plugin) => plugin.write(into),
        }
        into.unless("disabled", &self.disabled, &false);
        into.some("dedupWindowMs", &self.dedup_window_ms);
    }
}

fn read_kind(kind: TriggerType, object: &Object<'_>) -> TriggerKind {
    match kind {
        TriggerType::Cron => TriggerKind::Cron(Cron::read(object)),
        TriggerType::Webhook => TriggerKind::Webhook(Webhook::read(object)),
        TriggerType::Filesystem => TriggerKind::Filesystem(Filesystem::read(object)),
        TriggerType::Polling => TriggerKind::Polling(Polling::read(object)),
        TriggerType::Manual => TriggerKind::Manual {
            input_schema: object.optional("inputSchema", |at| Value::Object(at.map())),
        },
        TriggerType::Event => TriggerKind::Event(Event::read(object)),
        TriggerType::Inbox => TriggerKind::Inbox(Inbox::read(object)),
        TriggerType::Plugin => TriggerKind::Plugin(PluginTrigger::read(object)),
    }
}
