//! Connections that are open, each for one caller, one host and one checked address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use devrig_core::{Code, Error, Result, SharedClock, Timestamp};
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
/// Idle connections of all callers, and of one, so that none can crowd out the others.
const MAX_IDLE: usize = 128;
const MAX_IDLE_OF_CALLER: usize = 16;
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

enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    fn is_http2(&self) -> bool {
        matches!(self, Self::Http2(_))
    }

    fn is_usable(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_ready(),
            Self::Http2(sender) => sender.is_ready(),
        }
    }
}

/// Why a request got no answer.
pub(crate) struct SendError {
    pub(crate) error: hyper::Error,
    /// Nothing of it has left.
    pub(crate) unsent: bool,
}

struct Idle {
    connection: Connection,
    /// By the wall clock, which goes on while the machine sleeps.
    since: Timestamp,
}

pub(crate) struct Pool {
    idle: Mutex<HashMap<Key, Vec<Idle>>>,
    clock: SharedClock,
    tasks: TaskTracker,
    cancel: CancellationToken,
}

/// A connection in use. Unless it is given back it is closed, and if others share it, they get
/// no further requests of ours: it may be the connection that is broken.
pub(crate) struct Lease<'a> {
    pool: &'a Pool,
    key: Key,
    most: usize,
    connection: Option<Connection>,
}

impl Lease<'_> {
    pub(crate) fn is_http2(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::is_http2)
    }

    pub(crate) async fn send(
        &mut self,
        request: Outgoing,
    ) -> std::result::Result<Response<Incoming>, SendError> {
        let sent = match self.connection.as_mut().expect("taken by give_back only") {
            Connection::Http1(sender) => sender.try_send_request(request).await,
            Connection::Http2(sender) => sender.try_send_request(request).await,
        };
        sent.map_err(|mut failed| {
            let unsent = failed.take_message().is_some();
            SendError { error: failed.into_error(), unsent }
        })
    }

    /// For the next request. Only once the answer was read to its end.
    pub(crate) fn give_back(mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.put(self.key.clone(), connection, self.most);
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.is_http2()
            && let Some(list) = self.pool.lock().get_mut(&self.key)
        {
            list.retain(|idle| !idle.connection.is_http2());
        }
    }
}

impl Pool {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self {
            idle: Mutex::default(),
            clock,
            tasks: TaskTracker::new(),
            cancel: CancellationToken::new(),
        }
    }

    /// An open connection, if there is one. HTTP/2 ones stay for others to share.
    pub(crate) fn take(&self, key: Key, most: usize) -> Option<Lease<'_>> {
        let mut idle = self.swept();
        let list = idle.get_mut(&key)?;
        let connection = match list.pop()?.connection {
            Connection::Http1(sender) => Connection::Http1(sender),
            Connection::Http2(sender) => {
                let connection = Connection::Http2(sender.clone());
                list.push(Idle { connection, since: self.clock.now() });
                Connection::Http2(sender)
            }
        };
        Some(Lease { pool: self, key, most, connection: Some(connection) })
    }

    fn put(&self, key: Key, connection: Connection, most: usize) {
        if !connection.is_usable() {
            return;
        }
        let mut idle = self.swept();
        let shared = |list: &Vec<Idle>| list.iter().any(|other| other.connection.is_http2());
        if idle.get(&key).is_some_and(|list| list.len() >= most || shared(list)) {
            return;
        }
        let count = |idle: &HashMap<Key, Vec<Idle>>, of: &dyn Fn(&Key) -> bool| -> usize {
            idle.iter().filter(|(key, _)| of(key)).map(|(_, list)| list.len()).sum()
        };
        let caller = key.caller.clone();
        if count(&idle, &|key| key.caller == caller) >= MAX_IDLE_OF_CALLER {
            drop_oldest(&mut idle, |key| key.caller == caller);
        } else if count(&idle, &|_| true) >= MAX_IDLE {
            drop_oldest(&mut idle, |_| true);
        }
        idle.entry(key).or_default().push(Idle { connection, since: self.clock.now() });
    }

    pub(crate) fn forget(&self, caller: &CallerId) {
        self.lock().retain(|key, _| key.caller != *caller);
    }

    /// Speaks HTTP over a fresh stream, in the version that TLS agreed on.
    pub(crate) async fn open(&self, key: Key, stream: Stream, most: usize) -> Result<Lease<'_>> {
        let opened = match stream {
            Stream::Plain(tcp) => self.open_http1(TokioIo::new(tcp)).await,
            Stream::Tls(tls) if tls.get_ref().1.alpn_protocol() == Some(b"h2") => {
                self.open_http2(TokioIo::new(tls)).await
            }
            Stream::Tls(tls) => self.open_http1(TokioIo::new(tls)).await,
        };
        let connection = opened.map_err(|error| {
            Error::new(Code::Network, format!("{} does not speak HTTP: {error}", key.host))
        })?;
        if let Connection::Http2(sender) = &connection {
            // Shared from the start, so that requests at the same time need no second one.
            self.put(key.clone(), Connection::Http2(sender.clone()), most);
        }
        Ok(Lease { pool: self, key, most, connection: Some(connection) })
    }

    async fn open_http1<T>(&self, io: T) -> hyper::Result<Connection>
    where
        T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let (sender, connection) =
            http1::Builder::new().max_buf_size(MAX_HEAD).handshake(io).await?;
        self.drive(connection);
        Ok(Connection::Http1(sender))
    }

    async fn open_http2<T>(&self, io: T) -> hyper::Result<Connection>
    where
        T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(MAX_HEAD_H2)
            .handshake(io)
            .await?;
        self.drive(connection);
        Ok(Connection::Http2(sender))
    }

    /// Runs a connection until it ends or the pool does.
    fn drive(&self, connection: impl Future<Output = hyper::Result<()>> + Send + 'static) {
        let cancel = self.cancel.clone();
        self.tasks.spawn(async move {
            // The request that was under way has the error already.
            _ = cancel.run_until_cancelled(connection).await;
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Vec<Idle>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The idle connections, without those that are too old or closed.
    fn swept(&self) -> MutexGuard<'_, HashMap<Key, Vec<Idle>>> {
        let now = self.clock.now();
        let mut idle = self.lock();
        idle.retain(|_, list| {
            list.retain(|idle| now.since(idle.since) < IDLE && idle.connection.is_usable());
            !list.is_empty()
        });
        idle
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

fn drop_oldest(idle: &mut HashMap<Key, Vec<Idle>>, of: impl Fn(&Key) -> bool) {
    let oldest = idle
        .iter_mut()
        .filter(|(key, _)| of(key))
        .filter_map(|(_, list)| {
            let at = (0..list.len()).min_by_key(|&at| list[at].since)?;
            Some((list[at].since, list, at))
        })
        .min_by_key(|(since, ..)| *since);
    if let Some((_, list, at)) = oldest {
        list.remove(at);
    }
}
