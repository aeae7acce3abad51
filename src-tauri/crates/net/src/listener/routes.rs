//! The routes by their path.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use devrig_core::{Code, Error, Result};

use super::path;
use super::route::Entry;

type Table = HashMap<Arc<str>, Arc<Entry>>;

/// Read at every request, written when a route comes or goes.
#[derive(Default)]
pub(super) struct Routes(RwLock<Table>);

impl Routes {
    /// The route of a path in any spelling: its own, or the one of everything below its first name.
    pub(super) fn find(&self, path: &str) -> Option<Arc<Entry>> {
        let path = path::normalised(path);
        let routes = self.read();
        routes.get(path.as_ref()).or_else(|| routes.get(path::all_beside(&path)?.as_str())).cloned()
    }

    /// An error that says whose the path is, unless it is free.
    pub(super) fn vacant(&self, entry: &Entry) -> Result<()> {
        let Some(holder) = self.read().get(&entry.path).cloned() else {
            return Ok(());
        };
        let text = format!("the path {} belongs to {} already", entry.path, holder.owner);
        Err(Error::new(Code::Conflict, text).hint("Choose another path, or remove the other one."))
    }

    pub(super) fn insert(&self, entry: Arc<Entry>) {
        self.write().insert(Arc::clone(&entry.path), entry);
    }

    pub(super) fn remove(&self, entry: &Entry) {
        self.write().remove(&entry.path);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    /// In the order of their paths.
    pub(super) fn all(&self) -> Vec<Arc<Entry>> {
        let mut entries: Vec<_> = self.read().values().cloned().collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
