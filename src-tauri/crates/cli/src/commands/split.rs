//! Splits.

use std::process::ExitCode;

use devrig_core::{Error, Result, SystemClock};
use devrig_engine::api::split::{Split, SplitInfo, SplitsArgs};
use devrig_engine::{Api, NoArgs};
use devrig_inbox::splits;

use crate::args::Split as Command;
use crate::input;
use crate::output::{Output, line, table};

pub async fn run(command: Command, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let known = api.split_list(NoArgs {}).await?;
    let mut splits: Vec<Split> = known.iter().map(stored).collect();
    match command {
        Command::List => return output.show(&known, |known| list(known)),
        Command::Export => {
            line(splits::to_text(&splits).trim_end());
            return Ok(ExitCode::SUCCESS);
        }
        Command::Import { file } => {
            let text = input::text(&file)?;
            splits = splits::from_text(&text, SystemClock::shared().now())?;
        }
        Command::Add { name, query, at, notify, badge } => {
            let place = at.map_or(splits.len(), |at| (at.max(1) - 1).min(splits.len()));
            let split = Split { notify, badge, ..Split::new(&name, &query.join(" ")) };
            splits.insert(place, split);
        }
        Command::Remove { name } => {
            let place = splits.iter().position(|split| split.name == name).ok_or_else(|| {
                Error::not_found(format!("the split {name:?}"))
                    .hint("`devrig split list` shows them.")
            })?;
            splits.remove(place);
        }
    }
    output.show(&api.split_set(SplitsArgs { splits }).await?, |known| list(known))
}

fn stored(info: &SplitInfo) -> Split {
    let SplitInfo { name, query, notify, badge, .. } = info;
    Split { notify: *notify, badge: *badge, ..Split::new(name, query) }
}

fn list(splits: &[SplitInfo]) -> String {
    if splits.is_empty() {
        return "There are no splits.".to_owned();
    }
    let rows = splits
        .iter()
        .map(|split| [stored(split).heading(), split.count.to_string(), split.query.clone()]);
    table(["SPLIT", "ITEMS", "QUERY"], rows)
}
