//! Rules: what is done by itself with items that match a query.

use devrig_core::Result;
pub use devrig_inbox::rules::{DryRun, Rule, RuleDraft};
use serde::{Deserialize, Serialize};

use super::NoArgs;
use crate::Engine;

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct RuleSaveArgs {
    /// The rule that is changed; a new one when absent.
    #[serde(default)]
    pub id: Option<String>,
    pub rule: RuleDraft,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct RuleArgs {
    pub id: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct RuleTryArgs {
    pub rule: RuleDraft,
}

pub(super) async fn list(engine: &Engine, _: NoArgs) -> Result<Vec<Rule>> {
    engine.inbox().rules().await
}

pub(super) async fn save(engine: &Engine, args: RuleSaveArgs) -> Result<Rule> {
    engine.inbox().save_rule(args.id, args.rule).await
}

pub(super) async fn delete(engine: &Engine, args: RuleArgs) -> Result<()> {
    engine.inbox().delete_rule(args.id).await
}

pub(super) async fn try_out(engine: &Engine, args: RuleTryArgs) -> Result<DryRun> {
    engine.inbox().try_rule(&args.rule).await
}
