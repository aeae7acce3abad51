//! What was acknowledged survives a kill, and the log stays short.

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::{Rig, make_table, numbers, options, put};
use devrig_store::{Bind, Store};

const FOLDER: &str = "DEVRIG_TEST_STORE_FOLDER";

/// The other half of the test below: writes and says what was acknowledged until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "is started by acknowledged_writes_survive_a_kill"]
async fn child_writes_until_killed() {
    // Among the long tests it is started without its parent, and has nothing to do.
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = Store::open(options(Path::new(&folder))).await.unwrap();
    make_table(&store).await;
    let first = numbers(&store).await.last().map_or(0, |last| last + 1);
    let next = Arc::new(std::sync::atomic::AtomicI64::new(first));
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, next) = (store.clone(), next.clone());
        writers.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::SeqCst);
                put(&store, n, "some text").await.unwrap();
                println!("acknowledged {n}");
            }
        });
    }
    writers.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..5_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_writes_until_killed", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let target = acknowledged.len() + 200 + 150 * usize::try_from(round).unwrap();
        for line in output.lines() {
            let line = line.unwrap();
            // The harness's own words may stand before the first.
            if let Some((_, n)) = line.split_once("acknowledged ") {
                acknowledged.push(n.parse::<i64>().unwrap());
            }
            if acknowledged.len() == target {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(acknowledged.len() >= target, "the child ended by itself");
    }
    let store = Store::open(options(folder.path())).await.unwrap();
    let stored = numbers(&store).await;
    let missing: Vec<_> =
        acknowledged.iter().filter(|n| stored.binary_search(n).is_err()).collect();
    assert!(missing.is_empty(), "of {} acknowledged: {missing:?}", acknowledged.len());
    assert!(store.check().await.unwrap().ok);
}

/// Rows that the load writes over and over, so that the log is filled and the disk is not.
const RING: i64 = 20_000;

/// Writes rows of a kilobyte in bulk while `during` runs, which is told how many are written, and
/// gives the log's greatest length.
async fn load(rig: &Rig, during: impl AsyncFnOnce(&AtomicU64)) -> u64 {
    let log = rig.folder.path().join("devrig.db-wal");
    let (stop, most) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let watching = {
        let (stop, most) = (stop.clone(), most.clone());
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let size = std::fs::metadata(&log).map_or(0, |meta| meta.len());
                most.fetch_max(size, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(1));
            }
        })
    };
    let written = Arc::new(AtomicU64::new(0));
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let (store, stop, written) = (rig.store.clone(), stop.clone(), written.clone());
        writers.spawn(async move {
            let mut next = writer * RING / 4;
            while !stop.load(Ordering::Relaxed) {
                let text = format!("{next:01000}");
                let rows = (next..next + 200)
                    .flat_map(|n| [Bind::from(n % RING), Bind::from(text.as_str())])
                    .collect();
                store.append("INSERT OR REPLACE INTO t (n, text) ", 2, rows).await.unwrap();
                next += 200;
                written.fetch_add(200, Ordering::Relaxed);
            }
        });
    }
    during(&written).await;
    stop.store(true, Ordering::Relaxed);
    writers.join_all().await;
    watching.join().unwrap();
    most.load(Ordering::Relaxed)
}

const CEILING: u64 = 64 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn the_log_stays_under_its_ceiling_under_load() {
    let rig = Rig::new().await;
    let most = load(&rig, async |written| {
        while written.load(Ordering::Relaxed) * 1_000 < 4 * CEILING {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert!(most < CEILING, "{most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_slows_the_writer_rather_than_lengthen_the_log() {
    let rig = Rig::new().await;
    put(&rig.store, -1, "").await.unwrap();
    let most = load(&rig, async |_| {
        for _ in 0..3 {
            // A read that takes its time keeps its view of the file.
            let mut view = rig.store.reader().begin().await.unwrap();
            let newest = "SELECT max(text) FROM t";
            let first: String = sqlx::query_scalar(newest).fetch_one(&mut *view).await.unwrap();
            tokio::time::sleep(Duration::from_secs(3)).await;
            let second: String = sqlx::query_scalar(newest).fetch_one(&mut *view).await.unwrap();
            assert_eq!(first, second, "a reader's view stands still");
        }
    })
    .await;
    assert!(most < CEILING, "{most}");
    let start = Instant::now();
    put(&rig.store, -2, "").await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(2), "and the writer is free again");
}
