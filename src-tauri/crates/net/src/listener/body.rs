//! Reading a body without giving it more room or time than it may have.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use super::refusal::Refusal;

/// What is still read of a body that was refused, so that a client that only reads after it has
/// written everything sees the refusal. Closing at once would reset the connection instead.
const LINGER_BYTES: usize = 16 * 1024 * 1024;
const LINGER: Duration = Duration::from_secs(2);
/// A length is only a promise: memory comes with the bytes.
const FIRST_ROOM: usize = 64 * 1024;

/// The whole body.
pub(super) async fn read(
    body: &mut Incoming,
    limit: usize,
    within: Duration,
) -> Result<Bytes, Refusal> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > limit as u64 {
        return Err(Refusal::Body { limit });
    }
    match tokio::time::timeout(within, collect(body, limit)).await {
        Ok(read) => read,
        Err(_) => Err(Refusal::Slow { within }),
    }
}

async fn collect(body: &mut Incoming, limit: usize) -> Result<Bytes, Refusal> {
    let first = next(body, 0, limit).await?.unwrap_or_default();
    // What arrived in one piece stays where it is.
    let Some(second) = next(body, first.len(), limit).await? else {
        return Ok(first);
    };
    let mut whole = BytesMut::with_capacity(FIRST_ROOM.min(limit).max(first.len() + second.len()));
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second);
    while let Some(data) = next(body, whole.len(), limit).await? {
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// The next data after so many bytes; trailers are passed over.
async fn next(body: &mut Incoming, read: usize, limit: usize) -> Result<Option<Bytes>, Refusal> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Broken)?;
        if let Ok(data) = frame.into_data() {
            let fits = data.len() <= limit - read;
            return if fits { Ok(Some(data)) } else { Err(Refusal::Body { limit }) };
        }
    }
    Ok(None)
}

/// Reads on for a while, into nothing.
pub(super) async fn linger(mut body: Incoming) {
    let drain = async {
        let mut left = LINGER_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    _ = tokio::time::timeout(LINGER, drain).await;
}
