//! Files of this machine. Paths begin at the root or, with `~/`, at the home folder, and what they
//! lead to is checked against what the flow is allowed.

mod copy;
mod delete;
mod form;
mod list;
mod read;
mod relocate;
mod transform;
mod write;

use std::path::PathBuf;

use devrig_core::{Context, Result};

use super::blocking::{Scene, add};
use crate::action::Actions;
use crate::place;

pub(super) fn add_all(actions: &mut Actions) -> Result<()> {
    add::<read::Read>(actions)?;
    add::<write::Write>(actions)?;
    add::<transform::Transform>(actions)?;
    add::<list::List>(actions)?;
    add::<delete::Delete>(actions)?;
    add::<relocate::Move>(actions)?;
    add::<copy::Copy>(actions)
}

/// A file that may be read.
fn to_read(path: &str, field: &str, scene: &Scene) -> Result<PathBuf> {
    let path = place::absolute(path).and_then(|path| place::resolve(&path)).context(field)?;
    scene.permissions.read(&path).map(|()| path)
}

/// A file that may be written.
fn to_write(path: &str, field: &str, scene: &Scene) -> Result<PathBuf> {
    let path = place::absolute(path).and_then(|path| place::resolve(&path)).context(field)?;
    scene.permissions.write(&path).map(|()| path)
}

/// What may be taken away: a link itself, not what it leads to.
fn to_remove(path: &str, field: &str, scene: &Scene) -> Result<PathBuf> {
    let path = place::absolute(path).and_then(|path| place::resolve_entry(&path)).context(field)?;
    scene.permissions.remove(&path).map(|()| path)
}

#[cfg(test)]
mod tests;
