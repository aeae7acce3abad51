//! A running child and its handle.

use std::fmt;
use std::pin::pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use devrig_core::Result;
use devrig_core::error::Context;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::watch;

#[cfg(unix)]
use crate::tree;
use crate::{ChildSpec, Heard, Identity, Memory, OutputPolicy, Ring, Stdin, Stream, usage};

/// How long output is still read once the tree is dead: only a process that got away can hold
/// the pipe open for longer.
const LAST_OUTPUT: Duration = Duration::from_millis(200);

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

impl Exit {
    pub fn success(self) -> bool {
        self.code == Some(0)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit code {code}"),
            (None, Some(signal)) => write!(f, "ended by signal {signal}"),
            (None, None) => f.write_str("ended for an unknown reason"),
        }
    }
}

impl From<std::process::ExitStatus> for Exit {
    fn from(status: std::process::ExitStatus) -> Self {
        #[cfg(unix)]
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        #[cfg(not(unix))]
        let signal = None;
        Self { code: status.code(), signal }
    }
}

/// A started child. Dropping it kills the child and everything that it started.
#[derive(Debug)]
pub struct Child {
    leader: Arc<Leader>,
    exit: watch::Receiver<Option<Exit>>,
    stdout: Ring,
    stderr: Ring,
}

/// The process itself. While it is not reaped its number stays its own, so signals are sent
/// under the same lock that reaping takes.
#[derive(Debug)]
struct Leader {
    identity: Identity,
    unreaped: Mutex<Option<tokio::process::Child>>,
}

impl Leader {
    fn while_unreaped(&self, act: impl FnOnce(u32, &mut tokio::process::Child)) {
        let mut guard = self.unreaped.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(child) = guard.as_mut() {
            act(self.identity.pid, child);
        }
    }

    fn kill_tree(&self) {
        self.while_unreaped(|pid, child| {
            #[cfg(unix)]
            tree::kill(pid);
            #[cfg(not(unix))]
            let _ = pid;
            _ = child.start_kill();
        });
    }

    /// Ends what the child left behind, then gives its number back to the system.
    fn reap(&self) -> Option<Exit> {
        let mut guard = self.unreaped.lock().unwrap_or_else(PoisonError::into_inner);
        let child = guard.as_mut()?;
        #[cfg(unix)]
        tree::sweep(self.identity.pid);
        let status = child.try_wait();
        *guard = None;
        status.ok().flatten().map(Exit::from)
    }
}

/// Starts a child in a session of its own. Must be called within a tokio runtime.
pub fn spawn(spec: ChildSpec) -> Result<Child> {
    spec.check()?;
    let name = spec.program.display().to_string();
    let (stdout, stderr) = (ring(spec.stdout), ring(spec.stderr));
    let heard = spec.heard.clone();
    let (mut command, input) = command(spec)?;
    let mut child = command.spawn().context(format!("starting {name}"))?;
    let pid = child.id().unwrap_or(0);
    let streams = copy_streams(
        (child.stdin.take(), input),
        (child.stdout.take(), stdout.clone()),
        (child.stderr.take(), stderr.clone()),
        heard,
    );
    let leader =
        Arc::new(Leader { identity: Identity::of(pid), unreaped: Mutex::new(Some(child)) });
    let (send_exit, exit) = watch::channel(None);
    // Ends soon after the child does, and the child ends when its handle is dropped.
    tokio::spawn(supervise(Arc::clone(&leader), streams, send_exit));
    Ok(Child { leader, exit, stdout, stderr })
}

impl Child {
    pub fn identity(&self) -> Identity {
        self.leader.identity
    }

    /// Waits for the end of the child; its tree is gone and its output complete by then.
    /// May be called by several tasks, and again.
    pub async fn wait(&self) -> Exit {
        let mut exit = self.exit.clone();
        match exit.wait_for(Option::is_some).await {
            Ok(exit) => exit.unwrap_or(Exit { code: None, signal: None }),
            // Only when the runtime is being torn down.
            Err(_) => Exit { code: None, signal: None },
        }
    }

    /// How it ended, if it has.
    pub fn exited(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Kills the child and everything that it started, at once. [`Child::wait`] tells when it
    /// is over.
    pub fn kill_tree(&self) {
        self.leader.kill_tree();
    }

    /// Asks to end (SIGTERM to the group), and kills after `grace`.
    pub async fn stop(&self, grace: Duration) -> Exit {
        #[cfg(unix)]
        self.leader.while_unreaped(|pid, _| tree::signal_group(pid, rustix::process::Signal::TERM));
        #[cfg(not(unix))]
        self.kill_tree();
        if let Ok(exit) = tokio::time::timeout(grace, self.wait()).await {
            return exit;
        }
        self.kill_tree();
        self.wait().await
    }

    /// User and system time so far; `None` after the end.
    pub fn cpu_time(&self) -> Option<Duration> {
        self.measure(usage::cpu_time)
    }

    /// Memory at this moment; `None` after the end.
    pub fn memory(&self) -> Option<Memory> {
        self.measure(usage::memory)
    }

    pub fn stdout(&self) -> &Ring {
        &self.stdout
    }

    pub fn stderr(&self) -> &Ring {
        &self.stderr
    }

    fn measure<T>(&self, look: impl FnOnce(u32) -> Option<T>) -> Option<T> {
        let mut seen = None;
        self.leader.while_unreaped(|pid, _| seen = look(pid));
        seen
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.leader.kill_tree();
    }
}

fn ring(policy: OutputPolicy) -> Ring {
    match policy {
        OutputPolicy::Null => Ring::new(0),
        OutputPolicy::Ring(capacity) => Ring::new(capacity),
    }
}

fn command(spec: ChildSpec) -> Result<(Command, Vec<u8>)> {
    let stdio = |policy| match policy {
        OutputPolicy::Null => Stdio::null(),
        OutputPolicy::Ring(_) => Stdio::piped(),
    };
    let mut command = std::process::Command::new(&spec.program);
    command.args(&spec.args).env_clear().envs(spec.env);
    command.stdout(stdio(spec.stdout)).stderr(stdio(spec.stderr));
    #[cfg(unix)]
    command.current_dir(spec.cwd.as_deref().unwrap_or(std::path::Path::new("/")));
    #[cfg(not(unix))]
    if let Some(folder) = &spec.cwd {
        command.current_dir(folder);
    }
    let input = match spec.stdin {
        Stdin::Null => {
            command.stdin(Stdio::null());
            Vec::new()
        }
        Stdin::Bytes(bytes) => {
            command.stdin(Stdio::piped());
            bytes
        }
    };
    #[cfg(unix)]
    {
        own_session(&mut command);
        hand_over(&mut command, spec.inherit)?;
    }
    let mut command = Command::from(command);
    // The last resort when the runtime goes away before the supervising task has run.
    command.kill_on_drop(true);
    Ok((command, input))
}

/// A session of its own: no terminal to ask at, and one group to kill. And no open file: ours
/// are close-on-exec already, but whoever started us may have passed on some that are not.
#[cfg(unix)]
#[allow(unsafe_code)]
fn own_session(command: &mut std::process::Command) {
    use std::os::unix::process::CommandExt;
    // SAFETY: both calls are async-signal-safe, and the closure neither allocates nor locks.
    unsafe {
        command.pre_exec(|| {
            #[cfg(target_os = "linux")]
            // Kernels before 5.11 refuse, and have no sandbox for plugins either.
            libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
            rustix::process::setsid().map(|_| ()).map_err(Into::into)
        });
    }
}

#[cfg(unix)]
fn hand_over(
    command: &mut std::process::Command,
    inherit: Vec<(std::os::fd::OwnedFd, i32)>,
) -> Result<()> {
    use command_fds::{CommandFdExt, FdMapping};
    let mappings = inherit
        .into_iter()
        .map(|(parent_fd, child_fd)| FdMapping { parent_fd, child_fd })
        .collect();
    match command.fd_mappings(mappings) {
        Ok(_) => Ok(()),
        Err(_) => Err(devrig_core::Error::internal("two inherited files have the same number")),
    }
}

async fn supervise(
    leader: Arc<Leader>,
    streams: impl Future<Output = ()>,
    send_exit: watch::Sender<Option<Exit>>,
) {
    let mut streams = pin!(streams);
    let mut ended = pin!(exited_unreaped(&leader));
    let mut streaming = true;
    loop {
        tokio::select! {
            () = &mut ended => break,
            () = &mut streams, if streaming => streaming = false,
        }
    }
    let exit = leader.reap();
    if streaming {
        _ = tokio::time::timeout(LAST_OUTPUT, streams).await;
    }
    send_exit.send_replace(Some(exit.unwrap_or(Exit { code: None, signal: None })));
}

/// Waits until the process has exited, and leaves it a zombie so that its number stays its own.
#[cfg(unix)]
async fn exited_unreaped(leader: &Leader) {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let Some(pid) = i32::try_from(leader.identity.pid).ok().and_then(Pid::from_raw) else {
        return;
    };
    #[cfg(target_os = "linux")]
    if let Some(handle) = exit_handle(pid)
        && handle.readable().await.is_ok()
    {
        return;
    }
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    _ = tokio::task::spawn_blocking(move || {
        // Its result does not travel between threads on every system, and is not needed.
        _ = waitid(WaitId::Pid(pid), options);
    })
    .await;
}

/// A handle that becomes readable at the exit. Kernels before 5.3 have none.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn exit_handle(
    pid: rustix::process::Pid,
) -> Option<tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>> {
    use rustix::process::{PidfdFlags, pidfd_open};
    let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    let readable = tokio::io::Interest::READABLE;
    // SAFETY: an OwnedFd always gives the same descriptor, open for as long as it lives, and the
    // AsyncFd owns it.
    unsafe { tokio::io::unix::AsyncFd::register_with_interest(handle, readable) }.ok()
}

#[cfg(not(unix))]
async fn exited_unreaped(leader: &Leader) {
    loop {
        let mut over = true;
        leader.while_unreaped(|_, child| over = !matches!(child.try_wait(), Ok(None)));
        if over {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn copy_streams(
    (stdin, input): (Option<tokio::process::ChildStdin>, Vec<u8>),
    (stdout, out_ring): (Option<impl AsyncRead + Unpin>, Ring),
    (stderr, err_ring): (Option<impl AsyncRead + Unpin>, Ring),
    heard: Option<Heard>,
) {
    let write = async {
        if let Some(mut stdin) = stdin {
            // A child that does not read its input is not our error.
            _ = stdin.write_all(&input).await;
        }
    };
    let heard = heard.as_ref();
    let out = fill(stdout, out_ring, heard.map(|heard| (Stream::Stdout, heard)));
    let err = fill(stderr, err_ring, heard.map(|heard| (Stream::Stderr, heard)));
    tokio::join!(write, out, err);
}

async fn fill(
    stream: Option<impl AsyncRead + Unpin>,
    ring: Ring,
    mut heard: Option<(Stream, &Heard)>,
) {
    let Some(mut stream) = stream else { return };
    let mut chunk = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
        ring.push(&chunk[..count]);
        if let Some((which, hears)) = heard
            && hears.send((which, chunk[..count].to_vec())).await.is_err()
        {
            heard = None;
        }
    }
}
