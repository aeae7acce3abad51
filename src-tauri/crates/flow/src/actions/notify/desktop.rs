//! `notify.desktop`.

use std::sync::Arc;

use async_trait::async_trait;
use devrig_core::id::ItemId;
use devrig_core::notify::{Notice, Notifier, Urgency};
use devrig_core::{Error, Result};
use devrig_net::Url;
use serde::Deserialize;
use serde_json::Value;

use crate::action::{About, Action, Context, Effect};
use crate::actions::compute::unread;

/// In characters. More is cut by the desktop anyway.
const LONGEST_TITLE: usize = 100;
const LONGEST_TEXT: usize = 1_000;

pub(super) const ABOUT: About = About {
    name: "notify.desktop",
    title: "Notification",
    text: "Shows a notification on the desktop, by the person's settings: none where they are off, \
           later in quiet hours, gathered where there are many. The node does not wait for that. \
           A click opens `url` or the item `itemId`, else the window. Of those with the same \
           `group` that come together, the newest is shown, with how many they were.",
    effect: Effect::Write,
    idempotent: true,
    input: r#"{
        "type": "object",
        "additionalProperties": false,
        "required": ["title"],
        "properties": {
            "title": {"type": "string", "minLength": 1, "description": "Is cut after 100 characters."},
            "text": {"type": ["string", "null"], "description": "Is cut after 1,000 characters."},
            "urgency": {"enum": ["low", "normal", "critical"], "default": "normal",
                "description": "What is critical stays until it is clicked; quiet hours hold for it too."},
            "group": {"type": ["string", "null"], "maxLength": 200, "description": "What is shown as one."},
            "url": {"type": ["string", "null"], "description": "The page that a click opens."},
            "itemId": {"type": ["string", "null"], "description": "The item of the inbox that a click opens."},
            "sound": {"type": ["string", "null"], "maxLength": 100, "description": "A sound's name in the desktop's theme, such as message-new-instant."}
        }
    }"#,
    output: r#"{"type": "null"}"#,
    example: r#"{"title": "The build failed", "text": "{{trigger.payload.branch}}", "group": "builds"}"#,
    typical_ms: 1,
    raw: &[],
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    title: String,
    text: Option<String>,
    #[serde(default)]
    urgency: Urgency,
    group: Option<String>,
    url: Option<String>,
    item_id: Option<String>,
    sound: Option<String>,
}

/// Hands notices to whoever shows them.
pub(super) struct Show {
    pub notifier: Arc<dyn Notifier>,
}

#[async_trait]
impl Action for Show {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let input: Input = serde_json::from_value(input).map_err(|error| unread(&error))?;
        self.notifier.notify(input.notice(context.flow)?);
        Ok(Value::Null)
    }
}

impl Input {
    /// Groups of different flows are different.
    fn notice(self, flow: &str) -> Result<Notice> {
        Ok(Notice {
            title: plain(&self.title, LONGEST_TITLE),
            body: plain(&self.text.unwrap_or_default(), LONGEST_TEXT),
            item: self.item_id.map(ItemId),
            urgency: self.urgency,
            group: self.group.map(|group| format!("{flow}/{group}")),
            page: self.url.map(page).transpose()?,
            sound: self.sound,
        })
    }
}

fn page(url: String) -> Result<String> {
    match Url::parse(&url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(url),
        _ => Err(Error::invalid("url is no http or https address")
            .hint("Other addresses could start programs.")),
    }
}

/// Without what a daemon may take for something else than text.
fn plain(text: &str, most: usize) -> String {
    let shown = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    text.trim().chars().take(most).map(shown).collect()
}
