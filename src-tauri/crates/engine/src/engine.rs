//! Builds DevRig from its rooms, starts it, and stops it in order.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use devrig_code::{CodePool, CodeSettings};
use devrig_core::id::ItemId;
use devrig_core::notify::{Notice, Notifier, Presenter};
use devrig_core::{Code, Context, Error, Result, SharedClock, SystemClock, Timestamp};
use devrig_flow::actions::notify::Player;
use devrig_flow::network::Network;
use devrig_flow::others::Others;
use devrig_flow::{Flows, Programs, Runs};
use devrig_inbox::Inbox;
use devrig_jobs::{Jobs, Workers};
use devrig_net::{Egress, EgressParts};
use devrig_plugins::{Opener, Plugins, PluginsParts};
use devrig_secrets::{Keychain, Vault};
use devrig_store::{Store, StoreOptions};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::engine::EngineInfo;
use crate::connection::OwnerKind;
use crate::events::{self, EngineEvent, EventStream};
use crate::gauge::Gauge;
use crate::home::Home;
use crate::lock::OwnerLock;
use crate::notices::{self, Desk};
use crate::plugin_actions::OfPlugins;
use crate::triggers::{FlowSecrets, Hearing, set_limits};
use crate::{files, online, socket, upkeep};

/// Everything that an engine is built from; tests bring their own.
#[derive(Clone)]
pub struct EngineParts {
    pub home: Home,
    pub kind: OwnerKind,
    pub clock: SharedClock,
    pub keychain: Arc<dyn Keychain>,
    pub egress: Arc<Egress>,
    pub presenter: Arc<dyn Presenter>,
    pub opener: Arc<dyn Opener>,
    /// The sandbox worker's binary.
    pub host_program: PathBuf,
    /// The window's program, for whoever runs without one.
    pub window_program: PathBuf,
    /// Folders whose sub-folders are the plugins that ship with DevRig.
    pub bundled: Vec<PathBuf>,
}

impl EngineParts {
    /// The real parts of this machine.
    pub fn system(home: Home, kind: OwnerKind) -> Result<Self> {
        let clock = SystemClock::shared();
        let program = std::env::current_exe().context("finding DevRig's own program")?;
        Ok(Self {
            home,
            kind,
            keychain: devrig_secrets::system_keychain(),
            egress: Arc::new(Egress::new(EgressParts::system(clock.clone()))?),
            clock,
            presenter: Arc::new(crate::DesktopPresenter),
            opener: Arc::new(devrig_plugins::SystemOpener),
            host_program: beside(&program, "devrig-plugin-host"),
            window_program: beside(&program, "devrig-desktop"),
            bundled: bundled(&program),
        })
    }
}

fn beside(program: &std::path::Path, name: &str) -> PathBuf {
    program.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Where the bundle's plugins lie: beside the program, where the packages put resources, or in the
/// checkout that the program was built in.
fn bundled(program: &std::path::Path) -> Vec<PathBuf> {
    let Some(folder) = program.parent() else { return Vec::new() };
    let mut places = vec![folder.join("plugins"), folder.join("../lib/DevRig/plugins")];
    let checkout = folder.join("../..");
    if checkout.join("tauri.conf.json").is_file() {
        places.push(checkout.join("plugins"));
    }
    places.into_iter().filter(|place| place.is_dir()).collect()
}

/// A running DevRig. Cheap to clone; [`Engine::shutdown`] ends it for all clones.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    parts: EngineParts,
    started_at: Timestamp,
    store: Store,
    vault: Vault,
    inbox: Inbox,
    jobs: Jobs,
    plugins: Plugins,
    /// Where code of flows runs.
    code: CodePool,
    flows: Flows,
    hearing: Hearing,
    gauge: Gauge,
    workers: tokio::sync::Mutex<Option<Workers>>,
    events: broadcast::Sender<EngineEvent>,
    /// Ends the socket and the timers.
    stop: CancellationToken,
    /// Somebody asked this process to end.
    asked_to_stop: CancellationToken,
    tasks: TaskTracker,
    lock: std::sync::Mutex<Option<OwnerLock>>,
}

/// Events that a slow window may lag behind before it has to read again.
const EVENTS: usize = 1024;
/// What each step of the shutdown may take.
const STEP: Duration = Duration::from_secs(5);

impl Engine {
    /// Opens the home folder that `lock` holds, and starts everything.
    pub(crate) async fn start(parts: EngineParts, lock: OwnerLock) -> Result<Self> {
        let options =
            StoreOptions::new(parts.home.database(), parts.home.backups(), parts.clock.clone());
        let store = Store::open(options).await.context("opening the database")?;
        let jobs = Jobs::new(store.clone());
        let inbox = Inbox::new(store.clone(), jobs.clone());
        let vault = Vault::new(store.clone(), parts.keychain.clone());
        let (desk, own_notices) = Desk::new();
        let notifier: Arc<dyn Notifier> = Arc::new(desk);
        let plugins = Plugins::start(PluginsParts {
            store: store.clone(),
            inbox: inbox.clone(),
            jobs: jobs.clone(),
            vault: vault.clone(),
            egress: parts.egress.clone(),
            clock: parts.clock.clone(),
            notifier: notifier.clone(),
            opener: parts.opener.clone(),
            host_program: parts.host_program.clone(),
            bundled: parts.bundled.clone(),
            home_plugins: parts.home.plugins(),
            version: crate::VERSION.to_owned(),
        })
        .await
        .context("starting the plugins")?;
        let workers = Workers::start(&jobs, plugins.job_handlers()).await?;
        let code = CodePool::new(CodeSettings::new(&parts.host_program));
        let network = Network::new(parts.egress.clone());
        let world = World {
            store: &store,
            inbox: &inbox,
            vault: &vault,
            code: &code,
            network: &network,
            plugins: &plugins,
            notifier: notifier.clone(),
        };
        let flows = start_flows(world).await.context("starting the flows")?;
        flows.runs().set_notifier(notifier);
        let hearing = Hearing::new(
            store.clone(),
            flows.clone(),
            vault.clone(),
            inbox.clone(),
            network,
            plugins.clone(),
        )
        .await?;

        let (events, _) = broadcast::channel(EVENTS);
        let engine = Self {
            inner: Arc::new(Inner {
                started_at: parts.clock.now(),
                parts,
                store,
                vault,
                inbox,
                jobs,
                plugins,
                code,
                flows,
                hearing,
                gauge: Gauge::new(),
                workers: tokio::sync::Mutex::new(Some(workers)),
                events,
                stop: CancellationToken::new(),
                asked_to_stop: CancellationToken::new(),
                tasks: TaskTracker::new(),
                lock: std::sync::Mutex::new(Some(lock)),
            }),
        };
        engine.start_tasks(own_notices)?;
        tracing::info!(
            version = crate::VERSION,
            kind = engine.inner.parts.kind.as_str(),
            "started"
        );
        Ok(engine)
    }

    fn start_tasks(&self, own: mpsc::UnboundedReceiver<Notice>) -> Result<()> {
        let Inner { store, inbox, events, stop, tasks, .. } = &*self.inner;
        tasks.spawn(events::tell_changes(
            store.clone(),
            inbox.clone(),
            events.clone(),
            stop.clone(),
        ));
        tasks.spawn(upkeep::run(self.clone(), stop.clone()));
        tasks.spawn(upkeep::apply_rules(inbox.clone(), stop.clone()));
        tasks.spawn(upkeep::collect_notices(inbox.clone(), stop.clone()));
        let hearing = self.clone();
        tasks.spawn(async move { hearing.inner.hearing.follow().await });
        tasks.spawn(files::follow(self.clone(), stop.clone()));
        tasks.spawn(notices::run(self.clone(), own, stop.clone()));
        tasks.spawn(events::tell_plugins(self.plugins().events(), events.clone(), stop.clone()));
        let defects = self.flows().runs().defects();
        tasks.spawn(events::tell_defects(defects, events.clone(), stop.clone()));
        tasks.spawn(events::tell_keychain(self.vault().clone(), events.clone(), stop.clone()));
        let socket = self.inner.parts.home.socket();
        socket::serve(&socket, Arc::new(self.clone()), tasks, stop.clone())
    }

    pub fn subscribe(&self) -> EventStream {
        events::stream(self.inner.events.subscribe())
    }

    /// Shows the window, with an item when one is given, and starts it where there is none.
    ///
    /// # Errors
    /// What starting the window's program meets.
    pub(crate) async fn open_window(&self, item: Option<ItemId>) -> Result<()> {
        if self.inner.parts.kind == OwnerKind::Window {
            // Nobody listening means that the window is ending.
            let _ = self.inner.events.send(EngineEvent::Shown { item });
            return Ok(());
        }
        // A window that runs already is handed the link by the one that is started here.
        let link = match item {
            Some(id) => format!("devrig://item/{id}"),
            None => "devrig://inbox".to_owned(),
        };
        let program = &self.inner.parts.window_program;
        tokio::process::Command::new(program)
            .arg(link)
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .context(format!("starting {}", program.display()))
            .map(drop)
    }

    pub(crate) fn request_stop(&self) {
        self.inner.asked_to_stop.cancel();
    }

    pub(crate) async fn stop_requested(&self) {
        self.inner.asked_to_stop.cancelled().await;
    }

    /// Stops taking work, drains, closes the plugins, checkpoints and lets go of the home folder.
    /// Each step is bounded; who overran is logged.
    pub async fn shutdown(&self) {
        let inner = &*self.inner;
        bounded("the triggers", inner.hearing.close()).await;
        bounded("the runs", inner.flows.runs().stop()).await;
        bounded("the code", inner.code.shutdown()).await;
        if let Some(workers) = inner.workers.lock().await.take() {
            bounded("the workers", workers.shutdown()).await;
        }
        bounded("the plugins", inner.plugins.shutdown()).await;
        inner.stop.cancel();
        inner.tasks.close();
        bounded("the tasks", inner.tasks.wait()).await;
        bounded("the database", inner.store.close()).await;
        tracing::info!("stopped");
        drop(inner.lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take());
    }

    pub(crate) fn started_at(&self) -> Timestamp {
        self.inner.started_at
    }

    pub(crate) async fn info(&self) -> Result<EngineInfo> {
        // Settings may be the plugin's defaults; these are the person's doing.
        let accounts = self.plugins().accounts().await?;
        let configured = accounts
            .iter()
            .any(|account| !account.granted.is_empty() || !account.secrets_set.is_empty());
        let first_run = !configured && self.inbox().stats().await?.total == 0;
        Ok(EngineInfo {
            version: crate::VERSION.to_owned(),
            home: self.home().path().display().to_string(),
            owner: self.inner.parts.kind.as_str().to_owned(),
            owner_pid: std::process::id(),
            started_at: self.inner.started_at,
            first_run,
            online: online::has_route(),
        })
    }

    pub(crate) async fn open_url(&self, url: &str) -> Result<()> {
        check_page(url)?;
        self.inner.parts.opener.open_url(url).await
    }

    pub fn home(&self) -> &Home {
        &self.inner.parts.home
    }

    pub fn parts(&self) -> &EngineParts {
        &self.inner.parts
    }

    pub fn clock(&self) -> &SharedClock {
        &self.inner.parts.clock
    }

    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    pub fn vault(&self) -> &Vault {
        &self.inner.vault
    }

    pub fn inbox(&self) -> &Inbox {
        &self.inner.inbox
    }

    pub fn jobs(&self) -> &Jobs {
        &self.inner.jobs
    }

    pub fn plugins(&self) -> &Plugins {
        &self.inner.plugins
    }

    pub fn flows(&self) -> &Flows {
        &self.inner.flows
    }

    pub(crate) fn code(&self) -> &CodePool {
        &self.inner.code
    }

    pub(crate) fn hearing(&self) -> &Hearing {
        &self.inner.hearing
    }

    pub(crate) fn gauge(&self) -> &Gauge {
        &self.inner.gauge
    }

    /// Cancelled when the engine stops.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.inner.stop
    }
}

/// What flows need of the other rooms.
struct World<'a> {
    store: &'a Store,
    inbox: &'a Inbox,
    vault: &'a Vault,
    code: &'a CodePool,
    network: &'a Network,
    plugins: &'a Plugins,
    notifier: Arc<dyn Notifier>,
}

async fn start_flows(world: World<'_>) -> Result<Flows> {
    let World { store, inbox, vault, code, network, plugins, notifier } = world;
    let mut actions = devrig_flow::actions::builtin()?;
    devrig_flow::actions::code::add_all(&mut actions, code.clone())?;
    devrig_flow::actions::http::add_all(&mut actions, network)?;
    devrig_flow::actions::inbox::add_all(&mut actions, inbox)?;
    devrig_flow::actions::notify::add_all(&mut actions, notifier, Player::system())?;
    actions.set_plugins(Arc::new(OfPlugins(plugins.clone())));
    // Runs that were cut off go on at once.
    set_limits(&actions, store).await?;
    let programs = Programs::new(Arc::new(actions));
    let secrets = Arc::new(FlowSecrets(vault.clone()));
    let others = Others::new(inbox.clone())
        .with_plugins(Arc::new(OfPlugins(plugins.clone())))
        .with_hooks(Arc::new(OfPlugins(plugins.clone())));
    let runs = Runs::start(store.clone(), programs.clone(), secrets, others).await?;
    Ok(Flows::new(store.clone(), programs, runs))
}

/// Opens a page in the person's browser, whoever owns the home folder.
///
/// # Errors
/// `REFUSED` for anything but http and https: other addresses start programs.
pub async fn open_page(url: &str) -> Result<()> {
    check_page(url)?;
    devrig_plugins::SystemOpener.open_url(url).await
}

fn check_page(url: &str) -> Result<()> {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    if matches!(scheme.as_deref(), Some("http" | "https")) {
        return Ok(());
    }
    Err(Error::new(Code::Refused, "only http and https addresses are opened"))
}

async fn bounded(who: &str, step: impl Future<Output = ()>) {
    if tokio::time::timeout(STEP, step).await.is_err() {
        tracing::warn!(who, seconds = STEP.as_secs(), "overran the shutdown");
    }
}
