//! Reading what a worker says, and answering it.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use devrig_core::protocol::{
    Failure, HostMethod, LogLevel, MAX_FRAME, MAX_IN_FLIGHT, Outcome, SandboxReport, ToWorker,
    VERSION,
};
use devrig_core::{Code, Error, Result, frame};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::io::AsyncRead;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;

use super::link::{self, Pace, Rate};
use super::{ACTIVATION, Ended, Host, HostCall, Inner, Purpose, thrown};

/// Of calls that wait for an answer; beyond it nothing is read from that worker.
const BYTES_IN_FLIGHT: usize = 2 * MAX_FRAME;
/// Calls that are worked on at a time, requests aside: those have limits of their own.
const AT_ONCE: usize = 8;
/// Longest line of a log.
const LOG_LINE: usize = 16 * 1024;

/// Any message of a worker, its payloads not yet looked at.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    id: u64,
    #[serde(default)]
    call: u64,
    #[serde(default)]
    method: Option<HostMethod>,
    #[serde(default, borrow)]
    params: Option<&'a RawValue>,
    #[serde(default, borrow)]
    outcome: Option<&'a RawValue>,
    #[serde(default)]
    level: Option<LogLevel>,
    #[serde(default, borrow)]
    message: Cow<'a, str>,
    #[serde(default, borrow)]
    meta: Option<&'a RawValue>,
    #[serde(default)]
    protocol: u32,
    #[serde(default)]
    sandbox: SandboxReport,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Answer<'a> {
    #[serde(borrow)]
    Ok(&'a RawValue),
    Err(Failure),
}

struct Reader {
    worker: Weak<Inner>,
    host: Arc<dyn Host>,
    ready: Option<oneshot::Sender<SandboxReport>>,
    in_flight: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    slots: Arc<Semaphore>,
    lines: Lines,
    over: CancellationToken,
}

/// Reads until the worker ends, and ends it when it breaks the protocol.
pub async fn run(
    worker: Weak<Inner>,
    socket: impl AsyncRead + Unpin + Send,
    host: Arc<dyn Host>,
    ready: oneshot::Sender<SandboxReport>,
    over: CancellationToken,
) {
    let mut reader = Reader {
        worker: worker.clone(),
        host,
        ready: Some(ready),
        in_flight: Arc::new(Semaphore::new(MAX_IN_FLIGHT)),
        bytes: Arc::new(Semaphore::new(BYTES_IN_FLIGHT)),
        slots: Arc::new(Semaphore::new(AT_ONCE)),
        lines: Lines::new(),
        over: over.clone(),
    };
    let ended = tokio::select! {
        () = over.cancelled() => return,
        ended = reader.read(socket) => ended,
    };
    let Some(worker) = worker.upgrade() else { return };
    match ended {
        Ok(()) => {
            // Its exit code says more than the end of the stream.
            let exit = tokio::time::timeout(Duration::from_secs(1), worker.child.wait()).await;
            worker.end(after_exit(&worker, exit.ok()));
        }
        Err(ended) => worker.end(ended),
    }
}

fn after_exit(worker: &Inner, exit: Option<devrig_process::Exit>) -> Ended {
    /// As the worker's own list has it: used up a budget.
    const BUDGET: i32 = 4;
    if worker.stopping.load(Ordering::Relaxed) {
        return super::stopped();
    }
    match exit {
        Some(exit) if exit.code == Some(BUDGET) => {
            Ended::broke("budget", "the plugin used up its CPU or time and was stopped")
        }
        Some(exit) => Ended::broke("crash", format!("the plugin worker ended: {exit}")),
        None => Ended::broke("crash", "the plugin worker closed its connection"),
    }
}

impl Reader {
    async fn read(
        &mut self,
        mut socket: impl AsyncRead + Unpin + Send,
    ) -> std::result::Result<(), Ended> {
        let broken = |error: Error| {
            Ended::broke("protocol:frame", format!("the plugin broke the worker protocol: {error}"))
        };
        let mut rate = Rate::new();
        loop {
            let Some(length) = link::header(&mut socket).await.map_err(broken)? else {
                return Ok(());
            };
            match rate.count(Instant::now()) {
                Pace::Go => {}
                Pace::Pause(pause) => tokio::time::sleep(pause).await,
                Pace::End => {
                    let message = "the plugin flooded the core with messages";
                    return Err(Ended::broke("protocol:flood", message));
                }
            }
            let size = u32::try_from(length).unwrap_or(u32::MAX);
            let Ok(bytes) = Arc::clone(&self.bytes).acquire_many_owned(size).await else {
                return Ok(());
            };
            let payload = link::payload(&mut socket, length).await.map_err(broken)?;
            let message: Message<'_> =
                serde_json::from_slice(&payload).map_err(|error| broken(error.into()))?;
            let Some(worker) = self.worker.upgrade() else { return Ok(()) };
            self.handle(&worker, message, bytes).await?;
        }
    }

    async fn handle(
        &mut self,
        worker: &Arc<Inner>,
        message: Message<'_>,
        bytes: OwnedSemaphorePermit,
    ) -> std::result::Result<(), Ended> {
        match &*message.kind {
            "ready" => self.ready(&message),
            // What it registered was checked there, and is checked here by what is called.
            "active" => {
                worker.answer(ACTIVATION, Ok(RawValue::NULL.to_owned()));
                Ok(())
            }
            "done" => {
                let outcome = message.outcome.map_or("null", |outcome| outcome.get());
                let outcome = match serde_json::from_str(outcome) {
                    Ok(Answer::Ok(value)) => Ok(value.to_owned()),
                    Ok(Answer::Err(failure)) => Err(thrown(failure)),
                    Err(error) => {
                        let message = format!("an answer of the plugin cannot be read: {error}");
                        return Err(Ended::broke("protocol:frame", message));
                    }
                };
                if message.id == ACTIVATION && outcome.is_ok() {
                    let message = "the plugin answered a call that nobody made";
                    return Err(Ended::broke("protocol:id", message));
                }
                worker.answer(message.id, outcome);
                Ok(())
            }
            "host" => self.host_call(worker, &message, bytes).await,
            "log" => {
                let level = message.level.unwrap_or(LogLevel::Info);
                match self.lines.count(Instant::now()) {
                    Line::Keep => {
                        let line = crate::text::clip(&message.message, LOG_LINE);
                        self.host.log(level, line, message.meta);
                    }
                    Line::Last => {
                        self.host.log(LogLevel::Warn, "(lines were left out: too many)", None);
                    }
                    Line::Drop => {}
                }
                Ok(())
            }
            "stopped" => {
                worker.stopping.store(true, Ordering::Relaxed);
                Ok(())
            }
            _ => Err(Ended::broke("protocol:frame", "the plugin sent a message that is not known")),
        }
    }

    fn ready(&mut self, message: &Message<'_>) -> std::result::Result<(), Ended> {
        let ready = self.ready.take().filter(|_| message.protocol == VERSION);
        let Some(ready) = ready else {
            let mut ended = Ended::broke("protocol:version", "the worker is of another version");
            ended.error.code = Code::ProtocolMismatch;
            ended.error = ended.error.hint("Reinstall DevRig: its parts do not fit together.");
            return Err(ended);
        };
        _ = ready.send(message.sandbox);
        Ok(())
    }

    async fn host_call(
        &mut self,
        worker: &Arc<Inner>,
        message: &Message<'_>,
        bytes: OwnedSemaphorePermit,
    ) -> std::result::Result<(), Ended> {
        let Some(method) = message.method else {
            return Err(Ended::broke("protocol:frame", "a call of the plugin names no method"));
        };
        // The worker keeps to this number itself; who does not, waits.
        let Ok(in_flight) = Arc::clone(&self.in_flight).acquire_owned().await else {
            return Ok(());
        };
        let call = worker.find(message.call);
        let unknown = call.is_none() && message.call != 0;
        let call = call.filter(|call| message.call != 0 || call.purpose == Purpose::Activation);
        let params = message.params.map_or_else(|| RawValue::NULL.to_owned(), ToOwned::to_owned);
        let (host, slots, id) = (Arc::clone(&self.host), Arc::clone(&self.slots), message.id);
        let weak = Arc::downgrade(worker);
        let work = async move {
            let _held = (in_flight, bytes);
            let _slot = match method {
                HostMethod::HttpFetch | HostMethod::GitFetch => None,
                _ => slots.acquire_owned().await.ok(),
            };
            let outcome = if unknown {
                Err(Error::new(Code::Refused, "the call that this belongs to has ended"))
            } else {
                host.call(HostCall { method, params, call }).await
            };
            reply(&weak, id, outcome).await;
        };
        let over = self.over.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = over.cancelled() => {}
                () = work => {}
            }
        });
        Ok(())
    }
}

async fn reply(worker: &Weak<Inner>, id: u64, outcome: Result<serde_json::Value>) {
    let outcome = match outcome {
        Ok(value) => Outcome::Ok(value),
        Err(error) => Outcome::Err(error.into()),
    };
    let encoded = frame::encode(&ToWorker::Reply { id, outcome }).or_else(|error| {
        frame::encode(&ToWorker::Reply { id, outcome: Outcome::Err(error.into()) })
    });
    let (Ok(frame), Some(worker)) = (encoded, worker.upgrade()) else { return };
    // Nobody listens when the worker has ended, and nobody waits.
    _ = worker.outgoing.send(frame).await;
}

/// How many lines of log a worker may write.
struct Lines {
    window: Instant,
    lines: u32,
}

const LINES_A_SECOND: u32 = 200;

enum Line {
    Keep,
    /// Some are left out from here on.
    Last,
    Drop,
}

impl Lines {
    fn new() -> Self {
        Self { window: Instant::now(), lines: 0 }
    }

    fn count(&mut self, now: Instant) -> Line {
        if now.duration_since(self.window) >= Duration::from_secs(1) {
            (self.window, self.lines) = (now, 0);
        }
        self.lines = self.lines.saturating_add(1);
        match self.lines {
            0..=LINES_A_SECOND => Line::Keep,
            n if n == LINES_A_SECOND + 1 => Line::Last,
            _ => Line::Drop,
        }
    }
}
