//! Snippets that mean harm: each fails alone, and those beside it go on.
#![cfg(target_os = "linux")]

mod common;

use std::time::{Duration, Instant};

use common::{code_run, failure, output, pool};
use devrig_core::{Category, Code};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// None of these ever comes back to the engine's interrupt handler.
const NATIVE_LOOPS: &[&str] = &[
    "Array.prototype.reverse.call({ length: 2 ** 53 - 1 })",
    "Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 0, 1)",
    "Array.prototype.join.call({ length: 2 ** 32 - 1 })",
    "[].concat({ length: 2 ** 53 - 1, [Symbol.isConcatSpreadable]: true })",
    "const a = []; a.length = 2 ** 32 - 1; a[0] = 1; a.sort()",
    "'a'.repeat(4e6).lastIndexOf('a'.repeat(2e6) + 'b')",
    "return { toJSON() { return Array.prototype.reverse.call({ length: 2 ** 53 - 1 }) } }",
    "return { get a() { return Array.prototype.reverse.call({ length: 2 ** 53 - 1 }) } }",
    "throw { get message() { return Array.prototype.reverse.call({ length: 2 ** 53 - 1 }) } }",
    "Error.prepareStackTrace = () => Array.prototype.reverse.call({ length: 2 ** 53 - 1 }); null.x",
    "await null; Array.prototype.reverse.call({ length: 2 ** 53 - 1 })",
    "Object.defineProperty(Object.prototype, 'then', { get() { Array.prototype.reverse.call({ length: 2 ** 53 - 1 }) } }); return {}",
];

#[tokio::test(flavor = "multi_thread")]
async fn loops_that_cannot_be_interrupted_are_ended_from_outside() {
    let pool = pool();
    output(&pool, "return 1", Value::Null).await;
    let loops: Vec<_> = NATIVE_LOOPS
        .iter()
        .map(|source| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let run = code_run(source, Value::Null, 100);
                let begun = Instant::now();
                let ended = pool.run(run, &CancellationToken::new()).await;
                (*source, ended, begun.elapsed())
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for n in 0..60 {
        let begun = Instant::now();
        assert_eq!(output(&pool, "return input", json!(n)).await, n);
        slowest = slowest.max(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(slowest < Duration::from_millis(1_500), "a run beside them took {slowest:?}");
    for task in loops {
        let (source, ended, took) = task.await.unwrap();
        // Some are quick in this version of the engine, which is as good.
        if let Err(failure) = ended {
            let error = failure.error;
            let right = matches!(error.category, Category::Timeout | Category::Resource)
                || error.code == Code::CodeFailed && source.contains("lastIndexOf");
            assert!(right, "{source}: {error}");
        }
        assert!(took < Duration::from_secs(8), "{source}: {took:?}");
    }
    assert_eq!(failure(&pool, NATIVE_LOOPS[0]).await.error.category, Category::Timeout);
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_and_tricks_fail_alone() {
    let pool = pool();
    let bad: Vec<_> = [
        "for (;;);",
        "for (;;) await null",
        "const again = () => Promise.resolve().then(again); await again()",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        "const a = []; for (;;) a.push(new Array(1000).fill(1.5))",
        "let s = 'x'; for (;;) { s += s; s.indexOf('y') }",
        "let o = {}; for (;;) o = { o }",
        "const f = () => f(); f()",
        "const f = () => { try { f() } finally { f() } }; f()",
        "let o = []; for (let i = 0; i < 1e5; i++) o = [o]; return o",
        "return JSON.parse('['.repeat(1e6))",
        "return 'x'.repeat(5e6)",
        "return new Proxy({}, { ownKeys() { for (;;); } })",
        "for (;;) console.log('x'.repeat(10000))",
        "throw { get message() { for (;;); } }",
        "return new Array(2 ** 31)",
    ]
    .into_iter()
    .map(|source| {
        let pool = pool.clone();
        tokio::spawn(async move { (source, failure(&pool, source).await) })
    })
    .collect();
    for n in 0..30 {
        assert_eq!(output(&pool, "return input", json!(n)).await, n, "others go on");
    }
    for task in bad {
        let (source, failure) = task.await.unwrap();
        let code = failure.error.code;
        let known =
            [Code::Timeout, Code::QuotaExceeded, Code::TooLarge, Code::CodeFailed].contains(&code);
        assert!(known, "{source}: {}", failure.error);
        assert!(failure.error.hint.is_some(), "{source}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_for_the_runs_of_others() {
    let pool = pool();
    let probe = "return [typeof left, ({}).left, [].push?.name, JSON.stringify?.name, typeof Math?.random, \
         Object.isFrozen(Array.prototype), typeof console.log, Reflect.ownKeys(globalThis).length]";
    let fresh = output(&pool, probe, Value::Null).await;
    for source in [
        "left = 1; Object.prototype.left = 1; Array.prototype.push = null; JSON.stringify = null",
        "for (const key of Reflect.ownKeys(globalThis)) try { delete globalThis[key] } catch {}",
        "Object.freeze(Array.prototype); Math = null; console.log = null; for (;;);",
        "const a = []; globalThis.left = a; for (;;) a.push({})",
        "throw { get name() { Object.prototype.left = 1 } }",
    ] {
        _ = common::run(&pool, source, Value::Null).await;
        for _ in 0..4 {
            assert_eq!(output(&pool, probe, Value::Null).await, fresh, "after {source}");
        }
    }
}
