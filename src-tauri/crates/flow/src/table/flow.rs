//! The SQL of `flow` and `flow_version`.

use std::collections::HashMap;

use devrig_core::{Error, Result, Timestamp};
use devrig_store::{SqliteConnection, from_sqlx};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// A flow as its row has it.
#[derive(Debug, Clone)]
pub struct FlowRow {
    pub seq: i64,
    pub id: String,
    pub name: String,
    pub folder: Option<String>,
    pub tags: Vec<String>,
    pub enabled: bool,
    /// The newest version, and the one that triggers run.
    pub latest: i64,
    pub live: Option<i64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl FlowRow {
    /// A flow that nothing is known of yet but its id.
    pub fn new(id: &str, now: Timestamp) -> Self {
        Self {
            seq: 0,
            id: id.to_owned(),
            name: String::new(),
            folder: None,
            tags: Vec::new(),
            enabled: false,
            latest: 0,
            live: None,
            created_at: now,
            updated_at: now,
        }
    }
}

/// A version without its definition.
#[derive(Debug, Clone)]
pub struct VersionRow {
    pub version: i64,
    pub summary: String,
    pub actor: String,
    pub created_at: Timestamp,
}

const COLUMNS: &str = "SELECT seq, id, name, folder, tags, enabled, latest, live, created_at, \
     updated_at FROM flow ";

/// Every flow, by folder and name.
pub async fn list(conn: &mut SqliteConnection) -> Result<Vec<FlowRow>> {
    let mut query = sqlx::QueryBuilder::new(COLUMNS);
    query.push("ORDER BY folder, name COLLATE NOCASE, seq");
    let rows = query.build().fetch_all(conn).await.map_err(from_sqlx)?;
    rows.iter().map(row).collect()
}

/// The definitions that name a plugin, by the numbers of their flows: of the version that is live,
/// else of the newest. Of one flow, or of all.
pub async fn with_plugins(
    conn: &mut SqliteConnection,
    flow: Option<i64>,
) -> Result<HashMap<i64, String>> {
    // Most flows use none, and need not be read for it.
    let mut query = sqlx::QueryBuilder::new(
        "SELECT flow.seq, flow_version.definition FROM flow
         JOIN flow_version ON flow_version.flow = flow.seq
          AND flow_version.version = coalesce(flow.live, flow.latest)
         WHERE instr(flow_version.definition, '\"pluginId\"') > 0",
    );
    if let Some(flow) = flow {
        query.push(" AND flow.seq = ").push_bind(flow);
    }
    let rows: Vec<(i64, String)> =
        query.build_query_as().fetch_all(conn).await.map_err(from_sqlx)?;
    Ok(rows.into_iter().collect())
}

/// The flow with this id.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn get(conn: &mut SqliteConnection, id: &str) -> Result<FlowRow> {
    find(conn, id).await?.ok_or_else(|| {
        Error::not_found(format!("the flow {id}")).hint("`devrig flow list` lists them.")
    })
}

/// The flow with this id, if there is one.
pub async fn find(conn: &mut SqliteConnection, id: &str) -> Result<Option<FlowRow>> {
    let mut query = sqlx::QueryBuilder::new(COLUMNS);
    query.push("WHERE id = ").push_bind(id);
    let found = query.build().fetch_optional(conn).await.map_err(from_sqlx)?;
    found.as_ref().map(row).transpose()
}

/// Writes a new flow or the new state of one, and gives its number. A new one does not get that of
/// a deleted flow while anything of it is left: the runs of the two would be taken for each other.
pub async fn put(conn: &mut SqliteConnection, flow: &FlowRow) -> Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO flow
           (seq, id, name, folder, tags, enabled, latest, live, created_at, updated_at)
         VALUES (
           1 + max(coalesce((SELECT max(seq) FROM flow), 0),
                   coalesce((SELECT max(flow) FROM run), 0),
                   coalesce((SELECT max(flow) FROM trigger_state), 0),
                   coalesce((SELECT max(flow) FROM trigger_cursor), 0)),
           ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (id) DO UPDATE SET
           name = ?2, folder = ?3, tags = ?4, enabled = ?5, latest = ?6, live = ?7, updated_at = ?9
         RETURNING seq",
    )
    .bind(&flow.id)
    .bind(&flow.name)
    .bind(&flow.folder)
    .bind(serde_json::to_string(&flow.tags)?)
    .bind(flow.enabled)
    .bind(flow.latest)
    .bind(flow.live)
    .bind(flow.created_at.to_string())
    .bind(flow.updated_at.to_string())
    .fetch_one(conn)
    .await
    .map_err(from_sqlx)
}

/// Forgets a flow with its versions. Its runs stay until retention takes them.
pub async fn delete(conn: &mut SqliteConnection, seq: i64) -> Result<()> {
    super::trigger::forget(conn, seq).await?;
    sqlx::query("DELETE FROM flow WHERE seq = ?")
        .bind(seq)
        .execute(conn)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// Adds a version. One that is there is never changed.
pub async fn add_version(
    conn: &mut SqliteConnection,
    flow: i64,
    version: &VersionRow,
    definition: &str,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO flow_version (flow, version, definition, summary, actor, created_at)
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(flow)
    .bind(version.version)
    .bind(definition)
    .bind(&version.summary)
    .bind(&version.actor)
    .bind(version.created_at.to_string())
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// The versions of a flow, newest first.
pub async fn versions(conn: &mut SqliteConnection, flow: i64) -> Result<Vec<VersionRow>> {
    let rows = sqlx::query(
        "SELECT version, summary, actor, created_at FROM flow_version
         WHERE flow = ? ORDER BY version DESC",
    )
    .bind(flow)
    .fetch_all(conn)
    .await
    .map_err(from_sqlx)?;
    rows.iter().map(version).collect()
}

/// The text of a version's definition.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn definition(conn: &mut SqliteConnection, flow: i64, version: i64) -> Result<String> {
    let found: Option<String> =
        sqlx::query_scalar("SELECT definition FROM flow_version WHERE flow = ? AND version = ?")
            .bind(flow)
            .bind(version)
            .fetch_optional(conn)
            .await
            .map_err(from_sqlx)?;
    found.ok_or_else(|| {
        Error::not_found(format!("version {version} of the flow"))
            .hint("`devrig flow versions` lists them.")
    })
}

fn version(row: &SqliteRow) -> Result<VersionRow> {
    let created: String = row.try_get("created_at").map_err(from_sqlx)?;
    Ok(VersionRow {
        version: row.try_get("version").map_err(from_sqlx)?,
        summary: row.try_get("summary").map_err(from_sqlx)?,
        actor: row.try_get("actor").map_err(from_sqlx)?,
        created_at: created.parse()?,
    })
}

fn row(row: &SqliteRow) -> Result<FlowRow> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(from_sqlx);
    Ok(FlowRow {
        seq: row.try_get("seq").map_err(from_sqlx)?,
        id: text("id")?,
        name: text("name")?,
        folder: row.try_get("folder").map_err(from_sqlx)?,
        tags: serde_json::from_str(&text("tags")?)?,
        enabled: row.try_get("enabled").map_err(from_sqlx)?,
        latest: row.try_get("latest").map_err(from_sqlx)?,
        live: row.try_get("live").map_err(from_sqlx)?,
        created_at: text("created_at")?.parse()?,
        updated_at: text("updated_at")?.parse()?,
    })
}
