//! What the person is told of outside the window: items that splits and rules ask to be told of,
//! once for each new activity. They wait here until the engine shows them, so that a restart
//! neither loses nor repeats one.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use devrig_core::id::ItemId;
use devrig_core::{Actor, Change, ChangeKind, Origin, Result, Timestamp};
use devrig_store::{SqliteConnection, Tx, from_sqlx};
use sqlx::{QueryBuilder, Sqlite};
use tokio_util::sync::CancellationToken;

use crate::arrivals::{Arrivals, AsyncApply};
use crate::inbox::Inbox;
use crate::item::ItemSummary;
use crate::matching;
use crate::place;
use crate::query::{self, plan::Plan};
use crate::rows::{self, LIST};
use crate::splits;

/// What happened longer ago is in the inbox and no news.
const NEWS: Duration = Duration::from_secs(24 * 60 * 60);
/// What is still worth telling when its time has come.
const WORTH_TELLING: &str = "is:inbox is:unread";
/// Read at once; more are told with the next.
const MOST: i64 = 500;

/// Something to tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    pub item: ItemSummary,
    /// The split or rule that asked.
    pub because: String,
}

#[derive(Clone, Copy)]
struct Collect;

impl AsyncApply for Collect {
    async fn apply(&self, tx: &mut Tx, arrivals: &Arrivals) -> Result<()> {
        let news: Vec<ItemId> = arrivals
            .items
            .iter()
            .filter(|arrival| !arrival.backfill)
            .map(|arrival| arrival.id.clone())
            .collect();
        if news.is_empty() {
            return Ok(());
        }
        let now = tx.now();
        for split in splits::stored(tx.conn()).await?.iter().filter(|split| split.notify) {
            let Ok(plan) = query::parse(&split.query, now).and_then(|query| Plan::of(&query))
            else {
                tracing::warn!(split = split.name, "the split's query cannot be read");
                continue;
            };
            let matching = matching::among(tx.conn(), &plan, &news).await?;
            ask(tx, &matching, &split.name).await?;
        }
        Ok(())
    }
}

impl Inbox {
    /// Collects what is to be told until `stop`.
    pub async fn collect_notices(&self, stop: CancellationToken) -> Result<()> {
        self.follow_arrivals("notices", stop, Collect).await
    }

    /// When the oldest of what waits to be told was asked for.
    pub async fn notices_since(&self) -> Result<Option<Timestamp>> {
        let oldest: Option<i64> =
            sqlx::query_scalar("SELECT min(asked_at) FROM notice WHERE shown = 0")
                .fetch_one(&mut *self.reader().await?)
                .await
                .map_err(from_sqlx)?;
        Ok(oldest.map(Timestamp::from_ms))
    }

    /// What waits to be told, newest first, which from then on has been told. What was read, done,
    /// snoozed or muted meanwhile is left out.
    pub async fn take_notices(&self) -> Result<Vec<Due>> {
        self.store().write(async move |tx: &mut Tx| take(tx).await).await
    }
}

async fn take(tx: &mut Tx) -> Result<Vec<Due>> {
    let waiting: Vec<(i64, String, String)> = sqlx::query_as(
        "SELECT n.item, i.id, n.because FROM notice n JOIN item i ON i.no = n.item
         WHERE n.shown = 0 ORDER BY n.position DESC LIMIT ?",
    )
    .bind(MOST)
    .fetch_all(tx.conn())
    .await
    .map_err(from_sqlx)?;
    for chunk in waiting.chunks(LIST) {
        let mut query = QueryBuilder::<Sqlite>::new("UPDATE notice SET shown = 1 WHERE item IN (");
        let mut list = query.separated(", ");
        for (no, _, _) in chunk {
            list.push_bind(no);
        }
        query.push(")");
        query.build().execute(tx.conn()).await.map_err(from_sqlx)?;
    }
    let ids: Vec<ItemId> = waiting.iter().map(|(_, id, _)| ItemId(id.clone())).collect();
    let plan = Plan::of(&query::parse(WORTH_TELLING, tx.now())?)?;
    let worth: HashSet<ItemId> =
        matching::among(tx.conn(), &plan, &ids).await?.into_iter().collect();
    let (told, mut because): (Vec<ItemId>, HashMap<ItemId, String>) = ids
        .into_iter()
        .zip(waiting)
        .filter(|(id, _)| worth.contains(id))
        .map(|(id, (_, _, because))| (id.clone(), (id, because)))
        .unzip();
    let items = rows::summaries(tx.conn(), &told).await?;
    let due = |item: ItemSummary| Some(Due { because: because.remove(&item.id)?, item });
    Ok(items.into_iter().filter_map(due).collect())
}

/// Asks that the person be told of these items, unless their newest activity was told already or
/// is no news.
pub(crate) async fn ask(tx: &mut Tx, ids: &[ItemId], because: &str) -> Result<()> {
    let now = tx.now();
    let oldest = place::first_at((now - NEWS).as_ms());
    let mut asked = 0;
    for id in ids {
        asked += insert(tx.conn(), id, because, oldest, now).await?;
    }
    if asked > 0 {
        let origin = Origin::new(Actor::System);
        tx.change(Change::new("notice", because, ChangeKind::Created, &origin));
    }
    Ok(())
}

async fn insert(
    conn: &mut SqliteConnection,
    id: &ItemId,
    because: &str,
    oldest: i64,
    now: Timestamp,
) -> Result<u64> {
    let done = sqlx::query(
        "INSERT INTO notice (item, position, because, asked_at)
           SELECT no, position, ?2, ?4 FROM item WHERE id = ?1 AND position >= ?3
         ON CONFLICT (item) DO UPDATE SET position = excluded.position,
           because = excluded.because, asked_at = excluded.asked_at, shown = 0
         WHERE excluded.position > notice.position",
    )
    .bind(&id.0)
    .bind(because)
    .bind(oldest)
    .bind(now.as_ms())
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(done.rows_affected())
}

/// The query of what counts on the icon: what is unread in the splits that ask for it.
///
/// Nothing when no split asks.
pub fn badge_query(splits: &[splits::Split]) -> Option<String> {
    let asked: Vec<String> =
        splits.iter().filter(|s| s.badge).map(|split| format!("({})", split.query)).collect();
    (!asked.is_empty()).then(|| format!("is:inbox is:unread ({})", asked.join(" OR ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_badge_counts_what_its_splits_hold_together() {
        assert_eq!(badge_query(&[splits::Split::new("A", "is:any")]), None);
        let query = badge_query(&splits::shipped()).expect("what ships counts something");
        let query = query::parse(&query, Timestamp::from_ms(0)).expect("it can be read");
        assert!(Plan::of(&query).is_ok());
    }
}
