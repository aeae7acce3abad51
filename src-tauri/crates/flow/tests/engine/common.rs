//! A flow engine over a fresh file, with a few actions that a test can watch.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use devrig_core::{Actor, Code, Error, ManualClock, Result};
use devrig_flow::action::{About, Action, Actions, Context, Does, Effect};
use devrig_flow::history::{self, RunDetail};
use devrig_flow::run::RunStatus;
use devrig_flow::runs::{Rest, Started};
use devrig_flow::{Flows, Programs, Runs};
use devrig_store::{Store, StoreOptions};
use serde_json::{Value, json};

/// What the actions of the tests did, in the order they did it.
#[derive(Clone, Default)]
pub struct Diary {
    lines: Arc<Mutex<Vec<String>>>,
    /// Failures that are left, by name.
    failures: Arc<Mutex<HashMap<String, u32>>>,
}

impl Diary {
    pub fn write(&self, line: impl Into<String>) {
        self.lines.lock().unwrap().push(line.into());
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub fn fail_next(&self, name: &str, times: u32) {
        self.failures.lock().unwrap().insert(name.to_owned(), times);
    }

    fn fails(&self, name: &str) -> bool {
        let mut failures = self.failures.lock().unwrap();
        let left = failures.get_mut(name).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_some()
    }
}

pub struct Rig {
    pub flows: Flows,
    pub runs: Runs,
    pub store: Store,
    pub clock: Arc<ManualClock>,
    pub diary: Diary,
}

impl Rig {
    pub async fn at(folder: &Path, diary: Diary, clock: Arc<ManualClock>) -> Self {
        let file = folder.join("devrig.db");
        let options = StoreOptions::new(file, folder.join("backups"), clock.clone());
        let store = Store::open(options).await.unwrap();
        let programs = Programs::new(Arc::new(actions(&diary)));
        let runs = Runs::start(store.clone(), programs.clone()).await.unwrap();
        let flows = Flows::new(store.clone(), programs, runs.clone());
        Self { flows, runs, store, clock, diary }
    }

    pub async fn new() -> (Self, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (Self::at(folder.path(), Diary::default(), clock()).await, folder)
    }

    /// Saves a flow of these nodes and edges, and runs it.
    pub async fn begin(&self, nodes: Value, edges: Value) -> Started {
        self.begin_with(json!({ "nodes": nodes, "edges": edges })).await
    }

    /// The same with more of a definition.
    pub async fn begin_with(&self, mut flow: Value) -> Started {
        flow["name"] = json!("Test");
        flow["schemaVersion"] = json!(1);
        let saved = self.flows.save(flow, Actor::Person).await.unwrap();
        self.flows.run(&saved.id, None, json!({ "who": "kim" })).await.unwrap()
    }

    /// Runs it to its rest.
    pub async fn run(&self, nodes: Value, edges: Value) -> (Rest, RunDetail) {
        let started = self.begin(nodes, edges).await;
        self.ended(started).await
    }

    pub async fn ended(&self, started: Started) -> (Rest, RunDetail) {
        let rest = tokio::time::timeout(Duration::from_secs(20), started.rest).await;
        let rest = rest.expect("the run comes to a rest").unwrap();
        (rest, history::get(&self.store, &started.id).await.unwrap())
    }

    /// Waits until a run has the status; a test that hangs here has failed.
    pub async fn until(&self, id: &str, status: RunStatus) -> RunDetail {
        let start = Instant::now();
        loop {
            let run = history::get(&self.store, id).await.unwrap();
            if run.run.status == status {
                return run;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{status:?} expected: {run:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub fn clock() -> Arc<ManualClock> {
    ManualClock::at("2026-11-20T09:00:00Z".parse().unwrap())
}

/// A node of one of the tests' actions.
pub fn node(id: &str, action: &str, config: Value) -> Value {
    json!({ "id": id, "type": "action", "action": action, "config": config })
}

/// Edges in a line: `["a", "b", "c"]` is a → b → c.
pub fn line(ids: &[&str]) -> Value {
    ids.windows(2).map(|pair| json!({ "source": pair[0], "target": pair[1] })).collect()
}

/// How the nodes of a run ended, by path.
pub fn ends(run: &RunDetail) -> Vec<(String, String)> {
    let shown = |status: Option<devrig_flow::run::NodeStatus>| {
        status.map_or("open", devrig_flow::run::NodeStatus::as_str).to_owned()
    };
    run.nodes.iter().map(|node| (node.path.clone(), shown(node.status))).collect()
}

fn about(name: &'static str, effect: Effect, idempotent: bool) -> About {
    About {
        name,
        title: name,
        text: "For tests.",
        effect,
        idempotent,
        input: r#"{"type": "object"}"#,
        output: "{}",
        example: "{}",
        typical_ms: 1,
    }
}

fn actions(diary: &Diary) -> Actions {
    let mut actions = devrig_flow::actions::builtin().unwrap();
    let work = |kind| Does::Work(Arc::new(Test { diary: diary.clone(), kind }) as Arc<dyn Action>);
    actions.add(about("test.give", Effect::Pure, true), Does::Pure(Ok)).unwrap();
    actions.add(about("test.slow", Effect::Read, true), work(Kind::Slow)).unwrap();
    actions.add(about("test.flaky", Effect::Read, true), work(Kind::Flaky)).unwrap();
    actions.add(about("test.once", Effect::Write, false), work(Kind::Effect)).unwrap();
    actions.add(about("test.again", Effect::Write, true), work(Kind::Effect)).unwrap();
    actions
}

struct Test {
    diary: Diary,
    kind: Kind,
}

enum Kind {
    Slow,
    Flaky,
    Effect,
}

#[async_trait]
impl Action for Test {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        match self.kind {
            Kind::Slow => {
                self.diary.write(format!("begin {}", context.node));
                tokio::time::sleep(Duration::from_millis(input["ms"].as_u64().unwrap())).await;
                self.diary.write(format!("end {}", context.node));
            }
            Kind::Flaky => {
                self.diary.write(format!("try {} {}", context.node, context.attempt));
                if self.diary.fails(context.node) {
                    return Err(Error::new(Code::Network, "the line is down"));
                }
            }
            Kind::Effect => {
                self.diary.write(format!("effect {}", context.key.split('/').nth(1).unwrap()));
                if input["hangs"] == json!(true) && self.diary.fails("hang") {
                    std::future::pending::<()>().await;
                }
            }
        }
        Ok(input)
    }
}
