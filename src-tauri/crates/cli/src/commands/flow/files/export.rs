//! Flows become files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use devrig_core::{Code, Context, Error, Result};
use devrig_engine::Api;
use devrig_engine::api::flow::{FlowExport, FlowVersionArgs};
use serde_json::{Value, json};

use super::layout_of;
use crate::output::{Output, line};

/// Where a flow is written.
pub enum Place {
    Screen,
    File(PathBuf),
    Folder(PathBuf),
}

impl Place {
    pub fn of(file: Option<PathBuf>, folder: Option<PathBuf>) -> Self {
        match (file, folder) {
            (Some(file), _) if file.as_os_str() != "-" => Self::File(file),
            (_, Some(folder)) => Self::Folder(folder),
            _ => Self::Screen,
        }
    }
}

pub async fn export(
    of: FlowVersionArgs,
    place: Place,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let id = of.id.clone();
    let files = api.flow_export(of).await?;
    let written = match place {
        Place::Screen if output.json => return output.show(&files, |_| String::new()),
        Place::Screen => {
            line(files.text.trim_end());
            return Ok(ExitCode::SUCCESS);
        }
        Place::File(file) => write(&file, &id, files)?,
        Place::Folder(folder) => write_into(&folder, &id, files)?,
    };
    output.show(&json!({ "files": written }), |_| {
        written.iter().map(|file| format!("{file} is written.")).collect::<Vec<_>>().join("\n")
    })
}

/// Into a folder, under the names that the flow's name makes.
pub fn write_into(folder: &Path, id: &str, files: FlowExport) -> Result<Vec<String>> {
    std::fs::create_dir_all(folder).context(format!("making {}", folder.display()))?;
    let file = folder.join(&files.name);
    write(&file, id, files)
}

fn write(flow: &Path, id: &str, files: FlowExport) -> Result<Vec<String>> {
    refuse_another(flow, id)?;
    let mut all = vec![(flow.to_owned(), files.text)];
    match (layout_of(flow), files.layout) {
        (Some(layout), Some(text)) => all.push((layout, text)),
        // It would put the nodes back where they stood once.
        (Some(layout), None) => remove(&layout)?,
        (None, _) => {}
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
        .hint("Export to another place, or rename one of the flows."))
}

fn remove(file: &Path) -> Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context(format!("removing {}", file.display()))
        }
        _ => Ok(()),
    }
}
