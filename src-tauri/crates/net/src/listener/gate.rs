//! The port: opened for the first route, closed behind the last.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use devrig_core::{Code, Error, Result};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Connections that the system keeps until we take them.
const BACKLOG: u32 = 1024;

/// Whether the port is open. Routes are added and removed under its lock, so that the two agree.
pub(super) struct Gate(Mutex<State>);

pub(super) struct State {
    pub port: u16,
    pub open: Option<Arc<Opening>>,
    /// The listener was shut down and opens no more.
    pub ended: bool,
}

/// One time that the port was open.
pub(super) struct Opening {
    pub address: SocketAddr,
    /// No new connections; those at rest close, and the others after their request.
    pub stop: CancellationToken,
    /// Perhaps no route is left.
    pub unused: Notify,
    /// The socket is closed, and the port free.
    pub closed: CancellationToken,
}

impl Gate {
    pub(super) fn new(port: u16) -> Self {
        Self(Mutex::new(State { port, open: None, ended: false }))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.lock().open.as_ref().map(|opening| opening.address)
    }
}

impl Opening {
    /// Takes the port on loopback; nobody outside of this machine reaches it.
    pub(super) fn bind(port: u16) -> Result<(Arc<Self>, TcpListener)> {
        let socket = listen(port).map_err(|error| explained(&error, port))?;
        let opening = Self {
            address: socket.local_addr()?,
            stop: CancellationToken::new(),
            unused: Notify::new(),
            closed: CancellationToken::new(),
        };
        Ok((Arc::new(opening), socket))
    }
}

fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // Elsewhere this would let another program share the port with us.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(BACKLOG)
}

fn explained(error: &std::io::Error, port: u16) -> Error {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::AddrInUse => {
            let text = format!("port {port} of this machine is in use by another program");
            Error::new(Code::Conflict, text)
                .hint("End that program, or choose another port for webhooks.")
        }
        Kind::PermissionDenied => {
            let text = format!("the system does not let DevRig listen on port {port}");
            Error::new(Code::Refused, text).hint("Choose a port above 1023 for webhooks.")
        }
        _ => Error::new(Code::Io, format!("listening on port {port} of this machine: {error}")),
    }
}
