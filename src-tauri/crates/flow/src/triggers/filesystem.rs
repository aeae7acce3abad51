//! Changes of files that start flows.

mod ears;
mod pending;
mod scope;
mod tree;
mod watched;

use std::sync::Arc;
use std::time::{Duration, Instant};

use devrig_core::{Error, Result, Timestamp};
use serde_json::json;
use tokio_util::sync::CancellationToken;

pub use self::scope::{check_path, check_pattern};
use self::tree::Seen;
use self::watched::Watched;
use super::task::{Health, fire};
use super::{Happened, Source};
use crate::definition::Filesystem;
use crate::permissions::Permissions;

/// How often it is looked for folders that are not there, and for permissions that were taken back.
const LOOK: Duration = Duration::from_secs(1);

/// Fires for what happens to files until `stop`.
pub(super) async fn watch(
    definition: Filesystem,
    source: Source,
    health: Health,
    stop: CancellationToken,
) {
    let watch = Watch { definition: Arc::new(definition), source, health, stop };
    // What cannot be watched now may be later: it is allowed, or the limit is raised.
    while let Err(error) = watch.run().await {
        watch.health.failed(error);
        if watch.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
            return;
        }
    }
}

struct Watch {
    definition: Arc<Filesystem>,
    source: Source,
    health: Health,
    stop: CancellationToken,
}

impl Watch {
    async fn run(&self) -> Result<()> {
        let (definition, permissions) = (self.definition.clone(), self.permissions().await?);
        let open = off_thread(move || Watched::open(definition, permissions)).await??;
        self.tell_missing(&open);
        self.follow(open).await
    }

    async fn follow(&self, mut watched: Watched) -> Result<()> {
        let heard = watched.heard();
        let mut look = Instant::now() + LOOK;
        loop {
            let until = watched.next_due().map_or(look, |due| due.min(look));
            let hints = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                hints = heard.hints() => hints?,
                () = tokio::time::sleep_until(until.into()) => Vec::new(),
            };
            let mut permissions = None;
            if Instant::now() >= look {
                permissions = Some(self.permissions().await?);
                look = Instant::now() + LOOK;
            }
            let looked = permissions.is_some();
            let (back, seen) = off_thread(move || {
                let seen = watched.work(hints, permissions);
                (watched, seen)
            })
            .await?;
            watched = back;
            for seen in seen? {
                self.tell(&seen).await;
            }
            if looked {
                self.tell_missing(&watched);
            }
        }
    }

    async fn permissions(&self) -> Result<Arc<Permissions>> {
        self.source.permissions().await
    }

    async fn tell(&self, seen: &Seen) {
        if !self.definition.events.contains(&seen.event) {
            return;
        }
        fire(&self.source, &self.health, &self.stop, || happened(seen)).await;
    }

    fn tell_missing(&self, watched: &Watched) {
        match watched.missing() {
            Some(place) => self.health.failed(
                Error::not_found(format!("{}, which the trigger watches,", place.display()))
                    .hint("It is watched as soon as it is there."),
            ),
            None => self.health.well(),
        }
    }
}

fn happened(seen: &Seen) -> Happened {
    let path = seen.path.to_string_lossy();
    let mut payload = json!({ "path": path, "event": seen.event });
    if let Some(from) = &seen.from {
        payload["from"] = json!(from.to_string_lossy());
    }
    if let Some(stamp) = &seen.stamp {
        let modified = stamp.modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let modified = modified.and_then(|since| i64::try_from(since.as_millis()).ok());
        payload["size"] = json!(stamp.size);
        payload["modified"] = json!(modified.map(Timestamp::from_ms));
    }
    let key = format!("{}:{path}", seen.event.as_str());
    Happened { payload, key: Some(key), ..Happened::default() }
}

/// Files may lie on a disk that is slow to answer.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::internal(format!("watching files: {error}")))
}
