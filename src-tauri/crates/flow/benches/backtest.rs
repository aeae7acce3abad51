//! A thousand past triggers through an edited flow of five nodes, code among them.
//! `cargo bench -p devrig-flow --bench backtest [-- TRIGGERS]`.

#[path = "../tests/engine/common.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod common;

use common::{Diary, Rig, line, node};
use devrig_core::Actor;
use devrig_flow::run::{RunKind, RunStatus};
use devrig_flow::runs::Start;
use serde_json::{Value, json};

const ROUNDS: usize = 5;

/// As in the app.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() {
    let count: u32 = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(1_000);
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::at(folder.path(), Diary::default(), common::clock()).await;
    let saved = rig.flows.save(flow(10), Actor::Person).await.unwrap();
    let program = rig.flows.program(&saved.id, None).await.unwrap();
    for build in 0..count {
        let start = Start {
            program: program.clone(),
            trigger: "hook".into(),
            trigger_type: "webhook",
            kind: RunKind::Live,
            key: None,
            payload: json!({"body": {"build": build % 40, "who": {"name": "kim"}}}),
            cursor: None,
            depth: 0,
            parent: None,
            answer: None,
        };
        let rest = rig.runs.begin(start).await.unwrap().rest.await.unwrap();
        assert_eq!(rest.status, RunStatus::Completed);
    }
    let mut edited = flow(20);
    edited["id"] = json!(saved.id);
    let edited = rig.flows.save(edited, Actor::Person).await.unwrap();
    let program = rig.flows.program(&edited.id, None).await.unwrap();
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let found = rig.runs.backtest(program.clone(), count).await.unwrap();
        assert_eq!((found.runs, found.others.len() as u32), (count, count / 4));
        times.push(found.took_ms);
    }
    times.sort_unstable();
    println!(
        "{count} triggers, a quarter takes another way: {} ms, at most {} ms",
        times[ROUNDS / 2],
        times[ROUNDS - 1]
    );
    rig.runs.stop().await;
    rig.store.close().await;
}

/// Builds after the number `least` are worked on.
fn flow(least: i64) -> Value {
    let build = json!({"type": "context", "path": "trigger.payload.body.build"});
    let condition = json!({"type": "compare", "left": build, "operator": "gte",
        "right": {"type": "literal", "value": least}});
    let mut edges = line(&["set", "check", "code", "again", "end"]);
    edges[1]["port"] = json!("true");
    json!({
        "schemaVersion": 1, "name": "Bench", "settings": {"maxConcurrentRuns": 1000},
        "triggers": [{"id": "hook", "type": "webhook", "path": "bench"}],
        "nodes": [
            node("set", "data.set", json!({"from": "{{trigger.payload.body}}",
                "fields": {"label": "build {{trigger.payload.body.build}}"}})),
            {"id": "check", "type": "condition", "config": {"condition": condition}},
            node("code", "code.js", json!({"input": "{{nodes.set.output}}",
                "code": "return { next: input.build + 1, who: input.who.name.toUpperCase() }"})),
            node("again", "data.set", json!({"from": "{{nodes.code.output}}", "fields": {"done": true}})),
            node("end", "data.set", json!({"from": "{{nodes.again.output}}", "fields": {"by": "bench"}})),
        ],
        "edges": edges,
    })
}
