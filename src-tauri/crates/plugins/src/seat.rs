//! One account of a plugin and its worker: started when it is needed, started again when it died,
//! stopped when nothing was asked of it for a while.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use devrig_core::id::AccountId;
use devrig_core::notify::Notice;
use devrig_core::protocol::{Declared, Limits};
use devrig_core::{Actor, Code, Error, Origin, Result};
use devrig_store::Tx;
use serde_json::{Value, json};

use crate::access::Access;
use crate::broker::Broker;
use crate::core::{Core, Plugin, read, write};
use crate::failures::{Failures, Verdict};
use crate::hooks::{Line, Patience};
use crate::info::{ConnectionState, PluginSource, SyncProgress};
use crate::package;
use crate::table::plugin;
use crate::text::shown;
use crate::worker::{Ended, Launch, Worker};

/// Without work for so long, a worker is stopped.
const IDLE: Duration = Duration::from_secs(5 * 60);
/// Whoever asks for a worker that is to restart soon waits for it.
const WORTH_WAITING: Duration = Duration::from_secs(2);
/// Between two looks at an idle worker.
const LOOK: Duration = Duration::from_secs(20);
/// Between two messages about a sync's progress.
const PROGRESS: Duration = Duration::from_millis(150);

pub(crate) struct Seat {
    pub id: AccountId,
    pub plugin: Arc<Plugin>,
    core: Weak<Core>,
    name: RwLock<String>,
    access: RwLock<Arc<Access>>,
    connection: RwLock<Option<ConnectionState>>,
    life: tokio::sync::Mutex<Life>,
    /// The broker of the present worker, for events.
    ear: RwLock<Option<(Weak<Worker>, Weak<Broker>)>>,
    syncing: Mutex<HashMap<String, Syncing>>,
    /// Runs of each source since the start: what is asked for while one goes on is the next one.
    runs: Mutex<HashMap<String, u64>>,
    retired: AtomicBool,
    /// With its hooks.
    pub patience: Mutex<Patience>,
    /// What its hooks are still to be told.
    pub line: Line,
    /// Counts what the person gave: a sync that found something missing looks whether it came
    /// in the meantime.
    given: AtomicU64,
    /// The same, of what was given to this account alone.
    given_here: AtomicU64,
}

#[derive(Default)]
struct Life {
    worker: Option<Arc<Worker>>,
    failures: Failures,
}

#[derive(Default)]
struct Syncing {
    progress: Option<SyncProgress>,
    told: Option<Instant>,
}

impl Seat {
    pub fn new(
        core: &Arc<Core>,
        plugin: Arc<Plugin>,
        id: AccountId,
        name: String,
        access: Access,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            plugin,
            core: Arc::downgrade(core),
            name: RwLock::new(name),
            access: RwLock::new(Arc::new(access)),
            connection: RwLock::default(),
            life: tokio::sync::Mutex::default(),
            ear: RwLock::default(),
            syncing: Mutex::default(),
            runs: Mutex::default(),
            retired: AtomicBool::new(false),
            patience: Mutex::default(),
            line: Line::default(),
            given: AtomicU64::new(0),
            given_here: AtomicU64::new(0),
        })
    }

    pub fn name(&self) -> String {
        read(&self.name).clone()
    }

    pub fn rename(&self, name: String) {
        *write(&self.name) = name;
    }

    pub fn access(&self) -> Arc<Access> {
        Arc::clone(&read(&self.access))
    }

    pub fn set_access(&self, access: Access) {
        *write(&self.access) = Arc::new(access);
        if let Some(core) = self.core.upgrade() {
            core.look_at_hooks();
        }
    }

    pub fn connection(&self) -> Option<ConnectionState> {
        read(&self.connection).clone()
    }

    pub fn set_connection(&self, state: Option<ConnectionState>) {
        *write(&self.connection) = state;
    }

    /// The running worker, or a new one.
    ///
    /// # Errors
    /// Why it may not run, or why it did not start.
    pub async fn worker(self: &Arc<Self>) -> Result<Arc<Worker>> {
        let mut life = self.life.lock().await;
        if let Some(worker) = &life.worker
            && worker.is_alive()
        {
            return Ok(Arc::clone(worker));
        }
        life.worker = None;
        let core = self.core()?;
        self.plugin.may_run()?;
        let wait = life.failures.wait(core.clock.now());
        if wait > WORTH_WAITING {
            let name = shown(self.plugin.name(), 100);
            let message = format!("{name} failed and starts again in {} s", wait.as_secs().max(1));
            return Err(Error::new(Code::PluginStopped, message)
                .hint(format!("See `devrig plugin logs {name}` for the reason.")));
        }
        tokio::time::sleep(wait).await;
        match self.start(&core).await {
            Ok(worker) => {
                life.worker = Some(Arc::clone(&worker));
                drop(life);
                self.well(&core, &worker);
                Ok(worker)
            }
            Err(ended) => {
                let error = ended.error.clone();
                self.failed(&core, ended, life).await;
                Err(error)
            }
        }
    }

    fn core(&self) -> Result<Arc<Core>> {
        let core = self.core.upgrade().filter(|core| !core.over.is_cancelled());
        core.filter(|_| !self.retired.load(Ordering::Relaxed))
            .ok_or_else(|| Error::new(Code::Cancelled, "the plugin is being stopped"))
    }

    async fn start(self: &Arc<Self>, core: &Arc<Core>) -> std::result::Result<Arc<Worker>, Ended> {
        let access = self.access();
        let manifest = &self.plugin.manifest;
        let (folder, files) = (self.plugin.folder.clone(), self.plugin.files.clone());
        let modules = tokio::task::spawn_blocking(move || package::modules(&folder, &files)).await;
        let modules = modules
            .unwrap_or_else(|error| Err(Error::internal(format!("reading modules: {error}"))))
            .map_err(|error| Ended { rule: "package:changed", error })?;
        let launch = Launch {
            host_program: core.host_program.clone(),
            plugin: manifest.name.clone(),
            version: manifest.version.clone(),
            account: self.id.clone(),
            main: manifest.main.clone().unwrap_or_default(),
            modules,
            settings: access.settings.clone(),
            declared: Declared {
                data_sources: manifest.data_sources.iter().map(|one| one.id.clone()).collect(),
                actions: manifest.actions.iter().map(|one| one.id.clone()).collect(),
                conditions: manifest.conditions.iter().map(|one| one.id.clone()).collect(),
                hooks: manifest.hooks.iter().map(|one| one.id.clone()).collect(),
                triggers: manifest.triggers.iter().map(|one| one.id.clone()).collect(),
                connection: manifest.connection.is_some(),
            },
            limits: Limits::default(),
            bundled: self.plugin.source == PluginSource::Bundled,
        };
        let broker = Arc::new(Broker::new(core, self));
        let worker = Arc::new(Worker::start(launch, Arc::clone(&broker) as Arc<_>).await?);
        *write(&self.ear) = Some((Arc::downgrade(&worker), Arc::downgrade(&broker)));
        core.tasks.spawn(mind(Arc::downgrade(self), Arc::clone(&worker), core.over.clone()));
        Ok(worker)
    }

    /// It runs: what was wrong before is over.
    fn well(&self, core: &Core, worker: &Worker) {
        let report = worker.sandbox;
        let complete = report.seccomp && report.landlock && report.rlimits;
        let mut changed = false;
        self.plugin.set_status(|status| {
            let warning = (!complete)
                .then(|| "This system's sandbox is not complete; see `devrig doctor`.".to_owned());
            changed = status.error.is_some() || status.warning != warning;
            status.error = None;
            status.warning = warning;
        });
        if changed {
            core.state_changed(self.plugin.name());
        }
    }

    /// Writes down why a worker ended, and decides whether it starts again. It is counted before
    /// `life` is let go: whoever waits for a worker meanwhile has to wait for its time.
    async fn failed(
        self: &Arc<Self>,
        core: &Arc<Core>,
        ended: Ended,
        mut life: tokio::sync::MutexGuard<'_, Life>,
    ) {
        if ended.on_purpose() || core.over.is_cancelled() {
            return;
        }
        // No number of restarts brings a sandbox, the worker's program or the installed file back.
        let verdict = match ended.rule {
            "sandbox" | "start" | "protocol:version" => None,
            "package:changed" => Some(Verdict::Quarantine),
            _ => Some(life.failures.record(core.clock.now())),
        };
        drop(life);
        let (plugin, error) = (self.plugin.name(), &ended.error);
        core.note(plugin, &self.id, "error", format!("Stopped: {}", error.message));
        let detail = json!({ "account": self.id, "message": shown(&error.message, 500) });
        self.plugin.set_status(|status| status.error = Some(error.clone()));
        let told = if verdict == Some(Verdict::Quarantine) { "quarantined" } else { "stopped" };
        core.audit(plugin, ended.rule, "worker", told, detail);
        match verdict {
            Some(Verdict::RestartAfter(after)) => {
                core.tasks.spawn(again(Arc::downgrade(self), after, core.over.clone()));
            }
            Some(Verdict::Quarantine) => self.quarantine(core, error.clone()).await,
            None => {}
        }
        core.state_changed(plugin);
    }

    async fn quarantine(&self, core: &Arc<Core>, why: Error) {
        self.plugin.set_status(|status| status.quarantine = Some(why.clone()));
        let name = self.plugin.name().to_owned();
        core.notifier.notify(Notice {
            title: format!("{} was stopped", self.plugin.manifest.display_name),
            body: "It kept failing, and is not started again until you enable it.".to_owned(),
            ..Notice::default()
        });
        let stored = core
            .store
            .write(async move |tx: &mut Tx| {
                plugin::set_quarantine(tx, &name, &why, &Origin::new(Actor::System)).await
            })
            .await;
        if let Err(error) = stored {
            tracing::warn!(%error, "a quarantine was not stored");
        }
        for seat in core.seats_of(self.plugin.name()) {
            seat.stop().await;
        }
    }

    /// Stops the worker if there is one; the next need starts another.
    pub async fn stop(&self) {
        let worker = self.life.lock().await.worker.take();
        if let Some(worker) = worker {
            worker.stop().await;
        }
    }

    /// Stops it for good: the account or this version of the plugin goes.
    pub async fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
        self.stop().await;
        if let Some(core) = self.core.upgrade() {
            core.egress.forget(&devrig_net::CallerId(format!("account:{}", self.id)));
        }
    }

    /// The person wants another try.
    pub async fn forgive(&self) {
        self.life.lock().await.failures.forgive();
        lock(&self.patience).answered();
    }

    /// Hands an event to the worker if it runs and listens.
    pub fn deliver(&self, topic: &str, data: &Value) {
        let ear = read(&self.ear).clone();
        let Some((worker, broker)) =
            ear.and_then(|(worker, broker)| worker.upgrade().zip(broker.upgrade()))
        else {
            return;
        };
        for name in broker.heard(topic) {
            worker.event(&name, data.clone());
        }
    }

    // ---- syncs ----

    /// The person gave something; to be called before waiting syncs are made due.
    pub fn gave(&self) {
        self.given.fetch_add(1, Ordering::SeqCst);
    }

    /// The same, for something that is this account's own: a secret, a grant, a setting.
    pub fn gave_here(&self) {
        self.given_here.fetch_add(1, Ordering::SeqCst);
        self.gave();
    }

    pub fn given_here(&self) -> u64 {
        self.given_here.load(Ordering::SeqCst)
    }

    pub fn given(&self) -> u64 {
        self.given.load(Ordering::SeqCst)
    }

    /// Counts a run of the source; false when one goes on already.
    pub fn sync_begins(&self, source: &str) -> bool {
        if self.sync_now(source).is_some() {
            return false;
        }
        *lock(&self.runs).entry(source.to_owned()).or_default() += 1;
        self.lock_syncing().insert(source.to_owned(), Syncing::default());
        true
    }

    /// The number of the run that a job queued now would be.
    pub fn next_run(&self, source: &str) -> u64 {
        lock(&self.runs).get(source).copied().unwrap_or(0)
    }

    pub fn sync_ended(&self, source: &str) {
        self.lock_syncing().remove(source);
    }

    /// Whether the source syncs now, and how far it is.
    pub fn sync_now(&self, source: &str) -> Option<Option<SyncProgress>> {
        self.lock_syncing().get(source).map(|syncing| syncing.progress.clone())
    }

    pub fn progress(&self, core: &Arc<Core>, source: &str, progress: SyncProgress) {
        let tell = match self.lock_syncing().get_mut(source) {
            Some(syncing) => {
                syncing.progress = Some(progress);
                let due = syncing.told.is_none_or(|told| told.elapsed() >= PROGRESS);
                if due {
                    syncing.told = Some(Instant::now());
                }
                due
            }
            None => false,
        };
        if tell {
            let (core, id, source) = (Arc::clone(core), self.id.clone(), source.to_owned());
            let tasks = core.tasks.clone();
            tasks.spawn(async move { crate::sync::tell(&core, &id, &source).await });
        }
    }

    fn lock_syncing(&self) -> MutexGuard<'_, HashMap<String, Syncing>> {
        lock(&self.syncing)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for the end of a worker, and stops it when it idles.
async fn mind(seat: Weak<Seat>, worker: Arc<Worker>, over: tokio_util::sync::CancellationToken) {
    loop {
        tokio::select! {
            ended = worker.ended() => {
                let Some(seat) = seat.upgrade() else { return };
                let Some(core) = seat.core.upgrade() else { return };
                let life = seat.life.lock().await;
                seat.failed(&core, ended, life).await;
                return;
            }
            () = over.cancelled() => {
                worker.stop().await;
                return;
            }
            () = tokio::time::sleep(LOOK) => {
                if worker.idle_for().is_some_and(|idle| idle >= IDLE) {
                    worker.stop().await;
                    return;
                }
            }
        }
    }
}

/// Starts a worker again that died.
fn again(
    seat: Weak<Seat>,
    after: Duration,
    over: tokio_util::sync::CancellationToken,
) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    // Boxed: a start that fails schedules the next one.
    Box::pin(async move {
        tokio::select! {
            () = over.cancelled() => return,
            () = tokio::time::sleep(after) => {}
        }
        let Some(seat) = seat.upgrade() else { return };
        if let Err(error) = seat.worker().await {
            tracing::info!(%error, plugin = seat.plugin.name(), "a plugin did not start again");
        }
    })
}
