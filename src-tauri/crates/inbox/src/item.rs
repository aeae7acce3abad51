//! What an item is: the source's side, the person's side, and what a list row needs of both.

use crate::wake::Wake;
use devrig_core::Timestamp;
use devrig_core::id::{AccountId, ItemId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How much it matters; ordered from least to most.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    specta::Type,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
    Urgent,
}

/// An item as a plugin or a script hands it in. Field names are those of the SDK's
/// `InboxItemInput`; whatever breaks a limit is refused with the item and the field named.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ItemInput {
    /// Unique within its account, at most 512 characters.
    pub external_id: String,
    /// Such as `pull_request`; letters, digits, `_`, `-` and `.`.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    /// Markdown, at most 1 MiB.
    #[serde(default)]
    pub body: Option<String>,
    /// At most 280 characters; cut from the body when absent.
    #[serde(default)]
    pub preview: Option<String>,
    /// http or https only.
    #[serde(default)]
    pub source_url: Option<String>,
    /// Items with the same key in one account are one conversation.
    #[serde(default)]
    pub thread_key: Option<String>,
    #[serde(default)]
    pub actor: Option<String>,
    /// `owner/name` or a folder's name.
    #[serde(default)]
    pub repo: Option<String>,
    /// Why it came, such as `review_requested`.
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub labels: Vec<String>,
    #[serde(default)]
    pub priority: Option<Priority>,
    /// In the source: `open`, `merged`, `closed`…
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default)]
    pub is_actionable: Option<bool>,
    /// At most 64 KiB as JSON, 16 levels deep.
    #[serde(default)]
    pub metadata: Option<Value>,
    #[serde(default)]
    pub external_created_at: Option<Timestamp>,
    /// The source's own version of the item: a later one brings a done item back.
    #[serde(default)]
    pub external_updated_at: Option<Timestamp>,
}

/// The person's side, as it is shown.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Triage {
    pub read_at: Option<Timestamp>,
    pub done_at: Option<Timestamp>,
    /// A time, or `activity`, `merged`, `ended`.
    pub snoozed_until: Option<Wake>,
    pub starred_at: Option<Timestamp>,
    /// The whole thread stays out of the inbox.
    pub muted: bool,
    /// The person's own labels, beside the source's.
    pub labels: Vec<String>,
    /// Overrides the source's priority.
    pub priority: Option<Priority>,
}

/// What a list row shows. Small: no body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct ItemSummary {
    pub id: ItemId,
    pub account_id: AccountId,
    /// The plugin's name, such as `devrig-plugin-github`; `import` for pushed items, `flows` for
    /// those of flows.
    pub plugin: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub preview: String,
    pub source_url: Option<String>,
    pub thread_key: Option<String>,
    pub actor: Option<String>,
    pub repo: Option<String>,
    pub reason: Option<String>,
    /// The source's labels.
    pub labels: Vec<String>,
    /// What counts: the person's, else the source's.
    pub priority: Priority,
    pub state: Option<String>,
    pub is_actionable: bool,
    pub triage: Triage,
    /// Newest activity: what the list is ordered by.
    pub activity_at: Timestamp,
    /// Opaque place in the order; a keyset cursor.
    pub position: String,
    /// An outward action that has not been confirmed by the source: `waiting`, `sending`, `failed`.
    pub outbox: Option<String>,
}

/// All of one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    #[serde(flatten)]
    pub summary: ItemSummary,
    pub external_id: String,
    /// Markdown; empty when the source gave none.
    pub body: String,
    pub metadata: Value,
    pub source_created_at: Option<Timestamp>,
    pub source_updated_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Numbers for the sidebar.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct SourceCounts {
    pub account_id: String,
    pub unread: u32,
    pub inbox: u32,
}
