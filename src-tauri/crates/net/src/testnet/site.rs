//! One server: what reached it, and what it replies.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{Shared, lock};

pub(super) type Handler = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// A request that reached a server.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The address in the test internet.
    pub address: SocketAddr,
    /// Requests over one connection have the same number.
    pub connection: u64,
    pub http2: bool,
    pub method: String,
    /// The authority that was asked for.
    pub authority: String,
    /// Path and query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Seen {
    /// The authority without its port.
    pub fn host(&self) -> &str {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => &self.authority,
        }
    }

    /// A header's value; empty when it did not come.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What a server does with a request.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    chunk: Bytes,
    times: u64,
    every: Duration,
    after: Duration,
    hang_up: bool,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            chunk: body.into(),
            times: 1,
            every: Duration::ZERO,
            after: Duration::ZERO,
            hang_up: false,
        }
    }

    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::new(200, body)
    }

    pub fn redirect(status: u16, location: &str) -> Self {
        Self::new(status, "").header("location", location)
    }

    /// Closes the connection without an answer.
    pub fn hang_up() -> Self {
        Self { hang_up: true, ..Self::new(500, "") }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends the body this many times over, with a pause before each but the first.
    #[must_use]
    pub fn repeat(mut self, times: u64, every: Duration) -> Self {
        (self.times, self.every) = (times, every);
        self
    }

    /// Waits before it answers.
    #[must_use]
    pub fn after(mut self, pause: Duration) -> Self {
        self.after = pause;
        self
    }
}

/// One connection to a server.
pub(super) struct Visit {
    pub shared: Arc<Shared>,
    pub handler: Handler,
    pub address: SocketAddr,
    pub connection: u64,
}

impl Visit {
    pub(super) async fn serve(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        let Some(tls) = tls else {
            return self.speak(TokioIo::new(stream), false).await;
        };
        // A client that does not believe the certificate goes away here.
        if let Ok(stream) = tls.accept(stream).await {
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            self.speak(TokioIo::new(stream), http2).await;
        }
    }

    async fn speak<T>(self, io: T, http2: bool)
    where
        T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let visit = Arc::new(self);
        let service = service_fn(move |request| {
            let visit = Arc::clone(&visit);
            async move { visit.answer(request, http2).await }
        });
        // However the client ends it: what matters was recorded.
        if http2 {
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            _ = server.serve_connection(io, service).await;
        } else {
            let server = hyper::server::conn::http1::Builder::new();
            _ = server.serve_connection(io, service).await;
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        http2: bool,
    ) -> io::Result<Response<UnsyncBoxBody<Bytes, Infallible>>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let host = head.headers.get("host").and_then(|value| value.to_str().ok());
        let authority = head.uri.authority().map(|authority| authority.as_str()).or(host);
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let seen = Seen {
            address: self.address,
            connection: self.connection,
            http2,
            method: head.method.to_string(),
            authority: authority.unwrap_or_default().to_owned(),
            path: path.to_owned(),
            headers: head.headers,
            body,
        };
        let reply = (self.handler)(&seen);
        lock(&self.shared.seen).push(seen);
        tokio::time::sleep(reply.after).await;
        if reply.hang_up {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(response(reply))
    }
}

fn response(reply: Reply) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
    let Reply { status, headers, chunk, times, every, .. } = reply;
    let chunks = futures::stream::iter(0..times).then(move |index| {
        let chunk = chunk.clone();
        async move {
            if index > 0 && !every.is_zero() {
                tokio::time::sleep(every).await;
            }
            Ok(Frame::data(chunk))
        }
    });
    let mut response = Response::new(StreamBody::new(chunks).boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(status).expect("a test names a valid status");
    for (name, value) in headers {
        response.headers_mut().append(
            HeaderName::from_bytes(name.as_bytes()).expect("a test names a valid header"),
            HeaderValue::from_str(&value).expect("a test gives a valid header value"),
        );
    }
    response
}
