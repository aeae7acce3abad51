//! What can start a flow.

use std::process::ExitCode;

use devrig_core::{Error, Result, nearest};
use devrig_engine::api::flow::{Field, Part};
use devrig_engine::{Api, NoArgs};

use crate::output::{Output, facts, table};

pub async fn show(name: Option<&str>, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let mut parts = api.flow_format(NoArgs {}).await?.triggers;
    let Some(name) = name else { return output.show(&parts, |parts| list(parts)) };
    match parts.iter().position(|part| part.name == name) {
        Some(place) => output.show(&parts.swap_remove(place), one),
        None => Err(unknown(name, &parts)),
    }
}

fn unknown(name: &str, parts: &[Part]) -> Error {
    let known: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    let hint = match nearest(name, &known) {
        Some(near) => format!("Did you mean {near}?"),
        None => format!("There are {}.", known.join(", ")),
    };
    Error::not_found(format!("the type of trigger {name:?}")).hint(hint)
}

fn list(parts: &[Part]) -> String {
    let rows = parts.iter().map(|part| [part.name.clone(), part.title.clone(), part.about.clone()]);
    table(["TYPE", "TITLE", "FIRES AT"], rows)
}

fn one(part: &Part) -> String {
    let head = facts(&[
        ("type", part.name.clone()),
        ("title", part.title.clone()),
        ("fires at", part.about.clone()),
    ]);
    [head, fields(&part.fields)].join("\n\n")
}

/// Fields as a table.
pub fn fields(fields: &[Field]) -> String {
    let rows = fields.iter().map(|field| {
        let default = field.default.as_ref().map(|value| format!("default {value}"));
        let need = if field.required { "needed".to_owned() } else { default.unwrap_or_default() };
        [field.name.clone(), field.kind.clone(), need, field.about.clone()]
    });
    table(["FIELD", "IS", "", "ABOUT"], rows)
}
