//! Plugins over a fresh database, the real worker, and the tests' own internet.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use devrig_core::id::AccountId;
use devrig_core::notify::{Notice, Notifier};
use devrig_core::{Result, Sensitive, SystemClock};
use devrig_inbox::{Inbox, ListQuery};
use devrig_jobs::{Jobs, Workers};
use devrig_net::Egress;
use devrig_net::testnet::TestNet;
use devrig_plugins::info::{AccountInfo, PluginInfo, SyncState, SyncStatus};
use devrig_plugins::{Opener, Plugins, PluginsParts};
use devrig_secrets::{MemoryKeychain, Vault};
use devrig_store::audit::{self, Recorded};
use devrig_store::{Store, StoreOptions};
use serde_json::{Value, json};

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// An address that everybody can reach on the real internet, and nobody in these tests.
pub const PUBLIC: &str = "93.184.216.34";
pub const SECOND: &str = "151.101.1.140";

pub struct Rig {
    pub plugins: Plugins,
    pub store: Store,
    pub inbox: Inbox,
    pub jobs: Jobs,
    pub vault: Vault,
    pub keychain: Arc<MemoryKeychain>,
    pub net: TestNet,
    pub notices: Arc<Notices>,
    pub opened: Arc<Opened>,
    pub workers: Option<Workers>,
    pub home: tempfile::TempDir,
}

#[derive(Default)]
pub struct Notices(pub Mutex<Vec<Notice>>);

impl Notifier for Notices {
    fn notify(&self, notice: Notice) {
        self.0.lock().unwrap().push(notice);
    }
}

#[derive(Default)]
pub struct Opened(pub Mutex<Vec<PathBuf>>);

#[devrig_jobs::async_trait]
impl Opener for Opened {
    async fn open_folder(&self, folder: &Path) -> Result<()> {
        self.0.lock().unwrap().push(folder.to_owned());
        Ok(())
    }

    async fn open_url(&self, _: &str) -> Result<()> {
        Ok(())
    }
}

/// The worker binary beside the tests; `cargo build -p devrig-plugin-host` makes it.
pub fn host_program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("devrig-plugin-host");
    assert!(program.is_file(), "build the worker first: cargo build -p devrig-plugin-host");
    program
}

impl Rig {
    pub async fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap()).await
    }

    /// Over a home folder that may have been used before.
    pub async fn at(home: tempfile::TempDir) -> Self {
        let clock = SystemClock::shared();
        let options = StoreOptions::new(
            home.path().join("devrig.db"),
            home.path().join("backups"),
            clock.clone(),
        );
        let store = Store::open(options).await.unwrap();
        let jobs = Jobs::new(store.clone());
        let inbox = Inbox::new(store.clone(), jobs.clone());
        let keychain = Arc::new(MemoryKeychain::default());
        let vault = Vault::new(store.clone(), keychain.clone());
        let net = TestNet::new();
        let (notices, opened) = (Arc::<Notices>::default(), Arc::<Opened>::default());
        let plugins = Plugins::start(PluginsParts {
            store: store.clone(),
            inbox: inbox.clone(),
            jobs: jobs.clone(),
            vault: vault.clone(),
            egress: Arc::new(Egress::new(net.parts(clock.clone())).unwrap()),
            clock,
            notifier: notices.clone(),
            opener: opened.clone(),
            host_program: host_program(),
            bundled: vec![home.path().join("bundle")],
            home_plugins: home.path().join("plugins"),
            version: "0.1.0".to_owned(),
        })
        .await
        .unwrap();
        let workers = Workers::start(&jobs, plugins.job_handlers()).await.unwrap();
        Self {
            plugins,
            store,
            inbox,
            jobs,
            vault,
            keychain,
            net,
            notices,
            opened,
            workers: Some(workers),
            home,
        }
    }

    /// Ends as the engine does, and gives the home folder back.
    pub async fn close(mut self) -> tempfile::TempDir {
        if let Some(workers) = self.workers.take() {
            workers.shutdown().await;
        }
        self.plugins.shutdown().await;
        self.store.close().await;
        self.home
    }

    /// Installs a plugin whose entry module is `source`, and gives its first account.
    pub async fn install(&self, manifest: Value, source: &str) -> AccountInfo {
        let folder = package(&manifest, &[("index.js", source)]);
        let info = self.plugins.install(folder.path()).await.unwrap();
        info.accounts[0].clone()
    }

    /// Installs it, grants all it asks for, and waits for the first sync, which comes by itself.
    pub async fn granted(&self, manifest: Value, source: &str) -> AccountInfo {
        let account = self.install(manifest, source).await;
        let account = self.plugins.grant(&account.id, None).await.unwrap();
        until("the first sync", async || {
            let status = self.status(&account.id).await;
            let waiting = &self.plugins.accounts().await.unwrap();
            let waiting = waiting.iter().find(|one| one.id == account.id).unwrap();
            let waits = waiting.waiting.as_ref().is_some_and(|why| !why.contains("permissions"));
            status.last_sync_at.is_some() || status.state == SyncState::Error || waits
        })
        .await;
        self.quiet(&account).await;
        account
    }

    /// Waits until no sync of the account is queued or running.
    pub async fn quiet(&self, account: &AccountInfo) {
        until("the end of the sync", async || {
            let open: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM job WHERE dedup LIKE ?
                 AND status IN ('pending', 'waiting', 'running')",
            )
            .bind(format!("plugin.sync:{}:%", account.id))
            .fetch_one(self.store.reader())
            .await
            .unwrap();
            open == 0
        })
        .await;
    }

    pub async fn secret(&self, account: &AccountInfo, name: &str, value: &str) {
        let value = Sensitive::from(value.to_owned());
        self.plugins.secret_set(&account.id, name, value).await.unwrap();
    }

    pub async fn info(&self, plugin: &str) -> PluginInfo {
        let list = self.plugins.list().await.unwrap();
        list.into_iter().find(|info| info.name == plugin).expect("the plugin is there")
    }

    pub async fn status(&self, account: &AccountId) -> SyncStatus {
        let all = self.plugins.sync_status().await.unwrap();
        all.into_iter().find(|status| status.account == *account).expect("it has a source")
    }

    /// Syncs and waits for the end of it.
    pub async fn sync(&self, account: &AccountInfo) -> SyncStatus {
        self.quiet(account).await;
        self.plugins.sync_now(Some(account.id.clone()), None).await.unwrap();
        self.quiet(account).await;
        self.status(&account.id).await
    }

    /// Runs an action of the account and waits until its row has left the way: its output, or
    /// its state and error.
    pub async fn act(&self, account: &AccountInfo, action: &str, input: Value) -> Acted {
        let row = self.plugins.action(None, Some(account.id.clone()), action, input).await.unwrap();
        self.acted(&row.id).await
    }

    pub async fn acted(&self, id: &str) -> Acted {
        let start = Instant::now();
        loop {
            let (state, output, error): (String, Option<String>, Option<String>) =
                sqlx::query_as("SELECT state, output, error FROM outbox WHERE id = ?")
                    .bind(id)
                    .fetch_one(self.store.reader())
                    .await
                    .unwrap();
            if state != "waiting" && state != "sending" {
                let output = output.map(|text| serde_json::from_str(&text).unwrap());
                return Acted { state, output: output.unwrap_or_default(), error };
            }
            assert!(start.elapsed() < 2 * PATIENCE, "the action {id} is {state}: {error:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn titles(&self) -> Vec<String> {
        let page = self
            .inbox
            .list(&ListQuery { query: "is:any".into(), limit: 500, ..ListQuery::default() })
            .await
            .unwrap();
        let mut titles: Vec<String> = page.items.into_iter().map(|item| item.title).collect();
        titles.sort();
        titles
    }

    pub async fn audits(&self, plugin: &str) -> Vec<Recorded> {
        audit::list(self.store.reader(), Some(plugin), None, 100).await.unwrap()
    }

    /// Waits until the audit log has an entry of that rule.
    pub async fn audited(&self, plugin: &str, rule: &str) -> Recorded {
        let start = Instant::now();
        loop {
            let entries = self.audits(plugin).await;
            if let Some(entry) = entries.iter().find(|one| one.entry.rule == rule) {
                return entry.clone();
            }
            assert!(start.elapsed() < PATIENCE, "{rule} expected: {entries:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn cursor(&self, account: &AccountInfo) -> Option<String> {
        sqlx::query_scalar("SELECT cursor FROM sync_state WHERE account = ?")
            .bind(account.id.as_str())
            .fetch_one(self.store.reader())
            .await
            .unwrap()
    }
}

/// Waits for a condition; a test that hangs here has failed.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < PATIENCE, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[derive(Debug)]
pub struct Acted {
    pub state: String,
    pub output: Value,
    pub error: Option<String>,
}

impl Acted {
    pub fn output(self) -> Value {
        assert_eq!(self.state, "sent", "{self:?}");
        self.output
    }
}

/// A package in a folder of its own.
pub fn package(manifest: &Value, files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = serde_json::to_string_pretty(manifest).unwrap();
    std::fs::write(folder.path().join("devrig-plugin.json"), text).unwrap();
    for (path, text) in files {
        std::fs::write(folder.path().join(path), text).unwrap();
    }
    folder
}

/// A manifest with the source `s` and the actions `t` (reads) and `w` (writes).
pub fn manifest(name: &str, permissions: &[&str]) -> Value {
    let mut all = vec!["inbox:write"];
    all.extend(permissions);
    json!({
        "name": name, "version": "1.0.0", "displayName": name, "engine": ">=0.1.0",
        "main": "index.js", "permissions": all,
        "capabilities": {
            "dataSources": [{ "id": "s", "name": "Source" }],
            "actions": [
                { "id": "t", "name": "Try", "effect": "read", "inputSchema": {} },
                { "id": "w", "name": "Write", "inputSchema": {} },
            ],
        },
    })
}

/// A plugin with the body of its sync (`cursor`, `ds`, `sdk` at hand).
pub fn syncs(body: &str) -> String {
    format!(
        "devrig.activate((sdk) => {{ sdk.dataSources.register('s', {{ async sync(cursor, ds) {{ {body} }} }}) }})"
    )
}

/// A plugin whose actions run the JavaScript that they get as input; errors come back as data.
pub const RUNNER: &str = "
devrig.activate((sdk) => {
  const run = async (input, context) => {
    const body = new Function('sdk', 'context', 'return (async () => {' + input.code + '})()');
    try {
      return { success: true, output: (await body(sdk, context)) ?? null };
    } catch (error) {
      if (input.rethrow) throw error;
      return { success: true, output: { failed: error.message, code: error.code ?? error.name } };
    }
  };
  sdk.actions.register('t', run);
  sdk.actions.register('w', run);
  sdk.dataSources.register('s', { async sync(cursor, ds) {
    await ds.storeItems([{ externalId: '1', type: 'x', title: 'of ' + sdk.pluginId }]);
    return { cursor: 'c', itemCount: 1, hasMore: false };
  } });
});";

pub fn code(code: &str) -> Value {
    json!({ "code": code })
}
