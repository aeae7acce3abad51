//! Plugins that misbehave cost themselves, and nobody else.

mod common;

use std::time::{Duration, Instant};

use common::{RUNNER, Rig, code, manifest, package, syncs, until};
use devrig_plugins::info::{PluginState, SyncState};
use serde_json::json;

/// The engine never comes back from this, so only the process can be ended.
const NATIVE_LOOP: &str = "Array.prototype.reverse.call({ length: 2 ** 53 - 1 });";

#[tokio::test(flavor = "multi_thread")]
async fn a_native_loop_is_killed_in_time_and_others_go_on() {
    let rig = Rig::new().await;
    let good = rig.granted(manifest("good", &[]), RUNNER).await;
    let bad = rig.granted(manifest("bad", &[]), RUNNER).await;
    rig.act(&bad, "t", code("return 1")).await.output();
    let begun = Instant::now();
    let row = rig
        .plugins
        .action(None, Some(bad.id.clone()), "w", json!({ "code": NATIVE_LOOP, "rethrow": true }))
        .await
        .unwrap();
    until("the loop runs", async || begun.elapsed() > Duration::from_secs(6)).await;
    assert_eq!(rig.act(&good, "t", code("return 'here'")).await.output(), json!("here"));
    let stopped = rig.audited("bad", "budget:cpu").await;
    let took = begun.elapsed() - devrig_inbox::outbox::HOLD;
    // The budget counts CPU time, which a busy machine takes longer to give.
    assert!(took < Duration::from_secs(25), "5 s of CPU and a moment: {took:?}");
    assert_eq!(stopped.entry.verdict, "stopped");
    // It would be tried for ever; the person takes it back.
    let id = row.id.clone();
    rig.store
        .write(async move |tx: &mut devrig_store::Tx| {
            devrig_inbox::outbox::failed(tx, &id, &devrig_core::Error::internal("enough")).await
        })
        .await
        .unwrap();
    until("a fresh worker answers", async || rig.info("bad").await.state == PluginState::Active)
        .await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_is_quarantined_and_enabling_clears_it() {
    let rig = Rig::new().await;
    let account = rig.granted(manifest("loops", &[]), "throw new Error('never')").await;
    until("it is quarantined", async || rig.info("loops").await.state == PluginState::Quarantined)
        .await;
    rig.audited("loops", "activation").await;
    assert_eq!(rig.notices.0.lock().unwrap().len(), 1);
    assert_eq!(rig.status(&account.id).await.state, SyncState::Disabled);
    let home = rig.close().await;
    let rig = Rig::at(home).await;
    assert_eq!(rig.info("loops").await.state, PluginState::Quarantined, "also after a restart");
    let info = rig.plugins.enable("loops").await.unwrap();
    assert_ne!(info.state, PluginState::Quarantined);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_point_that_was_edited_on_disk_does_not_run() {
    let rig = Rig::new().await;
    let account = rig.granted(manifest("edited", &[]), &syncs("return { cursor: '1' };")).await;
    rig.plugins.disable("edited").await.unwrap();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(rig.home.path().join("plugins/edited")).unwrap() {
        files.push(entry.unwrap().path().join("index.js"));
    }
    assert_eq!(files.len(), 1);
    std::fs::write(&files[0], "globalThis.evil = true").unwrap();
    rig.plugins.enable("edited").await.unwrap();
    rig.plugins.sync_now(Some(account.id.clone()), None).await.unwrap();
    until("it is quarantined", async || rig.info("edited").await.state == PluginState::Quarantined)
        .await;
    rig.audited("edited", "package:changed").await;
    let home = rig.close().await;
    let rig = Rig::at(home).await;
    assert_eq!(rig.info("edited").await.state, PluginState::Quarantined);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_and_ten_thousand_calls_wait_their_turn() {
    let rig = Rig::new().await;
    let account = rig.granted(manifest("greedy", &["storage"]), RUNNER).await;
    let many = "
        const calls = Array.from({ length: 10_000 }, (_, i) => sdk.storage.get('k' + i));
        return (await Promise.all(calls)).length;";
    assert_eq!(rig.act(&account, "t", code(many)).await.output(), json!(10_000));
    let bomb = "const all = []; for (;;) all.push(new Uint8Array(1 << 20));";
    let output = rig.act(&account, "t", code(bomb)).await;
    assert_ne!(output.output, json!(1), "{output:?}");
    let huge = "return 'x'.repeat(40_000_000)";
    let output = rig.act(&account, "t", json!({ "code": huge, "rethrow": true })).await;
    assert_eq!(output.state, "failed", "{output:?}");
    assert_eq!(rig.act(&account, "t", code("return 2")).await.output(), json!(2));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_log_lines_is_cut_and_cannot_forge_lines() {
    let rig = Rig::new().await;
    let account = rig.granted(manifest("noisy", &[]), RUNNER).await;
    let flood = "for (let i = 0; i < 5_000; i++) sdk.log.info('line ' + i + '\\u001b[31m\\u202e');";
    rig.act(&account, "t", code(flood)).await.output();
    until("lines are kept", async || {
        rig.plugins.logs("noisy", None, None, 1_000).await.unwrap().len() > 100
    })
    .await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let lines = rig.plugins.logs("noisy", None, None, 1_000).await.unwrap();
    assert!(lines.len() < 1_000, "{}", lines.len());
    assert!(lines.iter().any(|line| line.message.contains("left out")));
    assert!(lines.iter().all(|line| !line.message.contains(['\u{1b}', '\u{202e}'])));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_declared_cannot_be_registered() {
    let rig = Rig::new().await;
    let source = "devrig.activate((sdk) => { try { sdk.actions.register('other.close', () => {}) } catch {} })";
    let account = rig.granted(manifest("liar", &[]), source).await;
    let status = rig.status(&account.id).await;
    assert!(status.error.unwrap().message.contains("not declared"));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uninstalling_leaves_items_unless_they_are_purged() {
    let rig = Rig::new().await;
    let account = rig.granted(manifest("goes", &["secrets:token", "network:a.test"]), RUNNER).await;
    rig.secret(&account, "token", "hunter2hunter2").await;
    rig.plugins.uninstall("goes", false).await.unwrap();
    assert_eq!(rig.titles().await, ["of goes"]);
    assert!(!rig.home.path().join("plugins/goes").exists());
    assert!(rig.plugins.list().await.unwrap().is_empty());

    let again = rig
        .plugins
        .install(package(&manifest("goes", &["secrets:token"]), &[("index.js", RUNNER)]).path())
        .await
        .unwrap();
    assert_eq!(again.accounts[0].id, account.id, "its items have their account back");
    assert!(again.accounts[0].granted.is_empty(), "but no grant");
    assert!(again.accounts[0].secrets_set.is_empty(), "and no secret");
    rig.plugins.uninstall("goes", true).await.unwrap();
    assert_eq!(rig.titles().await, Vec::<String>::new());
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_can_be_asked_for() {
    let rig = Rig::new().await;
    let report = rig.plugins.probe_sandbox().await.unwrap();
    assert!(report.seccomp && report.rlimits, "{report:?}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bundled_plugins_are_there_at_once_and_cannot_be_impersonated() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("bundle/local");
    std::fs::create_dir_all(&folder).unwrap();
    let manifest = manifest("local", &[]);
    std::fs::write(folder.join("devrig-plugin.json"), manifest.to_string()).unwrap();
    std::fs::write(folder.join("index.js"), RUNNER).unwrap();
    let rig = Rig::at(home).await;
    let info = rig.info("local").await;
    assert_eq!(info.source, devrig_plugins::info::PluginSource::Bundled);
    assert_eq!(info.accounts.len(), 1, "the first account is made silently");
    let impostor = package(&manifest, &[("index.js", "")]);
    let error = rig.plugins.install(impostor.path()).await.unwrap_err();
    assert!(error.message.contains("ships with DevRig"), "{error}");
    assert!(rig.plugins.uninstall("local", false).await.is_err());
    let only = rig.plugins.account_remove(&info.accounts[0].id, false).await;
    assert!(only.is_err(), "a plugin keeps one account");
    rig.plugins.grant(&info.accounts[0].id, None).await.unwrap();
    until("it syncs", async || rig.titles().await == ["of local"]).await;
    let home = rig.close().await;
    let rig = Rig::at(home).await;
    let again = rig.info("local").await;
    assert_eq!(again.accounts[0].id, info.accounts[0].id);
    assert_eq!(again.accounts[0].granted, ["inbox:write"]);
    rig.close().await;
}
