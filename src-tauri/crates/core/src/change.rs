//! Change rows: every change of an item, run, operation or setting leaves one, in the same
//! transaction. They feed the window's events and the durable subscribers (DESIGN §4).

use serde::{Deserialize, Serialize};

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    Person,
    Rule,
    Flow,
    Ai,
    Plugin,
    /// The source itself, through a sync.
    Source,
    /// Another device of the same person.
    Device,
    /// DevRig's own upkeep, such as a snooze that ended.
    System,
}

impl Actor {
    pub fn as_str(self) -> &'static str {
        match self {
            Actor::Person => "person",
            Actor::Rule => "rule",
            Actor::Flow => "flow",
            Actor::Ai => "ai",
            Actor::Plugin => "plugin",
            Actor::Source => "source",
            Actor::Device => "device",
            Actor::System => "system",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [
            Actor::Person,
            Actor::Rule,
            Actor::Flow,
            Actor::Ai,
            Actor::Plugin,
            Actor::Source,
            Actor::Device,
            Actor::System,
        ]
        .into_iter()
        .find(|actor| actor.as_str() == text)
    }
}

/// Why a change happens. `cause` names the operation, run or sync it came from; `depth` counts the
/// automatic steps since a person or a source acted, so that rules and flows cannot chase each
/// other for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub actor: Actor,
    pub cause: Option<String>,
    pub depth: u8,
}

impl Origin {
    /// Automatic changes deeper than this are refused with a message.
    pub const MAX_DEPTH: u8 = 8;

    pub fn new(actor: Actor) -> Self {
        Self { actor, cause: None, depth: 0 }
    }

    pub fn person() -> Self {
        Self::new(Actor::Person)
    }

    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    Created,
    Updated,
    Deleted,
}

impl ChangeKind {
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Created => "created",
            ChangeKind::Updated => "updated",
            ChangeKind::Deleted => "deleted",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [ChangeKind::Created, ChangeKind::Updated, ChangeKind::Deleted]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// One row of the change feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The table's name: `item`, `operation`, `setting`, `account`, `plugin`, `sync_state`, `job`, `flow`, `run`…
    pub table: &'static str,
    pub id: String,
    pub kind: ChangeKind,
    pub origin: Origin,
}

impl Change {
    pub fn new(
        table: &'static str,
        id: impl Into<String>,
        kind: ChangeKind,
        origin: &Origin,
    ) -> Self {
        Self { table, id: id.into(), kind, origin: origin.clone() }
    }
}

/// What a read depends on and a write makes stale; the window's refresh follows from these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    Items,
    Counts,
    Operations,
    Outbox,
    Plugins,
    Accounts,
    Sync,
    Secrets,
    Jobs,
    Settings,
    Rules,
    Flows,
    Runs,
    Logs,
    Health,
}
