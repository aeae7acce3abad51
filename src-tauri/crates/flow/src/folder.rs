//! A folder whose files are flows: what is saved there becomes the newest version of its flow, and
//! what is changed here is written back.
//!
//! For each file the table keeps where both were the same last. What changed since then, the file
//! or the flow, says which way to go ([`decide`]). Versions are never changed, so that nothing is
//! lost whichever way that is: a file that was edited while its flow was changed here becomes the
//! newest version, and the other one stays before it.

mod decide;
mod disk;
mod pass;
mod reading;
mod scan;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use devrig_core::{Result, Timestamp};
use devrig_store::{ChangeRow, Store};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::Flows;
use crate::definition::{Definition, Problem};
use crate::table::file as table;
use disk::Texts;
use pass::Pass;
use watch::Watch;

/// How long a folder has to be quiet before its files are read: an editor's save is several
/// events.
const QUIET: Duration = Duration::from_millis(25);
/// A folder that is never quiet is read all the same.
const LATEST: Duration = Duration::from_millis(60);
/// How often a folder is looked at that cannot be watched, or is not there.
const AGAIN: Duration = Duration::from_secs(2);

/// What the folder needs from outside.
#[async_trait]
pub trait Judge: Send + Sync {
    /// Everything that is wrong with a definition, here and now.
    async fn check(&self, definition: &Definition) -> Result<Vec<Problem>>;

    /// The watched folder, if there is one, and whether a saved file goes live where the version
    /// before it was.
    async fn settings(&self) -> Result<Settings>;
}

/// What the person said of the folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    pub folder: Option<PathBuf>,
    pub publish: bool,
}

/// How a file stands to its flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub enum FileState {
    /// Both are the same.
    Same,
    /// The file is no flow that could run; the last good version stays.
    Broken,
    /// Both were changed. The file is the newest version, what was changed here the one before it.
    Conflict,
    /// The file was deleted. The flow goes on as it was.
    Gone,
    /// The flow was deleted here. The file is left alone until it is saved again.
    Forgotten,
}

/// A file of the watched folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct FlowFile {
    /// From the root on.
    pub path: String,
    /// The id of its flow, once it could be read.
    pub flow: Option<String>,
    pub state: FileState,
    /// What is wrong, or what became of it.
    pub told: Vec<FileProblem>,
    /// Since when.
    pub at: Timestamp,
}

/// One thing that a person should know of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct FileProblem {
    pub message: String,
    pub hint: String,
    /// Counted from 1, where the place is known.
    pub line: Option<u32>,
    pub column: Option<u32>,
}

impl FileProblem {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into(), line: None, column: None }
    }
}

/// Every file of the watched folder, by its path.
///
/// # Errors
/// What reading meets.
pub async fn files(store: &Store) -> Result<Vec<FlowFile>> {
    let mut conn = store.read().await?;
    let rows = table::list(&mut conn).await?;
    Ok(rows.into_iter().map(FlowFile::from).collect())
}

/// Keeps the files of the folder and their flows the same.
pub struct Folder {
    store: Store,
    flows: Flows,
    judge: Arc<dyn Judge>,
}

impl Folder {
    pub fn new(store: Store, flows: Flows, judge: Arc<dyn Judge>) -> Self {
        Self { store, flows, judge }
    }

    /// Follows the folder, the flows and the settings until stopped.
    pub async fn follow(&self, stop: CancellationToken) {
        let mut changes = self.store.changes();
        let mut watch = Watch::default();
        let mut settings = None;
        loop {
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = self.look(&mut watch, &mut settings) => looked,
            };
            if let Err(error) = &looked {
                tracing::warn!(%error, "the folder of flows could not be read");
            }
            let again = match (&looked, &settings) {
                (Ok(()), Some(Settings { folder: None, .. })) => Duration::MAX,
                (Ok(()), _) if watch.is_whole() => Duration::MAX,
                _ => AGAIN,
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(again) => {}
                () = watch.quiet(QUIET, LATEST) => {}
                () = concerns(&mut changes) => {}
            }
        }
    }

    /// One look at everything. What was broken is judged anew when the settings change, and when
    /// DevRig starts.
    async fn look(&self, watch: &mut Watch, before: &mut Option<Settings>) -> Result<()> {
        let settings = self.judge.settings().await?;
        let anew = before.as_ref() != Some(&settings);
        *before = Some(settings.clone());
        let Some(folder) = &settings.folder else {
            watch.stop();
            // Files of a folder that is watched no more are forgotten.
            return self.pass(&settings, BTreeMap::new()).run(anew).await;
        };
        // Watched first: what is saved while the folder is read is an event.
        let found = scan::scan(folder, |below| watch.on(below)).await?;
        watch.keep(&found.folders);
        self.pass(&settings, disk::read_all(found.files).await?).run(anew).await
    }

    fn pass<'a>(
        &'a self,
        settings: &'a Settings,
        present: BTreeMap<String, Result<Texts>>,
    ) -> Pass<'a> {
        let now = self.store.clock().now();
        Pass { store: &self.store, flows: &self.flows, judge: &*self.judge, settings, present, now }
    }
}

/// Returns when a flow or a setting changed.
async fn concerns(changes: &mut tokio::sync::broadcast::Receiver<Arc<[ChangeRow]>>) {
    loop {
        match changes.recv().await {
            Ok(rows) if rows.iter().any(|row| matches!(&*row.table, "flow" | "setting")) => return,
            Ok(_) => {}
            // What was missed may have been one of them.
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
