//! The listener alone: `cargo bench -p devrig-net --bench listener -- [SECONDS]`.
//!
//! The clients run in a process of their own, so that the processor time is the listener's. The
//! kernel's part holds the way through loopback up to waking the client.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::num::NonZeroU32;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use devrig_core::{Sensitive, SystemClock};
use devrig_net::listener::{
    Auth, Delivery, Handler, Listener, ListenerOptions, Reply, Route, RouteLimits, Scheme,
    SecretSource,
};
use devrig_net::{Method, StatusCode};

const BODY: &[u8] = b"Hello, World!";
const SECRET: &[u8] = b"It's a Secret to Everybody";
const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

struct AtOnce;

#[async_trait]
impl Handler for AtOnce {
    async fn handle(&self, delivery: Delivery) -> Reply {
        assert_eq!(delivery.body.len(), BODY.len());
        Reply::new(StatusCode::ACCEPTED)
    }
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    match args.next() {
        Some(word) if word == "clients" => {
            let numbers: Vec<u64> = args.filter_map(|arg| arg.parse().ok()).collect();
            let [port, connections, seconds] = numbers[..] else {
                panic!("clients take a port, connections and seconds")
            };
            clients(port as u16, connections as usize, Duration::from_secs(seconds));
        }
        seconds => measure(seconds.and_then(|text| text.parse().ok()).unwrap_or(5)),
    }
}

fn measure(seconds: u64) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let listener = Listener::new(ListenerOptions::default(), SystemClock::shared());
    let guard = runtime.enter();
    let secret = || Ok(Sensitive::new(SECRET.to_vec()));
    let _route = listener.register(route(secret)).expect("a route");
    drop(guard);
    let port = listener.address().expect("the port is open").port();
    println!("connections  requests/s    p50 us     p99 us    cpu us  of it user");
    for connections in [1, 10, 50] {
        let before = CpuTime::now();
        let (count, latencies) = started(port, connections, seconds);
        let cpu = CpuTime::now().since(before).each(count);
        let rate = count as f64 / seconds as f64;
        let (all, user) = (cpu.user + cpu.system, cpu.user);
        println!("{connections:>11} {rate:>11.0} {latencies} {all:>9.1} {user:>11.1}");
    }
    runtime.block_on(listener.shutdown(Duration::from_secs(1)));
}

fn route(secret: impl SecretSource + 'static) -> Route {
    Route {
        path: "/hooks/bench".to_owned(),
        owner: "the bench".to_owned(),
        methods: vec![Method::POST],
        auth: Auth::signed(Scheme::GitHub, secret),
        limits: RouteLimits { per_minute: NonZeroU32::MAX, ..RouteLimits::default() },
        handler: Arc::new(AtOnce),
    }
}

/// Runs the clients elsewhere, and gives their count of requests and their latencies.
fn started(port: u16, connections: usize, seconds: u64) -> (u64, String) {
    let me = std::env::current_exe().expect("this program");
    let output = Command::new(me)
        .args(["clients", &port.to_string(), &connections.to_string(), &seconds.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .expect("the clients run");
    assert!(output.status.success(), "the clients failed");
    let text = String::from_utf8(output.stdout).expect("text");
    let (count, latencies) = text.trim_end().split_once(' ').expect("two figures");
    (count.parse().expect("a count"), latencies.to_owned())
}

/// A thread for each connection, which sends one request after the other.
fn clients(port: u16, connections: usize, duration: Duration) {
    let request = format!(
        "POST /hooks/bench HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: bench\r\n\
         Accept: */*\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\n\
         X-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-4c9367dc0958\r\n\
         X-Hub-Signature-256: {SIGNATURE}\r\nContent-Length: {}\r\n\r\n{}",
        BODY.len(),
        String::from_utf8_lossy(BODY)
    );
    let end = Instant::now() + duration;
    let threads: Vec<_> = (0..connections)
        .map(|_| {
            let request = request.clone();
            std::thread::Builder::new()
                .stack_size(128 * 1024)
                .spawn(move || client(port, request.as_bytes(), end))
                .expect("a thread")
        })
        .collect();
    let mut latencies: Vec<u32> =
        threads.into_iter().flat_map(|thread| thread.join().expect("a client")).collect();
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    println!("{} {:>10} {:>10}", latencies.len(), at(0.5), at(0.99));
}

fn client(port: u16, request: &[u8], end: Instant) -> Vec<u32> {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the listener");
    stream.set_nodelay(true).expect("no delay");
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut writer = stream;
    let (mut latencies, mut line) = (Vec::new(), String::new());
    while Instant::now() < end {
        let start = Instant::now();
        writer.write_all(request).expect("it takes the request");
        let mut length = 0;
        loop {
            line.clear();
            reader.read_line(&mut line).expect("a line");
            if latencies.is_empty() && line.starts_with("HTTP/") {
                assert!(line.starts_with("HTTP/1.1 202 "), "{line}");
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().expect("a length");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        reader.read_exact(&mut vec![0; length]).expect("a body");
        latencies.push(u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    latencies
}

/// Processor time of this process, in microseconds; zero where the system does not tell.
#[derive(Clone, Copy)]
struct CpuTime {
    user: f64,
    system: f64,
}

impl CpuTime {
    fn now() -> Self {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        // In hundredths of a second.
        let ticks = |index| fields.split_ascii_whitespace().nth(index)?.parse::<f64>().ok();
        let micros = |index| ticks(index).unwrap_or_default() * 10_000.0;
        Self { user: micros(11), system: micros(12) }
    }

    fn since(self, before: Self) -> Self {
        Self { user: self.user - before.user, system: self.system - before.system }
    }

    fn each(self, count: u64) -> Self {
        Self { user: self.user / count as f64, system: self.system / count as f64 }
    }
}
