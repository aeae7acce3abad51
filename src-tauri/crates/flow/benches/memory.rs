//! How much memory a gigabyte takes on its way through flows. `cargo bench -p devrig-flow --bench
//! memory`. Each of the ways goes in a process of its own, which tells the most that it ever held.

#[path = "../tests/engine/common.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod common;

use std::process::{Command, Stdio};
use std::time::Instant;

use common::{Diary, Rig, clock, line, node};
use devrig_core::Actor;
use devrig_flow::history;
use devrig_flow::run::RunStatus;
use futures::StreamExt as _;
use serde_json::{Value, json};

const RUNS: usize = 1_000;
/// Of one payload. With the rest of the input it is a little less than a template may give.
const PAYLOAD: usize = 1_000_000;
/// Flows that each of the runs is one of, so that many go on at a time.
const FLOWS: usize = 50;
/// Whoever starts runs has their payloads in memory, too; here these go at a time.
const STARTED: usize = 8;
const ROUNDS: usize = 50;
const OUTPUT: usize = 10 * 1024 * 1024;

/// As in the app.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let way = std::env::args().skip_while(|word| word != "way").nth(1);
    match way {
        Some(way) => tokio::runtime::Runtime::new().expect("a runtime").block_on(go(&way)),
        None => ["triggers", "nodes", "loops"].into_iter().for_each(measure),
    }
}

fn measure(way: &str) {
    let me = std::env::current_exe().expect("this program");
    let output =
        Command::new(me).args(["way", way]).stderr(Stdio::inherit()).output().expect("it runs");
    assert!(output.status.success(), "{way} failed");
    print!("{}", String::from_utf8_lossy(&output.stdout));
}

async fn go(way: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let rig = Rig::at(folder.path(), Diary::default(), clock()).await;
    let before = held("VmRSS:");
    let begun = Instant::now();
    let bytes = match way {
        "triggers" => runs(&rig, true).await,
        "nodes" => runs(&rig, false).await,
        _ => loops(&rig).await,
    };
    let took = begun.elapsed().as_secs_f64();
    rig.store.checkpoint().await.expect("a checkpoint");
    println!(
        "{way}: {} MB, at most {} MB held ({before} MB before), {took:.1} s, {} MB on disk",
        bytes >> 20,
        held("VmHWM:"),
        rig.store.size() >> 20
    );
    rig.runs.stop().await;
    rig.store.close().await;
}

/// A thousand runs, whose trigger tells a megabyte or whose first node gives it; two more nodes pass
/// it on, and a condition looks at it.
async fn runs(rig: &Rig, by_trigger: bool) -> usize {
    for flow in 0..FLOWS {
        rig.flows.save(passing_on(flow, by_trigger), Actor::Person).await.expect("saved");
    }
    let runs = futures::stream::iter(0..RUNS).map(|number| async move {
        let text = if by_trigger { noise(number) } else { String::new() };
        let input = json!({ "number": number, "text": text });
        let flow = format!("f{}", number % FLOWS);
        rig.flows.run(&flow, None, input).await.expect("started").id
    });
    let ids: Vec<String> = runs.buffer_unordered(STARTED).collect().await;
    for id in &ids {
        rests(rig, id).await;
    }
    // Its trigger or first node, and the two that pass it on.
    RUNS * PAYLOAD * 3
}

fn passing_on(flow: usize, by_trigger: bool) -> Value {
    let make = json!({"bytes": PAYLOAD, "seed": "{{trigger.payload.number}}"});
    let (first, from) = match by_trigger {
        true => (node("first", "test.give", json!({"n": 1})), "trigger.payload.text"),
        false => (node("first", "test.big", make), "nodes.first.output.text"),
    };
    let is_there = json!({"type": "compare", "operator": "contains",
        "left": {"type": "context", "path": "nodes.one.output.text"},
        "right": {"type": "literal", "value": "a"}});
    let mut edges = line(&["first", "one", "check", "two"]);
    edges[2]["port"] = json!("true");
    json!({
        "id": format!("f{flow}"), "name": format!("f{flow}"), "schemaVersion": 1,
        "nodes": [
            first,
            node("one", "test.give", json!({"text": format!("{{{{{from}}}}}")})),
            {"id": "check", "type": "condition", "config": {"condition": is_there}},
            node("two", "test.give", json!({"again": "{{nodes.one.output.text}}"})),
        ],
        "edges": edges,
    })
}

/// Two loops of fifty rounds, whose nodes give ten megabytes each: an expression reads those of one,
/// and the other gives them all as its own.
async fn loops(rig: &Rig) -> usize {
    let big = node("big", "test.big", json!({"bytes": OUTPUT, "seed": "{{loop.item}}"}));
    let seen = node("seen", "test.give", json!({"is": "{{#if nodes.big.output.text}}yes{{/if}}"}));
    let each = |id: &str, first: usize, nodes: Value, edges: Value| {
        let items: Vec<usize> = (first..first + ROUNDS).collect();
        json!({"id": id, "type": "action", "action": "flow.loop", "config": {"items": items},
            "body": {"nodes": nodes, "edges": edges}})
    };
    let nodes = json!([
        each("read", 0, json!([big, seen]), line(&["big", "seen"])),
        each("gather", ROUNDS, json!([big]), json!([])),
    ]);
    let flow = json!({"nodes": nodes, "edges": line(&["read", "gather"])});
    let started = rig.begin_with(flow).await;
    drop(started.rest);
    rests(rig, &started.id).await;
    2 * ROUNDS * OUTPUT
}

async fn rests(rig: &Rig, id: &str) {
    loop {
        let wanted =
            history::Wanted { text: Some(id.to_owned()), limit: 1, ..history::Wanted::default() };
        let found = history::list(&rig.store, &wanted).await.expect("a list");
        let run = found.first().expect("the run");
        if run.status.rests() {
            assert_eq!(run.status, RunStatus::Completed, "{:?}", run.error);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Letters that compress as badly as text can.
fn noise(seed: usize) -> String {
    let mut random = fastrand::Rng::with_seed(seed as u64);
    (0..PAYLOAD).map(|_| random.alphanumeric()).collect()
}

/// In megabytes, as the system tells it.
fn held(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the line");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") >> 10
}
