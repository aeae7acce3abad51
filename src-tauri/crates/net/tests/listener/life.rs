//! The port opens and closes, handlers outlive their clients, and the end is bounded.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use devrig_core::Code;
use devrig_net::StatusCode;
use devrig_net::listener::{Delivery, Handler, ListenerOptions, Reply, RouteLimits};
use tokio::net::TcpStream;

use crate::rig::{Client, Door, Recorder, Rig, SOON, post, route, until};

fn free_port() -> u16 {
    StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn refuses(address: std::net::SocketAddr) {
    let start = Instant::now();
    while TcpStream::connect(address).await.is_ok() {
        assert!(start.elapsed() < SOON, "{address} is still open");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn the_port_is_open_while_there_is_a_route() {
    let rig = Rig::new();
    assert_eq!(rig.listener.address(), None);
    let first = rig.register(route("/hooks/a", Recorder::shared()));
    let second = rig.register(route("/hooks/b", Recorder::shared()));
    let address = rig.address();
    assert!(address.ip().is_loopback());
    drop(first);
    rig.assert_serving("/hooks/b").await;
    rig.ask(post("/hooks/a", &[], b"")).await.assert_error(404, "NOT_FOUND");
    let mut idle = rig.client().await;
    drop(second);
    refuses(address).await;
    idle.assert_ended().await;
    until("the close", || rig.listener.address().is_none()).await;
    let _third = rig.register(route("/hooks/c", Recorder::shared()));
    rig.assert_serving("/hooks/c").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_that_comes_as_the_last_one_goes_finds_the_port() {
    let rig = Rig::with(ListenerOptions { port: free_port(), ..ListenerOptions::default() });
    for round in 0..200 {
        let registration = rig.register(route("/hooks/a", Recorder::shared()));
        if round % 20 == 0 {
            rig.assert_serving("/hooks/a").await;
        }
        if round % 3 == 0 {
            tokio::task::yield_now().await;
        }
        drop(registration);
    }
    let _last = rig.register(route("/hooks/a", Recorder::shared()));
    rig.assert_serving("/hooks/a").await;
}

#[tokio::test]
async fn a_busy_port_is_told_with_its_number_and_the_remedy() {
    let other = StdListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let rig = Rig::with(ListenerOptions { port, ..ListenerOptions::default() });
    let error = rig.listener.register(route("/hooks/a", Recorder::shared())).unwrap_err();
    assert_eq!(error.code, Code::Conflict);
    assert!(error.message.contains(&port.to_string()), "{error}");
    assert!(error.hint.unwrap().contains("another port"));
    assert!(rig.listener.status().routes.is_empty(), "the route was not added");
    drop(other);
    let _now = rig.register(route("/hooks/a", Recorder::shared()));
    rig.assert_serving("/hooks/a").await;
}

#[tokio::test]
async fn a_taken_path_names_whose_it_is() {
    let rig = Rig::new();
    let _first = rig.register(route("/hooks/a", Recorder::shared()));
    for same in ["/hooks/a", "/hooks/a/", "/hooks/%61"] {
        let error = rig.listener.register(route(same, Recorder::shared())).unwrap_err();
        assert_eq!(error.code, Code::Conflict, "{same}");
        assert!(error.message.contains("the flow \"Deploy\""), "{error}");
    }
    let _other = rig.register(route("/hooks/A", Recorder::shared()));
}

#[tokio::test]
async fn every_spelling_of_a_path_reaches_its_route() {
    let rig = Rig::new();
    let recorder = Recorder::shared();
    let _route = rig.register(route("/hooks/~a", recorder.clone()));
    for path in ["/hooks/~a", "/hooks/~a/", "/hooks/%7ea?x=1", "/%68ooks/%7Ea/"] {
        assert_eq!(rig.ask(post(path, &[], b"")).await.status, 200, "{path}");
    }
    assert!(recorder.seen().iter().all(|delivery| &*delivery.path == "/hooks/~a"));
    assert_eq!(recorder.seen()[2].query.as_deref(), Some("x=1"));
}

#[tokio::test]
async fn the_port_can_be_changed_while_it_is_open() {
    let rig = Rig::new();
    let _route = rig.register(route("/hooks/a", Recorder::shared()));
    let (old, next) = (rig.address(), free_port());
    rig.listener.set_port(next).await.unwrap();
    assert_eq!(rig.address().port(), next);
    assert!(TcpStream::connect(old).await.is_err(), "the old port is free once it returns");
    rig.assert_serving("/hooks/a").await;

    let other = StdListener::bind("127.0.0.1:0").unwrap();
    let busy = other.local_addr().unwrap().port();
    assert_eq!(rig.listener.set_port(busy).await.unwrap_err().code, Code::Conflict);
    assert_eq!(rig.address().port(), next);
    rig.assert_serving("/hooks/a").await;
    rig.listener.set_port(next).await.unwrap();
    rig.assert_serving("/hooks/a").await;
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_stop_the_work() {
    let rig = Rig::new();
    let door = Door::shut();
    let _route = rig.register(route("/hooks/a", door.clone()));
    let mut client = rig.client().await;
    client.send(post("/hooks/a", &[], b"work")).await;
    door.has_started(1).await;
    drop(client);
    until("the end of the connection", || rig.listener.status().connections == 0).await;
    assert_eq!(rig.status("/hooks/a").running, 1);
    door.let_on.add_permits(1);
    door.has_finished(1).await;
    assert_eq!(door.unheard.load(Ordering::SeqCst), 1, "the handler saw that nobody waits");
    until("the count", || rig.status("/hooks/a").running == 0).await;
    let counts = rig.status("/hooks/a").counts;
    assert_eq!((counts.accepted, counts.failed), (1, 0));
}

#[tokio::test]
async fn a_client_is_told_in_time_that_there_is_no_answer_yet() {
    let rig = Rig::new();
    let door = Door::shut();
    let mut slow = route("/hooks/a", door.clone());
    slow.limits.answer_within = Duration::from_millis(50);
    let _route = rig.register(slow);
    rig.ask(post("/hooks/a", &[], b"work")).await.assert_error(504, "TIMEOUT");
    door.let_on.add_permits(1);
    door.has_finished(1).await;
    assert_eq!(door.unheard.load(Ordering::SeqCst), 1);
}

struct Panics;

#[async_trait]
impl Handler for Panics {
    async fn handle(&self, delivery: Delivery) -> Reply {
        assert!(delivery.body.is_empty(), "a body makes it panic");
        Reply::new(StatusCode::OK)
    }
}

#[tokio::test]
async fn a_panic_costs_its_own_request_only() {
    let rig = Rig::new();
    let _route = rig.register(route("/hooks/a", Arc::new(Panics)));
    let mut client = rig.client().await;
    client.send(post("/hooks/a", &[], b"boo")).await;
    let json = client.answer().await.assert_error(500, "INTERNAL");
    assert!(!json.to_string().contains("makes it panic"));
    client.send(post("/hooks/a", &[], b"")).await;
    assert_eq!(client.answer().await.status, 200, "over the same connection");
    let status = rig.status("/hooks/a");
    assert_eq!((status.counts.accepted, status.counts.failed, status.running), (2, 1, 0));
}

#[tokio::test]
async fn a_shutdown_lets_requests_finish() {
    let rig = Rig::new();
    let door = Door::shut();
    let _route = rig.register(route("/hooks/a", door.clone()));
    let (mut busy, mut idle) = (rig.client().await, rig.client().await);
    busy.send(post("/hooks/a", &[], b"work")).await;
    door.has_started(1).await;
    let address = rig.address();
    let ((), answer) = tokio::join!(rig.listener.shutdown(SOON), async {
        refuses(address).await;
        idle.assert_ended().await;
        door.let_on.add_permits(1);
        let answer = busy.answer().await;
        busy.assert_ended().await;
        answer
    });
    assert_eq!((answer.status, answer.text().as_str()), (200, "done"));
    assert_eq!(answer.header("connection"), Some("close"));
    let error = rig.listener.register(route("/hooks/b", Recorder::shared())).unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
}

#[tokio::test]
async fn a_shutdown_ends_what_does_not_finish() {
    let rig = Rig::new();
    let door = Door::shut();
    let _route = rig.register(route("/hooks/a", door.clone()));
    let mut client = rig.client().await;
    client.send(post("/hooks/a", &[], b"work")).await;
    door.has_started(1).await;
    let mut reading = rig.client().await;
    reading
        .send("POST /hooks/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
        .await;
    until("the half body", || rig.status("/hooks/a").running == 2).await;
    let start = Instant::now();
    rig.listener.shutdown(Duration::from_millis(100)).await;
    assert!(start.elapsed() < Duration::from_millis(1000), "{:?}", start.elapsed());
    assert_eq!(door.cut_off.load(Ordering::SeqCst), 1);
    assert_eq!(rig.status("/hooks/a").counts.failed, 1);
    client.assert_ended().await;
    reading.assert_ended().await;
}

#[tokio::test]
async fn dropping_the_listener_ends_it() {
    let rig = Rig::new();
    let door = Door::shut();
    let registration = rig.register(route("/hooks/a", door.clone()));
    let address = rig.address();
    let mut client = rig.client().await;
    client.send(post("/hooks/a", &[], b"work")).await;
    door.has_started(1).await;
    drop(rig);
    refuses(address).await;
    client.assert_ended().await;
    until("the cut", || door.cut_off.load(Ordering::SeqCst) == 1).await;
    drop(registration);
}

#[tokio::test]
async fn the_status_tells_what_came() {
    let rig = Rig::new();
    let recorder = Recorder::shared();
    let mut own = route("/hooks/a", recorder.clone());
    own.limits = RouteLimits { body: 4, ..own.limits };
    let registration = rig.register(own);
    assert_eq!(registration.status().counts.last_delivery, None);
    let mut client = Client::connect(rig.address()).await;
    client.send(post("/hooks/a", &[], b"fits")).await;
    client.answer().await;
    rig.ask(post("/hooks/a", &[], b"fits not")).await;
    rig.ask(post("/elsewhere", &[], b"")).await;
    until("the end of the others", || rig.listener.status().connections == 1).await;
    let status = rig.listener.status();
    assert_eq!(status.strays.refused.len(), 1);
    assert_eq!(status.routes.len(), 1);
    let counts = &status.routes[0].counts;
    assert_eq!(counts.accepted, 1);
    assert_eq!(counts.last_delivery, Some(recorder.seen()[0].received_at));
    let named: Vec<_> =
        counts.refused.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    assert_eq!(named, [("body", 1)]);
}
