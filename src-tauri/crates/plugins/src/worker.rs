//! The core's end of one plugin worker: starts it, speaks the worker protocol with it, bounds what
//! it uses, and ends it. Everything that comes from the worker is untrusted input.

mod link;
mod reader;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use devrig_core::error::Context;
use devrig_core::id::AccountId;
use devrig_core::protocol::{
    Declared, Failure, Handler, HostMethod, Limits, LogLevel, SandboxReport, Start, ToWorker,
    VERSION,
};
use devrig_core::{Code, Error, Result, frame};
use devrig_process::Child;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::text::{clip, shown};

/// Until the sandbox is closed and the engine stands.
const READY: Duration = Duration::from_secs(10);
/// For the deactivate callback, and for a cancelled call to end by itself.
const GRACE: Duration = Duration::from_secs(2);
/// For a worker that said that it ends.
const EXIT: Duration = Duration::from_millis(500);
/// A plugin may ask for so long a pause: a day.
const LONGEST_WAIT_MS: f64 = 24.0 * 60.0 * 60.0 * 1_000.0;
/// Messages towards the worker that may wait.
const OUTGOING: usize = 8;

/// What a worker is started with.
pub(crate) struct Launch {
    pub host_program: PathBuf,
    pub plugin: String,
    pub version: String,
    pub account: AccountId,
    pub main: String,
    pub modules: BTreeMap<String, String>,
    pub settings: Value,
    pub declared: Declared,
    pub limits: Limits,
    /// Ships with DevRig, so that it may run where the system's sandbox is not complete.
    pub bundled: bool,
}

/// What a worker asks its core for.
pub(crate) struct HostCall {
    pub method: HostMethod,
    pub params: Box<RawValue>,
    /// The running handler that it belongs to; none for what a timer or an event began.
    pub call: Option<Arc<Call>>,
}

/// Answers the worker's calls. Each is checked there; here nothing is.
#[async_trait::async_trait]
pub(crate) trait Host: Send + Sync {
    async fn call(&self, call: HostCall) -> Result<Value>;
    fn log(&self, level: LogLevel, message: &str, meta: Option<&RawValue>);
}

/// Why a handler runs; what the broker allows depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    Activation,
    Sync {
        source: String,
        /// The first one, which brings the history.
        backfill: bool,
    },
    Action {
        by_person: bool,
        /// Automatic steps since a person or a source acted.
        depth: u8,
    },
    Connection,
    /// Only answers, and soon.
    Condition,
    Poll,
    /// Only answers, and soon, whether an action of a flow may be done.
    Before,
    /// Hears how an action of a flow went.
    After {
        /// Automatic steps since a person or a source acted.
        depth: u8,
    },
}

impl Purpose {
    /// Whether nobody waits for its end when it takes long.
    fn is_brief(&self) -> bool {
        matches!(self, Self::Condition | Self::Before)
    }
}

/// What is missing for a call to succeed, that only the person can give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Need {
    Grant(String),
    Secret(String),
    Keychain,
}

/// A running handler, as the broker sees it.
#[derive(Debug)]
pub(crate) struct Call {
    pub purpose: Purpose,
    pub notes: Mutex<Notes>,
}

/// What the broker noticed while a handler ran.
#[derive(Debug, Default, Clone)]
pub(crate) struct Notes {
    pub need: Option<Need>,
    /// What a server asked us to wait.
    pub retry_after: Option<Duration>,
    /// Items stored, new or changed.
    pub items: u32,
    /// Requests that may have changed something outside: those that were answered with a refusal
    /// of the server do not count.
    pub sent: u32,
}

impl Call {
    pub fn note(&self, note: impl FnOnce(&mut Notes)) {
        note(&mut lock(&self.notes));
    }

    pub fn notes(&self) -> Notes {
        lock(&self.notes).clone()
    }
}

/// Why a worker ended.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// For the audit, such as `budget:cpu`; empty when it was stopped on purpose.
    pub rule: &'static str,
    pub error: Error,
}

impl Ended {
    fn broke(rule: &'static str, message: impl Into<String>) -> Self {
        Self { rule, error: Error::new(Code::PluginStopped, message) }
    }

    pub fn on_purpose(&self) -> bool {
        self.rule.is_empty()
    }
}

/// A live worker. Dropping the last handle kills the process.
pub(crate) struct Worker {
    pub sandbox: SandboxReport,
    inner: Arc<Inner>,
}

struct Inner {
    limits: Limits,
    child: Child,
    outgoing: mpsc::Sender<Vec<u8>>,
    calls: Mutex<HashMap<u64, Open>>,
    last_call: AtomicU64,
    used: Mutex<Instant>,
    ended: tokio::sync::watch::Sender<Option<Ended>>,
    /// Ends the tasks of this worker.
    over: CancellationToken,
    stopping: std::sync::atomic::AtomicBool,
}

/// A call that the worker has not answered.
struct Open {
    call: Arc<Call>,
    answer: Option<oneshot::Sender<Result<Box<RawValue>>>>,
    began: Instant,
    cpu: Duration,
}

/// The id under which activation is answered.
const ACTIVATION: u64 = 0;

impl Worker {
    /// Starts the process, and returns when the plugin is active.
    ///
    /// # Errors
    /// `SANDBOX_MISSING` for a plugin that does not ship with DevRig; what activation throws;
    /// `PLUGIN_STOPPED` when it ended on the way.
    pub async fn start(launch: Launch, host: Arc<dyn Host>) -> std::result::Result<Self, Ended> {
        let broke = |error: Error| Ended { rule: "start", error };
        let (child, socket) = spawn(&launch.host_program).map_err(broke)?;
        let (read, write) = tokio::io::split(socket);
        let (outgoing, queue) = mpsc::channel(OUTGOING);
        let inner = Arc::new(Inner {
            limits: launch.limits,
            child,
            outgoing,
            calls: Mutex::default(),
            last_call: AtomicU64::new(ACTIVATION),
            used: Mutex::new(Instant::now()),
            ended: tokio::sync::watch::Sender::new(None),
            over: CancellationToken::new(),
            stopping: false.into(),
        });
        // From here on whatever goes wrong ends the process: `guard` owns it.
        let mut guard = Self { sandbox: SandboxReport::default(), inner: Arc::clone(&inner) };
        let (ready, is_ready) = oneshot::channel();
        tokio::spawn(link::write(Arc::downgrade(&inner), write, queue, inner.over.clone()));
        tokio::spawn(reader::run(Arc::downgrade(&inner), read, host, ready, inner.over.clone()));
        let sandbox = match tokio::time::timeout(READY, is_ready).await {
            Ok(Ok(sandbox)) => sandbox,
            Ok(Err(_)) => return Err(guard.ended().await),
            Err(_) => {
                inner.end(Ended::broke("start", "the plugin worker did not get ready"));
                return Err(guard.ended().await);
            }
        };
        let complete = sandbox.seccomp && sandbox.landlock && sandbox.rlimits;
        if !complete && !launch.bundled {
            inner.end(Ended { rule: "sandbox", error: sandbox_missing(&launch.plugin) });
            return Err(guard.ended().await);
        }
        guard.sandbox = sandbox;
        guard.activate(launch).await?;
        Ok(guard)
    }

    async fn activate(&self, launch: Launch) -> std::result::Result<(), Ended> {
        let start = Start {
            protocol: VERSION,
            plugin_id: launch.plugin,
            plugin_version: launch.version,
            account_id: launch.account.0,
            main: launch.main,
            modules: launch.modules,
            settings: launch.settings,
            limits: launch.limits,
            declared: launch.declared,
        };
        let answer = self.inner.open(ACTIVATION, Purpose::Activation).1;
        tokio::spawn(watch::run(Arc::downgrade(&self.inner), self.inner.over.clone()));
        if let Err(error) = self.inner.send(&ToWorker::Start(start)).await {
            self.inner.end(Ended { rule: "start", error });
        }
        match answer.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                // Its end tells a budget or a broken protocol from an exception of the plugin's own.
                let ended = tokio::time::timeout(EXIT, self.ended()).await;
                let rule = match ended {
                    Ok(ended) if ended.error.message == error.message => return Err(ended),
                    Ok(Ended { rule: "" | "crash", .. }) | Err(_) => "activation",
                    Ok(ended) => ended.rule,
                };
                let ended = Ended { rule, error };
                self.inner.end(ended.clone());
                Err(ended)
            }
            Err(_) => Err(self.ended().await),
        }
    }

    /// Runs a handler and gives its output as it came, with what the broker noticed. An answer
    /// always comes: the budgets see to it.
    pub async fn call(
        &self,
        handler: Handler,
        input: Value,
        purpose: Purpose,
        cancel: &CancellationToken,
    ) -> (Result<Box<RawValue>>, Notes) {
        let id = self.inner.last_call.fetch_add(1, Ordering::Relaxed) + 1;
        let (call, mut answer) = self.inner.open(id, purpose);
        if let Err(error) = self.inner.send(&ToWorker::Call { id, handler, input }).await {
            lock(&self.inner.calls).remove(&id);
            return (Err(error), call.notes());
        }
        let outcome = tokio::select! {
            outcome = &mut answer => outcome,
            () = cancel.cancelled() => {
                // A worker that is gone has answered already.
                _ = self.inner.send(&ToWorker::Cancel { id }).await;
                match tokio::time::timeout(GRACE, answer).await {
                    Ok(outcome) => outcome,
                    Err(_) => Ok(Err(Error::new(Code::Cancelled, "the call was cancelled"))),
                }
            }
        };
        let outcome = outcome.unwrap_or_else(|_| Err(self.inner.why().error));
        (outcome, call.notes())
    }

    /// Asks a condition or a hook, for which nobody waits longer than `within`. A worker that is then
    /// still busy with nothing else is ended.
    pub async fn ask(
        &self,
        handler: Handler,
        input: Value,
        purpose: Purpose,
        within: Duration,
    ) -> Result<Box<RawValue>> {
        let id = self.inner.last_call.fetch_add(1, Ordering::Relaxed) + 1;
        let (call, answer) = self.inner.open(id, purpose);
        let asked = async {
            self.inner.send(&ToWorker::Call { id, handler, input }).await?;
            answer.await.unwrap_or_else(|_| Err(self.inner.why().error))
        };
        if let Ok(outcome) = tokio::time::timeout(within, asked).await {
            return outcome;
        }
        if let Ok(frame) = frame::encode(&ToWorker::Cancel { id }) {
            _ = self.inner.outgoing.try_send(frame);
        }
        tokio::spawn(watch::runaway(Arc::downgrade(&self.inner), id, call, within));
        let message = format!("there was no answer within {} ms", within.as_millis());
        Err(Error::new(Code::Timeout, message))
    }

    /// Hands over an event, unless the worker is too busy to take it.
    pub fn event(&self, topic: &str, data: Value) {
        let message = ToWorker::Event { topic: topic.to_owned(), data };
        if let Ok(frame) = frame::encode(&message) {
            _ = self.inner.outgoing.try_send(frame);
        }
    }

    /// Lets the plugin deactivate, and ends the process.
    pub async fn stop(&self) {
        self.inner.stopping.store(true, Ordering::Relaxed);
        let orderly = async {
            if self.inner.send(&ToWorker::Stop).await.is_ok() {
                self.ended().await;
            }
        };
        _ = tokio::time::timeout(GRACE, orderly).await;
        self.inner.end(stopped());
    }

    /// Resolves when the worker is gone, with the reason.
    pub async fn ended(&self) -> Ended {
        let mut ended = self.inner.ended.subscribe();
        let ended = ended.wait_for(Option::is_some).await;
        ended.ok().and_then(|ended| ended.clone()).unwrap_or_else(stopped)
    }

    pub fn is_alive(&self) -> bool {
        self.inner.ended.borrow().is_none()
    }

    /// For how long nothing ran, no handler being open.
    pub fn idle_for(&self) -> Option<Duration> {
        lock(&self.inner.calls).is_empty().then(|| lock(&self.inner.used).elapsed())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.inner.end(stopped());
    }
}

/// Starts the worker's process with its end of a connection.
#[cfg(unix)]
fn spawn(program: &std::path::Path) -> Result<(Child, tokio::net::UnixStream)> {
    let (socket, theirs) = devrig_process::channel()?;
    let spec = devrig_process::ChildSpec::new(program).inherit(theirs, devrig_process::CHANNEL_FD);
    Ok((devrig_process::spawn(spec).context("starting the plugin worker")?, socket))
}

/// Handing a connection to a child is not written for this system.
#[cfg(not(unix))]
fn spawn(_: &std::path::Path) -> Result<(Child, tokio::io::DuplexStream)> {
    Err(Error::new(Code::Unsupported, "plugins do not run on this system yet"))
}

/// Starts a worker only to ask which layers of the sandbox hold here.
pub(crate) async fn probe(host_program: &std::path::Path) -> Result<SandboxReport> {
    let (mut socket, theirs) = devrig_process::channel()?;
    let spec =
        devrig_process::ChildSpec::new(host_program).inherit(theirs, devrig_process::CHANNEL_FD);
    let _child = devrig_process::spawn(spec)?;
    let read = async {
        let length = link::header(&mut socket).await?;
        let length = length.ok_or_else(|| Error::new(Code::PluginStopped, "the worker ended"))?;
        link::payload(&mut socket, length).await
    };
    let frame = tokio::time::timeout(READY, read).await;
    let frame = frame.map_err(|_| Error::new(Code::Timeout, "the worker did not get ready"))??;
    match serde_json::from_slice(&frame)? {
        devrig_core::protocol::FromWorker::Ready { sandbox, .. } => Ok(sandbox),
        _ => Err(Error::new(Code::ProtocolMismatch, "the worker is of another version")),
    }
}

fn stopped() -> Ended {
    Ended { rule: "", error: Error::new(Code::PluginStopped, "the plugin was stopped") }
}

fn sandbox_missing(plugin: &str) -> Error {
    Error::new(
        Code::SandboxMissing,
        format!("this system cannot close the sandbox, so {} does not start", shown(plugin, 100)),
    )
    .hint("Run `devrig doctor` to see what is missing; plugins that ship with DevRig still run.")
}

impl Inner {
    fn open(
        &self,
        id: u64,
        purpose: Purpose,
    ) -> (Arc<Call>, oneshot::Receiver<Result<Box<RawValue>>>) {
        let (send, answer) = oneshot::channel();
        let call = Arc::new(Call { purpose, notes: Mutex::default() });
        let open = Open {
            call: Arc::clone(&call),
            answer: Some(send),
            began: Instant::now(),
            cpu: self.child.cpu_time().unwrap_or_default(),
        };
        lock(&self.calls).insert(id, open);
        *lock(&self.used) = Instant::now();
        // The worker may have ended in between, and then nobody else would answer.
        if let Some(ended) = self.ended.borrow().clone() {
            self.fail_calls(&ended.error);
        }
        (call, answer)
    }

    fn answer(&self, id: u64, outcome: Result<Box<RawValue>>) {
        let open = lock(&self.calls).remove(&id);
        *lock(&self.used) = Instant::now();
        if let Some(answer) = open.and_then(|open| open.answer) {
            // Who cancelled does not wait any more.
            _ = answer.send(outcome);
        }
    }

    fn find(&self, id: u64) -> Option<Arc<Call>> {
        lock(&self.calls).get(&id).map(|open| Arc::clone(&open.call))
    }

    async fn send(&self, message: &ToWorker) -> Result<()> {
        let frame = frame::encode(message)?;
        self.outgoing.send(frame).await.map_err(|_| self.why().error)
    }

    fn why(&self) -> Ended {
        self.ended.borrow().clone().unwrap_or_else(stopped)
    }

    /// Ends the process and fails what is open. The first reason stays.
    fn end(&self, why: Ended) {
        let first = self.ended.send_if_modified(|ended| {
            let first = ended.is_none();
            if first {
                *ended = Some(why);
            }
            first
        });
        if first {
            self.over.cancel();
            self.child.kill_tree();
            self.fail_calls(&self.why().error);
        }
    }

    fn fail_calls(&self, error: &Error) {
        let open: Vec<Open> = lock(&self.calls).drain().map(|(_, open)| open).collect();
        for answer in open.into_iter().filter_map(|open| open.answer) {
            _ = answer.send(Err(error.clone()));
        }
    }
}

/// What plugin code threw, as an error of ours. Its texts are the plugin's: clipped, on one line.
pub(crate) fn thrown(failure: Failure) -> Error {
    let code = Code::ALL.iter().copied().find(|code| code.as_str() == failure.code);
    let message = match shown(&failure.message, 1_000) {
        empty if empty.is_empty() => "the plugin failed without a message".to_owned(),
        message => message,
    };
    let mut error = Error::new(code.unwrap_or(Code::PluginFailed), message);
    error.retryable = failure.retryable || error.code == Code::PluginFailed;
    error.hint = failure.hint.map(|hint| shown(&hint, 500));
    let mut details = serde_json::Map::new();
    if let Some(stack) = failure.stack {
        details.insert("stack".to_owned(), clip(&stack, 8 * 1024).into());
    }
    if let Some(ms) = failure.retry_after_ms.filter(|ms| ms.is_finite() && *ms >= 0.0) {
        details.insert("retryAfterMs".to_owned(), ms.min(LONGEST_WAIT_MS).into());
    }
    error.details = (!details.is_empty()).then(|| Box::new(Value::Object(details)));
    error
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    struct Nobody;

    #[async_trait::async_trait]
    impl Host for Nobody {
        async fn call(&self, _: HostCall) -> Result<Value> {
            Ok(Value::Null)
        }

        fn log(&self, _: LogLevel, _: &str, _: Option<&RawValue>) {}
    }

    /// A worker that was taken over: a script that says what it likes on the socket.
    async fn taken_over(script: &str, wall_ms: u64) -> Ended {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("worker");
        // `frame TEXT` writes a frame of less than 256 bytes.
        let prelude = "#!/bin/sh\nframe() { printf \"\\\\$(printf %03o ${#1})\\\\000\\\\000\\\\000\" >&3; printf %s \"$1\" >&3; }\n\
             ready() { frame '{\"type\":\"ready\",\"protocol\":1,\"sandbox\":{\"seccomp\":true,\"landlock\":true,\"rlimits\":true}}'; }\n";
        std::fs::write(&program, format!("{prelude}{script}\n")).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let launch = Launch {
            host_program: program,
            plugin: "p".into(),
            version: "1.0.0".into(),
            account: AccountId::from("a"),
            main: "index.js".into(),
            modules: BTreeMap::new(),
            settings: Value::Null,
            declared: Declared::default(),
            limits: Limits { wall_ms, ..Limits::default() },
            bundled: false,
        };
        match Worker::start(launch, Arc::new(Nobody)).await {
            Ok(worker) => worker.ended().await,
            Err(ended) => ended,
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_breaks_the_protocol_is_ended_with_the_rule() {
        let active = "ready; frame '{\"type\":\"active\",\"registered\":{}}';";
        for (script, rule) in [
            ("exit 3", "crash"),
            ("frame '{\"type\":\"ready\",\"protocol\":9}'; sleep 9", "protocol:version"),
            ("frame '{\"type\":\"ready\"}'; sleep 9", "protocol:version"),
            ("frame '{\"type\":\"ready\",\"protocol\":1}'; sleep 9", "sandbox"),
            ("printf '\\377\\377\\377\\377' >&3; sleep 9", "protocol:frame"),
            ("printf '\\000\\000\\000\\000' >&3; sleep 9", "protocol:frame"),
            ("ready; frame 'not json'; sleep 9", "protocol:frame"),
            ("ready; frame '{\"type\":\"what\"}'; sleep 9", "protocol:frame"),
            ("ready; ready; sleep 9", "protocol:version"),
            (
                "ready; frame '{\"type\":\"done\",\"id\":0,\"outcome\":{\"ok\":1}}'; sleep 9",
                "protocol:id",
            ),
            ("ready; frame '{\"type\":\"host\",\"id\":1}'; sleep 9", "protocol:frame"),
            ("ready; sleep 9", "budget:wall"),
            (&format!("{active} kill -9 $$"), "crash"),
        ] {
            let ended = taken_over(script, 2_000).await;
            assert_eq!(ended.rule, rule, "{script}: {}", ended.error);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn ten_million_tiny_frames_end_with_the_connection() {
        let flood = "ready; frame '{\"type\":\"active\"}'; exec 1>&3; \
             tiny=$(printf '\\\\016\\\\000\\\\000\\\\000%s' '{\"type\":\"log\"}'); \
             ten=$tiny$tiny$tiny$tiny$tiny$tiny$tiny$tiny$tiny$tiny; \
             hundred=$ten$ten$ten$ten$ten$ten$ten$ten$ten$ten; \
             while :; do printf \"$hundred$hundred$hundred$hundred$hundred\"; done";
        let before = Instant::now();
        let ended = taken_over(flood, 30_000).await;
        assert_eq!(ended.rule, "protocol:flood", "{}", ended.error);
        assert!(before.elapsed() < Duration::from_secs(40), "{:?}", before.elapsed());
    }
}
