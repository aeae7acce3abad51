//! The source is down for a while: what was done meanwhile arrives afterwards, each once and in
//! order, over two kills of the owner.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use devrig_core::id::AccountId;
use devrig_engine::api::inbox::ActionArgs;
use devrig_engine::api::plugin::{GrantArgs, InstallArgs, SyncArgs};
use devrig_engine::socket::Guest;
use devrig_engine::{Api, Home, NoArgs};
use devrig_inbox::OutboxState;
use devrig_net::testnet::{Reply, Seen, TestNet};
use devrig_tests::rig::wait;
use devrig_tests::{Owner, Package};
use serde_json::json;

const ACTIONS: u64 = 500;

/// A source that knows an action by its key, as one has to that calls its actions idempotent.
#[derive(Debug, Default)]
struct Upstream {
    up: bool,
    keys: BTreeSet<String>,
    applied: Vec<u64>,
    refused: u32,
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_actions_of_an_outage_arrive_once_and_in_order() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = Home::at(folder.path().join("home"));
    let upstream = Arc::<Mutex<Upstream>>::default();
    let (net, told) = (TestNet::new(), Arc::clone(&upstream));
    let port = net.loopback(move |seen| answer(&told, seen)).await;

    let (owner, api) = Owner::start(&home).await;
    let path = package(port).write(folder.path()).display().to_string();
    let plugin = api.plugin_install(InstallArgs { path }).await.expect("it is installed");
    let account = plugin.accounts[0].id.clone();
    let all = GrantArgs { id: account.clone(), permissions: None };
    api.account_grant(all).await.expect("all is granted");
    act(&api, &account, 0..ACTIONS / 2).await;
    wait("an attempt that fails", async || (lock(&upstream).refused > 0).then_some(())).await;
    owner.kill().await;

    let (owner, api) = Owner::start(&home).await;
    let waiting = api.outbox_list(NoArgs {}).await.expect("the outbox");
    assert_eq!(waiting.len() as u64, ACTIONS / 2, "all that was taken waits");
    act(&api, &account, ACTIONS / 2..ACTIONS).await;
    assert!(lock(&upstream).applied.is_empty(), "it is down");

    lock(&upstream).up = true;
    let sync = || SyncArgs { account: Some(account.clone()), source: None };
    api.sync_now(sync()).await.expect("the sync is taken");
    let hundred = async || (lock(&upstream).applied.len() > 100).then_some(());
    wait("a sync that answers brings the actions on their way", hundred).await;
    owner.kill().await;

    let (owner, api) = Owner::start(&home).await;
    wait("the outbox to empty", async || {
        let rows = api.outbox_list(NoArgs {}).await.expect("the outbox");
        let rests = rows.iter().find(|row| row.state == OutboxState::NeedsDecision);
        assert_eq!(rests, None, "what is idempotent is sent again");
        rows.is_empty().then_some(())
    })
    .await;
    assert_eq!(lock(&upstream).applied, (0..ACTIONS).collect::<Vec<_>>());
    owner.kill().await;
}

async fn act(api: &Guest, account: &AccountId, numbers: std::ops::Range<u64>) {
    for n in numbers {
        let args = ActionArgs {
            item_id: None,
            account: Some(account.clone()),
            action: "offline.put".into(),
            input: json!({ "n": n }),
        };
        api.inbox_action(args).await.expect("the action is taken");
    }
}

fn lock(upstream: &Mutex<Upstream>) -> std::sync::MutexGuard<'_, Upstream> {
    upstream.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(upstream: &Mutex<Upstream>, seen: &Seen) -> Reply {
    let mut upstream = lock(upstream);
    if !upstream.up {
        upstream.refused += 1;
        return Reply::hang_up();
    }
    if let Some(n) = seen.path.strip_prefix("/put/").and_then(|n| n.parse().ok())
        && upstream.keys.insert(seen.header("idempotency-key").to_owned())
    {
        upstream.applied.push(n);
    }
    Reply::ok("{}")
}

fn package(port: u16) -> Package {
    let base = format!("http://127.0.0.1:{port}");
    let code = format!(
        "devrig.activate((sdk) => {{
           sdk.dataSources.register('offline.items', {{ async sync() {{
             await fetch('{base}/items');
             return {{ cursor: null, itemCount: 0, hasMore: false }};
           }} }});
           sdk.actions.register('offline.put', async (input, {{ idempotencyKey }}) => {{
             const headers = {{ 'idempotency-key': idempotencyKey }};
             await fetch('{base}/put/' + input.n, {{ method: 'PUT', headers }});
             return {{ success: true }};
           }});
         }})"
    );
    let permissions = ["inbox:write", &format!("network:127.0.0.1:{port}")];
    let mut package = Package::new("offline", &permissions, &code);
    package.manifest["capabilities"]["actions"] = json!([{
        "id": "offline.put", "name": "Put", "idempotent": true,
        "inputSchema": { "type": "object", "properties": { "n": { "type": "integer" } } },
    }]);
    package
}
