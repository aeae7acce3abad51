//! From the first instruction to a worker without authority.

use std::fs::File;
use std::io::Write;
use std::process::ExitCode;
use std::rc::Rc;

use devrig_core::protocol::{FromWorker, SandboxReport, ToWorker, VERSION};
use devrig_core::{Code, Error, Result, frame};

use crate::channel::Channel;
use crate::worker::Worker;
use crate::{exit, sandbox, snippet};

/// Runs the worker on file descriptor 3 until it is stopped. See the crate's documentation for
/// how to start it, and [`crate::exit`] for what its exit code says.
pub fn main() -> ExitCode {
    let socket = match inherited_socket() {
        Ok(socket) => socket,
        Err(error) => {
            complain(&format!("is started by DevRig, with a socket as descriptor 3: {error}"));
            return ExitCode::from(exit::UNUSABLE);
        }
    };
    let report = match sandbox::close() {
        Ok(report) => report,
        Err(error) => {
            complain(&format!("cannot give up its authority: {error}"));
            return ExitCode::from(exit::UNUSABLE);
        }
    };
    let code = match live(Channel::new(socket), report) {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("ends: {error}"));
            exit::PROTOCOL
        }
    };
    // Not through destructors: the engine checks itself on the way down and may abort over a
    // cycle that a plugin left.
    std::process::exit(code.into());
}

/// Says that the sandbox is closed, and becomes what the core asks for.
fn live(channel: Channel, sandbox: SandboxReport) -> Result<u8> {
    let ready = frame::encode(&FromWorker::Ready { protocol: VERSION, sandbox })?;
    if channel.send(&ready).is_err() {
        return Ok(exit::STOPPED);
    }
    let Some(first) = channel.next_frame()? else { return Ok(exit::STOPPED) };
    match serde_json::from_slice(&first)? {
        ToWorker::Start(start) => {
            drop(first);
            Rc::new(Worker::new(channel)).live(start)
        }
        ToWorker::Snippets { protocol, heap_bytes } => {
            speaks_our_version(protocol)?;
            snippet::serve(&channel, heap_bytes)
        }
        _ => Err(Error::new(Code::ProtocolMismatch, "the first message is not `start`")),
    }
}

/// Refuses a core of another version.
pub fn speaks_our_version(protocol: u32) -> Result<()> {
    if protocol == VERSION {
        return Ok(());
    }
    Err(Error::new(
        Code::ProtocolMismatch,
        format!("the core speaks version {protocol}, this worker {VERSION}"),
    )
    .hint("Reinstall DevRig: its parts are of different versions."))
}

/// To standard error, wherever the core has led it; `eprintln!` would panic where that fails.
fn complain(message: &str) {
    _ = writeln!(std::io::stderr(), "devrig-plugin-host {message}");
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn inherited_socket() -> std::io::Result<File> {
    use std::os::fd::{BorrowedFd, FromRawFd};

    use devrig_core::protocol::WORKER_FD;
    use rustix::fs::FileType;

    // SAFETY: borrowed for one call that reports a bad descriptor as an error.
    let borrowed = unsafe { BorrowedFd::borrow_raw(WORKER_FD) };
    let kind = FileType::from_raw_mode(rustix::fs::fstat(borrowed)?.st_mode);
    if kind != FileType::Socket {
        return Err(std::io::Error::other("descriptor 3 is not a socket"));
    }
    // SAFETY: open, as just seen, and nothing else in this process knows of it.
    Ok(unsafe { File::from_raw_fd(WORKER_FD) })
}

#[cfg(not(unix))]
fn inherited_socket() -> std::io::Result<File> {
    Err(std::io::Error::new(
        std::io::ErrorKind::Unsupported,
        "handle inheritance is not written for this system",
    ))
}
