//! Operations in the database: do, undo, redo, history.

use std::collections::HashMap;

use devrig_core::id::{ItemId, OperationId};
use devrig_core::{Actor, Change, ChangeKind, Code, Error, Origin, Result, Timestamp};
use devrig_store::{SqliteConnection, Tx, from_sqlx};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};

use crate::change::{self, Sided, Which};
use crate::inbox::Inbox;
use crate::operation::{Operation, OperationDone, OperationKind, OperationRow, Target, recall};
use crate::outbox;
use crate::place;
use crate::query::{self, plan::Plan};
use crate::rows::{self, LIST, get, integer};
use crate::search::{self, Walk};
use crate::state::Side;

/// Items that one operation may touch.
const MOST: usize = 100_000;
/// Items that are given back with the result.
const SHOWN: usize = 200;
const UNDO_DAYS: u64 = 30;

pub(crate) fn undo_window() -> std::time::Duration {
    std::time::Duration::from_secs(UNDO_DAYS * 24 * 3600)
}

pub(crate) async fn operate(
    tx: &mut Tx,
    operation: &Operation,
    origin: &Origin,
) -> Result<OperationDone> {
    let kind = &operation.kind;
    check(kind)?;
    let mut items = targets(tx, &operation.target).await?;
    if kind.is_of_threads() {
        items = change::with_threads(tx.conn(), items).await?;
    }
    let at = tx.now().as_ms();
    let changes: Vec<(&Sided, Side)> = items
        .iter()
        .map(|item| (item, kind.apply(at, &item.side)))
        .filter(|(item, side)| item.side != *side)
        .collect();
    let id = OperationId::fresh();
    if !changes.is_empty() {
        change::write(tx, &changes, origin).await?;
        let detail = serde_json::to_string(kind)?;
        let no = record(tx, &id, &detail, &kind.label(), changes.len(), origin).await?;
        remember(tx.conn(), no, kind, &changes).await?;
    }
    done(tx.conn(), (!changes.is_empty()).then_some(id), &changes, kind.label()).await
}

/// Several operations on the same items, each undone by itself: what a query names is decided
/// before the first.
pub(crate) async fn operate_all(
    tx: &mut Tx,
    kinds: &[OperationKind],
    target: &Target,
    origin: &Origin,
) -> Result<Vec<OperationDone>> {
    let items = targets(tx, target).await?;
    let target = Target::Ids(items.into_iter().map(|item| item.id).collect());
    let mut all = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let operation = Operation { kind: kind.clone(), target: target.clone() };
        all.push(operate(tx, &operation, origin).await?);
    }
    Ok(all)
}

pub(crate) fn check(kind: &OperationKind) -> Result<()> {
    if let OperationKind::AddLabels { labels } | OperationKind::RemoveLabels { labels } = kind {
        let wrong = |label: &String| {
            crate::clean::line(label) != *label || label.is_empty() || label.chars().count() > 128
        };
        if labels.is_empty() || labels.len() > 100 || labels.iter().any(wrong) {
            return Err(Error::invalid("labels are 1 to 100 texts of at most 128 characters")
                .hint("Write them without line breaks or spaces at their ends."));
        }
    }
    Ok(())
}

async fn targets(tx: &mut Tx, target: &Target) -> Result<Vec<Sided>> {
    let too_many = |count: usize| {
        Error::new(Code::TooLarge, format!("{count} or more items at once are too many"))
            .hint(format!("Narrow the query to at most {MOST} items."))
    };
    match target {
        Target::Ids(ids) if ids.len() > MOST => Err(too_many(ids.len())),
        Target::Ids(ids) => {
            let mut ids = ids.clone();
            ids.sort_unstable();
            ids.dedup();
            let items = change::load(tx.conn(), Which::Ids(&ids)).await?;
            match ids.iter().find(|id| items.len() < ids.len() && !holds(&items, id)) {
                Some(missing) => Err(Error::not_found(format!("the item {missing}"))),
                None => Ok(items),
            }
        }
        Target::Query(text) => {
            let plan = Plan::of(&query::parse(text, tx.now())?)?;
            let limit = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
            let positions = search::positions(tx.conn(), &plan, Walk::Down(None), limit).await?;
            if positions.len() > MOST {
                return Err(too_many(positions.len()));
            }
            change::load(tx.conn(), Which::Positions(&positions)).await
        }
    }
}

fn holds(items: &[Sided], id: &ItemId) -> bool {
    items.iter().any(|item| item.id == *id)
}

/// Writes the operation's row. What the person does anew ends what could be redone.
pub(crate) async fn record(
    tx: &mut Tx,
    id: &OperationId,
    detail: &str,
    label: &str,
    items: usize,
    origin: &Origin,
) -> Result<i64> {
    if origin.actor == Actor::Person {
        sqlx::query("UPDATE operation SET undone = -undone WHERE undone > 0")
            .execute(tx.conn())
            .await
            .map_err(from_sqlx)?;
    }
    insert(tx, id, detail, label, items, true, origin).await
}

/// Writes the row of what undo itself has begun: it is in the history, and neither undo nor redo
/// walks over it.
pub(crate) async fn record_beside(
    tx: &mut Tx,
    id: &OperationId,
    detail: &str,
    label: &str,
    items: usize,
    origin: &Origin,
) -> Result<i64> {
    insert(tx, id, detail, label, items, false, origin).await
}

async fn insert(
    tx: &mut Tx,
    id: &OperationId,
    detail: &str,
    label: &str,
    items: usize,
    undoable: bool,
    origin: &Origin,
) -> Result<i64> {
    let at = tx.now().as_ms();
    let no = sqlx::query_scalar(
        "INSERT INTO operation (id, detail, label, actor, cause, at, items, undoable)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING no",
    )
    .bind(&id.0)
    .bind(detail)
    .bind(label)
    .bind(origin.actor.as_str())
    .bind(&origin.cause)
    .bind(at)
    .bind(i64::try_from(items).unwrap_or(i64::MAX))
    .bind(undoable)
    .fetch_one(tx.conn())
    .await
    .map_err(from_sqlx)?;
    tx.change(Change::new("operation", id.0.clone(), ChangeKind::Created, origin));
    Ok(no)
}

async fn remember(
    conn: &mut SqliteConnection,
    operation: i64,
    kind: &OperationKind,
    changes: &[(&Sided, Side)],
) -> Result<()> {
    for chunk in changes.chunks(LIST) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO operation_item (operation, item, position, before) ",
        );
        query.push_values(chunk, |mut row, (item, _)| {
            row.push_bind(operation)
                .push_bind(item.no)
                .push_bind(item.position)
                .push_bind(kind.remember(&item.side));
        });
        query.build().execute(&mut *conn).await.map_err(from_sqlx)?;
    }
    Ok(())
}

async fn done(
    conn: &mut SqliteConnection,
    operation_id: Option<OperationId>,
    changes: &[(&Sided, Side)],
    label: String,
) -> Result<OperationDone> {
    let ids: Vec<ItemId> = changes.iter().take(SHOWN).map(|(item, _)| item.id.clone()).collect();
    Ok(OperationDone {
        operation_id,
        items: rows::summaries(conn, &ids).await?,
        changed: u32::try_from(changes.len()).unwrap_or(u32::MAX),
        label,
    })
}

/// An operation's row, as far as undo and redo need it.
struct Recorded {
    no: i64,
    id: OperationId,
    detail: String,
    label: String,
    at: i64,
    undone: Option<i64>,
    undoable: bool,
}

const RECORDED: &str = "SELECT no, id, detail, label, at, undone, undoable FROM operation ";

fn recorded(row: &SqliteRow) -> Result<Recorded> {
    Ok(Recorded {
        no: integer(row, "no")?,
        id: OperationId(get(row, "id")?),
        detail: get(row, "detail")?,
        label: get(row, "label")?,
        at: integer(row, "at")?,
        undone: get(row, "undone")?,
        undoable: integer(row, "undoable")? != 0,
    })
}

/// Takes back one operation, or the person's newest.
pub(crate) async fn undo(
    inbox: &Inbox,
    tx: &mut Tx,
    operation: Option<&OperationId>,
    origin: &Origin,
) -> Result<OperationDone> {
    let nothing = |why: &str| Error::new(Code::NothingToDo, why.to_owned());
    let oldest = (tx.now() - undo_window()).as_ms();
    let mut query = QueryBuilder::<Sqlite>::new(RECORDED);
    match operation {
        Some(id) => query.push("WHERE id = ").push_bind(&id.0),
        None => query.push(
            "WHERE undone IS NULL AND undoable = 1 AND actor = 'person' ORDER BY no DESC LIMIT 1",
        ),
    };
    let row = query.build().fetch_optional(tx.conn()).await.map_err(from_sqlx)?;
    let recorded = match (row, operation) {
        (Some(row), _) => recorded(&row)?,
        (None, Some(id)) => return Err(Error::not_found(format!("the operation {id}"))),
        (None, None) => return Err(nothing("there is nothing to undo")),
    };
    if recorded.undone.is_some() {
        return Err(nothing("this is undone already"));
    }
    if !recorded.undoable {
        return Err(nothing("this cannot be undone any more"));
    }
    if recorded.at < oldest {
        return Err(nothing("nothing of the last 30 days is left to undo"));
    }
    let done = travel(inbox, tx, &recorded, false, origin).await?;
    sqlx::query(
        "UPDATE operation SET undone =
           1 + (SELECT coalesce(max(undone), 0) FROM operation WHERE undone > 0)
         WHERE no = ?",
    )
    .bind(recorded.no)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    Ok(done)
}

/// Does again what was undone last, unless something new was done since.
pub(crate) async fn redo(inbox: &Inbox, tx: &mut Tx, origin: &Origin) -> Result<OperationDone> {
    let mut query = QueryBuilder::<Sqlite>::new(RECORDED);
    query.push("WHERE undone > 0 ORDER BY undone DESC LIMIT 1");
    let row = query.build().fetch_optional(tx.conn()).await.map_err(from_sqlx)?;
    let Some(row) = row else {
        return Err(Error::new(Code::NothingToDo, "there is nothing to redo"));
    };
    let recorded = recorded(&row)?;
    let done = travel(inbox, tx, &recorded, true, origin).await?;
    sqlx::query("UPDATE operation SET undone = NULL WHERE no = ?")
        .bind(recorded.no)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    Ok(done)
}

/// Back, or forward again.
async fn travel(
    inbox: &Inbox,
    tx: &mut Tx,
    recorded: &Recorded,
    forward: bool,
    origin: &Origin,
) -> Result<OperationDone> {
    let label = format!("{}: {}", if forward { "Redone" } else { "Undone" }, recorded.label);
    tx.change(Change::new("operation", recorded.id.0.clone(), ChangeKind::Updated, origin));
    if outbox::is_action(&recorded.detail) {
        match forward {
            true => outbox::submit_again(inbox, tx, recorded.no).await?,
            false => outbox::take_back(inbox, tx, recorded.no, origin).await?,
        }
        return done(tx.conn(), Some(recorded.id.clone()), &[], label).await;
    }
    let kind: OperationKind = serde_json::from_str(&recorded.detail)
        .map_err(|error| Error::internal(format!("a stored operation: {error}")))?;
    let before = remembered(tx.conn(), recorded.no).await?;
    let nos: Vec<i64> = before.keys().copied().collect();
    let mut items = change::load(tx.conn(), Which::Nos(&nos)).await?;
    let newborn = if kind.is_of_threads() {
        let count = items.len();
        items = change::with_threads(tx.conn(), items).await?;
        items.len() - count
    } else {
        0
    };
    let known = items.len() - newborn;
    let changes: Vec<(&Sided, Side)> = items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| {
            let current = &item.side;
            let side = match before.get(&item.no) {
                Some((position, before)) => {
                    let newer = place::activity_ms(item.position) > place::activity_ms(*position);
                    if forward {
                        kind.redo(recorded.at, before, current, newer)
                    } else {
                        kind.undo(recorded.at, before, current, newer)
                    }
                }
                // Came to the thread since: it goes with the thread.
                None if index >= known => {
                    let muted = (kind == OperationKind::Mute) == forward;
                    Side { muted, ..current.clone() }
                }
                None => return None,
            };
            (side != *current).then_some((item, side))
        })
        .collect();
    change::write(tx, &changes, origin).await?;
    done(tx.conn(), Some(recorded.id.clone()), &changes, label).await
}

async fn remembered(
    conn: &mut SqliteConnection,
    operation: i64,
) -> Result<HashMap<i64, (i64, Side)>> {
    let rows = sqlx::query("SELECT item, position, before FROM operation_item WHERE operation = ?")
        .bind(operation)
        .fetch_all(conn)
        .await
        .map_err(from_sqlx)?;
    rows.iter()
        .map(|row| {
            let before: String = get(row, "before")?;
            Ok((integer(row, "item")?, (integer(row, "position")?, recall(&before)?)))
        })
        .collect()
}

/// Newest first, before the operation with that id when one is given.
pub(crate) async fn history(
    conn: &mut SqliteConnection,
    limit: u32,
    before: Option<&OperationId>,
    oldest: Timestamp,
) -> Result<Vec<OperationRow>> {
    let rows = sqlx::query(
        "SELECT no, id, detail, label, actor, cause, at, items, undone, undoable FROM operation
         WHERE ?1 IS NULL OR no < (SELECT no FROM operation WHERE id = ?1)
         ORDER BY no DESC LIMIT ?2",
    )
    .bind(before.map(|id| id.0.clone()))
    .bind(limit.min(500))
    .fetch_all(&mut *conn)
    .await
    .map_err(from_sqlx)?;
    let mut history = Vec::with_capacity(rows.len());
    for row in &rows {
        let titles: Vec<String> = sqlx::query_scalar(
            "SELECT i.title FROM operation_item o JOIN item i ON i.no = o.item
             WHERE o.operation = ? LIMIT 3",
        )
        .bind(integer(row, "no")?)
        .fetch_all(&mut *conn)
        .await
        .map_err(from_sqlx)?;
        history.push(history_row(row, titles, oldest)?);
    }
    Ok(history)
}

fn history_row(row: &SqliteRow, items: Vec<String>, oldest: Timestamp) -> Result<OperationRow> {
    let detail: String = get(row, "detail")?;
    let detail: serde_json::Value = serde_json::from_str(&detail)
        .map_err(|error| Error::internal(format!("a stored operation: {error}")))?;
    let actor: String = get(row, "actor")?;
    let undone: Option<i64> = get(row, "undone")?;
    let at = Timestamp::from_ms(integer(row, "at")?);
    let undoable = integer(row, "undoable")? != 0 && undone.is_none() && at >= oldest;
    Ok(OperationRow {
        id: OperationId(get(row, "id")?),
        kind: detail["kind"].as_str().unwrap_or_default().to_owned(),
        label: get(row, "label")?,
        actor: Actor::parse(&actor)
            .ok_or_else(|| Error::internal("an operation holds an unknown actor"))?,
        cause: get(row, "cause")?,
        at,
        count: u32::try_from(integer(row, "items")?).unwrap_or(u32::MAX),
        undone: undone.is_some(),
        undoable,
        items,
    })
}

/// Deletes operations that can no longer be undone, some at a time. Gives their number.
pub(crate) async fn forget(tx: &mut Tx, batch: i64) -> Result<u64> {
    let oldest = (tx.now() - undo_window()).as_ms();
    let gone = sqlx::query(
        "DELETE FROM operation WHERE no IN (
           SELECT no FROM operation o WHERE at < ?
             AND NOT EXISTS (SELECT 1 FROM outbox WHERE operation = o.no)
           ORDER BY no LIMIT ?)",
    )
    .bind(oldest)
    .bind(batch)
    .execute(tx.conn())
    .await
    .map_err(from_sqlx)?;
    Ok(gone.rows_affected())
}
