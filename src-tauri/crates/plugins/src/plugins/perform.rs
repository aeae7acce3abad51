//! Actions as flows do them: at once, and their output is waited for.

use std::sync::Arc;

use devrig_core::id::{AccountId, ItemId};
use devrig_core::protocol::ActionInput;
use devrig_core::{Code, Error, Result};
use devrig_inbox::plugin_item;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::Plugins;
use super::actions::{check_input, declared};
use crate::manifest::Effect;
use crate::outbox::{Deed, Fate};
use crate::seat::Seat;
use crate::worker::Purpose;

/// An action that a flow wants done.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub plugin: String,
    pub action: String,
    /// The one account of the plugin when absent.
    pub account: Option<AccountId>,
    /// What it is done to.
    pub item: Option<ItemId>,
    pub input: Value,
    /// The same for every attempt of one effect.
    pub key: String,
}

/// What a manifest says of an action.
#[derive(Debug, Clone)]
pub struct ActionAbout {
    /// Whether it changes something outside.
    pub writes: bool,
    /// Whether doing it twice does no harm.
    pub idempotent: bool,
    /// JSON Schema; without one it takes no input.
    pub input: Option<Value>,
}

impl Plugins {
    /// What is declared of a plugin's action, if both are there.
    pub fn about_action(&self, plugin: &str, action: &str) -> Option<ActionAbout> {
        let seat = self.inner.core.seats_of(plugin).into_iter().next()?;
        let found = seat.plugin.manifest.action(action)?;
        let writes = found.effect == Effect::Write;
        Some(ActionAbout {
            writes,
            idempotent: found.idempotent || !writes,
            input: found.input_schema.clone(),
        })
    }

    /// Does an action at once, and gives its output.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` naming the field; `IN_DOUBT` when nobody knows whether it
    /// happened; what the plugin says, retryable where it surely had no effect.
    pub async fn perform(&self, wanted: Wanted, token: &CancellationToken) -> Result<Value> {
        let seat = self.chosen(&wanted)?;
        seat.plugin.may_run()?;
        let action = declared(&seat, &wanted.action)?;
        check_input(action, &wanted.input)?;
        let item = match &wanted.item {
            Some(id) => Some(plugin_item(&self.inner.core.inbox.get(id).await?)),
            None => None,
        };
        let input = ActionInput { input: wanted.input, item, idempotency_key: wanted.key };
        let idempotent = action.idempotent || action.effect != Effect::Write;
        let deed = Deed { action: &wanted.action, input, idempotent };
        match deed.attempt(&seat, Purpose::Action { by_person: false }, token).await {
            Fate::Sent { output, .. } => Ok(output),
            Fate::Failed(error) => Err(Error { retryable: false, ..error }),
            Fate::Again { error, .. } | Fate::Wait(error) => Err(error),
            Fate::Unknown(error) => Err(in_doubt(&wanted.action, &error)),
        }
    }

    fn chosen(&self, wanted: &Wanted) -> Result<Arc<Seat>> {
        let mut seats = self.inner.core.seats_of(&wanted.plugin);
        if seats.is_empty() {
            return Err(Error::not_found(format!("the plugin {}", wanted.plugin))
                .hint("`devrig plugin list` shows those that are installed."));
        }
        if let Some(account) = &wanted.account {
            seats.retain(|seat| seat.id == *account);
        }
        match (seats.pop(), seats.is_empty()) {
            (Some(seat), true) => Ok(seat),
            (Some(_), false) => {
                Err(Error::invalid(format!("the plugin {} has several accounts", wanted.plugin))
                    .hint(
                        "Name one in the field `account`; `devrig plugin account list` shows them.",
                    ))
            }
            (None, _) => Err(Error::not_found("the account of the plugin")
                .hint("`devrig plugin account list` shows those that there are.")),
        }
    }
}

fn in_doubt(action: &str, error: &Error) -> Error {
    let what = format!("nobody knows whether {action} happened: {}", error.message);
    Error::new(Code::InDoubt, what).hint("Look where it should have happened, then decide.")
}
