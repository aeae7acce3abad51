//! Why a condition held or not, for a person.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ask::{Answers, Asks};
use super::cast::Operand;
use super::check::{Check, text_of};
use super::excerpt::{excerpt, one_line};
use super::value_ref::ValueRef;
use super::{Condition, Node};
use crate::data::Data;
use crate::place::Place;
use crate::view::{MASK, View};

/// A part of a condition with what it came to and what it looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct Explanation {
    /// Where in the condition, such as `conditions[1]`; empty for the whole.
    pub place: String,
    /// The part in one line, such as `trigger.payload.size gt 10`.
    pub condition: String,
    /// Absent while a question is not answered that it depends on.
    pub holds: Option<bool>,
    /// What the part read, in the order in which it names it.
    pub read: Vec<Reading>,
    /// Why it cannot hold, where that is not plain from the values.
    pub note: Option<String>,
    pub parts: Vec<Explanation>,
}

/// A value as it was found: cut where it is long, masked where it is secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct Reading {
    /// The value as the condition names it, such as `trigger.payload.size`.
    pub from: String,
    /// Absent when nothing is there.
    pub value: Option<Value>,
    /// What it is, such as `text`; a cast shows in it.
    pub kind: String,
}

impl Condition {
    /// Every part's verdict, those too that an evaluation would not have reached.
    pub fn explain(&self, data: &Data<'_>, answers: &Answers) -> Explanation {
        let explainer = Explainer { root: data.view(), answers };
        explainer.node(&self.root, &Place::Root)
    }
}

struct Explainer<'a> {
    root: View<'a>,
    answers: &'a Answers,
}

impl Explainer<'_> {
    fn node(&self, node: &Node, place: &Place<'_>) -> Explanation {
        match node {
            Node::And(list) => self.list(list, place, "all of", false),
            Node::Or(list) => self.list(list, place, "any of", true),
            Node::Not(inner) => {
                let part = self.node(inner, &Place::Field(place, "condition"));
                let holds = part.holds.map(|holds| !holds);
                Explanation { parts: vec![part], ..new(place, "not", holds) }
            }
            Node::Check(check) => self.check(check, place),
            Node::Ask { id, asks } => self.asks(asks, self.answers.get(*id), place),
        }
    }

    /// One part that is `decisive` decides; an open question leaves it open otherwise.
    fn list(&self, list: &[Node], place: &Place<'_>, title: &str, decisive: bool) -> Explanation {
        let conditions = Place::Field(place, "conditions");
        let parts: Vec<Explanation> = list
            .iter()
            .enumerate()
            .map(|(index, node)| self.node(node, &Place::Element(&conditions, index)))
            .collect();
        let holds = if parts.iter().any(|part| part.holds == Some(decisive)) {
            Some(decisive)
        } else {
            parts.iter().all(|part| part.holds.is_some()).then_some(!decisive)
        };
        Explanation { parts, ..new(place, title, holds) }
    }

    fn check(&self, check: &Check, place: &Place<'_>) -> Explanation {
        let refs = check.value_refs();
        let read = refs.iter().map(|(_, value)| self.reading(value)).collect();
        let holds = check.holds(self.root);
        let note = if holds { None } else { self.note(check) };
        Explanation { read, note, ..new(place, &describe(check), Some(holds)) }
    }

    fn asks(&self, asks: &Asks, answer: Option<bool>, place: &Place<'_>) -> Explanation {
        let (title, read) = match asks {
            Asks::Custom { plugin_id, function, args, .. } => (
                format!("{plugin_id} {function}"),
                args.iter().map(|arg| self.reading(arg)).collect(),
            ),
            Asks::Query { query, subject } => (
                format!("query {}", one_line(View::Text(query))),
                subject.iter().map(|subject| self.reading(subject)).collect(),
            ),
        };
        let note = answer.is_none().then(|| "This was not asked yet.".to_owned());
        Explanation { read, note, ..new(place, &title, answer) }
    }

    fn reading(&self, value: &ValueRef) -> Reading {
        let found = value.read(self.root);
        let kind = found.as_ref().map_or("nothing", Operand::kind).to_owned();
        let masked = value.is_secret(self.root);
        let shown = found.map(|operand| match &operand {
            _ if masked => Value::String(MASK.to_owned()),
            Operand::Data(data) => excerpt(data.view()),
            Operand::Date(_) => operand.to_public_value(),
        });
        Reading { from: value.to_string(), value: shown, kind }
    }

    fn note(&self, check: &Check) -> Option<String> {
        for (_, value) in check.value_refs() {
            if value.read(self.root).is_none() {
                return Some(self.nothing(value));
            }
        }
        match check {
            Check::Compare { left, operator, right } => {
                let (left, right) = left.read(self.root).zip(right.read(self.root))?;
                let mismatch = operator.apply(&left, &right).is_none();
                mismatch.then(|| {
                    let (left, right) = (left.kind(), right.kind());
                    format!("{} has no meaning for {left} and {right}.", operator.name())
                })
            }
            Check::Matches { subject, pattern } => {
                let found = subject.read(self.root)?;
                let kind = found.kind();
                match text_of(Some(found), |text| pattern.matches(text)) {
                    None => Some(format!("Only text matches, not {kind}.")),
                    Some(None) => Some(
                        "The pattern takes too long on so long a text; make it simpler.".to_owned(),
                    ),
                    Some(Some(_)) => None,
                }
            }
            Check::Exists(_) | Check::In { .. } => None,
        }
    }

    fn nothing(&self, value: &ValueRef) -> String {
        match value {
            ValueRef::Cast { to, of } if of.read(self.root).is_some() => {
                format!("{of} cannot be read as {}.", to.name())
            }
            ValueRef::Cast { of, .. } => self.nothing(of),
            value => format!("There is no {value}."),
        }
    }
}

fn new(place: &Place<'_>, condition: &str, holds: Option<bool>) -> Explanation {
    Explanation {
        place: place.to_string(),
        condition: condition.to_owned(),
        holds,
        read: Vec::new(),
        note: None,
        parts: Vec::new(),
    }
}

fn describe(check: &Check) -> String {
    match check {
        Check::Compare { left, operator, right } => format!("{left} {} {right}", operator.name()),
        Check::Exists(subject) => format!("{subject} exists"),
        Check::Matches { subject, pattern } => {
            format!("{subject} matches {}", one_line(View::Text(pattern.as_str())))
        }
        Check::In { subject, values } => {
            format!("{subject} in {}", one_line(View::List(values)))
        }
    }
}
