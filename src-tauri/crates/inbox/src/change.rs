//! Loading and writing the person's side of items, with everything that follows from it: counts,
//! the full text, change rows.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use devrig_core::id::ItemId;
use devrig_core::{Change, ChangeKind, Origin, Result};
use devrig_store::{SqliteConnection, Tx, from_sqlx};
use sqlx::{QueryBuilder, Sqlite};

use crate::counts::Deltas;
use crate::place;
use crate::query::plan::Expr;
use crate::rows::{self, LIST, get, integer, push_list, side};
use crate::state::Side;
use crate::text::{self, TextRow};

/// An item with the person's side of it.
#[derive(Debug, Clone)]
pub(crate) struct Sided {
    pub no: i64,
    pub id: ItemId,
    pub position: i64,
    pub source: i64,
    pub thread_key: Option<String>,
    pub side: Side,
}

/// How items are asked for.
pub(crate) enum Which<'a> {
    Ids(&'a [ItemId]),
    Nos(&'a [i64]),
    Positions(&'a [i64]),
}

/// In no particular order; unknown ones are left out.
pub(crate) async fn load(conn: &mut SqliteConnection, which: Which<'_>) -> Result<Vec<Sided>> {
    const COLUMNS: &str = "SELECT i.no, i.id, i.source, i.thread_key, i.own_labels, i.own_priority,
           t.position, t.state AS triage, t.read_at, t.done_at, t.snoozed_until, t.starred_at ";
    const FROM_ITEM: &str = "FROM item i JOIN triage t ON t.position = i.position WHERE ";
    const FROM_TRIAGE: &str = "FROM triage t JOIN item i ON i.no = t.no WHERE t.position IN (";
    let mut queries = Vec::new();
    match which {
        Which::Ids(ids) => {
            for chunk in ids.chunks(LIST) {
                let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
                query.push(FROM_ITEM).push("i.id IN (");
                push_list(&mut query, chunk.iter().map(|id| id.0.clone()));
                queries.push(query);
            }
        }
        Which::Nos(nos) => {
            for chunk in nos.chunks(LIST) {
                let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
                query.push(FROM_ITEM).push("i.no IN (");
                push_list(&mut query, chunk.iter().copied());
                queries.push(query);
            }
        }
        Which::Positions(positions) => {
            for chunk in positions.chunks(LIST) {
                let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
                query.push(FROM_TRIAGE);
                push_list(&mut query, chunk.iter().copied());
                queries.push(query);
            }
        }
    }
    let mut found = Vec::new();
    for mut query in queries {
        for row in query.build().fetch_all(&mut *conn).await.map_err(from_sqlx)? {
            found.push(Sided {
                no: integer(&row, "no")?,
                id: ItemId(get(&row, "id")?),
                position: integer(&row, "position")?,
                source: integer(&row, "source")?,
                thread_key: get(&row, "thread_key")?,
                side: side(&row)?,
            });
        }
    }
    Ok(found)
}

/// All items of the threads that these items belong to, and the items themselves.
pub(crate) async fn with_threads(
    conn: &mut SqliteConnection,
    items: Vec<Sided>,
) -> Result<Vec<Sided>> {
    let threads: BTreeSet<(i64, String)> =
        items.iter().filter_map(|item| Some((item.source, item.thread_key.clone()?))).collect();
    let mut known: HashSet<i64> = items.iter().map(|item| item.no).collect();
    let mut all = items;
    for (source, key) in threads {
        let term = Expr::attribute("thread", &key).to_fts();
        // Terms are folded and cut, so that the key itself decides.
        let nos: Vec<i64> = sqlx::query_scalar(
            "SELECT t.no FROM item_text f JOIN triage t ON t.position = f.rowid
             JOIN item i ON i.no = t.no
             WHERE f.item_text MATCH ? AND t.source = ? AND i.thread_key = ?",
        )
        .bind(term)
        .bind(source)
        .bind(&key)
        .fetch_all(&mut *conn)
        .await
        .map_err(from_sqlx)?;
        let new: Vec<i64> = nos.into_iter().filter(|no| known.insert(*no)).collect();
        all.extend(load(conn, Which::Nos(&new)).await?);
    }
    Ok(all)
}

/// Writes the sides that differ from what the items have now.
pub(crate) async fn write(tx: &mut Tx, changes: &[(&Sided, Side)], origin: &Origin) -> Result<()> {
    let mut deltas = Deltas::default();
    let mut threads = BTreeMap::new();
    let mut triage = Vec::new();
    let mut own: BTreeMap<(Option<String>, Option<i64>), Vec<i64>> = BTreeMap::new();
    for (item, to) in changes {
        deltas.moved(item.source, item.side.state(), to.state());
        if let (true, Some(key)) = (item.side.muted != to.muted, &item.thread_key) {
            threads.insert((item.source, key.clone()), to.muted);
        }
        if (&item.side.labels, item.side.priority) != (&to.labels, to.priority) {
            own.entry((rows::labels_text(&to.labels), to.priority)).or_default().push(item.no);
        }
        let bare = |side: &Side| Side { labels: Vec::new(), priority: None, ..side.clone() };
        if bare(&item.side) != bare(to) {
            triage.push((*item, to));
        }
        tx.change(Change::new("item", item.id.0.clone(), ChangeKind::Updated, origin));
    }
    for chunk in triage.chunks(LIST) {
        write_triage(tx.conn(), chunk).await?;
    }
    for ((labels, priority), nos) in &own {
        write_own(tx.conn(), labels.as_deref(), *priority, nos).await?;
    }
    let relabelled: Vec<i64> = own.into_values().flatten().collect();
    reindex(tx.conn(), &relabelled).await?;
    mute_threads(tx.conn(), threads).await?;
    deltas.write(tx.conn()).await
}

async fn write_triage(conn: &mut SqliteConnection, rows: &[(&Sided, &Side)]) -> Result<()> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO triage (position, no, source, state, read_at, done_at, snoozed_until,
           starred_at) ",
    );
    query.push_values(rows, |mut row, (item, side)| {
        row.push_bind(item.position)
            .push_bind(item.no)
            .push_bind(item.source)
            .push_bind(side.state().0)
            .push_bind(side.read_at)
            .push_bind(side.done_at)
            .push_bind(side.snoozed_until)
            .push_bind(side.starred_at);
    });
    query.push(
        " ON CONFLICT (position) DO UPDATE SET state = excluded.state, read_at = excluded.read_at,
           done_at = excluded.done_at, snoozed_until = excluded.snoozed_until,
           starred_at = excluded.starred_at",
    );
    query.build().execute(conn).await.map_err(from_sqlx)?;
    Ok(())
}

async fn write_own(
    conn: &mut SqliteConnection,
    labels: Option<&str>,
    priority: Option<i64>,
    nos: &[i64],
) -> Result<()> {
    for chunk in nos.chunks(LIST) {
        let mut query = QueryBuilder::<Sqlite>::new("UPDATE item SET own_labels = ");
        query.push_bind(labels).push(", own_priority = ").push_bind(priority);
        query.push(" WHERE no IN (");
        push_list(&mut query, chunk.iter().copied());
        query.build().execute(&mut *conn).await.map_err(from_sqlx)?;
    }
    Ok(())
}

/// Makes the rows of the full text anew from what is stored.
pub(crate) async fn reindex(conn: &mut SqliteConnection, nos: &[i64]) -> Result<()> {
    for chunk in nos.chunks(LIST) {
        let rows: Vec<TextRow> = rows::indexed(conn, chunk)
            .await?
            .iter()
            .map(|item| {
                let (title, body) = item.words();
                TextRow { position: item.position, title, body }
            })
            .collect();
        let positions: Vec<i64> = rows.iter().map(|row| row.position).collect();
        text::delete(conn, &positions).await?;
        text::insert(conn, rows).await?;
    }
    Ok(())
}

async fn mute_threads(
    conn: &mut SqliteConnection,
    threads: BTreeMap<(i64, String), bool>,
) -> Result<()> {
    for ((source, key), muted) in threads {
        let sql = if muted {
            "INSERT INTO muted_thread (source, thread_key) VALUES (?, ?) ON CONFLICT DO NOTHING"
        } else {
            "DELETE FROM muted_thread WHERE source = ? AND thread_key = ?"
        };
        sqlx::query(sql).bind(source).bind(key).execute(&mut *conn).await.map_err(from_sqlx)?;
    }
    Ok(())
}

/// Moves items to the place of activity at `ms`.
pub(crate) async fn move_to(conn: &mut SqliteConnection, items: &[Sided], ms: i64) -> Result<()> {
    for item in items {
        let Some(position) = free_place(conn, ms, item.no).await? else { continue };
        for sql in [
            "UPDATE triage SET position = ?1 WHERE position = ?2 AND no = ?3",
            "UPDATE item SET position = ?1 WHERE position = ?2 AND no = ?3",
        ] {
            sqlx::query(sql)
                .bind(position)
                .bind(item.position)
                .bind(item.no)
                .execute(&mut *conn)
                .await
                .map_err(from_sqlx)?;
        }
    }
    let old: Vec<i64> = items.iter().map(|item| item.position).collect();
    text::delete(conn, &old).await?;
    let nos: Vec<i64> = items.iter().map(|item| item.no).collect();
    reindex(conn, &nos).await
}

/// The first free place from that millisecond on; None when the item stands there already.
pub(crate) async fn free_place(
    conn: &mut SqliteConnection,
    mut ms: i64,
    no: i64,
) -> Result<Option<i64>> {
    loop {
        let position = place::position(ms, no);
        let holder: Option<i64> = sqlx::query_scalar("SELECT no FROM triage WHERE position = ?")
            .bind(position)
            .fetch_optional(&mut *conn)
            .await
            .map_err(from_sqlx)?;
        match holder {
            None => return Ok(Some(position)),
            Some(holder) if holder == no => return Ok(None),
            Some(_) => ms += 1,
        }
    }
}
