//! What starts flows by itself.

use std::process::ExitCode;

use devrig_core::Result;
use devrig_engine::api::trigger::TriggerInfo;
use devrig_engine::{Api, NoArgs};

use crate::args::Trigger;
use crate::output::{Output, table};

pub async fn run(command: Trigger, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Trigger::List => output.show(&api.trigger_list(NoArgs {}).await?, |triggers| {
            table(["FLOW", "TRIGGER", "TYPE", "STATE"], triggers.iter().map(row))
        }),
    }
}

fn row(trigger: &TriggerInfo) -> [String; 4] {
    let state = match (&trigger.error, &trigger.url) {
        (Some(error), _) => error.message.clone(),
        (None, Some(url)) => url.clone(),
        (None, None) => "ready".to_owned(),
    };
    [trigger.flow.clone(), trigger.trigger.clone(), trigger.kind.clone(), state]
}
