//! From a request to its answer: a webhook starts five nodes (set, condition, code.js, set,
//! respond), full
//! durability and history on. `cargo bench -p devrig-flow --bench webhooks [-- SECONDS [CONNECTIONS]]`.
//!
//! The clients run in a process of their own.

#[path = "../tests/engine/common.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod common;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Diary, Rig, line, node};
use devrig_core::{Actor, Result, Sensitive, SystemClock};
use devrig_flow::secrets::Secrets;
use devrig_flow::triggers::{Surroundings, Triggers};
use devrig_net::listener::{Listener, ListenerOptions, SecretSource};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct NoSecrets;

impl Secrets for NoSecrets {
    fn source(&self, _: &str) -> Arc<dyn SecretSource> {
        Arc::new(|| -> Result<Sensitive<Vec<u8>>> { Ok(Sensitive::new(vec![1])) })
    }
}

/// As in the app.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    match args.next() {
        Some(word) if word == "clients" => {
            let numbers: Vec<u64> = args.filter_map(|arg| arg.parse().ok()).collect();
            let [port, connections, seconds] = numbers[..] else {
                panic!("clients take a port, connections and seconds")
            };
            clients(port as u16, connections as usize, Duration::from_secs(seconds));
        }
        seconds => {
            let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(5);
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let only: Option<usize> = args.next().and_then(|text| text.parse().ok());
            for connections in only.map_or(vec![1, 10, 50], |only| vec![only]) {
                runtime.block_on(measure(connections, seconds));
            }
        }
    }
}

async fn measure(connections: usize, seconds: u64) {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::at(folder.path(), Diary::default(), Arc::new(SystemClock::default())).await;
    let options = ListenerOptions { port: 0, ..ListenerOptions::default() };
    let listener = Arc::new(Listener::new(options, SystemClock::shared()));
    let surroundings = Surroundings {
        listener: listener.clone(),
        secrets: Arc::new(NoSecrets),
        inbox: rig.inbox(),
        network: rig.network.clone(),
        plugins: None,
    };
    let triggers = Triggers::new(rig.flows.clone(), surroundings);
    let saved = rig.flows.save(flow(), Actor::Person).await.unwrap();
    rig.flows.publish(&saved.id, None).await.unwrap();
    rig.flows.enable(&saved.id, true).await.unwrap();
    triggers.follow().await.unwrap();
    let port = listener.address().expect("the port is open").port();

    let told = tokio::task::spawn_blocking(move || started(port, connections, seconds)).await;
    let (count, latencies) = told.unwrap();
    triggers.stop().await;
    rig.runs.stop().await;
    rig.store.checkpoint().await.unwrap();
    let bytes = std::fs::metadata(folder.path().join("devrig.db")).unwrap().len();
    println!(
        "{connections:>3} connections: {:>6.0} runs/s, p50 and p99 in us {latencies}, {} bytes a run",
        count as f64 / seconds as f64,
        bytes / count,
    );
    rig.store.close().await;
}

fn flow() -> serde_json::Value {
    let path = json!({"type": "context", "path": "trigger.payload.body.build"});
    let condition = json!({"type": "compare", "left": path, "operator": "gt",
        "right": {"type": "literal", "value": 10}});
    let mut edges = line(&["set", "check", "code", "again", "respond"]);
    edges[1]["port"] = json!("true");
    json!({
        "schemaVersion": 1, "name": "Bench", "settings": {"maxConcurrentRuns": 1000},
        "triggers": [{"id": "hook", "type": "webhook", "path": "bench", "respond": "whenDone",
            "ratePerMinute": 1_000_000}],
        "nodes": [
            node("set", "data.set", json!({"from": "{{trigger.payload.body}}",
                "fields": {"label": "build {{trigger.payload.body.build}}"}})),
            {"id": "check", "type": "condition", "config": {"condition": condition}},
            node("code", "code.js", json!({"input": "{{nodes.set.output}}",
                "code": "return { next: input.build + 1, who: input.who.name.toUpperCase() }"})),
            node("again", "data.set", json!({"from": "{{nodes.code.output}}", "fields": {"done": true}})),
            node("respond", "http.respond",
                json!({"status": 200, "body": "{{nodes.again.output}}"})),
        ],
        "edges": edges,
    })
}

/// Runs the clients elsewhere, and gives their count of requests and their latencies.
fn started(port: u16, connections: usize, seconds: u64) -> (u64, String) {
    let me = std::env::current_exe().expect("this program");
    let output = Command::new(me)
        .args(["clients", &port.to_string(), &connections.to_string(), &seconds.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .expect("the clients run");
    assert!(output.status.success(), "the clients failed");
    let text = String::from_utf8(output.stdout).expect("text");
    let (count, latencies) = text.trim_end().split_once(' ').expect("two figures");
    (count.parse().expect("a count"), latencies.to_owned())
}

/// All connections in one thread, each of which sends one request after the other: what asks should
/// take little of what answers.
fn clients(port: u16, connections: usize, duration: Duration) {
    let body = r#"{"build": 17, "branch": "main", "who": {"name": "kim"}}"#;
    let request = format!(
        "POST /hooks/bench HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let mut latencies: Vec<u32> = runtime.expect("a runtime").block_on(async {
        let end = Instant::now() + duration;
        let clients = (0..connections).map(|_| client(port, request.as_bytes(), end));
        futures::future::join_all(clients).await.concat()
    });
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    println!("{} {:>10} {:>10}", latencies.len(), at(0.5), at(0.99));
}

async fn client(port: u16, request: &[u8], end: Instant) -> Vec<u32> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the listener");
    stream.set_nodelay(true).expect("no delay");
    let (mut latencies, mut answer) = (Vec::new(), Vec::new());
    while Instant::now() < end {
        let start = Instant::now();
        stream.write_all(request).await.expect("it takes the request");
        answer.clear();
        while !is_whole(&answer) {
            assert!(stream.read_buf(&mut answer).await.expect("an answer") > 0, "it hung up");
        }
        latencies.push(u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    latencies
}

/// Whether all of an answer is there, which has to be a good one.
fn is_whole(answer: &[u8]) -> bool {
    let text = std::str::from_utf8(answer).expect("text");
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    assert!(head.starts_with("HTTP/1.1 200 "), "{text}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.expect("a length").parse().expect("a number")
}
