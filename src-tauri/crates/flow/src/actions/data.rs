//! Actions on data: objects, lists and the texts that hold them.

mod aggregate;
mod csv;
mod dedupe;
mod filter;
mod html;
mod limit;
mod merge;
mod plain_number;
mod set;
mod sort;
mod split;
mod transform;
mod xml;
mod yaml;

use devrig_core::Result;

use serde_json::Value;

use super::compute::{add, run};
use crate::action::Actions;

pub(super) fn add_all(actions: &mut Actions) -> Result<()> {
    add::<set::Set>(actions)?;
    add::<merge::Merge>(actions)?;
    add::<split::Split>(actions)?;
    add::<sort::Sort>(actions)?;
    add::<dedupe::Dedupe>(actions)?;
    add::<limit::Limit>(actions)?;
    add::<filter::Filter>(actions)?;
    add::<transform::Transform>(actions)?;
    add::<aggregate::Aggregate>(actions)?;
    add::<csv::Csv>(actions)?;
    add::<xml::Xml>(actions)?;
    add::<yaml::Yaml>(actions)?;
    add::<html::Html>(actions)
}

/// A text that holds data.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Csv,
    Xml,
    Yaml,
}

/// What the action of a format does with a config.
pub(super) fn convert(format: Format, config: Value) -> Result<Value> {
    match format {
        Format::Csv => run::<csv::Csv>(config),
        Format::Xml => run::<xml::Xml>(config),
        Format::Yaml => run::<yaml::Yaml>(config),
    }
}

/// What `data.transform` does with a config.
pub(super) fn transform(config: Value) -> Result<Value> {
    run::<transform::Transform>(config)
}
