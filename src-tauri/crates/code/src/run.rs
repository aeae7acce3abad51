//! What is run.

use std::fmt;
use std::sync::Arc;

use devrig_core::protocol::MAX_FRAME;
use devrig_core::snippet::{Budget, MAX_SOURCE, SourceHash};
use devrig_core::{Code, Error, Result};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// What an answer holds beside the output.
const BESIDE_OUTPUT: usize = 1024 * 1024;

/// The source of a snippet: the body of an async function that sees `input`, `trigger`, `nodes`,
/// `variables` and `loop`, and returns its output. Cheap to clone; keep it, for making one hashes
/// the source.
#[derive(Clone)]
pub struct Snippet {
    source: Arc<str>,
    hash: SourceHash,
}

impl Snippet {
    /// # Errors
    /// `TOO_LARGE` for a source over 256 KB. Whether it parses, [`crate::CodePool::check`] says.
    pub fn new(source: impl Into<Arc<str>>) -> Result<Self> {
        let source = source.into();
        if source.len() > MAX_SOURCE {
            return Err(Error::new(
                Code::TooLarge,
                format!("the code has {} bytes; {MAX_SOURCE} are allowed", source.len()),
            )
            .hint("Move data out of the code, into the node's input or a file."));
        }
        let mut hash = SourceHash::default();
        let digest = Sha256::digest(source.as_bytes());
        hash.copy_from_slice(&digest[..size_of::<SourceHash>()]);
        Ok(Self { source, hash })
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn hash(&self) -> SourceHash {
        self.hash
    }
}

impl fmt::Debug for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snippet({} bytes)", self.source.len())
    }
}

/// One run of a snippet.
#[derive(Debug, Clone)]
pub struct CodeRun {
    pub snippet: Snippet,
    /// A JSON object; its fields `input`, `trigger`, `nodes`, `variables` and `loop` are what the
    /// snippet sees. It pays for all that is in there, so leave out what it does not name.
    pub input: Box<RawValue>,
    pub budget: Budget,
}

impl CodeRun {
    /// Refuses what no worker could take.
    pub(crate) fn check(&self, most_heap: u64) -> Result<()> {
        let budget = &self.budget;
        if budget.heap_bytes > most_heap {
            return Err(Error::invalid(format!(
                "the code may not use {} MB of memory; the most is {} MB",
                budget.heap_bytes >> 20,
                most_heap >> 20
            ))
            .hint("Lower the memory of the node."));
        }
        if budget.output_bytes as usize > MAX_FRAME - BESIDE_OUTPUT {
            return Err(Error::invalid(format!(
                "an output of {} bytes cannot be passed on; the most is {}",
                budget.output_bytes,
                MAX_FRAME - BESIDE_OUTPUT
            ))
            .hint("Lower the output of the node."));
        }
        let size = self.input.get().len() + self.snippet.source.len();
        if size > MAX_FRAME - BESIDE_OUTPUT {
            return Err(Error::new(
                Code::TooLarge,
                format!("the input of the code has {size} bytes, which cannot be passed on"),
            )
            .hint("Take less into the node: select the fields that the code needs before it."));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(budget: Budget, input: String) -> CodeRun {
        let snippet = Snippet::new("return 1").unwrap();
        CodeRun { snippet, input: RawValue::from_string(input).unwrap(), budget }
    }

    #[test]
    fn what_no_worker_could_take_is_refused() {
        let small = || "{}".to_owned();
        let usual = Budget::default();
        assert!(run(usual, small()).check(usual.heap_bytes).is_ok());
        let error = run(usual, small()).check(usual.heap_bytes - 1).unwrap_err();
        assert!(error.message.contains("32 MB of memory"), "{error}");
        let wide = Budget { output_bytes: u32::MAX, ..usual };
        assert!(run(wide, small()).check(u64::MAX).unwrap_err().message.contains("output"));
        let error = run(usual, format!("\"{}\"", "x".repeat(MAX_FRAME))).check(u64::MAX);
        assert_eq!(error.unwrap_err().code, Code::TooLarge);
        let error = Snippet::new("x".repeat(MAX_SOURCE + 1)).unwrap_err();
        assert_eq!(error.code, Code::TooLarge);
    }
}
