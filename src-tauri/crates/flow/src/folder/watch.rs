//! Tells when something happens in folders. Each folder is watched by itself, so that those that
//! tools fill are never watched.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// Folders that are watched, while this is kept.
#[derive(Default)]
pub(super) struct Watch {
    on: Option<On>,
    /// Some could not be watched, as where the system's limit is reached.
    failed: bool,
}

struct On {
    watcher: RecommendedWatcher,
    events: mpsc::Receiver<()>,
    folders: HashSet<PathBuf>,
}

impl Watch {
    /// Watches a folder, too.
    pub fn on(&mut self, folder: &Path) {
        if self.on.is_none() {
            self.on = On::new()
                .inspect_err(|error| tracing::warn!(%error, "folders cannot be watched"))
                .ok();
            self.failed = self.on.is_none();
        }
        let Some(on) = &mut self.on else { return };
        if on.folders.contains(folder) {
            return;
        }
        match on.watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                on.folders.insert(folder.to_owned());
            }
            Err(error) => {
                if !self.failed {
                    let folder = folder.display();
                    tracing::warn!(%folder, %error, "a folder cannot be watched, and is looked at now and then");
                }
                self.failed = true;
            }
        }
    }

    /// Lets go of all folders but these.
    pub fn keep(&mut self, folders: &[PathBuf]) {
        let Some(on) = &mut self.on else { return };
        let wanted: HashSet<&PathBuf> = folders.iter().collect();
        let gone: Vec<PathBuf> =
            on.folders.iter().filter(|folder| !wanted.contains(folder)).cloned().collect();
        for folder in gone {
            // One that was deleted is not watched any more.
            let _ = on.watcher.unwatch(&folder);
            on.folders.remove(&folder);
        }
    }

    pub fn stop(&mut self) {
        *self = Self::default();
    }

    /// Whether everything that happens is told.
    pub fn is_whole(&self) -> bool {
        self.on.is_some() && !self.failed
    }

    /// Returns when something happened and nothing more did for a while, or at the latest.
    pub async fn quiet(&mut self, quiet: Duration, latest: Duration) {
        let Some(on) = &mut self.on else { return std::future::pending().await };
        if on.events.recv().await.is_none() {
            return std::future::pending().await;
        }
        let end = tokio::time::Instant::now() + latest;
        let more = async {
            while let Ok(Some(())) = tokio::time::timeout(quiet, on.events.recv()).await {}
        };
        // At the end it is time, quiet or not.
        let _ = tokio::time::timeout_at(end, more).await;
    }
}

impl On {
    fn new() -> notify::Result<Self> {
        // One that waits stands for all that follow it.
        let (sender, events) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let matters = event.map_or(true, |event| !matches!(event.kind, EventKind::Access(_)));
            if matters {
                let _ = sender.try_send(());
            }
        })?;
        Ok(Self { watcher, events, folders: HashSet::new() })
    }
}
