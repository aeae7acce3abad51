//! Connections that are open, each for one caller, one host and one checked address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use devrig_core::{Code, Error, Result};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connect::Stream;
use crate::limits::CallerId;

/// Servers close idle connections after 60 s or more, as a rule.
const IDLE: Duration = Duration::from_secs(50);
/// Idle connections of all callers together.
const MAX_IDLE: usize = 128;
/// Response headers, so that a server cannot fill our memory with them.
const MAX_HEAD: usize = 128 * 1024;
const MAX_HEAD_H2: u32 = 128 * 1024;

pub(crate) type Outgoing = Request<Full<Bytes>>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) caller: CallerId,
    pub(crate) https: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) ip: IpAddr,
}

pub(crate) enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// Why a request got no answer, and the request if it was never sent.
pub(crate) struct SendError {
    pub(crate) error: hyper::Error,
    pub(crate) unsent: bool,
}

impl Connection {
    pub(crate) fn is_http2(&self) -> bool {
        matches!(self, Self::Http2(_))
    }

    pub(crate) async fn send(
        &mut self,
        request: Outgoing,
    ) -> std::result::Result<Response<Incoming>, SendError> {
        let sent = match self {
            Self::Http1(sender) => sender.try_send_request(request).await,
            Self::Http2(sender) => sender.try_send_request(request).await,
        };
        sent.map_err(|mut failed| {
            let unsent = failed.take_message().is_some();
            SendError {
                error: failed.into_error(),
                unsent,
            }
        })
    }

    fn is_usable(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_ready(),
            Self::Http2(sender) => sender.is_ready(),
        }
    }
}

#[derive(Default)]
pub(crate) struct Pool {
    idle: Mutex<HashMap<Key, Vec<(Connection, Instant)>>>,
    tasks: TaskTracker,
    cancel: CancellationToken,
}

impl Pool {
    /// An open connection, if there is one. HTTP/2 ones stay for others to share.
    pub(crate) fn take(&self, key: &Key) -> Option<Connection> {
        let mut idle = self.lock();
        sweep(&mut idle);
        let list = idle.get_mut(key)?;
        let taken = list.pop()?;
        let connection = match taken {
            (Connection::Http2(sender), _) => {
                list.push((Connection::Http2(sender.clone()), Instant::now()));
                Connection::Http2(sender)
            }
            (connection, _) => connection,
        };
        if list.is_empty() {
            idle.remove(key);
        }
        Some(connection)
    }

    /// Keeps a connection for the next request.
    pub(crate) fn put(&self, key: Key, connection: Connection, most: usize) {
        if !connection.is_usable() {
            return;
        }
        let mut idle = self.lock();
        sweep(&mut idle);
        let total: usize = idle.values().map(Vec::len).sum();
        let list = idle.entry(key).or_default();
        let shared = connection.is_http2() && list.iter().any(|(other, _)| other.is_http2());
        if total < MAX_IDLE && list.len() < most && !shared {
            list.push((connection, Instant::now()));
        }
    }

    pub(crate) fn forget(&self, caller: &CallerId) {
        self.lock().retain(|key, _| key.caller != *caller);
    }

    /// Speaks HTTP over a fresh stream, in the version that TLS agreed on.
    pub(crate) async fn open(&self, host: &str, stream: Stream) -> Result<Connection> {
        let failed = |error: hyper::Error| {
            Error::new(
                Code::Network,
                format!("{host} does not speak HTTP: {error}"),
            )
        };
        match stream {
            Stream::Plain(tcp) => self.open_http1(TokioIo::new(tcp)).await.map_err(failed),
            Stream::Tls(tls) if tls.get_ref().1.alpn_protocol() == Some(b"h2") => {
                let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .max_header_list_size(MAX_HEAD_H2)
                    .handshake(TokioIo::new(tls))
                    .await
                    .map_err(failed)?;
                self.drive(connection);
                Ok(Connection::Http2(sender))
            }
            Stream::Tls(tls) => self.open_http1(TokioIo::new(tls)).await.map_err(failed),
        }
    }

    async fn open_http1<T>(&self, io: T) -> hyper::Result<Connection>
    where
        T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .handshake(io)
            .await?;
        self.drive(connection);
        Ok(Connection::Http1(sender))
    }

    /// Runs a connection until it ends or the pool does.
    fn drive(&self, connection: impl Future<Output = hyper::Result<()>> + Send + 'static) {
        let cancel = self.cancel.clone();
        self.tasks.spawn(async move {
            // The request that was under way has the error already.
            _ = cancel.run_until_cancelled(connection).await;
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Vec<(Connection, Instant)>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

fn sweep(idle: &mut HashMap<Key, Vec<(Connection, Instant)>>) {
    idle.retain(|_, list| {
        list.retain(|(connection, since)| since.elapsed() < IDLE && connection.is_usable());
        !list.is_empty()
    });
}
