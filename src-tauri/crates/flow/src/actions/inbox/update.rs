//! `inbox.update`.

use async_trait::async_trait;
use devrig_core::id::ItemId;
use devrig_core::{Error, Result, Timestamp};
use devrig_inbox::{Inbox, OperationDone, OperationKind, Priority, Target, when};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::action::{About, Action, Context, Effect};
use crate::actions::compute::unread;
use crate::actions::input::OneOrMany;

pub(super) const ABOUT: About = About {
    name: "inbox.update",
    title: "Change in the inbox",
    text: "Marks items of the inbox as done, read or starred, snoozes them, and sets labels and \
           priority: all that is given, at once, on the items with these ids or on all that match \
           a query. Each change stands in the history, from which it can be undone. Gives how many \
           items were changed and the ids of the first 200; those that were so already do not \
           count, and none is no failure.",
    effect: Effect::Write,
    idempotent: true,
    input: r#"{
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "items": {"type": ["array", "string"], "items": {"type": "string"}, "description": "The id of an item, or several."},
            "query": {"type": "string", "minLength": 1, "description": "In the words of the inbox's search, such as is:unread from:github."},
            "done": {"type": "boolean", "description": "Out of the inbox until there is news, or back in it."},
            "read": {"type": "boolean", "description": "Read or unread."},
            "starred": {"type": "boolean", "description": "With a star or without."},
            "muted": {"type": "boolean", "description": "The whole thread."},
            "snooze": {"type": ["string", "null"], "description": "Until when: 3h, tomorrow 9am, 2027-01-31, until new activity; null ends it."},
            "addLabels": {"type": ["array", "string"], "items": {"type": "string"}, "description": "One or several."},
            "removeLabels": {"type": ["array", "string"], "items": {"type": "string"}, "description": "One or several."},
            "priority": {"enum": ["low", "normal", "high", "urgent", null], "description": "Null gives it back to the source."}
        },
        "oneOf": [{"required": ["items"]}, {"required": ["query"]}]
    }"#,
    output: r#"{"type": "object", "required": ["changed", "items", "operations"],
        "properties": {"changed": {"type": "integer"},
            "items": {"type": "array", "items": {"type": "string"}},
            "operations": {"type": "array", "items": {"type": "string"}}}}"#,
    example: r#"{"query": "is:unread from:github reason:subscribed older:7d", "done": true}"#,
    typical_ms: 5,
    raw: &[],
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    items: Option<OneOrMany<String>>,
    query: Option<String>,
    done: Option<bool>,
    read: Option<bool>,
    starred: Option<bool>,
    muted: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    snooze: Option<Option<String>>,
    add_labels: Option<OneOrMany<String>>,
    remove_labels: Option<OneOrMany<String>>,
    #[serde(default, deserialize_with = "given")]
    priority: Option<Option<Priority>>,
}

/// Tells null from what is not there.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> std::result::Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

pub(super) struct Update {
    pub inbox: Inbox,
}

#[async_trait]
impl Action for Update {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let input: Input = serde_json::from_value(input).map_err(|error| unread(&error))?;
        let kinds = input.kinds(self.inbox.store().clock().now())?;
        let target = input.target()?;
        let done = self.inbox.operate_all(kinds, target, context.origin()).await?;
        Ok(told(&done))
    }
}

impl Input {
    fn target(self) -> Result<Target> {
        match (self.items, self.query) {
            (Some(items), None) => {
                Ok(Target::Ids(items.into_vec().into_iter().map(ItemId).collect()))
            }
            (None, Some(query)) => Ok(Target::Query(query)),
            _ => Err(Error::invalid("items or query says what is changed, one of them")
                .hint("Give the ids of items, or a query.")),
        }
    }

    fn kinds(&self, now: Timestamp) -> Result<Vec<OperationKind>> {
        let either = |flag: Option<bool>, yes: OperationKind, no: OperationKind| {
            flag.map(|flag| if flag { yes } else { no })
        };
        let labels = |labels: &Option<OneOrMany<String>>| {
            labels.clone().map(OneOrMany::into_vec).filter(|labels| !labels.is_empty())
        };
        let kinds = [
            either(self.read, OperationKind::Read, OperationKind::Unread),
            either(self.starred, OperationKind::Star, OperationKind::Unstar),
            either(self.muted, OperationKind::Mute, OperationKind::Unmute),
            labels(&self.add_labels).map(|labels| OperationKind::AddLabels { labels }),
            labels(&self.remove_labels).map(|labels| OperationKind::RemoveLabels { labels }),
            self.priority.map(|priority| OperationKind::SetPriority { priority }),
            self.snooze.as_ref().map(|until| snooze(until.as_deref(), now)).transpose()?,
            either(self.done, OperationKind::Done, OperationKind::NotDone),
        ];
        let kinds: Vec<OperationKind> = kinds.into_iter().flatten().collect();
        match kinds.is_empty() {
            true => Err(Error::invalid("nothing says what is to become of the items")
                .hint("Give done, read, starred, snooze, labels or priority.")),
            false => Ok(kinds),
        }
    }
}

fn snooze(until: Option<&str>, now: Timestamp) -> Result<OperationKind> {
    Ok(match until {
        None => OperationKind::Unsnooze,
        Some(text) => {
            let until = when::parse(text, now, &jiff::tz::TimeZone::system())?;
            OperationKind::Snooze { until }
        }
    })
}

/// Of several operations, the one that changed the most: they are on the same items.
fn told(done: &[OperationDone]) -> Value {
    let most = done.iter().max_by_key(|done| done.changed);
    let items: Vec<_> = most
        .map(|done| done.items.iter().map(|item| item.id.clone()).collect())
        .unwrap_or_default();
    let operations: Vec<_> = done.iter().filter_map(|done| done.operation_id.clone()).collect();
    json!({
        "changed": most.map_or(0, |done| done.changed),
        "items": items,
        "operations": operations,
    })
}
