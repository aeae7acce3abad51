//! The plugins that behave: one that goes on working, and one that only has things to lose.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use devrig_engine::api::inbox::{InboxListArgs, ItemArgs};
use devrig_engine::api::plugin::{AccountInfo, SyncArgs, SyncState};
use devrig_engine::api::secret::SecretSetArgs;
use devrig_engine::{Api, NoArgs};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::plugin::Package;
use crate::rig::{PATIENCE, Rig, wait};
use crate::witness::{Secrets, files};

/// Between two rounds.
const PAUSE: Duration = Duration::from_millis(700);
/// A round that takes longer was held up by somebody else.
const ROUND: Duration = Duration::from_secs(20);

/// Keeps count of its syncs, keeps something for good, and tells all that it can see.
const CODE: &str = "devrig.activate((sdk) => {
  let heard = 0;
  sdk.events.on('saved', () => { heard++; });
  sdk.dataSources.register('NAME.items', { async sync(cursor, ds) {
    const rounds = ((await sdk.storage.get('rounds')) ?? 0) + 1;
    await sdk.storage.set('rounds', rounds);
    if (rounds === 1) {
      await sdk.storage.set('kept', { text: 'kept by NAME' });
      await ds.storeItems([{ externalId: 'kept', type: 'note', title: 'of NAME', body: 'words' }]);
    }
    const items = (await ds.queryItems({ types: ['note'] })).map((item) => [item.externalId, item.title, item.status]);
    const sees = { heard, keys: await sdk.storage.list(), kept: await sdk.storage.get('kept'), items };
    await ds.storeItems([{ externalId: 'state', type: 'state', title: 'state', body: JSON.stringify({ rounds, sees }) }]);
    return { cursor: String(rounds), itemCount: 1, hasMore: false };
  } });
  sdk.actions.register('NAME.act', async () => ({ success: true }));
})";

/// Installs a well-behaved plugin with a secret, and waits for its first sync.
pub async fn honest(rig: &Rig, secrets: &Secrets, name: &str) -> AccountInfo {
    let permissions = ["inbox:write", "storage", "secrets:token", "network:api.example.com"];
    let package = Package::new(name, &permissions, &CODE.replace("NAME", name));
    let plugin = rig.install_only(&package).await.expect("the package is installed");
    let account = plugin.accounts.into_iter().next().expect("the first account");
    plant(rig, secrets, &account).await;
    let account = rig.grant_all(&account).await;
    wait("the first sync", async || {
        let status = rig.status(&account.id).await;
        (status.last_sync_at.is_some() && status.state == SyncState::Idle).then_some(())
    })
    .await;
    account
}

/// Gives an account a secret that is known here, and must be seen nowhere.
pub async fn plant(rig: &Rig, secrets: &Secrets, account: &AccountInfo) {
    let value = secret_of(&account.plugin);
    secrets.add(&value);
    let args = SecretSetArgs { account: Some(account.id.clone()), name: "token".into(), value };
    rig.api.secret_set(args).await.expect("the secret is stored");
}

/// The value of the secret `token` of a plugin of these tests.
pub fn secret_of(plugin: &str) -> String {
    let short = plugin.trim_start_matches("devrig-plugin-");
    format!("s3cr3t-of-{short}-Zq9wKx42")
}

/// All that a plugin's account has: what the person is shown, and what the plugin itself sees.
pub async fn state_of(rig: &Rig, account: &AccountInfo) -> Value {
    let status = rig.sync(account).await;
    assert!(status.error.is_none(), "a plugin that behaves does not fail: {status:?}");
    let query = format!("is:any type:note from:{}", account.id);
    let page =
        rig.api.inbox_list(InboxListArgs { query, ..Default::default() }).await.expect("a page");
    let mut items = Vec::new();
    for item in page.items {
        items.push(rig.api.inbox_get(ItemArgs { id: item.id }).await.expect("an item"));
    }
    let plugins = rig.api.plugin_list(NoArgs {}).await.expect("the plugins");
    let plugin = plugins.into_iter().find(|plugin| plugin.name == account.plugin);
    let secrets = rig.api.secret_list(NoArgs {}).await.expect("names of secrets");
    let secrets: Vec<_> =
        secrets.into_iter().filter(|one| one.account.as_ref() == Some(&account.id)).collect();
    json!({
        "items": items,
        "plugin": plugin,
        "secrets": secrets,
        "settings": rig.api.settings_all(NoArgs {}).await.expect("the settings"),
        "sees": told(rig, account).await["sees"],
    })
}

/// What the plugin told in its last sync.
async fn told(rig: &Rig, account: &AccountInfo) -> Value {
    let query = format!("is:any type:state from:{}", account.id);
    let id = rig.first(&query).await;
    let item = rig.api.inbox_get(ItemArgs { id }).await.expect("an item");
    serde_json::from_str(&item.body).expect("the plugin's own JSON")
}

/// The files of the home folder with their bytes, apart from the database, the logs, the folder
/// for the socket and lock, and what belongs to these plugins.
pub fn listing(rig: &Rig, without: &[String]) -> BTreeMap<PathBuf, Vec<u8>> {
    let home = &rig.home;
    let apart = |path: &PathBuf| {
        path.starts_with(home.data())
            || path.starts_with(home.logs())
            || without.iter().any(|plugin| path.starts_with(home.plugins().join(plugin)))
    };
    files(home.path())
        .into_iter()
        .filter(|path| !apart(path))
        .map(|path| (path.clone(), std::fs::read(path).unwrap_or_default()))
        .collect()
}

/// A plugin that syncs again and again.
pub struct Neighbour {
    account: AccountInfo,
    over: CancellationToken,
    task: JoinHandle<Rounds>,
}

#[derive(Default)]
struct Rounds {
    done: u64,
    slowest: Duration,
    wrong: Vec<String>,
}

impl Neighbour {
    pub async fn start(rig: &Rig, account: AccountInfo) -> Self {
        let over = CancellationToken::new();
        let before = told(rig, &account).await["rounds"].as_u64().expect("a count");
        assert_eq!(before, 1, "it has synced once");
        let task = tokio::spawn(go_on(Arc::clone(&rig.api), account.clone(), over.clone()));
        Self { account, over, task }
    }

    /// The slowest sync, and what went wrong.
    pub async fn end(self, rig: &Rig) -> (Duration, Vec<String>) {
        self.over.cancel();
        let Rounds { done, slowest, mut wrong } = self.task.await.expect("no panic");
        let told = told(rig, &self.account).await;
        if told["rounds"] != json!(done + 1) {
            wrong.push(format!(
                "the neighbour synced {} times instead of {}",
                told["rounds"],
                done + 1
            ));
        }
        if told["sees"]["heard"] != 0 || told["sees"]["kept"]["text"] != "kept by neighbour" {
            wrong.push(format!("the neighbour was disturbed: {told}"));
        }
        if slowest > ROUND {
            wrong.push(format!("a sync of the neighbour took {slowest:?}"));
        }
        if done < 2 {
            wrong.push(format!("the neighbour had time for {done} syncs only"));
        }
        (slowest, wrong)
    }
}

async fn go_on(api: Arc<dyn Api>, account: AccountInfo, over: CancellationToken) -> Rounds {
    let mut rounds = Rounds::default();
    while !over.is_cancelled() {
        let before = status(&*api, &account).await;
        let begun = Instant::now();
        let args = SyncArgs { account: Some(account.id.clone()), source: None };
        api.sync_now(args).await.expect("the sync is taken");
        let after = loop {
            let now = status(&*api, &account).await;
            let moved = now.last_sync_at != before.last_sync_at || now.error.is_some();
            if moved && now.state != SyncState::Syncing {
                break now;
            }
            assert!(begun.elapsed() < PATIENCE, "waited too long for the neighbour's sync");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        rounds.done += 1;
        rounds.slowest = rounds.slowest.max(begun.elapsed());
        if let Some(error) = after.error {
            rounds.wrong.push(format!("a sync of the neighbour failed: {error}"));
        }
        over.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
    }
    rounds
}

async fn status(api: &dyn Api, account: &AccountInfo) -> devrig_engine::api::plugin::SyncStatus {
    let all = api.sync_status(NoArgs {}).await.expect("the syncs");
    all.into_iter().find(|status| status.account == account.id).expect("the account's sync")
}
