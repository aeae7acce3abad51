//! What can be decided from the data alone.

use serde_json::Value;

use super::cast::Operand;
use super::compare::Operator;
use super::pattern::Pattern;
use super::value_ref::ValueRef;
use crate::view::View;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Check {
    Compare { left: ValueRef, operator: Operator, right: ValueRef },
    Exists(ValueRef),
    Matches { subject: ValueRef, pattern: Box<Pattern> },
    In { subject: ValueRef, values: Vec<Value> },
}

impl Check {
    pub fn holds(&self, root: View<'_>) -> bool {
        match self {
            Self::Compare { left, operator, right } => {
                let operands = left.read(root).zip(right.read(root));
                operands.and_then(|(left, right)| operator.apply(&left, &right)) == Some(true)
            }
            Self::Exists(subject) => subject.read(root).is_some_and(|found| found.is_there()),
            Self::Matches { subject, pattern } => {
                text_of(subject.read(root), |text| pattern.matches(text)) == Some(Some(true))
            }
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

/// What `look` sees in the operand, if it is text.
pub(super) fn text_of<T>(found: Option<Operand<'_>>, look: impl FnOnce(&str) -> T) -> Option<T> {
    match found? {
        Operand::Data(data) => data.view().text().map(look),
        Operand::Date(_) => None,
    }
}
