//! Ten thousand schedules: how late they fire, full durability and history on, and what they cost
//! while they wait. `cargo bench -p devrig-flow --bench schedules [-- SECONDS]`.

#[path = "../tests/engine/common.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{OneSecret, node};
use devrig_core::{Actor, SystemClock, Timestamp};
use devrig_flow::network::Network;
use devrig_flow::others::Others;
use devrig_flow::triggers::{Surroundings, Triggers};
use devrig_flow::{Flows, Programs, Runs};
use devrig_inbox::Inbox;
use devrig_jobs::Jobs;
use devrig_net::listener::{Listener, ListenerOptions};
use devrig_net::{Egress, EgressParts};
use devrig_store::{Store, StoreOptions};
use serde_json::{Value, json};

const FLOWS: usize = 200;
const EACH: usize = 50;

/// When a time of the calendar was, when its event was made and when its run began, in milliseconds.
type Fired = (i64, i64, i64);

struct Bench {
    store: Store,
    flows: Flows,
    triggers: Triggers,
    _folder: tempfile::TempDir,
}

/// As in the app.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let seconds = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(20);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        waiting(Duration::from_secs(seconds)).await;
        spread(Duration::from_secs(seconds)).await;
        at_once().await;
    });
}

/// None is due: what it costs that they could be.
async fn waiting(time: Duration) {
    let bench = Bench::new(|_| "0 0 1 1 *".to_owned()).await;
    let before = cpu();
    tokio::time::sleep(time).await;
    let busy = cpu().saturating_sub(before).as_secs_f64() / time.as_secs_f64();
    println!("waiting, none due: {:.3} % of one core", busy * 100.0);
    bench.end().await;
}

/// Each once a minute, 166 or 167 in each second.
async fn spread(time: Duration) {
    let bench = Bench::new(|number| format!("{} * * * * *", number % 60)).await;
    let (begun, before) = (Timestamp::from_ms(now()), cpu());
    tokio::time::sleep(time).await;
    let each = cpu().saturating_sub(before);
    let fired = bench.fired(begun, 0).await;
    tell("once a minute each, spread over its seconds", &fired);
    println!("  {:.0} us of CPU each", each.as_secs_f64() * 1e6 / fired.len().max(1) as f64);
    bench.end().await;
}

/// All at the same second, which is more than any disk takes in 20 ms.
async fn at_once() {
    let bench = Bench::new(|_| "*/20 * * * * *".to_owned()).await;
    let next = now() / 20_000 * 20_000 + 20_000;
    let all = bench.fired(Timestamp::from_ms(next), FLOWS * EACH).await;
    let all: Vec<Fired> = all.into_iter().filter(|(due, ..)| *due == next).collect();
    tell("all at the same second", &all);
    bench.end().await;
}

fn tell(what: &str, fired: &[Fired]) {
    let late = |at: fn(&Fired) -> i64| {
        let mut late: Vec<i64> = fired.iter().map(|fired| at(fired) - fired.0).collect();
        late.sort_unstable();
        let part = |part: f64| late[((late.len() - 1) as f64 * part) as usize];
        format!("p50 {}, p99 {}, most {} ms", part(0.5), part(0.99), part(1.0))
    };
    println!("{what}: {} fired", fired.len());
    println!("  late, until the event is made: {}", late(|fired| fired.1));
    println!("  late, until the run goes on:   {}", late(|fired| fired.2));
}

impl Bench {
    async fn new(pattern: impl Fn(usize) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, flows) = engine(folder.path()).await;
        let listener = Listener::new(ListenerOptions::default(), SystemClock::shared());
        let secrets = Arc::new(OneSecret);
        let surroundings = Surroundings {
            listener: Arc::new(listener),
            secrets,
            inbox: inbox(&store),
            network: network(),
            plugins: None,
        };
        let triggers = Triggers::new(flows.clone(), surroundings);
        for flow in 0..FLOWS {
            save(&flows, flow, |each| pattern(flow * EACH + each)).await;
        }
        let begun = Instant::now();
        triggers.follow().await.unwrap();
        while triggers.states().await.iter().any(|state| state.next.is_none()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        println!("{} schedules are armed in {:?}", FLOWS * EACH, begun.elapsed());
        Self { store, flows, triggers, _folder: folder }
    }

    /// What fired for times since `begun`, when it is so much at least.
    async fn fired(&self, begun: Timestamp, least: usize) -> Vec<Fired> {
        loop {
            let rows: Vec<(String, i64, i64)> = sqlx::query_as(
                "SELECT event.key, event.at, run.started_at
                 FROM trigger_event AS event JOIN run ON run.seq = event.run
                 WHERE run.started_at IS NOT NULL",
            )
            .fetch_all(self.store.reader())
            .await
            .unwrap();
            let due = |key: &str| key.parse::<Timestamp>().unwrap().as_ms();
            let fired = rows.iter().map(|(key, at, begun)| (due(key), *at, *begun));
            let fired: Vec<_> = fired.filter(|(due, ..)| *due >= begun.as_ms()).collect();
            if fired.len() >= least {
                return fired;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn end(self) {
        self.triggers.stop().await;
        self.flows.runs().stop().await;
        self.store.close().await;
    }
}

async fn engine(folder: &Path) -> (Store, Flows) {
    let file = folder.join("devrig.db");
    let options = StoreOptions::new(file, folder.join("backups"), SystemClock::shared());
    let store = Store::open(options).await.unwrap();
    let programs = Programs::new(Arc::new(devrig_flow::actions::builtin().unwrap()));
    let others = Others::new(inbox(&store));
    let secrets = Arc::new(OneSecret);
    let runs = Runs::start(store.clone(), programs.clone(), secrets, others).await.unwrap();
    (store.clone(), Flows::new(store, programs, runs))
}

fn network() -> Network {
    let egress = Egress::new(EgressParts::system(SystemClock::shared())).unwrap();
    Network::new(Arc::new(egress))
}

fn inbox(store: &Store) -> Inbox {
    Inbox::new(store.clone(), Jobs::new(store.clone()))
}

async fn save(flows: &Flows, number: usize, pattern: impl Fn(usize) -> String) {
    let trigger = |each: usize| json!({"id": format!("t{each}"), "type": "cron", "expression": pattern(each)});
    let flow = json!({
        "schemaVersion": 1, "name": format!("Bench {number}"),
        "settings": {"maxConcurrentRuns": 1000},
        "triggers": (0..EACH).map(trigger).collect::<Vec<Value>>(),
        "nodes": [node("set", "data.set", json!({"fields": {"at": "{{trigger.payload.scheduledFor}}"}}))],
    });
    let saved = flows.save(flow, Actor::Person).await.unwrap();
    flows.publish(&saved.id, None).await.unwrap();
    flows.enable(&saved.id, true).await.unwrap();
}

fn now() -> i64 {
    SystemClock::shared().now().as_ms()
}

/// What all threads of this process have used so far.
fn cpu() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let used =
        threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok());
    let nanos = used.filter_map(|text| text.split(' ').next()?.parse::<u64>().ok());
    Duration::from_nanos(nanos.sum())
}
