//! A whole DevRig in a temporary home.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use devrig_core::id::{AccountId, ItemId};
use devrig_core::notify::{Answer, Notice, OnAnswer, Presenter};
use devrig_core::{Result, SystemClock};
use devrig_engine::api::engine::AuditArgs;
use devrig_engine::api::inbox::{ActionArgs, InboxListArgs, OutboxRow};
use devrig_engine::api::plugin::{
    AccountInfo, GrantArgs, InstallArgs, PluginInfo, SyncArgs, SyncStatus,
};
use devrig_engine::{Api, Connection, EngineParts, Home, NoArgs, OwnerKind};
use devrig_inbox::OutboxState;
use devrig_net::testnet::TestNet;
use devrig_net::{Egress, EgressParts};
use devrig_secrets::MemoryKeychain;
use serde_json::{Value, json};

use crate::plugin::Package;

/// Nothing here takes longer unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Keeps what would have been shown, and lets a test answer it.
#[derive(Default)]
pub struct Notices(std::sync::Mutex<Vec<(Notice, Option<OnAnswer>)>>);

impl Notices {
    pub fn all(&self) -> Vec<Notice> {
        let shown = self.0.lock().expect("no panic while it was held");
        shown.iter().map(|(notice, _)| notice.clone()).collect()
    }

    /// As a click on the notice that came as number `place`.
    pub fn answer(&self, place: usize, answer: Answer) {
        let mut shown = self.0.lock().expect("no panic while it was held");
        let on_answer = shown[place].1.take().expect("a notice is answered once");
        on_answer(answer);
    }
}

impl Presenter for Notices {
    fn show(&self, notice: Notice, on_answer: OnAnswer) {
        self.0.lock().expect("no panic while it was held").push((notice, Some(on_answer)));
    }
}

/// Refuses to open anything, and remembers what it was asked to.
#[derive(Debug, Default)]
pub struct Opened(std::sync::Mutex<Vec<String>>);

impl Opened {
    pub fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic while it was held").clone()
    }
}

#[async_trait::async_trait]
impl devrig_plugins::Opener for Opened {
    async fn open_url(&self, url: &str) -> Result<()> {
        self.0.lock().expect("no panic while it was held").push(url.to_owned());
        Ok(())
    }

    async fn open_folder(&self, folder: &std::path::Path) -> Result<()> {
        self.0.lock().expect("no panic while it was held").push(folder.display().to_string());
        Ok(())
    }
}

pub struct Rig {
    pub folder: tempfile::TempDir,
    pub home: Home,
    pub net: TestNet,
    pub notices: Arc<Notices>,
    pub opened: Arc<Opened>,
    pub connection: Connection,
    pub api: Arc<dyn Api>,
    parts: EngineParts,
}

impl Rig {
    pub async fn start() -> Self {
        Self::start_with(host_program()).await
    }

    /// With another program in the place of the sandbox worker.
    pub async fn start_with(host_program: PathBuf) -> Self {
        let net = TestNet::new();
        let parts = net.parts(SystemClock::shared());
        Self::assemble(host_program, net, parts).await
    }

    /// On the real network, for peers that listen on loopback.
    pub async fn start_online() -> Self {
        let parts = EgressParts::system(SystemClock::shared());
        Self::assemble(host_program(), TestNet::new(), parts).await
    }

    async fn assemble(host_program: PathBuf, net: TestNet, egress: EgressParts) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::at(folder.path().join("home"));
        log_to(&home);
        let clock = SystemClock::shared();
        let (notices, opened) = (Arc::new(Notices::default()), Arc::new(Opened::default()));
        let parts = EngineParts {
            home: home.clone(),
            kind: OwnerKind::Headless,
            egress: Arc::new(Egress::new(egress).expect("a client of the network")),
            clock,
            keychain: Arc::new(MemoryKeychain::default()),
            presenter: notices.clone(),
            window_program: "devrig-desktop".into(),
            opener: opened.clone(),
            host_program,
            bundled: Vec::new(),
        };
        let connection = Connection::open(parts.clone()).await.expect("the engine starts");
        let api = connection.api().await.expect("the engine answers");
        Self { folder, home, net, notices, opened, connection, api, parts }
    }

    /// Stops the engine and starts another on the same home.
    pub async fn restart(&mut self) {
        self.connection.close().await;
        self.connection = Connection::open(self.parts.clone()).await.expect("it starts again");
        self.api = self.connection.api().await.expect("it answers again");
    }

    /// A process that starts beside this one and stays.
    pub async fn another(&self) -> Connection {
        Connection::open(self.parts.clone()).await.expect("a second process gets in")
    }

    /// What another process on this home would have.
    pub async fn guest(&self) -> devrig_engine::socket::Guest {
        devrig_engine::socket::Guest::connect(&self.home.socket()).await.expect("a guest gets in")
    }

    /// Installs a package and grants all that it declares.
    pub async fn install(&self, package: &Package) -> AccountInfo {
        let plugin = self.install_only(package).await.expect("the package is installed");
        let account =
            plugin.accounts.into_iter().next().expect("the first account is made silently");
        self.grant_all(&account).await
    }

    /// Grants all that the manifest declares.
    pub async fn grant_all(&self, account: &AccountInfo) -> AccountInfo {
        let args = GrantArgs { id: account.id.clone(), permissions: None };
        self.api.account_grant(args).await.expect("all is granted")
    }

    pub async fn install_only(&self, package: &Package) -> Result<PluginInfo> {
        let path = package.write(self.folder.path()).display().to_string();
        self.api.plugin_install(InstallArgs { path }).await
    }

    /// Runs the plugin's one action. `None` when it was sent, else the row that rests in the outbox.
    pub async fn act(&self, account: &AccountInfo, input: Value) -> Option<OutboxRow> {
        let short = account.plugin.trim_start_matches("devrig-plugin-");
        let args = ActionArgs {
            item_id: None,
            account: Some(account.id.clone()),
            action: format!("{short}.act"),
            input,
        };
        let row = self.api.inbox_action(args).await.expect("the action is taken");
        wait("the action to end", async || {
            let rows = self.api.outbox_list(NoArgs {}).await.expect("the outbox");
            match rows.into_iter().find(|now| now.id == row.id) {
                None => Some(None),
                Some(now) => match now.state {
                    OutboxState::Waiting | OutboxState::Sending => None,
                    _ => Some(Some(now)),
                },
            }
        })
        .await
    }

    /// Syncs the account's sources and gives the first one's state once it has ended.
    pub async fn sync(&self, account: &AccountInfo) -> SyncStatus {
        let args = SyncArgs { account: Some(account.id.clone()), source: None };
        let asked = SystemClock::shared().now();
        self.api.sync_now(args).await.expect("the sync is taken");
        wait("the sync to end", async || {
            let now = self.status(&account.id).await;
            now.is_over(asked).then_some(now)
        })
        .await
    }

    pub async fn status(&self, account: &AccountId) -> SyncStatus {
        let all = self.api.sync_status(NoArgs {}).await.expect("the syncs");
        all.into_iter().find(|status| status.account == *account).expect("the account's sync")
    }

    pub async fn titles(&self, query: &str) -> Vec<String> {
        let args = InboxListArgs { query: query.to_owned(), ..Default::default() };
        let page = self.api.inbox_list(args).await.expect("a page");
        page.items.into_iter().map(|item| item.title).collect()
    }

    pub async fn first(&self, query: &str) -> ItemId {
        let args = InboxListArgs { query: query.to_owned(), ..Default::default() };
        let page = self.api.inbox_list(args).await.expect("a page");
        page.items.into_iter().next().expect("an item").id
    }

    /// The audit rows of a plugin, newest first, as `rule verdict action`.
    pub async fn audit(&self, plugin: &str) -> Vec<String> {
        let args = AuditArgs { subject: None, before: None, limit: Some(500) };
        let rows = self.api.engine_audit(args).await.expect("the audit log");
        rows.into_iter()
            .filter(|row| row.subject.contains(plugin) || row.detail.to_string().contains(plugin))
            .map(|row| format!("{} {} {} {}", row.rule, row.verdict, row.action, row.detail))
            .collect()
    }

    pub async fn end(self) {
        self.connection.close().await;
    }
}

/// Logs as DevRig does, but more. A process has one log: that of its first rig.
fn log_to(home: &Home) {
    static LOG: std::sync::OnceLock<devrig_engine::logging::LogGuard> = std::sync::OnceLock::new();
    LOG.get_or_init(|| {
        devrig_engine::logging::start(&home.logs(), "debug").expect("the log can be written")
    });
}

/// The worker that the workspace's build left beside the tests.
pub fn host_program() -> PathBuf {
    program("devrig-plugin-host")
}

/// One of the product's programs, as the workspace's build left it beside the tests.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("target/<profile>");
    let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "{} is not built: run `cargo build` first", program.display());
    program
}

/// Polls until `probe` gives something.
pub async fn wait<T>(what: &str, probe: impl AsyncFn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An item of the SDK's input with the least that is needed.
pub fn item(external_id: &str, title: &str) -> Value {
    json!({ "externalId": external_id, "type": "note", "title": title })
}
