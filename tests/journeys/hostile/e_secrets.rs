//! E: secrets. The oracle knows every value and looks for it in all that is said and stored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use devrig_net::testnet::{Reply, Seen, Site};
use devrig_tests::oracle::secret_of;
use devrig_tests::{Arena, Row};
use serde_json::json;

const BOUND: &str = "93.184.216.34";
const OTHER: &str = "151.101.1.140";

/// Gives everything back that it got, in every form that it can think of.
fn echo(seen: &Seen) -> Reply {
    let values: Vec<&str> = ["authorization", "x-key"].map(|name| seen.header(name)).to_vec();
    let told: Vec<String> = values
        .iter()
        .flat_map(|value| {
            let bare = value.split(' ').next_back().unwrap_or_default();
            let hex: String = bare.bytes().map(|byte| format!("{byte:02x}")).collect();
            [(*value).to_owned(), STANDARD.encode(bare), hex, format!("{bare:?}")]
        })
        .collect();
    Reply::ok(json!({ "told": told, "path": seen.path, "body": seen.body.to_vec() }).to_string())
        .header("x-echo", values[0])
        .header("x-echo-two", values[1])
}

#[tokio::test(flavor = "multi_thread")]
async fn e_a_secret_goes_to_its_host_and_comes_back_to_nobody() {
    let arena = Arena::open().await;
    let net = &arena.rig.net;
    net.serve(Site::new("bound.test", BOUND), echo).await;
    net.serve(Site::new("other.test", OTHER), echo).await;
    let port = net.loopback(echo).await;
    let found = arena.run(rows(port, arena.bystander().id.as_str())).await;

    let sent = |row: &str| -> Vec<Seen> {
        net.seen().into_iter().filter(|seen| seen.header("x-row") == row).collect()
    };
    let token = |row: &str| found[row].at("token").as_str().unwrap_or("?").to_owned();
    let is = |seen: &Seen, header: &str, value: &str| seen.header(header) == value;

    let e2 = sent("e2");
    arena.check(
        e2.len() == 2 && is(&e2[0], "x-key", &secret_of("e2-elsewhere")),
        "e2, control: the bound host gets the value",
    );
    arena.check(
        e2.last().is_some_and(|seen| {
            seen.host() == "other.test" && is(seen, "x-key", &token("e2-elsewhere"))
        }),
        "e2: the other host gets the placeholder, and nothing else",
    );
    let e3 = sent("e3");
    let token3 = token("e3-places");
    let value3 = secret_of("e3-places");
    for seen in &e3 {
        let all = format!("{} {:?} {:?} {}", seen.path, seen.headers, seen.body, seen.method);
        arena.check(!all.contains(&value3), format!("e3: put in at a place of its own: {all}"));
    }
    arena.check(
        e3.iter().any(|seen| seen.path.contains(&token3))
            && e3.iter().any(|seen| seen.body == token3),
        "e3: the requests did arrive",
    );
    let value5 = secret_of("e5-forms");
    let basic = format!("Basic {}", STANDARD.encode(format!("me:{value5}")));
    arena.check(
        sent("e5").iter().any(|seen| is(seen, "authorization", &basic)),
        "e5: the host builds Basic",
    );
    let e7 = sent("e7");
    arena.check(
        e7.len() == 1 && e7[0].authority.contains(&port.to_string()),
        format!("e7: only the granted port of this machine is asked: {e7:?}"),
    );
    arena.check(
        e7.first().is_some_and(|seen| is(seen, "x-key", &secret_of("e7-plain"))),
        "e7, control: there it is put in",
    );
    for (row, found) in &found {
        let text = serde_json::to_string(&found.0).expect("JSON");
        let short = row.split('-').next().unwrap_or_default();
        arena.check(!text.contains("s3cr3t"), format!("{short}: the plugin saw it: {text}"));
    }
    arena.close().await;
}

fn rows(port: u16, bystander: &str) -> Vec<Row> {
    let hosts = ["network:bound.test", "network:other.test"];
    let holder = |name: &str, body: &str| {
        Row::new(name, body).may(&hosts).may(&["secrets:token@bound.test", "storage"]).with_secret()
    };
    vec![
        holder(
            "e1-others",
            &format!(
                "found.names = await sdk.secrets.list();
                 await attempt('get', () => sdk.secrets.get('token'));
                 await attempt('undeclared', () => sdk.secrets.ref('password'));
                 for (const name of ['neighbour:token', '{bystander}:token', '../{bystander}/token', 'token\\0', 'TOKEN', '*', '', 'master-key']) {{
                   await attempt('ref ' + name, () => sdk.secrets.ref(name));
                   await attempt('get ' + name, () => sdk.secrets.get(name));
                 }}"
            ),
        )
        .finds("names", json!(["token"]))
        .finds("get", "!REFUSED")
        .finds("undeclared", "!REFUSED")
        .finds("ref TOKEN", "!REFUSED")
        .audited("permission:not-declared", "refused"),
        holder(
            "e2-elsewhere",
            "const token = await sdk.secrets.ref('token'); found.token = token;
             const ask = async (url) => JSON.parse(await (await fetch(url, { headers: { 'x-row': 'e2', 'x-key': token } })).text());
             found.bound = await ask('https://bound.test/');
             found.other = await ask('https://other.test/');",
        )
        .well()
        .audited("secret:unbound-host", "refused"),
        holder(
            "e3-places",
            "const token = await sdk.secrets.ref('token'); found.token = token;
             const headers = { 'x-row': 'e3' };
             await attempt('path', async () => (await fetch('https://bound.test/' + token, { headers })).status);
             await attempt('query', async () => (await fetch('https://bound.test/?t=' + token, { headers })).status);
             await attempt('body', async () => (await fetch('https://bound.test/', { method: 'POST', headers, body: token })).status);
             await attempt('method', async () => (await fetch('https://bound.test/', { method: token, headers })).status);
             await attempt('name', async () => (await fetch('https://bound.test/', { headers: { ...headers, [token]: 'x' } })).status);
             await attempt('host', async () => (await fetch('https://' + token + '.bound.test/', { headers })).status);",
        )
        .finds("path", 200)
        .finds("body", 200)
        .finds("host", "!REFUSED"),
        holder(
            "e4-echo",
            "const token = await sdk.secrets.ref('token');
             const answer = await fetch('https://bound.test/', { headers: { authorization: 'Bearer ' + token, 'x-key': token } });
             found.header = answer.headers.get('x-echo') === 'Bearer ' + token;
             found.second = answer.headers.get('x-echo-two') === token;
             const told = JSON.parse(await answer.text()).told;
             found.body = told[0] === 'Bearer ' + token;
             found.told = told;
             await ds.storeItems([{ externalId: 'echo', type: 'echo', title: told.join(' '), body: told.join(' ') }]);",
        )
        .finds("header", true)
        .finds("second", true)
        .finds("body", true),
        holder(
            "e5-forms",
            "const token = await sdk.secrets.ref('token');
             const basic = await sdk.secrets.basic('me', token);
             const headers = { 'x-row': 'e5', authorization: basic };
             const answer = await fetch('https://bound.test/', { headers });
             found.basic = answer.headers.get('x-echo') === basic;
             found.told = JSON.parse(await answer.text()).told;
             found.lengths = [token.length, basic.length];
             found.length = answer.headers.get('content-length');
             const errors = [];
             for (const value of [token + '\\n', token + '\\u4e00', token.repeat(3000)]) {
               try { await fetch('https://bound.test/', { headers: { 'x-key': value } }); errors.push('sent'); } catch (error) { errors.push(error.message); }
             }
             found.errors = errors;
             found.decoded = atob(btoa(basic)) === basic;",
        )
        .finds("basic", true)
        .finds("lengths", json!([46, 46]))
        .finds("length", json!(null)),
        holder(
            "e6-stored",
            "const token = await sdk.secrets.ref('token'); found.token = token;
             sdk.log.info('token ' + token, { token });
             console.error(new Error(token));
             await sdk.storage.set(token, { token });
             found.stored = (await sdk.storage.get(token)).token === token;
             await ds.storeItems([{ externalId: token, type: 'stored', title: token, body: token, labels: [token], metadata: { token } }]);
             const item = (await ds.queryItems({ types: ['stored'] }))[0];
             found.item = item.title === token && item.body === token && item.metadata.token === token;",
        )
        .finds("stored", true)
        .finds("item", true),
        holder(
            "e7-plain",
            &format!(
                "const token = await sdk.secrets.ref('token');
                 const headers = {{ 'x-row': 'e7', 'x-key': token }};
                 await attempt('bound', async () => (await fetch('http://bound.test/', {{ headers }})).status);
                 await attempt('public', async () => (await fetch('http://{BOUND}/', {{ headers }})).status);
                 await attempt('other port', async () => (await fetch('http://localhost:{}/', {{ headers }})).status);
                 await attempt('granted', async () => (await fetch('http://localhost:{port}/', {{ headers }})).status);",
                if port == 1 { 2 } else { port - 1 },
            ),
        )
        .may(&[&format!("network:localhost:{port}"), &format!("secrets:token@localhost:{port}")])
        .finds("bound", "!REFUSED")
        .finds("public", "!REFUSED")
        .finds("other port", "!REFUSED")
        .finds("granted", 200)
        .audited("network:plain_http", "refused"),
    ]
}
