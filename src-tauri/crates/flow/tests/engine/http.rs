//! Requests of flows to real servers, good ones and bad ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_compression::tokio::write::GzipEncoder;
use devrig_core::{Category, Clock, Code, Error};
use devrig_flow::history::RunDetail;
use devrig_flow::run::RunStatus;
use devrig_net::Egress;
use devrig_net::testnet::{Reply, Seen, Site, TestNet};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{Diary, Rig, clock, line, node};

fn once(mut node: Value) -> Value {
    node["retryPolicy"] = json!({ "maxAttempts": 1 });
    node
}

fn request(config: Value) -> Value {
    once(node("ask", "http.request", config))
}

/// Runs one node that may reach `hosts`, to its end.
async fn asked(rig: &Rig, hosts: &[&str], node: Value) -> (Result<Value, Error>, RunDetail) {
    let started = rig.begin_allowed(hosts, json!([node]), json!([])).await;
    let (rest, run) = rig.ended(started).await;
    match rest.error {
        Some(error) => (Err(error), run),
        None => (Ok(rest.output), run),
    }
}

async fn fails(rig: &Rig, hosts: &[&str], config: Value) -> Error {
    asked(rig, hosts, request(config)).await.0.unwrap_err()
}

fn host(port: u16) -> String {
    format!("network:127.0.0.1:{port}")
}

fn url(port: u16, path: &str) -> String {
    format!("http://127.0.0.1:{port}{path}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_arrives_as_it_was_written_and_its_answer_is_the_output() {
    let (rig, _folder) = Rig::new().await;
    let net = TestNet::new();
    let reply = |_: &Seen| {
        Reply::new(201, r#"{"id": 7}"#)
            .header("content-type", "application/json")
            .header("x-a", "b")
    };
    let port = net.loopback(reply).await;
    let config = json!({
        "method": "post",
        "url": url(port, "/a?x=1"),
        "query": {"q": "{{trigger.payload.who}} & co", "l": [1, 2], "none": null},
        "headers": {"X-Own": "yes"},
        "auth": {"type": "basic", "username": "kim", "password": "p"},
        "body": {"who": "{{trigger.payload.who}}"},
        "idempotencyKey": true,
    });
    let (output, run) = asked(&rig, &[&host(port)], request(config)).await;
    let output = output.unwrap();
    assert_eq!((&output["status"], &output["body"]), (&json!(201), &json!({"id": 7})));
    assert_eq!((&output["bodyType"], &output["headers"]["x-a"]), (&json!("json"), &json!("b")));
    let seen = &net.seen()[0];
    assert_eq!((&*seen.method, &*seen.path), ("POST", "/a?x=1&q=kim+%26+co&l=1&l=2"));
    assert_eq!(seen.body, r#"{"who":"kim"}"#);
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!((seen.header("x-own"), seen.header("authorization")), ("yes", "Basic a2ltOnA="));
    assert_eq!(seen.header("idempotency-key"), format!("{}/ask", run.run.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_allowed_is_reached_whoever_leads_there() {
    let (rig, _folder) = Rig::new().await;
    let net = TestNet::new();
    let inside = net.loopback(|_| Reply::ok("inside")).await;
    let error = fails(&rig, &[], json!({ "url": url(inside, "/") })).await;
    assert_eq!(error.code, Code::Refused);
    assert!(error.hint.unwrap().contains(&format!("devrig flow allow FLOW {}", host(inside))));
    let others = ["network:*", "network:127.0.0.1:1", &format!("network:localhost:{inside}")];
    assert_eq!(fails(&rig, &others, json!({ "url": url(inside, "/") })).await.code, Code::Refused);

    for target in [url(inside, "/"), "https://10.0.0.1/".into(), "https://169.254.169.254/".into()]
    {
        let to = target.clone();
        let door = net.loopback(move |_| Reply::redirect(302, &to)).await;
        let error =
            fails(&rig, &[&host(door), "network:*"], json!({ "url": url(door, "/") })).await;
        assert_eq!(error.code, Code::Refused, "{target}: {error}");
    }
    assert!(net.seen().iter().all(|seen| !seen.authority.ends_with(&format!(":{inside}"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_headers_nor_bodies_follow_to_another_host() {
    let net = TestNet::new();
    let folder = tempfile::tempdir().unwrap();
    let egress = Egress::new(net.parts(clock())).unwrap();
    let rig = Rig::reaching(folder.path(), Diary::default(), clock(), egress).await;
    let status = |seen: &Seen| if seen.method == "POST" { 307 } else { 302 };
    let away = move |seen: &Seen| Reply::redirect(status(seen), "https://b.test/x");
    net.serve(Site::new("a.test", "93.184.216.34"), away).await;
    net.serve(Site::new("b.test", "151.101.1.140"), |_| Reply::ok("there")).await;
    let hosts = ["network:a.test", "network:b.test"];
    let headers = json!({ "x-api-key": "k", "accept": "text/plain", "authorization": "Bearer t" });
    let config = json!({ "url": "https://a.test/", "headers": headers });
    let (output, _) = asked(&rig, &hosts, request(config)).await;
    assert_eq!(output.unwrap()["body"], json!("there"));
    let seen = &net.seen_by("b.test")[0];
    assert_eq!(
        ["x-api-key", "authorization", "accept"].map(|n| seen.header(n)),
        ["", "", "text/plain"]
    );

    let post = json!({ "method": "POST", "url": "https://a.test/", "body": "mine" });
    let error = fails(&rig, &hosts, post).await;
    assert!(error.message.contains("sends this POST on to b.test"), "{error}");
    assert_eq!(net.seen_by("b.test").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_servers_fail_in_time_with_what_decides_on_another_try() {
    let (rig, _folder) = Rig::new().await;
    let net = TestNet::new();
    let mut bomb = GzipEncoder::new(Vec::new());
    bomb.write_all(&vec![0; 6_000_000]).await.unwrap();
    bomb.shutdown().await.unwrap();
    let bomb = bomb.into_inner();
    assert!(bomb.len() < 100_000);
    let (slow, dripping) = (Duration::from_secs(60), Duration::from_millis(20));
    let loops = |seen: &Seen| Reply::redirect(302, &format!("{}x", seen.path));
    let zipped = move |_: &Seen| Reply::ok(bomb.clone()).header("content-encoding", "gzip");
    let cut = cut_in_the_middle().await;
    let cases = [
        (net.loopback(move |_| Reply::ok("late").after(slow)).await, Code::Timeout, true),
        (
            net.loopback(move |_| Reply::ok("a").repeat(u64::MAX, dripping)).await,
            Code::Timeout,
            true,
        ),
        (
            net.loopback(|_| Reply::ok(vec![b'a'; 65_536]).repeat(u64::MAX, Duration::ZERO)).await,
            Code::TooLarge,
            false,
        ),
        (net.loopback(zipped).await, Code::TooLarge, false),
        (net.loopback(loops).await, Code::Refused, false),
        (net.loopback(|_| Reply::hang_up()).await, Code::Network, true),
        (cut, Code::Network, true),
        (unused_port().await, Code::Network, true),
        (net.loopback(|_| Reply::new(500, "no")).await, Code::Http, true),
        (net.loopback(|_| Reply::new(422, "no")).await, Code::Http, false),
        (net.loopback(|_| Reply::new(403, "no")).await, Code::Unauthorized, false),
    ];
    for (number, (port, code, again)) in cases.into_iter().enumerate() {
        let config = json!({ "url": url(port, "/"), "timeoutMs": 1_000 });
        let error = fails(&rig, &[&host(port)], config).await;
        let found = (error.code, error.category != Category::Permanent);
        assert_eq!(found, (code, again), "case {number}: {error:?}");
    }
}

/// Promises more than it sends.
async fn cut_in_the_middle() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf").await;
        }
    });
    port
}

async fn unused_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_trouble_is_asked_again_when_it_says() {
    let (rig, _folder) = Rig::new().await;
    let net = TestNet::new();
    let count = Arc::new(AtomicU32::new(0));
    let flaky = move |_: &Seen| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::new(500, ""),
        1 => Reply::new(429, "").header("retry-after", "60"),
        _ => Reply::ok("fine"),
    };
    let port = net.loopback(flaky).await;
    let mut ask = node("ask", "http.request", json!({ "url": url(port, "/") }));
    ask["retryPolicy"] = json!({ "maxAttempts": 3, "baseDelayMs": 1, "jitter": false });
    let started = rig.begin_allowed(&[&host(port)], json!([ask]), json!([])).await;
    let run = rig.until(&started.id, RunStatus::Waiting).await;
    let wake = run.run.wake_at.unwrap();
    let left = wake.since(rig.clock.now());
    assert_eq!(left, Duration::from_secs(60), "Retry-After beats the policy's millisecond");
    rig.clock.advance(left);
    rig.runs.look();
    let run = rig.until(&started.id, RunStatus::Completed).await;
    assert_eq!((run.nodes[0].attempts, net.seen().len()), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_in_addresses_and_headers_are_told_nowhere() {
    let (rig, folder) = Rig::new().await;
    let net = TestNet::new();
    // The server repeats what it is sent, and refuses it.
    let echo = |seen: &Seen| {
        let authorization = seen.header("authorization").to_owned();
        Reply::new(
            if seen.path.starts_with("/no") { 400 } else { 200 },
            format!("{} {authorization}", seen.path),
        )
    };
    let port = net.loopback(echo).await;
    let allowed = [&*host(port), "secret:hook"];
    for (path, auth) in [
        ("/yes", json!({"type": "basic", "username": "kim", "password": "{{secrets.hook}}"})),
        ("/no", json!({"type": "bearer", "token": "{{secrets.hook}}"})),
    ] {
        let config = json!({
            "url": url(port, path), "query": {"key": "{{secrets.hook}}"}, "auth": auth,
        });
        asked(&rig, &allowed, request(config)).await.0.map(drop).unwrap_or_default();
    }
    let spaced = json!({ "url": format!("{}?k={{{{secrets.hook}}}}", url(port, "/no")) });
    let error = fails(&rig, &allowed, spaced).await;
    assert!(!format!("{error:?}").contains("open"), "{error:?}");
    assert_eq!(net.seen()[0].header("authorization"), "Basic a2ltOm9wZW4gc2VzYW1l");
    rig.runs.stop().await;
    for file in std::fs::read_dir(folder.path()).unwrap().flatten().filter(|f| f.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        for secret in ["open sesame", "open+sesame", "open%20sesame", "m9wZW4gc2VzYW1l"] {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} in {}", file.path().display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_only_what_may_be_sent_twice_is_sent_twice() {
    let net = TestNet::new();
    let first = Arc::new(AtomicU32::new(0));
    let hangs = move |_: &Seen| match first.fetch_add(1, Ordering::Relaxed) % 2 {
        0 => Reply::ok("lost").after(Duration::from_secs(600)),
        _ => Reply::ok("fine"),
    };
    let port = net.loopback(hangs).await;
    for (method, key, ends) in [
        ("GET", false, RunStatus::Completed),
        ("POST", true, RunStatus::Completed),
        ("POST", false, RunStatus::NeedsDecision),
    ] {
        let before = net.seen().len();
        let folder = tempfile::tempdir().unwrap();
        let rig = Rig::at(folder.path(), Diary::default(), clock()).await;
        let config = json!({ "method": method, "url": url(port, "/"), "idempotencyKey": key });
        let started = rig.begin_allowed(&[&host(port)], json!([request(config)]), json!([])).await;
        while net.seen().len() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        rig.runs.stop().await;
        rig.store.close().await;
        let rig = Rig::at(folder.path(), Diary::default(), clock()).await;
        rig.until(&started.id, ends).await;
        let sent = net.seen().split_off(before);
        assert_eq!(sent.len(), if ends == RunStatus::Completed { 2 } else { 1 }, "{method} {key}");
        let keys: Vec<&str> = sent.iter().map(|seen| seen.header("idempotency-key")).collect();
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1] && pair[0].is_empty() != key));
        if sent.len() == 1 {
            rig.runs.decide(&started.id, devrig_flow::runs::Decision::Again).await.unwrap();
            rig.until(&started.id, RunStatus::Completed).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_read_to_their_end_or_their_limit() {
    let (rig, _folder) = Rig::new().await;
    let net = TestNet::new();
    let linked = |seen: &Seen| {
        let page: u32 = seen.path.rsplit('=').next().unwrap().parse().unwrap_or(1);
        let reply = Reply::ok(format!(r#"{{"rows": [{page}, {page}]}}"#));
        match page {
            5 => reply,
            _ => reply.header("link", &format!("</list?page={}>; rel=\"next\"", page + 1)),
        }
    };
    let port = net.loopback(linked).await;
    let pages = |limit: u32| {
        request(json!({ "url": url(port, "/list"),
            "pages": {"by": "link", "items": "rows", "limit": limit} }))
    };
    let output = asked(&rig, &[&host(port)], pages(9)).await.0.unwrap();
    assert_eq!(output["body"], json!([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]));
    assert_eq!((&output["pages"], &output["more"]), (&json!(5), &json!(false)));
    let output = asked(&rig, &[&host(port)], pages(2)).await.0.unwrap();
    assert_eq!((&output["body"], &output["more"]), (&json!([1, 1, 2, 2]), &json!(true)));

    let elsewhere = |_: &Seen| Reply::ok("[1]").header("link", "<https://b.test/2>; rel=next");
    let port = net.loopback(elsewhere).await;
    let config = json!({ "url": url(port, "/"), "pages": {"by": "link"} });
    let error = fails(&rig, &[&host(port), "network:b.test"], config).await;
    assert_eq!(error.code, Code::Refused, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graphql_service_is_asked_with_the_document_as_it_is() {
    let (rig, _folder) = Rig::new().await;
    let net = TestNet::new();
    let service = |seen: &Seen| {
        let sent: Value = serde_json::from_slice(&seen.body).unwrap();
        Reply::ok(
            match sent["variables"]["id"].as_str() {
                Some("none") => json!({"errors": [{"message": "no such id"}], "data": null}),
                _ => json!({"data": {"sent": sent}}),
            }
            .to_string(),
        )
    };
    let port = net.loopback(service).await;
    let query = "query($id: ID!) { item(id: $id) { title {{raw}} } }";
    let asks = |id: &str| {
        once(node(
            "ask",
            "http.graphql",
            json!({
                "url": url(port, "/graphql"), "query": query, "variables": {"id": id},
            }),
        ))
    };
    let output = asked(&rig, &[&host(port)], asks("{{trigger.payload.who}}")).await.0.unwrap();
    let sent = json!({"query": query, "variables": {"id": "kim"}});
    assert_eq!(output, json!({"data": {"sent": sent}, "errors": []}));
    let error = asked(&rig, &[&host(port)], asks("none")).await.0.unwrap_err();
    assert_eq!(error.message, "127.0.0.1 answered with errors: no such id");
    assert!(!error.retryable);
    let nodes = json!([
        asks("a"),
        node("then", "test.give", json!({"t": "{{nodes.ask.output.data.sent.variables.id}}"}))
    ]);
    let started = rig.begin_allowed(&[&host(port)], nodes, line(&["ask", "then"])).await;
    assert_eq!(rig.ended(started).await.0.output, json!({"t": "a"}));
}
