//! Repositories in granted folders, links resolved before anything is compared.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use devrig_core::error::Context;
use devrig_core::{Error, Result};
use devrig_git::FetchLimits;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::desktop::by_person;
use super::{Broker, Desk, read};
use crate::access::Verb;
use crate::permission;
use crate::text::shown;

const DEPTH: usize = 4;
const DEEPEST: usize = 8;
const MOST_REPOSITORIES: usize = 1_000;
/// Less than the action that waits for it may take.
const FETCH: FetchLimits = FetchLimits { timeout: Duration::from_secs(28) };

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Discover {
    folder: String,
    #[serde(default)]
    depth: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repository {
    repository: String,
    #[serde(default)]
    remote: Option<String>,
}

impl Broker {
    pub(super) async fn git_discover(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        let Discover { folder, depth } = read(params)?;
        let depth = depth.map_or(DEPTH, |depth| (depth as usize).min(DEEPEST));
        let folder = self.granted_folder(desk, Verb::Read, &folder).await?;
        let found = interruptible(move |interrupt| {
            devrig_git::discover(&folder, depth, MOST_REPOSITORIES, interrupt)
        })
        .await?;
        let repositories: Vec<&str> = found.iter().filter_map(|path| path.to_str()).collect();
        Ok(json!({ "repositories": repositories }))
    }

    pub(super) async fn git_state(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        let Repository { repository, .. } = read(params)?;
        let folder = self.granted_folder(desk, Verb::Read, &repository).await?;
        let access = self.git_access(desk, Verb::Read).await?;
        let state =
            interruptible(move |interrupt| devrig_git::state_with(&folder, &access, interrupt))
                .await?;
        Ok(serde_json::to_value(state)?)
    }

    pub(super) async fn git_fetch(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        let Repository { repository, remote } = read(params)?;
        let folder = self.granted_folder(desk, Verb::Fetch, &repository).await?;
        by_person(desk, "git fetch runs")?;
        let access = self.git_access(desk, Verb::Fetch).await?;
        // Cancelled when this future is dropped, with the worker.
        let cancel = CancellationToken::new();
        let _guard = cancel.clone().drop_guard();
        devrig_git::fetch(&folder, remote.as_deref(), &access, FETCH, &cancel).await?;
        Ok(Value::Null)
    }

    async fn git_access(&self, desk: &Desk, verb: Verb) -> Result<devrig_git::Access> {
        let granted = desk.access.folders(verb).map_err(|refused| self.refuse(desk, refused))?;
        let mut readable = Vec::new();
        for folder in granted {
            readable.extend(canonical(&folder).await.ok());
        }
        Ok(devrig_git::Access { readable, ..devrig_git::Access::default() })
    }

    /// The folder behind a path, when it lies in one that was granted.
    pub(super) async fn granted_folder(
        &self,
        desk: &Desk,
        verb: Verb,
        path: &str,
    ) -> Result<PathBuf> {
        let granted = desk.access.folders(verb).map_err(|refused| self.refuse(desk, refused))?;
        let wanted = permission::folder(path)
            .ok_or_else(|| Error::invalid(format!("{:?} is no absolute path", shown(path, 200))))?;
        // As it is written first: whether a path outside exists is nobody's business.
        let written = granted.iter().any(|folder| wanted.starts_with(folder));
        let mut real_grants = Vec::new();
        for folder in &granted {
            real_grants.extend(canonical(folder).await.ok());
        }
        let outside = || self.refuse(desk, desk.access.outside(verb, &wanted));
        if !written && !real_grants.iter().any(|folder| wanted.starts_with(folder)) {
            return Err(outside());
        }
        let real = canonical(&wanted).await?;
        if !real_grants.iter().any(|folder| real.starts_with(folder)) {
            return Err(outside());
        }
        Ok(real)
    }
}

pub(super) async fn canonical(path: &Path) -> Result<PathBuf> {
    tokio::fs::canonicalize(path).await.context(path.display())
}

/// Runs blocking work that ends early when nobody waits for it any more.
async fn interruptible<T: Send + 'static>(
    work: impl FnOnce(&Arc<AtomicBool>) -> Result<T> + Send + 'static,
) -> Result<T> {
    struct Interrupt(Arc<AtomicBool>);
    impl Drop for Interrupt {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let interrupt = Interrupt(Arc::default());
    let flag = Arc::clone(&interrupt.0);
    let done = tokio::task::spawn_blocking(move || work(&flag)).await;
    done.map_err(|error| Error::internal(format!("reading a repository: {error}")))?
}
