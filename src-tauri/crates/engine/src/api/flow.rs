//! Flows: saved, checked, published, compared, exported and run by hand.

use std::time::Duration;

use devrig_core::{Actor, Code, Error, Result, id};
pub use devrig_flow::Degraded;
pub use devrig_flow::action::Effect;
use devrig_flow::action::Registered;
pub use devrig_flow::definition::n8n::{self, is_workflow};
use devrig_flow::definition::{self, Definition, Layout, Problems};
pub use devrig_flow::definition::{Changes, FieldChange, PartChanges, Problem, Severity};
pub use devrig_flow::definition::{Format, Part};
pub use devrig_flow::fields::{self, Field};
pub use devrig_flow::flows::{FlowInfo, FlowVersion};
pub use devrig_flow::folder::{FileProblem, FileState, FlowFile};
use devrig_flow::permissions::{Need, Permission, Permissions, needs};
use devrig_flow::plugins::short;
pub use devrig_flow::runs::{Backtest, BacktestRun, FlowTest};
use devrig_flow::runs::{OneNode, Started};
use devrig_flow::{folder, history};
use devrig_plugins::ActionAbout;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::NoArgs;
use super::run::{self, RunDetail};
use crate::Engine;
use crate::outside::Snapshot;
use crate::plugin_actions::effect;

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct FlowArgs {
    pub id: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct FlowVersionArgs {
    pub id: String,
    /// The newest when absent.
    #[serde(default)]
    pub version: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlowSaveArgs {
    /// A definition as JSON, or the text of a flow's file. Only of a text can be said that a name
    /// stands twice in it.
    pub definition: Value,
    /// The text of the file that says where the nodes stand. Without it, and where the definition
    /// does not say either, they stay where they were in the version before.
    #[serde(default)]
    pub layout: Option<String>,
    /// Refuses to add a version to a flow that is there.
    #[serde(default)]
    pub must_be_new: bool,
}

/// A flow after it was saved.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct FlowSaved {
    pub flow: FlowInfo,
    /// What it runs with, but probably not as it was meant.
    pub warnings: Vec<Problem>,
}

/// A definition, or the newest version of a flow.
#[derive(Debug, Clone, Default, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct FlowValidateArgs {
    /// As JSON, or the text of a flow's file.
    #[serde(default)]
    pub definition: Option<Value>,
    #[serde(default)]
    pub id: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct FlowEnableArgs {
    pub id: String,
    pub enabled: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct FlowDiffArgs {
    pub id: String,
    pub from: i64,
    pub to: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct FlowRestoreArgs {
    pub id: String,
    pub version: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlowRunArgs {
    pub id: String,
    /// The newest when absent.
    #[serde(default)]
    pub version: Option<i64>,
    /// What expressions see as `trigger.payload`.
    #[serde(default)]
    pub input: Value,
    /// Waits at most this long for the end; at most ten minutes. The run goes on after it.
    #[serde(default)]
    pub wait_ms: Option<u32>,
}

/// A run by hand that begins in the middle.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlowRunFromArgs {
    pub id: String,
    /// The newest when absent.
    #[serde(default)]
    pub version: Option<i64>,
    /// The node that it begins with.
    pub node: String,
    /// The run whose outputs count for what comes before the node, and beside it.
    pub of: String,
    /// Waits at most this long for the end; at most ten minutes. The run goes on after it.
    #[serde(default)]
    pub wait_ms: Option<u32>,
}

/// A run by hand of one node alone.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlowRunNodeArgs {
    pub id: String,
    /// The newest when absent.
    #[serde(default)]
    pub version: Option<i64>,
    pub node: String,
    /// What expressions see as `trigger.payload`. Absent: what the trigger of the run told whose
    /// outputs count, else an empty object.
    #[serde(default)]
    pub input: Option<Value>,
    /// The run whose outputs count for nodes that are not pinned.
    #[serde(default)]
    pub of: Option<String>,
    /// What a node in the body of a loop sees as `loop.item`.
    #[serde(default)]
    pub item: Option<Value>,
    /// Waits at most this long for the end; at most ten minutes. The run goes on after it.
    #[serde(default)]
    pub wait_ms: Option<u32>,
}

/// Past triggers of a flow through another version of it.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlowBacktestArgs {
    pub id: String,
    /// The newest when absent, and no definition is given.
    #[serde(default)]
    pub version: Option<i64>,
    /// A definition that is not saved: as JSON, or the text of a flow's file.
    #[serde(default)]
    pub definition: Option<Value>,
    /// How many triggers, the last ones; 1000 when absent, at most 10000.
    #[serde(default)]
    pub last: Option<u32>,
}

/// A flow and its tests.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct FlowTestArgs {
    /// A flow that is there, in its newest version.
    #[serde(default)]
    pub id: Option<String>,
    /// Or a definition: as JSON, or the text of a flow's file.
    #[serde(default)]
    pub definition: Option<Value>,
    /// `{"tests": […]}`.
    pub tests: Value,
}

/// A flow with the definition of one of its versions.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct FlowDetail {
    pub flow: FlowInfo,
    pub version: i64,
    pub definition: Value,
}

/// A flow as the files that it is kept in.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct FlowExport {
    /// Made of the flow's name: two flows of one name have the same.
    pub name: String,
    pub text: String,
    pub layout_name: String,
    /// Where its nodes stand; absent when no node has a place.
    pub layout: Option<String>,
}

/// The watched folder.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct FlowFolder {
    /// The setting `flows.folder`; absent when no folder is watched.
    pub folder: Option<String>,
    /// Why the folder cannot be read, where it cannot.
    pub problem: Option<String>,
    pub files: Vec<FlowFile>,
}

/// What a flow may touch, and what it asks for.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct FlowPermissions {
    pub flow: String,
    /// Such as `command:git`, `network:api.github.com` or `read:/home/kim/notes`.
    pub allowed: Vec<String>,
    /// What its newest version asks for, as far as its definition says.
    pub needs: Vec<FlowNeed>,
}

/// What a node or a trigger of a flow asks for.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct FlowNeed {
    /// `command`, `network`, `read`, `write`, `env`, `secret` or `plugin`.
    pub kind: String,
    /// Absent where it depends on data.
    pub permission: Option<String>,
    /// Whether it may. Never, as far as is known, where it depends on data.
    pub allowed: bool,
    pub node: Option<String>,
    pub trigger: Option<String>,
    /// JSON path of the place, such as `$.nodes[2].config.command`.
    pub place: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct FlowConvertArgs {
    /// The JSON that n8n exports for one workflow.
    pub text: String,
}

/// A workflow of n8n as a flow, which is not saved by this.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct FlowConverted {
    pub definition: Value,
    /// The same as the files that it could be kept in.
    pub files: FlowExport,
    pub report: n8n::Report,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct FlowPermitArgs {
    pub id: String,
    /// A folder may begin with `~/`.
    #[serde(default)]
    pub allow: Vec<String>,
    #[serde(default)]
    pub forbid: Vec<String>,
}

/// What a node can do.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct FlowAction {
    /// Such as `http.request`; what stands before the dot is its category.
    pub name: String,
    /// The plugin that has it, which a node names as its `pluginId`; absent for DevRig's own.
    pub plugin: Option<String>,
    pub title: String,
    /// Markdown.
    pub text: String,
    pub effect: Effect,
    /// Whether doing it twice under one key is the same as once.
    pub idempotent: bool,
    /// JSON Schema of the node's `config`, once its expressions have their values.
    pub input: Value,
    /// JSON Schema of what it gives.
    pub output: Value,
    /// A `config`.
    pub example: Value,
    /// How long it usually takes.
    pub typical_ms: u32,
}

pub(super) async fn list(engine: &Engine, _: NoArgs) -> Result<Vec<FlowInfo>> {
    engine.flows().list().await
}

pub(super) async fn get(engine: &Engine, args: FlowVersionArgs) -> Result<FlowDetail> {
    let (flow, definition) = engine.flows().get(&args.id, args.version).await?;
    let version = args.version.unwrap_or(flow.latest);
    Ok(FlowDetail { flow, version, definition: definition.to_value() })
}

pub(super) async fn save(engine: &Engine, args: FlowSaveArgs) -> Result<FlowSaved> {
    let FlowSaveArgs { definition, layout, must_be_new } = args;
    let mut definition = read(definition)?;
    let before = before(engine, &definition).await?;
    if let (true, Some((flow, _))) = (must_be_new, &before) {
        return Err(there_already(flow));
    }
    match layout {
        Some(text) => Layout::read_text(&text)?.apply(&mut definition),
        None => keep_places(&mut definition, before.map(|(_, before)| before)),
    }
    let found = check(engine, &definition).await?;
    if let Some(errors) = Problems::among(found.clone()) {
        return Err(errors.into());
    }
    let flow = engine.flows().save(definition.to_value(), Actor::Person).await?;
    Ok(FlowSaved { flow, warnings: found })
}

pub(super) async fn validate(engine: &Engine, args: FlowValidateArgs) -> Result<Vec<Problem>> {
    let definition = match (args.definition, args.id) {
        (Some(definition), None) => read(definition),
        (None, Some(id)) => Ok(engine.flows().get(&id, None).await?.1),
        _ => return Err(Error::invalid("either a definition or the id of a flow is checked")),
    };
    match definition {
        Ok(definition) => check(engine, &definition).await,
        Err(problems) => Ok(problems.list().to_vec()),
    }
}

pub(super) async fn publish(engine: &Engine, args: FlowVersionArgs) -> Result<FlowInfo> {
    engine.flows().publish(&args.id, args.version).await
}

pub(super) async fn enable(engine: &Engine, args: FlowEnableArgs) -> Result<FlowInfo> {
    engine.flows().enable(&args.id, args.enabled).await
}

pub(super) async fn versions(engine: &Engine, args: FlowArgs) -> Result<Vec<FlowVersion>> {
    engine.flows().versions(&args.id).await
}

pub(super) async fn diff(engine: &Engine, args: FlowDiffArgs) -> Result<Changes> {
    engine.flows().diff(&args.id, args.from, args.to).await
}

pub(super) async fn restore(engine: &Engine, args: FlowRestoreArgs) -> Result<FlowInfo> {
    engine.flows().restore(&args.id, args.version).await
}

pub(super) async fn delete(engine: &Engine, args: FlowArgs) -> Result<()> {
    engine.flows().delete(&args.id).await
}

pub(super) async fn export(engine: &Engine, args: FlowVersionArgs) -> Result<FlowExport> {
    let (_, definition) = engine.flows().get(&args.id, args.version).await?;
    Ok(export_of(&definition))
}

fn export_of(definition: &Definition) -> FlowExport {
    let files = definition::to_files(definition);
    FlowExport {
        name: files.name,
        text: files.text,
        layout_name: files.layout_name,
        layout: files.layout,
    }
}

pub(super) async fn files(engine: &Engine, _: NoArgs) -> Result<FlowFolder> {
    let folder = crate::files::folder(engine).await?;
    let problem = match &folder {
        Some(folder) => tokio::fs::read_dir(folder).await.err(),
        None => None,
    };
    Ok(FlowFolder {
        folder: folder.map(|folder| folder.display().to_string()),
        problem: problem.map(|problem| problem.to_string()),
        files: folder::files(engine.store()).await?,
    })
}

/// The id is made of the workflow's name, which need not be the only one of its kind.
pub(super) async fn convert(engine: &Engine, args: FlowConvertArgs) -> Result<FlowConverted> {
    let n8n::Import { mut definition, report } = n8n::import(&args.text)?;
    let taken: Vec<String> = engine.flows().list().await?.into_iter().map(|flow| flow.id).collect();
    definition.id = definition::fresh_id(&definition.name, |id| taken.iter().any(|one| one == id));
    let files = export_of(&definition);
    Ok(FlowConverted { definition: definition.to_value(), files, report })
}

pub(super) async fn actions(engine: &Engine, _: NoArgs) -> Result<Vec<FlowAction>> {
    let own = engine.flows().actions().all().map(FlowAction::try_from);
    let of_plugins = engine.plugins().all_actions().into_iter().map(FlowAction::from);
    own.chain(of_plugins.map(Ok)).collect()
}

pub(super) async fn format(_: &Engine, _: NoArgs) -> Result<Format> {
    Ok(definition::format())
}

pub(super) async fn permissions(engine: &Engine, args: FlowArgs) -> Result<FlowPermissions> {
    let (_, definition) = engine.flows().get(&args.id, None).await?;
    let permissions = engine.flows().permissions(&args.id).await?;
    let needs = needs(&definition, engine.flows().actions());
    Ok(FlowPermissions {
        flow: args.id,
        allowed: permissions.iter().map(Permission::to_string).collect(),
        needs: needs.into_iter().map(|need| shown(need, &permissions)).collect(),
    })
}

pub(super) async fn permit(engine: &Engine, args: FlowPermitArgs) -> Result<FlowPermissions> {
    let FlowPermitArgs { id, allow, forbid } = args;
    let allow = allow.iter().map(|text| Permission::given(text)).collect::<Result<_>>()?;
    let forbid = forbidden(&forbid, &*engine.flows().permissions(&id).await?)?;
    engine.flows().permit(&id, allow, forbid).await?;
    permissions(engine, FlowArgs { id }).await
}

/// What is taken back is meant as it is listed; else as what it would allow now.
fn forbidden(texts: &[String], permissions: &Permissions) -> Result<Vec<Permission>> {
    let find = |text: &String| {
        let listed = permissions.iter().find(|permission| permission.to_string() == *text);
        let wanted = match listed {
            Some(listed) => return Ok(listed.clone()),
            None => Permission::given(text)?,
        };
        match permissions.iter().any(|permission| *permission == wanted) {
            true => Ok(wanted),
            false => Err(Error::not_found(format!("{wanted} among what the flow is allowed"))
                .hint("`devrig flow permissions` lists it.")),
        }
    };
    texts.iter().map(find).collect()
}

fn shown(need: Need, permissions: &Permissions) -> FlowNeed {
    let wanted = need.wanted;
    FlowNeed {
        kind: wanted.kind.to_owned(),
        allowed: wanted.permission.as_ref().is_some_and(|wanted| permissions.allow(wanted)),
        permission: wanted.permission.map(|permission| permission.to_string()),
        node: need.node.map(|id| id.to_string()),
        trigger: need.trigger.map(|id| id.to_string()),
        place: need.place,
    }
}

pub(super) async fn run(engine: &Engine, args: FlowRunArgs) -> Result<RunDetail> {
    let started = engine.flows().run(&args.id, args.version, args.input).await?;
    answer(engine, &started, args.wait_ms).await
}

pub(super) async fn backtest(engine: &Engine, args: FlowBacktestArgs) -> Result<Backtest> {
    let FlowBacktestArgs { id, version, definition, last } = args;
    let flows = engine.flows();
    let program = match definition {
        Some(definition) => {
            let definition = read(definition)?;
            if definition.id.as_str() != id {
                return Err(Error::invalid(format!(
                    "the definition is that of {}, not of {id}",
                    definition.id
                ))
                .hint("Give the file of the flow whose runs are meant."));
            }
            flows.trial(definition).await?
        }
        None => flows.program(&id, version).await?,
    };
    flows.runs().backtest(program, last.unwrap_or(1_000)).await
}

pub(super) async fn test(engine: &Engine, args: FlowTestArgs) -> Result<Vec<FlowTest>> {
    let program = match (args.definition, args.id) {
        (Some(definition), None) => engine.flows().trial(read(definition)?).await?,
        (None, Some(id)) => engine.flows().program(&id, None).await?,
        _ => return Err(Error::invalid("either a definition or the id of a flow is tested")),
    };
    engine.flows().runs().test(&program, args.tests).await
}

pub(super) async fn run_from(engine: &Engine, args: FlowRunFromArgs) -> Result<RunDetail> {
    let FlowRunFromArgs { id, version, node, of, wait_ms } = args;
    let started = engine.flows().run_from(&id, version, &node, &of).await?;
    answer(engine, &started, wait_ms).await
}

pub(super) async fn run_node(engine: &Engine, args: FlowRunNodeArgs) -> Result<RunDetail> {
    let FlowRunNodeArgs { id, version, node, input, of, item, wait_ms } = args;
    let asked = OneNode { node, input, of, item };
    let started = engine.flows().run_node(&id, version, asked).await?;
    answer(engine, &started, wait_ms).await
}

async fn answer(engine: &Engine, started: &Started, wait_ms: Option<u32>) -> Result<RunDetail> {
    match wait_ms {
        Some(ms) => run::at_rest(engine, &started.id, Duration::from_millis(ms.into())).await,
        None => history::get(engine.store(), &started.id).await,
    }
}

/// A new flow need not have an id.
fn read(definition: Value) -> Result<Definition, Problems> {
    let mut value = match definition {
        Value::String(text) => definition::parse_text(&text)?,
        value => value,
    };
    if let Some(fields) = value.as_object_mut() {
        fields.entry("id").or_insert_with(|| json!(id::fresh()));
    }
    definition::read_value(value)
}

/// The newest version of the same flow, where it is there.
async fn before(
    engine: &Engine,
    definition: &Definition,
) -> Result<Option<(FlowInfo, Definition)>> {
    match engine.flows().get(definition.id.as_str(), None).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code == Code::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn there_already(flow: &FlowInfo) -> Error {
    let FlowInfo { id, name, latest, .. } = flow;
    let message = format!("there is a flow {id} already: {name}, version {latest}");
    Error::new(Code::Conflict, message).hint(
        "Save it as a new version with `devrig flow import`, or give the new flow another id.",
    )
}

/// The text of a flow says nothing of where its nodes stand.
fn keep_places(definition: &mut Definition, before: Option<Definition>) {
    if let (true, Some(before)) = (Layout::of(definition).is_empty(), before) {
        Layout::of(&before).apply(definition);
    }
}

async fn check(engine: &Engine, definition: &Definition) -> Result<Vec<Problem>> {
    let mut found = definition::check(definition, &Snapshot::of(engine, definition).await?);
    let permissions = permissions_of(engine, definition).await?;
    let needs = needs(definition, engine.flows().actions());
    found.extend(needs.iter().filter_map(|need| need.problem(&permissions)));
    Ok(found)
}

/// What a flow may touch that may not be there yet.
async fn permissions_of(engine: &Engine, definition: &Definition) -> Result<Permissions> {
    let id = definition.id.as_str();
    match engine.flows().permissions(id).await {
        Ok(permissions) => Ok(Permissions::clone(&permissions)),
        Err(error) if error.code == Code::NotFound => Ok(Permissions::default().of_flow(id)),
        Err(error) => Err(error),
    }
}

/// A plugin's worker that has to be started takes most of it.
const TYPICAL_MS: u32 = 500;

impl From<ActionAbout> for FlowAction {
    fn from(about: ActionAbout) -> Self {
        let nothing = || json!({ "type": "object", "additionalProperties": false });
        Self {
            plugin: Some(short(&about.plugin).to_owned()),
            name: about.id,
            title: about.name,
            text: about.description,
            effect: effect(about.writes),
            idempotent: about.idempotent,
            input: about.input.unwrap_or_else(nothing),
            output: about.output.unwrap_or_else(|| json!({})),
            example: json!({}),
            typical_ms: TYPICAL_MS,
        }
    }
}

impl TryFrom<&Registered> for FlowAction {
    type Error = Error;

    fn try_from(action: &Registered) -> Result<Self> {
        let about = &action.about;
        let json = |what: &str, text: &str| {
            serde_json::from_str(text)
                .map_err(|error| Error::internal(format!("the {what} of {}: {error}", about.name)))
        };
        Ok(Self {
            name: about.name.to_owned(),
            plugin: None,
            title: about.title.to_owned(),
            text: about.text.to_owned(),
            effect: about.effect,
            idempotent: about.idempotent,
            input: json("input", about.input)?,
            output: json("output", about.output)?,
            example: json("example", about.example)?,
            typical_ms: about.typical_ms,
        })
    }
}
