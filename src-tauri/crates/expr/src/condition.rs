//! Conditions: a JSON language of comparisons that either hold or do not (reference §7).
//!
//! Kinds are strict. A number and a text are never compared, so such a comparison is false
//! whatever its operator; `cast` says where a conversion is meant. What is missing compares as
//! false too.

mod ask;
mod cast;
mod check;
mod compare;
mod excerpt;
mod explain;
mod parse;
mod pattern;
mod print;
pub mod terms;
mod value_ref;

use crate::data::Data;
use crate::place::Place;
use crate::reference::Reference;
use crate::view::View;

use ask::Asks;
use check::Check;
use value_ref::ValueRef;

pub use ask::{Answers, Asked, Dependency, DependsOn, Question, QuestionId};
pub use explain::{Explanation, Reading};

/// A condition that was read and checked, ready to be evaluated any number of times.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    root: Node,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// Decided from the data alone.
    Check(Check),
    /// Decided outside.
    Ask {
        id: QuestionId,
        asks: Asks,
    },
}

/// What an evaluation came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    True,
    False,
    /// It depends on something outside. Answer it and evaluate again.
    Ask(Question),
}

impl From<bool> for Verdict {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

impl Condition {
    /// Pure: the same data and answers give the same verdict. Parts are decided in their order
    /// and no further than needed, so nothing is asked in vain.
    pub fn evaluate(&self, data: &Data<'_>, answers: &Answers) -> Verdict {
        self.root.evaluate(data.view(), answers)
    }

    /// What it reads from the data, with the place of each.
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        self.root.visit(&Place::Root, &mut |node, place| {
            node.value_refs(place, &mut |value, place| {
                if let Some(path) = value.path().cloned() {
                    found.push(Reference { path, place: place.to_string(), certain: true });
                }
            });
        });
        found
    }

    /// The inbox queries and plugin functions in it, so that a save can check that they exist.
    pub fn dependencies(&self) -> Vec<Dependency> {
        let mut found = Vec::new();
        self.root.visit(&Place::Root, &mut |node, place| {
            if let Node::Ask { asks, .. } = node {
                found.push(Dependency { place: place.to_string(), on: asks.depends_on() });
            }
        });
        found
    }
}

impl Node {
    fn evaluate(&self, root: View<'_>, answers: &Answers) -> Verdict {
        match self {
            Self::And(list) => until(list, Verdict::True, root, answers),
            Self::Or(list) => until(list, Verdict::False, root, answers),
            Self::Not(inner) => match inner.evaluate(root, answers) {
                Verdict::True => Verdict::False,
                Verdict::False => Verdict::True,
                asked => asked,
            },
            Self::Check(check) => check.holds(root).into(),
            Self::Ask { id, asks } => match answers.get(*id) {
                Some(answer) => answer.into(),
                None => Verdict::Ask(Question { id: *id, asked: asks.read(root) }),
            },
        }
    }

    /// This node and all below it, each with its place.
    fn visit(&self, place: &Place<'_>, visit: &mut dyn FnMut(&Node, &Place<'_>)) {
        visit(self, place);
        match self {
            Self::And(list) | Self::Or(list) => {
                let conditions = Place::Field(place, "conditions");
                for (index, node) in list.iter().enumerate() {
                    node.visit(&Place::Element(&conditions, index), visit);
                }
            }
            Self::Not(inner) => inner.visit(&Place::Field(place, "condition"), visit),
            Self::Check(_) | Self::Ask { .. } => {}
        }
    }

    /// The values that this node itself reads.
    fn value_refs(&self, place: &Place<'_>, visit: &mut dyn FnMut(&ValueRef, &Place<'_>)) {
        match self {
            Self::And(_) | Self::Or(_) | Self::Not(_) => {}
            Self::Check(check) => {
                for (field, value) in check.value_refs() {
                    visit(value, &Place::Field(place, field));
                }
            }
            Self::Ask { asks: Asks::Custom { args, .. }, .. } => {
                let list = Place::Field(place, "args");
                for (index, arg) in args.iter().enumerate() {
                    visit(arg, &Place::Element(&list, index));
                }
            }
            Self::Ask { asks: Asks::Query { subject, .. }, .. } => {
                if let Some(subject) = subject {
                    visit(subject, &Place::Field(place, "ref"));
                }
            }
        }
    }
}

/// The first verdict that is not the neutral one.
fn until(list: &[Node], neutral: Verdict, root: View<'_>, answers: &Answers) -> Verdict {
    list.iter()
        .map(|node| node.evaluate(root, answers))
        .find(|verdict| *verdict != neutral)
        .unwrap_or(neutral)
}

#[cfg(test)]
mod tests;
