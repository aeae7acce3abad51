//! One worker process, from its start to its last byte. What comes from it is untrusted input.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use devrig_core::error::Context;
use devrig_core::frame::{self, HEADER, payload_len};
use devrig_core::protocol::{EXIT_OVERRUN, FromWorker, ToWorker, VERSION};
use devrig_core::snippet::{Answer, End, MAX_CONSOLE, MAX_CONSOLE_LINES};
use devrig_core::{Code, Error, Result};
use devrig_process::{CHANNEL_FD, Child, ChildSpec};
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Notify;

use crate::board::{Gone, Outbox, Told, ToldEnd};

/// Until the sandbox is closed.
const READY: Duration = Duration::from_secs(10);

/// So much is read at once: all that a worker answers in one go, if it is small.
const READ: usize = 64 * 1024;

/// A worker's process and connection. Dropping the last handle kills the process.
#[derive(Debug)]
pub struct Worker {
    pub outbox: Arc<Outbox>,
    child: Child,
    stream: UnixStream,
    has_unsent: Notify,
}

impl Worker {
    /// Starts a process in its sandbox.
    ///
    /// # Errors
    /// `SANDBOX_MISSING` where the sandbox is not complete; a snippet may come from anywhere, an
    /// imported flow for example.
    pub async fn start(program: &Path, heap_bytes: u64) -> Result<Self> {
        let (mut stream, theirs) = devrig_process::channel()?;
        let spec = ChildSpec::new(program).inherit(theirs, CHANNEL_FD);
        let child = devrig_process::spawn(spec).context("starting the worker for code")?;
        let ready = tokio::time::timeout(READY, ready(&mut stream)).await;
        ready.map_err(|_| Error::new(Code::Timeout, "the worker for code did not get ready"))??;
        let message = ToWorker::Snippets { protocol: VERSION, heap_bytes };
        stream.write_all(&frame::encode(&message)?).await.map_err(ended_at_start)?;
        Ok(Self { outbox: Arc::default(), child, stream, has_unsent: Notify::new() })
    }

    /// What is in the outbox is to be sent: [`Worker::send_all`] does it.
    pub fn flush(&self) {
        self.has_unsent.notify_one();
    }

    /// Sends what is in the outbox whenever there is something, for ever.
    pub async fn send_all(&self) {
        let mut unsent = Vec::new();
        loop {
            self.has_unsent.notified().await;
            // Whoever is ready now adds to it: waking a process costs more than a small run.
            tokio::task::yield_now().await;
            unsent.append(&mut self.outbox.lock());
            while !unsent.is_empty() {
                match self.stream.try_write(&unsent) {
                    Ok(written) => drop(unsent.drain(..written)),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        if self.stream.writable().await.is_err() {
                            return std::future::pending().await;
                        }
                        unsent.append(&mut self.outbox.lock());
                    }
                    // Whoever reads sees the end of the stream too.
                    Err(_) => unsent.clear(),
                }
            }
        }
    }

    /// Waits for answers, and gives all that have come.
    ///
    /// # Errors
    /// Why there will be no more.
    pub async fn receive(&self, inbox: &mut Inbox) -> Result<Vec<Told>, Gone> {
        loop {
            let told = match self.read(inbox).await {
                Ok(0) | Err(_) => return Err(self.end().await),
                Ok(_) => inbox.take().map_err(|error| Gone::Crashed(error.message))?,
            };
            if !told.is_empty() {
                return Ok(told);
            }
        }
    }

    async fn read(&self, inbox: &mut Inbox) -> std::io::Result<usize> {
        loop {
            self.stream.readable().await?;
            inbox.0.reserve(READ);
            match self.stream.try_read_buf(&mut inbox.0) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }

    /// How a process whose connection is closed has ended.
    async fn end(&self) -> Gone {
        self.kill();
        let exit = self.child.wait().await;
        match exit.code {
            Some(code) if code == i32::from(EXIT_OVERRUN) => Gone::Overran,
            _ => Gone::Crashed(exit.to_string()),
        }
    }

    pub fn kill(&self) {
        self.child.kill_tree();
    }

    /// Resolves when the process is gone.
    pub async fn gone(&self) {
        self.child.wait().await;
    }

    pub fn cpu_time(&self) -> Option<Duration> {
        self.child.cpu_time()
    }
}

/// Waits for the first message.
async fn ready(stream: &mut UnixStream) -> Result<()> {
    let mut header = [0; HEADER];
    stream.read_exact(&mut header).await.map_err(ended_at_start)?;
    // Memory follows what arrives, not what was announced.
    let mut payload = Vec::new();
    let length = payload_len(header)? as u64;
    stream.take(length).read_to_end(&mut payload).await.map_err(ended_at_start)?;
    match serde_json::from_slice(&payload)? {
        FromWorker::Ready { protocol: VERSION, sandbox } => {
            let complete = sandbox.seccomp && sandbox.landlock && sandbox.rlimits;
            if complete { Ok(()) } else { Err(sandbox_missing()) }
        }
        _ => Err(Error::new(Code::ProtocolMismatch, "the worker for code is of another version")
            .hint("Reinstall DevRig: its parts are of different versions.")),
    }
}

fn ended_at_start(_: std::io::Error) -> Error {
    Error::new(Code::PluginStopped, "the worker for code ended at its start")
        .hint("Reinstall DevRig if it happens again.")
}

fn sandbox_missing() -> Error {
    Error::new(Code::SandboxMissing, "this system cannot close the sandbox, so no code is run")
        .hint("Run `devrig doctor` to see what is missing; flows without code still run.")
}

/// What has come and is not complete yet.
#[derive(Debug, Default)]
pub struct Inbox(Vec<u8>);

impl Inbox {
    /// Takes out the answers that are complete.
    fn take(&mut self) -> Result<Vec<Told>> {
        let mut rest = &*self.0;
        let mut all = Vec::new();
        while let Some((header, behind)) = rest.split_first_chunk() {
            let Some((payload, behind)) = behind.split_at_checked(payload_len(*header)?) else {
                break;
            };
            all.push(told(Answer::read(payload)?)?);
            rest = behind;
        }
        let taken = self.0.len() - rest.len();
        self.0.drain(..taken);
        if self.0.is_empty() {
            // A large answer must not pin its memory for the worker's life.
            self.0.shrink_to(READ);
        }
        Ok(all)
    }
}

/// Checks what a worker says.
fn told(answer: Answer<'_>) -> Result<Told> {
    let end = match answer.end {
        End::Output(json) => ToldEnd::Output(RawValue::from_string(json.to_owned())?),
        End::Failed(json) => ToldEnd::Failed(serde_json::from_str(json)?),
        End::Unknown => ToldEnd::Unknown,
        End::Skipped => ToldEnd::Skipped,
    };
    let console = match answer.console {
        "" => Vec::new(),
        // Each byte of text is at most six of JSON.
        json if json.len() > 8 * MAX_CONSOLE => return Err(Error::invalid("a console too long")),
        json => {
            let mut lines: Vec<_> = serde_json::from_str(json)?;
            lines.truncate(MAX_CONSOLE_LINES);
            lines
        }
    };
    Ok(Told { id: answer.id, cpu: Duration::from_micros(answer.cpu_us.into()), console, end })
}
