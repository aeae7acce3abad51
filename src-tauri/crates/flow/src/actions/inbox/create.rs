//! `inbox.create`.

use async_trait::async_trait;
use devrig_core::id::AccountId;
use devrig_core::{Result, Timestamp};
use devrig_inbox::{Inbox, ItemInput, Priority};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::action::{About, Action, Context, Effect};
use crate::actions::compute::unread;
use crate::actions::input::OneOrMany;

/// The account that items of flows belong to, and the name that stands where a plugin's would.
const FLOWS: &str = "flows";
/// What the inbox takes, in characters.
const LONGEST_ID: usize = 512;

pub(super) const ABOUT: About = About {
    name: "inbox.create",
    title: "Put into the inbox",
    text: "Makes an item in the inbox, under the source `flows`. The item is told apart by its \
           `externalId`: without one each node of each run makes one item, however often it is \
           tried. Who gives one that is there already changes that item, whichever flow made it; \
           with a later `updatedAt` it comes back to the inbox as unread.",
    effect: Effect::Write,
    idempotent: true,
    input: r#"{
        "type": "object",
        "additionalProperties": false,
        "required": ["title"],
        "properties": {
            "title": {"type": "string", "minLength": 1, "maxLength": 4096, "description": "One line."},
            "body": {"type": ["string", "null"], "description": "Markdown, at most 1 MiB."},
            "type": {"type": "string", "default": "note", "description": "Such as note, build or pull_request."},
            "externalId": {"type": ["string", "integer", "null"], "description": "What it is known by, the same at every change."},
            "url": {"type": ["string", "null"], "description": "The page that opening it shows."},
            "repo": {"type": ["string", "null"], "description": "owner/name, or a folder's name."},
            "actor": {"type": ["string", "null"], "description": "Who did what it tells."},
            "reason": {"type": ["string", "null"], "description": "Why it is there, such as review_requested."},
            "threadKey": {"type": ["string", "null"], "description": "Items with the same key are one conversation."},
            "labels": {"type": ["array", "string"], "items": {"type": "string"}, "description": "One or several."},
            "priority": {"enum": ["low", "normal", "high", "urgent", null], "description": "Normal where absent."},
            "state": {"type": ["string", "null"], "description": "Such as open or closed."},
            "actionable": {"type": ["boolean", "null"], "description": "Whether somebody has to do something."},
            "updatedAt": {"type": ["string", "null"], "description": "A time; a later one than before is news."},
            "metadata": {"type": ["object", "null"], "description": "Anything, at most 64 KiB."}
        }
    }"#,
    output: r#"{"type": "object", "required": ["id", "externalId", "created", "updated"],
        "properties": {"id": {"type": "string"}, "externalId": {"type": "string"},
            "created": {"type": "boolean"}, "updated": {"type": "boolean"}}}"#,
    example: r#"{
        "title": "The build of {{trigger.payload.branch}} failed",
        "url": "{{trigger.payload.url}}",
        "externalId": "build-{{trigger.payload.branch}}",
        "priority": "high"
    }"#,
    typical_ms: 2,
    raw: &[],
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    title: String,
    body: Option<String>,
    #[serde(default = "note", rename = "type")]
    kind: String,
    external_id: Option<ExternalId>,
    url: Option<String>,
    repo: Option<String>,
    actor: Option<String>,
    reason: Option<String>,
    thread_key: Option<String>,
    #[serde(default)]
    labels: OneOrMany<String>,
    priority: Option<Priority>,
    state: Option<String>,
    actionable: Option<bool>,
    updated_at: Option<Timestamp>,
    metadata: Option<Value>,
}

/// Numbers are known by as they are written.
#[derive(Deserialize)]
#[serde(untagged)]
enum ExternalId {
    Text(String),
    Number(i64),
}

fn note() -> String {
    "note".to_owned()
}

pub(super) struct Create {
    pub inbox: Inbox,
}

#[async_trait]
impl Action for Create {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let input: Input = serde_json::from_value(input).map_err(|error| unread(&error))?;
        let item = input.item(context.key);
        let external_id = item.external_id.clone();
        let account = AccountId::from(FLOWS);
        let stored = self.inbox.store_items(&account, FLOWS, vec![item], &context.origin()).await?;
        Ok(json!({
            "id": stored.ids.first(),
            "externalId": external_id,
            "created": stored.created > 0,
            "updated": stored.updated > 0,
        }))
    }
}

impl Input {
    fn item(self, key: &str) -> ItemInput {
        let external_id = match self.external_id {
            Some(ExternalId::Text(text)) => text,
            Some(ExternalId::Number(number)) => number.to_string(),
            None => short(key),
        };
        ItemInput {
            external_id,
            kind: self.kind,
            title: self.title,
            body: self.body,
            source_url: self.url,
            thread_key: self.thread_key,
            actor: self.actor,
            repo: self.repo,
            reason: self.reason,
            labels: self.labels.into_vec(),
            priority: self.priority,
            state: self.state,
            is_actionable: self.actionable,
            metadata: self.metadata,
            external_updated_at: self.updated_at,
            ..ItemInput::default()
        }
    }
}

/// Loops in loops have long keys.
fn short(key: &str) -> String {
    match key.chars().count() <= LONGEST_ID {
        true => key.to_owned(),
        false => Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
