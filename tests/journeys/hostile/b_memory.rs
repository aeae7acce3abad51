//! B: memory and stack.

use devrig_tests::{Arena, Row};

const MB: u64 = 1 << 20;
/// The heap of a plugin and what stands beside it.
const MOST_MEMORY: u64 = (128 + 32) * MB;

#[tokio::test(flavor = "multi_thread")]
async fn b1_b2_bombs_stay_in_their_worker() {
    let arena = Arena::open().await;
    arena.run(bombs()).await;
    let figures = arena.close().await;
    let most = figures.used.worker_bytes;
    assert!(most > 100 * MB, "some heap was really filled: {} MB", most / MB);
    assert!(most <= MOST_MEMORY, "a worker had {} MB", most / MB);
    let growth = figures.core_growth;
    assert!(growth < 8 * MB, "the core grew by {} MB", growth / MB);
}

/// What an engine says when there is no room, or when one value would be too long.
const FULL: [&str; 3] = ["TOO_LARGE", "PLUGIN_FAILED", "PLUGIN_STOPPED"];

fn bombs() -> Vec<Row> {
    let mut rows: Vec<Row> = [
        ("b1-arrays", "const a = []; for (;;) a.push(new Array(1000).fill(1.5));"),
        ("b1-string", "let s = 'x'; for (;;) s += s + 'y';"),
        ("b1-strings", "const a = []; for (let i = 0; ; i++) a.push('x'.repeat(1000) + i);"),
        ("b1-maps", "const m = new Map(); for (let i = 0; ; i++) m.set(i, {});"),
        ("b1-symbols", "const a = []; for (let i = 0; ; i++) a.push(Symbol('s' + i));"),
        ("b1-closures", "const a = []; for (let i = 0; ; i++) a.push(() => i);"),
        ("b1-promises", "const a = []; for (;;) a.push(new Promise(() => {}));"),
        ("b1-bigint", "let n = 3n; for (;;) n *= n;"),
    ]
    .into_iter()
    .map(|(name, body)| Row::new(name, body).fails(&FULL))
    .collect();
    rows.push(
        Row::new(
            "b2-again",
            "const a = []; for (;;) { try { for (;;) a.push(new Array(100).fill({})); } catch { if (a.length > 10) a.length -= 10; } }",
        )
        .stopped(),
    );
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn b_nesting_and_large_messages_end_in_errors() {
    let arena = Arena::open().await;
    arena.run(stacks_and_messages()).await;
    let figures = arena.close().await;
    let most = figures.used.worker_bytes;
    assert!(most <= MOST_MEMORY, "a worker had {} MB", most / MB);
    // Of each of the two workers one message of nearly 16 MB may be on its way.
    let growth = figures.core_growth;
    assert!(growth < 40 * MB, "the core grew by {} MB", growth / MB);
}

fn stacks_and_messages() -> Vec<Row> {
    vec![
        Row::new(
            "b3-buffers",
            "await attempt('typed', () => new Uint8Array(2 ** 30).length);
             await attempt('resizable', () => new ArrayBuffer(8, { maxByteLength: 2 ** 30 }).resize(2 ** 30));
             await attempt('shared', () => new SharedArrayBuffer(2 ** 30).byteLength);
             await attempt('random', () => crypto.getRandomValues(new Uint8Array(2 ** 29)).length);
             await attempt('repeat', () => 'x'.repeat(2 ** 29).length);",
        )
        .all_refused(&["RangeError", "InternalError", "ReferenceError", "TypeError", "null"]),
        Row::new("b4-regex", "/^(?:(a|b)*?)*$/.test('ab'.repeat(3e7));").fails(&FULL),
        Row::new("b5-stack", RECURSION)
            .all_refused(&["RangeError", "InternalError", "DevRigError", "INVALID_INPUT", "null"]),
        Row::new("b6-nested", NESTED).all_refused(&[
            "RangeError",
            "SyntaxError",
            "InternalError",
            "INVALID_INPUT",
            "TOO_LARGE",
            "null",
        ]),
        Row::new(
            "b7-frame",
            "await attempt('big', () => sdk.storage.set('big', 'x'.repeat(17e6)));
             await attempt('huge', () => sdk.storage.set('huge', 'x'.repeat(5e8)));",
        )
        .may(&["storage"])
        .all_refused(&["TOO_LARGE", "RangeError", "InternalError", "null"]),
        Row::with_code(
            "b7-result",
            "devrig.activate((sdk) => {
               sdk.dataSources.register('b7-result.items', { async sync() { return { cursor: 'x'.repeat(5e8), itemCount: 0, hasMore: false }; } });
               sdk.actions.register('b7-result.act', async () => ({ success: true }));
             })",
        )
        .fails(&["PLUGIN_FAILED", "TOO_LARGE", "PLUGIN_STOPPED"]),
        Row::with_code(
            "b7-cursor",
            "devrig.activate((sdk) => {
               sdk.dataSources.register('b7-cursor.items', { async sync() { return { cursor: 'x'.repeat(15e6), itemCount: 0, hasMore: false }; } });
               sdk.actions.register('b7-cursor.act', async () => ({ success: true }));
             })",
        )
        .fails(&["PLUGIN_FAILED"]),
        Row::new(
            "b7-flight",
            "const all = []; for (let i = 0; i < 10000; i++) all.push(sdk.storage.get('k' + i));
             found.answered = (await Promise.all(all)).length;
             let refused = 0, answered = 0;
             for (let i = 0; i < 21000; i++) sdk.storage.get('k').then(() => answered++, (error) => { if (error.code === 'QUOTA_EXCEEDED') refused++; });
             await ds.queryItems({}).catch(() => {});
             while (answered < 1000) await new Promise((done) => setTimeout(done, 1));
             found.refused = refused > 700;",
        )
        .may(&["storage"])
        .finds("answered", 10_000)
        .finds("refused", true),
    ]
}

const RECURSION: &str = "
    await attempt('call', () => { const f = () => f() + 1; f(); });
    await attempt('getter', () => { const o = { get x() { return this.x; } }; o.x; });
    await attempt('proxy', () => { const p = new Proxy({}, { get: (t, k, r) => r[k] }); p.x; });
    await attempt('toString', () => { const o = { toString() { return `${o}`; } }; `${o}`; });
    await attempt('sort', () => { const f = () => [2, 1].sort(f); f(); });
    await attempt('replacer', () => { const f = () => JSON.stringify([1], f); f(); });
    await attempt('reviver', () => { const f = () => JSON.parse('[1]', f); f(); });
    await attempt('toJSON', () => { const o = { toJSON() { return JSON.stringify(o); } }; JSON.stringify(o); });
    await attempt('stored', () => { const o = { toJSON() { return JSON.stringify(o); } }; return sdk.storage.set('k', o); });
";

const NESTED: &str = "
    const deep = (open, close) => open.repeat(1e6) + '1' + close.repeat(1e6);
    const nest = () => { let a = []; for (let i = 0; i < 1e6; i++) a = [a]; return a; };
    await attempt('source', () => eval(deep('(', ')')));
    await attempt('blocks', () => eval('{'.repeat(1e6)));
    await attempt('arrows', () => eval('a=>'.repeat(1e6) + '1'));
    await attempt('json', () => JSON.parse(deep('[', ']')));
    await attempt('regex', () => new RegExp(deep('(', ')')));
    await attempt('stringify', () => JSON.stringify(nest()));
    await attempt('sent', () => sdk.storage.set('k', nest()));
";
