//! Items, triage, undo, search, import, and actions towards the sources.

use devrig_core::id::{AccountId, ItemId, OperationId};
use devrig_core::{Error, Origin, Result, Timestamp};
pub use devrig_inbox::{
    Counted, InboxStats, Item, ItemInput, ItemSummary, OperationDone, OperationKind, OperationRow,
    OutboxRow, Page, Target, Wake,
};
use devrig_inbox::{ListQuery, Operation};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::NoArgs;
use crate::Engine;

/// Items that the tray's menu lists.
const NEWEST: u32 = 5;

#[derive(Debug, Clone, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InboxListArgs {
    /// In the inbox's query language; empty means `is:inbox`.
    #[serde(default)]
    pub query: String,
    /// What the last page gave as `next`.
    #[serde(default)]
    pub cursor: Option<String>,
    /// 50 when absent, at most 500.
    #[serde(default)]
    pub limit: Option<u32>,
    /// The page before the cursor instead of the one after it.
    #[serde(default)]
    pub backward: bool,
    /// Rows to leave out first, where there is no cursor.
    #[serde(default)]
    pub skip: Option<u32>,
    /// The person is still typing: the last word counts as the beginning of one.
    #[serde(default)]
    pub typing: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct ItemArgs {
    pub id: ItemId,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct QueryArgs {
    pub query: String,
}

/// What is unread in the splits with a badge.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Attention {
    pub count: u32,
    /// True when there are more than `count`.
    pub capped: bool,
    /// The newest of them.
    pub items: Vec<ItemSummary>,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct QueryCheck {
    pub ok: bool,
    /// With `details.column`, counted in characters from 1.
    pub error: Option<Error>,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct WhenArgs {
    /// As people write it: `next tue 9am`, `in 3 days`, `when merged`.
    pub text: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct When {
    pub until: Wake,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperateArgs {
    pub operation: OperationKind,
    pub target: Target,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UndoArgs {
    /// The newest that can be undone when absent.
    #[serde(default)]
    pub operation_id: Option<OperationId>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HistoryArgs {
    /// The last id of the page before.
    #[serde(default)]
    pub before: Option<OperationId>,
    #[serde(default)]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct ImportArgs {
    pub items: Vec<ItemInput>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, specta::Type)]
pub struct Imported {
    pub created: u32,
    pub updated: u32,
    pub unchanged: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActionArgs {
    /// The item that it is invoked on.
    #[serde(default)]
    pub item_id: Option<ItemId>,
    /// The item's account when absent.
    #[serde(default)]
    pub account: Option<AccountId>,
    pub action: String,
    #[serde(default)]
    pub input: Value,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct OutboxArgs {
    pub id: String,
}

pub(super) async fn list(engine: &Engine, args: InboxListArgs) -> Result<Page> {
    let InboxListArgs { query, cursor, limit, backward, skip, typing } = args;
    let (limit, skip) = (limit.unwrap_or(50), skip.unwrap_or(0));
    let ask = ListQuery { query, cursor, limit, backward, skip, typing };
    engine.inbox().list(&ask).await
}

pub(super) async fn get(engine: &Engine, args: ItemArgs) -> Result<Item> {
    engine.inbox().get(&args.id).await
}

pub(super) async fn stats(engine: &Engine, _: NoArgs) -> Result<InboxStats> {
    engine.inbox().stats().await
}

pub(super) async fn count(engine: &Engine, args: QueryArgs) -> Result<Counted> {
    engine.inbox().count(&args.query).await
}

/// What the tray shows.
pub(super) async fn attention(engine: &Engine, _: NoArgs) -> Result<Attention> {
    let inbox = engine.inbox();
    let Some(query) = devrig_inbox::notices::badge_query(&inbox.splits().await?) else {
        return Ok(Attention { count: 0, capped: false, items: Vec::new() });
    };
    let Counted { count, capped } = inbox.count(&query).await?;
    let ask = ListQuery { query, limit: NEWEST, ..ListQuery::default() };
    let items = if count == 0 { Vec::new() } else { inbox.list(&ask).await?.items };
    Ok(Attention { count, capped, items })
}

pub(super) async fn check_query(engine: &Engine, args: QueryArgs) -> Result<QueryCheck> {
    let error = devrig_inbox::query::parse(&args.query, engine.clock().now()).err();
    Ok(QueryCheck { ok: error.is_none(), error })
}

pub(super) async fn when(engine: &Engine, args: WhenArgs) -> Result<When> {
    let zone = jiff::tz::TimeZone::system();
    let until = devrig_inbox::when::parse(&args.text, engine.clock().now(), &zone)?;
    Ok(When { until })
}

pub(super) async fn operate(engine: &Engine, args: OperateArgs) -> Result<OperationDone> {
    let OperateArgs { operation, target } = args;
    if let OperationKind::Snooze { until: Wake::At(until) } = &operation {
        refuse_past(*until, engine.clock().now())?;
    }
    engine.inbox().operate(Operation { kind: operation, target }, Origin::person()).await
}

fn refuse_past(until: Timestamp, now: Timestamp) -> Result<()> {
    if until > now {
        return Ok(());
    }
    Err(Error::invalid(format!("{until} has passed, so nothing can be snoozed until then"))
        .hint("Give a time in the future."))
}

pub(super) async fn undo(engine: &Engine, args: UndoArgs) -> Result<OperationDone> {
    engine.inbox().undo(args.operation_id).await
}

pub(super) async fn redo(engine: &Engine, _: NoArgs) -> Result<OperationDone> {
    engine.inbox().redo().await
}

pub(super) async fn operations(engine: &Engine, args: HistoryArgs) -> Result<Vec<OperationRow>> {
    engine.inbox().operations(args.limit.unwrap_or(50), args.before.as_ref()).await
}

pub(super) async fn import(engine: &Engine, args: ImportArgs) -> Result<Imported> {
    let account = AccountId::from("import");
    let done =
        engine.inbox().store_items(&account, "import", args.items, &Origin::person()).await?;
    let devrig_inbox::Upserted { created, updated, unchanged, .. } = done;
    Ok(Imported { created, updated, unchanged })
}

pub(super) async fn action(engine: &Engine, args: ActionArgs) -> Result<OutboxRow> {
    engine.plugins().action(args.item_id, args.account, &args.action, args.input).await
}

/// Only http and https, and only what an item names.
pub(super) async fn open(engine: &Engine, args: ItemArgs) -> Result<()> {
    let item = engine.inbox().get(&args.id).await?;
    let Some(url) = item.summary.source_url else {
        return Err(Error::new(
            devrig_core::Code::NothingToDo,
            format!("{:?} has no page to open", item.summary.title),
        ));
    };
    engine.open_url(&url).await
}

pub(super) async fn outbox_list(engine: &Engine, _: NoArgs) -> Result<Vec<OutboxRow>> {
    engine.inbox().outbox().await
}

pub(super) async fn outbox_cancel(engine: &Engine, args: OutboxArgs) -> Result<()> {
    engine.inbox().outbox_cancel(args.id).await
}

pub(super) async fn outbox_retry(engine: &Engine, args: OutboxArgs) -> Result<()> {
    engine.inbox().outbox_retry(args.id).await
}

pub(super) async fn outbox_discard(engine: &Engine, args: OutboxArgs) -> Result<()> {
    engine.inbox().outbox_discard(args.id).await
}
