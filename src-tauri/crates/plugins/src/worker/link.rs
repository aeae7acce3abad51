//! Frames on the socket: bounded in size, number and time.

use std::sync::Weak;
use std::time::{Duration, Instant};

use devrig_core::error::Context;
use devrig_core::frame::{HEADER, payload_len};
use devrig_core::{Code, Error, Result};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Ended, Inner};

/// A frame that has begun must be complete by then: half a frame is an attack or a defect.
const WHOLE: Duration = Duration::from_secs(10);

/// Sends what waits, one frame after the other.
pub async fn write(
    worker: Weak<Inner>,
    mut socket: impl AsyncWrite + Unpin + Send,
    mut queue: mpsc::Receiver<Vec<u8>>,
    over: CancellationToken,
) {
    loop {
        let frame = tokio::select! {
            () = over.cancelled() => return,
            frame = queue.recv() => frame,
        };
        let Some(frame) = frame else { return };
        let written = tokio::select! {
            () = over.cancelled() => return,
            written = socket.write_all(&frame) => written,
        };
        if written.is_err() {
            // The reader sees the end of the stream too, and knows more about it.
            tokio::time::sleep(Duration::from_millis(200)).await;
            if let Some(worker) = worker.upgrade() {
                worker.end(Ended::broke("crash", "the plugin worker does not listen any more"));
            }
            return;
        }
    }
}

/// Waits for the next frame's header and gives its payload's length; `None` at the end of the
/// stream.
pub async fn header(socket: &mut (impl AsyncRead + Unpin)) -> Result<Option<usize>> {
    let mut header = [0; HEADER];
    match socket.read(&mut header[..1]).await {
        Ok(0) | Err(_) => return Ok(None),
        Ok(_) => {}
    }
    whole(async { Ok(socket.read_exact(&mut header[1..]).await.map(drop)?) }).await?;
    payload_len(header).map(Some)
}

/// Reads a payload. Memory follows what arrives, not what was announced.
pub async fn payload(socket: &mut (impl AsyncRead + Unpin), length: usize) -> Result<Vec<u8>> {
    let mut payload = Vec::new();
    whole(async {
        socket.take(length as u64).read_to_end(&mut payload).await?;
        Ok(())
    })
    .await?;
    if payload.len() < length {
        return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
    }
    Ok(payload)
}

async fn whole(read: impl Future<Output = Result<()>>) -> Result<()> {
    match tokio::time::timeout(WHOLE, read).await {
        Ok(read) => read.context("reading a frame"),
        Err(_) => Err(Error::new(Code::Timeout, "a frame was begun and not ended")),
    }
}

/// How many frames a worker may send. Beyond that it is slowed down, and who goes on regardless is
/// ended: ten million tiny frames must not keep the core busy.
pub struct Rate {
    window: Instant,
    frames: u32,
    strikes: u32,
}

const FRAMES_A_SECOND: u32 = 20_000;
const STRIKES: u32 = 10;

impl Rate {
    pub fn new() -> Self {
        Self { window: Instant::now(), frames: 0, strikes: 0 }
    }

    /// Counts a frame: nothing to do, a pause, or an end.
    pub fn count(&mut self, now: Instant) -> Pace {
        const SECOND: Duration = Duration::from_secs(1);
        let passed = now.duration_since(self.window);
        if passed >= SECOND {
            if self.frames < FRAMES_A_SECOND {
                self.strikes = 0;
            }
            (self.window, self.frames) = (now, 0);
        }
        self.frames += 1;
        if self.frames < FRAMES_A_SECOND {
            return Pace::Go;
        }
        self.strikes += 1;
        match self.strikes {
            STRIKES.. => Pace::End,
            _ => Pace::Pause(SECOND.saturating_sub(now.duration_since(self.window))),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum Pace {
    Go,
    Pause(Duration),
    End,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_slowed_and_floods_ended() {
        let mut rate = Rate::new();
        let mut now = rate.window;
        let mut burst = |rate: &mut Rate| loop {
            now += Duration::from_micros(10);
            match rate.count(now) {
                Pace::Go => {}
                Pace::Pause(pause) => {
                    now += pause;
                    return Pace::Pause(pause);
                }
                Pace::End => return Pace::End,
            }
        };
        for _ in 0..9 {
            assert!(matches!(burst(&mut rate), Pace::Pause(pause) if pause > Duration::ZERO));
        }
        assert_eq!(burst(&mut rate), Pace::End);
    }

    #[test]
    fn an_ordinary_second_forgives() {
        let mut rate = Rate::new();
        let start = rate.window;
        for round in 0..50 {
            let busy = start + Duration::from_secs(round * 4);
            for _ in 0..FRAMES_A_SECOND {
                assert_ne!(rate.count(busy), Pace::End);
            }
            rate.count(busy + Duration::from_secs(1));
            rate.count(busy + Duration::from_secs(2));
        }
    }

    #[tokio::test]
    async fn a_false_length_allocates_nothing() {
        let mut bytes: &[u8] = &[255, 255, 255, 255, 0];
        assert!(header(&mut bytes).await.is_err());
        let mut bytes: &[u8] = &[1, 2];
        assert!(header(&mut bytes).await.is_err());
        let mut bytes: &[u8] = b"abc";
        assert!(payload(&mut bytes, 1000).await.is_err());
        assert_eq!(header(&mut std::io::Cursor::new([])).await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_frame_then_silence_ends() {
        let (mut ours, theirs) = tokio::io::duplex(64);
        ours.write_all(&[8, 0, 0, 0, b'{']).await.unwrap();
        let mut theirs = theirs;
        let length = header(&mut theirs).await.unwrap().unwrap();
        assert_eq!(payload(&mut theirs, length).await.unwrap_err().code, Code::Timeout);
    }
}
