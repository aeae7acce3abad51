//! One home, several processes: import, triage, undo, restart, guests, and who takes over.

use std::sync::Arc;
use std::time::Duration;

use devrig_engine::api::inbox::{
    ImportArgs, InboxListArgs, OperateArgs, OperationKind, Target, UndoArgs,
};
use devrig_engine::events::EngineEvent;
use devrig_engine::{Api, NoArgs};
use devrig_inbox::ItemInput;
use devrig_tests::rig::wait;
use devrig_tests::{Package, Rig};
use futures::StreamExt;

fn items(count: usize) -> Vec<ItemInput> {
    (0..count)
        .map(|number| ItemInput {
            external_id: format!("n{number}"),
            kind: "note".into(),
            title: format!("Note {number}"),
            body: Some("Words to be found".into()),
            ..ItemInput::default()
        })
        .collect()
}

async fn state(api: &dyn Api) -> serde_json::Value {
    let args = InboxListArgs { query: "is:any".into(), limit: Some(100), ..Default::default() };
    serde_json::to_value(api.inbox_list(args).await.expect("a page").items).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_imported_and_triaged_is_the_same_after_a_restart() {
    let mut rig = Rig::start().await;
    let done = rig.api.inbox_import(ImportArgs { items: items(10) }).await.expect("an import");
    assert_eq!((done.created, done.unchanged), (10, 0));
    let again = rig.api.inbox_import(ImportArgs { items: items(10) }).await.expect("an import");
    assert_eq!((again.created, again.unchanged), (0, 10), "the same items are told apart");

    let before = state(&*rig.api).await;
    let target = Target::Query("title 3 or \"Note 4\"".into());
    let changed = rig
        .api
        .inbox_operate(OperateArgs { operation: OperationKind::Done, target })
        .await
        .expect("done");
    assert!(changed.changed > 0);
    assert_ne!(state(&*rig.api).await, before);
    rig.api.inbox_undo(UndoArgs::default()).await.expect("undone");
    let mut undone = state(&*rig.api).await;
    assert_eq!(titles(&mut undone), titles(&mut before.clone()));

    let id = rig.first("is:any").await;
    let star = OperateArgs { operation: OperationKind::Star, target: Target::Ids(vec![id]) };
    rig.api.inbox_operate(star).await.expect("a star");
    let last = state(&*rig.api).await;
    rig.restart().await;
    assert_eq!(state(&*rig.api).await, last);
    rig.api.inbox_undo(UndoArgs::default()).await.expect("undo works after a restart too");
    assert!(rig.titles("is:starred").await.is_empty());
    rig.end().await;
}

fn titles(page: &mut serde_json::Value) -> Vec<String> {
    page.as_array()
        .expect("a list")
        .iter()
        .map(|item| item["title"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_and_the_owner_see_each_others_work() {
    let rig = Rig::start().await;
    let (one, two) = (rig.guest().await, rig.guest().await);
    let mut events = two.events().await.expect("a subscription");
    one.inbox_import(ImportArgs { items: items(3) }).await.expect("an import by a guest");
    let told = tokio::time::timeout(Duration::from_secs(20), async {
        while let Some(event) = events.next().await {
            if let EngineEvent::ItemsChanged { items, .. } = event
                && items.len() == 3
            {
                return true;
            }
        }
        false
    });
    assert!(told.await.expect("an event in time"), "the other guest hears of the three items");
    assert_eq!(state(&one).await, state(&two).await);
    assert_eq!(state(&*rig.api).await, state(&two).await);
    let error = one.inbox_list(InboxListArgs { query: "is:unred".into(), ..Default::default() });
    let error = error.await.expect_err("errors cross the socket");
    assert_eq!(error.code, devrig_core::Code::InvalidQuery);
    assert!(error.details.is_some(), "with their details");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_process_takes_over_when_the_owner_ends() {
    let mut rig = Rig::start().await;
    rig.api.inbox_import(ImportArgs { items: items(2) }).await.expect("an import");
    let waiting = rig.another().await;
    assert_eq!(
        serde_json::to_value(waiting.role()).expect("JSON"),
        serde_json::json!("guest"),
        "one process owns the home folder"
    );
    let api = waiting.api().await.expect("a guest's calls");
    assert_eq!(state(&*api).await.as_array().map(Vec::len), Some(2));
    rig.connection.close().await;
    wait("the guest to own the home folder", async || {
        let role = serde_json::to_value(waiting.role()).expect("JSON");
        (role == serde_json::json!("owner")).then_some(())
    })
    .await;
    let api: Arc<dyn Api> = waiting.api().await.expect("its own engine");
    assert_eq!(state(&*api).await.as_array().map(Vec::len), Some(2), "nothing was lost");
    rig.connection = waiting;
    rig.end().await;
}

/// Stores what it finds out as one item.
fn spy(name: &str, permissions: &[&str], body: &str) -> Package {
    let code = format!(
        "devrig.activate((sdk) => {{
           sdk.dataSources.register('{name}.items', {{ async sync(cursor, ds) {{
             const found = [];
             const attempt = async (what, run) => {{
               try {{ found.push(what + ': ' + JSON.stringify(await run())) }}
               catch (error) {{ found.push(what + ': ' + (error.code ?? error.name)) }}
             }};
             {body}
             await ds.storeItems([{{ externalId: 'found', type: 'note', title: 'found by {name}', body: found.join('\\n') }}]);
             return {{ cursor: 'c', itemCount: 1, hasMore: false }};
           }} }});
           sdk.actions.register('{name}.act', async () => ({{ success: true }}));
         }})"
    );
    Package::new(name, permissions, &code)
}

async fn found(rig: &Rig, name: &str) -> String {
    let item = rig.first(&format!("is:any from:{name}")).await;
    let args = devrig_engine::api::inbox::ItemArgs { id: item };
    rig.api.inbox_get(args).await.expect("what it found").body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_reaches_nothing_that_it_was_not_granted() {
    let rig = Rig::start().await;
    rig.net
        .serve(devrig_net::testnet::Site::new("evil.test", "93.184.216.34"), |_| {
            devrig_net::testnet::Reply::ok("here")
        })
        .await;
    let victim = spy("victim", &["inbox:write", "storage"], "await sdk.storage.set('k', 'mine');");
    let victim = rig.install(&victim).await;
    assert!(rig.sync(&victim).await.error.is_none());
    let hostile = spy(
        "hostile",
        &["inbox:write", "storage", "network:good.test"],
        "await attempt('fetch', async () => (await fetch('https://evil.test/')).status);
         await attempt('loopback', async () => (await fetch('http://127.0.0.1:1/')).status);
         await attempt('metadata', async () => (await fetch('http://169.254.169.254/')).status);
         await attempt('secret', () => sdk.secrets.get('token'));
         await attempt('git', () => sdk.git.discover('/'));
         await attempt('notify', () => sdk.notify('a', 'b'));
         await attempt('storage', () => sdk.storage.get('k'));
         await attempt('items', async () => (await ds.queryItems({})).map((item) => item.title).filter((title) => title !== 'found by hostile'));
         await attempt('require', () => typeof require + typeof process + typeof Deno);",
    );
    let hostile = rig.install(&hostile).await;
    assert!(rig.sync(&hostile).await.error.is_none(), "a refusal is no failure of the sync");
    let found = found(&rig, "hostile").await;
    for line in [
        "fetch: REFUSED",
        "loopback: REFUSED",
        "metadata: REFUSED",
        "secret: REFUSED",
        "git: REFUSED",
        "notify: REFUSED",
        "storage: null",
        "items: []",
        "require: \"undefinedundefinedundefined\"",
    ] {
        assert!(found.contains(line), "{line:?} is missing in:\n{found}");
    }
    assert!(rig.net.seen().is_empty(), "no request left: {:?}", rig.net.seen());
    assert!(rig.net.lookups().is_empty(), "no name was looked up");
    assert!(rig.notices.all().is_empty());
    let audit = rig.audit("hostile").await;
    assert!(audit.len() >= 4, "each refusal is in the audit log: {audit:?}");
    assert!(rig.sync(&victim).await.error.is_none(), "the other plugin goes on");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runaway_is_ended_while_everything_else_answers() {
    let rig = Rig::start().await;
    let good = rig.install(&spy("good", &["inbox:write"], "")).await;
    let runaway =
        spy("runaway", &["inbox:write"], "Array.prototype.reverse.call({ length: 2 ** 53 - 1 });");
    let runaway = rig.install(&runaway).await;
    let guest = rig.guest().await;
    let attack = async {
        let status = rig.sync(&runaway).await;
        let error = status.error.expect("the sync failed");
        assert_eq!(error.category, devrig_core::Category::Plugin, "{error}");
    };
    let others = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..40 {
            let begun = std::time::Instant::now();
            guest.inbox_stats(NoArgs {}).await.expect("the engine answers");
            slowest = slowest.max(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(rig.sync(&good).await.error.is_none());
        slowest
    };
    let ((), slowest) = tokio::join!(attack, others);
    assert!(slowest < Duration::from_secs(2), "a call took {slowest:?} during the attack");
    let audit = rig.audit("runaway").await;
    assert!(audit.iter().any(|row| row.contains("budget:cpu")), "{audit:?}");
    rig.end().await;
}
