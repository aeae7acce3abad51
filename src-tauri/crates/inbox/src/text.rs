//! The full-text table `item_text`: one row for each item, at the item's position.

use std::sync::Arc;

use devrig_core::Result;
use devrig_store::{SqliteConnection, from_sqlx};
use sqlx::{QueryBuilder, Sqlite};

pub(crate) struct TextRow {
    pub position: i64,
    pub title: String,
    pub body: Arc<str>,
}

/// As many as one statement can have variables for.
const ROWS: usize = 10_000;

/// Writes rows, which must be new at their positions.
///
/// FTS5 gathers rows in memory and writes them out as one piece when a row id does not rise, and
/// when any statement of several rows begins: so they are sorted, and go in one statement. In
/// statements of 50 rows an import was half as fast, and left pieces to merge for as long again.
pub(crate) async fn insert(conn: &mut SqliteConnection, mut rows: Vec<TextRow>) -> Result<()> {
    rows.sort_unstable_by_key(|row| row.position);
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO item_text (rowid, title, body) ");
        query.push_values(rows.by_ref().take(ROWS), |mut values, row| {
            values.push_bind(row.position).push_bind(row.title).push_bind(row.body);
        });
        let statement = query.build().persistent(false);
        statement.execute(&mut *conn).await.map_err(from_sqlx)?;
    }
    Ok(())
}

pub(crate) async fn delete(conn: &mut SqliteConnection, positions: &[i64]) -> Result<()> {
    for chunk in positions.chunks(500) {
        let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM item_text WHERE rowid IN (");
        let mut list = query.separated(", ");
        for position in chunk {
            list.push_bind(*position);
        }
        query.push(")");
        query.build().execute(&mut *conn).await.map_err(from_sqlx)?;
    }
    Ok(())
}

/// Merges some of what imports left in pieces; true when there is more to do. Short, so that the
/// engine can call it between other writes.
pub(crate) async fn merge(conn: &mut SqliteConnection, pages: i64) -> Result<bool> {
    let before = changes(conn).await?;
    sqlx::query("INSERT INTO item_text (item_text, rank) VALUES ('merge', ?)")
        .bind(pages)
        .execute(&mut *conn)
        .await
        .map_err(from_sqlx)?;
    // FTS5's documented way to see whether a merge had work: it wrote more than its own row.
    Ok(changes(conn).await? - before >= 2)
}

async fn changes(conn: &mut SqliteConnection) -> Result<i64> {
    sqlx::query_scalar("SELECT total_changes()").fetch_one(conn).await.map_err(from_sqlx)
}
