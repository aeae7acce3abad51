//! Approvals that runs wait for.

use devrig_core::Result;
pub use devrig_flow::runs::Approval;
use devrig_flow::runs::Said;
use serde::{Deserialize, Serialize};

use super::NoArgs;
use crate::Engine;

/// What a person says.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct ApprovalArgs {
    /// An approval's, or that of a run which waits for one only.
    pub id: String,
    pub approved: bool,
    /// Nodes after it see it.
    #[serde(default)]
    pub note: Option<String>,
}

pub(super) async fn list(engine: &Engine, _: NoArgs) -> Result<Vec<Approval>> {
    engine.flows().runs().approvals().await
}

pub(super) async fn answer(engine: &Engine, args: ApprovalArgs) -> Result<()> {
    let ApprovalArgs { id, approved, note } = args;
    engine.flows().runs().approve(&id, Said { approved, note }).await
}
