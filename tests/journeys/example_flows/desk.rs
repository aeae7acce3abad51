//! Somebody who keeps the examples, and did what their page says.

use std::path::{Path, PathBuf};

use devrig_core::notify::Notice;
use devrig_engine::NoArgs;
use devrig_engine::api::flow::{FlowEnableArgs, FlowPermitArgs, FlowSaveArgs, FlowVersionArgs};
use devrig_engine::api::inbox::{Item, ItemArgs};
use devrig_engine::api::run::{RunDetail, RunGetArgs, RunInfo, RunListArgs};
use devrig_engine::api::secret::SecretSetArgs;
use devrig_engine::api::settings::SettingSetArgs;
use devrig_engine::api::trigger::{Standing, TriggerFireArgs};
use devrig_tests::Rig;
use devrig_tests::rig::wait;
use serde_json::{Value, json};

pub const README: &str = include_str!("../../../docs/flows/README.md");
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/flows");
/// The value of every secret.
pub const SECRET: &str = "s3cret-of-the-examples";

/// One of the files.
pub struct Example {
    pub id: String,
    pub path: PathBuf,
    pub text: String,
}

/// All of them, by name.
pub fn examples() -> Vec<Example> {
    let entries = std::fs::read_dir(FOLDER).expect("the folder of the examples");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut found: Vec<Example> = paths.filter_map(|path| example(&path)).collect();
    found.sort_by(|one, other| one.id.cmp(&other.id));
    found
}

fn example(path: &Path) -> Option<Example> {
    let id = path.file_name()?.to_str()?.strip_suffix(".flow.json")?.to_owned();
    Some(Example { id, path: path.to_owned(), text: file(path.file_name()?.to_str()?) })
}

/// A file beside them.
pub fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(FOLDER).join(name)).expect("a file of the examples")
}

/// What the page says that a flow is to be allowed.
fn permissions(id: &str) -> Vec<String> {
    let command = format!("devrig flow allow {id} ");
    let lines = README.lines().filter_map(|line| line.strip_prefix(&command));
    lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// The secrets that the page has stored.
fn secrets() -> impl Iterator<Item = &'static str> {
    let after = |line: &'static str| line.split("devrig secret set ").nth(1);
    README.lines().filter_map(after).filter_map(|rest| rest.split_whitespace().next())
}

pub struct Desk {
    pub rig: Rig,
    /// What `~` stands for.
    pub home: PathBuf,
}

impl Desk {
    /// With these flows, and the one that hears of failures.
    pub async fn with(ids: &[&str]) -> Self {
        let rig = Rig::start().await;
        let home = rig.folder.path().canonicalize().expect("a folder").join("kim");
        std::fs::create_dir(&home).expect("a home folder");
        let desk = Self { rig, home };
        desk.prepare().await;
        desk.keep("failure-report", |_| {}).await;
        for id in ids {
            desk.keep(id, |_| {}).await;
        }
        desk
    }

    /// Many listen on one machine.
    async fn prepare(&self) {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let setting = SettingSetArgs { key: "webhooks.port".into(), value: json!(port) };
        self.rig.api.settings_set(setting).await.expect("it is taken");
        for name in secrets() {
            let secret =
                SecretSetArgs { account: None, name: name.to_owned(), value: SECRET.to_owned() };
            self.rig.api.secret_set(secret).await.expect("it is stored");
        }
    }

    /// Saves a flow with a change of its own, allows it what the page says, and lets it go.
    pub async fn keep(&self, id: &str, change: impl FnOnce(&mut Value)) {
        let text = self.at_home(&file(&format!("{id}.flow.json")));
        let mut definition: Value = serde_json::from_str(&text).expect("JSON");
        change(&mut definition);
        self.save(definition).await;
        self.let_go(id, &permissions(id)).await;
    }

    pub async fn save(&self, definition: Value) {
        let args = FlowSaveArgs { definition, layout: None, must_be_new: false };
        self.rig.api.flow_save(args).await.expect("it is saved");
    }

    pub async fn let_go(&self, id: &str, allow: &[String]) {
        let api = &self.rig.api;
        let allow = allow.iter().map(|one| self.at_home(one)).collect();
        let permit = FlowPermitArgs { id: id.to_owned(), allow, forbid: Vec::new() };
        api.flow_permit(permit).await.expect("it is allowed");
        let newest = FlowVersionArgs { id: id.to_owned(), version: None };
        api.flow_publish(newest).await.expect("it is live");
        let on = FlowEnableArgs { id: id.to_owned(), enabled: true };
        api.flow_enable(on).await.expect("it is on");
        wait("its triggers to be told of it", async || {
            let triggers = api.trigger_list(NoArgs {}).await.expect("the triggers");
            let is_armed = |state| !matches!(state, Standing::Off | Standing::Starting);
            triggers.iter().any(|one| one.flow == id && is_armed(one.state)).then_some(())
        })
        .await;
    }

    fn at_home(&self, text: &str) -> String {
        text.replace("~/", &format!("{}/", self.home.display()))
    }

    /// A folder below the home.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.home.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    /// Fires a trigger by hand; without a payload with what it could tell.
    pub async fn fire(&self, flow: &str, trigger: &str, payload: Option<Value>) -> String {
        let args = TriggerFireArgs {
            flow: flow.to_owned(),
            trigger: trigger.to_owned(),
            payload,
            event: None,
        };
        self.rig.api.trigger_fire(args).await.expect("it fires").run.expect("a run")
    }

    /// A run, once it rests.
    pub async fn run(&self, id: &str) -> RunDetail {
        let args = RunGetArgs { id: id.to_owned(), wait_ms: Some(30_000) };
        self.rig.api.run_get(args).await.expect("the run")
    }

    pub async fn runs(&self, flow: &str) -> Vec<RunInfo> {
        let args = RunListArgs { flow: Some(flow.to_owned()), ..RunListArgs::default() };
        self.rig.api.run_list(args).await.expect("the runs")
    }

    /// The one item that a query finds, once it does.
    pub async fn item(&self, query: &str) -> Item {
        let titles = wait(query, async || {
            let titles = self.rig.titles(query).await;
            (!titles.is_empty()).then_some(titles)
        })
        .await;
        assert_eq!(titles.len(), 1, "{titles:?}");
        let id = self.rig.first(query).await;
        self.rig.api.inbox_get(ItemArgs { id }).await.expect("the item")
    }

    /// The notification with this title, once it was shown.
    pub async fn told(&self, title: &str) -> Notice {
        wait(title, async || {
            self.rig.notices.all().into_iter().find(|notice| notice.title == title)
        })
        .await
    }

    /// Where requests for a flow go.
    pub async fn address(&self, flow: &str) -> String {
        let triggers = self.rig.api.trigger_list(NoArgs {}).await.expect("the triggers");
        let trigger = triggers.into_iter().find(|one| one.flow == flow).expect("its trigger");
        trigger.url.unwrap_or_else(|| panic!("it does not listen: {:?}", trigger.error))
    }
}
