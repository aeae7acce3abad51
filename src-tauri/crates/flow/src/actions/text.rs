//! Actions on texts that templates have no helper for.

mod extract;
mod pattern;
mod replace;

use devrig_core::Result;

use super::compute::add;
use crate::action::Actions;

pub(super) fn add_all(actions: &mut Actions) -> Result<()> {
    add::<extract::Extract>(actions)?;
    add::<replace::Replace>(actions)
}
