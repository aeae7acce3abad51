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
mod xml;
mod yaml;

use devrig_core::Result;

use super::compute::add;
use crate::action::Actions;

pub(super) fn add_all(actions: &mut Actions) -> Result<()> {
    add::<set::Set>(actions)?;
    add::<merge::Merge>(actions)?;
    add::<split::Split>(actions)?;
    add::<sort::Sort>(actions)?;
    add::<dedupe::Dedupe>(actions)?;
    add::<limit::Limit>(actions)?;
    add::<filter::Filter>(actions)?;
    add::<aggregate::Aggregate>(actions)?;
    add::<csv::Csv>(actions)?;
    add::<xml::Xml>(actions)?;
    add::<yaml::Yaml>(actions)?;
    add::<html::Html>(actions)
}
