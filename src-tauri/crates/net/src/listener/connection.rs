//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::pace::{Pace, Wire};
use super::shared::Shared;
use super::visit::Visit;

/// Heads must fit into it, and bodies come in pieces of at most this size.
const READ_BUFFER: usize = 64 * 1024;

/// Serves requests until the client, the listener or the time says otherwise.
///
/// HTTP/1.1 alone: senders and tunnels speak it to a local server, and HTTP/2 would bring limits
/// of its own to get right (streams, resets, header compression) for no gain on loopback.
pub(super) async fn serve(shared: Arc<Shared>, stop: CancellationToken, stream: TcpStream) {
    let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let remote = stream.peer_addr().unwrap_or(nowhere);
    let pace = Arc::new(Pace::new(shared.patience, Instant::now()));
    let visit = Visit { shared: Arc::clone(&shared), remote };
    let service = service_fn(|request| async {
        pace.request_began(Instant::now());
        let response = visit.answer(request).await;
        pace.request_ended(Instant::now());
        Ok::<_, Infallible>(response)
    });
    let io = TokioIo::new(Wire { stream, pace: Arc::clone(&pace) });
    let mut http = http1::Builder::new();
    // No timer of hyper's, see `pace`.
    http.max_buf_size(READ_BUFFER).header_read_timeout(None);
    let connection = http.serve_connection(io, service);
    tokio::select! {
        biased;
        () = shared.kill.cancelled() => {}
        () = until_stopped(connection, &stop) => {}
        () = until_overdue(&pace) => {}
    }
}

/// To the end of the connection; once stopped, to the end of the request that is under way.
async fn until_stopped<I, S>(connection: http1::Connection<I, S>, stop: &CancellationToken)
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    S: HttpService<Incoming, ResBody = Full<Bytes>>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        // However it ends: what there was to say to the client was said over it.
        _ = connection.as_mut() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    _ = connection.await;
}

async fn until_overdue(pace: &Pace) {
    loop {
        let now = Instant::now();
        let again = pace.look_again(now);
        if again <= now {
            return;
        }
        tokio::time::sleep_until(again).await;
    }
}
