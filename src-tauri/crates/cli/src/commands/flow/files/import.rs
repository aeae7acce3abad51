//! Files become flows, and so do workflows of n8n.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use devrig_core::{Context, Error, Result};
use devrig_engine::Api;
use devrig_engine::api::flow::n8n::Report;
use devrig_engine::api::flow::{FlowConvertArgs, FlowSaveArgs, FlowSaved, is_workflow};
use serde::Serialize;

use super::{ENDING, args_of, export, people};
use crate::input;
use crate::output::Output;
use crate::problems;

/// What became of one file.
#[derive(Default, Serialize)]
struct Imported {
    file: String,
    saved: Option<FlowSaved>,
    /// What became of the parts of a workflow of n8n.
    report: Option<Report>,
    /// The files that it was written into instead of being saved.
    written: Vec<String>,
    error: Option<Error>,
}

/// Each file by itself: a wrong one keeps no other from being saved.
pub async fn import(
    given: &[PathBuf],
    into: Option<&Path>,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let mut all = Vec::new();
    for file in files(given)? {
        let mut one = Imported { file: file.display().to_string(), ..Imported::default() };
        one.error = one.take(&file, into, api).await.err();
        all.push(one);
    }
    let fails = all.iter().any(|each| each.error.is_some());
    output.show(&all, |all| all.iter().map(outcome).collect::<Vec<_>>().join("\n"))?;
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Imported {
    async fn take(&mut self, file: &Path, into: Option<&Path>, api: &dyn Api) -> Result<()> {
        let text = input::text(file)?;
        if !is_workflow(&text) {
            self.saved = Some(api.flow_save(args_of(file, text, false)?).await?);
            return Ok(());
        }
        let converted = api.flow_convert(FlowConvertArgs { text }).await?;
        self.report = Some(converted.report);
        if let Some(folder) = into {
            let id = converted.definition["id"].as_str().unwrap_or_default().to_owned();
            self.written = export::write_into(folder, &id, converted.files)?;
            return Ok(());
        }
        let args =
            FlowSaveArgs { definition: converted.definition, layout: None, must_be_new: true };
        self.saved = Some(api.flow_save(args).await.map_err(unfinished)?);
        Ok(())
    }
}

/// A flow with parts that cannot run is not saved, and not lost either.
fn unfinished(error: Error) -> Error {
    let hint = "It is not saved. `devrig flow import FILE --into FOLDER` writes it as a file, to be \
                completed and imported again.";
    error.hint(hint)
}

/// Folders stand for the files of flows below them, and for workflows of n8n.
fn files(given: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in given {
        match path.is_dir() {
            true => below(path, &mut files)?,
            false => files.push(path.clone()),
        }
    }
    // Flows first: a workflow gets an id that none of them has.
    files.sort_by_key(|file| !file.to_string_lossy().ends_with(ENDING));
    Ok(files)
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let shown = || format!("reading {}", folder.display());
    let entries = std::fs::read_dir(folder).context(shown())?;
    let mut entries = entries.collect::<std::io::Result<Vec<_>>>().context(shown())?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let hidden = name.starts_with('.') || name == "node_modules";
        // A link to a folder could lead round.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !hidden {
            below(&path, files)?;
        } else if name.ends_with(ENDING) || (name.ends_with(".json") && holds_workflow(&path)) {
            files.push(path);
        }
    }
    Ok(())
}

fn holds_workflow(file: &Path) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| is_workflow(&text))
}

fn outcome(each: &Imported) -> String {
    let mut lines = vec![match (&each.saved, &each.error) {
        (Some(saved), _) => people(saved),
        (None, Some(error)) => problems::told(error),
        (None, None) => each
            .written
            .iter()
            .map(|file| format!("{file} is written."))
            .collect::<Vec<_>>()
            .join(" "),
    }];
    // The problems that an error is made of have their hints; this one is of the whole.
    if let (Some(_), Some(Error { hint: Some(hint), .. })) = (&each.report, &each.error) {
        lines.push(hint.clone());
    }
    lines.extend(each.report.iter().map(told));
    format!("{}: {}", each.file, lines.join("\n"))
}

fn told(report: &Report) -> String {
    let mut lines = vec![format!(
        "{} parts have a counterpart, {} work in another way, {} have to be done by hand.",
        report.mapped.len(),
        report.changed.len(),
        report.not_mapped.len(),
    )];
    lines.extend(
        report
            .not_mapped
            .iter()
            .map(|each| format!("by hand: {}: {}\n  {}", each.place, each.reason, each.remedy)),
    );
    lines.extend(
        report.changed.iter().map(|each| format!("changed: {}: {}", each.place, each.what)),
    );
    lines.join("\n")
}
