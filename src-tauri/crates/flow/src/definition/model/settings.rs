//! How the runs of a flow are to be run.

use super::{CircuitBreaker, LONGEST, RetryPolicy};
use crate::definition::wire::{Object, Writer, words};

/// Settings of a flow, which hold for all of its nodes that have none of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Further runs wait in the queue.
    pub max_concurrent_runs: u32,
    /// How long a run may take, waits not counted.
    pub timeout_ms: u64,
    pub retry_policy: RetryPolicy,
    pub error_handling: ErrorHandling,
    pub execution_mode: ExecutionMode,
    pub save_runs: SaveRuns,
    /// -10 (last) to 10 (first) in the queue.
    pub priority: i8,
    /// Absent: targets that fail are tried all the same.
    pub circuit_breaker: Option<CircuitBreaker>,
}

words! {
    /// What becomes of a run when a node has failed for good.
    ErrorHandling {
        /// The run fails.
        Stop = "stop",
        /// The node counts as skipped, and the run goes on.
        Skip = "skip",
        /// The run is tried again from that node.
        Retry = "retry",
    }

    /// Whether branches that do not depend on each other run at the same time.
    ExecutionMode {
        Parallel = "parallel",
        Sequential = "sequential",
    }

    /// Which runs are kept when they have ended.
    SaveRuns {
        All = "all",
        Failed = "failed",
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_concurrent_runs: 10,
            timeout_ms: 3_600_000,
            retry_policy: RetryPolicy::default(),
            error_handling: ErrorHandling::Stop,
            execution_mode: ExecutionMode::Parallel,
            save_runs: SaveRuns::All,
            priority: 0,
            circuit_breaker: None,
        }
    }
}

impl Settings {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        let usual = Self::default();
        Self {
            max_concurrent_runs: object
                .or("maxConcurrentRuns", usual.max_concurrent_runs, |at| at.integer(1..=1_000)),
            timeout_ms: object.or("timeoutMs", usual.timeout_ms, |at| at.integer(1..=LONGEST)),
            retry_policy: object
                .or("retryPolicy", usual.retry_policy, |at| at.object(RetryPolicy::read)),
            error_handling: object.or("errorHandling", usual.error_handling, |at| at.word()),
            execution_mode: object.or("executionMode", usual.execution_mode, |at| at.word()),
            save_runs: object.or("saveRuns", usual.save_runs, |at| at.word()),
            priority: object.or("priority", usual.priority, |at| at.integer(-10..=10)),
            circuit_breaker: object
                .optional("circuitBreaker", |at| at.object(CircuitBreaker::read)),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        let usual = Self::default();
        into.unless("maxConcurrentRuns", &self.max_concurrent_runs, &usual.max_concurrent_runs);
        into.unless("timeoutMs", &self.timeout_ms, &usual.timeout_ms);
        into.unless("retryPolicy", &self.retry_policy, &usual.retry_policy);
        into.unless("errorHandling", &self.error_handling, &usual.error_handling);
        into.unless("executionMode", &self.execution_mode, &usual.execution_mode);
        into.unless("saveRuns", &self.save_runs, &usual.save_runs);
        into.unless("priority", &self.priority, &usual.priority);
        into.some("circuitBreaker", &self.circuit_breaker);
    }
}
