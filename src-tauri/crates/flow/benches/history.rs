//! Lists and searches among a million runs. `cargo bench -p devrig-flow --bench history [-- RUNS]`.

use std::time::{Duration, Instant};

use devrig_core::{ManualClock, Timestamp};
use devrig_flow::history::{self, Wanted};
use devrig_flow::run::{RunKind, RunStatus};
use devrig_store::{Store, StoreOptions, Tx, from_sqlx};

/// Runs written in one transaction.
const BATCH: i64 = 50_000;
/// Between the first run and the last.
const SPAN: Duration = Duration::from_secs(90 * 24 * 60 * 60);
const FLOWS: i64 = 60;

/// As in the app.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() {
    let count = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("devrig.db");
    let clock = ManualClock::at("2026-11-20T09:00:00Z".parse().unwrap());
    let options = StoreOptions::new(file.clone(), folder.path().join("backups"), clock);
    let store = Store::open(options).await.unwrap();
    let begun = Instant::now();
    fill(&store, count).await;
    store.checkpoint().await.unwrap();
    let size = std::fs::metadata(&file).unwrap().len();
    println!(
        "{count} runs in {:.0} s, {} bytes each with their journals and events",
        begun.elapsed().as_secs_f64(),
        size / u64::try_from(count).unwrap()
    );
    println!("| asked | p50 ms | p95 ms | longest |\n|---|---|---|---|");
    for (name, asked) in alone(count) {
        told(&name, times(&store, &asked, 5).await);
    }
    let mut random = fastrand::Rng::with_seed(7);
    let mixed: Vec<Wanted> = (0..600).map(|_| mixed(&mut random)).collect();
    told("600 random combinations of filters", times(&store, &mixed, 1).await);
    store.close().await;
}

/// Each filter by itself, with what is common and with what is rare.
fn alone(count: i64) -> Vec<(String, Vec<Wanted>)> {
    let all = Wanted { limit: 50, ..Wanted::default() };
    let ids: Vec<String> = (1..20).map(|part| format!("run{:021x}", part * count / 20)).collect();
    let after = ids.iter().map(|id| Wanted { after: Some(id.clone()), ..all.clone() }).collect();
    let whole = ids.iter().map(|id| Wanted { text: Some(id.clone()), ..all.clone() }).collect();
    let mut asked = vec![
        ("the newest".to_owned(), vec![all.clone()]),
        ("further pages".to_owned(), after),
        ("an id".to_owned(), whole),
    ];
    let mut add = |name: String, wanted: Wanted| asked.push((name, vec![wanted]));
    for flow in [1, 10, FLOWS] {
        add(format!("flow {flow} of {FLOWS}"), Wanted { flow: Some(flow_id(flow)), ..all.clone() });
    }
    for status in STATUSES {
        add(status.as_str().to_owned(), Wanted { status: Some(status), ..all.clone() });
    }
    for kind in KINDS {
        add(kind.as_str().to_owned(), Wanted { kind: Some(kind), ..all.clone() });
    }
    for trigger in TRIGGERS {
        add(trigger.to_owned(), Wanted { trigger_type: Some(trigger.to_owned()), ..all.clone() });
    }
    let day = Duration::from_secs(24 * 60 * 60);
    let long_ago = first() + day * 10;
    let window = Wanted { since: Some(long_ago), until: Some(long_ago + day), ..all.clone() };
    add("a day long ago".to_owned(), window);
    for text in ["timeout", "connection refused", "host17 timeout", "zebra", "ECONN", "status 5"] {
        add(format!("the text {text:?}"), Wanted { text: Some(text.to_owned()), ..all.clone() });
        let flow = Some(flow_id(10));
        let wanted = Wanted { flow, text: Some(text.to_owned()), ..all.clone() };
        add("the same in flow 10".to_owned(), wanted);
    }
    asked
}

const STATUSES: [RunStatus; 5] = [
    RunStatus::Completed,
    RunStatus::Failed,
    RunStatus::Cancelled,
    RunStatus::Waiting,
    RunStatus::NeedsDecision,
];
const KINDS: [RunKind; 4] = [RunKind::Live, RunKind::Manual, RunKind::Sub, RunKind::Error];
const TRIGGERS: [&str; 6] = ["webhook", "cron", "polling", "filesystem", "inbox", "manual"];

fn mixed(random: &mut fastrand::Rng) -> Wanted {
    let all = Wanted { limit: 50, ..Wanted::default() };
    let mut wanted = all.clone();
    while wanted == all || random.bool() {
        match random.u8(0..7) {
            0 => wanted.flow = Some(flow_id(random.i64(1..=FLOWS))),
            1 => wanted.status = random.choice(STATUSES),
            2 => wanted.kind = random.choice(KINDS),
            3 => wanted.trigger_type = random.choice(TRIGGERS).map(str::to_owned),
            4 => wanted.since = Some(first() + SPAN.mul_f64(random.f64())),
            5 => wanted.until = Some(first() + SPAN.mul_f64(random.f64())),
            _ => wanted.text = random.choice(["timeout", "refused", "host17"]).map(str::to_owned),
        }
    }
    wanted
}

async fn times(store: &Store, asked: &[Wanted], rounds: usize) -> Vec<(Duration, String)> {
    let mut times = Vec::new();
    for wanted in (0..rounds).flat_map(|_| asked) {
        let begun = Instant::now();
        history::list(store, wanted).await.unwrap();
        times.push((begun.elapsed(), format!("{wanted:?}")));
    }
    times.sort();
    times
}

fn told(name: &str, times: Vec<(Duration, String)>) {
    let at = |share: f64| {
        let at = ((times.len() - 1) as f64 * share) as usize;
        times[at].0.as_secs_f64() * 1000.0
    };
    println!("| {name} | {:.1} | {:.1} | {:.1} |", at(0.5), at(0.95), at(1.0));
    if let Some((time, asked)) = times.last().filter(|(time, _)| time.as_millis() > 50) {
        println!("    {time:?}: {asked}");
    }
}

fn first() -> Timestamp {
    "2026-08-22T09:00:00Z".parse().unwrap()
}

fn flow_id(flow: i64) -> String {
    format!("flow{flow}")
}

async fn fill(store: &Store, count: i64) {
    store.write(async |tx: &mut Tx| fill_flows(tx).await).await.unwrap();
    let step = i64::try_from(SPAN.as_millis()).unwrap() / count;
    for begin in (0..count).step_by(BATCH as usize) {
        let end = (begin + BATCH).min(count);
        store.write(async move |tx: &mut Tx| fill_runs(tx, begin, end, step).await).await.unwrap();
    }
}

async fn fill_flows(tx: &mut Tx) -> devrig_core::Result<()> {
    sqlx::query(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
         INSERT INTO flow (seq, id, name, tags, latest, created_at, updated_at)
         SELECT n, 'flow' || n, 'Flow ' || n, '[]', 1, '2026-08-22T09:00:00Z', '2026-08-22T09:00:00Z' FROM n",
    )
    .bind(FLOWS)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// Few flows have most of the runs; one in twenty failed; what a run was depends on nothing else.
async fn fill_runs(tx: &mut Tx, begin: i64, end: i64, step: i64) -> devrig_core::Result<()> {
    for sql in [RUNS, ERRORS, EVENTS, JOURNALS] {
        sqlx::query(sql)
            .bind(begin + 1)
            .bind(end)
            .bind(first().as_ms())
            .bind(step)
            .execute(tx.conn())
            .await
            .map_err(from_sqlx)?;
    }
    Ok(())
}

const RUNS: &str = "
    WITH RECURSIVE n (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM n WHERE n < ?2),
    drawn AS MATERIALIZED (SELECT n, abs(random()) % 1000 AS a, abs(random()) % 1000 AS b,
      abs(random()) % 1000 AS c, abs(random()) % 1000 AS d, ?3 + n * ?4 AS at FROM n)
    INSERT INTO run (seq, id, flow, version, event, kind, status, priority, depth, queued_at,
      started_at, ended_at, error, trigger_type)
    SELECT n, 'run' || format('%021x', n),
      1 + (a * a / 1000) * a / 1000 * 60 / 1000, 1, n,
      CASE WHEN b < 900 THEN 'live' WHEN b < 950 THEN 'manual' WHEN b < 995 THEN 'sub'
        ELSE 'error' END,
      CASE WHEN c < 935 THEN 'completed' WHEN c < 985 THEN 'failed' WHEN c < 997 THEN 'cancelled'
        WHEN c < 998 THEN 'waiting' ELSE 'needs_decision' END,
      0, 0, at, at, at + a,
      CASE WHEN c >= 935 AND c < 985 THEN '{\"code\":\"NETWORK\",\"category\":\"transient\",'
        || '\"message\":\"' || CASE d % 4 WHEN 0 THEN 'timeout of 30 s' WHEN 1
        THEN 'connection refused (ECONNREFUSED)' WHEN 2 THEN 'status 502' ELSE 'no such file' END
        || ' at host' || (d % 100) || CASE WHEN d = 999 THEN ' zebra' ELSE '' END
        || '\",\"retryable\":true}' END,
      CASE WHEN d < 500 THEN 'webhook' WHEN d < 850 THEN 'cron' WHEN d < 930 THEN 'polling'
        WHEN d < 970 THEN 'filesystem' WHEN d < 990 THEN 'inbox' ELSE 'manual' END
    FROM drawn";

const ERRORS: &str = "INSERT INTO run_error (rowid, error)
    SELECT seq, 'NETWORK ' || (error ->> 'message') FROM run
    WHERE seq BETWEEN ?1 AND ?2 AND error IS NOT NULL AND ?3 + ?4 > 0";

const EVENTS: &str = "INSERT INTO trigger_event (seq, flow, trigger, at, verdict, payload)
    SELECT seq, flow, 'hook', queued_at, 'run', '{\"action\":\"opened\",\"number\":' || seq || '}'
    FROM run WHERE seq BETWEEN ?1 AND ?2 AND ?3 + ?4 > 0";

const JOURNALS: &str = "INSERT INTO run_journal (run, part, entries)
    SELECT seq, 0, '[' || hex(randomblob(200)) || ']' FROM run
    WHERE seq BETWEEN ?1 AND ?2 AND ?3 + ?4 > 0";
