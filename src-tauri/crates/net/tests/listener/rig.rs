//! What the files of these tests share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use devrig_core::{ManualClock, Timestamp};
use devrig_net::listener::{
    Auth, Delivery, Handler, Listener, ListenerOptions, Registration, Reply, Route, RouteLimits,
    RouteStatus,
};
use devrig_net::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Longer than anything takes, unless it hangs.
pub const SOON: Duration = Duration::from_secs(10);
/// What the clock says.
pub const NOW: i64 = 1_800_000_000;

pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < SOON, "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub struct Rig {
    pub listener: Listener,
}

impl Rig {
    pub fn new() -> Self {
        Self::with(ListenerOptions::default())
    }

    pub fn with(options: ListenerOptions) -> Self {
        let clock = ManualClock::at(Timestamp::from_ms(NOW * 1000));
        Self { listener: Listener::new(options, clock) }
    }

    pub fn register(&self, route: Route) -> Registration {
        self.listener.register(route).unwrap()
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.address().expect("the port is open")
    }

    pub async fn client(&self) -> Client {
        Client::connect(self.address()).await
    }

    /// Sends one request over a connection of its own.
    pub async fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut client = self.client().await;
        client.send(request).await;
        client.answer().await
    }

    /// That an ordinary request is served, whatever went before.
    pub async fn assert_serving(&self, path: &str) {
        let answer = self.ask(post(path, &[], b"still there?")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    pub fn status(&self, path: &str) -> RouteStatus {
        let routes = self.listener.status().routes;
        routes.into_iter().find(|route| route.path == path).expect("the route is there")
    }
}

/// A route that takes POST from anybody.
pub fn route(path: &str, handler: Arc<impl Handler + 'static>) -> Route {
    Route {
        path: path.to_owned(),
        owner: "the flow \"Deploy\"".to_owned(),
        methods: vec![Method::POST],
        auth: Auth::None,
        limits: RouteLimits::default(),
        handler,
    }
}

/// Keeps what it gets, and answers with its count.
#[derive(Default)]
pub struct Recorder {
    seen: Mutex<Vec<Delivery>>,
}

impl Recorder {
    pub fn shared() -> Arc<Self> {
        Arc::default()
    }

    pub fn seen(&self) -> Vec<Delivery> {
        self.seen.lock().unwrap().clone()
    }

    pub fn bodies(&self) -> Vec<Vec<u8>> {
        self.seen().iter().map(|delivery| delivery.body.to_vec()).collect()
    }
}

#[async_trait]
impl Handler for Recorder {
    async fn handle(&self, delivery: Delivery) -> Reply {
        let mut seen = self.seen.lock().unwrap();
        seen.push(delivery);
        Reply::new(StatusCode::OK).body(seen.len().to_string())
    }
}

/// Waits in the middle of its work until it is let go on.
pub struct Door {
    pub started: AtomicUsize,
    pub finished: AtomicUsize,
    /// Dropped before they had finished.
    pub cut_off: AtomicUsize,
    pub unheard: AtomicUsize,
    pub let_on: Semaphore,
}

impl Door {
    pub fn shut() -> Arc<Self> {
        Arc::new(Self {
            started: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
            cut_off: AtomicUsize::new(0),
            unheard: AtomicUsize::new(0),
            let_on: Semaphore::new(0),
        })
    }

    pub async fn has_started(&self, count: usize) {
        until("the start", || self.started.load(Ordering::SeqCst) >= count).await;
    }

    pub async fn has_finished(&self, count: usize) {
        until("the end", || self.finished.load(Ordering::SeqCst) >= count).await;
    }
}

#[async_trait]
impl Handler for Door {
    async fn handle(&self, delivery: Delivery) -> Reply {
        struct Work<'a>(&'a Door, bool);
        impl Drop for Work<'_> {
            fn drop(&mut self) {
                let count = if self.1 { &self.0.finished } else { &self.0.cut_off };
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
        let mut work = Work(self, false);
        self.started.fetch_add(1, Ordering::SeqCst);
        self.let_on.acquire().await.unwrap().forget();
        if delivery.unheard.is_cancelled() {
            self.unheard.fetch_add(1, Ordering::SeqCst);
        }
        work.1 = true;
        Reply::new(StatusCode::OK).body("done")
    }
}

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        bytes.extend_from_slice(b"Host: localhost\r\n");
    }
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if !body.is_empty() {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

pub fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    request("POST", path, headers, body)
}

/// A TCP connection.
pub struct Client {
    pub stream: TcpStream,
    read: Vec<u8>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), read: Vec::new() }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The next answer.
    pub async fn answer(&mut self) -> Answer {
        self.try_answer().await.expect("an answer before the end")
    }

    /// The next answer; `None` when the connection ends before one.
    pub async fn try_answer(&mut self) -> Option<Answer> {
        tokio::time::timeout(SOON, self.parse()).await.expect("neither an answer nor an end")
    }

    /// That nothing more comes, and the connection ends.
    pub async fn assert_ended(&mut self) {
        assert!(self.try_answer().await.is_none(), "an answer that nobody asked for");
    }

    async fn parse(&mut self) -> Option<Answer> {
        let head_end = loop {
            if let Some(at) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.read[..head_end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
        while self.read.len() < head_end + length {
            self.more().await?;
        }
        let body = self.read[head_end..head_end + length].to_vec();
        self.read.drain(..head_end + length);
        Some(Answer { status, headers, body })
    }

    async fn more(&mut self) -> Option<()> {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk).await {
            Ok(count @ 1..) => {
                self.read.extend_from_slice(&chunk[..count]);
                Some(())
            }
            // Closed or reset.
            _ => None,
        }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// That it is a refusal as all refusals are, with this status and code.
    pub fn assert_error(&self, status: u16, code: &str) -> serde_json::Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/json"));
        let json: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(json["error"]["code"], code);
        assert!(json["error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
        json
    }
}
