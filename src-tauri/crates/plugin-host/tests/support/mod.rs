//! Drives the real worker over a socket pair, as the core does.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::result_large_err, reason = "a test's failure is the protocol's own")]

pub mod runner;

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use devrig_core::frame;
use devrig_core::protocol::{
    ActionInput, Declared, Failure, FromWorker, Handler, HostMethod, Limits, LogLevel, Outcome,
    SandboxReport, Start, ToWorker, VERSION, WORKER_FD,
};
use serde_json::{Value, json};

/// Long enough for a busy machine, short enough to fail while somebody watches.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Rig {
    pub child: Child,
    pub socket: UnixStream,
    pub sandbox: SandboxReport,
    pub logs: Vec<(LogLevel, String)>,
    last_call: u64,
}

impl Drop for Rig {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

pub fn limits(heap_mib: u64, cpu_ms: u64, wall_ms: u64) -> Limits {
    Limits { heap_bytes: heap_mib << 20, cpu_ms, wall_ms }
}

/// One module that is the plugin; it may register the action `t` and the source `s`.
pub fn plugin(source: &str) -> Start {
    package("index.js", &[("index.js", source)])
}

pub fn package(main: &str, modules: &[(&str, &str)]) -> Start {
    Start {
        protocol: VERSION,
        plugin_id: "test.plugin".into(),
        plugin_version: "1.2.3".into(),
        account_id: "acc1".into(),
        main: main.into(),
        modules: modules.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect(),
        settings: json!({"folders": ["/a"], "deep": {"x": 1}}),
        limits: Limits::default(),
        declared: Declared {
            data_sources: vec!["s".into()],
            actions: vec!["t".into()],
            connection: true,
            ..Declared::default()
        },
    }
}

/// A plugin whose action `t` runs `body` with `input`, `context` and `sdk` at hand.
pub fn action(body: &str) -> Start {
    plugin(&format!(
        "devrig.activate((sdk) => {{ sdk.actions.register('t', async (input, context) => {{ {body} }}) }})"
    ))
}

impl Rig {
    pub fn spawn() -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(PATIENCE)).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_plugin-host"))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .fd_mappings(vec![FdMapping { parent_fd: OwnedFd::from(theirs), child_fd: WORKER_FD }])
            .unwrap()
            .spawn()
            .unwrap();
        let mut rig = Self {
            child,
            socket: ours,
            sandbox: SandboxReport::default(),
            logs: Vec::new(),
            last_call: 0,
        };
        let FromWorker::Ready { protocol: VERSION, sandbox } = rig.receive() else {
            panic!("the first message is `ready`")
        };
        rig.sandbox = sandbox;
        rig
    }

    pub fn start(start: Start) -> Self {
        let mut rig = Self::spawn();
        rig.send(&ToWorker::Start(start));
        rig
    }

    /// Started and active.
    pub fn active(start: Start) -> Self {
        let mut rig = Self::start(start);
        match rig.next() {
            FromWorker::Active { .. } => rig,
            other => panic!("not active: {other:?}; logs {:?}", rig.logs),
        }
    }

    pub fn send(&mut self, message: &ToWorker) {
        frame::write(&mut self.socket, message).unwrap();
    }

    /// The next message of any kind.
    pub fn receive(&mut self) -> FromWorker {
        self.try_receive().expect("the worker ended instead of answering")
    }

    pub fn try_receive(&mut self) -> Option<FromWorker> {
        let payload = frame::read(&mut self.socket).ok()??;
        Some(serde_json::from_slice(&payload).expect("the worker speaks the protocol"))
    }

    /// The next message that is no log line; those are kept.
    pub fn next(&mut self) -> FromWorker {
        loop {
            match self.receive() {
                FromWorker::Log { level, message, .. } => self.logs.push((level, message)),
                other => return other,
            }
        }
    }

    pub fn begin(&mut self, handler: Handler, input: Value) -> u64 {
        self.last_call += 1;
        let id = self.last_call;
        self.send(&ToWorker::Call { id, handler, input });
        id
    }

    pub fn begin_action(&mut self, input: Value) -> u64 {
        let input = ActionInput { input, item: None, idempotency_key: "key".into() };
        let handler = Handler::Action { action: "t".into() };
        self.begin(handler, serde_json::to_value(input).unwrap())
    }

    pub fn begin_sync(&mut self, cursor: Option<&str>) -> u64 {
        self.begin(
            Handler::Sync { source: "s".into() },
            json!({"cursor": cursor, "backfill": true}),
        )
    }

    /// Waits for the answer of a call; host calls are not expected on the way.
    pub fn finish(&mut self, call: u64) -> Result<Value, Failure> {
        match self.next() {
            FromWorker::Done { id, outcome } => {
                assert_eq!(id, call);
                match outcome {
                    Outcome::Ok(value) => Ok(value),
                    Outcome::Err(failure) => Err(failure),
                }
            }
            other => panic!("not the answer of call {call}: {other:?}"),
        }
    }

    pub fn run(&mut self, input: Value) -> Result<Value, Failure> {
        let call = self.begin_action(input);
        self.finish(call)
    }

    /// The next host call.
    pub fn host(&mut self) -> (u64, u64, HostMethod, Value) {
        match self.next() {
            FromWorker::Host { id, call, method, params } => (id, call, method, params),
            other => panic!("not a host call: {other:?}; logs {:?}", self.logs),
        }
    }

    pub fn reply(&mut self, id: u64, value: Value) {
        self.send(&ToWorker::Reply { id, outcome: Outcome::Ok(value) });
    }

    pub fn refuse(&mut self, id: u64, code: &str, message: &str) {
        let failure = Failure { code: code.into(), message: message.into(), ..Failure::default() };
        self.send(&ToWorker::Reply { id, outcome: Outcome::Err(failure) });
    }

    /// The failure with which activation ended.
    pub fn activation_failure(&mut self) -> Failure {
        self.finish(0).expect_err("activation fails")
    }

    pub fn wait_exit(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the worker does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn exit_code(&mut self) -> i32 {
        let status = self.wait_exit();
        status.code().unwrap_or_else(|| panic!("ended by a signal: {status:?}"))
    }

    /// Drains until the worker closes, keeping log lines.
    pub fn drain(&mut self) -> Vec<FromWorker> {
        let mut rest = Vec::new();
        while let Some(message) = self.try_receive() {
            match message {
                FromWorker::Log { level, message, .. } => self.logs.push((level, message)),
                other => rest.push(other),
            }
        }
        rest
    }

    /// Peak resident memory in bytes.
    pub fn peak_memory(&self) -> u64 {
        self.memory("VmHWM")
    }

    /// Resident memory in bytes.
    pub fn resident_memory(&self) -> u64 {
        self.memory("VmRSS")
    }

    fn memory(&self, figure: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(figure)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}
