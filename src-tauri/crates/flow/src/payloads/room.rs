//! How much of large values is in memory at a time, of all runs together.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// In kilobytes of JSON. A node has what it reads two or three times: as values, as its input and as
/// its output; so this stands for some 25 MB.
const ROOM: u32 = 8 * 1024;
/// Who has waited so long goes on without: a node that takes its time must not hold up all others.
const PATIENCE: Duration = Duration::from_secs(10);

static FREE: Semaphore = Semaphore::const_new(ROOM as usize);

/// Room that somebody has, until it is dropped.
#[derive(Debug)]
pub struct Held {
    _permit: Option<SemaphorePermit<'static>>,
}

/// Room for so many bytes, as soon as there is some. Whoever has room never waits for more, and what
/// is larger than all of it takes all of it, so that everybody has their turn.
pub async fn room(bytes: u64) -> Held {
    let wanted = u32::try_from(bytes.div_ceil(1024)).unwrap_or(ROOM).min(ROOM);
    let permit = tokio::time::timeout(PATIENCE, FREE.acquire_many(wanted)).await;
    Held { _permit: permit.ok().and_then(Result::ok) }
}
