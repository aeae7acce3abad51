//! Actions that call the person.

mod desktop;
mod player;
mod sound;

use std::sync::Arc;

use devrig_core::Result;
use devrig_core::notify::Notifier;

use crate::action::{Actions, Does};

pub use player::Player;

/// Adds them.
///
/// # Errors
/// `CONFLICT` when one of the names is taken.
pub fn add_all(actions: &mut Actions, notifier: Arc<dyn Notifier>, player: Player) -> Result<()> {
    actions.add(desktop::ABOUT, Does::Work(Arc::new(desktop::Show { notifier })))?;
    actions.add(sound::ABOUT, Does::Work(Arc::new(sound::Play { player })))
}
