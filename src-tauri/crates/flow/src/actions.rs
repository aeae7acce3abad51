//! The actions that ship with DevRig.
//!
//! Those that only compute are given plain JSON and touch nothing. All keep the same bounds, on
//! what comes in and on what goes out, and none panics whatever it is given.

mod blocking;
mod bounds;
pub mod code;
mod compute;
mod control;
mod crypto;
mod data;
mod date;
#[cfg(unix)]
mod file;
mod git;
pub mod http;
mod identity;
pub mod inbox;
mod input;
pub mod notify;
mod order;
pub(crate) mod plugin;
pub(crate) mod shell;
#[cfg(unix)]
mod sqlite;
mod text;

use devrig_core::Result;

use crate::action::Actions;

pub(crate) use blocking::undone;

/// All of them.
///
/// # Errors
/// `INTERNAL` when one describes itself wrongly.
pub fn builtin() -> Result<Actions> {
    let mut actions = Actions::default();
    control::add_all(&mut actions)?;
    #[cfg(unix)]
    file::add_all(&mut actions)?;
    git::add_all(&mut actions)?;
    shell::add_all(&mut actions)?;
    #[cfg(unix)]
    sqlite::add_all(&mut actions)?;
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

/// Whether working on a value may take so long that others would wait.
pub(crate) fn is_heavy(value: &serde_json::Value) -> bool {
    bounds::Room::of_small().take_value(value).is_err()
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
