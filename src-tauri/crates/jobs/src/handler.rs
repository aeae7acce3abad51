//! What does the work of a kind of job, and what it may answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use devrig_core::{Error, Result};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::job::Job;

/// How an attempt ended, unless it failed.
#[derive(Debug)]
pub enum Outcome {
    /// The job is complete; the value is kept as its result.
    Done(Value),
    /// Not now, and nobody's fault (offline, a locked keychain): run it again after that time,
    /// without counting this attempt.
    Later { after: Duration },
    /// It failed and knows when to try again, such as a rate limit with a time. Counts as an
    /// attempt, whatever the error's category.
    Retry { after: Duration, error: Error },
    /// Only the person can say whether to go on. The job rests until it is retried or discarded.
    NeedsDecision(Error),
}

impl From<Value> for Outcome {
    fn from(result: Value) -> Self {
        Outcome::Done(result)
    }
}

/// Around one attempt.
#[derive(Debug, Clone)]
pub struct JobContext {
    /// Cancelled when the person cancels the job or DevRig stops. A handler that goes on regardless
    /// is dropped two seconds later, at its next await.
    pub token: CancellationToken,
}

/// Runs the jobs of one kind.
#[async_trait]
pub trait Handler: Send + Sync {
    /// # Errors
    /// The job's [`crate::RetryPolicy`] decides by the error's category whether it runs again. A
    /// panic is a permanent error.
    async fn run(&self, job: &Job, context: JobContext) -> Result<Outcome>;
}

/// Who runs which kind, and how many at a time.
#[derive(Clone)]
pub struct Handlers {
    pub(crate) kinds: HashMap<String, (Arc<dyn Handler>, usize)>,
    pub(crate) total: usize,
}

impl Default for Handlers {
    fn default() -> Self {
        Self { kinds: HashMap::new(), total: 16 }
    }
}

impl Handlers {
    pub fn new() -> Self {
        Self::default()
    }

    /// Jobs of `kind` go to `handler`, at most `concurrency` at a time. Jobs of a kind without a
    /// handler stay where they are.
    #[must_use]
    pub fn on(
        mut self,
        kind: impl Into<String>,
        concurrency: usize,
        handler: impl Handler + 'static,
    ) -> Self {
        self.kinds.insert(kind.into(), (Arc::new(handler), concurrency.max(1)));
        self
    }

    /// Jobs of all kinds that run at a time; 16 unless told.
    #[must_use]
    pub fn total(mut self, total: usize) -> Self {
        self.total = total.max(1);
        self
    }
}

#[async_trait]
impl<T: Handler + ?Sized> Handler for Arc<T> {
    async fn run(&self, job: &Job, context: JobContext) -> Result<Outcome> {
        (**self).run(job, context).await
    }
}
