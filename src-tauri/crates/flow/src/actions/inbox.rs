//! Actions on the person's inbox.

mod create;
mod search;
mod update;

use std::sync::Arc;

use devrig_core::Result;
use devrig_inbox::Inbox;

use crate::action::{Actions, Does};

/// Adds them.
///
/// # Errors
/// `CONFLICT` when one of the names is taken.
pub fn add_all(actions: &mut Actions, inbox: &Inbox) -> Result<()> {
    let create = create::Create { inbox: inbox.clone() };
    actions.add(create::ABOUT, Does::Work(Arc::new(create)))?;
    let update = update::Update { inbox: inbox.clone() };
    actions.add(update::ABOUT, Does::Work(Arc::new(update)))?;
    let search = search::Search { inbox: inbox.clone() };
    actions.add(search::ABOUT, Does::Work(Arc::new(search)))
}
