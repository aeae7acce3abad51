//! Splits: the person's own views of the inbox.

use devrig_core::{Origin, Result};
use devrig_inbox::splits;
pub use devrig_inbox::splits::Split;
use devrig_store::Tx;
use serde::{Deserialize, Serialize};

use super::NoArgs;
use crate::Engine;

/// A split with what is in it.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct SplitInfo {
    pub name: String,
    pub query: String,
    pub notify: bool,
    pub badge: bool,
    /// Items that match now.
    pub count: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct SplitsArgs {
    /// All of them, in their order.
    pub splits: Vec<Split>,
}

pub(super) async fn list(engine: &Engine, _: NoArgs) -> Result<Vec<SplitInfo>> {
    let mut all = Vec::new();
    for Split { name, query, notify, badge } in engine.inbox().splits().await? {
        let count = engine.inbox().count(&query).await?.count;
        all.push(SplitInfo { name, query, notify, badge, count });
    }
    Ok(all)
}

/// Replaces all of them.
pub(super) async fn set(engine: &Engine, args: SplitsArgs) -> Result<Vec<SplitInfo>> {
    splits::validate(&args.splits, engine.clock().now())?;
    let value = serde_json::to_value(&args.splits)?;
    engine
        .store()
        .write(async move |tx: &mut Tx| {
            devrig_store::settings::set(tx, splits::SETTING, &value, &Origin::person()).await
        })
        .await?;
    list(engine, NoArgs {}).await
}
