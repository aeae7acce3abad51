//! The update of an item that an action brings back.

use devrig_core::id::ItemId;
use devrig_core::{Error, Origin, Result, Timestamp};
use devrig_store::{Tx, from_sqlx};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::item::{ItemInput, Priority};
use crate::prepare::{Facts, prepare, priority};
use crate::rows;
use crate::state::ms;
use crate::upsert::{self, Newer};

/// The SDK's `Partial<InboxItemInput>` without the external id: what is absent stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ItemPatch {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub title: Option<String>,
    pub body: Option<String>,
    pub preview: Option<String>,
    pub source_url: Option<String>,
    pub thread_key: Option<String>,
    pub actor: Option<String>,
    pub repo: Option<String>,
    pub reason: Option<String>,
    pub labels: Option<Vec<String>>,
    pub priority: Option<Priority>,
    pub state: Option<String>,
    pub is_actionable: Option<bool>,
    pub metadata: Option<Value>,
    pub external_created_at: Option<Timestamp>,
    pub external_updated_at: Option<Timestamp>,
}

impl ItemPatch {
    fn over(self, old: Facts) -> Result<ItemInput> {
        let metadata = match (self.metadata, &old.metadata) {
            (Some(new), _) => Some(new),
            (None, Some(text)) => Some(serde_json::from_str(text)?),
            (None, None) => None,
        };
        let new_body = self.body.is_some();
        Ok(ItemInput {
            external_id: old.external_id,
            kind: self.kind.unwrap_or(old.kind),
            title: self.title.unwrap_or(old.title),
            body: self.body.or_else(|| Some(old.body.to_string())),
            // A new body brings its own preview.
            preview: self.preview.or_else(|| (!new_body).then_some(old.preview)),
            source_url: self.source_url.or(old.source_url),
            thread_key: self.thread_key.or(old.thread_key),
            actor: self.actor.or(old.actor),
            repo: self.repo.or(old.repo),
            reason: self.reason.or(old.reason),
            labels: self.labels.unwrap_or(old.labels),
            priority: self.priority.or(old.priority.map(|stored| priority(Some(stored)))),
            state: self.state.or(old.state),
            is_actionable: Some(self.is_actionable.unwrap_or(old.actionable)),
            metadata,
            external_created_at: self.external_created_at.or(ms(old.source_created_at)),
            external_updated_at: self.external_updated_at.or(ms(old.source_updated_at)),
        })
    }
}

/// Applies an action's `itemUpdate`. The person asked for it, so a newer version is no news: the
/// item keeps its place, and stays read and done.
///
/// # Errors
/// `NOT_FOUND`; `INVALID_INPUT` as for items.
pub async fn apply_update(
    tx: &mut Tx,
    id: &ItemId,
    patch: &ItemPatch,
    origin: &Origin,
) -> Result<()> {
    let no: Option<i64> = sqlx::query_scalar("SELECT no FROM item WHERE id = ?")
        .bind(&id.0)
        .fetch_optional(tx.conn())
        .await
        .map_err(from_sqlx)?;
    let missing = || Error::not_found(format!("the item {id}"));
    let found = rows::indexed(tx.conn(), &[no.ok_or_else(missing)?]).await?.pop();
    let rows::Indexed { source, facts, .. } = found.ok_or_else(missing)?;
    let input = patch.clone().over(facts)?;
    let ready = prepare(&source, &[input], 0)?;
    upsert::store(tx, &source, &ready, Newer::IsNoNews, origin).await?;
    Ok(())
}
