//! Rows of `item` and `triage` as the types that others see.

use std::collections::HashMap;
use std::sync::Arc;

use devrig_core::id::{AccountId, ItemId};
use devrig_core::{Error, Result, Timestamp};
use devrig_store::{SqliteConnection, from_sqlx};
use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::item::{Item, ItemSummary, Triage};
use crate::place;
use crate::prepare::{Facts, Source, Words, priority};
use crate::state::{Side, State, ms};
use crate::wake::Wake;

/// Columns of a summary; `i` is item, `t` triage, `s` inbox_source.
const SUMMARY: &str = "i.no, i.id, s.account, s.plugin, i.kind, i.title, i.preview, i.source_url,
  i.thread_key, i.actor, i.repo, i.reason, i.labels, i.priority, i.state, i.actionable,
  i.own_labels, i.own_priority, t.position, t.state AS triage, t.read_at, t.done_at,
  t.snoozed_until, t.starred_at,
  (SELECT o.state FROM outbox o WHERE o.item = i.no AND o.state NOT IN ('sent', 'cancelled')
   ORDER BY o.no DESC LIMIT 1) AS outbox";

const JOINED: &str =
    " FROM triage t JOIN item i ON i.no = t.no JOIN inbox_source s ON s.no = i.source ";

/// Rows per statement with a list of values.
pub(crate) const LIST: usize = 500;

/// Summaries at these positions, in their order; places that no longer hold an item are left out.
pub(crate) async fn at_positions(
    conn: &mut SqliteConnection,
    positions: &[i64],
) -> Result<Vec<ItemSummary>> {
    let mut found = HashMap::with_capacity(positions.len());
    for chunk in positions.chunks(LIST) {
        let mut query =
            QueryBuilder::<Sqlite>::new(format!("SELECT {SUMMARY} {JOINED} WHERE t.position IN ("));
        push_list(&mut query, chunk.iter().copied());
        for row in query.build().fetch_all(&mut *conn).await.map_err(from_sqlx)? {
            found.insert(integer(&row, "position")?, summary(&row)?);
        }
    }
    Ok(positions.iter().filter_map(|position| found.remove(position)).collect())
}

/// Summaries of these items, in their order; unknown ids are left out.
pub(crate) async fn summaries(
    conn: &mut SqliteConnection,
    ids: &[ItemId],
) -> Result<Vec<ItemSummary>> {
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(LIST) {
        let mut query = QueryBuilder::<Sqlite>::new(format!(
            "SELECT {SUMMARY} FROM item i JOIN triage t ON t.position = i.position
             JOIN inbox_source s ON s.no = i.source WHERE i.id IN ("
        ));
        push_list(&mut query, chunk.iter().map(|id| id.0.clone()));
        for row in query.build().fetch_all(&mut *conn).await.map_err(from_sqlx)? {
            let summary = summary(&row)?;
            found.insert(summary.id.clone(), summary);
        }
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// All of one item.
pub(crate) async fn item(conn: &mut SqliteConnection, id: &ItemId) -> Result<Option<Item>> {
    let sql = format!(
        "SELECT {SUMMARY}, i.external_id, i.body, i.metadata, i.source_created_at,
           i.source_updated_at, i.created_at, i.updated_at
         FROM item i JOIN triage t ON t.position = i.position
         JOIN inbox_source s ON s.no = i.source WHERE i.id = "
    );
    let mut query = QueryBuilder::<Sqlite>::new(sql);
    let row = query.push_bind(&id.0).build().fetch_optional(conn).await.map_err(from_sqlx)?;
    row.map(|row| whole(&row)).transpose()
}

fn whole(row: &SqliteRow) -> Result<Item> {
    let metadata: Option<String> = get(row, "metadata")?;
    let metadata = match metadata {
        Some(text) => serde_json::from_str(&text)
            .map_err(|error| Error::internal(format!("stored metadata is not JSON: {error}")))?,
        None => Value::Object(serde_json::Map::new()),
    };
    Ok(Item {
        summary: summary(row)?,
        external_id: get(row, "external_id")?,
        body: get(row, "body")?,
        metadata,
        source_created_at: ms(get(row, "source_created_at")?),
        source_updated_at: ms(get(row, "source_updated_at")?),
        created_at: Timestamp::from_ms(integer(row, "created_at")?),
        updated_at: Timestamp::from_ms(integer(row, "updated_at")?),
    })
}

fn summary(row: &SqliteRow) -> Result<ItemSummary> {
    let position = integer(row, "position")?;
    let side = side(row)?;
    let own = side.priority;
    Ok(ItemSummary {
        id: ItemId(get(row, "id")?),
        account_id: AccountId(get(row, "account")?),
        plugin: get(row, "plugin")?,
        kind: get(row, "kind")?,
        title: get(row, "title")?,
        preview: get(row, "preview")?,
        source_url: get(row, "source_url")?,
        thread_key: get(row, "thread_key")?,
        actor: get(row, "actor")?,
        repo: get(row, "repo")?,
        reason: get(row, "reason")?,
        labels: labels(row, "labels")?,
        priority: priority(own.or(get(row, "priority")?)),
        state: get(row, "state")?,
        is_actionable: integer(row, "actionable")? != 0,
        triage: Triage {
            read_at: ms(side.read_at),
            done_at: ms(side.done_at),
            snoozed_until: side.snoozed_until.map(Wake::from_ms),
            starred_at: ms(side.starred_at),
            muted: side.muted,
            labels: side.labels,
            priority: own.map(|own| priority(Some(own))),
        },
        activity_at: Timestamp::from_ms(place::activity_ms(position)),
        position: place::to_text(position),
        outbox: get(row, "outbox")?,
    })
}

/// The person's side, from columns named as in [`SUMMARY`].
pub(crate) fn side(row: &SqliteRow) -> Result<Side> {
    Ok(Side {
        read_at: get(row, "read_at")?,
        done_at: get(row, "done_at")?,
        snoozed_until: get(row, "snoozed_until")?,
        starred_at: get(row, "starred_at")?,
        muted: State(integer(row, "triage")?).has(State::MUTED),
        labels: labels(row, "own_labels")?,
        priority: get(row, "own_priority")?,
    })
}

/// An item, as its row of the full text is made from it.
pub(crate) struct Indexed {
    pub position: i64,
    pub source: Source,
    pub facts: Facts,
    pub side: Side,
}

impl Indexed {
    pub fn words(&self) -> (String, Arc<str>) {
        let words = Words::of(&self.source, &self.facts);
        (words.title(&self.facts, &self.side.labels, self.side.priority), words.body)
    }
}

const INDEXED: &str = "SELECT s.account, s.plugin, i.external_id, i.hash, i.kind, i.title,
   i.preview, i.source_url, i.thread_key, i.actor, i.repo, i.reason, i.labels, i.priority,
   i.state, i.actionable, i.own_labels, i.own_priority, i.source_created_at,
   i.source_updated_at, i.body, i.metadata, t.position, t.state AS triage, t.read_at, t.done_at,
   t.snoozed_until, t.starred_at";

/// In no particular order.
pub(crate) async fn indexed(conn: &mut SqliteConnection, nos: &[i64]) -> Result<Vec<Indexed>> {
    let mut found = Vec::with_capacity(nos.len());
    for chunk in nos.chunks(LIST) {
        let mut query = QueryBuilder::<Sqlite>::new(format!(
            "{INDEXED} FROM item i JOIN triage t ON t.position = i.position
             JOIN inbox_source s ON s.no = i.source WHERE i.no IN ("
        ));
        push_list(&mut query, chunk.iter().copied());
        for row in query.build().fetch_all(&mut *conn).await.map_err(from_sqlx)? {
            found.push(read_indexed(&row)?);
        }
    }
    Ok(found)
}

fn read_indexed(row: &SqliteRow) -> Result<Indexed> {
    let source = Source { account: get(row, "account")?, plugin: get(row, "plugin")? };
    let facts = Facts {
        external_id: get(row, "external_id")?,
        hash: get(row, "hash")?,
        kind: get(row, "kind")?,
        title: get(row, "title")?,
        preview: get(row, "preview")?,
        source_url: get(row, "source_url")?,
        thread_key: get(row, "thread_key")?,
        actor: get(row, "actor")?,
        repo: get(row, "repo")?,
        reason: get(row, "reason")?,
        labels: labels(row, "labels")?,
        priority: get(row, "priority")?,
        state: get(row, "state")?,
        actionable: integer(row, "actionable")? != 0,
        source_created_at: get(row, "source_created_at")?,
        source_updated_at: get(row, "source_updated_at")?,
        metadata: get::<Option<String>>(row, "metadata")?.map(Into::into),
        body: get::<String>(row, "body")?.into(),
    };
    Ok(Indexed { position: integer(row, "position")?, source, facts, side: side(row)? })
}

/// Labels as they are stored: a JSON list, or nothing when there are none.
pub(crate) fn labels_text(labels: &[String]) -> Option<String> {
    (!labels.is_empty()).then(|| Value::from(labels).to_string())
}

fn labels(row: &SqliteRow, column: &str) -> Result<Vec<String>> {
    match get::<Option<String>>(row, column)? {
        None => Ok(Vec::new()),
        Some(text) => serde_json::from_str(&text)
            .map_err(|error| Error::internal(format!("stored labels are not JSON: {error}"))),
    }
}

/// `?, ?, ?)`
pub(crate) fn push_list<T>(query: &mut QueryBuilder<Sqlite>, values: impl Iterator<Item = T>)
where
    T: for<'q> sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite>,
{
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    query.push(")");
}

pub(crate) fn get<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(column).map_err(from_sqlx)
}

pub(crate) fn integer(row: &SqliteRow, column: &str) -> Result<i64> {
    get(row, column)
}
