//! Runs a plan: positions of what matches, newest first.
//!
//! The full text walks its lists backwards, 35 ns a row. States that few items have, or that few
//! have not, become a set in memory that each hit is looked up in, 25 ns; otherwise each hit's row
//! is read, 250 ns, and enough are found soon. (Asking the full text about single rows instead
//! costs a walk to the next row that matches, which may be the whole list.)

use devrig_core::Result;
use devrig_store::{SqliteConnection, from_sqlx};
use sqlx::{Execute, QueryBuilder, Sqlite};

use crate::counts::Counts;
use crate::query::plan::{Alternative, Plan};
use crate::rows::push_list;

/// Largest set that is built for one search; it takes some 10 ms.
const SET: i64 = 60_000;

/// Which way, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walk {
    /// Newest first, from the top or from before a position.
    Down(Option<i64>),
    /// Oldest first, from after a position.
    Up(i64),
}

impl Walk {
    fn order(self) -> &'static str {
        match self {
            Walk::Down(_) => "DESC",
            Walk::Up(_) => "ASC",
        }
    }

    fn narrow(self, alternative: &Alternative) -> (i64, i64) {
        match self {
            Walk::Down(None) => (alternative.from, alternative.to),
            Walk::Down(Some(before)) => {
                (alternative.from, alternative.to.min(before.saturating_sub(1)))
            }
            Walk::Up(after) => (alternative.from.max(after.saturating_add(1)), alternative.to),
        }
    }
}

/// Up to `limit` positions in the order of the walk, each once.
pub(crate) async fn positions(
    conn: &mut SqliteConnection,
    plan: &Plan,
    walk: Walk,
    limit: i64,
) -> Result<Vec<i64>> {
    let counts = Counts::read(conn).await?;
    let mut found = Vec::new();
    for alternative in &plan.alternatives {
        if let Some(mut query) = statement(conn, &counts, alternative, walk, limit).await? {
            found.extend(
                query.build_query_scalar::<i64>().fetch_all(&mut *conn).await.map_err(from_sqlx)?,
            );
        }
    }
    if plan.alternatives.len() > 1 {
        found.sort_unstable();
        found.dedup();
        if matches!(walk, Walk::Down(_)) {
            found.reverse();
        }
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    Ok(found)
}

/// The last of the first `skip` positions of the walk, where a page that leaves them out begins.
pub(crate) async fn past(
    conn: &mut SqliteConnection,
    plan: &Plan,
    walk: Walk,
    skip: i64,
) -> Result<Option<i64>> {
    if let [alternative] = plan.alternatives.as_slice() {
        let counts = Counts::read(conn).await?;
        let Some(inner) = statement(conn, &counts, alternative, walk, skip).await? else {
            return Ok(None);
        };
        let end = if matches!(walk, Walk::Down(_)) { "min(position)" } else { "max(position)" };
        let mut query = of_all(end, inner);
        return query.build_query_scalar().fetch_one(conn).await.map_err(from_sqlx);
    }
    Ok(positions(conn, plan, walk, skip).await?.pop())
}

/// How many match, when only states are asked for: that number is kept.
pub(crate) async fn known_count(conn: &mut SqliteConnection, plan: &Plan) -> Result<Option<i64>> {
    match plan.alternatives.as_slice() {
        [] => Ok(Some(0)),
        [one] if one.only_states() => Ok(Some(Counts::read(conn).await?.of(one.states))),
        _ => Ok(None),
    }
}

/// How many match, counted up to `cap`.
pub(crate) async fn count(conn: &mut SqliteConnection, plan: &Plan, cap: i64) -> Result<i64> {
    if let [alternative] = plan.alternatives.as_slice() {
        let counts = Counts::read(conn).await?;
        let walk = Walk::Down(None);
        let Some(inner) = statement(conn, &counts, alternative, walk, cap).await? else {
            return Ok(0);
        };
        let mut query = of_all("count(*)", inner);
        return query.build_query_scalar().fetch_one(conn).await.map_err(from_sqlx);
    }
    let found = positions(conn, plan, Walk::Down(None), cap).await?;
    Ok(i64::try_from(found.len()).unwrap_or(cap))
}

/// One figure of all the statement's rows instead of the rows.
fn of_all(figure: &str, mut inner: QueryBuilder<Sqlite>) -> QueryBuilder<Sqlite> {
    let sql = format!("SELECT {figure} FROM ({})", inner.sql().as_str());
    let arguments = inner.build().take_arguments().ok().flatten().unwrap_or_default();
    QueryBuilder::with_arguments(sql, arguments)
}

/// None when nothing can match.
async fn statement(
    conn: &mut SqliteConnection,
    counts: &Counts,
    alternative: &Alternative,
    walk: Walk,
    limit: i64,
) -> Result<Option<QueryBuilder<Sqlite>>> {
    let present = counts.present(alternative.states);
    let (from, to) = walk.narrow(alternative);
    if present.is_empty() || from > to {
        return Ok(None);
    }
    let absent = counts.present(alternative.states.not());
    let Some(text) = alternative.text.as_ref().map(|text| text.to_fts()) else {
        return Ok(Some(if absent.is_empty() {
            everything(from, to, walk, limit)
        } else {
            by_state(&present, from, to, walk, limit)
        }));
    };
    if absent.is_empty() {
        return Ok(Some(by_text(text, Among::All, from, to, walk, limit)));
    }
    // Where none of these states is, the text need not be walked.
    let Some((first, last)) = bounds(conn, &present, from, to).await? else {
        return Ok(None);
    };
    let (from, to) = (from.max(first), to.min(last));
    let among = if counts.of(alternative.states) <= SET {
        Among::Set(&present)
    } else if counts.of(alternative.states.not()) <= SET {
        Among::NotSet(&absent)
    } else {
        Among::Rows(&present)
    };
    Ok(Some(by_text(text, among, from, to, walk, limit)))
}

/// The oldest and the newest place of any of these states.
async fn bounds(
    conn: &mut SqliteConnection,
    states: &[i64],
    from: i64,
    to: i64,
) -> Result<Option<(i64, i64)>> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT min(a), max(b) FROM (");
    for (index, state) in states.iter().enumerate() {
        query.push(if index > 0 { " UNION ALL " } else { "" });
        for (name, end) in [("SELECT (", "min"), (") AS a, (", "max")] {
            query.push(name);
            query.push(format!(
                "SELECT {end}(position) FROM triage INDEXED BY triage_state WHERE state = "
            ));
            query.push_bind(*state).push(" AND position BETWEEN ").push_bind(from);
            query.push(" AND ").push_bind(to);
        }
        query.push(") AS b");
    }
    query.push(")");
    let (first, last): (Option<i64>, Option<i64>) =
        query.build_query_as().fetch_one(conn).await.map_err(from_sqlx)?;
    Ok(first.zip(last))
}

fn everything(from: i64, to: i64, walk: Walk, limit: i64) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT position FROM triage WHERE position BETWEEN ");
    query.push_bind(from).push(" AND ").push_bind(to);
    query.push(format!(" ORDER BY position {} LIMIT ", walk.order())).push_bind(limit);
    query
}

/// One ordered list for each state; SQLite merges them.
fn by_state(states: &[i64], from: i64, to: i64, walk: Walk, limit: i64) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("");
    for (index, state) in states.iter().enumerate() {
        query.push(if index > 0 { " UNION ALL " } else { "" });
        query.push("SELECT position FROM triage INDEXED BY triage_state WHERE state = ");
        query.push_bind(*state).push(" AND position BETWEEN ").push_bind(from);
        query.push(" AND ").push_bind(to);
    }
    query.push(format!(" ORDER BY position {} LIMIT ", walk.order())).push_bind(limit);
    query
}

/// How the states of a hit are told.
enum Among<'a> {
    All,
    Set(&'a [i64]),
    NotSet(&'a [i64]),
    Rows(&'a [i64]),
}

fn by_text(
    text: String,
    among: Among<'_>,
    from: i64,
    to: i64,
    walk: Walk,
    limit: i64,
) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT f.rowid AS position FROM item_text f ");
    if let Among::Rows(_) = among {
        query.push("CROSS JOIN triage t ON t.position = f.rowid ");
    }
    query.push("WHERE f.item_text MATCH ").push_bind(text);
    query.push(" AND f.rowid BETWEEN ").push_bind(from).push(" AND ").push_bind(to);
    match among {
        Among::All => {}
        Among::Rows(states) => {
            query.push(" AND t.state IN (");
            push_list(&mut query, states.iter().copied());
        }
        Among::Set(states) | Among::NotSet(states) => {
            // The plus keeps SQLite from asking the full text about each row of the set.
            let not = if matches!(among, Among::NotSet(_)) { "NOT " } else { "" };
            query.push(format!(
                " AND +f.rowid {not}IN (SELECT position FROM triage INDEXED BY triage_state
                  WHERE position BETWEEN "
            ));
            query.push_bind(from).push(" AND ").push_bind(to).push(" AND state IN (");
            push_list(&mut query, states.iter().copied());
            query.push(")");
        }
    }
    query.push(format!(" ORDER BY f.rowid {} LIMIT ", walk.order())).push_bind(limit);
    query
}
