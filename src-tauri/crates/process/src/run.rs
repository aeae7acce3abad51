//! A short command, from start to end, within limits.

use std::time::Duration;

use devrig_core::{Code, Error, Result};
use tokio_util::sync::CancellationToken;

use crate::{ChildSpec, Exit, OutputPolicy, spawn};

/// The bounds of one command.
#[derive(Debug, Clone, Copy)]
pub struct RunLimits {
    pub timeout: Duration,
    /// For each of the two output streams; the newest bytes are kept.
    pub output: usize,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(60), output: crate::DEFAULT_RING }
    }
}

/// What a command did.
#[derive(Debug, Clone)]
pub struct Output {
    pub exit: Exit,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// True when a stream wrote more than was kept.
    pub truncated: bool,
}

impl Output {
    /// An error that quotes the last line of what the command said, unless it succeeded.
    pub fn checked(self, doing: &str) -> Result<Self> {
        if self.exit.success() {
            return Ok(self);
        }
        let said = String::from_utf8_lossy(&self.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        let exit = self.exit;
        let quote: String = crate::escape_line(last.trim().as_bytes()).chars().take(300).collect();
        let colon = if quote.is_empty() { "" } else { ": " };
        Err(Error::new(Code::Io, format!("{doing}: {exit}{colon}{quote}")))
    }
}

/// Runs a command to its end. On timeout or cancellation the whole tree is killed, and gone by
/// the time that this returns an error. A failing exit is not an error here: see
/// [`Output::checked`].
pub async fn run(
    mut spec: ChildSpec,
    limits: RunLimits,
    cancel: &CancellationToken,
) -> Result<Output> {
    let name = spec.program.display().to_string();
    let cancelled = || Error::new(Code::Cancelled, format!("{name} was cancelled"));
    if cancel.is_cancelled() {
        return Err(cancelled());
    }
    spec.stdout = OutputPolicy::Ring(limits.output);
    spec.stderr = OutputPolicy::Ring(limits.output);
    let child = spawn(spec)?;
    let error = tokio::select! {
        exit = child.wait() => return Ok(Output {
            exit,
            stdout: child.stdout().bytes(),
            stderr: child.stderr().bytes(),
            truncated: child.stdout().dropped() + child.stderr().dropped() > 0,
        }),
        () = tokio::time::sleep(limits.timeout) => Error::new(
            Code::Timeout,
            format!("{name} took longer than {:?} and was ended", limits.timeout),
        ),
        () = cancel.cancelled() => cancelled(),
    };
    child.kill_tree();
    child.wait().await;
    Err(error)
}
