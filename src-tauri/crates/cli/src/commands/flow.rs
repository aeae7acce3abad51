//! Flows.

mod actions;
mod changes;
mod files;
mod list;
mod permissions;
mod trial;
mod triggers;

use std::path::Path;
use std::process::ExitCode;

use devrig_core::{Code, Error, Result};
use devrig_engine::api::engine::Role;
use devrig_engine::api::flow::{
    FlowArgs, FlowDiffArgs, FlowEnableArgs, FlowInfo, FlowRestoreArgs, FlowRunArgs,
    FlowRunFromArgs, FlowRunNodeArgs, FlowValidateArgs, FlowVersionArgs, Problem,
};
use devrig_engine::api::run::RunDetail;
use devrig_engine::{Api, NoArgs};

use super::run::{self as runs};
use crate::args::{Flow, OneVersion};
use crate::output::Output;
use crate::{input, problems};

pub async fn run(command: Flow, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Flow::List { folder, tag } => list::flows(folder.as_deref(), &tag, api, output).await,
        Flow::Files => list::files(api, output).await,
        Flow::Show(of) => list::detail(version(of, api).await?, api, output).await,
        Flow::Create { file } => files::create(&file, api, output).await,
        Flow::Import { files, into } => files::import(&files, into.as_deref(), api, output).await,
        Flow::Export { of, file, to } => {
            let place = files::Place::of(file, to);
            files::export(version(of, api).await?, place, api, output).await
        }
        Flow::Validate { what } => validate(&what, api, output).await,
        Flow::Publish(of) => {
            let flow = api.flow_publish(version(of, api).await?).await?;
            let live = flow.live.unwrap_or(flow.latest);
            let missing = permissions::missing(&flow, api).await?;
            output.show(&flow, |flow| format!("{}: version {live} is live.{missing}", flow.name))
        }
        Flow::Enable { flow } => enable(&flow, true, api, output).await,
        Flow::Disable { flow } => enable(&flow, false, api, output).await,
        Flow::Versions { flow } => {
            let id = find(&flow, api).await?.id;
            let versions = api.flow_versions(FlowArgs { id }).await?;
            output.show(&versions, |versions| list::versions(versions))
        }
        Flow::Diff { flow, from, to } => {
            let id = find(&flow, api).await?.id;
            output.show(&api.flow_diff(FlowDiffArgs { id, from, to }).await?, changes::people)
        }
        Flow::Restore { flow, version } => {
            let id = find(&flow, api).await?.id;
            let flow = api.flow_restore(FlowRestoreArgs { id, version }).await?;
            output.show(&flow, |flow| {
                let FlowInfo { name, latest, .. } = flow;
                format!("{name} is at version {latest}, which is version {version} again.")
            })
        }
        Flow::Delete { flow } => {
            let flow = find(&flow, api).await?;
            api.flow_delete(FlowArgs { id: flow.id }).await?;
            output.done(&format!("{} is deleted.", flow.name))
        }
        Flow::Run { of, input, wait, from, of_run } => {
            let FlowVersionArgs { id, version } = version(of, api).await?;
            let run = match from.zip(of_run) {
                Some((node, of)) => {
                    api.flow_run_from(FlowRunFromArgs { id, version, node, of, wait_ms: None })
                        .await?
                }
                None => {
                    let input = input::json(&input)?;
                    api.flow_run(FlowRunArgs { id, version, input, wait_ms: None }).await?
                }
            };
            started(run, wait, api, output).await
        }
        Flow::RunNode { of, node, input, from_run, item, wait } => {
            let FlowVersionArgs { id, version } = version(of, api).await?;
            let json = |text: Option<String>| text.as_deref().map(input::json).transpose();
            let (input, item) = (json(input)?, json(item)?);
            let args =
                FlowRunNodeArgs { id, version, node, input, of: from_run, item, wait_ms: None };
            started(api.flow_run_node(args).await?, wait, api, output).await
        }
        Flow::Backtest { of, file, last } => trial::backtest(of, file, last, api, output).await,
        Flow::Test { what, tests } => trial::test(&what, tests, api, output).await,
        Flow::Permissions { flow } => {
            let id = find(&flow, api).await?.id;
            let permissions = api.flow_permissions(FlowArgs { id }).await?;
            output.show(&permissions, permissions::people)
        }
        Flow::Allow { flow, permissions } => {
            permissions::change(&flow, permissions, Vec::new(), api, output).await
        }
        Flow::Forbid { flow, permissions } => {
            permissions::change(&flow, Vec::new(), permissions, api, output).await
        }
        Flow::Actions { name } => actions::show(name.as_deref(), api, output).await,
        Flow::Triggers { name } => triggers::show(name.as_deref(), api, output).await,
    }
}

/// By its id, or by its name where no other flow has it.
pub async fn find(wanted: &str, api: &dyn Api) -> Result<FlowInfo> {
    let flows = api.flow_list(NoArgs {}).await?;
    if let Some(flow) = flows.iter().find(|flow| flow.id == wanted) {
        return Ok(flow.clone());
    }
    let mut named = flows.into_iter().filter(|flow| flow.name == wanted);
    match (named.next(), named.next()) {
        (Some(flow), None) => Ok(flow),
        (Some(one), Some(other)) => {
            let message = format!("several flows are called {wanted:?}");
            let hint = format!("Give the id instead, such as {} or {}.", one.id, other.id);
            Err(Error::new(Code::Conflict, message).hint(hint))
        }
        (None, _) => {
            Err(Error::not_found(format!("the flow {wanted:?}"))
                .hint("`devrig flow list` shows them."))
        }
    }
}

async fn version(of: OneVersion, api: &dyn Api) -> Result<FlowVersionArgs> {
    Ok(FlowVersionArgs { id: find(&of.flow, api).await?.id, version: of.version })
}

async fn enable(flow: &str, enabled: bool, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let id = find(flow, api).await?.id;
    let flow = api.flow_enable(FlowEnableArgs { id, enabled }).await?;
    let state = if enabled { "on" } else { "off" };
    output.show(&flow, |flow| format!("{} is {state}.", flow.name))
}

async fn validate(what: &str, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let args = match is_file(what) {
        true => {
            let definition = Some(input::text(Path::new(what))?.into());
            FlowValidateArgs { definition, id: None }
        }
        false => FlowValidateArgs { definition: None, id: Some(find(what, api).await?.id) },
    };
    let found = api.flow_validate(args).await?;
    output.show(&found, |found| match found.as_slice() {
        [] => "Nothing is wrong with it.".to_owned(),
        found => problems::lines(found),
    })?;
    let fails = found.iter().any(Problem::is_error);
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A path that is not there is meant as one, too, when it looks like one.
fn is_file(what: &str) -> bool {
    what == "-" || what.ends_with(".json") || what.contains('/') || Path::new(what).is_file()
}

async fn started(
    started: RunDetail,
    wait: Option<Option<u64>>,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let Some(seconds) = wait else {
        if api.role() == Role::Owner && !output.json {
            eprintln!(
                "No DevRig is running, so the run goes on when one is: start it with \
                 `devrig start`, or wait for the run with --wait."
            );
        }
        return output.show(&started, runs::detail);
    };
    let run = runs::wait(started, seconds, api).await?;
    output.show(&run, runs::detail)?;
    Ok(runs::exit_code(&run))
}
