//! `kill -9` at any moment: no trigger that was acknowledged is lost, no effect that had ended is
//! repeated, an event starts one run, and nothing is stuck.
//!
//! The engine runs in a process of its own, which is this test program again. 20 kills here, 1,000
//! with DEVRIG_LONG=1.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Diary, Rig, life, node};
use devrig_core::Actor;
use devrig_flow::history::{self, Wanted};
use devrig_flow::run::{RunKind, RunStatus};
use devrig_flow::runs::{Decision, Start};
use serde_json::{Value, json};

const FOLDER: &str = "DEVRIG_CRASH_FOLDER";
const SEED: &str = "DEVRIG_CRASH_SEED";
const FLOWS: u64 = 6;
/// Longer than a test takes.
const WINDOW: Duration = Duration::from_secs(86_400);

/// A small generator of its own, so that a run can be had again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// A flow of some nodes in no particular shape, some with effects, some that call another flow.
fn flow(number: u64, seed: u64) -> Value {
    let mut dice = Dice(seed.wrapping_mul(FLOWS + 1).wrapping_add(number) | 1);
    let count = 3 + dice.below(4);
    let nodes: Vec<Value> = (0..count)
        .map(|at| {
            let id = format!("n{at}");
            match dice.below(5) {
                0 => node(&id, "flow.delay", json!({"ms": dice.below(10)})),
                1 => node(&id, "test.give", json!({"at": at})),
                2 if !number.is_multiple_of(3) => {
                    node(&id, "flow.subflow", json!({"flowId": format!("f{}", number - 1)}))
                }
                3 => node(&id, "test.again", json!({"ms": dice.below(6)})),
                _ => node(&id, "test.once", json!({"ms": dice.below(6)})),
            }
        })
        .collect();
    let mut edges = Vec::new();
    for target in 1..count {
        for source in 0..target {
            if dice.below(3) == 0 {
                edges.push(json!({"source": format!("n{source}"), "target": format!("n{target}")}));
            }
        }
    }
    json!({"schemaVersion": 1, "id": format!("f{number}"), "name": format!("f{number}"),
        "nodes": nodes, "edges": edges, "settings": {"maxConcurrentRuns": 3}})
}

fn acknowledged(folder: &Path) -> Vec<u64> {
    let told = std::fs::read_to_string(folder.join("acknowledged")).unwrap_or_default();
    told.lines().filter_map(|line| line.parse().ok()).collect()
}

/// The process that is killed: it sends event after event, as senders do: again when it was not
/// acknowledged, and now and then again although it was.
#[test]
#[ignore = "part of the other tests here, which start it"]
fn the_process_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let seed: u64 = std::env::var(SEED).unwrap().parse().unwrap();
    let diary = Diary::on(&folder.join("world"));
    let ledger = Diary::on(&folder.join("acknowledged"));
    life(&folder, &diary, async |rig| {
        for number in 0..FLOWS {
            rig.flows.save(flow(number, seed), Actor::Person).await.unwrap();
            rig.flows.publish(&format!("f{number}"), None).await.unwrap();
        }
        let mut next = acknowledged(&folder).last().map_or(0, |last| last + 1);
        for event in next.saturating_sub(2)..next {
            fire(rig, event).await;
        }
        loop {
            fire(rig, next).await;
            ledger.write(next.to_string());
            next += 1;
            while rig.runs.counts().0 + rig.runs.counts().1 > 12 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
}

async fn fire(rig: &Rig, event: u64) {
    let start = Start {
        program: rig.flows.program(&format!("f{}", event % FLOWS), None).await.unwrap(),
        trigger: "hook".into(),
        trigger_type: "webhook",
        kind: RunKind::Live,
        key: Some(event.to_string()),
        payload: json!({"body": {}}),
        cursor: None,
        depth: 0,
        parent: None,
        answer: None,
    };
    rig.runs.fire(start, WINDOW).await.unwrap();
}

fn start(folder: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["crash::the_process_that_is_killed", "--exact", "--ignored"])
        .env(FOLDER, folder)
        .env(SEED, seed.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn killed_at_any_moment_nothing_is_lost_repeated_doubled_or_stuck() {
    let long = std::env::var_os("DEVRIG_LONG").is_some();
    let (rounds, kills) = if long { (20, 50) } else { (2, 10) };
    for round in 0..rounds {
        let seed = 0x5eed + round;
        let folder = tempfile::tempdir().unwrap();
        let mut dice = Dice(seed);
        let mut least = 0;
        for _ in 0..kills {
            // Some lives end while they begin.
            let more = dice.below(8);
            live_and_die(folder.path(), seed, more, Duration::from_millis(dice.below(150)));
            least += more;
        }
        look(folder.path(), seed, least);
    }
}

/// One life, which is killed some time after it acknowledged so many events. How fast it is does not
/// matter, so that a busy machine kills it in the same places.
fn live_and_die(folder: &Path, seed: u64, more: u64, after: Duration) {
    let wanted = acknowledged(folder).len() as u64 + more;
    let mut child = start(folder, seed);
    let begun = Instant::now();
    while (acknowledged(folder).len() as u64) < wanted {
        assert!(begun.elapsed() < Duration::from_secs(60), "it takes no events (seed {seed})");
        assert!(child.try_wait().unwrap().is_none(), "it ends only when it is killed");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(after);
    assert!(child.try_wait().unwrap().is_none(), "it ends only when it is killed");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The last life: everything comes to its end, and the ledgers are compared.
fn look(folder: &Path, seed: u64, least: u64) {
    let diary = Diary::on(&folder.join("world"));
    life(folder, &diary, async |rig| {
        come_to_rest(rig).await;
        let told = acknowledged(folder);
        let count = told.len() as u64;
        assert!(count >= least && least > 20, "{count} of {least} were acknowledged (seed {seed})");
        each_event_has_one_run(rig, &told).await;
    });
    no_effect_was_repeated(&std::fs::read_to_string(folder.join("world")).unwrap(), seed);
}

async fn come_to_rest(rig: &Rig) {
    let begun = Instant::now();
    loop {
        let doubtful = of(rig, RunStatus::NeedsDecision).await;
        for run in &doubtful {
            rig.runs.decide(run, Decision::Skip).await.unwrap();
        }
        let mut open = doubtful;
        for status in [RunStatus::Queued, RunStatus::Running, RunStatus::Waiting] {
            open.extend(of(rig, status).await);
        }
        if open.is_empty() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "stuck: {open:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for status in [RunStatus::Failed, RunStatus::Cancelled] {
        assert_eq!(of(rig, status).await, Vec::<String>::new(), "{status:?}");
    }
}

async fn of(rig: &Rig, status: RunStatus) -> Vec<String> {
    let wanted = Wanted { status: Some(status), limit: 500, ..Wanted::default() };
    let runs = history::list(&rig.store, &wanted).await.unwrap();
    runs.into_iter().map(|run| run.id).collect()
}

async fn each_event_has_one_run(rig: &Rig, told: &[u64]) {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT trigger_event.key, count(*) FROM run JOIN trigger_event ON trigger_event.seq = run.event
         WHERE trigger_event.key IS NOT NULL GROUP BY trigger_event.key",
    )
    .fetch_all(rig.store.reader())
    .await
    .unwrap();
    let runs: BTreeMap<u64, i64> =
        rows.into_iter().map(|(key, runs)| (key.parse().unwrap(), runs)).collect();
    assert!(runs.values().all(|runs| *runs == 1), "{runs:?}");
    let lost: Vec<_> = told.iter().filter(|event| !runs.contains_key(event)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    let twice: Vec<String> = sqlx::query_scalar(
        "SELECT parent FROM run WHERE parent IS NOT NULL GROUP BY parent HAVING count(*) > 1",
    )
    .fetch_all(rig.store.reader())
    .await
    .unwrap();
    assert!(twice.is_empty(), "called twice: {twice:?}");
}

/// One that is not idempotent happens once at most. One that is may be repeated only while nothing
/// after it began: what begins after it begins when its end is on disk.
fn no_effect_was_repeated(world: &str, seed: u64) {
    let flows: Vec<Value> = (0..FLOWS).map(|number| flow(number, seed)).collect();
    let once: BTreeSet<(String, String)> = flows
        .iter()
        .flat_map(|flow| {
            let once = |node: &&Value| node["action"] == json!("test.once");
            let nodes = flow["nodes"].as_array().unwrap().iter().filter(once);
            nodes.map(|node| (text(&flow["id"]), text(&node["id"]))).collect::<Vec<_>>()
        })
        .collect();
    let mut begun: HashMap<&str, Vec<(&str, &str)>> = HashMap::new();
    for line in world.lines() {
        let Some(("begin", rest)) = line.split_once(' ') else { continue };
        let Some((flow, key)) = rest.split_once(' ') else { continue };
        let Some((run, node)) = key.split_once('/') else { continue };
        begun.entry(run).or_default().push((flow, node));
    }
    assert!(!begun.is_empty());
    for (run, lines) in begun {
        for (at, (flow, node)) in lines.iter().enumerate() {
            let again = lines[at + 1..].iter().any(|later| later.1 == *node);
            if !again {
                continue;
            }
            let is_once = once.contains(&((*flow).to_owned(), (*node).to_owned()));
            assert!(!is_once, "{run}/{node} of {flow} happened twice (seed {seed})");
            let last = lines.iter().rposition(|line| line.1 == *node).unwrap();
            let after = downstream(&flows, flow, node);
            let early = lines[..last].iter().find(|line| after.contains(line.1));
            assert!(early.is_none(), "{run}: {node} came again after {early:?} (seed {seed})");
        }
    }
}

fn downstream(flows: &[Value], flow: &str, node: &str) -> BTreeSet<String> {
    let flow = flows.iter().find(|each| each["id"] == json!(flow)).unwrap();
    let mut after = BTreeSet::new();
    let mut next = vec![node.to_owned()];
    while let Some(source) = next.pop() {
        for edge in flow["edges"].as_array().unwrap() {
            if edge["source"] == json!(source) && after.insert(text(&edge["target"])) {
                next.push(text(&edge["target"]));
            }
        }
    }
    after
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_check_itself_finds_what_is_repeated() {
    let of_kind = |wanted: &str| {
        (0..FLOWS).find_map(|number| {
            let flow = flow(number, 1);
            let nodes = flow["nodes"].as_array().unwrap().clone();
            let found = nodes.iter().find(|node| node["action"] == json!(wanted))?;
            Some(format!("begin {} run/{}\n", text(&flow["id"]), text(&found["id"])))
        })
    };
    let twice = of_kind("test.once").unwrap().repeat(2);
    assert!(std::panic::catch_unwind(|| no_effect_was_repeated(&twice, 1)).is_err());
    let again = of_kind("test.again").unwrap().repeat(2);
    no_effect_was_repeated(&again, 1);
}
