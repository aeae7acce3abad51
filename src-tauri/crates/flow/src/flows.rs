//! The flows that there are: saved as versions that never change, one of them live.

use std::collections::HashMap;
use std::sync::Arc;

use devrig_core::{Actor, Change, ChangeKind, Code, Error, Origin, Result, Timestamp, id};
use devrig_store::{SqliteConnection, Store, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::action::Actions;
use crate::definition::{self, Changes, Definition, Trigger, TriggerKind};
use crate::degraded::{Degraded, degraded};
use crate::permissions::{Permission, Permissions};
use crate::program::Program;
use crate::programs::Programs;
use crate::run::RunKind;
use crate::runs::{OneNode, Runs, Start, Started};
use crate::shape;
use crate::table::flow::{self as table, FlowRow, VersionRow};
use crate::table::trigger::{self as triggers, Said, TriggerKey};

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
    /// Plugins that its live version uses, or its newest where none is live, and that do nothing at
    /// present: what needs them fails.
    pub degraded: Vec<Degraded>,
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
        let mut conn = self.store.read().await?;
        let mut with_plugins = table::with_plugins(&mut conn, None).await?;
        let info = |row: FlowRow| {
            let text = with_plugins.remove(&row.seq);
            FlowInfo { degraded: self.degraded(text.as_deref()), ..row.into() }
        };
        Ok(table::list(&mut conn).await?.into_iter().map(info).collect())
    }

    /// A flow as it is listed.
    async fn listed(&self, conn: &mut SqliteConnection, row: FlowRow) -> Result<FlowInfo> {
        let text = table::with_plugins(conn, Some(row.seq)).await?.remove(&row.seq);
        Ok(FlowInfo { degraded: self.degraded(text.as_deref()), ..row.into() })
    }

    /// What a definition with plugins lacks. One that cannot be read lacks more, and says so elsewhere.
    fn degraded(&self, text: Option<&str>) -> Vec<Degraded> {
        let definition = text.and_then(|text| definition::read_text(text).ok());
        let lost = |flow| degraded(&flow, self.actions().plugins());
        definition.map(lost).unwrap_or_default()
    }

    /// The live version of every enabled flow, or why it cannot run.
    pub(crate) async fn live(&self) -> Result<Vec<(FlowInfo, Result<Arc<Program>>)>> {
        let mut conn = self.store.read().await?;
        let mut live = Vec::new();
        for row in table::list(&mut conn).await? {
            let (true, Some(version)) = (row.enabled, row.live) else { continue };
            let program = self.programs.version(&mut conn, row.seq, version).await;
            live.push((row.into(), program));
        }
        Ok(live)
    }

    /// What was said of all triggers.
    pub(crate) async fn said(&self) -> Result<HashMap<TriggerKey, Said>> {
        triggers::said(&mut *self.store.read().await?).await
    }

    /// A flow and one of its versions: the newest unless told.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn get(&self, id: &str, version: Option<i64>) -> Result<(FlowInfo, Definition)> {
        let mut conn = self.store.read().await?;
        let row = table::get(&mut conn, id).await?;
        let text = table::definition(&mut conn, row.seq, version.unwrap_or(row.latest)).await?;
        Ok((self.listed(&mut conn, row).await?, definition::read_text(&text)?))
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
        let saved = async move |tx: &mut Tx| save_in(tx, &definition, actor, None).await;
        let row = self.store.write(saved).await?;
        self.listed(&mut *self.store.read().await?, row).await
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
        let mut conn = self.store.read().await?;
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
        let saved =
            async move |tx: &mut Tx| save_in(tx, &definition, Actor::Person, Some(&summary)).await;
        let row = self.store.write(saved).await?;
        self.listed(&mut *self.store.read().await?, row).await
    }

    /// Forgets a flow and its versions. Its runs stay until their time is over.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn delete(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        let seq = self
            .store
            .write(async move |tx: &mut Tx| {
                let row = table::get(tx.conn(), &id).await?;
                table::delete(tx.conn(), row.seq).await?;
                tx.change(Change::new("flow", &id, ChangeKind::Deleted, &Origin::person()));
                Ok(row.seq)
            })
            .await?;
        self.programs.forget(seq);
        self.runs.permits().forget(seq).await;
        Ok(())
    }

    /// A version of a flow, ready to run: the newest unless told.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn program(&self, id: &str, version: Option<i64>) -> Result<Arc<Program>> {
        let mut conn = self.store.read().await?;
        let row = table::get(&mut conn, id).await?;
        self.programs.version(&mut conn, row.seq, version.unwrap_or(row.latest)).await
    }

    /// Runs the newest version of a flow by hand, or the one that is told.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` when the flow has a manual trigger that the input does not fit.
    pub async fn run(&self, id: &str, version: Option<i64>, input: Value) -> Result<Started> {
        let program = self.program(id, version).await?;
        let start = Start {
            trigger: manual(&program.definition, &input)?,
            program,
            trigger_type: "manual",
            kind: RunKind::Manual,
            key: None,
            payload: input,
            cursor: None,
            depth: 0,
            parent: None,
            answer: None,
        };
        self.runs.begin(start).await
    }

    /// Runs a flow by hand from a node on, with what was before it in another run.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` for a run of another flow.
    pub async fn run_from(
        &self,
        id: &str,
        version: Option<i64>,
        node: &str,
        of: &str,
    ) -> Result<Started> {
        let program = self.program(id, version).await?;
        self.runs.run_from(program, node, of).await
    }

    /// Runs one node of a flow by hand, with what is given for what it reads.
    ///
    /// # Errors
    /// As [`Runs::run_node`].
    pub async fn run_node(
        &self,
        id: &str,
        version: Option<i64>,
        asked: OneNode,
    ) -> Result<Started> {
        let program = self.program(id, version).await?;
        self.runs.run_node(program, asked).await
    }

    /// A definition that need not be saved, ready to be tried out as the flow of its id.
    ///
    /// # Errors
    /// `INVALID_INPUT` with everything that keeps it from running.
    pub async fn trial(&self, definition: Definition) -> Result<Arc<Program>> {
        let found = table::find(&mut *self.store.read().await?, definition.id.as_str()).await?;
        let flow = found.map_or(0, |row| row.seq);
        Program::compile(flow, 0, definition, self.programs.actions()).map(Arc::new)
    }

    /// What a flow may touch.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn permissions(&self, id: &str) -> Result<Arc<Permissions>> {
        let seq = table::get(&mut *self.store.read().await?, id).await?.seq;
        self.runs.permits().of(seq).await
    }

    /// Allows a flow to touch more, or less.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn permit(
        &self,
        id: &str,
        allow: Vec<Permission>,
        forbid: Vec<Permission>,
    ) -> Result<()> {
        self.runs.permits().change(id, allow, forbid).await
    }

    async fn change(
        &self,
        id: &str,
        change: impl Fn(&mut FlowRow) -> Result<()> + Send + 'static,
    ) -> Result<FlowInfo> {
        let id = id.to_owned();
        let row = self
            .store
            .write(async move |tx: &mut Tx| {
                let before = table::get(tx.conn(), &id).await?;
                let mut row = before.clone();
                change(&mut row)?;
                row.updated_at = tx.now();
                begin_triggers(tx, &before, &row).await?;
                table::put(tx.conn(), &row).await?;
                tx.change(Change::new("flow", &id, ChangeKind::Updated, &Origin::person()));
                Ok(row)
            })
            .await?;
        self.listed(&mut *self.store.read().await?, row).await
    }
}

/// The manual trigger that takes this input. A flow without one is run by hand all the same.
fn manual(definition: &Definition, input: &Value) -> Result<String> {
    for trigger in definition.triggers.iter().filter(|trigger| !trigger.disabled) {
        let TriggerKind::Manual { input_schema } = &trigger.kind else { continue };
        if let Some(schema) = input_schema {
            shape::check_input(trigger.id.as_str(), schema, input)?;
        }
        return Ok(trigger.id.to_string());
    }
    Ok("manual".to_owned())
}

/// Those that wait for something now and did not before owe nothing of the time before.
async fn begin_triggers(tx: &mut Tx, before: &FlowRow, after: &FlowRow) -> Result<()> {
    if (before.enabled, before.live) == (after.enabled, after.live) {
        return Ok(());
    }
    let (waited, waiting) = (waiting(tx, before).await?, waiting(tx, after).await?);
    let now = tx.now();
    for trigger in waiting.iter().filter(|trigger| !waited.contains(trigger)) {
        triggers::begin(tx.conn(), after.seq, trigger.id.as_str(), now).await?;
    }
    Ok(())
}

/// The triggers of a flow that wait for something.
async fn waiting(tx: &mut Tx, flow: &FlowRow) -> Result<Vec<Trigger>> {
    let (true, Some(live)) = (flow.enabled, flow.live) else { return Ok(Vec::new()) };
    let text = table::definition(tx.conn(), flow.seq, live).await?;
    let triggers = definition::read_text(&text)?.triggers;
    Ok(triggers.into_iter().filter(|trigger| !trigger.disabled).collect())
}

/// Saves a definition with the caller's transaction. `summary` is made from what changed unless told.
async fn save_in(
    tx: &mut Tx,
    definition: &Definition,
    actor: Actor,
    summary: Option<&str>,
) -> Result<FlowRow> {
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
        return Ok(row.clone());
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
    Ok(row)
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
            degraded: Vec::new(),
        }
    }
}
