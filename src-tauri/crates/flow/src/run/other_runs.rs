//! What a run asks of what is around it: other runs, requests, people.

use async_trait::async_trait;
use devrig_core::{Error, Result, Timestamp};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{Output, RunRow, RunStatus};
pub use crate::table::wait::Came;

/// Where a run came to rest.
#[derive(Debug, Clone)]
pub struct Rest {
    pub status: RunStatus,
    pub output: Value,
    /// Where the output is, when it is large and nobody has read it back: then `output` is null.
    pub stored: Option<Output>,
    pub error: Option<Error>,
}

impl Rest {
    /// Without an output.
    pub fn of(status: RunStatus, error: Option<Error>) -> Self {
        Self { status, output: Value::Null, stored: None, error }
    }

    /// That of a run which completed.
    pub fn with(output: Output) -> Self {
        let rest = Self::of(RunStatus::Completed, None);
        match output {
            Output::Here(output) => Self { output, ..rest },
            stored => Self { stored: Some(stored), ..rest },
        }
    }
}

/// What comes from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitKind {
    /// A request to the run's own address.
    Request,
    /// A person who says yes or no.
    Approval,
    /// The end of another run.
    Run,
}

impl WaitKind {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Approval => "approval",
            Self::Run => "run",
        }
    }
}

/// What a node waits for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The path of the node.
    pub node: String,
    pub kind: WaitKind,
    pub until: Option<Timestamp>,
    /// What a person is asked, and who.
    pub message: Option<String>,
    pub who: Option<String>,
}

/// A flow that a node calls.
pub struct Call<'a> {
    pub caller: &'a RunRow,
    /// The path of the node that calls.
    pub node: &'a str,
    pub flow: String,
    /// The live one when absent.
    pub version: Option<i64>,
    pub input: Value,
    /// Nobody waits for its end.
    pub detached: bool,
}

/// A run that was called: now, or before a crash.
pub struct Called {
    pub run: String,
    pub stands: Stands,
}

/// How a called run stands.
pub enum Stands {
    Ended(Box<Rest>),
    /// It goes on in this process, and tells when it comes to rest.
    Here(oneshot::Receiver<Rest>),
    /// Its end will wake the caller.
    Elsewhere,
}

/// Where a run reaches others.
#[async_trait]
pub trait OtherRuns: Send + Sync {
    /// Calls a flow, once for each node of a run, however often this is asked.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT` when it has no live version, `FLOW_FAILED` when flows call each other
    /// too deep.
    async fn call(&self, call: Call<'_>) -> Result<Called>;

    /// What came for a node of `run`, which waits for it from now on. `over` closes the wait where
    /// nothing came.
    ///
    /// # Errors
    /// What the store meets.
    async fn ask(&self, run: &str, asked: &Asked, over: bool) -> Result<Came>;

    /// Ends a run that nobody waits for any more.
    async fn let_go(&self, run: &str);

    /// Where the requests go that resume a run. None where nothing listens.
    fn address(&self, run: &str) -> Option<String>;
}
