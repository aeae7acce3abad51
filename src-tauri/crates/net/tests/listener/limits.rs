//! What is too large, too many, too slow or asked in the wrong way.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use devrig_net::listener::{Delivery, Handler, ListenerOptions, Reply, RouteLimits};
use devrig_net::{Method, StatusCode};

use crate::rig::{Client, Door, Recorder, Rig, post, request, route, until};

const SHORT: Duration = Duration::from_millis(150);

/// A listener with one route of these limits.
fn limited(limits: RouteLimits) -> (Rig, Arc<Recorder>, devrig_net::listener::Registration) {
    let (rig, recorder) = (Rig::new(), Recorder::shared());
    let mut own = route("/hooks/a", recorder.clone());
    own.limits = limits;
    let registration = rig.register(own);
    (rig, recorder, registration)
}

fn refused(rig: &Rig, reason: &str) -> u64 {
    let counts = rig.status("/hooks/a").counts;
    counts.refused.iter().find(|(why, _)| why.as_str() == reason).map_or(0, |(_, count)| *count)
}

fn chunked(chunks: &[&[u8]]) -> Vec<u8> {
    let mut bytes = post("/hooks/a", &[("Transfer-Encoding", "chunked")], b"");
    for chunk in chunks {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

#[tokio::test]
async fn a_body_may_have_the_limit_and_not_a_byte_more() {
    let (rig, recorder, _route) = limited(RouteLimits { body: 10, ..RouteLimits::default() });
    for body in [&b""[..], b"123456789", b"1234567890"] {
        assert_eq!(rig.ask(post("/hooks/a", &[], body)).await.status, 200);
    }
    assert_eq!(rig.ask(chunked(&[b"12345", b"67", b"890"])).await.status, 200);
    rig.ask(post("/hooks/a", &[], b"12345678901")).await.assert_error(413, "TOO_LARGE");
    rig.ask(chunked(&[b"12345", b"67", b"8901"])).await.assert_error(413, "TOO_LARGE");
    rig.ask(chunked(&[b"12345678901"])).await.assert_error(413, "TOO_LARGE");
    assert_eq!(recorder.bodies()[3], b"1234567890");
    assert_eq!((recorder.seen().len(), refused(&rig, "body")), (4, 3));
}

#[tokio::test]
async fn a_length_that_is_too_large_is_refused_before_a_byte_of_it() {
    let (rig, _recorder, _route) = limited(RouteLimits::default());
    for length in ["1000001", "18446744073709551613"] {
        let head = format!(
            "POST /hooks/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        );
        let answer = rig.ask(head).await;
        let json = answer.assert_error(413, "TOO_LARGE");
        assert!(json["error"]["message"].as_str().unwrap().contains("1000000"));
        assert_eq!(answer.header("connection"), Some("close"));
    }
}

#[tokio::test]
async fn a_client_that_writes_everything_first_still_reads_the_refusal() {
    let (rig, recorder, _route) = limited(RouteLimits::default());
    let large = vec![b'x'; 6_000_000];
    rig.ask(post("/hooks/a", &[], &large)).await.assert_error(413, "TOO_LARGE");
    let chunks: Vec<&[u8]> = large.chunks(100_000).collect();
    rig.ask(chunked(&chunks)).await.assert_error(413, "TOO_LARGE");
    rig.ask(post("/elsewhere", &[], &large)).await.assert_error(404, "NOT_FOUND");
    assert!(recorder.seen().is_empty());
    rig.assert_serving("/hooks/a").await;
}

#[tokio::test]
async fn large_bodies_arrive_whole() {
    let (rig, recorder, _route) = limited(RouteLimits::default());
    let large: Vec<u8> = (0..1_000_000u32).map(|index| (index * 7 % 251) as u8).collect();
    assert_eq!(rig.ask(post("/hooks/a", &[], &large)).await.status, 200);
    let chunks: Vec<&[u8]> = large.chunks(4_999).collect();
    assert_eq!(rig.ask(chunked(&chunks)).await.status, 200);
    assert!(recorder.bodies().iter().all(|body| *body == large));
}

#[tokio::test]
async fn a_rate_is_kept_for_each_path_and_recovers() {
    let per_minute = NonZeroU32::new(600).unwrap();
    let (rig, _recorder, _route) = limited(RouteLimits { per_minute, ..RouteLimits::default() });
    let _other = rig.register(route("/hooks/b", Recorder::shared()));
    let mut client = rig.client().await;
    let mut refusal = None;
    for _ in 0..2000 {
        client.send(post("/hooks/a", &[], b"")).await;
        let answer = client.answer().await;
        if answer.status != 200 {
            refusal = Some(answer);
            break;
        }
    }
    let refusal = refusal.expect("the rate ends");
    refusal.assert_error(429, "RATE_LIMITED");
    assert_eq!(refusal.header("retry-after"), Some("1"));
    assert!(refused(&rig, "rate") > 0);
    rig.assert_serving("/hooks/b").await;
    // One comes back every tenth of a second.
    let start = Instant::now();
    loop {
        client.send(post("/hooks/a", &[], b"")).await;
        if client.answer().await.status == 200 {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(5), "the rate does not recover");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn requests_at_once_are_limited_for_each_path() {
    let rig = Rig::new();
    let door = Door::shut();
    let mut own = route("/hooks/a", door.clone());
    own.limits.at_once = 2;
    let _route = rig.register(own);
    let _other = rig.register(route("/hooks/b", Recorder::shared()));
    let (mut first, mut second) = (rig.client().await, rig.client().await);
    for client in [&mut first, &mut second] {
        client.send(post("/hooks/a", &[], b"")).await;
    }
    door.has_started(2).await;
    let third = rig.ask(post("/hooks/a", &[], b"")).await;
    third.assert_error(503, "RATE_LIMITED");
    assert_eq!(third.header("retry-after"), Some("1"));
    rig.assert_serving("/hooks/b").await;
    door.let_on.add_permits(3);
    assert_eq!((first.answer().await.status, second.answer().await.status), (200, 200));
    until("room", || rig.status("/hooks/a").running == 0).await;
    assert_eq!(rig.ask(post("/hooks/a", &[], b"")).await.status, 200);
}

#[tokio::test]
async fn headers_are_limited_in_number_and_size() {
    let (rig, recorder, _route) = limited(RouteLimits::default());
    let names: Vec<String> = (0..99).map(|index| format!("X-Number-{index}")).collect();
    let many = |count| -> Vec<(&str, &str)> {
        names[..count].iter().map(|name| (name.as_str(), "1")).collect()
    };
    assert_eq!(rig.ask(post("/hooks/a", &many(62), b"")).await.status, 200);
    rig.ask(post("/hooks/a", &many(64), b"")).await.assert_error(431, "TOO_LARGE");
    let long = "x".repeat(20_000);
    rig.ask(post("/hooks/a", &[("X-Long", &long)], b"")).await.assert_error(431, "TOO_LARGE");
    assert_eq!(refused(&rig, "headers"), 2);
    // Beyond what is parsed at all, the answer is a bare status.
    let longer = "x".repeat(200_000);
    let answer = rig.client().await;
    assert_eq!(bare_status(answer, &post("/hooks/a", &[("X-Long", &longer)], b"")).await, 431);
    let path = format!("/{}", "a".repeat(70_000));
    assert_eq!(bare_status(rig.client().await, &post(&path, &[], b"")).await, 431);
    assert_eq!(recorder.seen().len(), 1);
    rig.assert_serving("/hooks/a").await;
}

/// Reads while it writes, as the other side may hang up in the middle.
async fn bare_status(mut client: Client, bytes: &[u8]) -> u16 {
    for part in bytes.chunks(16 * 1024) {
        if tokio::io::AsyncWriteExt::write_all(&mut client.stream, part).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let answer = client.answer().await;
    assert!(answer.body.is_empty());
    answer.status
}

#[tokio::test]
async fn a_slow_body_is_given_up() {
    let (rig, recorder, _route) =
        limited(RouteLimits { body_within: SHORT, ..RouteLimits::default() });
    let head = "POST /hooks/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n";
    let silent = rig.ask(format!("{head}some")).await;
    silent.assert_error(408, "TIMEOUT");
    let mut dripping = rig.client().await;
    dripping.send(head).await;
    let start = Instant::now();
    let answer = loop {
        tokio::select! {
            answer = dripping.try_answer() => break answer,
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
        _ = tokio::io::AsyncWriteExt::write_all(&mut dripping.stream, b"x").await;
        assert!(start.elapsed() < Duration::from_secs(2), "dripping buys time");
    };
    answer.expect("an answer").assert_error(408, "TIMEOUT");
    assert_eq!(refused(&rig, "slow"), 2);
    assert!(recorder.seen().is_empty());
    assert_eq!(rig.status("/hooks/a").running, 0);
}

fn hasty(head_within: Duration, rest_within: Duration) -> Rig {
    let options = ListenerOptions::default();
    Rig::with(ListenerOptions { head_within, rest_within, ..options })
}

#[tokio::test]
async fn a_slow_head_is_given_up_and_a_rest_is_not() {
    let rig = hasty(SHORT, Duration::from_secs(60));
    let _route = rig.register(route("/hooks/a", Recorder::shared()));
    let mut resting = rig.client().await;
    resting.send(post("/hooks/a", &[], b"")).await;
    resting.answer().await;
    let mut silent = rig.client().await;
    let mut dripping = rig.client().await;
    dripping.send("POST /hooks/a HTTP/1.1\r\n").await;
    let start = Instant::now();
    while dripping.stream.try_write(b"X-A: b\r\n").is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(start.elapsed() < Duration::from_secs(2), "dripping buys time");
    }
    silent.assert_ended().await;
    assert!(start.elapsed() >= SHORT / 2);
    resting.send(post("/hooks/a", &[], b"")).await;
    assert_eq!(resting.answer().await.status, 200, "a rest may take longer than a head");
}

#[tokio::test]
async fn a_rest_ends_too() {
    let rig = hasty(SHORT, SHORT);
    let _route = rig.register(route("/hooks/a", Recorder::shared()));
    let mut client = rig.client().await;
    client.send(post("/hooks/a", &[], b"")).await;
    client.answer().await;
    client.assert_ended().await;
}

struct Verbose;

#[async_trait]
impl Handler for Verbose {
    async fn handle(&self, _: Delivery) -> Reply {
        Reply::new(StatusCode::OK).body(vec![b'x'; 50_000_000])
    }
}

#[tokio::test]
async fn a_reply_that_nobody_takes_does_not_hold_the_connection() {
    let rig = hasty(SHORT, SHORT);
    let _route = rig.register(route("/hooks/a", Arc::new(Verbose)));
    let mut client = rig.client().await;
    client.send(post("/hooks/a", &[], b"")).await;
    until("the delivery", || rig.status("/hooks/a").counts.accepted == 1).await;
    until("the end of the connection", || rig.listener.status().connections == 0).await;
    drop(client);
}

#[tokio::test]
async fn connections_are_limited_and_room_comes_back() {
    let rig = Rig::with(ListenerOptions { connections: 2, ..ListenerOptions::default() });
    let _route = rig.register(route("/hooks/a", Recorder::shared()));
    let (mut first, second) = (rig.client().await, rig.client().await);
    first.send(post("/hooks/a", &[], b"")).await;
    first.answer().await;
    until("both", || rig.listener.status().connections == 2).await;
    let mut third = rig.client().await;
    let answer = third.answer().await;
    answer.assert_error(503, "RATE_LIMITED");
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(rig.listener.status().crowded_out, 1);
    first.send(post("/hooks/a", &[], b"")).await;
    assert_eq!(first.answer().await.status, 200, "who is in is served");
    drop(second);
    until("room", || rig.listener.status().connections == 1).await;
    rig.assert_serving("/hooks/a").await;
}

#[tokio::test]
async fn other_methods_are_told_which_are_taken() {
    let (rig, recorder, _route) = limited(RouteLimits::default());
    for method in ["GET", "PUT", "DELETE", "TRACE", "OPTIONS", "PROPFIND"] {
        let cross = [("Access-Control-Request-Method", "POST")];
        let answer = rig.ask(request(method, "/hooks/a", &cross, b"")).await;
        answer.assert_error(405, "UNSUPPORTED");
        assert_eq!(answer.header("allow"), Some("POST"));
        let told = answer.headers.iter().any(|(name, _)| name.starts_with("access-control"));
        assert!(!told, "browsers are not let in: {:?}", answer.headers);
    }
    assert!(recorder.seen().is_empty());
}

#[tokio::test]
async fn head_is_its_own_method() {
    let rig = Rig::new();
    let recorder = Recorder::shared();
    let mut get = route("/hooks/get", recorder.clone());
    get.methods = vec![Method::GET];
    let _get = rig.register(get);
    let mut both = route("/hooks/both", recorder.clone());
    both.methods = vec![Method::GET, Method::HEAD];
    let _both = rig.register(both);
    assert_eq!(rig.ask(request("GET", "/hooks/get", &[], b"")).await.status, 200);
    let mut client = rig.client().await;
    client.send(request("HEAD", "/hooks/get", &[], b"")).await;
    // An answer to HEAD has the length of a body, and none.
    let mut bytes = vec![0; 4096];
    let count = tokio::io::AsyncReadExt::read(&mut client.stream, &mut bytes).await.unwrap();
    let text = String::from_utf8_lossy(&bytes[..count]);
    assert!(text.starts_with("HTTP/1.1 405 ") && text.ends_with("\r\n\r\n"), "{text}");
    client.send(request("HEAD", "/hooks/both", &[], b"")).await;
    let count = tokio::io::AsyncReadExt::read(&mut client.stream, &mut bytes).await.unwrap();
    let text = String::from_utf8_lossy(&bytes[..count]);
    assert!(text.starts_with("HTTP/1.1 200 ") && text.ends_with("\r\n\r\n"), "{text}");
    let methods: Vec<_> = recorder.seen().iter().map(|seen| seen.method.clone()).collect();
    assert_eq!(methods, [Method::GET, Method::HEAD]);
}

#[tokio::test]
async fn who_looks_around_finds_nothing() {
    let (rig, _recorder, _route) = limited(RouteLimits::default());
    let mut bodies = Vec::new();
    for path in
        ["/", "/hooks", "/hooks/", "/hooks/b", "/hooks/a/b", "/admin", "//hooks/a", "/hooks/./a"]
    {
        let answer = rig.ask(request("GET", path, &[], b"")).await;
        answer.assert_error(404, "NOT_FOUND");
        let known = ["content-type", "content-length", "date"];
        assert!(answer.headers.iter().all(|(name, _)| known.contains(&name.as_str())), "{path}");
        bodies.push(answer.text());
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "one answer for all");
    assert!(!bodies[0].to_lowercase().contains("devrig"));
    rig.ask(request("OPTIONS", "*", &[], b"")).await.assert_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn other_hosts_and_pages_of_other_sites_are_refused() {
    let (rig, recorder, _route) = limited(RouteLimits::default());
    fn with(name: &str, value: &str) -> Vec<u8> {
        post("/hooks/a", &[(name, value)], b"")
    }
    rig.ask(with("Host", "evil.example")).await.assert_error(421, "REFUSED");
    rig.ask(b"POST /hooks/a HTTP/1.1\r\n\r\n").await.assert_error(421, "REFUSED");
    rig.ask(post("http://evil.example/hooks/a", &[], b"")).await.assert_error(421, "REFUSED");
    rig.ask(with("Origin", "https://evil.example")).await.assert_error(403, "REFUSED");
    let own = rig.address().to_string();
    assert_eq!(rig.ask(with("Host", &own)).await.status, 200);
    assert_eq!(rig.ask(with("Origin", "http://localhost:3000")).await.status, 200);
    rig.listener.set_public_host(Some("quiet-place.trycloudflare.com"));
    assert_eq!(rig.ask(with("Host", "quiet-place.trycloudflare.com")).await.status, 200);
    rig.listener.set_public_host(None);
    let gone = rig.ask(with("Host", "quiet-place.trycloudflare.com")).await;
    gone.assert_error(421, "REFUSED");
    assert_eq!(recorder.seen().len(), 3);
    let strays = rig.listener.status().strays.refused;
    let strays: Vec<_> = strays.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    assert_eq!(strays, [("host", 4), ("origin", 1)]);
}
