//! What one rendering may cost.

use devrig_core::{Code, Error, Result};

/// Counted in steps and in bytes, so that it ends at the same place on every machine.
#[derive(Debug)]
pub(crate) struct Budget {
    steps: u64,
    bytes: usize,
    limits: Limits,
}

/// Bounds of one rendering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that come out, and that a helper may make on the way.
    pub output: usize,
    /// Tags, rounds of loops and pieces of text that are worked on.
    pub steps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { output: 1024 * 1024, steps: 1_000_000 }
    }
}

/// Bytes of text that cost as much as one tag.
const BYTES_PER_STEP: usize = 64;

impl Budget {
    pub fn new(limits: Limits) -> Self {
        Self { steps: limits.steps, bytes: limits.output, limits }
    }

    /// An account for text that a helper makes, which is not what comes out in the end.
    pub fn fork(&self) -> Self {
        Self { bytes: self.limits.output, ..*self }
    }

    /// Takes over the steps of an account made by [`Budget::fork`].
    pub fn merge(&mut self, fork: &Budget) {
        self.steps = fork.steps;
    }

    pub fn step(&mut self) -> Result<()> {
        self.work(1)
    }

    pub fn work(&mut self, steps: usize) -> Result<()> {
        match self.steps.checked_sub(steps as u64) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err(Error::new(
                Code::TooLarge,
                format!("the template takes more than {} steps", self.limits.steps),
            )
            .hint("Loop over less, or filter the list in an earlier step.")),
        }
    }

    /// Work on so many bytes of text.
    pub fn read(&mut self, bytes: usize) -> Result<()> {
        self.work(bytes / BYTES_PER_STEP)
    }

    /// Bytes that come out.
    pub fn write(&mut self, bytes: usize) -> Result<()> {
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                self.read(bytes)
            }
            None => Err(self.too_large()),
        }
    }

    /// Whether a helper may make so many bytes, asked before it makes them.
    pub fn allow(&mut self, bytes: usize) -> Result<()> {
        if bytes > self.limits.output { Err(self.too_large()) } else { self.read(bytes) }
    }

    fn too_large(&self) -> Error {
        Error::new(
            Code::TooLarge,
            format!("the text gets longer than {} bytes", self.limits.output),
        )
        .hint("Shorten what is written, with truncate or slice.")
    }
}
