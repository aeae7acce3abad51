//! Jobs as they are asked for, run and shown.

use devrig_core::id::JobId;
use devrig_core::{Error, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::retry::RetryPolicy;

/// A job to be queued.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// An imperative, such as `plugin.sync`.
    pub kind: String,
    pub payload: Value,
    /// Higher runs earlier; among equals the older one does.
    pub priority: i32,
    /// Not before this time; at once when absent.
    pub run_at: Option<Timestamp>,
    /// At most one unfinished job has this key; see [`crate::Jobs::enqueue`].
    pub dedup: Option<String>,
    pub policy: RetryPolicy,
}

impl NewJob {
    pub fn new(kind: impl Into<String>, payload: Value) -> Self {
        Self {
            kind: kind.into(),
            payload,
            priority: 0,
            run_at: None,
            dedup: None,
            policy: RetryPolicy::default(),
        }
    }

    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    #[must_use]
    pub fn run_at(mut self, at: Timestamp) -> Self {
        self.run_at = Some(at);
        self
    }

    #[must_use]
    pub fn dedup(mut self, key: impl Into<String>) -> Self {
        self.dedup = Some(key.into());
        self
    }

    #[must_use]
    pub fn policy(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Due, and taken as soon as a worker is free.
    Pending,
    /// Has a later time: a delay or a retry.
    Waiting,
    Running,
    Completed,
    /// Rests until the person retries or discards it.
    NeedsDecision,
    /// Used up its attempts, or failed in a way that no attempt mends.
    Dead,
    Cancelled,
}

impl JobStatus {
    pub const ALL: [JobStatus; 7] = [
        JobStatus::Pending,
        JobStatus::Waiting,
        JobStatus::Running,
        JobStatus::Completed,
        JobStatus::NeedsDecision,
        JobStatus::Dead,
        JobStatus::Cancelled,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            JobStatus::Pending => "pending",
            JobStatus::Waiting => "waiting",
            JobStatus::Running => "running",
            JobStatus::Completed => "completed",
            JobStatus::NeedsDecision => "needs_decision",
            JobStatus::Dead => "dead",
            JobStatus::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A claimed job, as its handler sees it.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: JobId,
    pub kind: String,
    pub payload: Value,
    /// Counts from 1; a retry by hand begins anew.
    pub attempt: u32,
    pub created_at: Timestamp,
    pub policy: RetryPolicy,
    pub(crate) seq: i64,
    /// Attempts ever made, this one included: with `seq` it names this claim.
    pub(crate) attempts: i64,
    pub(crate) started_at: Timestamp,
}

impl Job {
    /// True when a failure of this attempt ends the job.
    pub fn is_last_attempt(&self) -> bool {
        self.attempt >= self.policy.max_attempts
    }
}

/// An attempt that did not end well.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    pub attempt: u32,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub error: Error,
}

/// A job as people see it.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct JobInfo {
    pub id: JobId,
    pub kind: String,
    pub status: JobStatus,
    pub payload: Value,
    pub result: Option<Value>,
    pub priority: i32,
    /// Attempts ever made.
    pub attempts: u32,
    pub run_at: Timestamp,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Every attempt that did not end well, oldest first.
    pub history: Vec<Attempt>,
}

/// Newest first.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct JobPage {
    pub jobs: Vec<JobInfo>,
    /// Where the next page begins; absent on the last.
    pub cursor: Option<String>,
}

/// How many jobs there are of each status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", default)]
pub struct JobStats {
    pub pending: u32,
    pub waiting: u32,
    pub running: u32,
    pub completed: u32,
    pub needs_decision: u32,
    pub dead: u32,
    pub cancelled: u32,
}
