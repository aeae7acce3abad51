//! `kill -9` at any moment: nothing is lost, doubled, stuck or left over.
//!
//! The owner is the real command line in a process of its own; the source is a server of this test
//! that knows what it gave out and what it was told. 50 kills here, 1,000 with `./dev test --long`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use devrig_core::id::AccountId;
use devrig_engine::api::inbox::ActionArgs;
use devrig_engine::api::job::JobListArgs;
use devrig_engine::api::plugin::{GrantArgs, InstallArgs, SyncArgs};
use devrig_engine::{Api, Home, NoArgs};
use devrig_inbox::OutboxState;
use devrig_jobs::JobStatus;
use devrig_net::testnet::{Reply, Seen, TestNet};
use devrig_tests::rig::wait;
use devrig_tests::{Owner, Package};
use serde_json::{Value, json};
use sqlx::{Connection, Row};

const PAGE: usize = 7;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_kills_lose_double_and_leave_nothing() {
    Crash::new(0x5eed).await.run(50).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes half an hour; part of ./dev test --long"]
async fn a_thousand_kills_lose_double_and_leave_nothing() {
    Crash::new(0xfeed).await.run(1_000).await;
}

/// What the source has, and what it was told.
#[derive(Debug, Default)]
struct Upstream {
    items: usize,
    appended: BTreeMap<u64, u32>,
    put: BTreeMap<u64, u32>,
}

/// A small generator of its own, so that a run can be had again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

struct Crash {
    folder: tempfile::TempDir,
    home: Home,
    upstream: Arc<Mutex<Upstream>>,
    account: AccountId,
    dice: Dice,
    /// Numbers of the actions that DevRig took, by their ids in the outbox.
    appends: BTreeMap<String, u64>,
    puts: BTreeMap<String, u64>,
    _net: TestNet,
}

fn lock(upstream: &Mutex<Upstream>) -> std::sync::MutexGuard<'_, Upstream> {
    upstream.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Crash {
    async fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::at(folder.path().join("home"));
        let upstream = Arc::<Mutex<Upstream>>::default();
        let (net, told) = (TestNet::new(), Arc::clone(&upstream));
        let port = net.loopback(move |seen| answer(&told, seen)).await;
        let mut crash = Self {
            folder,
            home,
            upstream,
            account: AccountId::from("unknown"),
            dice: Dice(seed),
            appends: BTreeMap::new(),
            puts: BTreeMap::new(),
            _net: net,
        };
        let (owner, api) = Owner::start(&crash.home).await;
        let path = package(port).write(crash.folder.path());
        let plugin = api
            .plugin_install(InstallArgs { path: path.display().to_string() })
            .await
            .expect("the package is installed");
        crash.account = plugin.accounts[0].id.clone();
        let all = GrantArgs { id: crash.account.clone(), permissions: None };
        api.account_grant(all).await.expect("all is granted");
        owner.kill().await;
        crash
    }

    async fn run(mut self, kills: u32) {
        for n in 0..kills {
            if self.dice.below(8) == 0 {
                // While it starts, or recovers from the kill before.
                let owner = Owner::spawn(&self.home);
                tokio::time::sleep(Duration::from_millis(self.dice.below(150))).await;
                owner.kill().await;
            } else {
                self.work(u64::from(n)).await;
            }
            self.look_into_the_file().await;
        }
        self.settle().await;
    }

    /// Some work, and a kill in the middle of it.
    async fn work(&mut self, n: u64) {
        let (owner, api) = Owner::start(&self.home).await;
        lock(&self.upstream).items += 1 + self.dice.below(20) as usize;
        let sync = SyncArgs { account: Some(self.account.clone()), source: None };
        api.sync_now(sync).await.expect("the sync is taken");
        for (action, taken) in [("crash.append", &mut self.appends), ("crash.put", &mut self.puts)]
        {
            let args = ActionArgs {
                item_id: None,
                account: Some(self.account.clone()),
                action: action.to_owned(),
                input: json!({ "n": n }),
            };
            let row = api.inbox_action(args).await.expect("the action is taken");
            taken.insert(row.id, n);
        }
        tokio::time::sleep(Duration::from_millis(self.dice.below(1_200))).await;
        owner.kill().await;
    }

    /// The file as the kill left it, read from a copy.
    async fn look_into_the_file(&self) {
        let copy = tempfile::tempdir().expect("a temporary folder");
        let database = self.home.database();
        let log = database.with_extension("db-wal");
        std::fs::copy(&database, copy.path().join("devrig.db")).expect("the file is copied");
        // The log is not there when nothing was written since the last time.
        _ = std::fs::copy(log, copy.path().join("devrig.db-wal"));
        let url = format!("sqlite://{}", copy.path().join("devrig.db").display());
        let mut conn = sqlx::SqliteConnection::connect(&url).await.expect("the copy opens");
        let cursor: Option<String> = sqlx::query("SELECT cursor FROM sync_state")
            .fetch_one(&mut conn)
            .await
            .expect("the source's row")
            .get(0);
        let stored: Vec<String> = sqlx::query("SELECT external_id FROM item")
            .fetch_all(&mut conn)
            .await
            .expect("the items")
            .iter()
            .map(|row| row.get(0))
            .collect();
        conn.close().await.expect("the copy closes");
        let known: BTreeSet<&str> = stored.iter().map(String::as_str).collect();
        assert_eq!(known.len(), stored.len(), "no item is there twice");
        let covered: usize = cursor.map_or(0, |cursor| cursor.parse().expect("a number"));
        for n in 0..covered {
            assert!(known.contains(n.to_string().as_str()), "the cursor {covered} is ahead of {n}");
        }
    }

    /// One more life, without a kill: everything comes to its end.
    async fn settle(self) {
        let (owner, api) = Owner::start(&self.home).await;
        let items = lock(&self.upstream).items;
        let sync = SyncArgs { account: Some(self.account.clone()), source: None };
        api.sync_now(sync).await.expect("the sync is taken");
        wait("the source to catch up", async || {
            let stats = api.inbox_stats(NoArgs {}).await.expect("the counts");
            (serde_json::to_value(&stats).expect("JSON")["total"] == json!(items)).then_some(())
        })
        .await;
        let left = wait("the outbox to come to rest", async || {
            let rows = api.outbox_list(NoArgs {}).await.expect("the outbox");
            let moving = |state| matches!(state, OutboxState::Waiting | OutboxState::Sending);
            (!rows.iter().any(|row| moving(row.state))).then_some(rows)
        })
        .await;
        wait("the jobs to come to rest", async || {
            let jobs = api.job_list(JobListArgs::default()).await.expect("the jobs").jobs;
            let moving = |status| matches!(status, JobStatus::Running | JobStatus::Pending);
            (!jobs.iter().any(|job| moving(job.status))).then_some(())
        })
        .await;
        let mut undecided = BTreeSet::new();
        for row in &left {
            assert_eq!(row.state, OutboxState::NeedsDecision, "{row:?}");
            undecided.insert(*self.appends.get(&row.id).expect("what is idempotent is sent again"));
        }
        {
            let told = lock(&self.upstream);
            println!(
                "{} items; {} appended, {} of them in doubt; {} put, {} more than once",
                items,
                self.appends.len(),
                undecided.len(),
                self.puts.len(),
                told.put.values().filter(|times| **times > 1).count()
            );
            for n in self.appends.values() {
                match told.appended.get(n) {
                    Some(1) => {}
                    Some(times) => panic!("{n} was appended {times} times"),
                    None => assert!(undecided.contains(n), "{n} was lost without a word"),
                }
            }
            for n in self.puts.values() {
                assert!(told.put.contains_key(n), "{n} was never put");
            }
        }
        owner.kill().await;
        self.look_into_the_file().await;
    }
}

fn answer(upstream: &Mutex<Upstream>, seen: &Seen) -> Reply {
    let mut upstream = lock(upstream);
    // Different for each request, so that kills fall before, into and behind it; actions take long.
    let spread = (seen.connection * 37 + seen.path.len() as u64 * 13) % 120;
    let pause = Duration::from_millis(if seen.method == "GET" { spread } else { 3 * spread });
    let number = |prefix: &str| seen.path.strip_prefix(prefix)?.parse::<u64>().ok();
    if let Some(from) = number("/items/") {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let next = (from + PAGE).min(upstream.items).max(from);
        let body = json!({ "items": (from..next).collect::<Vec<_>>(), "next": next, "more": next < upstream.items });
        return Reply::ok(body.to_string()).after(pause);
    }
    if let Some(n) = number("/append/") {
        *upstream.appended.entry(n).or_default() += 1;
    } else if let Some(n) = number("/put/") {
        *upstream.put.entry(n).or_default() += 1;
    } else {
        return Reply::new(404, "no");
    }
    Reply::ok("{}").after(pause)
}

fn package(port: u16) -> Package {
    let base = format!("http://127.0.0.1:{port}");
    let code = format!(
        "devrig.activate((sdk) => {{
           sdk.dataSources.register('crash.items', {{ async sync(cursor, ds) {{
             const page = await (await fetch('{base}/items/' + (cursor ?? 0))).json();
             const items = page.items.map((n) => ({{ externalId: String(n), type: 'note', title: 'item ' + n }}));
             await ds.storeItems(items.slice(0, 3));
             await ds.storeItems(items.slice(3));
             return {{ cursor: String(page.next), itemCount: items.length, hasMore: page.more }};
           }} }});
           for (const [name, method] of [['append', 'POST'], ['put', 'PUT']]) {{
             sdk.actions.register('crash.' + name, async (input) => {{
               const reply = await fetch('{base}/' + name + '/' + input.n, {{ method }});
               if (!reply.ok) throw new Error('the server answered ' + reply.status);
               return {{ success: true }};
             }});
           }}
         }})"
    );
    let permissions = ["inbox:write", &format!("network:127.0.0.1:{port}")];
    let mut package = Package::new("crash", &permissions, &code);
    let action = |name: &str, idempotent: bool| -> Value {
        json!({
            "id": format!("crash.{name}"), "name": name, "idempotent": idempotent,
            "inputSchema": { "type": "object", "properties": { "n": { "type": "integer" } } },
        })
    };
    package.manifest["capabilities"]["actions"] =
        json!([action("append", false), action("put", true)]);
    package
}
