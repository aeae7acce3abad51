//! What the rooms of this crate share: the handles they were given, the plugins that were found,
//! and the accounts' seats.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use devrig_core::id::AccountId;
use devrig_core::notify::Notifier;
use devrig_core::{Actor, Code, Error, Result, SharedClock};
use devrig_inbox::Inbox;
use devrig_jobs::Jobs;
use devrig_net::Egress;
use devrig_secrets::Vault;
use devrig_store::{Store, audit};
use serde_json::Value;
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::hooks::Hooks;
use crate::info::{LogLine, PluginSource, PluginState, SyncStatus};
use crate::logs::Logs;
use crate::manifest::Manifest;
use crate::opener::Opener;
use crate::package::Hashes;
use crate::plugins::TriggerSink;
use crate::seat::Seat;
use crate::text::shown;

/// Something that the window may want to show at once.
#[derive(Debug, Clone)]
pub enum PluginEvent {
    /// A plugin or an account is in another state.
    StateChanged {
        plugin: String,
    },
    SyncChanged(Box<SyncStatus>),
    /// There are new lines in the log.
    Log {
        plugin: String,
    },
}

/// Events that a slow listener may lag behind.
const EVENTS: usize = 256;

pub(crate) struct Core {
    pub store: Store,
    pub inbox: Inbox,
    pub jobs: Jobs,
    pub vault: Vault,
    pub egress: Arc<Egress>,
    pub clock: SharedClock,
    pub notifier: Arc<dyn Notifier>,
    pub opener: Arc<dyn Opener>,
    pub host_program: PathBuf,
    pub logs: Logs,
    pub events: broadcast::Sender<PluginEvent>,
    /// Where events of triggers go, once flows run.
    pub sink: watch::Sender<Option<Arc<dyn TriggerSink>>>,
    /// The hooks that may be asked and told at present.
    pub hooks: Hooks,
    plugins: RwLock<BTreeMap<String, Arc<Plugin>>>,
    seats: RwLock<HashMap<AccountId, Arc<Seat>>>,
    /// Makes the sync timer look at once.
    pub wake: Notify,
    /// Ends everything that runs here.
    pub over: CancellationToken,
    pub tasks: TaskTracker,
}

/// A plugin on this machine.
pub(crate) struct Plugin {
    pub manifest: Manifest,
    pub folder: PathBuf,
    pub source: PluginSource,
    pub files: Hashes,
    status: RwLock<Status>,
}

/// What changes about a plugin while DevRig runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Status {
    pub enabled: bool,
    pub quarantine: Option<Error>,
    /// Why its worker ended last; nothing once one runs again.
    pub error: Option<Error>,
    /// What the person should know, such as a reduced sandbox.
    pub warning: Option<String>,
}

impl Plugin {
    pub fn new(
        manifest: Manifest,
        folder: PathBuf,
        source: PluginSource,
        files: Hashes,
        status: Status,
    ) -> Self {
        Self { manifest, folder, source, files, status: RwLock::new(status) }
    }

    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    pub fn status(&self) -> Status {
        read(&self.status).clone()
    }

    pub fn set_status(&self, change: impl FnOnce(&mut Status)) {
        change(&mut write(&self.status));
    }

    /// # Errors
    /// Why no worker of it may start.
    pub fn may_run(&self) -> Result<()> {
        let status = self.status();
        let name = shown(self.name(), 100);
        if let Some(why) = status.quarantine {
            let message = format!("{name} is quarantined: {}", why.message);
            return Err(Error::new(Code::PluginQuarantined, message)
                .hint(format!("Enable it to try again: devrig plugin enable {name}")));
        }
        if !status.enabled {
            return Err(Error::new(Code::Refused, format!("{name} is disabled"))
                .hint(format!("Enable it: devrig plugin enable {name}")));
        }
        if self.manifest.main.is_none() {
            return Err(Error::new(Code::Unsupported, format!("{name} has no entry module")));
        }
        Ok(())
    }

    pub fn state(&self, granted: bool) -> PluginState {
        let status = self.status();
        match status {
            Status { quarantine: Some(_), .. } => PluginState::Quarantined,
            Status { enabled: false, .. } => PluginState::Disabled,
            Status { error: Some(_), .. } => PluginState::Error,
            _ if granted => PluginState::Active,
            _ => PluginState::Installed,
        }
    }
}

/// The parts of a [`Core`] that come from outside.
pub(crate) struct CoreParts {
    pub store: Store,
    pub inbox: Inbox,
    pub jobs: Jobs,
    pub vault: Vault,
    pub egress: Arc<Egress>,
    pub clock: SharedClock,
    pub notifier: Arc<dyn Notifier>,
    pub opener: Arc<dyn Opener>,
    pub host_program: PathBuf,
}

impl Core {
    pub fn new(parts: CoreParts) -> Arc<Self> {
        let events = broadcast::channel(EVENTS).0;
        let (over, tasks) = (CancellationToken::new(), TaskTracker::new());
        let logs = Logs::start(parts.store.clone(), events.clone(), &tasks, over.clone());
        Arc::new(Self {
            store: parts.store,
            inbox: parts.inbox,
            jobs: parts.jobs,
            vault: parts.vault,
            egress: parts.egress,
            clock: parts.clock,
            notifier: parts.notifier,
            opener: parts.opener,
            host_program: parts.host_program,
            logs,
            events,
            sink: watch::Sender::new(None),
            hooks: Hooks::default(),
            plugins: RwLock::default(),
            seats: RwLock::default(),
            wake: Notify::new(),
            over,
            tasks,
        })
    }

    pub fn plugins(&self) -> Vec<Arc<Plugin>> {
        read(&self.plugins).values().cloned().collect()
    }

    /// # Errors
    /// `NOT_FOUND`.
    pub fn plugin(&self, name: &str) -> Result<Arc<Plugin>> {
        read(&self.plugins).get(name).cloned().ok_or_else(|| {
            Error::not_found(format!("the plugin {:?}", shown(name, 100)))
                .hint("`devrig plugin list` shows those that are installed.")
        })
    }

    pub fn put_plugin(&self, plugin: Arc<Plugin>) {
        write(&self.plugins).insert(plugin.name().to_owned(), plugin);
    }

    pub fn remove_plugin(&self, name: &str) {
        write(&self.plugins).remove(name);
    }

    pub fn seats(&self) -> Vec<Arc<Seat>> {
        let mut seats: Vec<_> = read(&self.seats).values().cloned().collect();
        seats.sort_by(|a, b| (a.plugin.name(), &a.id).cmp(&(b.plugin.name(), &b.id)));
        seats
    }

    pub fn seats_of(&self, plugin: &str) -> Vec<Arc<Seat>> {
        self.seats().into_iter().filter(|seat| seat.plugin.name() == plugin).collect()
    }

    /// # Errors
    /// `NOT_FOUND`.
    pub fn seat(&self, id: &AccountId) -> Result<Arc<Seat>> {
        read(&self.seats).get(id).cloned().ok_or_else(|| {
            Error::not_found(format!("the account {:?}", shown(id.as_str(), 100)))
                .hint("`devrig plugin account list` shows those that there are.")
        })
    }

    pub fn put_seat(&self, seat: Arc<Seat>) -> Option<Arc<Seat>> {
        let before = write(&self.seats).insert(seat.id.clone(), seat);
        self.look_at_hooks();
        before
    }

    pub fn remove_seat(&self, id: &AccountId) -> Option<Arc<Seat>> {
        let seat = write(&self.seats).remove(id);
        self.look_at_hooks();
        seat
    }

    /// Finds the hooks again after an account came or went, or may do something else.
    pub fn look_at_hooks(&self) {
        self.hooks.look(|| self.seats());
    }

    pub fn tell(&self, event: PluginEvent) {
        // Nobody listening is no error.
        _ = self.events.send(event);
    }

    pub fn state_changed(&self, plugin: &str) {
        self.tell(PluginEvent::StateChanged { plugin: plugin.to_owned() });
    }

    /// Writes down what a plugin was refused, or was stopped for. Never holds a secret.
    pub fn audit(&self, subject: &str, rule: &str, action: &str, verdict: &str, detail: Value) {
        let entry = audit::Entry {
            actor: Actor::Plugin,
            subject: subject.to_owned(),
            rule: rule.to_owned(),
            action: shown(action, 300),
            verdict: verdict.to_owned(),
            detail,
        };
        let store = self.store.clone();
        self.tasks.spawn(async move {
            if let Err(error) = store.audit(&entry).await {
                tracing::warn!(%error, rule = entry.rule, "an audit entry was not written");
            }
        });
    }

    /// A line that DevRig itself writes into a plugin's log.
    pub fn note(&self, plugin: &str, account: &AccountId, level: &str, message: String) {
        let line = LogLine {
            seq: 0.0,
            at: self.clock.now(),
            account: account.clone(),
            level: level.to_owned(),
            message,
            meta: None,
        };
        self.logs.write(plugin, line);
    }
}

pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
