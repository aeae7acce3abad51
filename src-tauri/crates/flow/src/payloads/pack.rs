//! A value as it lies in the table: its JSON, compressed, in parts.

use std::io::{BufWriter, Read, Write};

use devrig_core::{Error, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::run::Stored;

/// The writer takes so much in a few milliseconds.
pub const PART: usize = 512 * 1024;
/// The quickest but one: further levels cost more time than they save in writing.
const LEVEL: i32 = 1;

/// A value that is ready to be written.
pub struct Packed {
    pub stored: Stored,
    pub parts: Vec<Vec<u8>>,
}

/// Hashes and compresses the JSON while it is written, so that it is never there as a whole.
///
/// # Errors
/// What compressing meets.
pub fn pack(value: &Value) -> Result<Packed> {
    let packing = zstd::Encoder::new(Parts::default(), LEVEL)?;
    let counted = Counted { hash: Sha256::new(), size: 0, to: packing };
    let mut writer = BufWriter::with_capacity(64 * 1024, counted);
    serde_json::to_writer(&mut writer, value)?;
    let counted = writer.into_inner().map_err(|error| Error::from(error.into_error()))?;
    let Counted { hash, size, to } = counted;
    let Parts(parts) = to.finish()?;
    let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Packed { stored: Stored { hash, size }, parts })
}

/// The value of `size` bytes that was packed. Of the parts, the JSON and the value no more than two
/// are there at a time.
///
/// # Errors
/// `INTERNAL` for what was damaged. No more is read than `size`, so that a damaged file cannot fill
/// the memory.
pub fn unpack(parts: Vec<Vec<u8>>, size: usize) -> Result<Value> {
    let damaged = |why: String| Error::internal(format!("a large value is damaged: {why}"));
    let mut json = Vec::with_capacity(size + 1);
    zstd::Decoder::new(Chained { parts: &parts, at: 0 })?
        .take(size as u64 + 1)
        .read_to_end(&mut json)
        .map_err(|error| damaged(error.to_string()))?;
    drop(parts);
    if json.len() != size {
        return Err(damaged(format!("{size} bytes were expected")));
    }
    serde_json::from_slice(&json).map_err(|error| damaged(error.to_string()))
}

struct Counted<W> {
    hash: Sha256,
    size: u64,
    to: W,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

/// What is written, in parts of one length but the last.
#[derive(Default)]
struct Parts(Vec<Vec<u8>>);

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.last().is_none_or(|part| part.len() >= PART) {
            self.0.push(Vec::new());
        }
        let Some(part) = self.0.last_mut() else { return Ok(0) };
        let taken = bytes.len().min(PART - part.len());
        part.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Parts, read one after the other.
struct Chained<'a> {
    parts: &'a [Vec<u8>],
    /// How much of the first was read.
    at: usize,
}

impl Read for Chained<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while let Some((first, rest)) = self.parts.split_first() {
            let left = &first[self.at..];
            if left.is_empty() {
                (self.parts, self.at) = (rest, 0);
                continue;
            }
            let taken = left.len().min(into.len());
            into[..taken].copy_from_slice(&left[..taken]);
            self.at += taken;
            return Ok(taken);
        }
        Ok(0)
    }
}
