//! Rows A, B and C of the hostile suite, as far as the worker answers for them.
#![cfg(unix)]

mod support;

use std::io::Write;
use std::time::{Duration, Instant};

use devrig_core::frame;
use devrig_core::protocol::{FromWorker, MAX_FRAME, MAX_IN_FLIGHT, MAX_TIMERS, Outcome, ToWorker};
use devrig_plugin_host::exit;
use serde_json::{Value, json};
use support::{Rig, action, limits, package, plugin};

/// Runs the action and expects the worker to stop the plugin itself soon after `budget`.
fn stopped(body: &str, cpu_ms: u64, wall_ms: u64) {
    let mut start = action(body);
    start.limits = limits(64, cpu_ms, wall_ms);
    let mut rig = Rig::active(start);
    let call = rig.begin_action(Value::Null);
    let begun = Instant::now();
    let failure = rig.finish(call).expect_err(body);
    assert_eq!(failure.code, "PLUGIN_STOPPED", "{body}: {failure:?}");
    assert_eq!(rig.exit_code(), i32::from(exit::BUDGET), "{body}");
    // Bounded by 250 ms in the suite; the rest is for a machine that runs other tests too.
    let budget = Duration::from_millis(cpu_ms.min(wall_ms));
    assert!(
        begun.elapsed() < budget * 3 + Duration::from_millis(750),
        "{body}: {:?}",
        begun.elapsed()
    );
}

#[test]
fn a1_an_endless_loop_in_activate_is_stopped() {
    let mut start = plugin("devrig.activate(() => { for (;;); })");
    start.limits = limits(64, 100, 30_000);
    let mut rig = Rig::start(start);
    let failure = rig.activation_failure();
    assert_eq!(failure.code, "PLUGIN_STOPPED");
    assert_eq!(rig.exit_code(), i32::from(exit::BUDGET));
    let mut start = plugin("function spin() {\n  for (;;);\n}\nspin()");
    start.limits = limits(64, 100, 30_000);
    let failure = Rig::start(start).activation_failure();
    assert_eq!(failure.code, "PLUGIN_STOPPED", "also while the module loads");
    let stack = failure.stack.unwrap_or_default();
    assert!(stack.contains("spin (index.js:"), "the author sees where: {stack:?}");
}

#[test]
fn a2_catch_and_finally_do_not_outlive_the_budget() {
    stopped(
        "for (;;) { try { for (;;); } catch { for (;;); } finally { for (;;); } }",
        100,
        30_000,
    );
    stopped("try { await (async () => { for (;;); })() } catch { for (;;); }", 100, 30_000);
    stopped("const spin = () => { try { for (;;); } finally { spin() } }; spin()", 100, 30_000);
}

#[test]
fn a7_a_catastrophic_regular_expression_is_stopped() {
    stopped("/^(a+)+$/.test('a'.repeat(40) + 'b')", 100, 30_000);
    stopped("('a'.repeat(40) + 'b').replace(/^(a|a?)+$/, '')", 100, 30_000);
}

#[test]
fn a8_an_endless_chain_of_microtasks_is_stopped() {
    stopped(
        "const again = () => Promise.resolve().then(again); again(); await new Promise(() => {})",
        100,
        30_000,
    );
    stopped(
        "const again = () => queueMicrotask(again); again(); await new Promise(() => {})",
        5_000,
        200,
    );
    stopped("for (;;) await null", 5_000, 200);
    // Behind a call that has ended.
    let mut start = action("const again = () => queueMicrotask(again); again()");
    start.limits = limits(64, 5_000, 200);
    let mut rig = Rig::active(start);
    rig.run(Value::Null).unwrap();
    assert!(rig.drain().is_empty());
    assert_eq!(rig.exit_code(), i32::from(exit::BUDGET));
}

#[test]
fn a9_timers_are_capped_and_share_the_budget() {
    let mut rig = Rig::active(action(
        "let armed = 0; try { for (;;) { setTimeout(() => {}, 1e9); armed++ } } catch (e) { return [armed, e.code] }",
    ));
    assert_eq!(rig.run(Value::Null).unwrap(), json!([MAX_TIMERS, "QUOTA_EXCEEDED"]));
    stopped(
        "const again = () => { for (let i = 0; i < 1e5; i++); setTimeout(again) }; again(); await new Promise(() => {})",
        100,
        30_000,
    );
    // With no call open, the background account pays.
    let mut start = plugin(
        "devrig.activate(() => { const again = () => { for (let i = 0; i < 1e6; i++); setTimeout(again) }; again() })",
    );
    start.limits = limits(64, 100, 30_000);
    let mut rig = Rig::active(start);
    assert!(rig.drain().is_empty());
    assert_eq!(rig.exit_code(), i32::from(exit::BUDGET));
    assert!(
        rig.logs.iter().any(|(_, line)| line.contains("used up its 100 ms of CPU")),
        "{:?}",
        rig.logs
    );
}

#[test]
fn a11_a_promise_that_never_settles_is_a_timeout_and_the_worker_lives() {
    let mut start = action(
        "if (input === 1) { context.signal.onabort = () => sdk.log.warn(context.signal.reason.name); await new Promise(() => {}) } return 'well'",
    );
    start.limits = limits(64, 5_000, 150);
    let mut rig = Rig::active(start);
    let failure = rig.run(json!(1)).unwrap_err();
    assert_eq!(failure.code, "TIMEOUT");
    assert_eq!(rig.run(json!(2)).unwrap(), "well");
    assert_eq!(rig.logs[0].1, "TimeoutError");
}

#[test]
fn b1_every_kind_of_bomb_stays_inside_the_limit() {
    let heap = 48;
    for body in [
        "const a = []; for (;;) a.push(new Array(1000).fill(1.5))",
        "let s = 'x'; for (;;) s += s + 'y'",
        "const a = []; for (let i = 0; ; i++) a.push('x'.repeat(1000) + i)",
        "const m = new Map(); for (let i = 0; ; i++) m.set(i, {})",
        "const a = []; for (let i = 0; ; i++) a.push(Symbol('s' + i))",
        "const a = []; for (let i = 0; ; i++) a.push(() => i)",
        "const a = []; for (;;) a.push(new Promise(() => {}))",
        "let n = 3n; for (;;) n *= n",
        "const a = []; for (;;) a.push(new Uint8Array(1 << 20))",
        "const a = []; for (;;) a.push(new TextEncoder().encode('x'.repeat(1 << 18)))",
        "const o = {}; for (let i = 0; ; i++) o['k' + i] = i",
    ] {
        let mut start = action(body);
        start.limits = limits(heap, 20_000, 30_000);
        let mut rig = Rig::active(start);
        let failure = rig.run(Value::Null).unwrap_err();
        let full = failure.code == "TOO_LARGE" || failure.message.contains("out of memory");
        // A string, and a BigInt, end at the engine's own length limit.
        let capped = failure.name == "RangeError" || failure.message.contains("too l");
        assert!(full || capped, "{body}: {failure:?}");
        let peak = rig.peak_memory() >> 20;
        assert!(peak <= heap + 32, "{body}: {peak} MiB");
    }
}

#[test]
fn b2_catching_out_of_memory_for_ever_is_stopped() {
    let mut start = action(
        "const a = []; for (;;) { try { for (;;) a.push(new Array(100).fill({})) } catch { if (a.length > 10) a.length -= 10 } }",
    );
    start.limits = limits(32, 300, 30_000);
    let mut rig = Rig::active(start);
    let call = rig.begin_action(Value::Null);
    assert_eq!(rig.finish(call).unwrap_err().code, "PLUGIN_STOPPED");
}

#[test]
fn b3_huge_buffers_are_refused_without_a_peak() {
    let mut rig = Rig::active(action(
        "const tries = [() => new Uint8Array(2 ** 30), () => new ArrayBuffer(8, { maxByteLength: 2 ** 30 }).resize(2 ** 30), () => new SharedArrayBuffer(2 ** 30), () => crypto.getRandomValues(new Uint8Array(2 ** 29)), () => 'x'.repeat(2 ** 29), () => new Array(2 ** 31).fill(0)];
         return tries.map((f) => { try { f(); return 'got it' } catch (e) { return 'refused' } })",
    ));
    assert_eq!(rig.run(Value::Null).unwrap(), json!(vec!["refused"; 6]));
    assert!(rig.peak_memory() >> 20 < 128 + 32);
}

#[test]
fn b4_b5_b6_stacks_and_nesting_end_in_errors() {
    let mut rig = Rig::active(action(
        "const deep = (open, close) => open.repeat(1e6) + '1' + close.repeat(1e6);
         const nest = (() => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a });
         const tries = {
           call: () => { const f = () => f() + 1; f() },
           getter: () => { const o = { get x() { return this.x } }; o.x },
           proxy: () => { const p = new Proxy({}, { get: (t, k, r) => r[k] }); p.x },
           toString: () => { const o = { toString() { return `${o}` } }; `${o}` },
           sort: () => { const f = () => [2, 1].sort(f); f() },
           replacer: () => { const f = () => JSON.stringify([1], f); f() },
           reviver: () => { const f = () => JSON.parse('[1]', f); f() },
           source: () => eval(deep('(', ')')),
           blocks: () => eval('{'.repeat(1e6)),
           arrows: () => eval('a=>'.repeat(1e6) + '1'),
           json: () => JSON.parse(deep('[', ']')),
           regex: () => new RegExp(deep('(', ')')),
           backtrack: () => /(?:(?:a*)*)*b/.test('a'.repeat(30)),
           stringify: () => JSON.stringify(nest()),
           clone: () => structuredClone(nest()),
           log: () => { console.log(nest()); throw new RangeError('shown in short') },
           send: () => { const n = nest(); return sdk.storage.set('k', n) },
           toJSON: () => { const o = { toJSON() { return JSON.stringify(o) } }; JSON.stringify(o) },
         };
         const out = {};
         for (const [name, f] of Object.entries(tries)) {
           if (input !== name) continue;
           try { await f(); return 'no error' } catch (e) { return e === null ? 'null' : e.name }
         }",
    ));
    for name in [
        "call",
        "getter",
        "proxy",
        "toString",
        "sort",
        "replacer",
        "reviver",
        "source",
        "blocks",
        "arrows",
        "json",
        "regex",
        "stringify",
        "clone",
        "log",
        "send",
        "toJSON",
    ] {
        let got = rig.run(json!(name)).unwrap();
        let errors = ["RangeError", "SyntaxError", "InternalError", "DevRigError", "null"];
        assert!(errors.contains(&got.as_str().unwrap()), "{name}: {got}");
    }
    assert_eq!(rig.run(json!("none")).unwrap(), Value::Null, "the worker survives them all");
}

#[test]
fn b7_a_result_over_the_frame_cap_is_a_typed_failure() {
    let mut rig = Rig::active(action("return 'x'.repeat(input)"));
    let failure = rig.run(json!(MAX_FRAME)).unwrap_err();
    assert_eq!(failure.code, "TOO_LARGE", "{failure:?}");
    let failure = rig.run(json!(500_000_000)).unwrap_err();
    assert!(["TOO_LARGE", "PLUGIN_FAILED"].contains(&&*failure.code), "{failure:?}");
    assert_eq!(rig.run(json!(3)).unwrap(), "xxx");
    let mut rig =
        Rig::active(action("return sdk.storage.set('k', 'x'.repeat(17e6)).catch((e) => e.code)"));
    assert_eq!(rig.run(Value::Null).unwrap(), "TOO_LARGE");
}

#[test]
fn b7_calls_over_the_cap_wait_their_turn() {
    let mut start = action(
        "const all = []; for (let i = 0; i < 10000; i++) all.push(sdk.storage.get(`${i}`)); return (await Promise.all(all)).reduce((a, b) => a + b, 0)",
    );
    start.limits = limits(128, 20_000, 60_000);
    let mut rig = Rig::active(start);
    let call = rig.begin_action(Value::Null);
    let mut open = Vec::new();
    for _ in 0..MAX_IN_FLIGHT {
        open.push(rig.host().0);
    }
    rig.socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(frame::read(&mut rig.socket).is_err(), "no call over the cap is sent");
    rig.socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    for answered in 0..10_000 {
        rig.reply(open.remove(0), json!(1));
        if answered + MAX_IN_FLIGHT < 10_000 {
            open.push(rig.host().0);
        }
    }
    assert_eq!(rig.finish(call).unwrap(), 10_000);
    let mut rig = Rig::active(action(
        "let refused = 0; for (let i = 0; i < 21000; i++) sdk.storage.get('k').catch((e) => { if (e.code === 'QUOTA_EXCEEDED') refused++ }); await new Promise((r) => setTimeout(r, 1)); return refused",
    ));
    let call = rig.begin_action(Value::Null);
    for _ in 0..MAX_IN_FLIGHT {
        rig.host();
    }
    assert_eq!(rig.finish(call).unwrap(), 1000 - MAX_IN_FLIGHT);
}

#[test]
fn b8_false_frames_end_the_worker() {
    for bytes in [
        &u32::MAX.to_le_bytes()[..],
        &[0, 0, 0, 0],
        &[2, 0, 0, 0, b'{', b'x'],
        b"\x0d\0\0\0{\"type\":\"no\"}",
    ] {
        let mut rig = Rig::active(action("return 1"));
        rig.socket.write_all(bytes).unwrap();
        assert!(rig.drain().is_empty());
        assert_eq!(rig.exit_code(), i32::from(exit::PROTOCOL), "{bytes:?}");
    }
    // Half a frame, then silence: the plugin's own work goes on.
    let mut rig = Rig::active(action("await new Promise((r) => setTimeout(r, 20)); return 1"));
    let call = rig.begin_action(Value::Null);
    rig.socket.write_all(&[100, 0, 0, 0, b'{']).unwrap();
    assert_eq!(rig.finish(call).unwrap(), 1);
}

#[test]
fn c1_nothing_of_a_system_is_there() {
    let mut rig = Rig::active(action(
        "const names = ['process', 'require', 'std', 'os', 'bjson', 'Deno', 'Bun', 'WebAssembly', 'module', 'exports', '__dirname', 'SharedArrayBuffer', 'Atomics', 'print', 'scriptArgs', 'native', 'Worker', 'XMLHttpRequest', 'WebSocket', 'gc'];
         const seen = names.filter((n) => { try { return typeof (0, eval)(n) !== 'undefined' } catch { return false } });
         const imports = [];
         for (const s of ['std', 'os', 'qjs:std', 'file:///etc/passwd', '/etc/passwd', 'node:fs', 'http://a/x.js', 'devrig:sdk', '@devrig/sdk/x', 'index.js/../../x']) {
           for (const f of [(s) => import(s), (s) => (0, eval)(`import('${s}')`), (s) => new Function('s', 'return import(s)')(s)]) {
             imports.push(await f(s).then(() => s, (e) => /Cannot import/.test(e.message)));
           }
         }
         return [seen, imports.every((x) => x === true), imports.filter((x) => x !== true)]",
    ));
    assert_eq!(rig.run(Value::Null).unwrap(), json!([[], true, []]));
}

/// Pollutes what can be polluted, and then uses the SDK.
const POLLUTE: &str = r#"
    const evil = () => { throw new Error('polluted') };
    Object.prototype.toJSON = () => 'polluted';
    Array.prototype.toJSON = () => ['polluted'];
    String.prototype.toJSON = evil;
    Array.prototype.push = evil; Array.prototype.slice = evil; Array.prototype.join = evil;
    Array.prototype[Symbol.iterator] = evil;
    Promise.prototype.then = evil; Promise.prototype.catch = evil; Promise.prototype.finally = evil;
    Promise.resolve = evil;
    Object.defineProperty(Promise, Symbol.species, { get: evil });
    Map.prototype.get = evil; Map.prototype.set = evil; Map.prototype.delete = evil; Set.prototype.add = evil; WeakMap.prototype.get = evil;
    JSON.stringify = evil; JSON.parse = evil; Reflect.apply = evil; Object.keys = evil; Object.freeze = evil;
    Function.prototype.call = evil; Function.prototype.apply = evil; Function.prototype.bind = evil;
    String.prototype.toLowerCase = evil; String.prototype.toWellFormed = evil; String.prototype.startsWith = evil;
    RegExp.prototype.exec = evil; RegExp.prototype.test = evil; Date.prototype.toISOString = evil; Date.now = evil;
    Uint8Array.prototype.set = evil; ArrayBuffer.prototype.slice = evil; Number = evil; TypeError = evil; Error = evil; Promise = evil;
    const keys = ['code', 'ok', 'err', 'call', 'id', 'method', 'get', 'value', '0'];
    for (let i = 0, key; (key = keys[i]); i++) {
      try { Object.defineProperty(Object.prototype, key, { set: evil, get: () => 'polluted', configurable: true }) } catch {}
      try { Object.defineProperty(Array.prototype, key, { set: evil, get: () => 'polluted', configurable: true }) } catch {}
    }
"#;

#[test]
fn c2_pollution_stays_with_the_plugin() {
    let mut rig = Rig::active(plugin(&format!(
        "devrig.activate((sdk) => {{ sdk.actions.register('t', async (input, context) => {{
            const list = [1, [2], new Date(0)];
            {POLLUTE}
            const stored = await sdk.storage.set('k', {{ a: list, own: {{ toJSON() {{ return 'mine' }} }} }});
            const url = new URL('http://a/?x=1'); url.searchParams.append('y', 'z');
            const response = await fetch(url, {{ method: 'POST', headers: {{ 'X-A': '1' }}, body: 'b' }});
            return {{ stored, href: url.href, text: await response.text(), list }};
        }}) }})"
    )));
    let call = rig.begin_action(json!({"code": 1}));
    let (id, of, _, params) = rig.host();
    assert_eq!(of, call);
    assert_eq!(
        params,
        json!({"key": "k", "value": {"a": [1, [2], "1970-01-01T00:00:00.000Z"], "own": "mine"}})
    );
    rig.reply(id, json!({"ok": 1}));
    let (id, _, _, params) = rig.host();
    assert_eq!(params["url"], "http://a/?x=1&y=z");
    assert_eq!(
        params["headers"],
        json!([["x-a", "1"], ["content-type", "text/plain;charset=UTF-8"]])
    );
    rig.reply(id, json!({"status": 200, "headers": [["a", "b"]], "body": "aGk="}));
    assert_eq!(
        rig.finish(call).unwrap(),
        json!({"stored": {"ok": 1}, "href": "http://a/?x=1&y=z", "text": "hi", "list": [1, [2], "1970-01-01T00:00:00.000Z"]})
    );
}

#[test]
fn c2_a_thenable_everywhere_cannot_keep_the_worker_from_answering() {
    let mut start = action("Object.prototype.then = function () {}; return {}");
    start.limits = limits(64, 1_000, 200);
    let mut rig = Rig::active(start);
    let failure = rig.run(Value::Null).unwrap_err();
    assert_eq!(failure.code, "TIMEOUT", "its own call hangs, and is ended");
}

#[test]
fn c3_arguments_are_serialised_once_and_failures_are_typed() {
    let mut rig = Rig::active(action(
        "const cycle = {}; cycle.self = cycle;
         let reads = 0;
         const bad = [cycle, { get x() { throw new Error('getter') } }, { big: 1n }, new Proxy({}, { ownKeys() { throw new Error('trap') } })];
         const codes = [];
         for (const value of bad) codes.push(await sdk.storage.set('k', value).catch((e) => `${e.name} ${e.code}`));
         const once = { get n() { return ++reads } };
         const sent = sdk.storage.set('once', once);
         once.later = 1;
         await sent;
         await sdk.storage.set('proxy', new Proxy({ a: 1 }, {}));
         await sdk.storage.set('surrogate', '\\ud800');
         return [codes, reads]",
    ));
    let call = rig.begin_action(Value::Null);
    for (key, wanted) in
        [("once", json!({"n": 1})), ("proxy", json!({"a": 1})), ("surrogate", json!("\u{fffd}"))]
    {
        let (id, _, _, params) = rig.host();
        assert_eq!(params, json!({"key": key, "value": wanted}));
        rig.reply(id, Value::Null);
    }
    let refused = "DevRigError INVALID_INPUT";
    assert_eq!(rig.finish(call).unwrap(), json!([[refused, refused, refused, refused], 1]));
}

#[test]
fn c3_results_that_cannot_be_sent_are_failures() {
    for (body, code) in [
        ("const o = {}; o.o = o; return o", "INVALID_INPUT"),
        ("return { get x() { throw 1 } }", "INVALID_INPUT"),
        ("return { then(resolve, reject) { reject({ code: 'MINE' }) } }", "MINE"),
        ("throw new Proxy({}, { get() { throw 1 } })", "PLUGIN_FAILED"),
        ("throw { get message() { throw 1 }, code: 'C' }", "C"),
        ("throw Symbol('s')", "PLUGIN_FAILED"),
        ("throw undefined", "PLUGIN_FAILED"),
    ] {
        let mut rig = Rig::active(action(body));
        assert_eq!(rig.run(Value::Null).unwrap_err().code, code, "{body}");
        assert_eq!(rig.run(Value::Null).unwrap_err().code, code, "{body}: and again");
    }
}

#[test]
fn c5_guessed_replies_and_ids_do_nothing() {
    let mut rig = Rig::active(plugin(
        "let kept; devrig.activate((sdk) => {
           sdk.dataSources.register('s', { async sync(cursor, ds) { kept = ds; return { cursor: 'c' } } });
           sdk.actions.register('t', async () => kept.storeItems([]).catch((e) => e.message));
         })",
    ));
    let sync = rig.begin_sync(None);
    rig.finish(sync).unwrap();
    rig.reply(999, json!("never asked"));
    let said = rig.run(Value::Null).unwrap();
    assert!(said.as_str().unwrap().contains("has ended"), "{said}");
    // The same id twice at a time is refused, not mixed up.
    let mut rig =
        Rig::active(action("await new Promise((r) => setTimeout(r, 20)); return 'first'"));
    let call = rig.begin_action(Value::Null);
    let handler = devrig_core::protocol::Handler::Action { action: "t".into() };
    rig.send(&ToWorker::Call { id: call, handler, input: json!({"input": null}) });
    assert_eq!(rig.finish(call).unwrap_err().code, "CONFLICT");
    assert_eq!(rig.finish(call).unwrap(), "first");
}

#[test]
fn c7_registering_after_activation_is_refused() {
    let mut rig = Rig::active(action("sdk.dataSources.register('s', { sync() {} })"));
    assert_eq!(rig.run(Value::Null).unwrap_err().code, "INVALID_INPUT");
}

#[test]
fn c8_known_escapes_reach_no_host_object() {
    let attacks = include_str!("escapes.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect::<Vec<_>>();
    assert!(attacks.len() >= 28, "the suite asks for 28 families");
    // Whatever came back is walked: nothing on the way may be one of the native functions, whose
    // names and sources tell them apart, or any object that a system would have.
    let walk = r#"
        const seen = new Set(); const found = []; const queue = [got];
        const wanted = ['process', 'require', 'mainModule', 'binding', 'native', 'urlParse', 'setTimer', 'readableStack', 'SafeMap', 'requestParams'];
        while (queue.length && seen.size < 20000) {
          const value = queue.pop();
          if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
          seen.add(value);
          let keys = [];
          try { keys = Reflect.ownKeys(value) } catch {}
          for (const key of keys) {
            if (wanted.includes(key)) found.push(String(key));
            try { queue.push(value[key]) } catch {}
            try { const d = Reflect.getOwnPropertyDescriptor(value, key); queue.push(d.get, d.set) } catch {}
          }
          try { queue.push(Reflect.getPrototypeOf(value)) } catch {}
        }
        return [found, seen.size > 0 || typeof got !== 'object'];
    "#;
    for attack in attacks {
        let attack = if attack == "import.meta" { "await import('./meta.js')" } else { attack };
        let body = format!("let got; try {{ got = ({attack}) }} catch (e) {{ got = e }} {walk}");
        let source = format!(
            "devrig.activate((sdk) => {{ sdk.actions.register('t', async function (input, context) {{ {body} }}) }})"
        );
        let start = package(
            "index.js",
            &[("index.js", &source), ("meta.js", "export default import.meta")],
        );
        let mut rig = Rig::active(start);
        let call = rig.begin_action(Value::Null);
        loop {
            match rig.next() {
                FromWorker::Host { id, .. } => rig.reply(id, Value::Null),
                FromWorker::Done { id, outcome: Outcome::Ok(found) } => {
                    assert_eq!(id, call);
                    assert_eq!(found[0], json!([]), "{attack}");
                    break;
                }
                other => panic!("{attack}: {other:?}"),
            }
        }
    }
}

#[test]
fn c8_sloppy_code_cannot_be_loaded_as_bytecode() {
    // The engine's own serialised form starts with its version; as text it does not compile.
    let mut rig = Rig::start(plugin("\u{1c}\u{1}\u{2}module"));
    assert_eq!(rig.activation_failure().code, "PLUGIN_FAILED");
}
