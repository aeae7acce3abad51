//! The pool with real workers.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use devrig_code::{Budget, CodeFailure, CodePool, CodeResult, CodeRun, CodeSettings, Snippet};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The worker beside the tests.
pub fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("plugin-host");
    assert!(program.is_file(), "build the worker first: cargo build -p devrig-plugin-host");
    program
}

pub fn settings() -> CodeSettings {
    CodeSettings { workers: 2, ..CodeSettings::new(program()) }
}

pub fn pool() -> CodePool {
    CodePool::new(settings())
}

pub fn budget(cpu_ms: u32) -> Budget {
    Budget { cpu_ms, ..Budget::default() }
}

pub fn code_run(source: &str, input: Value, cpu_ms: u32) -> CodeRun {
    let snippet = Snippet::new(source).unwrap();
    let input = to_raw_value(&json!({ "input": input })).unwrap();
    CodeRun { snippet, input, budget: budget(cpu_ms) }
}

pub async fn run(pool: &CodePool, source: &str, input: Value) -> Result<CodeResult, CodeFailure> {
    pool.run(code_run(source, input, 300), &CancellationToken::new()).await
}

pub async fn output(pool: &CodePool, source: &str, input: Value) -> Value {
    let result = run(pool, source, input).await;
    value(&result.unwrap_or_else(|failure| panic!("{source}: {failure}")).output)
}

pub async fn failure(pool: &CodePool, source: &str) -> CodeFailure {
    run(pool, source, Value::Null).await.expect_err(source)
}

pub fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap()
}

/// Processes of this test binary, which runs nothing but workers.
pub fn children() -> BTreeSet<u32> {
    let mut all = BTreeSet::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let list = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        all.extend(list.split_whitespace().map(|pid| pid.parse::<u32>().unwrap()));
    }
    all
}

/// Waits for a condition; a test that hangs here has failed.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
