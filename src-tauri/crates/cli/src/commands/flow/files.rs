//! Flows and their files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use devrig_core::{Code, Context, Error, Result};
use devrig_engine::Api;
use devrig_engine::api::flow::{FlowExport, FlowSaveArgs, FlowSaved, FlowVersionArgs};
use serde::Serialize;
use serde_json::{Value, json};

use crate::input;
use crate::output::{Output, line};
use crate::problems;

/// What became of one file.
#[derive(Serialize)]
struct Imported {
    file: String,
    saved: Option<FlowSaved>,
    error: Option<Error>,
}

pub async fn create(file: &Path, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let saved = api.flow_save(read(file, true)?).await?;
    output.show(&saved, people)
}

/// Each file by itself: a wrong one keeps no other from being saved.
pub async fn import(files: &[PathBuf], api: &dyn Api, output: Output) -> Result<ExitCode> {
    let mut all = Vec::new();
    for file in files {
        let saved = match read(file, false) {
            Ok(args) => api.flow_save(args).await,
            Err(error) => Err(error),
        };
        let file = file.display().to_string();
        let (saved, error) = match saved {
            Ok(saved) => (Some(saved), None),
            Err(error) => (None, Some(error)),
        };
        all.push(Imported { file, saved, error });
    }
    let fails = all.iter().any(|each| each.error.is_some());
    output.show(&all, |all| all.iter().map(outcome).collect::<Vec<_>>().join("\n"))?;
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read(file: &Path, must_be_new: bool) -> Result<FlowSaveArgs> {
    let layout = match layout_of(file) {
        Some(layout) if layout.is_file() => Some(input::text(&layout)?),
        _ => None,
    };
    Ok(FlowSaveArgs { definition: input::text(file)?.into(), layout, must_be_new })
}

/// `<name>.layout.json` beside `<name>.flow.json`.
fn layout_of(file: &Path) -> Option<PathBuf> {
    let stem = file.file_name()?.to_str()?.strip_suffix(".flow.json")?;
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

fn outcome(each: &Imported) -> String {
    let what = match (&each.saved, &each.error) {
        (Some(saved), _) => people(saved),
        (None, Some(error)) => problems::told(error),
        (None, None) => String::new(),
    };
    format!("{}: {what}", each.file)
}

pub async fn export(
    of: FlowVersionArgs,
    to: Option<&Path>,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let id = of.id.clone();
    let files = api.flow_export(of).await?;
    let Some(folder) = to else {
        return match output.json {
            true => output.show(&files, |_| String::new()),
            false => {
                line(files.text.trim_end());
                Ok(ExitCode::SUCCESS)
            }
        };
    };
    let written = write(folder, &id, files)?;
    output.show(&json!({ "files": written }), |_| {
        written.iter().map(|file| format!("{file} is written.")).collect::<Vec<_>>().join("\n")
    })
}

fn write(folder: &Path, id: &str, files: FlowExport) -> Result<Vec<String>> {
    std::fs::create_dir_all(folder).context(format!("making {}", folder.display()))?;
    let flow = folder.join(&files.name);
    refuse_another(&flow, id)?;
    let mut all = vec![(flow, files.text)];
    let layout = folder.join(&files.layout_name);
    match files.layout {
        Some(text) => all.push((layout, text)),
        // It would put the nodes back where they stood once.
        None => remove(&layout)?,
    }
    for (file, text) in &all {
        std::fs::write(file, text).context(format!("writing {}", file.display()))?;
    }
    Ok(all.into_iter().map(|(file, _)| file.display().to_string()).collect())
}

/// Two flows of one name have files of one name.
fn refuse_another(file: &Path, id: &str) -> Result<()> {
    let Ok(text) = std::fs::read_to_string(file) else { return Ok(()) };
    let there: Value = serde_json::from_str(&text).unwrap_or_default();
    if there["id"] == id {
        return Ok(());
    }
    Err(Error::new(Code::Conflict, format!("{} is not the file of this flow", file.display()))
        .hint("Export into another folder, or rename one of the flows."))
}

fn remove(file: &Path) -> Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context(format!("removing {}", file.display()))
        }
        _ => Ok(()),
    }
}
