//! Drives the worker as a runner of snippets.

use std::collections::BTreeSet;
use std::io::Write;

use devrig_core::frame;
use devrig_core::protocol::{ToWorker, VERSION};
use devrig_core::snippet::{Answer, Budget, ConsoleLine, End, Failure, Run, SourceHash, ToRunner};
use serde_json::{Value, json};

use super::Rig;

pub struct Runner {
    pub rig: Rig,
    sent: BTreeSet<SourceHash>,
    last: u64,
    pub budget: Budget,
    pub console: Vec<ConsoleLine>,
}

/// An answer without its borrows.
#[derive(Debug, PartialEq)]
pub enum Ended {
    Output(Value),
    Failed(Failure),
    Unknown,
    Skipped,
}

pub fn hash(source: &str) -> SourceHash {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    hasher.write(source.as_bytes());
    u128::from(hasher.finish()).to_le_bytes()
}

impl Runner {
    pub fn new() -> Self {
        Self::with_heap(64 << 20)
    }

    pub fn with_heap(heap_bytes: u64) -> Self {
        let mut rig = Rig::spawn();
        rig.send(&ToWorker::Snippets { protocol: VERSION, heap_bytes });
        let budget = Budget { cpu_ms: 300, ..Budget::default() };
        Self { rig, sent: BTreeSet::new(), last: 0, budget, console: Vec::new() }
    }

    /// Sends a run, its source only the first time.
    pub fn begin(&mut self, source: &str, input: &str) -> u64 {
        let hash = hash(source);
        let new = self.sent.insert(hash);
        self.begin_as(hash, new.then_some(source), input)
    }

    pub fn begin_as(&mut self, hash: SourceHash, source: Option<&str>, input: &str) -> u64 {
        self.last += 1;
        let run = Run { id: self.last, budget: self.budget, hash, source, input };
        self.send(&ToRunner::Run(run));
        self.last
    }

    pub fn send(&mut self, message: &ToRunner<'_>) {
        let mut frame = Vec::new();
        message.write(&mut frame).unwrap();
        self.rig.socket.write_all(&frame).unwrap();
    }

    pub fn end(&mut self, id: u64) -> Ended {
        let payload = frame::read(&mut self.rig.socket).unwrap().expect("the worker answers");
        let answer = Answer::read(&payload).unwrap();
        assert_eq!(answer.id, id, "in the order of the runs");
        self.console = match answer.console {
            "" => Vec::new(),
            json => serde_json::from_str(json).unwrap(),
        };
        match answer.end {
            End::Output(json) => Ended::Output(serde_json::from_str(json).unwrap()),
            End::Failed(json) => Ended::Failed(serde_json::from_str(json).unwrap()),
            End::Unknown => Ended::Unknown,
            End::Skipped => Ended::Skipped,
        }
    }

    pub fn run(&mut self, source: &str) -> Value {
        self.run_with(source, &json!({ "input": { "a": 1 } }))
    }

    pub fn run_with(&mut self, source: &str, input: &Value) -> Value {
        let id = self.begin(source, &input.to_string());
        match self.end(id) {
            Ended::Output(value) => value,
            other => panic!("{source}: {other:?}"),
        }
    }

    pub fn fail(&mut self, source: &str) -> Failure {
        let id = self.begin(source, r#"{"input":{"a":1}}"#);
        match self.end(id) {
            Ended::Failed(failure) => failure,
            other => panic!("{source}: {other:?}"),
        }
    }
}
