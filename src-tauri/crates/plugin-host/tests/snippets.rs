//! The worker as a runner of snippets: what a snippet sees, what it is told, what it cannot do,
//! and that nothing of it is left for the next.
#![cfg(unix)]

mod support;

use std::time::{Duration, Instant};

use devrig_core::protocol::{LogLevel, ToWorker, VERSION};
use devrig_core::snippet::{Budget, ConsoleLine, Failure, FailureKind, ToRunner};
use devrig_plugin_host::exit;
use serde_json::{Value, json};
use support::Rig;
use support::runner::{Ended, Runner, hash};

#[test]
fn a_snippet_computes_from_the_fields_of_its_input() {
    let mut runner = Runner::new();
    let input = json!({
        "input": { "n": 2 }, "trigger": { "body": "é漢🦀" }, "nodes": { "a": { "output": [1] } },
        "variables": { "v": null }, "loop": { "index": 3 }, "unknown": 1,
    });
    let all = "return { input, trigger, nodes, variables, loop }";
    let mut wanted = input.clone();
    wanted.as_object_mut().unwrap().remove("unknown");
    assert_eq!(runner.run_with(all, &input), wanted);
    for (source, output) in [
        ("return input.n * 21", json!(42)),
        ("", Value::Null),
        ("return", Value::Null),
        ("return undefined", Value::Null),
        ("return null", Value::Null),
        ("await null; return await Promise.all([1, Promise.resolve(2)])", json!([1, 2])),
        ("for await (const x of [Promise.resolve(1)]) return x", json!(1)),
        ("return [NaN, Infinity, -0, undefined]", json!([null, null, 0, null])),
        (
            "return { gone: undefined, when: new Date(0) }",
            json!({"when": "1970-01-01T00:00:00.000Z"}),
        ),
        ("return '\\ud800'", json!("\u{fffd}")),
        ("return { then(resolve) { resolve(5) } }", json!(5)),
        ("return { toJSON() { return 'short' } }", json!("short")),
        ("BigInt.prototype.toJSON = function () { return `${this}` }; return 3n", json!("3")),
        ("return new Proxy({ a: 1 }, {})", json!({"a": 1})),
        ("return Symbol('x')", Value::Null),
        ("// only a comment", Value::Null),
        ("return 1 // at the end", json!(1)),
        ("sum = 1; sum += 1; return sum", json!(2)),
        ("return eval('1 + 1') + new Function('return 2')()", json!(4)),
        ("return JSON.stringify({ f() {}, m: new Map() })", json!("{\"m\":{}}")),
        ("try { JSON.stringify(1n) } catch (error) { return error.name }", json!("TypeError")),
        ("class A { #x = 1; get x() { return this.#x } } return new A().x", json!(1)),
        ("return 'x'.replace(/(?<a>x)/u, '$<a>y')", json!("xy")),
        ("return typeof SharedArrayBuffer + typeof Atomics", json!("undefinedundefined")),
    ] {
        assert_eq!(runner.run_with(source, &input), output, "{source}");
        assert_eq!(runner.run_with(source, &input), output, "the second time: {source}");
    }
}

#[test]
fn the_web_basics_are_there_for_who_uses_them() {
    let mut runner = Runner::new();
    for (source, output) in [
        ("return new URL('https://a.b/c?d=e').searchParams.get('d')", json!("e")),
        ("return [atob('YQ=='), btoa('a')]", json!(["a", "YQ=="])),
        ("return structuredClone(new Map([[1, { a: [1] }]])).get(1)", json!({"a": [1]})),
        ("return new TextDecoder().decode(new TextEncoder().encode('é'))", json!("é")),
        ("return globalThis['at' + 'ob']('YQ==')", json!("a")),
        ("return crypto.randomUUID().length", json!(36)),
        (
            "const d = await crypto.subtle.digest('SHA-256', new TextEncoder().encode('a'));
             return new Uint8Array(d)[0]",
            json!(202),
        ),
        ("return new Promise((resolve) => queueMicrotask(() => resolve(7)))", json!(7)),
        ("return Math.abs(Date.now() - new Date()) < 1000 && Math.random() < 1", json!(true)),
        ("return [...Array(50)].every(() => Math.random() >= 0)", json!(true)),
        ("URL = 5; return URL", json!(5)),
        ("const console = 1; return console", json!(1)),
    ] {
        assert_eq!(runner.run(source), output, "{source}");
        assert_eq!(runner.run(source), output, "the second time: {source}");
    }
    let runs = ["return Math.random()", "return crypto.randomUUID()", "return performance.now()"];
    for source in runs {
        let first = runner.run(source);
        std::thread::sleep(Duration::from_millis(1));
        assert_ne!(runner.run(source), first, "no two runs are given the same: {source}");
    }
}

#[test]
fn what_is_no_json_is_named_with_its_path() {
    let mut runner = Runner::new();
    for (source, message) in [
        ("return () => 1", "output is a function"),
        ("return { a: [1, { b() {} }] }", "output.a[1].b is a function"),
        ("return { a: [1, 2n] }", "output.a[1] is a BigInt"),
        ("return [1].map(async (x) => x)", "output[0] is a promise: await it"),
        ("return { 'a b': new Map() }", "output[\"a b\"] is a Map"),
        ("return { s: new Set() }", "output.s is a Set"),
        ("const a = { b: {} }; a.b.c = a; return a", "output.b.c is a part of itself"),
        ("return { toJSON() { return { x: 1n } } }", "output.x is a BigInt"),
        ("Object.freeze(Function.prototype); return [() => 1]", "output[0] is a function"),
        ("let a = []; for (let i = 0; i < 101; i++) a = [a]; return a", "100 levels deep"),
    ] {
        let failure = runner.fail(source);
        assert_eq!(failure.kind, FailureKind::Output, "{source}: {failure:?}");
        assert!(failure.message.contains(message), "{source}: {failure:?}");
    }
}

#[test]
fn errors_carry_the_place_in_the_persons_own_source() {
    use FailureKind::{Syntax, Thrown};
    let mut runner = Runner::new();
    for (source, kind, name, message, place) in [
        ("x = ;", Syntax, "SyntaxError", "';'", Some((1, 5))),
        ("const a = 1;\n\nconst a = 2;", Syntax, "SyntaxError", "", Some((3, 9))),
        ("return (", Syntax, "SyntaxError", "", Some((2, 1))),
        ("/* open", Syntax, "SyntaxError", "comment", Some((1, 1))),
        ("import x from 'y'", Syntax, "SyntaxError", "http.request node", Some((1, 8))),
        ("const a = 1;\nreturn a.b.c", Thrown, "TypeError", "'c'", Some((2, 8))),
        (
            "await null;\n  throw new RangeError('later')",
            Thrown,
            "RangeError",
            "later",
            Some((2, 13)),
        ),
        ("return missing", Thrown, "ReferenceError", "missing", Some((1, 8))),
        (
            "return { get a() { throw new Error('getter') } }",
            Thrown,
            "Error",
            "getter",
            Some((1, 30)),
        ),
        ("fetch('http://x')", Thrown, "TypeError", "http.request node", Some((1, 1))),
        ("const fs = require('fs')", Thrown, "TypeError", "http.request node", Some((1, 12))),
        ("setTimeout(() => {})", Thrown, "TypeError", "flow.delay node", Some((1, 1))),
        ("AbortSignal.timeout(1)", Thrown, "TypeError", "flow.delay node", Some((1, 13))),
        ("await import('fs')", Thrown, "TypeError", "http.request node", None),
        ("throw null", Thrown, "Error", "null was thrown", None),
        ("throw 'text'", Thrown, "Error", "text was thrown", None),
        ("throw { message: 'mine' }", Thrown, "Error", "mine", None),
        ("const f = () => f(); f()", Thrown, "RangeError", "call stack", Some((1, 17))),
    ] {
        let failure = runner.fail(source);
        assert_eq!((failure.kind, &*failure.name), (kind, name), "{source}: {failure:?}");
        assert!(failure.message.contains(message), "{source}: {failure:?}");
        let told = failure.line.zip(failure.column);
        assert_eq!(told, place, "{source}: {failure:?}");
    }
    let failure =
        runner.fail("function deep() {\n  throw new Error('x');\n}\n[1].map(() => deep());");
    let stack = failure.stack.unwrap();
    assert_eq!(stack.lines().count(), 3, "only the person's own frames: {stack}");
    assert!(stack.contains("at deep (code.js:2:"), "{stack}");
}

#[test]
fn code_that_closes_its_own_function_is_refused() {
    let mut runner = Runner::new();
    for source in [
        "}); globalThis.left = 1; (async () => {",
        "} + evil(), async () => {",
        "}, async () => {",
        "} : 0, async () => {",
        "} : evil() ? async () => {",
        "}\n)\n(async () => {",
        "}) || (async () => {",
        "}; async () => {",
        "`${",
        "}/*",
    ] {
        let failure = runner.fail(source);
        assert_eq!(failure.kind, FailureKind::Syntax, "{source}: {failure:?}");
    }
    assert_eq!(runner.run("return typeof left"), "undefined");
}

#[test]
fn the_console_is_told_and_bounded() {
    let mut runner = Runner::new();
    runner.run("console.log('a', { b: [1] }); console.error(new Error('e').message, '\\ud800')");
    let line = |level, text: &str| ConsoleLine { level, text: text.into() };
    let wanted = [line(LogLevel::Info, "a { b: [ 1 ] }"), line(LogLevel::Error, "e \u{fffd}")];
    assert_eq!(runner.console.len(), 2);
    assert_eq!(runner.console[1], wanted[1]);
    assert!(runner.console[0].text.starts_with("a { b: ["), "{:?}", runner.console);
    runner.fail("console.warn('before'); throw new Error('x')");
    assert_eq!(runner.console, [line(LogLevel::Warn, "before")], "also of a run that fails");
    runner.run("return 1");
    assert_eq!(runner.console, [], "nothing is left of the run before");
    runner.run("for (let i = 0; i < 5000; i++) console.log('x'.repeat(9000))");
    let text: usize = runner.console.iter().map(|line| line.text.len()).sum();
    assert!(text < 66_000 && runner.console.len() <= 500, "{text}");
    assert!(runner.console.last().unwrap().text.contains("full"));
    runner.run("Promise.reject(new TypeError('lost')); await null");
    assert_eq!(runner.console.len(), 1);
    assert!(runner.console[0].text.contains("TypeError: lost"), "{:?}", runner.console);
    runner.run("const p = Promise.reject(1); await p.catch(() => {})");
    assert_eq!(runner.console, [], "somebody handles it");
}

/// What stays within the engine's reach is ended by the worker itself, with the place.
#[test]
fn runaways_end_at_their_budget() {
    let mut runner = Runner::new();
    for (source, kind) in [
        ("for (;;);", FailureKind::Cpu),
        ("for (;;) await null", FailureKind::Cpu),
        (
            "for (;;) { try { for (;;); } catch { for (;;); } finally { for (;;); } }",
            FailureKind::Cpu,
        ),
        ("/^(a+)+$/.test('a'.repeat(40) + 'b')", FailureKind::Cpu),
        ("return { get a() { for (;;); } }", FailureKind::Cpu),
        ("return { toJSON() { for (;;); } }", FailureKind::Cpu),
        ("return new Proxy({}, { ownKeys() { for (;;); } })", FailureKind::Cpu),
        ("Error.prepareStackTrace = () => { for (;;); }; throw new Error('x')", FailureKind::Cpu),
        ("await new Promise(() => {})", FailureKind::Unresolved),
        ("return { then() {} }", FailureKind::Unresolved),
        ("const a = []; for (;;) a.push({})", FailureKind::Memory),
        ("let s = 'x'; for (;;) s += s", FailureKind::Thrown),
        ("let s = 'x'; for (;;) { s += s; s.indexOf('y') }", FailureKind::Memory),
        ("return new ArrayBuffer(1 << 30)", FailureKind::Memory),
        ("let o = {}; for (;;) o = { o }", FailureKind::Memory),
        ("const all = []; for (;;) all.push(new Uint8Array(100000))", FailureKind::Memory),
        ("return 'x'.repeat(5_000_000)", FailureKind::TooLarge),
        ("return Array(900_000).fill(0.123456)", FailureKind::TooLarge),
    ] {
        let begun = Instant::now();
        let failure = runner.fail(source);
        assert_eq!(failure.kind, kind, "{source}: {failure:?}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{source}: {:?}", begun.elapsed());
        assert_eq!(runner.run("return input.a"), 1, "the worker goes on after {source}");
    }
    runner.budget = Budget { cpu_ms: 5_000, wall_ms: 50, ..Budget::default() };
    assert_eq!(runner.fail("for (;;) ;").kind, FailureKind::Wall);
    runner.budget = Budget { heap_bytes: 1 << 20, ..Budget::default() };
    assert_eq!(runner.fail("return 'x'.repeat(2e6).length").kind, FailureKind::Memory);
    runner.budget = Budget::default();
    assert_eq!(runner.run("return 'x'.repeat(2e6).length"), 2_000_000, "the budget is the run's");
    let peak = runner.rig.peak_memory();
    assert!(peak < 150 << 20, "{} MB", peak >> 20);
}

/// Everything that can be reached from the global object, by name and kind.
const FINGERPRINT: &str = "
    const seen = new Map();
    const walk = (value, path) => {
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return;
      if (seen.has(value)) return;
      seen.set(value, path);
      const own = Reflect.ownKeys(value).map((key) => [key, Reflect.getOwnPropertyDescriptor(value, key)]);
      const shape = own.map(([key, d]) => `${String(key)}:${typeof d.value}:${typeof d.get}:${+d.writable}${+d.enumerable}${+d.configurable}` +
        (typeof d.value === 'object' || typeof d.value === 'function' ? '' : String(d.value)));
      lines.push(`${path} ${Reflect.isExtensible(value)} ${shape.join(' ')}`);
      for (const [key, d] of own) {
        if ('value' in d) walk(d.value, `${path}.${String(key)}`);
        else { walk(d.get, `${path}.get ${String(key)}`); walk(d.set, `${path}.set ${String(key)}`); }
      }
      walk(Reflect.getPrototypeOf(value), `${path}.__proto__`);
    };
    const lines = [];
    walk(globalThis, 'global');
    walk((async () => {})().constructor, 'promise');
    walk(function* () {}, 'generator');
    walk(async function* () {}, 'generators');
    walk([][Symbol.iterator](), 'iterator');
    walk(/x/, 'regexp');
    return lines;
";

#[test]
fn nothing_of_one_run_is_visible_to_the_next() {
    let fresh = Runner::new().run(FINGERPRINT);
    let lines = fresh.as_array().unwrap().len();
    assert!(lines > 600, "the whole language is looked at, {lines} objects");
    let mut runner = Runner::new();
    let same = |runner: &mut Runner, after: &str| {
        let now = runner.run(FINGERPRINT);
        let (now, then) = (now.as_array().unwrap(), fresh.as_array().unwrap());
        let different = now.iter().zip(then).find(|(now, then)| now != then);
        assert!(now.len() == then.len() && different.is_none(), "after {after}: {different:?}");
    };
    for source in [
        "globalThis.left = 1; return 1",
        "left = 1",
        "var left = 1; function gone() {}; return 1",
        "Object.prototype.left = 1; Array.prototype.push = null; String.prototype.trim = () => 'x'",
        "for (const key of Reflect.ownKeys(globalThis)) try { delete globalThis[key] } catch {}",
        "Object.setPrototypeOf(Array.prototype, null); Object.freeze(globalThis)",
        "JSON.parse = JSON.stringify = () => 1; Promise.prototype.then = null; Math.random.x = 1",
        "for (const C of [Map, Set, Promise, RegExp, Date, Function, Error]) Object.freeze(C.prototype)",
        "Object.defineProperty(Object.prototype, 'input', { get() { for (;;); } })",
        "Promise.resolve().then(() => { globalThis.left = 1 }); return 1",
        "Promise.reject(new Error('x')); const never = new Promise(() => {}); return 1",
        "new FinalizationRegistry(() => { globalThis.left = 1 }).register({}, 1)",
        "console.log(1); console.log = null; URL.prototype.x = 1; crypto.randomUUID = () => 1",
        "Error.prepareStackTrace = () => 'mine'; Error.stackTraceLimit = 0; throw new Error('x')",
        "Symbol.for('left'); RegExp.prototype.exec = null; /x/.lastIndex = 5",
        "delete Math.random; delete globalThis.Math; Math = null; (() => {}).constructor.prototype.call = 1",
        "const a = []; for (;;) a.push({ a })",
        "let s = 'x'; for (;;) s += s",
        "for (;;);",
        "const f = () => f(); f()",
        "throw { get message() { Object.prototype.left = 1; return 'x' } }",
        "return { toJSON() { Object.prototype.left = 1 } }",
        "x = ;",
        "return new Array(2e5).fill({}).map((_, i) => ({ i })).length",
    ] {
        let id = runner.begin(source, r#"{"input":1}"#);
        runner.end(id);
        same(&mut runner, source);
        let id = runner.begin(source, r#"{"input":1}"#);
        runner.end(id);
        same(&mut runner, source);
    }
    let counting = "globalThis.n = (globalThis.n ?? 0) + 1; Object.prototype.m = (({}).m ?? 0) + 1; \
         return [n, ({}).m]";
    for _ in 0..50 {
        assert_eq!(runner.run(counting), json!([1, 1]), "the same source, from the same image");
    }
}

#[test]
fn freed_memory_of_one_run_holds_nothing_for_the_next() {
    let mut runner = Runner::new();
    runner.run("const all = []; for (let i = 0; i < 20; i++) all.push(new Uint8Array(100_000).fill(77)); return all.length");
    let found = runner.run(
        "let found = 0; for (let i = 0; i < 40; i++) for (const byte of new Uint8Array(50_000)) found += byte; return found",
    );
    assert_eq!(found, 0);
}

#[test]
fn sources_are_known_once_sent_and_may_be_forgotten() {
    let mut runner = Runner::new();
    let source = "return 'kept'";
    let id = runner.begin_as(hash(source), None, "{}");
    assert_eq!(runner.end(id), Ended::Unknown);
    let id = runner.begin_as(hash(source), Some(source), "{}");
    assert_eq!(runner.end(id), Ended::Output(json!("kept")));
    let id = runner.begin_as(hash(source), None, "{}");
    assert_eq!(runner.end(id), Ended::Output(json!("kept")));
    let broken = "x = ;";
    let id = runner.begin_as(hash(broken), Some(broken), "{}");
    let Ended::Failed(first) = runner.end(id) else { panic!("it does not parse") };
    let id = runner.begin_as(hash(broken), None, "{}");
    assert_eq!(runner.end(id), Ended::Failed(first), "that it is broken is known as well");
    for n in 0..600 {
        assert_eq!(runner.run(&format!("return {n}")), n);
    }
    let id = runner.begin_as(hash(source), None, "{}");
    assert_eq!(runner.end(id), Ended::Unknown, "600 others came since");
}

#[test]
fn a_source_can_be_checked_without_running_it() {
    let mut runner = Runner::new();
    let id = runner.begin("for (;;);", "");
    assert_eq!(runner.end(id), Ended::Output(Value::Null));
    let id = runner.begin("for (;", "");
    assert!(matches!(runner.end(id), Ended::Failed(Failure { kind: FailureKind::Syntax, .. })));
}

#[test]
fn runs_that_are_not_wanted_any_more_are_left_out() {
    let mut runner = Runner::new();
    runner.run("return 0");
    let slow = runner.begin("for (let i = 0; i < 3e6; i++); return 1", "{}");
    std::thread::sleep(Duration::from_millis(10));
    let second = runner.begin("return 2", "{}");
    let third = runner.begin("return 3", "{}");
    runner.send(&ToRunner::Skip(second));
    runner.send(&ToRunner::Skip(slow));
    runner.send(&ToRunner::Skip(99));
    assert_eq!(runner.end(slow), Ended::Output(json!(1)), "it had begun");
    assert_eq!(runner.end(second), Ended::Skipped);
    assert_eq!(runner.end(third), Ended::Output(json!(3)));
}

#[test]
fn an_input_that_is_no_object_is_told() {
    let mut runner = Runner::new();
    for input in ["1", "null", "{", "nonsense", "\"text\"", &"[".repeat(100_000)] {
        let id = runner.begin("return 1", input);
        let Ended::Failed(failure) = runner.end(id) else { panic!("{input:.20} is no input") };
        assert_eq!(failure.kind, FailureKind::Input, "{input:.20}: {failure:?}");
    }
    let deep = format!("{{\"input\":{}{}}}", "[".repeat(90), "]".repeat(90));
    let id = runner.begin("return input", &deep);
    assert!(matches!(runner.end(id), Ended::Output(_)));
}

#[test]
fn many_runs_take_no_more_memory_than_few() {
    let mut runner = Runner::new();
    let sources = [
        "return input",
        "console.log(crypto.randomUUID(), new URL('http://a/b')); return Math.random()",
        "throw new Error('x')",
        "return globalThis['struct' + 'uredClone']({ a: new Uint8Array(1000) })",
        "await import('x')",
        "Promise.reject(new Error('x')); return [1n]",
        "return 'x'.repeat(100000).length",
    ];
    let turn = |runner: &mut Runner, times: usize| {
        for source in sources.iter().cycle().take(times) {
            let id = runner.begin(source, r#"{"input":[1,2,3]}"#);
            runner.end(id);
        }
    };
    turn(&mut runner, 500);
    let before = runner.rig.resident_memory();
    turn(&mut runner, 4_000);
    let after = runner.rig.resident_memory();
    assert!(after < before + (2 << 20), "from {} to {} KB", before >> 10, after >> 10);
}

#[test]
fn a_bomb_gives_its_memory_back() {
    let mut runner = Runner::new();
    runner.run("return 1");
    let before = runner.rig.resident_memory();
    assert_eq!(runner.fail("const a = []; for (;;) a.push({})").kind, FailureKind::Memory);
    runner.run("return 1");
    let after = runner.rig.resident_memory();
    assert!(after < before + (3 << 20), "from {} to {} KB", before >> 10, after >> 10);
}

#[test]
fn garbage_is_collected_within_a_run() {
    let mut runner = Runner::new();
    runner.budget = Budget { cpu_ms: 5_000, heap_bytes: 8 << 20, ..Budget::default() };
    let source = "for (let i = 0; i < 3e5; i++) { const a = { x: [i, 'text' + i] }; a.a = a } \
         for (let i = 0; i < 200; i++) { const b = new Uint8Array(i * 10_000) } return 1";
    assert_eq!(runner.run(source), 1);
    runner.budget = Budget { heap_bytes: 1 << 20, ..runner.budget };
    let source = "for (let i = 0; i < 1e5; i++) { const a = { x: [i] }; a.a = a } return 1";
    assert_eq!(runner.run(source), 1, "where there is little heap, sooner");
}

#[test]
fn the_worker_ends_with_the_core_and_refuses_another_version() {
    let mut runner = Runner::new();
    runner.run("return 1");
    runner.rig.socket.shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(runner.rig.exit_code(), i32::from(exit::STOPPED));
    let mut rig = Rig::spawn();
    rig.send(&ToWorker::Snippets { protocol: VERSION + 1, heap_bytes: 1 << 20 });
    assert_eq!(rig.exit_code(), i32::from(exit::PROTOCOL));
    let mut runner = Runner::new();
    std::io::Write::write_all(&mut runner.rig.socket, &[3, 0, 0, 0, 9, 9, 9]).unwrap();
    assert_eq!(runner.rig.exit_code(), i32::from(exit::PROTOCOL));
}
