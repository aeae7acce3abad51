//! The change feed: live listeners hear of each commit; durable subscribers keep a cursor.

use std::sync::Arc;

use devrig_core::{Actor, Change, ChangeKind, Error, Origin, Result, Timestamp};
use sqlx::{Row, SqliteConnection};
use tokio::sync::broadcast;

use crate::append::{Bind, Rows};
use crate::error::from_sqlx;
use crate::group::Store;
use crate::tx::Tx;

/// A change as it was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// Strictly rising, never used twice.
    pub seq: i64,
    pub table: String,
    pub id: String,
    pub kind: ChangeKind,
    pub origin: Origin,
    pub at: Timestamp,
}

/// The first number that no row and no subscriber has seen, also after old rows were deleted.
pub(crate) async fn next_seq(conn: &mut SqliteConnection) -> Result<i64> {
    sqlx::query_scalar(
        "SELECT 1 + max(
           coalesce((SELECT max(seq) FROM change), 0),
           coalesce((SELECT max(cursor) FROM subscriber), 0))",
    )
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)
}

/// A rolled-back group leaves a gap in the numbers; nobody minds.
pub(crate) fn number(
    changes: impl IntoIterator<Item = Change>,
    next: &mut i64,
    at: Timestamp,
) -> Vec<ChangeRow> {
    changes
        .into_iter()
        .map(|change| {
            let seq = *next;
            *next += 1;
            let Change { table, id, kind, origin } = change;
            ChangeRow { seq, table: table.to_owned(), id, kind, origin, at }
        })
        .collect()
}

/// The rows of the feed's table.
pub(crate) fn rows(changes: &[ChangeRow]) -> Rows {
    let mut values = Vec::with_capacity(changes.len() * 8);
    for change in changes {
        values.extend([
            Bind::Int(change.seq),
            Bind::Text(change.table.clone()),
            Bind::Text(change.id.clone()),
            Bind::from(change.kind.as_str()),
            Bind::from(change.origin.actor.as_str()),
            Bind::from(change.origin.cause.clone()),
            Bind::Int(i64::from(change.origin.depth)),
            Bind::Text(change.at.to_string()),
        ]);
    }
    let into = "INSERT INTO change (seq, tbl, row_id, kind, actor, cause, depth, at) ";
    Rows { into, columns: 8, values }
}

impl Store {
    /// Every commit's changes from now on. A listener that lags gets `Lagged` and has to re-read
    /// what it shows rather than guess.
    pub fn changes(&self) -> broadcast::Receiver<Arc<[ChangeRow]>> {
        self.inner.feed.subscribe()
    }

    /// A durable reader of the feed under `name`. A new one begins with what comes next.
    pub async fn subscriber(&self, name: &'static str) -> Result<Subscriber> {
        let live = self.changes();
        self.write(async move |tx: &mut Tx| {
            sqlx::query(
                "INSERT INTO subscriber (name, cursor)
                 VALUES (?, coalesce((SELECT max(seq) FROM change), 0))
                 ON CONFLICT (name) DO NOTHING",
            )
            .bind(name)
            .execute(tx.conn())
            .await
            .map_err(from_sqlx)?;
            Ok(())
        })
        .await?;
        Ok(Subscriber { store: self.clone(), name, live, end: None })
    }
}

/// Reads the feed from a cursor that survives restarts. Each change is handed out again until
/// [`Subscriber::advance`] commits past it, so effects belong in the same transaction as the
/// advance, under [`Subscriber::key`].
pub struct Subscriber {
    store: Store,
    name: &'static str,
    live: broadcast::Receiver<Arc<[ChangeRow]>>,
    /// The last one that was handed out, when the table had no more: what follows comes live.
    end: Option<i64>,
}

impl Subscriber {
    /// Up to `limit` changes after the cursor, oldest first; waits until there is one.
    pub async fn next(&mut self, limit: u32) -> Result<Vec<ChangeRow>> {
        self.end = None;
        self.next_after(0, limit).await
    }

    /// The same without those up to `seen`: for a reader that moves its cursor only where it did
    /// something. One that keeps up hears of each commit, and reads nothing.
    pub async fn next_after(&mut self, seen: i64, limit: u32) -> Result<Vec<ChangeRow>> {
        loop {
            if self.end.is_none_or(|end| seen < end) {
                // Marking the feed as seen before the read means that a commit in between wakes us.
                self.live = self.live.resubscribe();
                let rows = self.read(seen, limit).await?;
                let last = rows.last().map_or(seen, |row| row.seq);
                self.end = (rows.len() < limit as usize).then_some(last);
                if !rows.is_empty() {
                    return Ok(rows);
                }
            }
            if self.end.is_some()
                && let Some(rows) = self.hear(seen, limit as usize).await?
            {
                return Ok(rows);
            }
        }
    }

    /// What comes live. None when it has to be read: it is too much, or some was missed.
    async fn hear(&mut self, seen: i64, limit: usize) -> Result<Option<Vec<ChangeRow>>> {
        use broadcast::error::RecvError;
        let told = match self.live.recv().await {
            Ok(told) => told,
            Err(RecvError::Lagged(_)) => return Ok(self.lost()),
            Err(RecvError::Closed) => {
                return Err(Error::new(devrig_core::Code::Cancelled, "the store was closed"));
            }
        };
        let rows: Vec<_> = told.iter().filter(|row| row.seq > seen).cloned().collect();
        if rows.len() > limit {
            return Ok(self.lost());
        }
        self.end = rows.last().map_or(self.end, |row| Some(row.seq));
        Ok((!rows.is_empty()).then_some(rows))
    }

    fn lost(&mut self) -> Option<Vec<ChangeRow>> {
        self.end = None;
        None
    }

    async fn read(&self, seen: i64, limit: u32) -> Result<Vec<ChangeRow>> {
        let rows = sqlx::query(
            "SELECT seq, tbl, row_id, kind, actor, cause, depth, at FROM change
             WHERE seq > max(?, (SELECT cursor FROM subscriber WHERE name = ?))
             ORDER BY seq LIMIT ?",
        )
        .bind(seen)
        .bind(self.name)
        .bind(limit)
        .fetch_all(self.store.reader())
        .await
        .map_err(from_sqlx)?;
        rows.iter().map(read_row).collect()
    }

    /// Moves the cursor to `seq` with the caller's transaction; it never goes back.
    pub async fn advance(name: &'static str, tx: &mut Tx, seq: i64) -> Result<()> {
        sqlx::query("UPDATE subscriber SET cursor = max(cursor, ?) WHERE name = ?")
            .bind(seq)
            .bind(name)
            .execute(tx.conn())
            .await
            .map_err(from_sqlx)?;
        Ok(())
    }

    /// Forgets the reader under `name`, which would otherwise keep old changes from being deleted.
    pub async fn forget(name: &'static str, tx: &mut Tx) -> Result<()> {
        sqlx::query("DELETE FROM subscriber WHERE name = ?")
            .bind(name)
            .execute(tx.conn())
            .await
            .map_err(from_sqlx)?;
        Ok(())
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The same for every delivery of one change to this subscriber.
    pub fn key(&self, change: &ChangeRow) -> String {
        format!("{}:{}:{}:{}", self.name, change.table, change.id, change.seq)
    }
}

fn read_row(row: &sqlx::sqlite::SqliteRow) -> Result<ChangeRow> {
    let broken = |what: &str| Error::internal(format!("a change row holds an unknown {what}"));
    let kind: String = row.try_get("kind").map_err(from_sqlx)?;
    let actor: String = row.try_get("actor").map_err(from_sqlx)?;
    let at: String = row.try_get("at").map_err(from_sqlx)?;
    Ok(ChangeRow {
        seq: row.try_get("seq").map_err(from_sqlx)?,
        table: row.try_get("tbl").map_err(from_sqlx)?,
        id: row.try_get("row_id").map_err(from_sqlx)?,
        kind: ChangeKind::parse(&kind).ok_or_else(|| broken("kind"))?,
        origin: Origin {
            actor: Actor::parse(&actor).ok_or_else(|| broken("actor"))?,
            cause: row.try_get("cause").map_err(from_sqlx)?,
            depth: row.try_get("depth").map_err(from_sqlx)?,
        },
        at: at.parse()?,
    })
}
