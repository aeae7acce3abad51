//! The account's own items.

use devrig_core::{Actor, Code, Error, Origin, Result};
use devrig_inbox::arrivals::BACKFILL;
use devrig_inbox::{ItemInput, Operation, OperationKind, PluginQuery, Target};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Broker, Desk, read};
use crate::info::SyncProgress;
use crate::permission::Kind;
use crate::text::shown;
use crate::worker::Purpose;

/// Items of one call.
const MOST_ITEMS: usize = 1_000;
/// JSON text of an item's parts that are kept small; the inbox has the exact limits.
const LARGEST_PART: usize = 512 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Store<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Ids {
    external_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Progress {
    current: f64,
    #[serde(default)]
    total: Option<f64>,
    #[serde(default)]
    message: Option<String>,
}

impl Broker {
    fn may_write(&self, desk: &Desk) -> Result<()> {
        let allowed = desk.access.need("inbox:write", |kind| *kind == Kind::InboxWrite);
        allowed.map_err(|refused| self.refuse(desk, refused))
    }

    pub(super) async fn store_items(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        self.may_write(desk)?;
        let (source, backfill) = syncing(desk)?;
        let Store { items } = read(params)?;
        if items.len() > MOST_ITEMS {
            let message = format!("{} items are more than the 1,000 of one call", items.len());
            return Err(Error::new(Code::TooLarge, message).hint("Store them in parts."));
        }
        let mut read = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            read.push(item_of(index, item)?);
        }
        let origin = Origin::new(Actor::Source).because(match backfill {
            true => format!("{BACKFILL} {source}"),
            false => format!("sync {source}"),
        });
        let inbox = &desk.core.inbox;
        let stored = inbox.store_items(&desk.seat.id, desk.plugin(), read, &origin).await?;
        if let Some(call) = &desk.call {
            call.note(|notes| notes.items += stored.created + stored.updated);
        }
        Ok(json!({ "created": stored.created, "updated": stored.updated }))
    }

    pub(super) async fn query_items(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        self.may_write(desk)?;
        let query: Option<PluginQuery> = read(params)?;
        let found = desk.core.inbox.plugin_query(&desk.seat.id, &query.unwrap_or_default()).await?;
        Ok(Value::Array(found))
    }

    pub(super) async fn mark_read(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        self.operate(desk, params, OperationKind::Read).await
    }

    pub(super) async fn archive(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        self.operate(desk, params, OperationKind::Done).await
    }

    async fn operate(&self, desk: &Desk, params: &RawValue, kind: OperationKind) -> Result<Value> {
        self.may_write(desk)?;
        let Ids { external_ids } = read(params)?;
        if external_ids.len() > MOST_ITEMS {
            return Err(Error::new(Code::TooLarge, "at most 1,000 items are marked in one call"));
        }
        // Only this account's ids are found: those of others are as unknown as any other text.
        let ids = desk.core.inbox.by_external(&desk.seat.id, &external_ids).await?;
        if !ids.is_empty() {
            let origin = Origin::new(Actor::Plugin).because(format!("plugin {}", desk.plugin()));
            let operation = Operation { kind, target: Target::Ids(ids) };
            match desk.core.inbox.operate(operation, origin).await {
                // All of them were so already.
                Err(error) if error.code == Code::NothingToDo => {}
                other => drop(other?),
            }
        }
        Ok(Value::Null)
    }

    pub(super) async fn sync_progress(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        let (source, _) = syncing(desk)?;
        let Progress { current, total, message } = read(params)?;
        let sensible = |n: &f64| n.is_finite() && *n >= 0.0;
        desk.seat.progress(
            &desk.core,
            &source,
            SyncProgress {
                current: Some(current).filter(sensible).unwrap_or(0.0),
                total: total.filter(sensible),
                message: message.map(|message| shown(&message, 200)),
            },
        );
        Ok(Value::Null)
    }
}

/// The source whose sync this call belongs to, and whether it is its first.
fn syncing(desk: &Desk) -> Result<(String, bool)> {
    match desk.call.as_deref().map(|call| &call.purpose) {
        Some(Purpose::Sync { source, backfill }) => Ok((source.clone(), *backfill)),
        _ => Err(Error::new(Code::Refused, "items are stored within a sync only")
            .hint("Do it in the sync function of a data source.")
            .details(json!({ "rule": "inbox:not-syncing" }))),
    }
}

/// Reads one item. What a plugin could blow up in memory is measured before it is read.
fn item_of(index: usize, item: &RawValue) -> Result<ItemInput> {
    #[derive(Deserialize)]
    struct Parts<'a> {
        #[serde(default, borrow)]
        metadata: Option<&'a RawValue>,
        #[serde(default, borrow)]
        labels: Option<&'a RawValue>,
    }
    let wrong = |error: serde_json::Error| {
        Error::invalid(format!("item {index} is not as documented: {error}"))
            .details(json!({ "index": index }))
    };
    let parts: Parts<'_> = serde_json::from_str(item.get()).map_err(wrong)?;
    for (name, part) in [("metadata", parts.metadata), ("labels", parts.labels)] {
        if part.is_some_and(|part| part.get().len() > LARGEST_PART) {
            return Err(Error::new(Code::TooLarge, format!("item {index}: {name} is too large"))
                .details(json!({ "index": index, "field": name })));
        }
    }
    serde_json::from_str(item.get()).map_err(wrong)
}
