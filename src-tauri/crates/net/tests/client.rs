//! The client as such: connections, encodings, limits, proxies.

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{PUBLIC, Rig, SECOND, compressed};
use devrig_core::{Code, SystemClock};
use devrig_net::testnet::{Reply, Site, TestNet};
use devrig_net::{
    CallerId, CallerLimits, Egress, EgressParts, Grant, Method, Proxy, Request, Roots,
};
use futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn requests_share_a_connection_but_callers_do_not() {
    for http1 in [false, true] {
        let rig = Rig::new();
        let site = Site::new("api.test", PUBLIC);
        let site = if http1 { site.http1() } else { site };
        rig.net.serve(site, |_| Reply::ok("hi")).await;
        for _ in 0..3 {
            rig.get("https://api.test/a?b=c#d", &["api.test"]).await.unwrap();
        }
        let grants = [Grant::parse("api.test").unwrap()];
        let other = CallerId::from("other");
        rig.egress.fetch(&other, Request::get("https://api.test/"), &grants, &()).await.unwrap();
        let seen = rig.net.seen();
        assert!(seen.iter().all(|seen| seen.http2 != http1));
        assert_eq!(seen[0].path, "/a?b=c");
        assert_eq!(seen[0].authority, "api.test");
        assert!(seen[0].header("user-agent").starts_with("DevRig/"));
        let connections: Vec<_> = seen.iter().map(|seen| seen.connection).collect();
        assert_eq!(connections, [0, 0, 0, 1]);
    }
}

#[tokio::test]
async fn methods_bodies_and_headers_arrive_as_given() {
    for http1 in [false, true] {
        let rig = Rig::new();
        let site = Site::new("api.test", PUBLIC).port(8443);
        let site = if http1 { site.http1() } else { site };
        rig.net
            .serve(site, |_| Reply::new(201, "made").header("x-a", "1").header("x-a", "2"))
            .await;
        let request = Request::new(Method::PATCH, "https://api.test:8443/x")
            .header("Content-Type", "application/json")
            .body("{}");
        let answer = rig.fetch(request, &["api.test:8443 PATCH"], &()).await.unwrap();
        assert_eq!((answer.status, answer.body.as_ref()), (201, b"made".as_ref()));
        let pairs: Vec<_> = answer.headers.iter().filter(|(name, _)| name == "x-a").collect();
        assert_eq!(pairs.len(), 2);
        let seen = &rig.net.seen()[0];
        assert_eq!((seen.method.as_str(), seen.body.as_ref()), ("PATCH", b"{}".as_ref()));
        assert_eq!(seen.header("content-type"), "application/json");
        assert_eq!(seen.header("content-length"), "2");
        assert_eq!(seen.authority, "api.test:8443");
    }
}

#[tokio::test]
async fn encodings_are_undone() {
    let rig = Rig::new();
    let text = "all work and no play ".repeat(1000);
    let mut bodies = Vec::new();
    for name in ["gzip", "deflate", "raw-deflate", "br"] {
        bodies.push((name, compressed(name, text.as_bytes()).await));
    }
    let twice = compressed("br", &compressed("gzip", text.as_bytes()).await).await;
    bodies.push(("gzip, br", twice));
    rig.net
        .serve(Site::new("api.test", PUBLIC), move |seen| {
            let at: usize = seen.path[1..].parse().unwrap();
            let (name, body) = bodies[at].clone();
            Reply::ok(body).header("content-encoding", name.trim_start_matches("raw-"))
        })
        .await;
    for at in 0..5 {
        let answer = rig.get(&format!("https://api.test/{at}"), &["api.test"]).await.unwrap();
        assert_eq!(answer.body, text, "{at}");
        assert!(!answer.headers.iter().any(|(name, _)| name == "content-encoding"));
    }
    assert_eq!(rig.net.seen()[0].header("accept-encoding"), "gzip, deflate, br");
}

#[tokio::test]
async fn answers_without_a_body_are_answers() {
    let rig = Rig::new();
    let reply = |seen: &devrig_net::testnet::Seen| {
        let status = seen.path[1..].parse().unwrap();
        Reply::new(status, "").header("content-encoding", "gzip")
    };
    rig.net.serve(Site::new("api.test", PUBLIC).http1(), reply).await;
    for status in [200, 204, 304, 404] {
        for method in [Method::GET, Method::HEAD] {
            let request = Request::new(method, format!("https://api.test/{status}"));
            assert_eq!(rig.fetch(request, &["api.test"], &()).await.unwrap().status, status);
        }
    }
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_not_an_error() {
    let rig = Rig::new();
    let site = Site::new("api.test", PUBLIC).http1();
    rig.net.serve(site, |_| Reply::ok("hi").header("connection", "close")).await;
    for _ in 0..5 {
        rig.get("https://api.test/", &["api.test"]).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_costs_a_safe_request_two_attempts_and_others_one() {
    for http1 in [false, true] {
        let rig = Rig::new();
        let site = Site::new("api.test", PUBLIC);
        let site = if http1 { site.http1() } else { site };
        let reply = |seen: &devrig_net::testnet::Seen| match seen.path.as_str() {
            "/bad" => Reply::hang_up(),
            _ => Reply::ok("hi"),
        };
        rig.net.serve(site, reply).await;
        for (method, attempts) in [(Method::GET, 2), (Method::POST, 1)] {
            rig.get("https://api.test/", &["api.test"]).await.unwrap();
            let before = rig.net.seen().len();
            let request = Request::new(method.clone(), "https://api.test/bad");
            let error = rig.fetch(request, &["api.test"], &()).await.unwrap_err();
            assert_eq!(error.code, Code::Network, "{error}");
            assert_eq!(rig.net.seen().len() - before, attempts, "{method} http1 {http1}");
        }
    }
}

#[tokio::test]
async fn a_connection_is_not_used_again_after_a_timeout_or_a_long_sleep() {
    for http1 in [false, true] {
        let rig = Rig::new();
        let site = Site::new("api.test", PUBLIC);
        let site = if http1 { site.http1() } else { site };
        let reply = |seen: &devrig_net::testnet::Seen| match seen.path.as_str() {
            "/silent" => Reply::ok("hi").after(Duration::from_secs(600)),
            _ => Reply::ok("hi"),
        };
        rig.net.serve(site, reply).await;
        rig.get("https://api.test/", &["api.test"]).await.unwrap();
        let mut silent = Request::get("https://api.test/silent");
        silent.timeout = Duration::from_millis(100);
        assert_eq!(rig.fetch(silent, &["api.test"], &()).await.unwrap_err().code, Code::Timeout);
        rig.get("https://api.test/", &["api.test"]).await.unwrap();
        rig.clock.advance(Duration::from_secs(3600));
        rig.get("https://api.test/", &["api.test"]).await.unwrap();
        let seen = rig.net.seen();
        let connections: Vec<_> = seen.iter().map(|seen| seen.connection).collect();
        assert_eq!(connections, [0, 0, 1, 2], "http1 {http1}");
    }
}

#[tokio::test]
async fn a_dead_address_does_not_hold_up_a_live_one() {
    let rig = Rig::new();
    rig.net.dns("api.test", &[&[SECOND, PUBLIC]]);
    rig.net.black_hole(SECOND);
    rig.net.serve(Site::new("api.test", PUBLIC), |_| Reply::ok("hi")).await;
    let start = Instant::now();
    rig.get("https://api.test/", &["api.test"]).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn certificates_of_strangers_and_for_other_names_are_refused() {
    let rig = Rig::new();
    let stranger = TestNet::new();
    rig.net.serve(Site::new("right.test", PUBLIC), |_| Reply::ok("hi")).await;
    rig.net.dns("wrong.test", &[&[PUBLIC]]);
    let error = rig.get("https://wrong.test/", &["wrong.test"]).await.unwrap_err();
    assert_eq!(error.code, Code::Refused, "{error}");
    assert!(error.message.contains("certificate"));
    for roots in [Roots::Only(vec![stranger.authority_der()]), Roots::System] {
        let parts = EgressParts { roots, ..rig.net.parts(SystemClock::shared()) };
        let egress = Egress::new(parts).unwrap();
        let grants = [Grant::parse("right.test").unwrap()];
        let request = Request::get("https://right.test/");
        let error = egress.fetch(&"x".into(), request, &grants, &()).await.unwrap_err();
        assert_eq!(error.code, Code::Refused, "{error}");
    }
    assert!(rig.net.seen().is_empty());
    rig.get("https://right.test/", &["right.test"]).await.unwrap();
}

#[tokio::test]
async fn d13_a_burst_is_held_to_its_places_and_its_rate() {
    let rig = Rig::new();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, top) = (Arc::clone(&now), Arc::clone(&most));
    rig.net
        .serve(Site::new("api.test", PUBLIC).http1(), move |_| {
            top.fetch_max(count.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(15)).await;
                count.fetch_sub(1, Ordering::SeqCst);
            });
            Reply::ok("hi").after(Duration::from_millis(20))
        })
        .await;
    let limits =
        CallerLimits { concurrency: 6, queue: 60, burst: 30, per_second: 1.0, breaker: true };
    rig.egress.set_limits(rig.caller.clone(), limits);
    let requests = (0..5000).map(|_| async {
        let mut request = Request::get("https://api.test/");
        request.timeout = Duration::from_millis(800);
        rig.fetch(request, &["api.test"], &()).await
    });
    let results = join_all(requests).await;
    let served = results.iter().filter(|result| result.is_ok()).count();
    assert!((30..=32).contains(&served), "the burst and no more: {served}");
    let others = results.iter().filter_map(|result| result.as_ref().err());
    assert!(others.into_iter().all(|error| error.code == Code::RateLimited));
    assert!(most.load(Ordering::SeqCst) <= 6, "six at once: {most:?}");
    let other = CallerId::from("other");
    let grants = [Grant::parse("api.test").unwrap()];
    let answer = rig.egress.fetch(&other, Request::get("https://api.test/"), &grants, &()).await;
    assert!(answer.is_ok(), "another caller is not affected");
}

#[tokio::test]
async fn d13_a_failing_host_is_left_alone_for_a_while() {
    let rig = Rig::new();
    let ill = Arc::new(AtomicUsize::new(1));
    let state = Arc::clone(&ill);
    rig.net
        .serve(Site::new("api.test", PUBLIC), move |_| match state.load(Ordering::SeqCst) {
            0 => Reply::ok("well"),
            _ => Reply::new(503, "ill"),
        })
        .await;
    rig.net.serve(Site::new("other.test", SECOND), |_| Reply::ok("well")).await;
    let get = || rig.get("https://api.test/", &["api.test"]);
    for _ in 0..5 {
        assert_eq!(get().await.unwrap().status, 503, "an answer is an answer");
    }
    let error = get().await.unwrap_err();
    assert_eq!((error.code, error.retryable), (Code::Network, true));
    assert_eq!(rig.net.seen().len(), 5, "the sixth did not leave");
    assert_eq!(rig.get("https://other.test/", &["other.test"]).await.unwrap().status, 200);

    rig.clock.advance(Duration::from_secs(31));
    assert_eq!(get().await.unwrap().status, 503, "one test");
    assert!(get().await.is_err(), "which failed");
    rig.clock.advance(Duration::from_secs(31));
    ill.store(0, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(get().await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_host_that_keeps_silent_or_hangs_up_is_failing_too() {
    for silent in [true, false] {
        let rig = Rig::new();
        let reply = move |_: &devrig_net::testnet::Seen| match silent {
            true => Reply::ok("x").after(Duration::from_secs(600)),
            false => Reply::hang_up(),
        };
        rig.net.serve(Site::new("api.test", PUBLIC), reply).await;
        let get = || async {
            let mut request = Request::get("https://api.test/");
            request.timeout = Duration::from_millis(if silent { 60 } else { 5000 });
            rig.fetch(request, &["api.test"], &()).await.unwrap_err()
        };
        for _ in 0..5 {
            assert!(get().await.details.is_none());
        }
        assert_eq!(get().await.details.expect("the breaker's")["breaker"], "open");
    }
}

#[tokio::test]
async fn refusals_do_not_open_the_breaker() {
    let rig = Rig::new();
    rig.net.dns(
        "api.test",
        &[
            &["10.0.0.1"],
            &["10.0.0.1"],
            &["10.0.0.1"],
            &["10.0.0.1"],
            &["10.0.0.1"],
            &["10.0.0.1"],
            &[PUBLIC],
        ],
    );
    rig.net.serve(Site::new("api.test", PUBLIC), |_| Reply::ok("hi")).await;
    for _ in 0..6 {
        rig.refused("https://api.test/", &["api.test"], "address").await;
    }
    assert_eq!(rig.get("https://api.test/", &["api.test"]).await.unwrap().body, "hi");
}

/// A proxy of one connection: gives the head that it was asked with, and connects to `to`.
async fn proxy_to(to: SocketAddr) -> (SocketAddr, tokio::task::JoinHandle<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        let mut server = tokio::net::TcpStream::connect(to).await.unwrap();
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        String::from_utf8(head).unwrap()
    });
    (address, task)
}

#[tokio::test]
async fn d12_the_persons_proxy_is_told_the_checked_address_and_only_after_the_check() {
    let rig = Rig::new();
    rig.net.serve(Site::new("api.test", PUBLIC), |_| Reply::ok("hi")).await;
    let target = rig.net.local_address(&format!("{PUBLIC}:443"));
    let (address, proxy) = proxy_to(target).await;
    let login = Some(("me".to_owned(), "pw".to_owned().into()));
    let setting = Proxy { host: "127.0.0.1".into(), port: address.port(), login };
    let parts = EgressParts { proxy: Some(setting), ..rig.net.parts(SystemClock::shared()) };
    let egress = Egress::new(parts).unwrap();
    let grants = [Grant::parse("api.test").unwrap()];
    let caller = CallerId::from("p");
    rig.net.dns("inner.test", &[&["10.0.0.1"]]);
    for url in ["https://inner.test/", "https://other.test/", "https://10.0.0.1/"] {
        let wide = [Grant::parse("inner.test").unwrap()];
        egress.fetch(&caller, Request::get(url), &wide, &()).await.expect_err(url);
    }
    assert!(rig.net.dialed().is_empty(), "the proxy was not asked");
    let answer = egress.fetch(&caller, Request::get("https://api.test/"), &grants, &()).await;
    assert_eq!(answer.unwrap().body, "hi");
    drop(egress);
    let head = proxy.await.unwrap();
    assert!(head.starts_with(&format!("CONNECT {PUBLIC}:443 HTTP/1.1\r\n")), "{head}");
    assert!(head.contains("Proxy-Authorization: Basic bWU6cHc="), "{head}");
}

/// Also run below with proxy variables set.
#[tokio::test]
async fn a_request_by_the_systems_sockets_goes_straight_to_its_target() {
    let net = TestNet::new();
    let port = net.loopback(|_| Reply::ok("hi")).await;
    let egress = Egress::new(EgressParts::system(SystemClock::shared())).unwrap();
    let grants = [Grant::parse(&format!("localhost:{port}")).unwrap()];
    let request = Request::get(format!("http://localhost:{port}/"));
    let answer = egress.fetch(&"x".into(), request, &grants, &()).await.unwrap();
    assert_eq!(answer.body, "hi");
}

#[tokio::test]
async fn d12_proxy_variables_of_the_environment_change_nothing() {
    let trap = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", trap.local_addr().unwrap());
    let mut again = tokio::process::Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "a_request_by_the_systems_sockets_goes_straight_to_its_target"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        again.env(name, &proxy).env(name.to_lowercase(), &proxy);
    }
    let output = again.env_remove("NO_PROXY").env_remove("no_proxy").output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    let asked = tokio::time::timeout(Duration::from_millis(50), trap.accept()).await;
    assert!(asked.is_err(), "nobody came to the proxy");
}

/// `cargo test -p devrig-net --release --test client -- --ignored --nocapture figures`
#[tokio::test]
#[ignore = "prints figures"]
async fn figures() {
    for http1 in [false, true] {
        let rig = Rig::new();
        let site = Site::new("api.test", PUBLIC);
        let site = if http1 { site.http1() } else { site };
        rig.net.serve(site, |_| Reply::ok(vec![b'x'; 1024])).await;
        let limits = CallerLimits {
            concurrency: 6,
            queue: 10,
            burst: 1_000_000,
            per_second: 1e6,
            breaker: true,
        };
        rig.egress.set_limits(rig.caller.clone(), limits);
        let grants = [Grant::parse("api.test").unwrap()];
        let mut times = Vec::new();
        for _ in 0..2000 {
            let start = Instant::now();
            let request = Request::get("https://api.test/");
            rig.egress.fetch(&rig.caller, request, &grants, &()).await.unwrap();
            times.push(start.elapsed());
        }
        let first = times[0];
        times.sort();
        println!("http1 {http1}: first {first:?}, p50 {:?}, p99 {:?}", times[1000], times[1980]);
    }
}
