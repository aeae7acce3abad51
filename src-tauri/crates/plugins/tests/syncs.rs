//! Syncs: pages, cursors, failures, waiting, and what survives a restart.

mod common;

use std::time::Duration;

use common::{Rig, manifest, package, syncs, until};
use devrig_core::Code;
use devrig_plugins::info::{PluginState, SyncState};
use devrig_secrets::Behaviour;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_read_until_the_source_has_no_more() {
    let rig = Rig::new().await;
    let source = syncs(
        "const page = Number(cursor ?? 0);
         ds.reportSyncProgress({ current: page, total: 3 });
         await ds.storeItems([{ externalId: `e${page}`, type: 'x', title: `page ${page} ${ds.backfill}` }]);
         return { cursor: String(page + 1), itemCount: 1, hasMore: page < 2 };",
    );
    let account = rig.granted(manifest("pager", &[]), &source).await;
    let status = rig.status(&account.id).await;
    assert_eq!(status.state, SyncState::Idle, "{status:?}");
    assert_eq!(status.items_synced, 3.0);
    assert_eq!(rig.cursor(&account).await.as_deref(), Some("3"));
    assert_eq!(rig.titles().await, ["page 0 true", "page 1 true", "page 2 true"]);
    assert!(status.next_sync_at > status.last_sync_at);
    rig.sync(&account).await;
    assert_eq!(rig.cursor(&account).await.as_deref(), Some("4"));
    assert!(rig.titles().await.contains(&"page 3 false".to_owned()), "caught up once");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_keeps_the_cursor_and_backs_off() {
    let rig = Rig::new().await;
    let source = syncs(
        "await ds.storeItems([{ externalId: 'a', type: 'x', title: 'stored' }]);
         if (cursor === 'one') throw new Error('the desk is on fire');
         return { cursor: 'one', itemCount: 1, hasMore: true };",
    );
    let account = rig.granted(manifest("fails", &[]), &source).await;
    let status = rig.status(&account.id).await;
    assert_eq!(status.state, SyncState::Error);
    assert!(status.error.unwrap().message.contains("on fire"));
    assert_eq!(rig.cursor(&account).await.as_deref(), Some("one"));
    assert_eq!(rig.titles().await, ["stored"]);
    let next = status.next_sync_at.unwrap().since(rig.store.clock().now());
    assert!(next > Duration::from_secs(50) && next <= Duration::from_secs(60), "{next:?}");
    let again = rig.sync(&account).await;
    let next = again.next_sync_at.unwrap().since(rig.store.clock().now());
    assert!(next > Duration::from_secs(110), "it doubles: {next:?}");
    until("the log tells", async || {
        let logs = rig.plugins.logs("fails", None, None, 50).await.unwrap();
        logs.iter().any(|line| line.message.contains("on fire"))
    })
    .await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_does_not_move_ends_the_sync() {
    let rig = Rig::new().await;
    let source = syncs("return { cursor: 'same', itemCount: 0, hasMore: true };");
    let account = rig.granted(manifest("stuck", &[]), &source).await;
    let status = rig.sync(&account).await;
    assert_eq!(status.state, SyncState::Error);
    assert!(status.error.unwrap().message.contains("does not move"));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_without_end_goes_on_at_its_next_turn() {
    let rig = Rig::new().await;
    let source = syncs("return { cursor: String(Number(cursor ?? 0) + 1), hasMore: true };");
    let account = rig.granted(manifest("endless", &[]), &source).await;
    let status = rig.status(&account.id).await;
    assert_eq!(status.state, SyncState::Idle, "{status:?}");
    assert_eq!(rig.cursor(&account).await.as_deref(), Some("200"));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_is_over_with_a_run_that_began_after_it_was_asked_for() {
    let rig = Rig::new().await;
    let source = syncs(
        "await new Promise((done) => setTimeout(done, 300));
         return { cursor: String(Number(cursor ?? 0) + 1), itemCount: 0, hasMore: false };",
    );
    let account = rig.granted(manifest("slow", &[]), &source).await;
    assert_eq!(rig.cursor(&account).await.as_deref(), Some("1"));
    let ask = async || rig.plugins.sync_now(Some(account.id.clone()), None).await.unwrap();
    ask().await;
    until("it syncs", async || rig.status(&account.id).await.state == SyncState::Syncing).await;
    let asked = rig.store.clock().now();
    ask().await;
    until("the second is over", async || rig.status(&account.id).await.is_over(asked)).await;
    assert_eq!(rig.cursor(&account).await.as_deref(), Some("3"));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_account_waits_for_grants_and_then_goes_by_itself() {
    let rig = Rig::new().await;
    let source = syncs(
        "await ds.storeItems([{ externalId: 'a', type: 'x', title: 'here' }]);
         return { cursor: '1' };",
    );
    let account = rig.install(manifest("fresh", &[]), &source).await;
    assert!(account.waiting.is_some());
    let status = rig.sync(&account).await;
    assert_eq!(status.state, SyncState::Waiting, "{status:?}");
    assert_eq!(rig.info("fresh").await.state, PluginState::Installed);
    rig.plugins.grant(&account.id, None).await.unwrap();
    until("it syncs", async || rig.titles().await == ["here"]).await;
    assert_eq!(rig.info("fresh").await.state, PluginState::Active);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_and_a_locked_keychain_are_waited_for() {
    let rig = Rig::new().await;
    let source = syncs("await sdk.secrets.ref('token'); return { cursor: '1' };");
    let account =
        rig.granted(manifest("needs", &["secrets:token", "network:a.test"]), &source).await;
    let status = rig.sync(&account).await;
    assert_eq!(status.state, SyncState::Waiting, "{status:?}");
    let waiting = rig.info("needs").await.accounts[0].waiting.clone().unwrap();
    assert!(waiting.contains("token"), "{waiting}");
    rig.secret(&account, "token", "hunter2hunter2").await;
    until("it syncs", async || rig.cursor(&account).await.is_some()).await;

    rig.vault.lock();
    rig.keychain.behave(Behaviour::Locked);
    let status = rig.sync(&account).await;
    assert_eq!(status.state, SyncState::Waiting, "{status:?}");
    rig.keychain.behave(Behaviour::Open);
    rig.vault.unlock(None).await.unwrap();
    until("it is idle", async || rig.status(&account.id).await.state == SyncState::Idle).await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_waited_for_until_it_is_connected_and_tried_at_once_with_another_secret() {
    let rig = Rig::new().await;
    let source = syncs(
        "const known = await sdk.secrets.list();
         if (known.length === 0) throw new Error('it ran without its secret');
         const tries = ((await sdk.storage.get('tries')) ?? 0) + 1;
         await sdk.storage.set('tries', tries);
         if (tries === 1) throw new sdk.DevRigError('refused', { code: 'UNAUTHORIZED' });
         return { cursor: '1' };",
    );
    let mut manifest = manifest("joined", &["secrets:token", "storage", "network:a.test"]);
    manifest["connection"] = json!({ "secret": "token", "title": "Token" });
    let account = rig.granted(manifest, &source).await;
    let status = rig.sync(&account).await;
    assert_eq!(status.state, SyncState::Waiting, "{status:?}");
    let waiting = rig.info("joined").await.accounts[0].waiting.clone().unwrap();
    assert_eq!(waiting, "It is not connected yet.");
    rig.secret(&account, "token", "hunter2hunter2").await;
    until("it is refused", async || rig.status(&account.id).await.error.is_some()).await;
    rig.secret(&account, "token", "hunter3hunter3").await;
    until("it is tried again at once", async || rig.cursor(&account).await.is_some()).await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_items_and_grants_survive_a_restart() {
    let rig = Rig::new().await;
    let source = syncs(
        "await ds.storeItems([{ externalId: cursor ?? '0', type: 'x', title: `at ${cursor}` }]);
         return { cursor: String(Number(cursor ?? 0) + 1) };",
    );
    let account = rig.granted(manifest("stays", &[]), &source).await;
    let home = rig.close().await;
    let rig = Rig::at(home).await;
    rig.sync(&account).await;
    assert_eq!(rig.cursor(&account).await.as_deref(), Some("2"));
    assert_eq!(rig.titles().await, ["at 1", "at undefined"]);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn intervals_have_a_floor_and_sources_can_be_switched_off() {
    let rig = Rig::new().await;
    let account = rig.granted(manifest("tuned", &[]), &syncs("return { cursor: '1' };")).await;
    let refused = rig.plugins.sync_configure(&account.id, "s", Some(1_000.0), None, None).await;
    assert!(refused.unwrap_err().hint.unwrap().contains("30000"));
    let status = rig
        .plugins
        .sync_configure(&account.id, "s", Some(45_000.0), Some(false), None)
        .await
        .unwrap();
    assert_eq!((status.interval_ms, status.state), (45_000.0, SyncState::Disabled));
    assert!(rig.plugins.sync_now(Some(account.id.clone()), None).await.is_err());
    rig.close().await;
}

/// Makes every source due, as the passing of its interval would.
async fn make_due(rig: &Rig) {
    rig.store
        .write(async move |tx: &mut devrig_store::Tx| {
            sqlx::query("UPDATE sync_state SET next_at = '2026-01-01T00:00:00.000Z'")
                .execute(tx.conn())
                .await
                .map_err(devrig_store::from_sqlx)?;
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_left_alone_in_its_quiet_hours_unless_a_person_asks() {
    let rig = Rig::new().await;
    let count = "const n = ((await sdk.storage.get('n')) ?? 0) + 1; await sdk.storage.set('n', n);
        await ds.storeItems([{ externalId: String(n), type: 'note', title: 'run ' + n }]);
        return { cursor: String(n) };";
    let account = rig.granted(manifest("quiet", &["storage"]), &syncs(count)).await;
    until("the first run", async || rig.titles().await.len() == 1).await;
    let refused =
        rig.plugins.sync_configure(&account.id, "s", None, None, Some("noon".into())).await;
    assert_eq!(refused.unwrap_err().code, Code::InvalidInput);
    let hour = |from_now: i64| {
        let at = rig.store.clock().now().as_ms() / 3_600_000 + from_now;
        format!("{:02}:00", at.rem_euclid(24))
    };
    let hours = format!("{}-{} UTC", hour(-1), hour(2));
    let configure = async |quiet: &str| {
        let quiet = Some(quiet.to_owned());
        rig.plugins.sync_configure(&account.id, "s", None, Some(true), quiet).await.unwrap()
    };
    assert_eq!(configure(&hours).await.quiet_hours.as_deref(), Some(hours.as_str()));
    make_due(&rig).await;
    let status = configure(&hours).await;
    let next = status.next_sync_at.unwrap().since(rig.store.clock().now());
    assert!(next > Duration::from_secs(3_500), "the end of the hours is told: {next:?}");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(rig.titles().await.len(), 1, "it is due and left alone");
    rig.plugins.sync_now(Some(account.id.clone()), None).await.unwrap();
    until("the run that was asked for", async || rig.titles().await.len() == 2).await;
    make_due(&rig).await;
    assert_eq!(configure("").await.quiet_hours, None);
    until("it goes on", async || rig.titles().await.len() == 3).await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_far_ahead_is_pulled_in() {
    let rig = Rig::new().await;
    let account = rig.granted(manifest("ahead", &[]), &syncs("return { cursor: '1' };")).await;
    let home = rig.close().await;
    // As a clock that was a year ahead would have left it.
    let rig = Rig::at(home).await;
    let id = account.id.clone();
    rig.store
        .write(async move |tx: &mut devrig_store::Tx| {
            sqlx::query(
                "UPDATE sync_state SET next_at = '2099-01-01T00:00:00.000Z' WHERE account = ?",
            )
            .bind(id.as_str())
            .execute(tx.conn())
            .await
            .map_err(devrig_store::from_sqlx)?;
            Ok(())
        })
        .await
        .unwrap();
    let home = rig.close().await;
    let rig = Rig::at(home).await;
    until("it is pulled in", async || {
        let next = rig.status(&account.id).await.next_sync_at.unwrap();
        next.since(rig.store.clock().now()) <= Duration::from_secs(301)
    })
    .await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_keeps_grants_and_holds_what_is_new() {
    let rig = Rig::new().await;
    let source = syncs("return { cursor: '1' };");
    let account = rig.granted(manifest("grows", &[]), &source).await;
    let mut wider = manifest("grows", &["storage", "network:evil.test"]);
    wider["version"] = "1.0.1".into();
    let info = rig.plugins.install(package(&wider, &[("index.js", &source)]).path()).await.unwrap();
    assert_eq!(info.accounts[0].id, account.id);
    assert_eq!(info.accounts[0].granted, ["inbox:write"]);
    assert_eq!(rig.sync(&account).await.state, SyncState::Idle, "the old grants go on");
    rig.close().await;
}
