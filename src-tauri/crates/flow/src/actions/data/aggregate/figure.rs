//! What each figure is of the values that were found.

use std::cmp::Ordering;
use std::collections::HashSet;

use devrig_core::{Error, Result};
use devrig_expr::{Number, Path, View};
use serde::Deserialize;
use serde_json::Value;

use super::sum::{Sum, median};
use crate::actions::bounds::Text;
use crate::actions::identity::identity;
use crate::actions::order::{Rank, Style};

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Op {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    Median,
    First,
    Last,
    Unique,
    List,
    Concat,
}

/// A value, and the place of its element for errors.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub at: usize,
    pub view: View<'a>,
}

impl Op {
    /// `found` holds no nulls.
    pub fn apply(self, found: &[Found<'_>], path: &Path, separator: &str) -> Result<Value> {
        let value = |found: Option<&Found<'_>>| found.map_or(Value::Null, |it| it.view.to_value());
        Ok(match self {
            Self::Count => found.len().into(),
            Self::Sum => Sum::of(&numbers(found, path)?).total()?,
            Self::Avg => Sum::of(&numbers(found, path)?).mean()?,
            Self::Median => median(numbers(found, path)?)?,
            Self::Min => value(extreme(found, path, Ordering::Less)?),
            Self::Max => value(extreme(found, path, Ordering::Greater)?),
            Self::First => value(found.first()),
            Self::Last => value(found.last()),
            Self::Unique => unique(found),
            Self::List => found.iter().map(|it| it.view.to_value()).collect(),
            Self::Concat => concat(found, path, separator)?,
        })
    }
}

fn numbers(found: &[Found<'_>], path: &Path) -> Result<Vec<Number>> {
    let number = |it: &Found<'_>| match it.view {
        View::Number(number) => Ok(number),
        _ => Err(wrong(it, path, "a number")),
    };
    found.iter().map(number).collect()
}

/// All numbers, or all texts: an order between the two would mean nothing.
fn extreme<'f, 'a>(
    found: &'f [Found<'a>],
    path: &Path,
    wanted: Ordering,
) -> Result<Option<&'f Found<'a>>> {
    let mut best: Option<(&Found<'_>, Rank<'_>)> = None;
    for it in found {
        let rank = Rank::of(Some(it.view), Style::default());
        if let Some(expected) = expected(best.as_ref().map(|(_, rank)| rank), &rank) {
            return Err(wrong(it, path, expected));
        }
        if best.as_ref().is_none_or(|(_, best)| rank.compare(best) == wanted) {
            best = Some((it, rank));
        }
    }
    Ok(best.map(|(it, _)| it))
}

/// What would have fitted, where this does not.
fn expected(best: Option<&Rank<'_>>, rank: &Rank<'_>) -> Option<&'static str> {
    match (best, rank) {
        (None | Some(Rank::Number(_)), Rank::Number(_)) => None,
        (None | Some(Rank::Text(_)), Rank::Text(_)) => None,
        (None, _) => Some("a number or text"),
        (Some(Rank::Number(_)), _) => Some("a number as those before"),
        (Some(_), _) => Some("text as those before"),
    }
}

fn unique(found: &[Found<'_>]) -> Value {
    let mut seen = HashSet::new();
    let fresh = found.iter().filter(|it| seen.insert(identity(it.view)));
    fresh.map(|it| it.view.to_value()).collect()
}

fn concat(found: &[Found<'_>], path: &Path, separator: &str) -> Result<Value> {
    let mut text = Text::new();
    for (index, it) in found.iter().enumerate() {
        if index > 0 {
            text.push(separator)?;
        }
        match it.view {
            View::Number(number) => text.push(&number.to_string())?,
            View::Bool(flag) => text.push(if flag { "true" } else { "false" })?,
            view => text.push(view.text().ok_or_else(|| wrong(it, path, "text"))?)?,
        }
    }
    Ok(text.into_value())
}

fn wrong(found: &Found<'_>, path: &Path, expected: &str) -> Error {
    let steps = path.to_string();
    let dot = if steps.is_empty() || steps.starts_with('[') { "" } else { "." };
    let kind = found.view.kind();
    Error::invalid(format!("items[{}]{dot}{steps} is {kind}, not {expected}", found.at))
        .hint("Choose another path, or bring the values into one kind before.")
}
