//! The handle that the rest of DevRig holds: plugins, accounts, grants, syncs and actions.

mod accounts;
mod actions;
mod conditions;
mod hooks;
mod perform;
mod registry;
mod syncs;
mod triggers;

pub use conditions::{ConditionAbout, Question, Said};
pub use hooks::{HookAnswers, HookSilence};
pub use perform::{ActionAbout, PluginAbout, Wanted};
pub(crate) use triggers::check_event;
pub use triggers::{Poll, Polled, TriggerAbout, TriggerFired, TriggerSink};

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use devrig_core::id::AccountId;
use devrig_core::notify::Notifier;
use devrig_core::protocol::SandboxReport;
use devrig_core::{Actor, Error, Origin, Result, SharedClock};
use devrig_inbox::Inbox;
use devrig_jobs::{Handlers, Jobs};
use devrig_net::Egress;
use devrig_secrets::{KeychainState, Vault};
use devrig_store::{Store, Tx};
use tokio::sync::broadcast;

use crate::core::{Core, CoreParts, PluginEvent};
use crate::info::{LogLine, Problem};
use crate::opener::Opener;
use crate::outbox::Send;
use crate::sync::Sync;
use crate::table::{log, sync as sync_table};

/// Syncs at a time.
const SYNCS: usize = 3;
/// Actions at a time; those of one account go one after the other.
const ACTIONS: usize = 4;
/// What the workers get to stop by themselves.
const STOPPING: Duration = Duration::from_secs(4);

/// What the plugins are built from.
pub struct PluginsParts {
    pub store: Store,
    pub inbox: Inbox,
    pub jobs: Jobs,
    pub vault: Vault,
    pub egress: Arc<Egress>,
    pub clock: SharedClock,
    pub notifier: Arc<dyn Notifier>,
    pub opener: Arc<dyn Opener>,
    /// The sandbox worker's binary.
    pub host_program: PathBuf,
    /// Folders whose sub-folders are the plugins that ship with DevRig.
    pub bundled: Vec<PathBuf>,
    /// Where installed plugins are kept: `$DEVRIG_HOME/plugins`.
    pub home_plugins: PathBuf,
    /// DevRig's own version, for the plugins' engine ranges.
    pub version: String,
}

/// All plugins of this DevRig. Cheap to clone; [`Plugins::shutdown`] ends it for all clones.
#[derive(Clone)]
pub struct Plugins {
    inner: Arc<Inner>,
}

struct Inner {
    core: Arc<Core>,
    bundled: Vec<PathBuf>,
    home: PathBuf,
    version: String,
    /// One install, removal or change of accounts at a time.
    changing: tokio::sync::Mutex<()>,
}

impl Plugins {
    /// Finds the plugins and starts the sync timer. Workers start when there is something to do;
    /// nothing is synced before [`Plugins::job_handlers`] are at work.
    ///
    /// # Errors
    /// What the database meets. A plugin that cannot be read is left out, not an error.
    pub async fn start(parts: PluginsParts) -> Result<Self> {
        let core = Core::new(CoreParts {
            store: parts.store,
            inbox: parts.inbox,
            jobs: parts.jobs,
            vault: parts.vault,
            egress: parts.egress,
            clock: parts.clock,
            notifier: parts.notifier,
            opener: parts.opener,
            host_program: parts.host_program,
        });
        let plugins = Self {
            inner: Arc::new(Inner {
                core,
                bundled: parts.bundled,
                home: parts.home_plugins,
                version: parts.version,
                changing: tokio::sync::Mutex::default(),
            }),
        };
        plugins.discover().await?;
        // What was missing may have been given while DevRig was not running.
        plugins.clear_waits(None).await?;
        let inbox = plugins.inner.core.inbox.clone();
        let resume = async move |tx: &mut Tx| devrig_inbox::outbox::resume(&inbox, tx).await;
        plugins.inner.core.store.write(resume).await?;
        let core = &plugins.inner.core;
        core.tasks.spawn(crate::sync::run_timer(Arc::clone(core)));
        plugins.watch_keychain();
        Ok(plugins)
    }

    /// Who runs the jobs `plugin.sync` and `outbox.send`.
    pub fn job_handlers(&self) -> Handlers {
        let core = &self.inner.core;
        Handlers::new().on(crate::sync::JOB, SYNCS, Sync(Arc::clone(core))).on(
            devrig_inbox::outbox::JOB,
            ACTIONS,
            Send(Arc::clone(core)),
        )
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<PluginEvent> {
        self.inner.core.events.subscribe()
    }

    /// Every problem of the package in a folder; installs and runs nothing.
    pub async fn check(&self, folder: &std::path::Path) -> Result<Vec<Problem>> {
        let (folder, version) = (folder.to_owned(), self.inner.version.clone());
        blocking(move || Ok(crate::check::check(&folder, &version).problems)).await
    }

    /// The newest lines of a plugin's log, newest first.
    pub async fn logs(
        &self,
        plugin: &str,
        account: Option<AccountId>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<LogLine>> {
        let reader = self.inner.core.store.reader();
        log::list(reader, plugin, account.as_ref(), before, limit.min(1_000)).await
    }

    /// Which layers of the sandbox hold on this system.
    pub async fn probe_sandbox(&self) -> Result<SandboxReport> {
        crate::worker::probe(&self.inner.core.host_program).await
    }

    /// Tries again what waited for something that only the person can give.
    pub async fn recheck(&self) {
        if let Err(error) = self.clear_waits(None).await {
            tracing::warn!(%error, "waiting syncs could not be made due");
        }
    }

    /// Stops every worker and timer; takes some seconds at most.
    pub async fn shutdown(&self) {
        let core = &self.inner.core;
        core.over.cancel();
        // It holds what holds this.
        core.sink.send_replace(None);
        core.tasks.close();
        if tokio::time::timeout(STOPPING, core.tasks.wait()).await.is_err() {
            tracing::warn!("some plugins did not stop in time and were killed");
        }
        for seat in core.seats() {
            core.remove_seat(&seat.id);
        }
    }

    async fn clear_waits(&self, account: Option<&AccountId>) -> Result<()> {
        for seat in self.inner.core.seats() {
            match account {
                None => seat.gave(),
                Some(id) if *id == seat.id => seat.gave_here(),
                Some(_) => {}
            }
        }
        let (account, inbox) = (account.cloned(), self.inner.core.inbox.clone());
        self.inner
            .core
            .store
            .write(async move |tx: &mut Tx| {
                sync_table::recheck(tx, account.as_ref()).await?;
                devrig_inbox::outbox::hasten(&inbox, tx, account.as_ref()).await
            })
            .await?;
        self.inner.core.wake.notify_one();
        Ok(())
    }

    /// Syncs that wait for the keychain go on when it is there.
    fn watch_keychain(&self) {
        let mut statuses = self.inner.core.vault.watch();
        let (weak, over) = (Arc::downgrade(&self.inner), self.inner.core.over.clone());
        self.inner.core.tasks.spawn(async move {
            let mut ready = statuses.borrow_and_update().state == KeychainState::Ready;
            loop {
                tokio::select! {
                    () = over.cancelled() => return,
                    changed = statuses.changed() => if changed.is_err() { return },
                }
                let is_ready = statuses.borrow_and_update().state == KeychainState::Ready;
                let came = is_ready && !ready;
                ready = is_ready;
                let Some(inner) = weak.upgrade() else { return };
                if came {
                    Plugins { inner }.recheck().await;
                }
            }
        });
    }
}

fn person() -> Origin {
    Origin::person()
}

fn system() -> Origin {
    Origin::new(Actor::System)
}

async fn blocking<T: std::marker::Send + 'static>(
    work: impl FnOnce() -> Result<T> + std::marker::Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Error::internal(format!("reading a package: {error}"))))
}
