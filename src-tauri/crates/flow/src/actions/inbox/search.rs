//! `inbox.search`.

use async_trait::async_trait;
use devrig_core::Result;
use devrig_inbox::{Inbox, ItemSummary, ListQuery};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::action::{About, Action, Context, Effect};
use crate::actions::bounds;
use crate::actions::compute::unread;

/// Fields that the list does not have: the item is read for them.
const WHOLE: [&str; 4] = ["body", "metadata", "externalId", "createdAt"];

pub(super) const ABOUT: About = About {
    name: "inbox.search",
    title: "Search the inbox",
    text: "Gives the items that match a query, newest activity first, with the fields that are \
           asked for, and whether there are `more`. An empty query is what is in the inbox.",
    effect: Effect::Read,
    idempotent: true,
    input: r#"{
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "query": {"type": "string", "default": "", "description": "In the words of the inbox's search, such as is:unread label:bug."},
            "limit": {"type": "integer", "minimum": 1, "maximum": 500, "default": 20, "description": "Items at most."},
            "fields": {"type": "array", "minItems": 1, "maxItems": 40, "description": "What is given of each; without it all but the body.",
                "items": {"enum": ["id", "accountId", "plugin", "type", "title", "preview", "sourceUrl",
                    "threadKey", "actor", "repo", "reason", "labels", "priority", "state", "isActionable",
                    "triage", "activityAt", "externalId", "createdAt", "body", "metadata"]}}
        }
    }"#,
    output: r#"{"type": "object", "required": ["items", "more"],
        "properties": {"items": {"type": "array", "items": {"type": "object"}},
            "more": {"type": "boolean"}}}"#,
    example: r#"{"query": "is:inbox is:unread", "limit": 50, "fields": ["id", "title", "sourceUrl"]}"#,
    typical_ms: 3,
    raw: &[],
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    #[serde(default)]
    query: String,
    #[serde(default = "usual")]
    limit: u32,
    fields: Option<Vec<String>>,
}

fn usual() -> u32 {
    20
}

pub(super) struct Search {
    pub inbox: Inbox,
}

#[async_trait]
impl Action for Search {
    async fn run(&self, input: Value, _: &Context<'_>) -> Result<Value> {
        let input: Input = serde_json::from_value(input).map_err(|error| unread(&error))?;
        let ask = ListQuery { query: input.query, limit: input.limit, ..ListQuery::default() };
        let page = self.inbox.list(&ask).await?;
        let fields = input.fields.as_deref();
        let mut items = Vec::with_capacity(page.items.len());
        let mut room = bounds::Room::for_output();
        for summary in &page.items {
            let item = self.fields(summary, fields).await?;
            room.take_value(&item)?;
            items.push(item);
        }
        Ok(json!({ "items": items, "more": page.next.is_some() }))
    }
}

impl Search {
    async fn fields(&self, summary: &ItemSummary, wanted: Option<&[String]>) -> Result<Value> {
        let whole = |fields: &[String]| fields.iter().any(|field| WHOLE.contains(&field.as_str()));
        let all = match wanted.is_some_and(whole) {
            true => serde_json::to_value(self.inbox.get(&summary.id).await?)?,
            false => serde_json::to_value(summary)?,
        };
        let Some(wanted) = wanted else { return Ok(without_own(all)) };
        let given: Map<String, Value> =
            wanted.iter().map(|field| (field.clone(), all[field.as_str()].clone())).collect();
        Ok(Value::Object(given))
    }
}

/// Without what only the list itself needs.
fn without_own(mut item: Value) -> Value {
    if let Some(fields) = item.as_object_mut() {
        fields.remove("position");
        fields.remove("outbox");
    }
    item
}
