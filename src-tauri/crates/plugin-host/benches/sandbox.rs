//! What a sandboxed plugin costs: start, host call, memory, and how soon a loop is ended.
#![cfg(target_os = "linux")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Rig, action};

fn percentiles(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 1000];
    println!("{name}: p50 {:?}, p99 {:?}, max {:?}", at(500), at(990), at(1000));
}

/// Memory that no other process can share. Not `Private_Dirty`: pages of a binary that was just
/// built count as dirty until they are on the disk.
fn private_kib(pid: u32) -> u64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = rollup.lines().find(|line| line.starts_with("Anonymous:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn main() {
    let body = "for (let i = 0; i < input.n; i++) await sdk.storage.set('key', input.data); return input.n";
    let mut ready = Vec::new();
    let mut active = Vec::new();
    for _ in 0..300 {
        let begun = Instant::now();
        let mut rig = Rig::spawn();
        ready.push(begun.elapsed());
        rig.send(&devrig_core::protocol::ToWorker::Start(action(body)));
        rig.next();
        active.push(begun.elapsed());
    }
    percentiles("spawn to ready", ready);
    percentiles("spawn to active", active);

    let mut rig = Rig::active(action(body));
    println!("sandbox: {:?}", rig.sandbox);
    println!("private, idle: {} KiB", private_kib(rig.child.id()));
    println!("peak resident: {} KiB", rig.peak_memory() / 1024);
    let data: Value = json!({"text": "x".repeat(900), "list": [1, 2, 3], "more": {"a": true}});
    let n = 20_000;
    let call = rig.begin_action(json!({"n": n, "data": data}));
    let mut trips = Vec::new();
    let mut last = Instant::now();
    for _ in 0..n {
        let (id, ..) = rig.host();
        trips.push(last.elapsed());
        last = Instant::now();
        rig.reply(id, data.clone());
    }
    rig.finish(call).unwrap();
    percentiles("host call, 1 KB each way", trips);
    println!("private, after {n} calls: {} KiB", private_kib(rig.child.id()));

    for script in ["Array.prototype.reverse.call({ length: 2 ** 53 - 1 })", "for (;;);"] {
        let mut start = action(script);
        start.limits.cpu_ms = 200;
        let mut rig = Rig::active(start);
        rig.begin_action(Value::Null);
        let begun = Instant::now();
        rig.socket.set_read_timeout(Some(Duration::from_millis(600))).unwrap();
        let ended = rig.try_receive().is_some();
        println!("{script}: stopped by itself: {ended}, after {:?}", begun.elapsed());
    }
}
