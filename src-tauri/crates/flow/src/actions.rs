//! The actions that ship with DevRig.
//!
//! Those that only compute are given plain JSON and touch nothing. All keep the same bounds, on
//! what comes in and on what goes out, and none panics whatever it is given.

mod bounds;
mod compute;
mod control;
mod crypto;
mod data;
mod date;
mod identity;
mod input;
mod order;
mod text;

use devrig_core::Result;

use crate::action::Actions;

/// All of them.
///
/// # Errors
/// `INTERNAL` when one describes itself wrongly.
pub fn builtin() -> Result<Actions> {
    let mut actions = Actions::default();
    control::add_all(&mut actions)?;
    add_all(&mut actions)?;
    Ok(actions)
}

/// Adds every action that only computes.
///
/// # Errors
/// `CONFLICT` when one of the names is taken.
pub fn add_all(actions: &mut Actions) -> Result<()> {
    data::add_all(actions)?;
    text::add_all(actions)?;
    date::add_all(actions)?;
    crypto::add_all(actions)
}

#[cfg(test)]
mod tests;
