//! Actions as the person starts them.

use std::sync::Arc;
use std::time::Duration;

use devrig_core::id::{AccountId, ItemId};
use devrig_core::{Code, Error, Result};
use devrig_inbox::{OutboxRequest, OutboxRow, Reverse, outbox};
use devrig_store::Tx;
use serde_json::Value;

use super::{Plugins, person};
use crate::manifest::{Action, Effect};
use crate::schema::Schema;
use crate::seat::Seat;
use crate::text::shown;

impl Plugins {
    /// Does something to an item, or without one, through the outbox: what changes something
    /// outside waits a moment, in which undo cancels it. An action without an item and without an
    /// account is taken to the one account that has it.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` naming the field of the input; `REFUSED` when it does not
    /// apply.
    pub async fn action(
        &self,
        item: Option<ItemId>,
        account: Option<AccountId>,
        action: &str,
        input: Value,
    ) -> Result<OutboxRow> {
        let core = &self.inner.core;
        let (seat, kind) = match &item {
            Some(id) => {
                let item = core.inbox.get(id).await?.summary;
                if account.is_some_and(|account| account != item.account_id) {
                    return Err(Error::new(Code::Refused, "the item belongs to another account"));
                }
                (core.seat(&item.account_id)?, Some(item.kind))
            }
            None => (self.seat_of(account, action)?, None),
        };
        seat.plugin.may_run()?;
        let declared = declared(&seat, action)?;
        applies(&seat, declared, kind.as_deref())?;
        check_input(declared, &input)?;
        let writes = declared.effect == Effect::Write;
        let request = OutboxRequest {
            item,
            account: seat.id.clone(),
            action: declared.id.clone(),
            label: shown(&declared.name, 100),
            input,
            idempotent: declared.idempotent || !writes,
            reverse: reverse(&seat, declared),
            hold: if writes { outbox::HOLD } else { Duration::ZERO },
        };
        let inbox = core.inbox.clone();
        core.store
            .write(async move |tx: &mut Tx| outbox::submit(&inbox, tx, &request, &person()).await)
            .await
    }

    fn seat_of(&self, account: Option<AccountId>, action: &str) -> Result<Arc<Seat>> {
        if let Some(account) = account {
            return self.inner.core.seat(&account);
        }
        let mut seats = self.inner.core.seats();
        seats.retain(|seat| seat.plugin.manifest.action(action).is_some());
        match (seats.pop(), seats.is_empty()) {
            (Some(seat), true) => Ok(seat),
            (Some(_), false) => {
                Err(Error::invalid("several accounts have this action").hint("Name the account."))
            }
            (None, _) => Err(no_action(action)),
        }
    }
}

fn no_action(action: &str) -> Error {
    Error::not_found(format!("the action {:?}", shown(action, 100)))
        .hint("`devrig plugin list --json` shows the actions of each plugin.")
}

pub(super) fn declared<'a>(seat: &'a Seat, action: &str) -> Result<&'a Action> {
    seat.plugin.manifest.action(action).ok_or_else(|| no_action(action))
}

fn reverse(seat: &Seat, action: &Action) -> Option<Reverse> {
    let reverse = seat.plugin.manifest.action(action.reverse.as_deref()?)?;
    let idempotent = reverse.idempotent || reverse.effect != Effect::Write;
    Some(Reverse { action: reverse.id.clone(), idempotent })
}

/// Items do not keep the source that they came through, so a source in the list admits every item
/// of its plugin.
pub(super) fn applies(seat: &Seat, action: &Action, kind: Option<&str>) -> Result<()> {
    let Some(kind) = kind else { return Ok(()) };
    let fits = |name: &String| name == kind || seat.plugin.manifest.data_source(name).is_some();
    if action.applies_to.is_empty() || action.applies_to.iter().any(fits) {
        return Ok(());
    }
    let message =
        format!("{:?} does not go with items of the type {kind}", shown(&action.name, 60));
    Err(Error::new(Code::Refused, message))
}

pub(super) fn check_input(action: &Action, input: &Value) -> Result<()> {
    check_against(action.input_schema.as_ref(), input, &action.id, "input")
}

/// Holds what a handler is given against its schema; without one it takes nothing.
pub(super) fn check_against(
    schema: Option<&Value>,
    given: &Value,
    id: &str,
    what: &str,
) -> Result<()> {
    let Some(schema) = schema else {
        let empty = given.is_null() || given.as_object().is_some_and(serde_json::Map::is_empty);
        return match empty {
            true => Ok(()),
            false => Err(Error::invalid(format!("{id} takes no {what}"))),
        };
    };
    match Schema::new(schema)?.check(given).first() {
        None => Ok(()),
        Some(wrong) => {
            let field = shown(wrong.field.trim_start_matches('/'), 60);
            Err(Error::invalid(format!("{what} {field} of {id}: {}", wrong.message))
                .details(serde_json::json!({ "field": wrong.field })))
        }
    }
}
