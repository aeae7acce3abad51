//! Whom flows ask: the inbox whether an item matches a query, plugins for conditions, and those
//! that have hooks around actions.

use std::sync::Arc;

use devrig_core::id::ItemId;
use devrig_core::{Code, Error, Result};
use devrig_expr::condition::Asked;
use devrig_expr::{Answers, Condition, Data, Path, Verdict, View};
use devrig_inbox::Inbox;
use serde_json::Value;

use crate::action::{Level, Log};
use crate::definition::Definition;
use crate::hooks::PluginHooks;
use crate::plugins::{PluginConditions, PluginQuestion};
use crate::run::{Access, StandIn};

/// Where the trigger tells which item it is about.
const ITEM: [&str; 2] = ["trigger.payload.itemId", "trigger.payload.item.id"];

/// A handle on them. Cheap to clone.
#[derive(Clone)]
pub struct Others {
    inbox: Inbox,
    plugins: Option<Arc<dyn PluginConditions>>,
    hooks: Option<Arc<dyn PluginHooks>>,
}

/// On whose behalf others are asked.
pub struct Asker<'a> {
    pub flow: &'a Definition,
    pub access: &'a Access,
    /// Where it is told that a plugin gave no answer.
    pub log: &'a dyn Log,
    /// Answers instead of plugins, in a walk that touches nothing.
    pub stand_in: Option<&'a StandIn>,
}

/// The log of what is decided before there is a run: DevRig's own.
pub struct NoRun<'a>(pub &'a Definition);

impl Log for NoRun<'_> {
    fn say(&self, _: Level, message: &str) {
        tracing::warn!(flow = self.0.id.as_str(), "{message}");
    }
}

impl Others {
    pub fn new(inbox: Inbox) -> Self {
        Self { inbox, plugins: None, hooks: None }
    }

    /// The same with plugins that answer.
    #[must_use]
    pub fn with_plugins(self, plugins: Arc<dyn PluginConditions>) -> Self {
        Self { plugins: Some(plugins), ..self }
    }

    /// The same with plugins that have hooks.
    #[must_use]
    pub fn with_hooks(self, hooks: Arc<dyn PluginHooks>) -> Self {
        Self { hooks: Some(hooks), ..self }
    }

    /// Whoever is asked before actions and told after them.
    pub fn hooks(&self) -> Option<&Arc<dyn PluginHooks>> {
        self.hooks.as_ref()
    }

    /// Whether a condition holds. What it asks is asked in its order, and no more than decides it.
    ///
    /// # Errors
    /// `INVALID_QUERY`; `INVALID_INPUT` where no item is meant; `REFUSED` for a plugin that the flow
    /// may not use, and as [`PluginConditions::ask`].
    pub async fn holds(
        &self,
        condition: &Condition,
        data: &Data<'_>,
        asker: &Asker<'_>,
    ) -> Result<bool> {
        let mut answers = Answers::default();
        loop {
            match condition.evaluate(data, &answers) {
                Verdict::True => return Ok(true),
                Verdict::False => return Ok(false),
                Verdict::Ask(question) => {
                    // Few conditions ask, and the others need no room for it.
                    let answer = Box::pin(self.answer(question.asked, data, asker)).await?;
                    answers.give(question.id, answer);
                }
            }
        }
    }

    async fn answer(&self, asked: Asked, data: &Data<'_>, asker: &Asker<'_>) -> Result<bool> {
        match asked {
            Asked::Query { query, item: Some(value) } => match id(&value) {
                Some(item) => self.matches(&query, item).await,
                // What is missing matches nothing.
                None => Ok(false),
            },
            Asked::Query { query, item: None } => match item_of(data) {
                Some(item) => self.matches(&query, item).await,
                None => Err(no_item(&query)),
            },
            Asked::Custom { plugin_id, account_id, function, args } => {
                let (plugin, account, condition) = (plugin_id, account_id, function);
                let flow = (asker.flow.id.to_string(), asker.flow.name.clone());
                self.ask(PluginQuestion { plugin, account, condition, args, flow }, asker).await
            }
        }
    }

    async fn ask(&self, question: PluginQuestion, asker: &Asker<'_>) -> Result<bool> {
        let PluginQuestion { plugin, condition, .. } = &question;
        if let Some(stand_in) = asker.stand_in {
            return stand_in.answer(plugin, condition).ok_or_else(|| unasked(plugin, condition));
        }
        asker.access.permissions().await?.plugin(plugin)?;
        let plugins = self.plugins.as_ref().ok_or_else(|| {
            Error::new(Code::Unsupported, "there are no plugins here")
                .hint("Compare values instead, or use a query.")
        })?;
        let name = format!("{condition} of {plugin}");
        let answer = plugins.ask(question).await.map_err(|error| error.context(&name))?;
        if let Some(wrong) = answer.wrong {
            let message = format!("the condition {name} counts as false: {wrong}");
            asker.log.say(Level::Warn, &message);
        }
        Ok(answer.holds)
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

fn unasked(plugin: &str, condition: &str) -> Error {
    let what = format!("the condition {condition} of {plugin} is not asked in a trial");
    Error::new(Code::Unsupported, what).hint("Give its answer in `conditions` of the test.")
}
