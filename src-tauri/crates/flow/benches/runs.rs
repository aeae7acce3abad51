//! Runs per second of a flow of five nodes, full durability and history on: begin, five nodes, answer.
//! `cargo bench -p devrig-flow --bench runs [-- SECONDS]`.

#[path = "../tests/engine/common.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{Diary, Rig, line, node};
use devrig_core::Actor;
use devrig_flow::run::{RunKind, RunStatus};
use devrig_flow::runs::Start;
use serde_json::json;

/// As in the app.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let seconds = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(5);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for callers in [1, 10, 50] {
        runtime.block_on(measure(callers, Duration::from_secs(seconds)));
    }
}

async fn measure(callers: usize, time: Duration) {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::at(folder.path(), Diary::default(), devrig_core::ManualClock::at(now())).await;
    let literal = |value: i64| json!({"type": "literal", "value": value});
    let condition =
        json!({"type": "compare", "left": literal(1), "operator": "eq", "right": literal(1)});
    let choose = json!({"id": "check", "type": "condition", "config": {"condition": condition}});
    let mut edges = line(&["set", "check", "work", "again", "respond"]);
    edges[1]["port"] = json!("true");
    let flow = json!({
        "schemaVersion": 1, "name": "Bench", "settings": {"maxConcurrentRuns": 1000},
        "nodes": [
            node("set", "test.give", json!({"name": "lamp", "size": 3, "bright": true})),
            choose,
            node("work", "test.give", json!({"sum": 12345, "label": "a label"})),
            node("again", "test.give", json!({"done": true, "label": "another"})),
            node("respond", "http.respond", json!({"status": 200, "body": {"ok": true}})),
        ],
        "edges": edges,
    });
    let saved = rig.flows.save(flow, Actor::Person).await.unwrap();
    let program = rig.flows.program(&saved.id, None).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..callers {
        let (runs, program, stop) = (rig.runs.clone(), program.clone(), stop.clone());
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let (tell, answer) = tokio::sync::oneshot::channel();
                let start = Start {
                    program: program.clone(),
                    trigger: "hook".into(),
                    trigger_type: "webhook",
                    kind: RunKind::Live,
                    key: None,
                    payload: json!({"action": "opened", "number": 17, "who": {"name": "kim"}}),
                    cursor: None,
                    depth: 0,
                    parent: None,
                    answer: Some(tell),
                };
                let mut started = runs.begin(start).await.unwrap();
                assert_eq!(started.answered(answer).await.unwrap().status, 200);
                assert_eq!(started.rest.await.unwrap().status, RunStatus::Completed);
                times.push(begun.elapsed());
            }
            times
        }));
    }
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let took = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |part: f64| times[(times.len() as f64 * part) as usize].as_secs_f64() * 1000.0;
    rig.store.checkpoint().await.unwrap();
    let bytes = std::fs::metadata(folder.path().join("devrig.db")).unwrap().len();
    println!(
        "{callers:>3} callers: {:>6.0} runs/s, p50 {:.2} ms, p99 {:.2} ms, {} bytes a run",
        times.len() as f64 / took,
        at(0.5),
        at(0.99),
        bytes / times.len() as u64,
    );
    rig.runs.stop().await;
    rig.store.close().await;
}

fn now() -> devrig_core::Timestamp {
    "2026-11-20T09:00:00Z".parse().unwrap()
}
