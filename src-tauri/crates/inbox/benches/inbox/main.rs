//! The inbox at a million items: `cargo bench -p devrig-inbox -- [ITEMS]`.
//!
//! Prints one line for each figure of BENCHMARKS.md, then the slowest queries.

mod generate;
mod queries;

use std::time::{Duration, Instant};

use devrig_core::id::{AccountId, ItemId};
use devrig_core::{ManualClock, Origin, Timestamp};
use devrig_inbox::{Inbox, ItemInput, ListQuery, Operation, OperationKind, Target};
use devrig_jobs::Jobs;
use devrig_store::{Store, StoreOptions};
use generate::{Dice, END_MS, Generator};

/// Items made and handed over at once; making them is not timed.
const BATCH: u64 = 100_000;
const SOURCES: [&str; 5] = ["github", "email", "slack", "linear", "ci"];

fn main() {
    let items =
        std::env::args().skip(1).find_map(|arg| arg.parse::<u64>().ok()).unwrap_or(1_000_000);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(run(items)).expect("the bench runs");
}

async fn run(items: u64) -> devrig_core::Result<()> {
    let folder = tempfile::tempdir()?;
    if let Some(kept) = std::env::var_os("INBOX_BENCH_KEPT") {
        return again(std::path::Path::new(&kept)).await;
    }
    let file = folder.path().join("devrig.db");
    // Ages in queries count from the end of the generated years.
    let clock = ManualClock::at(Timestamp::from_ms(END_MS));
    let options = StoreOptions::new(&file, folder.path().join("backups"), clock);
    let store = Store::open(options).await?;
    let inbox = Inbox::new(store.clone(), Jobs::new(store.clone()));
    let generator = Generator::new();

    let ids = import(&inbox, &generator, items, folder.path()).await?;
    let size = std::fs::metadata(&file)?.len();
    println!("size on disk                 {:>10.0} bytes an item", size as f64 / items as f64);

    println!("-- nothing done, all unread");
    queries::measure(&inbox, &generator, false).await?;
    triage(&inbox, &ids).await?;
    println!("-- after years of triage: 1 % in the inbox");
    queries::measure(&inbox, &generator, false).await?;
    done_and_undo(&inbox).await?;
    tidy(&inbox).await?;
    queries::measure(&inbox, &generator, true).await?;
    store.close().await;
    if let Some(keep) = std::env::var_os("INBOX_BENCH_KEEP") {
        std::fs::copy(&file, keep)?;
    }
    Ok(())
}

/// The queries alone, on a file that an earlier run kept.
async fn again(file: &std::path::Path) -> devrig_core::Result<()> {
    let clock = ManualClock::at(Timestamp::from_ms(END_MS));
    let store = Store::open(StoreOptions::new(file, "backups", clock)).await?;
    let inbox = Inbox::new(store.clone(), Jobs::new(store.clone()));
    queries::measure(&inbox, &Generator::new(), true).await?;
    done_and_undo(&inbox).await?;
    store.close().await;
    Ok(())
}

async fn import(
    inbox: &Inbox,
    generator: &Generator,
    items: u64,
    folder: &std::path::Path,
) -> devrig_core::Result<Vec<ItemId>> {
    let mut ids = Vec::new();
    let (mut spent, mut worked) = (Duration::ZERO, Duration::ZERO);
    let mut log = 0;
    let mut first = 0;
    while first < items {
        let end = (first + BATCH).min(items);
        let mut batches: Vec<Vec<ItemInput>> = vec![Vec::new(); SOURCES.len()];
        for k in first..end {
            let item = generator.item(k);
            let source = SOURCES.iter().position(|name| item.external_id.starts_with(name));
            batches[source.unwrap_or(0)].push(item);
        }
        let (started, before) = (Instant::now(), cpu());
        let origin = Origin::new(devrig_core::Actor::Source);
        let accounts = SOURCES.map(|name| AccountId(format!("account-{name}")));
        let plugins = SOURCES.map(|name| format!("devrig-plugin-{name}"));
        let storing =
            accounts.iter().zip(&plugins).zip(batches).map(|((account, plugin), batch)| {
                inbox.store_items(account, plugin, batch, &origin)
            });
        for stored in futures::future::join_all(storing).await {
            ids.extend(stored?.ids);
        }
        log = log.max(std::fs::metadata(folder.join("devrig.db-wal"))?.len());
        spent += started.elapsed();
        worked += cpu() - before;
        if std::env::var_os("VERBOSE").is_some() {
            eprintln!("{end} items: {:.0} a second", end as f64 / spent.as_secs_f64());
        }
        first = end;
    }
    println!("import                       {:>10.0} items/s", items as f64 / spent.as_secs_f64());
    println!("  of two processors' time    {:>10.1} µs an item", ms(worked) * 1e3 / items as f64);
    println!("largest write-ahead log      {:>10.1} MB", log as f64 / 1e6);
    Ok(ids)
}

/// 98 % done, 1 % snoozed, a few starred; half of the rest read.
async fn triage(inbox: &Inbox, ids: &[ItemId]) -> devrig_core::Result<()> {
    let mut dice = Dice::new(99);
    let mut done = Vec::new();
    let mut read = Vec::new();
    let mut snoozed = Vec::new();
    let mut starred = Vec::new();
    for id in ids {
        match dice.below(200) {
            0 => {}
            1 => read.push(id.clone()),
            2 | 3 => snoozed.push(id.clone()),
            _ => done.push(id.clone()),
        }
        if dice.below(1_000) == 0 {
            starred.push(id.clone());
        }
    }
    let until = Timestamp::from_ms(END_MS) + Duration::from_secs(10 * 365 * 86_400);
    let bulk = done.len().min(10_000);
    let steps = [
        (OperationKind::Done, done.split_off(done.len() - bulk), true),
        (OperationKind::Done, done, false),
        (OperationKind::Read, read, false),
        (OperationKind::Snooze { until: until.into() }, snoozed, false),
        (OperationKind::Star, starred, false),
    ];
    for (kind, ids, timed) in steps {
        for chunk in ids.chunks(100_000) {
            let started = Instant::now();
            operate(inbox, kind.clone(), Target::Ids(chunk.to_vec())).await?;
            if timed {
                let did = started.elapsed();
                let started = Instant::now();
                inbox.undo(None).await?;
                let undid = started.elapsed();
                inbox.redo().await?;
                println!("done, {:>6} at once         {:>10.1} ms", chunk.len(), ms(did));
                println!("undo, {:>6} at once         {:>10.1} ms", chunk.len(), ms(undid));
            }
        }
    }
    Ok(())
}

async fn operate(inbox: &Inbox, kind: OperationKind, target: Target) -> devrig_core::Result<()> {
    inbox.operate(Operation { kind, target }, Origin::person()).await.map(drop)
}

async fn done_and_undo(inbox: &Inbox) -> devrig_core::Result<()> {
    let page = inbox.list(&ListQuery { limit: 500, ..ListQuery::default() }).await?;
    let mut both = Vec::new();
    for item in &page.items {
        let started = Instant::now();
        operate(inbox, OperationKind::Done, Target::Ids(vec![item.id.clone()])).await?;
        inbox.undo(None).await?;
        both.push(started.elapsed());
    }
    report("done + undo", &mut both);
    Ok(())
}

async fn tidy(inbox: &Inbox) -> devrig_core::Result<()> {
    let started = Instant::now();
    let mut longest = Duration::ZERO;
    let mut steps = 0;
    loop {
        let step = Instant::now();
        let more = inbox.tidy().await?;
        longest = longest.max(step.elapsed());
        steps += 1;
        if !more {
            break;
        }
    }
    println!(
        "-- full text merged in {:.1} s ({steps} steps, the longest {:.0} ms)",
        started.elapsed().as_secs_f64(),
        ms(longest)
    );
    Ok(())
}

/// Processor time of the whole process: what a busy machine does not change.
pub fn cpu() -> Duration {
    use nix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

pub fn report(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: f64| ms(times[((times.len() - 1) as f64 * share).round() as usize]);
    println!(
        "{name:<28} {:>8.2} ms p50 {:>8.2} ms p95 {:>8.2} ms max  ({} runs)",
        at(0.5),
        at(0.95),
        at(1.0),
        times.len()
    );
}
