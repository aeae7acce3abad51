//! The handle that the rest of DevRig holds.

use devrig_core::id::{AccountId, ItemId, OperationId};
use devrig_core::{Change, ChangeKind, Error, Origin, Result, Timestamp};
use devrig_jobs::Jobs;
use devrig_store::{SqliteConnection, Store, Tx, from_sqlx};
use serde::{Deserialize, Serialize};
use sqlx::{Sqlite, pool::PoolConnection};

use crate::change::{self, Which};
use crate::counts::{self, Deltas};
use crate::item::{Item, ItemInput, ItemSummary, SourceCounts};
use crate::operate;
use crate::operation::{Operation, OperationDone, OperationKind, OperationRow, Target};
use crate::outbox::{self, OutboxRequest, OutboxRow};
use crate::place;
use crate::prepare::{Source, prepare};
use crate::query::{self, Is, plan::Plan};
use crate::rows::{self, LIST};
use crate::search::{self, Walk};
use crate::state::{Side, States};
use crate::text;
use crate::upsert::{self, Newer, Upserted};
use crate::wake::Wake;

/// Items per transaction: enough to make one piece of the full text worth while, few enough to
/// keep the write-ahead log under its ceiling.
const CHUNK: usize = 10_000;
const PAGE: u32 = 500;
/// Numbers beyond this are shown as "10,000+".
const CAP: i64 = 10_000;

/// Items, queries, triage. Cheap to clone; owns no task.
#[derive(Clone)]
pub struct Inbox {
    pub(crate) store: Store,
    pub(crate) jobs: Jobs,
}

/// What part of the list is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ListQuery {
    /// In the query language; empty is `is:inbox`.
    pub query: String,
    /// A page's `next`, or any item's `position`: the list goes on after it.
    pub cursor: Option<String>,
    /// 50 when 0, at most 500.
    pub limit: u32,
    /// The page before the cursor instead of the one after it; still newest first.
    pub backward: bool,
    /// Rows to leave out first, where there is no cursor: for a jump within a long list.
    pub skip: u32,
    /// The person is still typing: the last word counts as the beginning of one.
    pub typing: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// Newest activity first.
    pub items: Vec<ItemSummary>,
    /// The cursor of the next page in the same direction; None at the end.
    pub next: Option<String>,
    /// How many match in all, when that is known at no cost.
    pub total_hint: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    pub count: u32,
    /// True when there are more than `count`.
    pub capped: bool,
}

/// Numbers for the sidebar.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct InboxStats {
    /// Unread in the inbox.
    pub unread: u32,
    pub inbox: u32,
    pub done: u32,
    pub snoozed: u32,
    pub starred: u32,
    pub total: u32,
    /// When the next snoozed item returns.
    pub next_wake: Option<Timestamp>,
    pub by_source: Vec<SourceCounts>,
}

impl Inbox {
    pub fn new(store: Store, jobs: Jobs) -> Self {
        Self { store, jobs }
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Stores any number of items in transactions of some thousand each. All are checked before
    /// the first is written.
    ///
    /// # Errors
    /// `INVALID_INPUT` naming index, external id and field; nothing is stored then.
    pub async fn store_items(
        &self,
        account: &AccountId,
        plugin: &str,
        items: Vec<ItemInput>,
        origin: &Origin,
    ) -> Result<Upserted> {
        for (index, item) in items.iter().enumerate() {
            item.validate(index)?;
        }
        let source = Source { account: account.0.clone(), plugin: plugin.to_owned() };
        let mut total = Upserted::default();
        let mut items = items.into_iter().peekable();
        let mut first = 0;
        let mut writing = None;
        while items.peek().is_some() {
            let chunk: Vec<ItemInput> = items.by_ref().take(CHUNK).collect();
            let of = source.clone();
            let begin = first;
            first += chunk.len();
            let ready = tokio::task::spawn_blocking(move || prepare(&of, &chunk, begin))
                .await
                .map_err(|error| Error::internal(format!("preparing items: {error}")))??;
            // One chunk is written while the next is prepared.
            if let Some(before) = writing.take() {
                add(&mut total, join(before).await?);
            }
            let (store, source, origin) = (self.store.clone(), source.clone(), origin.clone());
            writing = Some(tokio::spawn(async move {
                store
                    .write(async move |tx: &mut Tx| {
                        upsert::store(tx, &source, &ready, Newer::IsNews, &origin).await
                    })
                    .await
            }));
        }
        if let Some(last) = writing {
            add(&mut total, join(last).await?);
        }
        Ok(total)
    }

    /// Removes all items of an account with what the person did to them. Gives their number.
    pub async fn remove_account(&self, account: &AccountId, origin: &Origin) -> Result<u64> {
        let mut removed = 0;
        loop {
            let (account, origin) = (account.clone(), origin.clone());
            let gone = self
                .store
                .write(async move |tx: &mut Tx| remove_some(tx, &account, &origin).await)
                .await?;
            removed += gone;
            if gone == 0 {
                return Ok(removed);
            }
        }
    }

    /// Does something to items, so that it can be undone.
    ///
    /// # Errors
    /// `NOT_FOUND` for an unknown id, `INVALID_QUERY`, `INVALID_INPUT` for labels, `TOO_LARGE`
    /// beyond 100,000 items.
    pub async fn operate(&self, operation: Operation, origin: Origin) -> Result<OperationDone> {
        self.store
            .write(async move |tx: &mut Tx| operate::operate(tx, &operation, &origin).await)
            .await
    }

    /// Does several things to the same items at once, each of which can be undone by itself. What a
    /// query names is decided before the first.
    ///
    /// # Errors
    /// As [`Inbox::operate`]; then nothing is done.
    pub async fn operate_all(
        &self,
        kinds: Vec<OperationKind>,
        target: Target,
        origin: Origin,
    ) -> Result<Vec<OperationDone>> {
        self.store
            .write(async move |tx: &mut Tx| {
                operate::operate_all(tx, &kinds, &target, &origin).await
            })
            .await
    }

    /// Takes back an operation, or the person's newest one that is not undone.
    ///
    /// What the source or another operation changed since stays as it is.
    ///
    /// # Errors
    /// `NOTHING_TO_DO`; `NOT_FOUND`; `CONFLICT` when an action was sent already.
    pub async fn undo(&self, operation: Option<OperationId>) -> Result<OperationDone> {
        let inbox = self.clone();
        self.store
            .write(async move |tx: &mut Tx| {
                operate::undo(&inbox, tx, operation.as_ref(), &Origin::person()).await
            })
            .await
    }

    /// Does again what was undone last. A new operation of the person ends what can be redone.
    ///
    /// # Errors
    /// `NOTHING_TO_DO`.
    pub async fn redo(&self) -> Result<OperationDone> {
        let inbox = self.clone();
        self.store
            .write(async move |tx: &mut Tx| operate::redo(&inbox, tx, &Origin::person()).await)
            .await
    }

    /// The history, newest first; `before` is the last id of the page above.
    pub async fn operations(
        &self,
        limit: u32,
        before: Option<&OperationId>,
    ) -> Result<Vec<OperationRow>> {
        let oldest = self.store.clock().now() - operate::undo_window();
        operate::history(&mut *self.reader().await?, limit, before, oldest).await
    }

    /// Deletes operations older than 30 days, in batches. Gives their number.
    pub async fn forget_operations(&self) -> Result<u64> {
        let mut total = 0;
        loop {
            let gone =
                self.store.write(async |tx: &mut Tx| operate::forget(tx, 1_000).await).await?;
            total += gone;
            if gone == 0 {
                return Ok(total);
            }
        }
    }

    /// Brings back what was snoozed until `now` or earlier, at the top of the list, read or unread
    /// as it was. Gives the number of items.
    pub async fn wake_snoozed(&self, now: Timestamp) -> Result<u32> {
        let mut total = 0;
        loop {
            let woken = self.store.write(async move |tx: &mut Tx| wake(tx, now).await).await?;
            total += woken;
            if woken == 0 {
                return Ok(total);
            }
        }
    }

    /// When the next snoozed item returns.
    pub async fn next_wake(&self) -> Result<Option<Timestamp>> {
        next_wake(&mut *self.reader().await?).await
    }

    /// One page of what matches.
    ///
    /// # Errors
    /// `INVALID_QUERY`; `INVALID_INPUT` for a cursor that no page gave.
    pub async fn list(&self, ask: &ListQuery) -> Result<Page> {
        let now = self.store.clock().now();
        let parsed = if ask.typing {
            query::parse_typing(&ask.query, now)?
        } else {
            query::parse(&ask.query, now)?
        };
        self.page(&Plan::of(&parsed)?, ask).await
    }

    async fn page(&self, plan: &Plan, ask: &ListQuery) -> Result<Page> {
        let cursor = ask.cursor.as_deref().map(place::from_text).transpose()?;
        let mut walk = match (ask.backward, cursor) {
            (false, before) => Walk::Down(before),
            (true, Some(after)) => Walk::Up(after),
            (true, None) => Walk::Up(place::FIRST),
        };
        let limit = if ask.limit == 0 { 50 } else { ask.limit.min(PAGE) };
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut conn = self.reader().await?;
        // One view of the data for the search and the rows.
        let mut view = sqlx::Connection::begin(&mut *conn).await.map_err(from_sqlx)?;
        if ask.skip > 0 && cursor.is_none() {
            let past = search::past(&mut view, plan, walk, i64::from(ask.skip)).await?;
            walk = match walk {
                Walk::Down(_) => Walk::Down(past),
                Walk::Up(first) => Walk::Up(past.unwrap_or(first)),
            };
        }
        let mut found = search::positions(&mut view, plan, walk, i64::from(limit) + 1).await?;
        let more = found.len() > wanted;
        found.truncate(wanted);
        let next = found.last().copied().filter(|_| more).map(place::to_text);
        if ask.backward {
            found.reverse();
        }
        let items = rows::at_positions(&mut view, &found).await?;
        let total_hint = search::known_count(&mut view, plan).await?;
        view.commit().await.map_err(from_sqlx)?;
        Ok(Page { items, next, total_hint: total_hint.and_then(|n| u32::try_from(n).ok()) })
    }

    /// All of one item.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn get(&self, id: &ItemId) -> Result<Item> {
        rows::item(&mut *self.reader().await?, id)
            .await?
            .ok_or_else(|| Error::not_found(format!("the item {id}")))
    }

    /// Rows for the list, in the order of the ids; unknown ones are left out.
    pub async fn summaries(&self, ids: &[ItemId]) -> Result<Vec<ItemSummary>> {
        rows::summaries(&mut *self.reader().await?, ids).await
    }

    /// How many match, counted up to 10,000; what needs no counting is exact.
    pub async fn count(&self, query: &str) -> Result<Counted> {
        let plan = Plan::of(&query::parse(query, self.store.clock().now())?)?;
        let mut conn = self.reader().await?;
        if let Some(known) = search::known_count(&mut conn, &plan).await? {
            return Ok(Counted { count: u32::try_from(known).unwrap_or(u32::MAX), capped: false });
        }
        let count = search::count(&mut conn, &plan, CAP + 1).await?;
        let shown = u32::try_from(count.min(CAP)).unwrap_or(u32::MAX);
        Ok(Counted { count: shown, capped: count > CAP })
    }

    /// Numbers that are kept with every write, so that asking costs nothing.
    pub async fn stats(&self) -> Result<InboxStats> {
        let mut conn = self.reader().await?;
        let unread = States::of(Is::Inbox).and(States::of(Is::Unread));
        let mut stats = InboxStats::default();
        let number = |n: i64| u32::try_from(n).unwrap_or(0);
        let names: Vec<(i64, String)> = sqlx::query_as("SELECT no, account FROM inbox_source")
            .fetch_all(&mut *conn)
            .await
            .map_err(from_sqlx)?;
        let by_source = counts::by_source(&mut conn).await?;
        for (no, account_id) in names {
            let Some(counts) = by_source.get(&no) else { continue };
            let own = SourceCounts {
                account_id,
                unread: number(counts.of(unread)),
                inbox: number(counts.of(States::of(Is::Inbox))),
            };
            stats.unread += own.unread;
            stats.inbox += own.inbox;
            stats.done += number(counts.of(States::of(Is::Done)));
            stats.snoozed += number(counts.of(States::of(Is::Snoozed)));
            stats.starred += number(counts.of(States::of(Is::Starred)));
            stats.total += number(counts.of(States::ALL));
            stats.by_source.push(own);
        }
        stats.next_wake = next_wake(&mut conn).await?;
        Ok(stats)
    }

    /// Ids of an account's items by their external ids; unknown ones are left out.
    pub async fn by_external(
        &self,
        account: &AccountId,
        external_ids: &[String],
    ) -> Result<Vec<ItemId>> {
        upsert::by_external(&mut *self.reader().await?, account, external_ids).await
    }

    /// Merges some of the pieces that imports left in the full text, for a few milliseconds; true
    /// when there is more to do. The engine calls it when idle.
    pub async fn tidy(&self) -> Result<bool> {
        self.store.write(async |tx: &mut Tx| text::merge(tx.conn(), 500).await).await
    }

    /// Records an action towards the source and queues its sending.
    ///
    /// # Errors
    /// As [`outbox::submit`].
    pub async fn submit(&self, request: OutboxRequest, origin: Origin) -> Result<OutboxRow> {
        let inbox = self.clone();
        self.store
            .write(async move |tx: &mut Tx| outbox::submit(&inbox, tx, &request, &origin).await)
            .await
    }

    /// Actions that are not through yet, oldest first.
    pub async fn outbox(&self) -> Result<Vec<OutboxRow>> {
        outbox::list(&mut *self.reader().await?).await
    }

    /// The person's own views, in their order.
    pub async fn splits(&self) -> Result<Vec<crate::splits::Split>> {
        crate::splits::stored(&mut *self.reader().await?).await
    }

    /// Withdraws an action that still waits.
    ///
    /// # Errors
    /// As [`outbox::cancel`].
    pub async fn outbox_cancel(&self, id: String) -> Result<()> {
        let inbox = self.clone();
        self.store
            .write(async move |tx: &mut Tx| {
                outbox::cancel(&inbox, tx, &id, &Origin::person()).await
            })
            .await
    }

    /// Sends a failed or undecided action again.
    ///
    /// # Errors
    /// `NOT_FOUND`; `NOTHING_TO_DO` when it does not rest.
    pub async fn outbox_retry(&self, id: String) -> Result<()> {
        let inbox = self.clone();
        self.store.write(async move |tx: &mut Tx| outbox::retry(&inbox, tx, &id).await).await
    }

    /// Takes a failed or undecided action off the list without sending it.
    ///
    /// # Errors
    /// `NOT_FOUND`; `NOTHING_TO_DO` when it does not rest.
    pub async fn outbox_discard(&self, id: String) -> Result<()> {
        self.store.write(async move |tx: &mut Tx| outbox::discard(tx, &id).await).await
    }

    pub(crate) async fn reader(&self) -> Result<PoolConnection<Sqlite>> {
        self.store.read().await
    }
}

fn add(total: &mut Upserted, part: Upserted) {
    total.created += part.created;
    total.updated += part.updated;
    total.unchanged += part.unchanged;
    total.ids.extend(part.ids);
}

async fn join(task: tokio::task::JoinHandle<Result<Upserted>>) -> Result<Upserted> {
    task.await.map_err(|error| Error::internal(format!("storing items: {error}")))?
}

async fn next_wake(conn: &mut SqliteConnection) -> Result<Option<Timestamp>> {
    let next: Option<i64> = sqlx::query_scalar(
        "SELECT min(snoozed_until) FROM triage INDEXED BY triage_wake
         WHERE snoozed_until IS NOT NULL AND snoozed_until < ?",
    )
    .bind(Wake::end_of_times())
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(next.map(Timestamp::from_ms))
}

/// Ends some snoozes. Waking is activity: what returns stands at the top, where it is seen.
async fn wake(tx: &mut Tx, now: Timestamp) -> Result<u32> {
    let due: Vec<i64> = sqlx::query_scalar(
        "SELECT position FROM triage INDEXED BY triage_wake
         WHERE snoozed_until IS NOT NULL AND snoozed_until <= ? ORDER BY snoozed_until LIMIT ?",
    )
    .bind(now.as_ms())
    .bind(i64::try_from(LIST).unwrap_or(500))
    .fetch_all(tx.conn())
    .await
    .map_err(from_sqlx)?;
    let items = change::load(tx.conn(), Which::Positions(&due)).await?;
    let origin = Origin::new(devrig_core::Actor::System).because("snooze");
    let changes: Vec<_> = items
        .iter()
        .map(|item| (item, Side { snoozed_until: None, ..item.side.clone() }))
        .collect();
    change::write(tx, &changes, &origin).await?;
    change::move_to(tx.conn(), &items, now.as_ms()).await?;
    Ok(u32::try_from(items.len()).unwrap_or(u32::MAX))
}

async fn remove_some(tx: &mut Tx, account: &AccountId, origin: &Origin) -> Result<u64> {
    let ids: Vec<(String,)> = sqlx::query_as(
        "SELECT i.id FROM inbox_source s JOIN item i ON i.source = s.no WHERE s.account = ?
         LIMIT ?",
    )
    .bind(&account.0)
    .bind(i64::try_from(LIST).unwrap_or(500))
    .fetch_all(tx.conn())
    .await
    .map_err(from_sqlx)?;
    let ids: Vec<ItemId> = ids.into_iter().map(|(id,)| ItemId(id)).collect();
    let items = change::load(tx.conn(), Which::Ids(&ids)).await?;
    let mut deltas = Deltas::default();
    let positions: Vec<i64> = items.iter().map(|item| item.position).collect();
    text::delete(tx.conn(), &positions).await?;
    for item in &items {
        deltas.add(item.source, item.side.state(), -1);
        tx.change(Change::new("item", item.id.0.clone(), ChangeKind::Deleted, origin));
        for sql in [
            "DELETE FROM triage WHERE no = ?1 AND position = ?2",
            "DELETE FROM item WHERE no = ?1 AND position = ?2",
        ] {
            sqlx::query(sql)
                .bind(item.no)
                .bind(item.position)
                .execute(tx.conn())
                .await
                .map_err(from_sqlx)?;
        }
    }
    deltas.write(tx.conn()).await?;
    Ok(u64::try_from(items.len()).unwrap_or(0))
}
