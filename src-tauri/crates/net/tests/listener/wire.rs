//! What is not quite HTTP, and what is HTTP written in odd ways.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::{Client, Door, Recorder, Rig, SOON, post, route, until};

#[tokio::test]
async fn requests_written_at_once_are_answered_in_their_order() {
    let rig = Rig::new();
    let recorder = Recorder::shared();
    let _route = rig.register(route("/hooks/a", recorder.clone()));
    let bodies: Vec<Vec<u8>> = (0..50).map(|index| format!("body {index}").into_bytes()).collect();
    let mut all = Vec::new();
    for body in &bodies {
        all.extend(post("/hooks/a", &[], body));
    }
    let mut client = rig.client().await;
    client.send(&all).await;
    for count in 1..=50 {
        assert_eq!(client.answer().await.text(), count.to_string());
    }
    assert_eq!(recorder.bodies(), bodies);
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() {
    let rig = Rig::new();
    let recorder = Recorder::shared();
    let _route = rig.register(route("/hooks/a", recorder.clone()));
    let mut client = rig.client().await;
    client.stream.set_nodelay(true).unwrap();
    for byte in post("/hooks/a", &[("X-Kind", "slow")], b"a body") {
        client.send([byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(recorder.bodies(), [b"a body"]);
}

#[tokio::test]
async fn trailers_are_passed_over() {
    let rig = Rig::new();
    let recorder = Recorder::shared();
    let _route = rig.register(route("/hooks/a", recorder.clone()));
    let mut bytes =
        post("/hooks/a", &[("Transfer-Encoding", "chunked"), ("Trailer", "X-Sum")], b"");
    bytes.extend_from_slice(b"4;note=1\r\nsome\r\n0\r\nX-Sum: 1\r\n\r\n");
    let mut client = rig.client().await;
    client.send(bytes).await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(recorder.bodies(), [b"some"]);
    client.send(post("/hooks/a", &[], b"next")).await;
    assert_eq!(client.answer().await.status, 200);
}

#[tokio::test]
async fn a_client_that_closes_its_half_counts_as_gone_but_is_handled() {
    let rig = Rig::new();
    let door = Door::shut();
    let _route = rig.register(route("/hooks/a", door.clone()));
    let mut client = rig.client().await;
    client.send(post("/hooks/a", &[], b"and goodbye")).await;
    client.stream.shutdown().await.unwrap();
    client.assert_ended().await;
    door.let_on.add_permits(1);
    door.has_finished(1).await;
    until("the count", || rig.status("/hooks/a").running == 0).await;
    assert_eq!(rig.status("/hooks/a").counts.failed, 0);
}

#[tokio::test]
async fn bodies_that_break_off_are_not_delivered() {
    let rig = Rig::new();
    let recorder = Recorder::shared();
    let _route = rig.register(route("/hooks/a", recorder.clone()));
    let chunked = post("/hooks/a", &[("Transfer-Encoding", "chunked")], b"");
    let tails: [&[u8]; 6] = [
        b"4\r\nso",
        b"4\r\nsome\r\n",
        b"zz\r\nsome\r\n0\r\n\r\n",
        b"4\r\nsomething\r\n0\r\n\r\n",
        b"fffffffffffffffffff\r\n",
        b"-1\r\n\r\n",
    ];
    for tail in tails {
        let mut client = rig.client().await;
        client.send([chunked.as_slice(), tail].concat()).await;
        client.stream.shutdown().await.unwrap();
        if let Some(answer) = client.try_answer().await {
            assert_eq!(answer.status, 400, "{}", String::from_utf8_lossy(tail));
        }
    }
    let mut short = rig.client().await;
    short.send("POST /hooks/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf").await;
    drop(short);
    until("the places", || rig.status("/hooks/a").running == 0).await;
    assert!(recorder.seen().is_empty());
    rig.assert_serving("/hooks/a").await;
}

#[tokio::test]
async fn two_readings_of_one_request_are_not_possible() {
    let rig = Rig::new();
    let recorder = Recorder::shared();
    let _route = rig.register(route("/hooks/a", recorder.clone()));
    for headers in [
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 4, 5\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Host: localhost\r\n",
        " Folded: x\r\n",
        "No colon\r\n",
        "X-Nul: \0\r\n",
    ] {
        let text = format!("POST /hooks/a HTTP/1.1\r\nHost: localhost\r\n{headers}\r\nbody");
        let mut client = rig.client().await;
        client.send(text).await;
        client.stream.shutdown().await.unwrap();
        let answer = client.try_answer().await;
        let refused = answer.as_ref().is_none_or(|answer| matches!(answer.status, 400 | 421));
        assert!(refused, "{headers}: {answer:?}");
    }
    assert!(recorder.seen().is_empty(), "{:?}", recorder.bodies());
    // With both, the chunks are the body, and nothing is left over for a second request.
    let both = "POST /hooks/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\
                Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n0\r\n\r\n";
    let mut client = rig.client().await;
    client.send(both).await;
    client.stream.shutdown().await.unwrap();
    _ = client.try_answer().await;
    until("the end", || rig.listener.status().connections == 0).await;
    assert!(recorder.bodies().iter().all(|body| body == b"some"));
}

#[tokio::test]
async fn other_protocols_are_turned_away() {
    let rig = Rig::new();
    let _route = rig.register(route("/hooks/a", Recorder::shared()));
    let hello: &[&[u8]] = &[
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"GET /\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"\0",
    ];
    for bytes in hello {
        let mut client = rig.client().await;
        client.send(bytes).await;
        client.stream.shutdown().await.unwrap();
        if let Some(answer) = client.try_answer().await {
            assert!((400..500).contains(&answer.status), "{bytes:?}: {answer:?}");
        }
    }
    let upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket")];
    assert_eq!(rig.ask(post("/hooks/a", &upgrade, b"")).await.status, 200, "it stays HTTP/1.1");
    rig.assert_serving("/hooks/a").await;
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let rig = Rig::new();
    let _route = rig.register(route("/hooks/a", Recorder::shared()));
    let mut client = rig.client().await;
    client.send("POST /hooks/a HTTP/1.0\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
    client.assert_ended().await;
}

#[tokio::test]
async fn who_asks_first_is_told_to_go_on() {
    let rig = Rig::new();
    let recorder = Recorder::shared();
    let _route = rig.register(route("/hooks/a", recorder.clone()));
    let mut client = rig.client().await;
    let head = "POST /hooks/a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n";
    client.send(format!("{head}Content-Length: 4\r\n\r\n")).await;
    assert_eq!(client.answer().await.status, 100);
    client.send("some").await;
    assert_eq!(client.answer().await.status, 200);
    client.send(format!("{head}Content-Length: 4000000\r\n\r\n")).await;
    client.answer().await.assert_error(413, "TOO_LARGE");
}

/// Bytes that begin well more often than chance would have it.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let any_bytes = proptest::collection::vec(any::<u8>(), 0..600);
    let words = proptest::sample::select(vec![
        "POST ",
        "GET ",
        "/hooks/a",
        " HTTP/1.1",
        "\r\n",
        "Host: localhost",
        "Content-Length: ",
        "Transfer-Encoding: chunked",
        "0",
        "5",
        "ffff",
        ": ",
        "\r\n\r\n",
        "x",
        "Expect: 100-continue",
        "Connection: close",
        "\n",
        "\0",
        "é",
        "%",
        "?",
    ]);
    let near_http =
        proptest::collection::vec(words, 0..40).prop_map(|words| words.concat().into_bytes());
    let valid = post("/hooks/a", &[("Content-Type", "text/plain")], b"some body");
    let damaged = (0..valid.len(), any::<u8>(), 0..valid.len()).prop_map(move |(at, byte, end)| {
        let mut bytes = valid.clone();
        bytes[at] = byte;
        bytes.truncate(bytes.len() - end / 4);
        bytes
    });
    prop_oneof![any_bytes, near_http, damaged]
}

#[test]
fn no_bytes_stop_the_listener() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (rig, _route) = runtime.block_on(async {
        let rig = Rig::new();
        let mut own = route("/hooks/a", Recorder::shared());
        own.limits.body_within = Duration::from_secs(1);
        let registration = rig.register(own);
        (rig, registration)
    });
    let mut runner = TestRunner::new(Config { cases: 300, ..Config::default() });
    let strategy = (noise(), any::<bool>());
    let outcome = runner.run(&strategy, |(bytes, polite)| {
        runtime.block_on(async {
            let mut client = rig.client().await;
            // It may hang up before it has everything.
            _ = client.stream.write_all(&bytes).await;
            if polite {
                _ = client.stream.shutdown().await;
                let mut rest = Vec::new();
                let read = client.stream.read_to_end(&mut rest);
                tokio::time::timeout(SOON, read).await.expect("it hangs").ok();
            }
            drop(client);
            rig.assert_serving("/hooks/a").await;
        });
        Ok(())
    });
    outcome.unwrap();
    runtime.block_on(async {
        until("the end of all", || rig.listener.status().connections == 0).await;
        assert_eq!(rig.status("/hooks/a").running, 0);
        assert_eq!(rig.status("/hooks/a").counts.failed, 0);
        let mut last = Client::connect(rig.address()).await;
        last.send(post("/hooks/a", &[], b"")).await;
        assert_eq!(last.answer().await.status, 200);
    });
}
