//! The inherited socket: whole frames in, whole frames out.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use devrig_core::{Result, frame};

/// What one read brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival {
    Data,
    Nothing,
    End,
}

pub struct Channel {
    /// A `File` is the one owner of a descriptor that reads and writes through `&self` with plain
    /// `read` and `write`, which is all that the sandbox leaves.
    socket: File,
    buffer: RefCell<Vec<u8>>,
    /// How much of the buffer was handed out.
    taken: Cell<usize>,
}

impl Channel {
    pub fn new(socket: File) -> Self {
        Self { socket, buffer: RefCell::default(), taken: Cell::new(0) }
    }

    /// Sends one frame, waiting until the core has taken it.
    pub fn send(&self, frame: &[u8]) -> std::io::Result<()> {
        (&self.socket).write_all(frame)
    }

    /// Waits for at most `timeout` (for ever when `None`) and reads what is there.
    pub fn receive(&self, timeout: Option<Duration>) -> std::io::Result<Arrival> {
        // Reading waits by itself, but is woken whenever the core takes what was sent to it.
        if !self.wait(timeout)? {
            return Ok(Arrival::Nothing);
        }
        let mut buffer = self.buffer.borrow_mut();
        buffer.drain(..self.taken.take());
        // One bounded step at a time: memory follows what arrives, not what a header announces.
        let start = buffer.len();
        let step = if start < 16 * 1024 { 16 * 1024 } else { 256 * 1024 };
        buffer.resize(start + step, 0);
        let read = (&self.socket).read(&mut buffer[start..]);
        buffer.truncate(start + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Ok(Arrival::End),
            Ok(_) => Ok(Arrival::Data),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Arrival::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Blocks for one frame; `None` when the core went away.
    pub fn next_frame(&self) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(payload) = self.next()? {
                return Ok(Some(payload));
            }
            if self.receive(None)? == Arrival::End {
                return Ok(None);
            }
        }
    }

    /// Takes the next complete frame out of what has been received.
    pub fn next(&self) -> Result<Option<Vec<u8>>> {
        let mut buffer = self.buffer.borrow_mut();
        let rest = &buffer[self.taken.get()..];
        let Some(header) = rest.first_chunk() else { return Ok(None) };
        let end = frame::HEADER + frame::payload_len(*header)?;
        if rest.len() < end {
            return Ok(None);
        }
        let payload = rest[frame::HEADER..end].to_vec();
        self.taken.set(self.taken.get() + end);
        if self.taken.get() == buffer.len() {
            self.taken.set(0);
            buffer.clear();
            // A large frame must not pin its memory for the worker's life.
            buffer.shrink_to(256 * 1024);
        }
        Ok(Some(payload))
    }

    #[cfg(unix)]
    fn wait(&self, timeout: Option<Duration>) -> std::io::Result<bool> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};

        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs() as _,
            tv_nsec: timeout.subsec_nanos() as _,
        });
        let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(unix))]
    fn wait(&self, _timeout: Option<Duration>) -> std::io::Result<bool> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn pair() -> (UnixStream, Channel) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (ours, Channel::new(File::from(OwnedFd::from(theirs))))
    }

    #[test]
    fn frames_are_whole_however_the_bytes_arrive() {
        let (mut core, channel) = pair();
        let bytes = [frame::encode(&"one").unwrap(), frame::encode(&"two").unwrap()].concat();
        for byte in &bytes[..bytes.len() - 1] {
            core.write_all(&[*byte]).unwrap();
            assert_eq!(channel.receive(None).unwrap(), Arrival::Data);
        }
        assert_eq!(channel.next().unwrap().unwrap(), b"\"one\"");
        assert!(channel.next().unwrap().is_none());
        core.write_all(&bytes[bytes.len() - 1..]).unwrap();
        channel.receive(None).unwrap();
        assert_eq!(channel.next().unwrap().unwrap(), b"\"two\"");
        assert_eq!(channel.receive(Some(Duration::ZERO)).unwrap(), Arrival::Nothing);
        drop(core);
        assert_eq!(channel.receive(None).unwrap(), Arrival::End);
    }

    #[test]
    fn a_false_length_is_an_error_before_anything_is_buffered() {
        let (mut core, channel) = pair();
        core.write_all(&u32::MAX.to_le_bytes()).unwrap();
        channel.receive(None).unwrap();
        assert!(channel.next().is_err());
        assert!(channel.buffer.borrow().capacity() < 1024 * 1024);
    }
}
