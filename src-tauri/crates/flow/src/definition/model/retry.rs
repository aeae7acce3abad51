//! How often and how soon something that failed is tried again.

use devrig_core::Category;

use super::LONGEST;
use crate::definition::wire::{Object, Word, Writer, words};

/// When a node that failed is tried again.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// The first one counts too, so 1 is never to try again.
    pub max_attempts: u32,
    pub strategy: RetryStrategy,
    pub base_delay_ms: u64,
    pub max_delay_ms: u64,
    /// Waits a random part of the delay, so that many do not try again at the same moment.
    pub jitter: bool,
    /// The categories of errors that may pass.
    pub retry_on: Vec<Category>,
}

words! {
    /// How the delay grows from one attempt to the next.
    RetryStrategy {
        Exponential = "exponential",
        Linear = "linear",
        Fixed = "fixed",
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            strategy: RetryStrategy::Exponential,
            base_delay_ms: 1_000,
            max_delay_ms: 60_000,
            jitter: true,
            retry_on: vec![Category::Transient, Category::Resource, Category::Timeout],
        }
    }
}

/// A category that a policy may name: what was cancelled is never tried again.
#[derive(Clone, Copy, PartialEq)]
struct Retried(Category);

impl Default for Retried {
    fn default() -> Self {
        Self(Category::Transient)
    }
}

impl Word for Retried {
    const ALL: &'static [(&'static str, Self)] = &[
        ("transient", Self(Category::Transient)),
        ("resource", Self(Category::Resource)),
        ("timeout", Self(Category::Timeout)),
        ("plugin", Self(Category::Plugin)),
        ("permanent", Self(Category::Permanent)),
    ];
}

impl RetryPolicy {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        let usual = Self::default();
        Self {
            max_attempts: object.or("maxAttempts", usual.max_attempts, |at| at.integer(1..=100)),
            strategy: object.or("strategy", usual.strategy, |at| at.word()),
            base_delay_ms: object
                .or("baseDelayMs", usual.base_delay_ms, |at| at.integer(0..=LONGEST)),
            max_delay_ms: object.or("maxDelayMs", usual.max_delay_ms, |at| at.integer(0..=LONGEST)),
            jitter: object.or("jitter", usual.jitter, |at| at.flag()),
            retry_on: object.or("retryOn", usual.retry_on, |at| {
                at.words::<Retried>(0).into_iter().map(|retried| retried.0).collect()
            }),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        let usual = Self::default();
        into.unless("maxAttempts", &self.max_attempts, &usual.max_attempts);
        into.unless("strategy", &self.strategy, &usual.strategy);
        into.unless("baseDelayMs", &self.base_delay_ms, &usual.base_delay_ms);
        into.unless("maxDelayMs", &self.max_delay_ms, &usual.max_delay_ms);
        into.unless("jitter", &self.jitter, &usual.jitter);
        into.unless("retryOn", &self.retry_on, &usual.retry_on);
    }
}
