//! The job queue, as far as a person looks into it: what failed, and trying again.

use devrig_core::Result;
use devrig_core::id::JobId;
pub use devrig_jobs::{JobInfo, JobPage, JobStats};
use serde::{Deserialize, Serialize};

use super::NoArgs;
use crate::Engine;

#[derive(Debug, Clone, Default, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct JobListArgs {
    /// Such as `dead`; every state when absent.
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub cursor: Option<String>,
    #[serde(default)]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct JobArgs {
    pub id: JobId,
}

pub(super) async fn list(engine: &Engine, args: JobListArgs) -> Result<JobPage> {
    engine
        .jobs()
        .list(args.status.as_deref(), args.cursor.as_deref(), args.limit.unwrap_or(50))
        .await
}

pub(super) async fn stats(engine: &Engine, _: NoArgs) -> Result<JobStats> {
    engine.jobs().stats().await
}

pub(super) async fn retry(engine: &Engine, args: JobArgs) -> Result<()> {
    engine.jobs().retry(&args.id).await
}

pub(super) async fn discard(engine: &Engine, args: JobArgs) -> Result<()> {
    engine.jobs().discard(&args.id).await
}
