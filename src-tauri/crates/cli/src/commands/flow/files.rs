//! Flows and their files.

mod export;
mod import;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use devrig_core::Result;
use devrig_engine::Api;
use devrig_engine::api::flow::{FlowSaveArgs, FlowSaved};

use crate::input;
use crate::output::Output;
use crate::problems;

pub use export::{Place, export};
pub use import::import;

/// How the name of a flow's file ends.
const ENDING: &str = ".flow.json";

pub async fn create(file: &Path, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let text = input::text(file)?;
    let saved = api.flow_save(args_of(file, text, true)?).await?;
    output.show(&saved, people)
}

fn args_of(file: &Path, text: String, must_be_new: bool) -> Result<FlowSaveArgs> {
    let layout = match layout_of(file) {
        Some(layout) if layout.is_file() => Some(input::text(&layout)?),
        _ => None,
    };
    Ok(FlowSaveArgs { definition: text.into(), layout, must_be_new })
}

/// `<name>.layout.json` beside `<name>.flow.json`.
fn layout_of(file: &Path) -> Option<PathBuf> {
    let stem = file.file_name()?.to_str()?.strip_suffix(ENDING)?;
    Some(file.with_file_name(format!("{stem}.layout.json")))
}

fn people(saved: &FlowSaved) -> String {
    let FlowSaved { flow, warnings } = saved;
    let mut text = format!("{} is at version {} ({}).", flow.name, flow.latest, flow.id);
    if !warnings.is_empty() {
        text.push('\n');
        text.push_str(&problems::lines(warnings));
    }
    text
}
