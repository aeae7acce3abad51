//! Frames of the worker protocol as bytes: pure functions that both sides share.

use std::io::{self, Read, Write};

use serde::Serialize;

use crate::protocol::MAX_FRAME;
use crate::{Code, Error, Result};

/// Bytes before the payload.
pub const HEADER: usize = 4;

/// The payload's length, or an error when the other side announces more than [`MAX_FRAME`] or
/// nothing at all. To be asked before any of the payload is buffered.
pub fn payload_len(header: [u8; HEADER]) -> Result<usize> {
    let length = u32::from_le_bytes(header) as usize;
    if length == 0 {
        return Err(Error::invalid("a frame of the worker protocol is empty"));
    }
    if length > MAX_FRAME {
        return Err(too_large(length));
    }
    Ok(length)
}

/// One message as a frame, header included.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>> {
    let mut frame = vec![0; HEADER];
    serde_json::to_writer(&mut frame, message)?;
    seal(frame)
}

/// Writes the length into a frame whose first [`HEADER`] bytes were left free.
pub fn seal(mut frame: Vec<u8>) -> Result<Vec<u8>> {
    let length = frame.len() - HEADER;
    if length > MAX_FRAME {
        return Err(too_large(length));
    }
    frame[..HEADER].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(frame)
}

/// Writes one message, blocking.
pub fn write<T: Serialize>(to: &mut impl Write, message: &T) -> Result<()> {
    Ok(to.write_all(&encode(message)?)?)
}

/// Reads one payload, blocking. `None` when the stream ended between two frames.
pub fn read(from: &mut impl Read) -> Result<Option<Vec<u8>>> {
    let mut header = [0; HEADER];
    let mut filled = 0;
    while filled < HEADER {
        match from.read(&mut header[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let length = payload_len(header)?;
    // Grows with what really arrives: an announced length alone allocates nothing.
    let mut payload = Vec::new();
    from.take(length as u64).read_to_end(&mut payload)?;
    if payload.len() < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(Some(payload))
}

pub(crate) fn too_large(length: usize) -> Error {
    Error::new(
        Code::TooLarge,
        format!("a message of {length} bytes is over the worker protocol's {MAX_FRAME}"),
    )
    .hint("Send the data in smaller parts.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_reads_back() {
        let mut bytes = Vec::new();
        write(&mut bytes, &"first").unwrap();
        write(&mut bytes, &2).unwrap();
        let mut from = bytes.as_slice();
        assert_eq!(read(&mut from).unwrap().unwrap(), b"\"first\"");
        assert_eq!(read(&mut from).unwrap().unwrap(), b"2");
        assert!(read(&mut from).unwrap().is_none(), "the end between two frames is no error");
    }

    #[test]
    fn a_false_length_is_refused() {
        assert_eq!(payload_len(u32::MAX.to_le_bytes()).unwrap_err().code, Code::TooLarge);
        assert_eq!(payload_len([0; 4]).unwrap_err().code, Code::InvalidInput);
        assert_eq!(read(&mut [9, 0, 0, 0, b'{'].as_slice()).unwrap_err().code, Code::Io);
        assert_eq!(read(&mut [9, 0].as_slice()).unwrap_err().code, Code::Io);
    }

    #[test]
    fn a_message_over_the_cap_is_not_sent() {
        let error = encode(&"x".repeat(MAX_FRAME)).unwrap_err();
        assert_eq!(error.code, Code::TooLarge);
    }
}
