//! Actions as flows do them: at once, and their output is waited for.

use std::sync::Arc;
use std::time::Duration;

use devrig_core::id::{AccountId, ItemId};
use devrig_core::protocol::ActionInput;
use devrig_core::{Code, Error, Result};
use devrig_inbox::{Item, plugin_item};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Plugins;
use super::actions::{applies, check_input, declared};
use crate::core::Plugin;
use crate::manifest::{Action, Effect};
use crate::outbox::{Deed, Fate};
use crate::seat::Seat;
use crate::text::shown;
use crate::worker::Purpose;

/// What names may leave out.
const PREFIX: &str = "devrig-plugin-";

/// An action that a flow wants done.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// By its whole name, or by what follows `devrig-plugin-`.
    pub plugin: String,
    pub action: String,
    /// The one account of the plugin when absent.
    pub account: Option<AccountId>,
    /// What it is done to.
    pub item: Option<ItemId>,
    /// What it is done to where it names nothing, and this belongs to the account.
    pub told_of: Option<ItemId>,
    pub input: Value,
    /// The same for every attempt of one effect.
    pub key: String,
    /// Automatic steps since a person or a source acted.
    pub depth: u8,
}

/// What a manifest says of an action.
#[derive(Debug, Clone)]
pub struct ActionAbout {
    /// The plugin's whole name.
    pub plugin: String,
    pub id: String,
    /// What people call it.
    pub name: String,
    pub description: String,
    /// Whether it changes something outside.
    pub writes: bool,
    /// Whether doing it twice does no harm.
    pub idempotent: bool,
    /// JSON Schema; without one it takes no input.
    pub input: Option<Value>,
    /// JSON Schema of what it gives, where it is told.
    pub output: Option<Value>,
}

/// A plugin as whoever names it needs to know it.
#[derive(Debug, Clone)]
pub struct PluginAbout {
    /// Its whole name.
    pub name: String,
    /// Why no worker of it may start.
    pub stopped: Option<Error>,
    /// The ids of its accounts, with what people call them.
    pub accounts: Vec<(AccountId, String)>,
    /// The ids of its conditions.
    pub conditions: Vec<String>,
}

impl Plugins {
    /// A plugin that is here, by its whole name or the short one.
    pub fn about(&self, name: &str) -> Option<PluginAbout> {
        let plugin = self.named(name)?;
        let seats = self.inner.core.seats_of(plugin.name());
        Some(PluginAbout {
            name: plugin.name().to_owned(),
            stopped: plugin.may_run().err(),
            accounts: seats.iter().map(|seat| (seat.id.clone(), seat.name())).collect(),
            conditions: plugin.manifest.conditions.iter().map(|one| one.id.clone()).collect(),
        })
    }

    /// What is declared of a plugin's action, if both are there.
    pub fn about_action(&self, plugin: &str, action: &str) -> Option<ActionAbout> {
        let plugin = self.named(plugin)?;
        plugin.manifest.action(action).map(|action| about(&plugin, action))
    }

    /// What all plugins can do, by plugin.
    pub fn all_actions(&self) -> Vec<ActionAbout> {
        let of = |plugin: &Arc<Plugin>| -> Vec<ActionAbout> {
            plugin.manifest.actions.iter().map(|action| about(plugin, action)).collect()
        };
        self.inner.core.plugins().iter().flat_map(of).collect()
    }

    /// Does an action at once, and gives its output.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` naming the field; `IN_DOUBT` when nobody knows whether it
    /// happened; what the plugin says, retryable where it surely had no effect.
    pub async fn perform(&self, wanted: Wanted, token: &CancellationToken) -> Result<Value> {
        let seat = self.chosen(&wanted.plugin, wanted.account.as_ref())?;
        seat.plugin.may_run()?;
        let action = declared(&seat, &wanted.action)?;
        check_input(action, &wanted.input)?;
        let item = self.item_for(&seat, action, &wanted).await?;
        let item = item.map(|item| plugin_item(&item));
        let input = ActionInput { input: wanted.input, item, idempotency_key: wanted.key };
        let idempotent = action.idempotent || action.effect != Effect::Write;
        let deed = Deed { action: &wanted.action, input, idempotent };
        let purpose = Purpose::Action { by_person: false, depth: wanted.depth };
        match deed.attempt(&seat, purpose, token).await {
            Fate::Sent { output, .. } => Ok(output),
            Fate::Failed(error) | Fate::Wait(error) => Err(error),
            Fate::Again { error, after, .. } => Err(not_before(error, after)),
            Fate::Unknown(error) => Err(in_doubt(&wanted.action, &error)),
        }
    }

    /// The account that is named, or the only one.
    pub(super) fn chosen(&self, name: &str, account: Option<&AccountId>) -> Result<Arc<Seat>> {
        let plugin = self.named(name).ok_or_else(|| {
            Error::not_found(format!("the plugin {}", shown(name, 100)))
                .hint("`devrig plugin list` shows those that are installed.")
        })?;
        let mut seats = self.inner.core.seats_of(plugin.name());
        if let Some(account) = account {
            seats.retain(|seat| seat.id == *account);
        }
        match (seats.pop(), seats.is_empty()) {
            (Some(seat), true) => Ok(seat),
            (Some(_), false) => {
                Err(Error::invalid(format!("the plugin {} has several accounts", shown(name, 100)))
                    .hint("Name one in accountId; `devrig plugin account list` shows them."))
            }
            (None, _) => Err(Error::not_found("the account of the plugin")
                .hint("`devrig plugin account list` shows those that there are.")),
        }
    }

    async fn item_for(
        &self,
        seat: &Seat,
        action: &Action,
        wanted: &Wanted,
    ) -> Result<Option<Item>> {
        let inbox = &self.inner.core.inbox;
        let Some(id) = &wanted.item else {
            let Some(id) = &wanted.told_of else { return Ok(None) };
            // It may be anybody's, and gone since.
            let found = inbox.get(id).await.ok();
            let fits = |item: &Item| {
                let summary = &item.summary;
                summary.account_id == seat.id && applies(seat, action, Some(&summary.kind)).is_ok()
            };
            return Ok(found.filter(fits));
        };
        let item = inbox.get(id).await?;
        if item.summary.account_id != seat.id {
            return Err(Error::new(Code::Refused, "the item belongs to another account"));
        }
        applies(seat, action, Some(&item.summary.kind))?;
        Ok(Some(item))
    }

    /// By its whole name, or by what follows `devrig-plugin-`.
    pub(super) fn named(&self, name: &str) -> Option<Arc<Plugin>> {
        let core = &self.inner.core;
        if name.starts_with(PREFIX) {
            return core.plugin(name).ok();
        }
        core.plugin(&format!("{PREFIX}{name}")).or_else(|_| core.plugin(name)).ok()
    }
}

fn about(plugin: &Plugin, action: &Action) -> ActionAbout {
    let writes = action.effect == Effect::Write;
    ActionAbout {
        plugin: plugin.name().to_owned(),
        id: action.id.clone(),
        name: shown(&action.name, 100),
        description: shown(&action.description, 500),
        writes,
        idempotent: action.idempotent || !writes,
        input: action.input_schema.clone(),
        output: action.output_schema.clone(),
    }
}

/// With how long whoever refused wants to be left alone.
fn not_before(error: Error, after: Option<Duration>) -> Error {
    let Some(after) = after.filter(|_| error.retry_after_ms().is_none()) else { return error };
    error.details(json!({ "retryAfterMs": after.as_secs_f64() * 1_000.0 }))
}

fn in_doubt(action: &str, error: &Error) -> Error {
    let what = format!("nobody knows whether {action} happened: {}", error.message);
    Error::new(Code::InDoubt, what).hint("Look where it should have happened, then decide.")
}
