//! What can be decided from the data alone.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::cast::Operand;
use super::compare::Operator;
use super::value_ref::ValueRef;
use crate::data::View;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Check {
    Compare { left: ValueRef, operator: Operator, right: ValueRef },
    Exists(ValueRef),
    Matches { subject: ValueRef, pattern: Pattern },
    In { subject: ValueRef, values: Vec<Value> },
}

/// A regular expression of the kind that matches in linear time.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Regex);

/// Bytes that a compiled pattern may take. Time is bounded by this times the length of the text.
const LARGEST: usize = 256 * 1024;

impl Pattern {
    pub fn compile(text: &str) -> Result<Self, regex::Error> {
        RegexBuilder::new(text).size_limit(LARGEST).dfa_size_limit(LARGEST).build().map(Self)
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Check {
    pub fn holds(&self, root: View<'_>) -> bool {
        match self {
            Self::Compare { left, operator, right } => {
                let operands = left.read(root).zip(right.read(root));
                operands.and_then(|(left, right)| operator.apply(&left, &right)) == Some(true)
            }
            Self::Exists(subject) => subject.read(root).is_some_and(|found| found.is_there()),
            Self::Matches { subject, pattern } => match subject.read(root) {
                Some(Operand::Data(data)) => {
                    data.view().text().is_some_and(|text| pattern.0.is_match(text))
                }
                _ => false,
            },
            Self::In { subject, values } => match subject.read(root) {
                Some(Operand::Data(found)) => {
                    values.iter().any(|value| View::of(value).same(found.view()))
                }
                _ => false,
            },
        }
    }

    /// What it reads, each under the name of its field.
    pub fn value_refs(&self) -> Vec<(&'static str, &ValueRef)> {
        match self {
            Self::Compare { left, right, .. } => vec![("left", left), ("right", right)],
            Self::Exists(subject) | Self::Matches { subject, .. } | Self::In { subject, .. } => {
                vec![("ref", subject)]
            }
        }
    }
}
