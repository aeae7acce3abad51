//! Whom conditions ask: the inbox whether an item matches a query, and plugins.

use devrig_core::id::ItemId;
use devrig_core::{Code, Error, Result};
use devrig_expr::condition::Asked;
use devrig_expr::{Answers, Condition, Data, Path, Verdict, View};
use devrig_inbox::Inbox;
use serde_json::Value;

/// Where the trigger tells which item it is about.
const ITEM: [&str; 2] = ["trigger.payload.itemId", "trigger.payload.item.id"];

/// A handle on them. Cheap to clone.
#[derive(Clone)]
pub struct Others {
    inbox: Inbox,
}

impl Others {
    pub fn new(inbox: Inbox) -> Self {
        Self { inbox }
    }

    /// Whether a condition holds. What it asks is asked in its order, and no more than decides it.
    ///
    /// # Errors
    /// `INVALID_QUERY`; `INVALID_INPUT` where no item is meant; `UNSUPPORTED` for what plugins
    /// would have to answer.
    pub async fn holds(&self, condition: &Condition, data: &Data<'_>) -> Result<bool> {
        let mut answers = Answers::default();
        loop {
            match condition.evaluate(data, &answers) {
                Verdict::True => return Ok(true),
                Verdict::False => return Ok(false),
                Verdict::Ask(question) => {
                    let answer = self.answer(&question.asked, data).await?;
                    answers.give(question.id, answer);
                }
            }
        }
    }

    async fn answer(&self, asked: &Asked, data: &Data<'_>) -> Result<bool> {
        match asked {
            Asked::Query { query, item: Some(value) } => match id(value) {
                Some(item) => self.matches(query, item).await,
                // What is missing matches nothing.
                None => Ok(false),
            },
            Asked::Query { query, item: None } => match item_of(data) {
                Some(item) => self.matches(query, item).await,
                None => Err(no_item(query)),
            },
            Asked::Custom { plugin_id, function, .. } => Err(unanswered(plugin_id, function)),
        }
    }

    async fn matches(&self, query: &str, item: ItemId) -> Result<bool> {
        Ok(!self.inbox.matching(query, &[item]).await?.is_empty())
    }
}

/// An item, or its id.
fn id(value: &Value) -> Option<ItemId> {
    let id = value.as_str().or_else(|| value.get("id")?.as_str())?;
    Some(ItemId(id.to_owned()))
}

/// The item that the trigger tells of.
pub(crate) fn item_of(data: &Data<'_>) -> Option<ItemId> {
    let text = |path: &&str| path.parse::<Path>().ok()?.get(data.view()).and_then(View::text);
    ITEM.iter().find_map(text).map(|id| ItemId(id.to_owned()))
}

fn no_item(query: &str) -> Error {
    Error::invalid(format!(
        "a condition asks whether an item matches {query:?}, and no item is meant"
    ))
    .hint("Name one with ref, such as the path of an item's id, or start the flow by an item.")
}

fn unanswered(plugin: &str, function: &str) -> Error {
    let what = format!("the condition {function} of {plugin} cannot be asked");
    Error::new(Code::Unsupported, what)
        .hint("Plugins answer no conditions yet: compare values, or use a query.")
}
