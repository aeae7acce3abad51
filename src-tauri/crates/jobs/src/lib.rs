//! The durable queue on the one database: jobs are rows that are written in the transaction of
//! whatever made them necessary, workers claim them by priority and age, and each runs until it
//! completes, is cancelled, or has used up its attempts (reference §11, §15).
//!
//! A job runs at least once: a crash between a handler's effect and the job's completion runs it
//! again. A handler that must not repeat itself completes its job with [`Jobs::complete`] in the
//! transaction of its effect, or gives the effect an idempotency key.

mod handler;
mod job;
mod queue;
mod retry;
mod table;
mod workers;

pub use handler::{Handler, Handlers, JobContext, Outcome};
pub use job::{Attempt, Job, JobInfo, JobPage, JobStats, JobStatus, NewJob};
pub use queue::Jobs;
pub use retry::{RetryPolicy, Strategy};
pub use workers::Workers;

/// Async methods in the [`Handler`] trait.
pub use async_trait::async_trait;
