//! The web-platform basics against known values.
#![cfg(unix)]

mod support;

use devrig_core::protocol::{HostMethod, LogLevel};
use serde_json::{Value, json};
use support::{Rig, action};

/// Evaluates each expression (`await` allowed) in one worker and compares its JSON; what throws
/// gives `{"throws": name}`.
fn check(rows: &[(&str, Value)]) {
    let mut rig = Rig::active(action(
        "const run = (async () => {}).constructor('sdk', `return (${input})`);
         try { const value = await run(sdk); return value === undefined ? 'undefined' : value }
         catch (e) { return { throws: e.name } }",
    ));
    let mut wrong = Vec::new();
    for (expression, wanted) in rows {
        let got = rig.run(json!(expression)).unwrap();
        if got != *wanted {
            wrong.push(format!("{expression}\n    wanted {wanted}\n       got {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn throws(name: &str) -> Value {
    json!({ "throws": name })
}

#[test]
fn url() {
    let parts = "((u) => [u.href, u.origin, u.protocol, u.username, u.password, u.host, u.hostname, u.port, u.pathname, u.search, u.hash])";
    let all = |input: &str, wanted: Value| (format!("{parts}(new URL({input}))"), wanted);
    let rows = [
        all(
            "'https://user:pa%20ss@EXAMPLE.com:8080/a/../b?q=1#f'",
            json!([
                "https://user:pa%20ss@example.com:8080/b?q=1#f",
                "https://example.com:8080",
                "https:",
                "user",
                "pa%20ss",
                "example.com:8080",
                "example.com",
                "8080",
                "/b",
                "?q=1",
                "#f"
            ]),
        ),
        all(
            "'//other/x?#', 'http://base/y'",
            json!([
                "http://other/x?#",
                "http://other",
                "http:",
                "",
                "",
                "other",
                "other",
                "",
                "/x",
                "",
                ""
            ]),
        ),
        all(
            "'data:text/plain,hi'",
            json!([
                "data:text/plain,hi",
                "null",
                "data:",
                "",
                "",
                "",
                "",
                "",
                "text/plain,hi",
                "",
                ""
            ]),
        ),
    ];
    let mut table: Vec<(&str, Value)> =
        rows.iter().map(|(code, wanted)| (code.as_str(), wanted.clone())).collect();
    table.extend([
        ("new URL('https://例え.テスト/').hostname", json!("xn--r8jz45g.xn--zckzah")),
        ("new URL('http://0x7f.1/').hostname", json!("127.0.0.1")),
        ("new URL('http://2130706433').hostname", json!("127.0.0.1")),
        ("new URL('http://[::FFFF:127.0.0.1]:80/').host", json!("[::ffff:7f00:1]")),
        ("new URL('http://github.com\\\\@evil.test/').hostname", json!("github.com")),
        ("new URL('http://github.com@evil.test/').hostname", json!("evil.test")),
        ("new URL(' \\t\\nhttp://a/\\tb ').href", json!("http://a/b")),
        ("new URL('http://a/ ü\"<>`{}').pathname", json!("/%20%C3%BC%22%3C%3E%60%7B%7D")),
        ("new URL('HTTP://A:80').href", json!("http://a/")),
        ("new URL('\\ud800', 'http://a').pathname", json!("/%EF%BF%BD")),
        ("new URL('relative')", throws("TypeError")),
        ("new URL('http://a b/')", throws("TypeError")),
        ("new URL('http://999.1.1.1/')", throws("TypeError")),
        ("new URL()", throws("TypeError")),
        ("URL('http://a')", throws("TypeError")),
        ("[URL.canParse('x'), URL.canParse('x', 'http://a'), URL.parse('x'), URL.parse('http://b').href]", json!([false, true, null, "http://b/"])),
        ("JSON.stringify({u: new URL('http://a')})", json!(r#"{"u":"http://a/"}"#)),
        ("((u) => { u.port = '99'; u.hash = 'x y'; u.pathname = 'p/q'; u.protocol = 'https'; u.hostname = 'h'; return u.href })(new URL('http://a:1/'))", json!("https://h:99/p/q#x%20y")),
        ("((u) => { u.port = 'x'; u.protocol = 'mailto'; u.host = ''; return u.href })(new URL('http://a:1/'))", json!("http://a:1/")),
        ("((u) => { u.searchParams.append('k', 'a b'); u.searchParams.delete('q'); return [u.href, u.search] })(new URL('http://a/?q=1'))", json!(["http://a/?k=a+b", "?k=a+b"])),
        ("((u) => { const s = u.searchParams; u.search = '?z=9'; return [s.get('z'), s === u.searchParams, s.size] })(new URL('http://a/?q=1'))", json!(["9", true, 1])),
        ("((u) => { u.href = 'http://b/?m=1'; return u.searchParams.get('m') })(((u) => (u.searchParams, u))(new URL('http://a')))", json!("1")),
        ("((u) => { u.searchParams.delete('q'); return u.href })(new URL('http://a/?q=1#h'))", json!("http://a/#h")),
        ("((u) => { try { u.href = 'nope' } catch (e) { return [e.name, u.href] } })(new URL('http://a'))", json!(["TypeError", "http://a/"])),
        ("Object.prototype.toString.call(new URL('http://a'))", json!("[object URL]")),
    ]);
    check(&table);
}

#[test]
fn url_search_params() {
    check(&[
        (
            "new URLSearchParams('?a=1&b=%C3%BC+x&a=2&&c').toString()",
            json!("a=1&b=%C3%BC+x&a=2&c="),
        ),
        ("[...new URLSearchParams({x: '1', y: 'ü'})]", json!([["x", "1"], ["y", "ü"]])),
        (
            "new URLSearchParams([['a', 'b'], ['c', '*-._ ~!']]).toString()",
            json!("a=b&c=*-._+%7E%21"),
        ),
        ("new URLSearchParams(new Map([['m', 1]])).get('m')", json!("1")),
        ("new URLSearchParams([['a']])", throws("TypeError")),
        (
            "((s) => { s.set('a', 'z'); s.append('b', 1); return s.toString() })(new URLSearchParams('a=1&c=2&a=3'))",
            json!("a=z&c=2&b=1"),
        ),
        (
            "((s) => { s.sort(); return `${s}` })(new URLSearchParams('z=1&a=2&z=0&b=3'))",
            json!("a=2&b=3&z=1&z=0"),
        ),
        (
            "((s) => [s.has('a'), s.has('a', '2'), s.get('x'), s.getAll('a'), s.size])(new URLSearchParams('a=1&a=3'))",
            json!([true, false, null, ["1", "3"], 2]),
        ),
        (
            "((s) => { s.delete('a', '1'); return s.toString() })(new URLSearchParams('a=1&a=3'))",
            json!("a=3"),
        ),
        (
            "((s) => { const out = []; s.forEach((v, k) => out.push(k + v)); return [out, [...s.keys()], [...s.values()]] })(new URLSearchParams('a=1&b=2'))",
            json!([["a1", "b2"], ["a", "b"], ["1", "2"]]),
        ),
        ("new URLSearchParams(new URLSearchParams('a=1')).toString()", json!("a=1")),
        ("new URLSearchParams().toString()", json!("")),
        ("new URLSearchParams('%zz=%4').toString()", json!("%25zz=%254")),
    ]);
}

#[test]
fn encoding() {
    check(&[
        (
            "[...new TextEncoder().encode('aü€😀\\ud800')]",
            json!([97, 195, 188, 226, 130, 172, 240, 159, 152, 128, 239, 191, 189]),
        ),
        (
            "((b) => [new TextEncoder().encodeInto('a€b', b), [...b]])(new Uint8Array(5))",
            json!([{"read": 3, "written": 5}, [97, 226, 130, 172, 98]]),
        ),
        (
            "((b) => [new TextEncoder().encodeInto('a€b', b), [...b]])(new Uint8Array(3))",
            json!([{"read": 1, "written": 1}, [97, 0, 0]]),
        ),
        ("new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 104, 105]))", json!("hi")),
        (
            "new TextDecoder('utf8', {ignoreBOM: true}).decode(new Uint8Array([0xef, 0xbb, 0xbf, 104]))",
            json!("\u{feff}h"),
        ),
        (
            "new TextDecoder().decode(new Uint8Array([104, 0xff, 0xf0, 0x9f, 105]))",
            json!("h\u{fffd}\u{fffd}i"),
        ),
        (
            "new TextDecoder('utf-8', {fatal: true}).decode(new Uint8Array([0xff]))",
            throws("TypeError"),
        ),
        (
            "((d) => d.decode(new Uint8Array([0xe2, 0x82]), {stream: true}) + '|' + d.decode(new Uint8Array([0xac, 33]), {stream: true}) + '|' + d.decode())(new TextDecoder())",
            json!("|€!|"),
        ),
        (
            "((d) => d.decode(new Uint8Array([0xf0, 0x9f]), {stream: true}) + d.decode())(new TextDecoder())",
            json!("\u{fffd}"),
        ),
        (
            "new TextDecoder('utf-16le').decode(new Uint8Array([0x3d, 0xd8, 0x00, 0xde, 0x41, 0x00]))",
            json!("😀A"),
        ),
        (
            "((d) => d.decode(new Uint8Array([0x3d, 0xd8, 0x00]), {stream: true}) + '|' + d.decode(new Uint8Array([0xde])))(new TextDecoder('utf-16'))",
            json!("|😀"),
        ),
        (
            "new TextDecoder('utf-16le', {fatal: true}).decode(new Uint8Array([0x3d, 0xd8]))",
            throws("TypeError"),
        ),
        (
            "new TextDecoder().decode(new DataView(new Uint8Array([97, 98, 99]).buffer, 1, 1))",
            json!("b"),
        ),
        ("new TextDecoder().decode('text')", throws("TypeError")),
        ("new TextDecoder('latin9')", throws("RangeError")),
        ("[new TextDecoder().encoding, new TextEncoder().encoding]", json!(["utf-8", "utf-8"])),
        (
            "[btoa(''), btoa('a'), btoa('ab'), btoa('abc'), btoa('\\xff\\xfe')]",
            json!(["", "YQ==", "YWI=", "YWJj", "//4="]),
        ),
        ("btoa('€')", throws("InvalidCharacterError")),
        (
            "[atob(''), atob('YQ=='), atob('YQ'), atob(' Y W\\nI='), atob('//4=') === '\\xff\\xfe']",
            json!(["", "a", "a", "ab", true]),
        ),
        ("atob('a')", throws("InvalidCharacterError")),
        ("atob('YQ=')", throws("InvalidCharacterError")),
        ("atob('YQ===')", throws("InvalidCharacterError")),
        ("atob('Y*==')", throws("InvalidCharacterError")),
        ("atob(btoa('\\0'.repeat(10000))).length", json!(10000)),
    ]);
}

#[test]
fn crypto() {
    let hex =
        "((b) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, '0')).join(''))";
    let digest = |name: &str| {
        format!("{hex}(await crypto.subtle.digest('{name}', new TextEncoder().encode('abc')))")
    };
    // FIPS 180-4 and RFC 4231 (test case 2).
    let hmac = format!(
        "await (async () => {{ const key = await crypto.subtle.importKey('raw', new TextEncoder().encode('Jefe'), {{name: 'HMAC', hash: 'SHA-256'}}, false, ['sign', 'verify']);
         const data = new TextEncoder().encode('what do ya want for nothing?');
         const made = await crypto.subtle.sign('HMAC', key, data);
         const bad = new Uint8Array(made.slice(0)); bad[0] ^= 1;
         return [{hex}(made), await crypto.subtle.verify('HMAC', key, made, data), await crypto.subtle.verify('HMAC', key, bad, data)] }})()"
    );
    let (sha1, sha256, sha384, sha512) =
        (digest("SHA-1"), digest("sha-256"), digest("SHA-384"), digest("SHA-512"));
    check(&[
        (&sha1, json!("a9993e364706816aba3e25717850c26c9cd0d89d")),
        (&sha256, json!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")),
        (
            &sha384,
            json!(
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
            ),
        ),
        (
            &sha512,
            json!(
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
            ),
        ),
        (
            &hmac,
            json!([
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                true,
                false
            ]),
        ),
        ("await crypto.subtle.digest('MD5', new Uint8Array(1))", throws("NotSupportedError")),
        ("await crypto.subtle.digest('SHA-256', 'text')", throws("TypeError")),
        ("await crypto.subtle.sign('HMAC', {}, new Uint8Array(1))", throws("TypeError")),
        (
            "await crypto.subtle.importKey('raw', new Uint8Array(1), {name: 'AES-GCM'}, true, ['encrypt'])",
            throws("NotSupportedError"),
        ),
        (
            "await (async () => crypto.subtle.sign('HMAC', await crypto.subtle.importKey('raw', new Uint8Array(1), {name: 'HMAC', hash: 'SHA-1'}, true, ['verify']), new Uint8Array(1)))()",
            throws("InvalidAccessError"),
        ),
        (
            "/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())",
            json!(true),
        ),
        (
            "((a) => [crypto.getRandomValues(a) === a, a.some((x) => x !== 0)])(new Uint32Array(16))",
            json!([true, true]),
        ),
        ("crypto.getRandomValues(new Float32Array(1))", throws("TypeMismatchError")),
        ("crypto.getRandomValues(new Uint8Array(65537))", throws("QuotaExceededError")),
    ]);
}

#[test]
fn structured_clone() {
    check(&[
        (
            "structuredClone({a: [1, {b: null}], u: undefined, n: -0, t: 'x'})",
            json!({"a": [1, {"b": null}], "n": 0, "t": "x"}),
        ),
        (
            "((c) => [c.m instanceof Map, c.m.get('k').x, c.s.has(3), c.d.getTime(), String(c.r), c.r.lastIndex, c.e.message, c.e instanceof RangeError])(structuredClone({m: new Map([['k', {x: 1}]]), s: new Set([3]), d: new Date(5), r: /a/gi, e: new RangeError('no')}))",
            json!([true, 1, true, 5, "/a/gi", 0, "no", true]),
        ),
        (
            "((a) => { a.self = a; const c = structuredClone(a); return c.self === c && c !== a })({})",
            json!(true),
        ),
        (
            "((x) => { const c = structuredClone([x, x]); return c[0] === c[1] && c[0] !== x })({})",
            json!(true),
        ),
        (
            "((v) => { const c = structuredClone(v); v[0] = 9; return [c.constructor.name, c.length, c[0], c.buffer.byteLength] })(new Uint16Array(new Uint16Array([1, 2, 3]).buffer, 2, 1))",
            json!(["Uint16Array", 1, 2, 6]),
        ),
        (
            "((b) => { const c = structuredClone({b}, {transfer: [b]}); return [c.b.byteLength, b.byteLength, b.detached] })(new ArrayBuffer(8))",
            json!([8, 0, true]),
        ),
        ("structuredClone(Object(5n)) + 1n === 6n", json!(true)),
        ("structuredClone([1, , 3]).hasOwnProperty(1)", json!(false)),
        ("structuredClone(class A {})", throws("DataCloneError")),
        ("structuredClone({f() {}})", throws("DataCloneError")),
        ("structuredClone(Symbol('x'))", throws("DataCloneError")),
        ("structuredClone(new WeakMap())", throws("DataCloneError")),
        ("structuredClone(Promise.resolve())", throws("DataCloneError")),
        (
            "((o) => JSON.stringify(structuredClone(o)))(JSON.parse('{\"__proto__\": 1}'))",
            json!("{\"__proto__\":1}"),
        ),
        ("structuredClone()", throws("TypeError")),
    ]);
}

#[test]
fn events_and_abort() {
    check(&[
        (
            "((c) => { const seen = []; c.signal.onabort = () => seen.push('on'); c.signal.addEventListener('abort', (e) => seen.push(e.type, e.target === c.signal)); c.abort(); c.abort(); return [seen, c.signal.aborted, c.signal.reason.name, c.signal.reason.code] })(new AbortController())",
            json!([["on", "abort", true], true, "AbortError", 20]),
        ),
        ("AbortSignal.abort('why').throwIfAborted()", json!({})),
        ("AbortSignal.abort(new RangeError('x')).throwIfAborted()", throws("RangeError")),
        (
            "((c) => { const s = AbortSignal.any([new AbortController().signal, c.signal]); c.abort(7); return [s.aborted, s.reason] })(new AbortController())",
            json!([true, 7]),
        ),
        (
            "await (async () => { const s = AbortSignal.timeout(5); await new Promise((r) => s.addEventListener('abort', r)); return s.reason.name })()",
            json!("TimeoutError"),
        ),
        ("new AbortSignal()", throws("TypeError")),
        (
            "((t) => { const seen = []; const f = (e) => seen.push(e.detail); t.addEventListener('x', f); t.addEventListener('x', f); t.addEventListener('x', { handleEvent(e) { seen.push('object') } }, { once: true }); t.dispatchEvent(new CustomEvent('x', { detail: 4 })); t.removeEventListener('x', f); t.dispatchEvent(new CustomEvent('x')); return seen })(new EventTarget())",
            json!([4, "object"]),
        ),
        (
            "((t) => { t.addEventListener('x', (e) => { e.preventDefault(); e.stopImmediatePropagation() }); t.addEventListener('x', () => { throw 1 }); return t.dispatchEvent(new Event('x', { cancelable: true })) })(new EventTarget())",
            json!(false),
        ),
        (
            "((e) => [e.name, e.message, e.code, e instanceof Error, String(e)])(new DOMException('m', 'NotFoundError'))",
            json!(["NotFoundError", "m", 8, true, "NotFoundError: m"]),
        ),
    ]);
}

#[test]
fn timers_and_microtasks() {
    check(&[
        (
            "await new Promise((done) => { const seen = []; setTimeout((a) => { seen.push(a); done(seen) }, 20, 'late'); setTimeout(() => seen.push('first')); setTimeout(() => seen.push('second')); queueMicrotask(() => seen.push('micro')); Promise.resolve().then(() => seen.push('then')); seen.push('sync') })",
            json!(["sync", "micro", "then", "first", "second", "late"]),
        ),
        (
            "await new Promise((done) => { let n = 0; const id = setInterval((step) => { n += step; if (n === 6) { clearInterval(id); setTimeout(() => done(n), 10) } }, 1, 2) })",
            json!(6),
        ),
        (
            "await new Promise((done) => { const id = setTimeout(() => done('fired')); clearTimeout(id); clearTimeout(undefined); clearTimeout('x'); setTimeout(() => done('cleared'), 5) })",
            json!("cleared"),
        ),
        ("((a, b) => b >= a && a >= 0)(performance.now(), performance.now())", json!(true)),
        ("Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 50", json!(true)),
        ("setTimeout('code')", throws("TypeError")),
        ("queueMicrotask(1)", throws("TypeError")),
    ]);
}

#[test]
fn headers_request_response() {
    check(&[
        ("[...new Headers({'X-B': ' 1 ', a: '2'})]", json!([["a", "2"], ["x-b", "1"]])),
        (
            "((h) => { h.append('A', 'y'); h.append('set-cookie', '1'); h.append('set-cookie', '2'); return [h.get('a'), h.getSetCookie(), [...h.keys()]] })(new Headers([['a', 'x']]))",
            json!(["x, y", ["1", "2"], ["a", "set-cookie", "set-cookie"]]),
        ),
        (
            "((h) => { h.set('A', 'z'); h.delete('b'); return [h.has('a'), h.has('b'), h.get('none'), [...h.values()]] })(new Headers({a: '1', b: '2'}))",
            json!([true, false, null, ["z"]]),
        ),
        ("new Headers({'a b': '1'})", throws("TypeError")),
        ("new Headers({a: 'x\\r\\nHost: evil'})", throws("TypeError")),
        ("new Headers({a: '€'})", throws("TypeError")),
        (
            "((r) => [r.method, r.url, r.headers.get('content-type')])(new Request('http://a/b#c', {method: 'post', body: 'x'}))",
            json!(["POST", "http://a/b", "text/plain;charset=UTF-8"]),
        ),
        (
            "((r) => [r.method, r.headers.get('content-type')])(new Request(new URL('http://a'), {method: 'PUT', body: new URLSearchParams('a=1'), headers: {'content-type': 'mine'}}))",
            json!(["PUT", "mine"]),
        ),
        (
            "await new Request('http://a', {method: 'POST', body: new Uint8Array([104, 105]).subarray(1)}).text()",
            json!("i"),
        ),
        ("new Request('http://a', {body: 'x'})", throws("TypeError")),
        ("new Request('http://u:p@a')", throws("TypeError")),
        ("new Request('/relative')", throws("TypeError")),
        ("new Request('http://a', {method: 'CONNECT'})", throws("TypeError")),
        ("new Request('http://a', {method: 'A B'})", throws("TypeError")),
        (
            "['Host', 'cookie', 'Proxy-Authorization', 'Transfer-Encoding', 'Connection', 'Content-Length', 'Sec-Fetch-Mode'].map((n) => { try { new Request('http://a', {headers: {[n]: 'x'}}); return n } catch (e) { return e.name } })",
            json!(vec!["TypeError"; 7]),
        ),
        (
            "await (async () => { const r = new Response('{\"a\": \"ü\"}', {status: 201, statusText: 'Made'}); const c = r.clone(); return [r.ok, r.status, r.statusText, await r.json(), r.bodyUsed, await c.text(), c.bodyUsed] })()",
            json!([true, 201, "Made", {"a": "ü"}, true, "{\"a\": \"ü\"}", true]),
        ),
        (
            "await (async () => { const r = new Response('x'); await r.text(); return r.text() })()",
            throws("TypeError"),
        ),
        (
            "await (async () => { const r = Response.json({n: 1}); return [r.headers.get('content-type'), [...await r.bytes()].length] })()",
            json!(["application/json", 7]),
        ),
        ("(await new Response(new Uint8Array([1, 2])).arrayBuffer()).byteLength", json!(2)),
        ("await new Response().text()", json!("")),
        ("await new Response('nope').json()", throws("SyntaxError")),
        ("new Response('x', {status: 204})", throws("TypeError")),
        ("new Response('x', {status: 99})", throws("RangeError")),
    ]);
}

#[test]
fn fetch_is_a_host_call() {
    let mut rig = Rig::active(action(
        "const r = await fetch('https://api.test/x?y=1#z', { method: 'POST', headers: { Authorization: 'Bearer k' }, body: JSON.stringify({ a: 1 }), redirect: 'manual', timeoutMs: 50 });
         return [r.status, r.ok, r.statusText, r.url, r.redirected, r.headers.get('X-One'), await r.clone().json(), [...await r.bytes()].length]",
    ));
    let call = rig.begin_action(Value::Null);
    let (id, of, method, params) = rig.host();
    assert_eq!((of, method), (call, HostMethod::HttpFetch));
    assert_eq!(
        params,
        json!({
            "url": "https://api.test/x?y=1", "method": "POST", "redirect": "manual", "timeoutMs": 50,
            "headers": [["authorization", "Bearer k"], ["content-type", "text/plain;charset=UTF-8"]],
            "body": "eyJhIjoxfQ==",
        })
    );
    rig.reply(
        id,
        json!({"status": 404, "statusText": "No", "url": "https://api.test/z", "redirected": true,
               "headers": [["X-One", "1"], ["x-one", "2"]], "body": "WyLDvCJd"}),
    );
    let wanted = json!([404, false, "No", "https://api.test/z", true, "1, 2", ["ü"], 6]);
    assert_eq!(rig.finish(call).unwrap(), wanted);
}

#[test]
fn fetch_fails_and_aborts_as_on_the_web() {
    let mut rig = Rig::active(action(
        "if (input === 'refused') return fetch('https://a').catch((e) => [e.name, e.code, e.retryable, e.message]);
         if (input === 'before') return fetch('https://a', { signal: AbortSignal.abort() }).catch((e) => e.name);
         if (input === 'header') return fetch('https://a', { headers: { Host: 'b' } }).catch((e) => e.name);
         const c = new AbortController();
         setTimeout(() => c.abort(), 1);
         return fetch('https://a', { signal: c.signal }).catch((e) => e.name)",
    ));
    assert_eq!(rig.run(json!("before")).unwrap(), "AbortError");
    assert_eq!(rig.run(json!("header")).unwrap(), "TypeError");
    let call = rig.begin_action(json!("refused"));
    let (id, ..) = rig.host();
    rig.refuse(id, "REFUSED", "a is not granted");
    let wanted = json!(["TypeError", "REFUSED", false, "fetch failed: a is not granted"]);
    assert_eq!(rig.finish(call).unwrap(), wanted);
    let call = rig.begin_action(json!("during"));
    let (id, ..) = rig.host();
    assert_eq!(rig.finish(call).unwrap(), "AbortError");
    // The answer that comes too late harms nobody.
    rig.reply(id, json!({"status": 200, "headers": [], "body": ""}));
    assert_eq!(rig.run(json!("before")).unwrap(), "AbortError");
}

#[test]
fn console_lines_read_as_people_expect() {
    let mut rig = Rig::active(action(
        "console.log('a', 1, -0, true, null, undefined, 5n, Symbol('s'));
         console.info({ a: [1, { b: 'x' }], 'c-d': () => {}, get e() { return 1 } });
         console.warn('%s has %d of %o%%', 'box', '3', [1], 'rest');
         console.error(new Map([['k', new Set([1])]]), new Date(0), /x/g, new Uint8Array(3));
         const c = { name: 'me' }; c.self = c; console.debug(c);
         class P { x = 1 } console.log(new P(), [], {}, '', new URL('http://a'));
         console.log({ a: { b: { c: { d: { e: 1 } } } } });
         console.group('G'); console.log('in'); console.groupEnd(); console.count(); console.count();
         console.assert(1 === 2, 'math');
         console.error(new TypeError('bad'))",
    ));
    rig.run(Value::Null).unwrap();
    use LogLevel::{Debug, Error, Info, Warn};
    let wanted = [
        (Info, "a 1 -0 true null undefined 5n Symbol(s)"),
        (Info, "{ a: [1, { b: \"x\" }], \"c-d\": [Function c-d], e: [Getter] }"),
        (Warn, "box has 3 of [1]% rest"),
        (
            Error,
            "Map(1) { \"k\" => Set(1) { 1 } } 1970-01-01T00:00:00.000Z /x/g Uint8Array(3) [0, 0, 0]",
        ),
        (Debug, "{ name: \"me\", self: [Circular] }"),
        (Info, "P { x: 1 } [] {}  URL http://a/"),
        (Info, "{ a: { b: { c: { d: [Object] } } } }"),
        (Info, "G"),
        (Info, "  in"),
        (Info, "default: 1"),
        (Info, "default: 2"),
        (Error, "Assertion failed: math"),
    ];
    for (got, (level, line)) in rig.logs.iter().zip(wanted) {
        assert_eq!((got.0, &*got.1), (level, line));
    }
    let (level, last) = rig.logs.last().unwrap();
    assert!(*level == Error && last.starts_with("TypeError: bad\n    at "), "{last}");
    assert!(last.contains("index.js:") && rig.logs.len() == wanted.len() + 1);
}
