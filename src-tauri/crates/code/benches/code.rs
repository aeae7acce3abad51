//! What a run costs through the pool: time, and CPU of both processes.
#![cfg(target_os = "linux")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use devrig_code::{Budget, CodePool, CodeRun, CodeSettings, Snippet};
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

const INPUT: &str = r#"{"input":{"name":"an order","items":[{"price":3,"count":4},{"price":30,"count":5},{"price":7.5,"count":2}]},"trigger":{"method":"POST","headers":{"a":"b"}},"nodes":{},"variables":{},"loop":null}"#;

const SUM: &str = "\
    const total = input.items.reduce((sum, item) => sum + item.price * item.count, 0);
    return { total, big: total > 100, name: input.name.toUpperCase() };";

const LENGTH: Duration = Duration::from_secs(2);

/// The worker beside the benchmark.
fn program() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let program = here.parent().unwrap().parent().unwrap().join("plugin-host");
    assert!(program.is_file(), "build it first: cargo build --release -p devrig-plugin-host");
    program
}

/// User and system time of this process, or of the workers under it.
fn cpu(pid: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().filter_map(|&at| fields.get(at)?.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn children() -> Vec<String> {
    let mut all = Vec::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let list = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        all.extend(list.split_whitespace().map(str::to_owned));
    }
    all
}

fn cpu_of_all() -> (Duration, Duration) {
    (cpu("self"), children().iter().map(|pid| cpu(pid)).sum())
}

/// Memory that no other process can share.
fn private_kib(pid: &str) -> u64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find(|line| line.starts_with("Anonymous:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or_default()
}

async fn measure(pool: &CodePool, name: &str, snippets: &[Snippet], callers: usize) {
    let count = Arc::new(AtomicU64::new(0));
    let (begun, (core, workers)) = (Instant::now(), cpu_of_all());
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let (pool, count) = (pool.clone(), Arc::clone(&count));
            let snippet = snippets[caller % snippets.len()].clone();
            tokio::spawn(async move {
                let cancel = CancellationToken::new();
                let mut times = Vec::new();
                while begun.elapsed() < LENGTH {
                    let input = RawValue::from_string(INPUT.to_owned()).unwrap();
                    let budget = Budget::default();
                    let start = Instant::now();
                    let run = CodeRun { snippet: snippet.clone(), input, budget };
                    pool.run(run, &cancel).await.unwrap();
                    times.push(start.elapsed());
                    count.fetch_add(1, Ordering::Relaxed);
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let elapsed = begun.elapsed();
    let (core_after, workers_after) = cpu_of_all();
    times.sort();
    let at = |part: usize| micros(times[(times.len() - 1) * part / 1000]);
    let runs = count.load(Ordering::Relaxed);
    let each = |time: Duration| micros(time) / runs as f64;
    println!(
        "{name:>22}, {callers:3} callers: {:7.0} runs/s, p50 {:7.1} µs, p99 {:8.1} µs, CPU {:5.1} + {:5.1} µs, {} workers",
        runs as f64 / elapsed.as_secs_f64(),
        at(500),
        at(990),
        each(core_after - core),
        each(workers_after - workers),
        pool.status().workers,
    );
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1000.0
}

#[tokio::main]
async fn main() {
    let pool = CodePool::new(CodeSettings::new(program()));
    let one = [Snippet::new(SUM).unwrap()];
    let many: Vec<_> =
        (0..50).map(|n| Snippet::new(format!("const n = {n};\n{SUM}")).unwrap()).collect();
    let slow = Snippet::new("let n = 0; for (let i = 0; i < 2e5; i++) n += i; return n").unwrap();
    let mut mixed = vec![one[0].clone(); 9];
    mixed.push(slow);
    for callers in [1, 10, 50] {
        measure(&pool, "one snippet", &one, callers).await;
    }
    for callers in [10, 50] {
        measure(&pool, "50 snippets", &many, callers).await;
        measure(&pool, "one in ten takes 5 ms", &mixed, callers).await;
    }
    for pid in children() {
        println!("a worker after that: {} KiB of its own", private_kib(&pid));
    }
    pool.shutdown().await;
}
