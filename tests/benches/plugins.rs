//! What plugins cost in the whole engine: a host call through the broker, and how soon a runaway
//! that the engine's own interrupt never reaches is ended.
#![cfg(target_os = "linux")]

use std::time::Duration;

use devrig_tests::watch::Watch;
use devrig_tests::{Package, Rig};
use serde_json::{Value, json};

/// Of CPU, for one call.
const BUDGET: Duration = Duration::from_secs(5);
/// The plugin's clock has steps of 0.1 ms, so calls are timed by the batch.
const BATCH: usize = 50;
const BATCHES: usize = 400;

#[tokio::main]
async fn main() {
    host_calls().await;
    runaways().await;
}

/// Runs one sync with `body`, and gives what it stored as its item's body.
async fn run(rig: &Rig, name: &str, permissions: &[&str], body: &str) -> Value {
    let code = format!(
        "devrig.activate((sdk) => {{
           sdk.dataSources.register('{name}.items', {{ async sync(cursor, ds) {{
             let found = null;
             {body}
             await ds.storeItems([{{ externalId: 'found', type: 'note', title: '{name}', body: JSON.stringify(found) }}]);
             return {{ cursor: 'c', itemCount: 1, hasMore: false }};
           }} }});
           sdk.actions.register('{name}.act', async () => ({{ success: true }}));
         }})"
    );
    let package = Package::new(name, permissions, &code);
    let plugin = rig.install_only(&package).await.expect("the package is installed");
    let account = plugin.accounts.into_iter().next().expect("the first account");
    rig.grant_all(&account).await;
    devrig_tests::rig::wait("the first sync", async || {
        let status = rig.status(&account.id).await;
        (status.last_sync_at.is_some() || status.error.is_some()).then_some(())
    })
    .await;
    let found = rig.titles(&format!("is:any from:{}", account.id)).await;
    if found.is_empty() {
        return Value::Null;
    }
    let id = rig.first(&format!("is:any from:{}", account.id)).await;
    let args = devrig_engine::api::inbox::ItemArgs { id };
    let item = rig.api.inbox_get(args).await.expect("an item");
    serde_json::from_str(&item.body).unwrap_or(json!(null))
}

async fn host_calls() {
    let rig = Rig::start().await;
    for (name, call) in [
        ("answered-in-memory", "sdk.secrets.list()"),
        ("read-from-the-store", "sdk.storage.get('key')"),
    ] {
        let body = format!(
            "await sdk.storage.set('key', 'x'.repeat(1000));
             const times = [];
             for (let i = 0; i < {BATCHES}; i++) {{
               const begun = performance.now();
               for (let n = 0; n < {BATCH}; n++) await {call};
               times.push((performance.now() - begun) / {BATCH});
             }}
             times.sort((a, b) => a - b);
             found = {{ p50: times[{}], p99: times[{}] }};",
            BATCHES / 2,
            BATCHES * 99 / 100
        );
        let found = run(&rig, name, &["inbox:write", "storage", "secrets:token"], &body).await;
        let micros = |key: &str| found[key].as_f64().unwrap_or(f64::NAN) * 1_000.0;
        println!(
            "host call through the broker, {name}: p50 {:.0} µs, p99 {:.0} µs",
            micros("p50"),
            micros("p99")
        );
    }
    rig.connection.close().await;
}

async fn runaways() {
    let rig = Rig::start().await;
    for (name, body) in [
        ("script-loop", "for (;;);"),
        ("native-reverse", "Array.prototype.reverse.call({ length: 2 ** 53 - 1 });"),
        ("native-fill", "const bytes = new Uint8Array(60e6); for (;;) bytes.fill(1);"),
    ] {
        let watch = Watch::start();
        run(&rig, name, &["inbox:write"], body).await;
        let used = watch.used().worker_cpu;
        println!(
            "runaway, {name}: ended {:.0} ms of CPU after its budget (seen every 20 ms)",
            used.saturating_sub(BUDGET).as_secs_f64() * 1e3
        );
    }
    rig.connection.close().await;
}
