//! How long a connection may take over what it is doing.
//!
//! hyper has one timeout for both the wait between requests and the reading of a head. Senders
//! and tunnels keep connections for minutes, while a head that takes minutes is an attack. So the
//! two are told apart here, by a note of what the connection did last; no timer is touched on
//! the way of a request.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Part of a head has come, or a fresh connection owes its first.
const HEAD: u8 = 0;
/// With the listener, which has limits of its own for it.
const REQUEST: u8 = 1;
/// Between requests; a reply may still be on its way out.
const REST: u8 = 2;

/// How long each may last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub head: Duration,
    pub rest: Duration,
}

/// What a connection is doing, and since when. Its own task alone reads and writes it.
#[derive(Debug)]
pub(super) struct Pace {
    patience: Patience,
    start: Instant,
    phase: AtomicU8,
    since_ms: AtomicU64,
}

impl Pace {
    pub(super) fn new(patience: Patience, now: Instant) -> Self {
        let phase = AtomicU8::new(HEAD);
        Self { patience, start: now, phase, since_ms: AtomicU64::new(0) }
    }

    pub(super) fn request_began(&self, now: Instant) {
        self.enter(REQUEST, now);
    }

    pub(super) fn request_ended(&self, now: Instant) {
        self.enter(REST, now);
    }

    fn bytes_came(&self) {
        // The clock is only asked where the answer matters.
        if self.phase.load(Relaxed) == REST {
            self.enter(HEAD, Instant::now());
        }
    }

    fn enter(&self, phase: u8, now: Instant) {
        self.phase.store(phase, Relaxed);
        let since = u64::try_from((now - self.start).as_millis()).unwrap_or(u64::MAX);
        self.since_ms.store(since, Relaxed);
    }

    /// When to look again; a moment that is not after `now` says that the connection is overdue.
    pub(super) fn look_again(&self, now: Instant) -> Instant {
        let since = self.start + Duration::from_millis(self.since_ms.load(Relaxed));
        // What is at rest now may begin a head any moment.
        let next_head = now + self.patience.head;
        match self.phase.load(Relaxed) {
            HEAD => since + self.patience.head,
            REST => next_head.min(since + self.patience.rest),
            _ => next_head,
        }
    }
}

/// The socket, telling of bytes that come.
#[derive(Debug)]
pub(super) struct Wire {
    pub stream: TcpStream,
    pub pace: Arc<Pace>,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.pace.bytes_came();
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience =
        Patience { head: Duration::from_secs(10), rest: Duration::from_secs(120) };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn overdue(pace: &Pace, now: Instant) -> bool {
        pace.look_again(now) <= now
    }

    #[test]
    fn a_head_has_seconds_and_a_rest_has_minutes() {
        let start = Instant::now();
        let pace = Pace::new(PATIENCE, start);
        assert!(!overdue(&pace, start + seconds(9)), "a fresh connection has time for its head");
        assert!(overdue(&pace, start + seconds(10)));

        pace.request_began(start + seconds(5));
        assert!(!overdue(&pace, start + seconds(1000)), "a request has limits of its own");

        pace.request_ended(start + seconds(1000));
        assert!(!overdue(&pace, start + seconds(1119)));
        assert!(overdue(&pace, start + seconds(1120)));
    }

    #[test]
    fn dripping_bytes_do_not_buy_time() {
        let pace = Pace::new(PATIENCE, Instant::now());
        pace.request_began(Instant::now());
        pace.request_ended(Instant::now());
        pace.bytes_came();
        let first = pace.look_again(Instant::now());
        pace.bytes_came();
        assert_eq!(pace.look_again(Instant::now()), first);
    }

    #[test]
    fn a_look_is_never_later_than_the_next_head_could_be_due() {
        let start = Instant::now();
        let pace = Pace::new(PATIENCE, start);
        pace.request_began(start);
        assert_eq!(pace.look_again(start + seconds(50)), start + seconds(60));
        pace.request_ended(start);
        assert_eq!(pace.look_again(start), start + seconds(10));
        assert_eq!(pace.look_again(start + seconds(115)), start + seconds(120));
    }
}
