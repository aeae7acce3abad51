//! The nine operators, each defined for the kinds that it makes sense of.

use std::cmp::Ordering;

use super::cast::Operand;
use crate::view::View;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
    Contains,
    StartsWith,
    EndsWith,
}

impl Operator {
    pub const ALL: [(&'static str, Operator); 9] = [
        ("eq", Operator::Eq),
        ("neq", Operator::Neq),
        ("gt", Operator::Gt),
        ("gte", Operator::Gte),
        ("lt", Operator::Lt),
        ("lte", Operator::Lte),
        ("contains", Operator::Contains),
        ("startsWith", Operator::StartsWith),
        ("endsWith", Operator::EndsWith),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, operator)| *operator == self).map_or("", |(name, _)| name)
    }

    /// Nothing when the operator has no meaning for the two kinds.
    pub fn apply(self, left: &Operand<'_>, right: &Operand<'_>) -> Option<bool> {
        match self {
            Self::Eq => equal(left, right),
            Self::Neq => equal(left, right).map(|equal| !equal),
            Self::Gt => order(left, right).map(Ordering::is_gt),
            Self::Gte => order(left, right).map(Ordering::is_ge),
            Self::Lt => order(left, right).map(Ordering::is_lt),
            Self::Lte => order(left, right).map(Ordering::is_le),
            Self::Contains => contains(left, right),
            Self::StartsWith => texts(left, right).map(|(left, right)| left.starts_with(right)),
            Self::EndsWith => texts(left, right).map(|(left, right)| left.ends_with(right)),
        }
    }
}

fn equal(left: &Operand<'_>, right: &Operand<'_>) -> Option<bool> {
    match (left, right) {
        (Operand::Date(left), Operand::Date(right)) => Some(left == right),
        (Operand::Data(a), Operand::Data(b)) if left.kind() == right.kind() => {
            Some(a.view().same(b.view()))
        }
        _ => None,
    }
}

/// Text is ordered by its characters' code points, whatever the language.
fn order(left: &Operand<'_>, right: &Operand<'_>) -> Option<Ordering> {
    match (left, right) {
        (Operand::Date(left), Operand::Date(right)) => Some(left.cmp(right)),
        (Operand::Data(a), Operand::Data(b)) => match (a.view(), b.view()) {
            (View::Number(a), View::Number(b)) => a.partial_cmp(&b),
            (a, b) => Some(a.text()?.cmp(b.text()?)),
        },
        _ => None,
    }
}

/// A list contains an element, text contains text.
fn contains(left: &Operand<'_>, right: &Operand<'_>) -> Option<bool> {
    if let (Operand::Data(list), Operand::Data(wanted)) = (left, right)
        && let View::List(list) = list.view()
    {
        return Some(list.iter().any(|element| View::of(element).same(wanted.view())));
    }
    texts(left, right).map(|(left, right)| left.contains(right))
}

fn texts<'o>(left: &'o Operand<'_>, right: &'o Operand<'_>) -> Option<(&'o str, &'o str)> {
    match (left, right) {
        (Operand::Data(left), Operand::Data(right)) => {
            Some((left.view().text()?, right.view().text()?))
        }
        _ => None,
    }
}
