//! A flow engine over a fresh file, with a few actions that a test can watch.

// By its path, since benches take this module from here, too.
#[path = "guard.rs"]
mod guard;

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use devrig_code::{CodePool, CodeSettings};
use devrig_core::notify::{Notice, Notifier};
use devrig_core::{Actor, Clock, Code, Error, ManualClock, Result, Sensitive, SystemClock};
use devrig_flow::action::{About, Action, Actions, Context, Does, Effect};
use devrig_flow::actions::notify::Player;
use devrig_flow::events::{self, TriggerEvent};
use devrig_flow::history::{self, RunDetail};
use devrig_flow::network::Network;
use devrig_flow::others::Others;
use devrig_flow::plugins::{
    self, PluginAccount, PluginAction, PluginActions, PluginDeed, PluginState,
};
use devrig_flow::run::RunStatus;
use devrig_flow::runs::{Rest, Started};
use devrig_flow::secrets::Secrets;
use devrig_flow::triggers::{Surroundings, Triggers};
use devrig_flow::{Flows, Programs, Runs};
use devrig_inbox::Inbox;
use devrig_jobs::Jobs;
use devrig_net::listener::{Listener, ListenerOptions, SecretSource};
use devrig_net::{Egress, EgressParts};
use devrig_store::{Store, StoreOptions};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::TryRecvError;
use tokio_util::sync::CancellationToken;

use self::guard::Guard;

/// What the actions of the tests did, in the order they did it.
#[derive(Clone, Default)]
pub struct Diary {
    lines: Arc<Mutex<Vec<String>>>,
    /// Failures that are left, by name.
    failures: Arc<Mutex<HashMap<String, u32>>>,
    /// Where each line is written at once, so that it outlives the process.
    file: Option<Arc<Mutex<File>>>,
}

impl Diary {
    /// One that goes on in a file.
    pub fn on(path: &Path) -> Self {
        let file = File::options().create(true).append(true).open(path).unwrap();
        Self { file: Some(Arc::new(Mutex::new(file))), ..Self::default() }
    }

    pub fn write(&self, line: impl Into<String>) {
        let line = line.into();
        match &self.file {
            Some(file) => file.lock().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap(),
            None => self.lines.lock().unwrap().push(line),
        }
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub fn fail_next(&self, name: &str, times: u32) {
        self.failures.lock().unwrap().insert(name.to_owned(), times);
    }

    /// Whether failures of this name are left, taking none.
    fn will_fail(&self, name: &str) -> bool {
        self.failures.lock().unwrap().get(name).is_some_and(|left| *left > 0)
    }

    fn fails(&self, name: &str) -> bool {
        let mut failures = self.failures.lock().unwrap();
        let left = failures.get_mut(name).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_some()
    }
}

/// One secret, `hook`, as a vault would give it.
pub struct OneSecret;

impl Secrets for OneSecret {
    fn source(&self, name: &str) -> Arc<dyn SecretSource> {
        let known = name == "hook";
        Arc::new(move || -> Result<Sensitive<Vec<u8>>> {
            match known {
                true => Ok(Sensitive::new(b"open sesame".to_vec())),
                false => Err(Error::not_found("the secret")),
            }
        })
    }
}

/// Keeps what would be shown.
#[derive(Clone, Default)]
struct Notices(Arc<Mutex<Vec<Notice>>>);

impl Notifier for Notices {
    fn notify(&self, notice: Notice) {
        self.0.lock().unwrap().push(notice);
    }
}

pub struct Rig<C = ManualClock> {
    pub flows: Flows,
    pub runs: Runs,
    pub network: Network,
    /// What would have been shown.
    pub notices: Arc<Mutex<Vec<Notice>>>,
    pub store: Store,
    pub clock: Arc<C>,
    pub diary: Diary,
    pub guard: Guard,
}

impl Rig {
    pub async fn new() -> (Self, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (Self::at(folder.path(), Diary::default(), clock()).await, folder)
    }
}

impl<C: Clock + 'static> Rig<C> {
    pub async fn at(folder: &Path, diary: Diary, clock: Arc<C>) -> Self {
        let egress = Egress::new(EgressParts::system(clock.clone())).unwrap();
        Self::reaching(folder, diary, clock, egress).await
    }

    /// With a way to the network of the test's own.
    pub async fn reaching(folder: &Path, diary: Diary, clock: Arc<C>, egress: Egress) -> Self {
        let file = folder.join("devrig.db");
        let options = StoreOptions::new(file, folder.join("backups"), clock.clone());
        let store = Store::open(options).await.unwrap();
        let mut actions = actions(&diary);
        let inbox = Inbox::new(store.clone(), Jobs::new(store.clone()));
        let network = Network::new(Arc::new(egress));
        devrig_flow::actions::http::add_all(&mut actions, &network).unwrap();
        devrig_flow::actions::inbox::add_all(&mut actions, &inbox).unwrap();
        let notices = Notices::default();
        // No sound is heard from a test.
        let player = Player {
            programs: "/nowhere".into(),
            sounds: Vec::new(),
            longest: Duration::from_secs(1),
        };
        devrig_flow::actions::notify::add_all(&mut actions, Arc::new(notices.clone()), player)
            .unwrap();
        let programs = Programs::new(Arc::new(actions));
        let guard = Guard::default();
        let others = Others::new(inbox.clone()).with_hooks(Arc::new(guard.clone()));
        let secrets = Arc::new(OneSecret);
        let runs = Runs::start(store.clone(), programs.clone(), secrets, others).await.unwrap();
        let flows = Flows::new(store.clone(), programs, runs.clone());
        Self { flows, runs, network, notices: notices.0, store, clock, diary, guard }
    }

    /// Saves a flow of these triggers and nodes, publishes and enables it.
    pub async fn enabled(&self, name: &str, triggers: Value, nodes: Value) -> String {
        let flow = json!({
            "id": name, "schemaVersion": 1, "name": name, "triggers": triggers, "nodes": nodes,
        });
        let saved = self.flows.save(flow, Actor::Person).await.unwrap();
        self.flows.publish(&saved.id, None).await.unwrap();
        self.flows.enable(&saved.id, true).await.unwrap();
        saved.id
    }

    /// What the triggers of a flow told, oldest first.
    pub async fn events(&self, flow: &str) -> Vec<TriggerEvent> {
        let wanted = events::Wanted { limit: 500, ..events::Wanted::default() };
        let mut told = events::list(&self.store, flow, &wanted).await.unwrap();
        told.reverse();
        told
    }

    /// The inbox in the same file.
    pub fn inbox(&self) -> Inbox {
        Inbox::new(self.store.clone(), Jobs::new(self.store.clone()))
    }

    /// The triggers of these flows, with a listener that nobody reaches.
    pub fn triggers(&self) -> Triggers {
        self.triggers_with(Arc::new(Listener::new(
            ListenerOptions { port: 0, ..ListenerOptions::default() },
            SystemClock::shared(),
        )))
    }

    /// The same with a listener of the test's own.
    pub fn triggers_with(&self, listener: Arc<Listener>) -> Triggers {
        let surroundings = Surroundings {
            listener,
            secrets: Arc::new(OneSecret),
            inbox: self.inbox(),
            network: self.network.clone(),
            plugins: None,
        };
        Triggers::new(self.flows.clone(), surroundings)
    }

    /// Saves a flow of these nodes and edges, and runs it.
    pub async fn begin(&self, nodes: Value, edges: Value) -> Started {
        self.begin_with(json!({ "nodes": nodes, "edges": edges })).await
    }

    /// The same with more of a definition.
    pub async fn begin_with(&self, mut flow: Value) -> Started {
        flow["name"] = json!("Test");
        flow["schemaVersion"] = json!(1);
        let saved = self.flows.save(flow, Actor::Person).await.unwrap();
        self.flows.run(&saved.id, None, json!({ "who": "kim" })).await.unwrap()
    }

    /// Saves a flow that may touch this, and runs it.
    pub async fn begin_allowed(&self, allowed: &[&str], nodes: Value, edges: Value) -> Started {
        let flow = json!({ "name": "Test", "schemaVersion": 1, "nodes": nodes, "edges": edges });
        let saved = self.flows.save(flow, Actor::Person).await.unwrap();
        let allowed = allowed.iter().map(|text| text.parse().unwrap()).collect();
        self.flows.permit(&saved.id, allowed, vec![]).await.unwrap();
        self.flows.run(&saved.id, None, json!({ "who": "kim" })).await.unwrap()
    }

    /// Runs it to its rest.
    pub async fn run(&self, nodes: Value, edges: Value) -> (Rest, RunDetail) {
        let started = self.begin(nodes, edges).await;
        self.ended(started).await
    }

    pub async fn ended(&self, started: Started) -> (Rest, RunDetail) {
        let rest = tokio::time::timeout(Duration::from_secs(20), started.rest).await;
        let run = history::get(&self.store, &started.id).await.unwrap();
        let rest = rest.unwrap_or_else(|_| panic!("the run comes to a rest: {run:?}")).unwrap();
        (rest, run)
    }

    /// Waits until so many runs wait and go on. A parked one gives its place away after that is on
    /// disk.
    pub async fn counts_become(&self, counts: (usize, usize)) {
        let start = Instant::now();
        while self.runs.counts() != counts {
            let now = self.runs.counts();
            assert!(start.elapsed() < Duration::from_secs(20), "{now:?} instead of {counts:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until a run has the status; a test that hangs here has failed.
    pub async fn until(&self, id: &str, status: RunStatus) -> RunDetail {
        let start = Instant::now();
        loop {
            let run = history::get(&self.store, id).await.unwrap();
            if run.run.status == status {
                return run;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{status:?} expected: {run:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Ends a life of the engine as `kill -9` does: nothing is closed or written. A thread of the old
/// life that still writes would do what no killed process can, so its files are waited for.
pub fn kill(runtime: tokio::runtime::Runtime, folder: &Path) {
    runtime.shutdown_timeout(Duration::from_secs(10));
    let has_open = |folder: &Path| {
        let files = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
        files
            .filter_map(|file| std::fs::read_link(file.path()).ok())
            .any(|to| to.starts_with(folder))
    };
    while has_open(folder) {
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

pub fn clock() -> Arc<ManualClock> {
    ManualClock::at("2026-11-20T09:00:00Z".parse().unwrap())
}

/// One life of the engine on a file. It ends in the middle of what it does: its runs are dropped where
/// they are, and nothing is closed.
pub fn life<T: Send + 'static>(
    folder: &Path,
    diary: &Diary,
    live: impl AsyncFnOnce(&Rig) -> T,
) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (told, mut changes) = runtime.block_on(async {
        let rig = Rig::at(folder, diary.clone(), clock()).await;
        let changes = rig.store.changes();
        (live(&rig).await, changes)
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    // The writer has a thread of its own, and two of them on one file are what no crash brings.
    let begun = Instant::now();
    while !matches!(changes.try_recv(), Err(TryRecvError::Closed)) {
        assert!(begun.elapsed() < Duration::from_secs(20), "the writer does not end");
        std::thread::sleep(Duration::from_millis(1));
    }
    told
}

/// A node of one of the tests' actions.
pub fn node(id: &str, action: &str, config: Value) -> Value {
    json!({ "id": id, "type": "action", "action": action, "config": config })
}

/// Edges in a line: `["a", "b", "c"]` is a → b → c.
pub fn line(ids: &[&str]) -> Value {
    ids.windows(2).map(|pair| json!({ "source": pair[0], "target": pair[1] })).collect()
}

/// How the nodes of a run ended, by path.
pub fn ends(run: &RunDetail) -> Vec<(String, String)> {
    let shown = |status: Option<devrig_flow::run::NodeStatus>| {
        status.map_or("open", devrig_flow::run::NodeStatus::as_str).to_owned()
    };
    run.nodes.iter().map(|node| (node.path.clone(), shown(node.status))).collect()
}

fn about(name: &'static str, effect: Effect, idempotent: bool) -> About {
    About {
        name,
        title: name,
        text: "For tests.",
        effect,
        idempotent,
        input: r#"{"type": "object"}"#,
        output: "{}",
        example: "{}",
        typical_ms: 1,
        raw: &[],
    }
}

/// The worker beside the tests; only flows with code need it.
fn code_pool() -> CodePool {
    let tests = std::env::current_exe().unwrap();
    CodePool::new(CodeSettings::new(tests.parent().unwrap().parent().unwrap().join("plugin-host")))
}

fn actions(diary: &Diary) -> Actions {
    let mut actions = devrig_flow::actions::builtin().unwrap();
    devrig_flow::actions::code::add_all(&mut actions, code_pool()).unwrap();
    actions.set_plugins(Arc::new(Desk(diary.clone())));
    let work = |kind| Does::Work(Arc::new(Test { diary: diary.clone(), kind }) as Arc<dyn Action>);
    actions.add(about("test.give", Effect::Pure, true), Does::Pure(Ok)).unwrap();
    let defect = |_| panic!("a defect for tests");
    actions.add(about("test.defect", Effect::Pure, true), Does::Pure(defect)).unwrap();
    let thread = |_| Ok(json!({ "thread": format!("{:?}", std::thread::current().id()) }));
    actions.add(about("test.thread", Effect::Pure, true), Does::Pure(thread)).unwrap();
    actions.add(about("test.big", Effect::Read, true), work(Kind::Big)).unwrap();
    actions.add(about("test.slow", Effect::Read, true), work(Kind::Slow)).unwrap();
    actions.add(about("test.flaky", Effect::Read, true), work(Kind::Flaky)).unwrap();
    let number = About {
        output: r#"{"type": "object", "required": ["number"],
            "properties": {"number": {"type": "integer"}}}"#,
        ..about("test.number", Effect::Read, true)
    };
    actions.add(number, work(Kind::Flaky)).unwrap();
    actions.add(about("test.once", Effect::Write, false), work(Kind::Effect)).unwrap();
    actions.add(about("test.again", Effect::Write, true), work(Kind::Effect)).unwrap();
    actions
}

/// The plugin `desk`, whose actions a test can watch. What it is to do badly is told by the diary.
struct Desk(Diary);

#[async_trait]
impl PluginActions for Desk {
    fn plugin(&self, name: &str) -> Option<PluginState> {
        let account = PluginAccount { id: "acc".to_owned(), name: "Desk".to_owned() };
        let stopped = self.0.will_fail("asleep").then(asleep);
        let accounts = vec![account];
        (plugins::short(name) == "desk").then(|| PluginState {
            stopped,
            accounts,
            ..PluginState::default()
        })
    }

    fn about(&self, plugin: &str, action: &str) -> Option<PluginAction> {
        self.plugin(plugin)?;
        let (effect, idempotent) = match action {
            "desk.open" => (Effect::Write, false),
            "desk.close" => (Effect::Write, true),
            "desk.look" => (Effect::Read, true),
            _ => return None,
        };
        let output = Some(json!({ "type": "object", "required": ["number"] }));
        Some(PluginAction { effect, idempotent, input: Some(json!({})), output })
    }

    async fn perform(&self, deed: PluginDeed, _: &CancellationToken) -> Result<Value> {
        if self.0.will_fail("asleep") {
            return Err(asleep());
        }
        let PluginDeed { call, input, key, .. } = deed;
        self.0.write(format!("{} {} {key}", call.action, input["title"].as_str().unwrap()));
        if self.0.fails("hangs") {
            std::future::pending::<()>().await;
        }
        match () {
            () if self.0.fails("busy") => Err(Error::new(Code::Network, "the desk is busy")),
            () if self.0.fails("lost") => Err(Error::new(Code::InDoubt, "the line went dead")),
            () => Ok(input["gives"].clone()),
        }
    }
}

fn asleep() -> Error {
    Error::new(Code::PluginQuarantined, "desk is quarantined: it crashed")
        .hint("Enable it to try again: devrig plugin enable desk")
}

struct Test {
    diary: Diary,
    kind: Kind,
}

enum Kind {
    Big,
    Slow,
    Flaky,
    Effect,
}

#[async_trait]
impl Action for Test {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        match self.kind {
            Kind::Big => {
                self.diary.write(format!("big {}", context.node));
                let bytes = usize::try_from(input["bytes"].as_u64().unwrap()).unwrap();
                let mut random = fastrand::Rng::with_seed(input["seed"].as_u64().unwrap_or(0));
                let text: String = (0..bytes).map(|_| random.alphanumeric()).collect();
                return Ok(json!({ "text": text }));
            }
            Kind::Slow => {
                self.diary.write(format!("begin {}", context.node));
                tokio::time::sleep(Duration::from_millis(input["ms"].as_u64().unwrap())).await;
                self.diary.write(format!("end {}", context.node));
            }
            Kind::Flaky => {
                self.diary.write(format!("try {} {}", context.node, context.attempt));
                if self.diary.fails(context.node) {
                    return Err(Error::new(Code::Network, "the line is down"));
                }
            }
            Kind::Effect if self.diary.file.is_some() => {
                self.diary.write(format!("begin {} {}", context.flow, context.key));
                let ms = input["ms"].as_u64().unwrap_or_default();
                tokio::time::sleep(Duration::from_millis(ms)).await;
                self.diary.write(format!("end {} {}", context.flow, context.key));
            }
            Kind::Effect => {
                self.diary.write(format!("effect {}", context.key.split('/').nth(1).unwrap()));
                if input["hangs"] == json!(true) && self.diary.fails("hang") {
                    std::future::pending::<()>().await;
                }
            }
        }
        Ok(input)
    }
}
