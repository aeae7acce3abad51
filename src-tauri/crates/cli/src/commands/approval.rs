//! Approvals that runs wait for.

use std::process::ExitCode;

use devrig_core::{Result, SystemClock};
use devrig_engine::api::approval::{Approval as Asked, ApprovalArgs};
use devrig_engine::{Api, NoArgs};

use crate::args::Approval;
use crate::output::{Output, one_line, table};
use crate::time;

pub async fn run(command: Approval, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Approval::List => output.show(&api.approval_list(NoArgs {}).await?, |open| rows(open)),
        Approval::Approve { approval, note } => {
            api.approval_answer(ApprovalArgs { id: approval, approved: true, note }).await?;
            output.done("Approved: the run goes on.")
        }
        Approval::Reject { approval, note } => {
            api.approval_answer(ApprovalArgs { id: approval, approved: false, note }).await?;
            output.done("Rejected: the run goes on without it.")
        }
    }
}

fn rows(open: &[Asked]) -> String {
    if open.is_empty() {
        return "Nothing waits for you.".to_owned();
    }
    let now = SystemClock::shared().now();
    let rows = open.iter().map(|asked| {
        [
            asked.id.clone(),
            asked.flow_name.clone(),
            one_line(&asked.message),
            asked.who.clone().unwrap_or_default(),
            time::ago(asked.asked_at, now),
            asked.until.map(|until| until.to_string()).unwrap_or_default(),
        ]
    });
    table(["APPROVAL", "FLOW", "ASKS", "WHO", "SINCE", "UNTIL"], rows)
}
