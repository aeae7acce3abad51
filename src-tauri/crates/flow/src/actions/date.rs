//! Actions on times. Zones go by their names, calendars by their rules.

mod add;
mod diff;
mod format;
mod moment;
mod now;
mod parse;

use devrig_core::Result;

use super::compute;
use crate::action::Actions;

pub(super) fn add_all(actions: &mut Actions) -> Result<()> {
    compute::add::<parse::Parse>(actions)?;
    compute::add::<format::Format>(actions)?;
    compute::add::<add::Add>(actions)?;
    compute::add::<diff::Diff>(actions)?;
    compute::add::<now::Now>(actions)
}
