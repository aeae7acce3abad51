//! What callers of the pool can rely on.
#![cfg(target_os = "linux")]

mod common;

use std::time::{Duration, Instant};

use common::{code_run, failure, output, pool, run, settings, until, value};
use devrig_code::{Budget, CodePool, CodeRun, CodeSettings, Snippet};
use devrig_core::{Category, Code};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn a_snippet_gets_its_fields_and_gives_json() {
    let pool = pool();
    let fields = json!({
        "input": 1, "trigger": {"a": "é"}, "nodes": {"x": [1]}, "variables": {}, "loop": null,
    });
    let source = "return { input, trigger, nodes, variables, loop }";
    let run = CodeRun {
        snippet: Snippet::new(source).unwrap(),
        input: to_raw_value(&fields).unwrap(),
        budget: Budget::default(),
    };
    let result = pool.run(run, &CancellationToken::new()).await.unwrap();
    assert_eq!(value(&result.output), fields);
    assert!(result.cpu > Duration::ZERO && result.cpu < Duration::from_secs(1));
    assert_eq!(output(&pool, "await null; return input * 2", json!(21)).await, 42);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_a_category_a_sentence_a_remedy_and_the_place() {
    let pool = pool();
    for (source, code, category, sentence) in [
        ("x = ;", Code::CodeFailed, Category::Permanent, "does not parse in line 1"),
        ("\nnull.x", Code::CodeFailed, Category::Permanent, "failed in line 2: TypeError: cannot"),
        ("return () => 1", Code::CodeFailed, Category::Permanent, "output is a function"),
        ("return new Promise(() => {})", Code::CodeFailed, Category::Permanent, "nothing resolves"),
        ("fetch('x')", Code::CodeFailed, Category::Permanent, "http.request node"),
        ("for (;;);", Code::Timeout, Category::Timeout, "used up its 300 ms of CPU"),
        ("const a = []; for (;;) a.push({})", Code::QuotaExceeded, Category::Resource, "32 MB"),
        ("return 'x'.repeat(5e6)", Code::TooLarge, Category::Resource, "5000002 bytes"),
    ] {
        let error = failure(&pool, source).await.error;
        assert_eq!((error.code, error.category), (code, category), "{source}: {error}");
        assert!(error.message.contains(sentence), "{source}: {error}");
        assert!(error.hint.is_some(), "{source}");
    }
    let failure = failure(&pool, "console.warn('before');\n\n  throw new RangeError('no')").await;
    let details = failure.error.details.unwrap();
    assert_eq!(details["kind"], "thrown");
    assert_eq!(details["name"], "RangeError");
    assert_eq!((&details["line"], &details["column"]), (&json!(3), &json!(13)));
    assert!(details["stack"].as_str().unwrap().contains("code.js:3:13"), "{details}");
    assert_eq!(failure.console[0].text, "before", "what it wrote before is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_runs_at_once_each_get_their_own_answer() {
    let pool = pool();
    let tasks: Vec<_> = (0..1000)
        .map(|n| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let source = format!(
                    "globalThis.seen = (globalThis.seen ?? 0) + 1; return [input, {}, seen]",
                    n % 7
                );
                output(&pool, &source, json!({ "n": n })).await
            })
        })
        .collect();
    for (n, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), json!([{ "n": n }, n % 7, 1]), "and an engine of its own");
    }
    let status = pool.status();
    assert_eq!((status.running, status.waiting), (0, 0));
    assert!(status.workers >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_sources_than_a_worker_keeps_go_round_and_round() {
    let pool = CodePool::new(CodeSettings { workers: 1, ..settings() });
    for round in 0..2 {
        for n in 0..530 {
            assert_eq!(
                output(&pool, &format!("return {n} + input"), json!(round)).await,
                n + round
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_data_goes_through() {
    let pool = pool();
    let text = "é漢🦀\"\\".repeat(200_000);
    let source = "return { input, length: input.length }";
    let got = output(&pool, source, json!(text)).await;
    assert_eq!(got["input"], text);
    let list: Vec<u32> = (0..100_000).collect();
    let source = "return input.map((n) => n * 2)";
    assert_eq!(output(&pool, source, json!(list)).await.as_array().unwrap().len(), 100_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_checked_without_running() {
    let pool = pool();
    let cancel = CancellationToken::new();
    let check = async |source: &str| pool.check(&Snippet::new(source).unwrap(), &cancel).await;
    check("for (;;);").await.unwrap();
    let error = check("const a = 1;\nconst a = 2;").await.unwrap_err();
    assert_eq!(error.code, Code::CodeFailed);
    assert_eq!(error.details.unwrap()["line"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn short_runs_do_not_wait_for_long_ones() {
    let pool = pool();
    let long = "for (const end = Date.now() + 400; Date.now() < end;); return input";
    for _ in 0..3 {
        output(&pool, "return input", json!(1)).await;
    }
    let long: Vec<_> = (0..6)
        .map(|n| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let run = code_run(long, json!(n), 5_000);
                value(&pool.run(run, &CancellationToken::new()).await.unwrap().output)
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let begun = Instant::now();
    for n in 0..20 {
        assert_eq!(output(&pool, "return input", json!(n)).await, n);
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_millis(600), "20 short ones took {took:?} beside the long ones");
    for (n, task) in long.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), n);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_answers_at_once_and_frees_the_worker() {
    let pool = CodePool::new(CodeSettings { workers: 1, ..settings() });
    output(&pool, "return 1", Value::Null).await;
    let cancel = CancellationToken::new();
    let runs: Vec<_> = ["for (;;);", "return 2", "return 3"]
        .into_iter()
        .map(|source| {
            let (pool, cancel) = (pool.clone(), cancel.clone());
            let run = code_run(source, Value::Null, 60_000);
            tokio::spawn(async move { pool.run(run, &cancel).await })
        })
        .collect();
    until("the loop runs", || pool.status().running > 0).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    cancel.cancel();
    let begun = Instant::now();
    for run in runs {
        // The short ones may have been run by a worker that was started for them.
        if let Err(failure) = run.await.unwrap() {
            assert_eq!(failure.error.code, Code::Cancelled);
        }
    }
    assert!(begun.elapsed() < Duration::from_millis(300), "{:?}", begun.elapsed());
    until("the loop's worker is free", || pool.status().running == 0).await;
    assert_eq!(output(&pool, "return 4", Value::Null).await, 4);
    let error = pool.run(code_run("return 5", Value::Null, 100), &cancel).await.unwrap_err().error;
    assert_eq!(error.code, Code::Cancelled, "nothing is begun for who has cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_future_gives_the_run_up() {
    let pool = pool();
    let run = code_run("for (;;);", Value::Null, 60_000);
    let cancel = CancellationToken::new();
    let given_up = tokio::time::timeout(Duration::from_millis(50), pool.run(run, &cancel)).await;
    assert!(given_up.is_err());
    until("it is ended", || pool.status().running == 0).await;
    assert_eq!(output(&pool, "return 1", Value::Null).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_is_bounded() {
    let pool = CodePool::new(CodeSettings { workers: 1, waiting: 5, ..settings() });
    let cancel = CancellationToken::new();
    let mut tasks = Vec::new();
    until("workers and line are full", || {
        let (pool, cancel) = (pool.clone(), cancel.clone());
        let status = pool.status();
        tasks.push(tokio::spawn(async move {
            pool.run(code_run("for (;;);", Value::Null, 60_000), &cancel).await
        }));
        // The fourth worker is kept for what is known to be short.
        (status.running, status.waiting) == (3, 5)
    })
    .await;
    let error = run(&pool, "return 1", Value::Null).await.unwrap_err().error;
    assert_eq!((error.code, error.category), (Code::QuotaExceeded, Category::Resource));
    assert!(error.message.contains("5 runs of code wait"), "{error}");
    cancel.cancel();
    for task in tasks {
        assert!(task.await.unwrap().is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn budgets_that_no_worker_could_keep_are_refused() {
    let pool = pool();
    let input = RawValue::from_string("{}".to_owned()).unwrap();
    let budget = Budget { heap_bytes: 1 << 40, ..Budget::default() };
    let run = CodeRun { snippet: Snippet::new("return 1").unwrap(), input, budget };
    let error = pool.run(run, &CancellationToken::new()).await.unwrap_err().error;
    assert_eq!(error.code, Code::InvalidInput);
    assert_eq!(pool.status().workers, 0, "no worker is started for it");
}
