//! C: integrity of the host.

use std::path::Path;

use devrig_tests::{Arena, Impostor, Row};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn c_nothing_of_the_host_is_within_reach() {
    let arena = Arena::open().await;
    arena.run(rows()).await;
    arena.close().await;
}

fn rows() -> Vec<Row> {
    vec![
        Row::new("c1-names", NAMES).finds("seen", json!([])).finds("imported", json!([])),
        Row::new("c2-pollutes", POLLUTES)
            .may(&["storage"])
            .finds("stored", json!({ "a": [1, [2]], "own": "mine" })),
        Row::new("c3-getters", GETTERS)
            .may(&["storage"])
            .finds("reads", 1)
            .finds("once", json!({ "n": 1 }))
            .finds("cycle", "!INVALID_INPUT")
            .finds("throwing", "!INVALID_INPUT")
            .finds("trap", "!INVALID_INPUT")
            .finds("bigint", "!INVALID_INPUT")
            .finds("items", "!INVALID_INPUT")
            .finds("unknown", "!INVALID_INPUT")
            .finds("thenable", json!({})),
        // The engine's own compiled form, under a script's name.
        Row::with_code("c4-bytecode", "")
            .file("index.js", vec![0x1c, 0x02, 0x00, 0xff, 0xfe, 0x00, 0x0c, 0x80])
            .not_installed("bytecode"),
        Row::with_code("c4-utf8", "\u{1c}\u{1}\u{2}module")
            .fails(&["PLUGIN_FAILED"])
            .audited("activation", "stopped"),
        Row::new("c5-guesses", GUESSES).finds("reached", json!([])).finds("replayed", json!([])),
        Row::with_code(
            "c7-undeclared",
            "devrig.activate((sdk) => { try { sdk.actions.register('c7-undeclared.other', async () => {}); } catch {} })",
        )
        .fails(&["REFUSED"])
        .audited("activation", "stopped"),
        Row::with_code(
            "c7-foreign",
            "devrig.activate((sdk) => { sdk.dataSources.register('neighbour.items', { async sync() { return { cursor: 'x' }; } }); })",
        )
        .fails(&["REFUSED"])
        .audited("activation", "stopped"),
        escapes(),
    ]
}

const NAMES: &str = "
    const names = ['process', 'require', 'std', 'os', 'bjson', 'Deno', 'Bun', 'WebAssembly', 'module', 'exports',
      '__dirname', 'SharedArrayBuffer', 'Atomics', 'print', 'scriptArgs', 'native', 'Worker', 'XMLHttpRequest', 'WebSocket', 'gc', '__native'];
    found.seen = names.filter((name) => { try { return typeof (0, eval)(name) !== 'undefined'; } catch { return false; } });
    found.imported = [];
    for (const name of ['std', 'os', 'qjs:std', 'file:///etc/passwd', '/etc/passwd', 'node:fs', 'http://a/x.js', 'devrig:sdk', '@devrig/sdk/x', 'index.js/../../x', './../../../etc/passwd']) {
      for (const load of [(s) => import(s), (s) => (0, eval)(`import('${s}')`), (s) => new Function('s', 'return import(s)')(s)]) {
        await load(name).then(() => found.imported.push(name), () => {});
      }
    }";

/// Everything that can be changed is changed, and then the SDK is used.
const POLLUTES: &str = "
    const list = [1, [2]];
    const evil = () => { throw new Error('polluted'); };
    Object.prototype.toJSON = () => 'polluted';
    Array.prototype.toJSON = () => ['polluted'];
    Promise.prototype.then = evil;
    Array.prototype.push = evil;
    Map.prototype.get = evil; Map.prototype.set = evil;
    JSON.stringify = ((own) => (value) => value?.found ? own(value) : 'polluted')(JSON.stringify);
    Function.prototype.call = evil; Function.prototype.apply = evil;
    for (const key of ['code', 'ok', 'err', 'call', 'id', 'method']) {
      Object.defineProperty(Object.prototype, key, { set: evil, get: () => 'polluted', configurable: true });
    }
    await sdk.storage.set('k', { a: list, own: { toJSON() { return 'mine'; } } });
    const stored = await sdk.storage.get('k');
    for (const key of ['code', 'ok', 'err', 'call', 'id', 'method', 'toJSON']) delete Object.prototype[key];
    delete Array.prototype.toJSON;
    found.stored = stored;";

const GETTERS: &str = "
    let reads = 0;
    const once = { get n() { return ++reads; } };
    await sdk.storage.set('once', once);
    found.reads = reads;
    found.once = await sdk.storage.get('once');
    const cycle = {}; cycle.self = cycle;
    await attempt('cycle', () => sdk.storage.set('k', cycle));
    await attempt('throwing', () => sdk.storage.set('k', { get x() { throw new Error('getter'); } }));
    await attempt('trap', () => sdk.storage.set('k', new Proxy({}, { ownKeys() { throw new Error('trap'); } })));
    await attempt('bigint', () => sdk.storage.set('k', 1n));
    await attempt('items', () => ds.storeItems(new Proxy([], { get(target, key) { return key === 'length' ? 1 : key === '0' ? { title: 1 } : target[key]; } })));
    await attempt('unknown', () => ds.storeItems([{ externalId: 'a', type: 'note', title: 'a', accountId: 'other' }]));
    await sdk.storage.set('thenable', { then(resolve) { resolve('called'); } });
    found.thenable = await sdk.storage.get('thenable');";

/// Looks for a way to the broker beside the SDK, and uses what belonged to a call that has ended.
const GUESSES: &str = "
    const names = ['host', '__host', '_host', 'native', '__devrig', 'ask', 'broker', 'send', 'done', 'reply', 'postMessage', '__native', 'activated', '__hooks'];
    found.reached = names.filter((name) => globalThis[name] !== undefined || sdk[name] !== undefined || Object.getPrototypeOf(sdk)[name] !== undefined);
    found.replayed = [];
    for (const id of [0, 1, 2, 3, -1, 1e9, '1', null]) {
      for (const call of [() => ds.storeItems.call({ id }, { id }), () => sdk.storage.get.call(id), () => sdk.actions.register.call(null, id)]) {
        try { await call(); found.replayed.push(String(id)); } catch {}
      }
    }";

/// The known ways out of sandboxes within a realm, each in a module of its own.
fn escapes() -> Row {
    let attacks: Vec<&str> =
        include_str!("../../../src-tauri/crates/plugin-host/tests/escapes.txt")
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
    assert!(attacks.len() >= 28, "the suite asks for 28 families");
    let body = format!(
        "const attacks = {};
         found.tried = attacks.length;
         found.out = {{}};
         for (const attack of attacks) {{
           let got;
           try {{ got = await new (async () => {{}}).constructor('sdk', 'return (' + attack + ')')(sdk); }} catch (error) {{ got = error; }}
           const out = walk(got);
           if (out.length > 0) found.out[attack] = out;
         }}",
        serde_json::to_string(&attacks).expect("JSON")
    );
    Row::new("c8-escapes", &format!("{WALK}\n{body}"))
        .may(&["storage", "network:a.test"])
        .finds("tried", attacks.len())
        .finds("out", json!({}))
}

/// Whatever came back is walked: nothing on the way may be a native function of the worker or an
/// object that a system would have.
const WALK: &str = "
    const wanted = new Set(['process', 'require', 'mainModule', 'binding', 'native', 'urlParse', 'setTimer', 'readableStack', 'SafeMap', 'requestParams']);
    const walk = (got) => {
      const seen = new Set(); const out = []; const queue = [got];
      while (queue.length && seen.size < 5000) {
        const value = queue.pop();
        if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value) || value === found) continue;
        seen.add(value);
        let keys = [];
        try { keys = Reflect.ownKeys(value); } catch {}
        for (const key of keys) {
          if (wanted.has(key) && !(value instanceof Set)) out.push(String(key));
          try { queue.push(value[key]); } catch {}
          try { const d = Reflect.getOwnPropertyDescriptor(value, key); queue.push(d.get, d.set); } catch {}
        }
        try { queue.push(Reflect.getPrototypeOf(value)); } catch {}
      }
      return out;
    };";

/// Rows that a worker plays which was taken over: it speaks on its connection itself.
#[tokio::test(flavor = "multi_thread")]
async fn b8_c5_a_worker_that_was_taken_over_gets_no_further() {
    let fake = Path::new(env!("CARGO_BIN_EXE_taken-over-worker"));
    let impostor = Impostor::new(fake, "<&3 >&3");
    let arena = Arena::of(impostor.rig().await).await;
    impostor.now();
    let script = |name: &str, steps: serde_json::Value| {
        Row::with_code(name, &steps.to_string())
            .may(&["storage", "secrets:token@api.test", "network:api.test"])
            .with_secret()
    };
    let gone = json!("the call that this belongs to has ended");
    let header = |name: &str, value: &str| {
        json!({ "host": { "method": "http.fetch", "params": {
            "url": "https://api.test/", "headers": [[name, value]] } } })
    };
    let ends = json!({ "answer": { "cursor": "c", "itemCount": 0, "hasMore": false } });
    let heads = ["Host", "Cookie", "Proxy-Authorization", "Transfer-Encoding", "Connection"];
    let found = arena
        .run(vec![
            script("b8-length", json!([{ "call": true }, { "bytes": [255, 255, 255, 255] }]))
                .stopped_for("protocol"),
            script("b8-empty", json!([{ "call": true }, { "bytes": [0, 0, 0, 0] }]))
                .stopped_for("protocol"),
            script("b8-text", json!([{ "call": true }, { "bytes": [2, 0, 0, 0, 123, 120] }]))
                .stopped_for("protocol"),
            // 16 MB are announced, and a byte comes.
            script("b8-half", json!([{ "call": true }, { "bytes": [0, 0, 0, 1, 123] }]))
                .stopped_for("protocol"),
            script("b8-flood", json!([{ "call": true }, { "flood": 10_000_000 }]))
                .stopped_for("protocol"),
            script(
                "c5-method",
                json!([{ "call": true }, { "host": { "method": "fs.read", "params": {} } }]),
            )
            .stopped_for("protocol"),
            script(
                "c5-done",
                json!([
                    { "call": true },
                    { "frame": { "type": "done", "id": 0, "outcome": { "ok": null } } },
                    { "rest": true },
                ]),
            )
            .stopped_for("protocol"),
            script(
                "c5-replay",
                json!([
                    { "call": true },
                    { "host": { "method": "inbox.storeItems", "params": { "items": [] }, "call": 999 } },
                    { "host": { "method": "inbox.storeItems", "params": { "items": [] }, "call": 0 } },
                    { "host": { "method": "secrets.get", "params": { "name": "token" } } },
                    { "host": { "method": "secrets.ref", "params": { "name": "token", "account": arena.bystander().id } } },
                    { "host": { "method": "storage.get", "params": { "key": "kept", "account": arena.bystander().id } } },
                    { "keep": true },
                    ends,
                ]),
            )
            .well(),
            script(
                "d10-wire",
                json!([
                    { "call": true },
                    header(heads[0], "evil.test"),
                    header(heads[1], "a=b"),
                    header(heads[2], "x"),
                    header(heads[3], "chunked"),
                    header(heads[4], "upgrade"),
                    header("X-A", "b\r\nHost: evil.test"),
                    header("X\r\nA", "b"),
                    { "keep": true },
                    ends,
                ]),
            )
            .well()
            .audited("network:header", "refused"),
        ])
        .await;
    let replay = found["c5-replay"].at("kept");
    let codes: Vec<_> = (0..5).map(|n| replay[n]["err"]["code"].clone()).collect();
    arena.check(
        codes == ["REFUSED", "REFUSED", "REFUSED", "INVALID_INPUT", "INVALID_INPUT"],
        format!("c5-replay: {replay}"),
    );
    arena.check(replay[0]["err"]["message"] == gone, format!("c5-replay: {}", replay[0]));
    let wire = found["d10-wire"].at("kept");
    let refused = wire
        .as_array()
        .is_some_and(|all| all.len() == 7 && all.iter().all(|one| one["err"]["code"] == "REFUSED"));
    arena.check(refused, format!("d10-wire: {wire}"));
    arena.check(arena.rig.net.lookups().is_empty(), "a request was on its way");
    let figures = arena.close().await;
    let growth = figures.core_growth >> 20;
    assert!(growth < 32, "the core grew by {growth} MB: more than one frame and its copy");
}
