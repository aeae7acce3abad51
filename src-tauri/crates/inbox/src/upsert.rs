//! Storing what a source hands in. The person's side is never overwritten; newer activity brings
//! a done item back and makes it unread.

use std::collections::{HashMap, HashSet};

use devrig_core::id::{AccountId, ItemId};
use devrig_core::{Change, ChangeKind, Origin, Result};
use devrig_store::{SqliteConnection, Tx, from_sqlx};
use serde::{Deserialize, Serialize};
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::change;
use crate::counts::Deltas;
use crate::item::ItemInput;
use crate::place;
use crate::prepare::{Ready, Source, prepare};
use crate::rows::{LIST, get, integer, labels_text, push_list, side};
use crate::state::Side;
use crate::text::{self, TextRow};
use crate::wake::Wake;

/// What storing items did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Upserted {
    pub created: u32,
    pub updated: u32,
    /// Known already, with the same content: nothing was written.
    pub unchanged: u32,
    /// Of the items handed in, in their order, each external id once.
    pub ids: Vec<ItemId>,
}

/// Stores items of an account, new or known by their external id, in the caller's transaction.
/// All are checked first. At most some thousand at once; `Inbox::store_items` takes any number.
///
/// # Errors
/// `INVALID_INPUT` naming index, external id and field.
pub async fn upsert(
    tx: &mut Tx,
    account: &AccountId,
    plugin: &str,
    items: &[ItemInput],
    origin: &Origin,
) -> Result<Upserted> {
    let source = Source { account: account.0.clone(), plugin: plugin.to_owned() };
    let ready = prepare(&source, items, 0)?;
    store(tx, &source, &ready, Newer::IsNews, origin).await
}

/// What a newer version of an item means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Newer {
    /// The source has something to say.
    IsNews,
    /// The person's own action made it.
    IsNoNews,
}

/// A known item, as far as an update needs it.
struct Known {
    no: i64,
    id: String,
    hash: i64,
    position: i64,
    /// The newest version of it that was seen.
    version: i64,
    side: Side,
}

/// Rows per INSERT into `item`.
const ROWS: usize = 50;

/// What is to be written for one item.
struct Write<'a> {
    ready: &'a Ready,
    no: i64,
    id: String,
    position: i64,
    side: Side,
    /// Where it was, with which state, when it was known.
    was: Option<(i64, Side)>,
    version: Option<i64>,
}

pub(crate) async fn store(
    tx: &mut Tx,
    source: &Source,
    ready: &[Ready],
    newer: Newer,
    origin: &Origin,
) -> Result<Upserted> {
    let now = tx.now().as_ms();
    let source_no = source_no(tx.conn(), source).await?;
    let mut known = known(tx.conn(), source_no, ready).await?;
    let muted = muted_threads(tx.conn(), source_no).await?;
    let mut next_no = next_no(tx.conn()).await?;
    let mut upserted = Upserted { ids: Vec::with_capacity(ready.len()), ..Upserted::default() };
    let mut writes = Vec::with_capacity(ready.len());
    for item in ready {
        let facts = &item.facts;
        let write = match known.remove(facts.external_id.as_str()) {
            Some(old) if old.hash == facts.hash => {
                upserted.unchanged += 1;
                upserted.ids.push(ItemId(old.id));
                continue;
            }
            Some(old) => {
                upserted.updated += 1;
                updated(item, old, newer, now)
            }
            None => {
                upserted.created += 1;
                let no = next_no;
                next_no += 1;
                let thread = facts.thread_key.as_deref();
                let side = Side {
                    muted: thread.is_some_and(|key| muted.contains(key)),
                    ..Side::default()
                };
                Write {
                    ready: item,
                    no,
                    id: ItemId::fresh().0,
                    position: place::position(facts.activity_ms(now), no),
                    side,
                    was: None,
                    version: facts.source_updated_at,
                }
            }
        };
        upserted.ids.push(ItemId(write.id.clone()));
        writes.push(write);
    }
    if !writes.is_empty() {
        free_places(tx.conn(), &mut writes, next_no).await?;
        write_all(tx, source_no, &writes, now, origin).await?;
    }
    Ok(upserted)
}

/// Newer activity moves the item up, makes it unread and brings it back from done. It stays
/// snoozed, muted and starred: those are promises to the person that the source cannot break. A
/// snooze until something happens ends when that happens, which is news.
fn updated(item: &Ready, old: Known, newer: Newer, now: i64) -> Write<'_> {
    let facts = &item.facts;
    let news = newer == Newer::IsNews
        && facts.source_updated_at.is_some_and(|updated| updated > old.version);
    let mut side = old.side.clone();
    let mut position = old.position;
    let wakes =
        old.side.snoozed_until.map(Wake::from_ms).is_some_and(|wake| {
            newer == Newer::IsNews && wake.is_met(news, facts.state.as_deref())
        });
    if wakes {
        side.snoozed_until = None;
    }
    if news || wakes {
        side.read_at = None;
        side.done_at = None;
        // Waking is activity too: what returns stands at the top, where it is seen.
        let activity = if wakes { now } else { facts.activity_ms(now) };
        let activity = activity.max(place::activity_ms(old.position));
        position = place::position(activity, old.no);
    }
    Write {
        ready: item,
        no: old.no,
        id: old.id,
        position,
        side,
        was: Some((old.position, old.side)),
        version: facts.source_updated_at.map(|updated| updated.max(old.version)),
    }
}

/// The number of the account in `inbox_source`, made when it is new.
pub(crate) async fn source_no(conn: &mut SqliteConnection, source: &Source) -> Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO inbox_source (account, plugin) VALUES (?, ?)
         ON CONFLICT (account) DO UPDATE SET plugin = excluded.plugin RETURNING no",
    )
    .bind(&source.account)
    .bind(&source.plugin)
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)
}

async fn next_no(conn: &mut SqliteConnection) -> Result<i64> {
    sqlx::query_scalar("SELECT coalesce(max(no), 0) + 1 FROM item")
        .fetch_one(conn)
        .await
        .map_err(from_sqlx)
}

async fn known<'a>(
    conn: &mut SqliteConnection,
    source_no: i64,
    ready: &'a [Ready],
) -> Result<HashMap<&'a str, Known>> {
    let mut known = HashMap::new();
    for chunk in ready.chunks(LIST) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT i.no, i.id, i.external_id, i.hash, i.position, i.own_labels, i.own_priority,
               coalesce(i.source_updated_at, i.source_created_at, i.updated_at) AS version,
               t.state AS triage, t.read_at, t.done_at, t.snoozed_until, t.starred_at
             FROM item i JOIN triage t ON t.position = i.position WHERE i.source = ",
        );
        query.push_bind(source_no).push(" AND i.external_id IN (");
        push_list(&mut query, chunk.iter().map(|item| item.facts.external_id.clone()));
        let rows = query.build().fetch_all(&mut *conn).await.map_err(from_sqlx)?;
        if rows.is_empty() {
            continue;
        }
        let names: HashMap<&str, &'a str> = chunk
            .iter()
            .map(|item| (item.facts.external_id.as_str(), item.facts.external_id.as_str()))
            .collect();
        for row in rows {
            let external: String = get(&row, "external_id")?;
            let Some(name) = names.get(external.as_str()) else { continue };
            let old = Known {
                no: integer(&row, "no")?,
                id: get(&row, "id")?,
                hash: integer(&row, "hash")?,
                position: integer(&row, "position")?,
                version: integer(&row, "version")?,
                side: side(&row)?,
            };
            known.insert(*name, old);
        }
    }
    Ok(known)
}

async fn muted_threads(conn: &mut SqliteConnection, source_no: i64) -> Result<HashSet<String>> {
    let keys: Vec<String> =
        sqlx::query_scalar("SELECT thread_key FROM muted_thread WHERE source = ?")
            .bind(source_no)
            .fetch_all(conn)
            .await
            .map_err(from_sqlx)?;
    Ok(keys.into_iter().collect())
}

/// Two items have the same place only when they share the millisecond and their numbers differ by
/// a multiple of 2^20; then the later one moves on by a millisecond.
async fn free_places(
    conn: &mut SqliteConnection,
    writes: &mut [Write<'_>],
    next_no: i64,
) -> Result<()> {
    if next_no <= 1 << 20 {
        return Ok(());
    }
    let mut taken = HashSet::new();
    for chunk in writes.chunks(LIST) {
        let mut query =
            QueryBuilder::<Sqlite>::new("SELECT position, no FROM triage WHERE position IN (");
        push_list(&mut query, chunk.iter().map(|write| write.position));
        for row in query.build().fetch_all(&mut *conn).await.map_err(from_sqlx)? {
            taken.insert((integer(&row, "position")?, integer(&row, "no")?));
        }
    }
    let taken: HashMap<i64, i64> = taken.into_iter().collect();
    let mut own = HashSet::with_capacity(writes.len());
    for write in writes {
        while taken.get(&write.position).is_some_and(|no| *no != write.no)
            || own.contains(&write.position)
        {
            let ms = place::activity_ms(write.position) + 1;
            let free = change::free_place(conn, ms, write.no).await?;
            write.position = free.unwrap_or_else(|| place::position(ms, write.no));
        }
        own.insert(write.position);
    }
    Ok(())
}

async fn write_all(
    tx: &mut Tx,
    source_no: i64,
    writes: &[Write<'_>],
    now: i64,
    origin: &Origin,
) -> Result<()> {
    let old: Vec<i64> = writes.iter().filter_map(|w| w.was.as_ref().map(|(at, _)| *at)).collect();
    text::delete(tx.conn(), &old).await?;
    let moved: Vec<i64> = writes
        .iter()
        .filter_map(|w| w.was.as_ref().map(|(at, _)| *at).filter(|at| *at != w.position))
        .collect();
    for chunk in moved.chunks(LIST) {
        let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM triage WHERE position IN (");
        push_list(&mut query, chunk.iter().copied());
        query.build().execute(tx.conn()).await.map_err(from_sqlx)?;
    }
    for chunk in writes.chunks(ROWS) {
        write_items(tx.conn(), source_no, chunk, now).await?;
    }
    let mut placed: Vec<&Write<'_>> =
        writes.iter().filter(|w| w.was.as_ref().is_none_or(|(at, _)| *at != w.position)).collect();
    placed.sort_unstable_by_key(|write| write.position);
    for chunk in placed.chunks(LIST) {
        write_triage(tx.conn(), source_no, chunk).await?;
    }
    let mut deltas = Deltas::default();
    for write in writes {
        match &write.was {
            None => deltas.add(source_no, write.side.state(), 1),
            Some((_, side)) => deltas.moved(source_no, side.state(), write.side.state()),
        }
        let kind = if write.was.is_none() { ChangeKind::Created } else { ChangeKind::Updated };
        tx.change(Change::new("item", write.id.clone(), kind, origin));
    }
    deltas.write(tx.conn()).await?;
    let rows = writes.iter().map(|write| TextRow {
        position: write.position,
        title: write.ready.words.title(&write.ready.facts, &write.side.labels, write.side.priority),
        body: write.ready.words.body.clone(),
    });
    // Last, because later statements would make FTS5 write out what it has.
    text::insert(tx.conn(), rows.collect()).await
}

async fn write_items(
    conn: &mut SqliteConnection,
    source_no: i64,
    writes: &[Write<'_>],
    now: i64,
) -> Result<()> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO item (no, id, source, external_id, position, hash, kind, title, preview,
           source_url, thread_key, actor, repo, reason, labels, priority, state, actionable,
           source_created_at, source_updated_at, created_at, updated_at, metadata, body) ",
    );
    query.push_values(writes, |mut row, write| {
        let facts = &write.ready.facts;
        row.push_bind(write.no)
            .push_bind(&write.id)
            .push_bind(source_no)
            .push_bind(&facts.external_id)
            .push_bind(write.position)
            .push_bind(facts.hash)
            .push_bind(&facts.kind)
            .push_bind(&facts.title)
            .push_bind(&facts.preview)
            .push_bind(&facts.source_url)
            .push_bind(&facts.thread_key)
            .push_bind(&facts.actor)
            .push_bind(&facts.repo)
            .push_bind(&facts.reason)
            .push_bind(labels_text(&facts.labels))
            .push_bind(facts.priority)
            .push_bind(&facts.state)
            .push_bind(facts.actionable)
            .push_bind(facts.source_created_at)
            .push_bind(write.version)
            .push_bind(now)
            .push_bind(now)
            .push_bind(facts.metadata.clone())
            .push_bind(facts.body.clone());
    });
    query.push(
        " ON CONFLICT (source, external_id) DO UPDATE SET position = excluded.position,
           hash = excluded.hash, kind = excluded.kind, title = excluded.title,
           preview = excluded.preview, source_url = excluded.source_url,
           thread_key = excluded.thread_key, actor = excluded.actor, repo = excluded.repo,
           reason = excluded.reason, labels = excluded.labels, priority = excluded.priority,
           state = excluded.state, actionable = excluded.actionable,
           source_created_at = excluded.source_created_at,
           source_updated_at = coalesce(excluded.source_updated_at, source_updated_at),
           updated_at = excluded.updated_at, metadata = excluded.metadata, body = excluded.body",
    );
    query.build().execute(conn).await.map_err(from_sqlx)?;
    Ok(())
}

async fn write_triage(
    conn: &mut SqliteConnection,
    source_no: i64,
    writes: &[&Write<'_>],
) -> Result<()> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO triage (position, no, source, state, read_at, done_at, snoozed_until,
           starred_at) ",
    );
    query.push_values(writes, |mut row, write| {
        let side = &write.side;
        row.push_bind(write.position)
            .push_bind(write.no)
            .push_bind(source_no)
            .push_bind(side.state().0)
            .push_bind(side.read_at)
            .push_bind(side.done_at)
            .push_bind(side.snoozed_until)
            .push_bind(side.starred_at);
    });
    query.build().execute(conn).await.map_err(from_sqlx)?;
    Ok(())
}

/// Ids of an account's items by their external ids; unknown ones are left out.
pub(crate) async fn by_external(
    conn: &mut SqliteConnection,
    account: &AccountId,
    external_ids: &[String],
) -> Result<Vec<ItemId>> {
    let mut ids = Vec::with_capacity(external_ids.len());
    for chunk in external_ids.chunks(LIST) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT i.id FROM inbox_source s JOIN item i ON i.source = s.no WHERE s.account = ",
        );
        query.push_bind(&account.0).push(" AND i.external_id IN (");
        push_list(&mut query, chunk.iter().cloned());
        for row in query.build().fetch_all(&mut *conn).await.map_err(from_sqlx)? {
            ids.push(ItemId(row.try_get("id").map_err(from_sqlx)?));
        }
    }
    Ok(ids)
}
