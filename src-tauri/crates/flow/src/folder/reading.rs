//! A file's texts become a definition, or a list of what is wrong, each with its line.

use std::path::Path;

use devrig_core::Error;
use serde_json::Value;

use super::FileProblem;
use super::disk::{ENDING, Texts};
use crate::definition::{
    Definition, Layout, Problem, Problems, fresh_id, line_and_column, parse_text, read_value,
};
use crate::table::file::FileRow;

/// More than anybody reads at once.
const MOST_TOLD: usize = 20;

/// Why a file is no flow.
pub(super) struct Wrong(pub Vec<FileProblem>);

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self(vec![FileProblem::new(error.message, error.hint.unwrap_or_default())])
    }
}

/// The definition with its text, and what is wrong with its layout, which it can do without.
pub(super) fn definition<'t>(
    texts: &'t Texts,
    row: &FileRow,
) -> Result<(Definition, &'t str, Vec<FileProblem>), Wrong> {
    let text = texts.flow.as_str();
    let wrong = |problems: Problems| Wrong(located(problems.list(), text));
    let mut value = parse_text(text).map_err(wrong)?;
    if let Some(fields) = value.as_object_mut() {
        // A flow without an id is named by its file, so that it is the same one at each look.
        let id = row.flow.clone().unwrap_or_else(|| id_of(Path::new(&row.path)));
        fields.entry("id").or_insert_with(|| id.into());
    }
    let mut definition = read_value(value).map_err(wrong)?;
    let mut told = Vec::new();
    if let Some(layout) = &texts.layout {
        match Layout::read_text(layout) {
            Ok(layout) => layout.apply(&mut definition),
            Err(problems) => told.push(FileProblem::new(
                format!("its layout cannot be read: {problems}"),
                "Delete the layout's file, or correct it.",
            )),
        }
    }
    Ok((definition, text, told))
}

/// The id that a file names.
pub(super) fn id_in(texts: &Texts) -> Option<String> {
    let value = parse_text(&texts.flow).ok()?;
    value.get("id").and_then(Value::as_str).map(str::to_owned)
}

/// Problems of a definition, with the lines of the text that it was read from.
pub(super) fn located(problems: &[Problem], text: &str) -> Vec<FileProblem> {
    let errors = problems.iter().filter(|problem| problem.is_error()).take(MOST_TOLD);
    errors
        .map(|problem| {
            let place = line_and_column(problem, text);
            FileProblem {
                line: place.map(|(line, _)| line),
                column: place.map(|(_, column)| column),
                ..FileProblem::new(problem.to_string(), problem.hint.clone())
            }
        })
        .collect()
}

fn id_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    fresh_id(name.strip_suffix(ENDING).unwrap_or(&name), |_| false).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_without_an_id_is_named_by_its_file() {
        for (path, id) in [
            ("/a/Daily digest.flow.json", "daily_digest"),
            ("/a/ci-failed.flow.json", "ci-failed"),
            ("/a/日.flow.json", "flow"),
        ] {
            assert_eq!(id_of(Path::new(path)), id);
        }
    }
}
