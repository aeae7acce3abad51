//! A known secret, looked for everywhere but where it belongs.

use std::path::Path;

use devrig_engine::api::engine::LogsArgs;
use devrig_engine::api::inbox::{InboxListArgs, ItemArgs};
use devrig_engine::api::plugin::PluginLogsArgs;
use devrig_engine::api::secret::SecretSetArgs;
use devrig_engine::{Api, NoArgs};
use devrig_net::testnet::{Reply, Site};
use devrig_tests::rig::wait;
use devrig_tests::{Package, Rig};
use futures::StreamExt;
use serde::Serialize;

/// Made up for this test.
const SECRET: &str = "s3cr3t-Kx9wQ-for-the-test-only";

const USES_IT: &str = "devrig.activate((sdk) => {
  sdk.dataSources.register('leaky.items', { async sync(cursor, ds) {
    const token = await sdk.secrets.ref('token');
    const ask = async (url) => {
      try {
        const answer = await fetch(url, { headers: { authorization: 'Bearer ' + token } });
        return await answer.text();
      } catch (error) { return String(error.code) + ' ' + error.message; }
    };
    const own = await ask('https://good.test/echo');
    const other = await ask('https://other.test/echo');
    sdk.log.info('token ' + token + ' gave ' + own);
    await sdk.storage.set('token', token);
    let revealed; try { revealed = await sdk.secrets.get('token'); } catch (error) { revealed = error.code; }
    await ds.storeItems([{ externalId: 'a', type: 'note', title: 'token ' + token,
      body: [own, other, revealed].join('\\n') }]);
    return { cursor: 'c', itemCount: 1, hasMore: false };
  } });
  sdk.actions.register('leaky.act', async () => ({ success: true }));
})";

fn holds(haystack: &[u8]) -> bool {
    haystack.windows(SECRET.len()).any(|window| window == SECRET.as_bytes())
}

/// Every file below a folder that holds the secret.
fn files_with_it(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with_it(&path));
        } else if std::fs::read(&path).is_ok_and(|bytes| holds(&bytes)) {
            found.push(path.display().to_string());
        }
    }
    found
}

fn text(reply: &impl Serialize) -> String {
    serde_json::to_string(reply).expect("replies are JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_reaches_its_host_and_nothing_else() {
    let rig = Rig::start().await;
    let echo =
        |seen: &devrig_net::testnet::Seen| Reply::ok(seen.header("authorization").to_owned());
    rig.net.serve(Site::new("good.test", "93.184.216.34"), echo).await;
    rig.net.serve(Site::new("other.test", "93.184.216.35"), echo).await;
    let permissions = [
        "inbox:write",
        "storage",
        "network:good.test",
        "network:other.test",
        "secrets:token@good.test",
    ];
    let account = rig.install(&Package::new("leaky", &permissions, USES_IT)).await;
    let guest = rig.guest().await;
    let mut events = guest.events().await.expect("a subscription");
    let set = SecretSetArgs {
        account: Some(account.id.clone()),
        name: "token".into(),
        value: SECRET.into(),
    };
    guest.secret_set(set).await.expect("the secret is stored");
    assert!(rig.sync(&account).await.error.is_none());

    let sent = |host: &str| {
        let seen = rig.net.seen_by(host);
        seen.first().map(|seen| seen.header("authorization").to_owned()).unwrap_or_default()
    };
    // The sync that ended may be one that began before the secret was there.
    wait("the sync that has the secret", async || {
        (!rig.titles("is:any from:leaky").await.is_empty()).then_some(())
    })
    .await;
    assert_eq!(sent("good.test"), format!("Bearer {SECRET}"), "its own host gets the value");
    assert!(sent("other.test").starts_with("Bearer devrig-secret-"), "another host a placeholder");

    let item = rig.first("is:any from:leaky").await;
    let plugin = account.plugin.clone();
    let logs = PluginLogsArgs { plugin, account: None, before: None, limit: None };
    let list = InboxListArgs { query: "is:any".into(), ..Default::default() };
    let replies = [
        text(&guest.inbox_list(list).await.expect("a page")),
        text(&guest.inbox_get(ItemArgs { id: item }).await.expect("an item")),
        text(&guest.plugin_list(NoArgs {}).await.expect("the plugins")),
        text(&guest.plugin_logs(logs).await.expect("the log")),
        text(&guest.secret_list(NoArgs {}).await.expect("names")),
        text(&guest.sync_status(NoArgs {}).await.expect("the syncs")),
        text(&guest.engine_logs(LogsArgs::default()).await.expect("the engine's log")),
        text(&rig.audit("leaky").await),
    ];
    for reply in &replies {
        assert!(!reply.contains(SECRET), "a reply holds the secret: {reply}");
    }
    assert!(replies[1].contains("REFUSED"), "the value itself was not granted: {}", replies[1]);
    let mut told = 0;
    while let Ok(Some(event)) =
        tokio::time::timeout(std::time::Duration::from_millis(300), events.next()).await
    {
        told += 1;
        assert!(!text(&event).contains(SECRET), "an event holds the secret");
    }
    assert!(told > 0, "there were events to look into");
    let workers = workers_of(std::process::id());
    assert!(!workers.is_empty(), "the plugin's worker is still there");
    for worker in workers {
        assert!(!memory_holds_it(worker), "the worker's memory holds the secret");
    }
    let found = files_with_it(rig.folder.path());
    assert!(found.is_empty(), "files hold the secret: {found:?}");
    rig.api.db_backup(Default::default()).await.expect("a copy");
    let home = rig.home.path().to_owned();
    rig.connection.close().await;
    let found = files_with_it(&home);
    assert!(found.is_empty(), "files hold the secret after the end: {found:?}");
}

/// The worker processes that this process started.
fn workers_of(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("Linux").flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let Some((name, rest)) = stat.rsplit_once(')') else { return false };
            name.contains("devrig-plugin")
                && rest.split_whitespace().nth(1) == Some(&parent.to_string())
        })
        .collect()
}

/// Reads all of a process's writable memory. Only root may, since workers cannot be dumped.
fn memory_holds_it(pid: u32) -> bool {
    use std::io::{Read, Seek, SeekFrom};
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let Ok(mut memory) = std::fs::File::open(format!("/proc/{pid}/mem")) else {
        eprintln!("the memory of {pid} cannot be read here (not root?), so it was not searched");
        return false;
    };
    maps.lines().filter(|line| line.contains(" rw")).any(|line| {
        let range = line.split_whitespace().next().and_then(|range| range.split_once('-'));
        let Some((start, end)) = range else { return false };
        let (Ok(start), Ok(end)) = (u64::from_str_radix(start, 16), u64::from_str_radix(end, 16))
        else {
            return false;
        };
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(0)];
        memory.seek(SeekFrom::Start(start)).is_ok()
            && memory.read_exact(&mut bytes).is_ok()
            && holds(&bytes)
    })
}
