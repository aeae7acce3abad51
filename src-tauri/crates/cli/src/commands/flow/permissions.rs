//! What flows may touch.

use std::process::ExitCode;

use devrig_core::Result;
use devrig_engine::Api;
use devrig_engine::api::flow::{FlowArgs, FlowInfo, FlowNeed, FlowPermissions, FlowPermitArgs};

use crate::output::{Output, table};

pub async fn change(
    flow: &str,
    allow: Vec<String>,
    forbid: Vec<String>,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let id = super::find(flow, api).await?.id;
    let permissions = api.flow_permit(FlowPermitArgs { id, allow, forbid }).await?;
    output.show(&permissions, people)
}

pub fn people(permissions: &FlowPermissions) -> String {
    let FlowPermissions { allowed, needs, .. } = permissions;
    let allowed = match allowed.as_slice() {
        [] => "The flow is allowed nothing.".to_owned(),
        allowed => table(["ALLOWED"], allowed.iter().map(|one| [one.clone()])),
    };
    if needs.is_empty() {
        return allowed;
    }
    let asked = table(["ASKS FOR", "", "WHERE"], needs.iter().map(row));
    format!("{allowed}\n\n{asked}")
}

fn row(need: &FlowNeed) -> [String; 3] {
    let (what, state) = match &need.permission {
        Some(permission) if need.allowed => (permission.clone(), "allowed"),
        Some(permission) => (permission.clone(), "not allowed"),
        None => (need.kind.clone(), "depends on data"),
    };
    let who = need.node.as_ref().or(need.trigger.as_ref()).cloned().unwrap_or_default();
    [what, state.to_owned(), who]
}

/// What a flow that is live now asks for and is not allowed, with the command that allows it.
pub async fn missing(flow: &FlowInfo, api: &dyn Api) -> Result<String> {
    let permissions = api.flow_permissions(FlowArgs { id: flow.id.clone() }).await?;
    let mut missing: Vec<String> = permissions
        .needs
        .into_iter()
        .filter(|need| !need.allowed)
        .filter_map(|need| need.permission)
        .map(|permission| format!("'{permission}'"))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    Ok(match missing.as_slice() {
        [] => String::new(),
        missing => {
            let all = missing.join(" ");
            format!("\nIt asks for what it is not allowed: devrig flow allow {} {all}", flow.id)
        }
    })
}
