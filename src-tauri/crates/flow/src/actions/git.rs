//! Repositories of this machine. Nothing that a repository says is run: no hook, filter or other
//! command of its own.

mod commit;
mod diff;
mod log;
mod status;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use devrig_core::{Context as _, Result};
use devrig_git::Access;
use serde_json::{Map, Value};

use crate::action::{Action, Actions, Context, Does};
use crate::permissions::Wanted;
use crate::place;

pub(super) fn add_all(actions: &mut Actions) -> Result<()> {
    let work = |action: Arc<dyn Action>| Does::Work(action);
    actions.add(status::ABOUT, work(Arc::new(status::Status)))?;
    actions.add(diff::ABOUT, work(Arc::new(diff::Diff)))?;
    actions.add(log::ABOUT, work(Arc::new(log::Log)))?;
    actions.add(commit::ABOUT, work(Arc::new(commit::Commit)))
}

/// A repository that may be read, and what it may borrow from.
fn to_read(path: &str, context: &Context<'_>) -> Result<(PathBuf, Access)> {
    let path = place::absolute(path).and_then(|path| place::resolve(&path)).context("path")?;
    context.permissions.read(&path)?;
    let access = Access { readable: context.permissions.readable(), ..Access::default() };
    Ok((path, access))
}

/// What a config that names a repository touches.
fn reads(config: &Map<String, Value>) -> Vec<Wanted> {
    Wanted::read(config, "path").into_iter().collect()
}

/// Runs what reads a repository beside everything else, and stops it when nobody waits for it.
async fn beside<T: Send + 'static>(
    read: impl FnOnce(&Arc<AtomicBool>) -> Result<T> + Send + 'static,
) -> Result<T> {
    let interrupt = Arc::new(AtomicBool::new(false));
    let _told = Told(interrupt.clone());
    let read = tokio::task::spawn_blocking(move || read(&interrupt)).await;
    read.map_err(|error| super::undone(error, "reading a repository"))?
}

struct Told(Arc<AtomicBool>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(all(test, unix))]
mod tests;
