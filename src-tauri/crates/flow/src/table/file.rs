//! The SQL of `flow_file`.

use devrig_core::{Error, Result, Timestamp};
use devrig_store::{SqliteConnection, from_sqlx};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::folder::{FileProblem, FileState, FlowFile};

/// A file as its row has it.
#[derive(Debug, Clone, PartialEq)]
pub struct FileRow {
    pub path: String,
    pub flow: Option<String>,
    /// When the file and its flow were the same.
    pub version: Option<i64>,
    pub digest: Option<String>,
    /// The text that was last looked at, right or wrong.
    pub seen: Option<String>,
    pub state: FileState,
    pub told: Vec<FileProblem>,
    pub at: Timestamp,
}

/// Every file, by its path.
pub async fn list(conn: &mut SqliteConnection) -> Result<Vec<FileRow>> {
    let rows = sqlx::query(
        "SELECT path, flow, version, digest, seen, state, told, at FROM flow_file ORDER BY path",
    )
    .fetch_all(conn)
    .await
    .map_err(from_sqlx)?;
    rows.iter().map(row).collect()
}

/// Writes a file's row.
pub async fn put(conn: &mut SqliteConnection, file: &FileRow) -> Result<()> {
    sqlx::query(
        "INSERT OR REPLACE INTO flow_file (path, flow, version, digest, seen, state, told, at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&file.path)
    .bind(&file.flow)
    .bind(file.version)
    .bind(&file.digest)
    .bind(&file.seen)
    .bind(name(file.state))
    .bind(serde_json::to_string(&file.told)?)
    .bind(file.at.to_string())
    .execute(conn)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// Forgets a file.
pub async fn remove(conn: &mut SqliteConnection, path: &str) -> Result<()> {
    sqlx::query("DELETE FROM flow_file WHERE path = ?")
        .bind(path)
        .execute(conn)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

const STATES: [(&str, FileState); 5] = [
    ("same", FileState::Same),
    ("broken", FileState::Broken),
    ("conflict", FileState::Conflict),
    ("gone", FileState::Gone),
    ("forgotten", FileState::Forgotten),
];

fn name(state: FileState) -> &'static str {
    STATES.iter().find(|(_, known)| *known == state).map_or("", |(name, _)| name)
}

fn row(row: &SqliteRow) -> Result<FileRow> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(from_sqlx);
    let state = text("state")?;
    let known = STATES.iter().find(|(name, _)| *name == state);
    let (_, state) =
        known.ok_or_else(|| Error::internal(format!("a file of a flow in state {state}")))?;
    Ok(FileRow {
        path: text("path")?,
        flow: row.try_get("flow").map_err(from_sqlx)?,
        version: row.try_get("version").map_err(from_sqlx)?,
        digest: row.try_get("digest").map_err(from_sqlx)?,
        seen: row.try_get("seen").map_err(from_sqlx)?,
        state: *state,
        told: serde_json::from_str(&text("told")?)?,
        at: text("at")?.parse()?,
    })
}

impl From<FileRow> for FlowFile {
    fn from(row: FileRow) -> Self {
        let FileRow { path, flow, state, told, at, .. } = row;
        Self { path, flow, state, told, at }
    }
}
