//! When a target that keeps failing is left alone for a while.

use super::LONGEST;
use crate::definition::wire::{Object, Writer};

/// Each target of a flow's actions, such as a host, has a breaker of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct CircuitBreaker {
    /// So many failures within `monitor_window_ms` open it.
    pub failure_threshold: u32,
    /// How long it stays open before a trial.
    pub reset_timeout_ms: u64,
    /// How many trials are let through at once.
    pub half_open_max_attempts: u32,
    pub monitor_window_ms: u64,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self {
            failure_threshold: 5,
            reset_timeout_ms: 30_000,
            half_open_max_attempts: 1,
            monitor_window_ms: 60_000,
        }
    }
}

impl CircuitBreaker {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        let usual = Self::default();
        Self {
            failure_threshold: object
                .or("failureThreshold", usual.failure_threshold, |at| at.integer(1..=1_000)),
            reset_timeout_ms: object
                .or("resetTimeoutMs", usual.reset_timeout_ms, |at| at.integer(1..=LONGEST)),
            half_open_max_attempts: object.or(
                "halfOpenMaxAttempts",
                usual.half_open_max_attempts,
                |at| at.integer(1..=100),
            ),
            monitor_window_ms: object
                .or("monitorWindowMs", usual.monitor_window_ms, |at| at.integer(1..=LONGEST)),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        let usual = Self::default();
        into.unless("failureThreshold", &self.failure_threshold, &usual.failure_threshold);
        into.unless("resetTimeoutMs", &self.reset_timeout_ms, &usual.reset_timeout_ms);
        into.unless(
            "halfOpenMaxAttempts",
            &self.half_open_max_attempts,
            &usual.half_open_max_attempts,
        );
        into.unless("monitorWindowMs", &self.monitor_window_ms, &usual.monitor_window_ms);
    }
}
