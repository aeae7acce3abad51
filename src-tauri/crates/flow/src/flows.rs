//! The flows that there are: saved as versions that never change, one of them live.

use std::sync::Arc;

use devrig_core::{Actor, Change, ChangeKind, Code, Error, Origin, Result, Timestamp, id};
use devrig_store::{Store, Tx, from_sqlx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::action::Actions;
use crate::definition::{self, Changes, Definition};
use crate::program::Program;
use crate::programs::Programs;
use crate::run::RunKind;
use crate::runs::{Runs, Start, Started};
use crate::table::flow::{self as table, FlowRow, VersionRow};

/// A flow in a list.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct FlowInfo {
    pub id: String,
    pub name: String,
    pub folder: Option<String>,
    pub tags: Vec<String>,
    /// Whether its triggers fire.
    pub enabled: bool,
    /// The newest version, and the one that triggers run.
    pub latest: i64,
    pub live: Option<i64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A version in a list.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct FlowVersion {
    pub version: i64,
    pub summary: String,
    /// Who saved it.
    pub actor: String,
    pub created_at: Timestamp,
    pub live: bool,
}

/// A handle on the flows. Cheap to clone.
#[derive(Clone)]
pub struct Flows {
    store: Store,
    programs: Programs,
    runs: Runs,
}

impl Flows {
    pub fn new(store: Store, programs: Programs, runs: Runs) -> Self {
        Self { store, programs, runs }
    }

    /// The runs of these flows.
    pub fn runs(&self) -> &Runs {
        &self.runs
    }

    /// What nodes can do.
    pub fn actions(&self) -> &Arc<Actions> {
        self.programs.actions()
    }

    /// Every flow, by folder and name.
    pub async fn list(&self) -> Result<Vec<FlowInfo>> {
        let mut conn = self.reader().await?;
        Ok(table::list(&mut conn).await?.into_iter().map(FlowInfo::from).collect())
    }

    /// A flow and one of its versions: the newest unless told.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn get(&self, id: &str, version: Option<i64>) -> Result<(FlowInfo, Definition)> {
        let mut conn = self.reader().await?;
        let row = table::get(&mut conn, id).await?;
        let text = table::definition(&mut conn, row.seq, version.unwrap_or(row.latest)).await?;
        Ok((row.into(), definition::read_text(&text)?))
    }

    /// Saves a definition as the newest version of its flow, which is made where it is not there. An
    /// id is made where there is none. What equals the newest version makes no other.
    ///
    /// # Errors
    /// `INVALID_INPUT` with everything that is wrong with its form, or that keeps it from running.
    pub async fn save(&self, mut value: Value, actor: Actor) -> Result<FlowInfo> {
        if let Some(fields) = value.as_object_mut() {
            fields.entry("id").or_insert_with(|| json!(id::fresh()));
        }
        let definition = definition::read_value(value)?;
        crate::Program::compile(0, 0, definition.clone(), self.programs.actions())?;
        self.store.write(async move |tx: &mut Tx| save_in(tx, &definition, actor, None).await).await
    }

    /// Makes a version live: the one that triggers run. The newest unless told.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn publish(&self, id: &str, version: Option<i64>) -> Result<FlowInfo> {
        // What is there stays there: versions are never deleted by themselves.
        self.get(id, version).await?;
        self.change(id, move |row| {
            row.live = Some(version.unwrap_or(row.latest));
            Ok(())
        })
        .await
    }

    /// Lets the triggers of a flow fire, or not.
    ///
    /// # Errors
    /// `NOT_FOUND`; `CONFLICT` when no version is live.
    pub async fn enable(&self, id: &str, enabled: bool) -> Result<FlowInfo> {
        self.change(id, move |row| {
            if enabled && row.live.is_none() {
                let what = format!("{} has no live version", row.name);
                return Err(Error::new(Code::Conflict, what)
                    .hint("Publish one first: `devrig flow publish`."));
            }
            row.enabled = enabled;
            Ok(())
        })
        .await
    }

    /// The versions of a flow, newest first.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn versions(&self, id: &str) -> Result<Vec<FlowVersion>> {
        let mut conn = self.reader().await?;
        let row = table::get(&mut conn, id).await?;
        let versions = table::versions(&mut conn, row.seq).await?;
        let shown = |version: VersionRow| FlowVersion {
            live: row.live == Some(version.version),
            version: version.version,
            summary: version.summary,
            actor: version.actor,
            created_at: version.created_at,
        };
        Ok(versions.into_iter().map(shown).collect())
    }

    /// What changed from one version to another.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn diff(&self, id: &str, from: i64, to: i64) -> Result<Changes> {
        let (_, before) = self.get(id, Some(from)).await?;
        let (_, after) = self.get(id, Some(to)).await?;
        Ok(definition::diff(&before, &after))
    }

    /// Saves an older version again as the newest one.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn restore(&self, id: &str, version: i64) -> Result<FlowInfo> {
        let (_, definition) = self.get(id, Some(version)).await?;
        let summary = format!("version {version} again");
        self.store
            .write(async move |tx: &mut Tx| {
                save_in(tx, &definition, Actor::Person, Some(&summary)).await
            })
            .await
    }

    /// Forgets a flow and its versions. Its runs stay until their time is over.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn delete(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.store
            .write(async move |tx: &mut Tx| {
                let row = table::get(tx.conn(), &id).await?;
                table::delete(tx.conn(), row.seq).await?;
                tx.change(Change::new("flow", &id, ChangeKind::Deleted, &Origin::person()));
                Ok(())
            })
            .await
    }

    /// A version of a flow, ready to run: the newest unless told.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn program(&self, id: &str, version: Option<i64>) -> Result<Arc<Program>> {
        let mut conn = self.reader().await?;
        let row = table::get(&mut conn, id).await?;
        self.programs.version(&mut conn, row.seq, version.unwrap_or(row.latest)).await
    }

    /// Runs the newest version of a flow by hand, or the one that is told.
    ///
    /// # Errors
    /// `NOT_FOUND`; what the store meets.
    pub async fn run(&self, id: &str, version: Option<i64>, input: Value) -> Result<Started> {
        let program = self.program(id, version).await?;
        let start = Start {
            program,
            trigger: "manual".to_owned(),
            trigger_type: "manual",
            kind: RunKind::Manual,
            key: None,
            payload: input,
            depth: 0,
            parent: None,
            answer: None,
        };
        self.runs.begin(start).await
    }

    async fn change(
        &self,
        id: &str,
        change: impl Fn(&mut FlowRow) -> Result<()> + Send + 'static,
    ) -> Result<FlowInfo> {
        let id = id.to_owned();
        self.store
            .write(async move |tx: &mut Tx| {
                let mut row = table::get(tx.conn(), &id).await?;
                change(&mut row)?;
                row.updated_at = tx.now();
                table::put(tx.conn(), &row).await?;
                tx.change(Change::new("flow", &id, ChangeKind::Updated, &Origin::person()));
                Ok(row.into())
            })
            .await
    }

    async fn reader(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Sqlite>> {
        self.store.reader().acquire().await.map_err(from_sqlx)
    }
}

/// Saves a definition with the caller's transaction. `summary` is made from what changed unless told.
async fn save_in(
    tx: &mut Tx,
    definition: &Definition,
    actor: Actor,
    summary: Option<&str>,
) -> Result<FlowInfo> {
    let id = definition.id.as_str();
    let now = tx.now();
    let found = table::find(tx.conn(), id).await?;
    let before = match &found {
        Some(row) => {
            let text = table::definition(tx.conn(), row.seq, row.latest).await?;
            Some(definition::read_text(&text)?)
        }
        None => None,
    };
    if let (Some(row), Some(before)) = (&found, &before)
        && before == definition
    {
        return Ok(row.clone().into());
    }
    let made = match &before {
        Some(before) => definition::diff(before, definition).summary,
        None => "first version".to_owned(),
    };
    let row = FlowRow {
        name: definition.name.clone(),
        folder: definition.folder.clone(),
        tags: definition.tags.clone(),
        latest: found.as_ref().map_or(1, |row| row.latest + 1),
        updated_at: now,
        ..found.clone().unwrap_or_else(|| FlowRow::new(id, now))
    };
    let seq = table::put(tx.conn(), &row).await?;
    let version = VersionRow {
        version: row.latest,
        summary: summary.map_or(made, str::to_owned),
        actor: actor.as_str().to_owned(),
        created_at: now,
    };
    let text = definition.to_value().to_string();
    table::add_version(tx.conn(), seq, &version, &text).await?;
    let kind = if found.is_some() { ChangeKind::Updated } else { ChangeKind::Created };
    tx.change(Change::new("flow", id, kind, &Origin::new(actor)));
    Ok(row.into())
}

impl From<FlowRow> for FlowInfo {
    fn from(row: FlowRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            folder: row.folder,
            tags: row.tags,
            enabled: row.enabled,
            latest: row.latest,
            live: row.live,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
