//! A query as alternatives, each an intersection of one full-text expression, one set of states
//! and one stretch of the order. That is what the search knows how to run fast.

use std::fmt::Write;

use devrig_core::{Code, Error, Result};

use super::{Has, Is, Leaf, Node, Query};
use crate::place;
use crate::state::States;
use crate::tokens;

/// More alternatives than anybody writes; each costs a search.
const MOST: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub alternatives: Vec<Alternative>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alternative {
    /// An FTS5 expression; None is everything.
    pub text: Option<Expr>,
    pub states: States,
    /// Positions, both included.
    pub from: i64,
    pub to: i64,
}

/// What the full text decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expr {
    /// Tokens in this order; the last may be the beginning of one.
    Term {
        tokens: Vec<String>,
        prefix: bool,
    },
    All(Vec<Expr>),
    Any(Vec<Expr>),
    Not(Box<Expr>),
}

/// What every item carries, so that a negation has something to be taken from.
pub(crate) const EVERY: &str = "=all";

impl Plan {
    /// # Errors
    /// `INVALID_QUERY` when `or` is combined in too many ways.
    pub fn of(query: &Query) -> Result<Plan> {
        let mut alternatives = match query.root() {
            None => vec![Alternative::everything()],
            Some(root) => compile(root, false)?,
        };
        if !query.chooses_place() {
            let inbox = States::of(Is::Inbox);
            for alternative in &mut alternatives {
                alternative.states = alternative.states.and(inbox);
            }
        }
        alternatives.retain(|alternative| {
            !alternative.states.is_empty() && alternative.from <= alternative.to
        });
        Ok(Plan { alternatives })
    }
}

impl Alternative {
    pub fn everything() -> Self {
        Self { text: None, states: States::ALL, from: place::FIRST, to: place::LAST }
    }

    fn and(&self, other: &Alternative) -> Alternative {
        let text = match (self.text.clone(), other.text.clone()) {
            (Some(a), Some(b)) => Some(Expr::All(vec![a, b])),
            (a, b) => a.or(b),
        };
        Alternative {
            text,
            states: self.states.and(other.states),
            from: self.from.max(other.from),
            to: self.to.min(other.to),
        }
    }

    /// The expression alone, when nothing else is asked.
    fn only_text(&self) -> Option<&Expr> {
        let rest = Alternative { text: None, ..self.clone() };
        self.text.as_ref().filter(|_| rest == Alternative::everything())
    }

    pub fn only_states(&self) -> bool {
        *self == Alternative { states: self.states, ..Alternative::everything() }
    }
}

fn compile(node: &Node, negated: bool) -> Result<Vec<Alternative>> {
    match node {
        Node::Not(inner) => compile(inner, !negated),
        Node::And(list) if !negated => all(list, negated),
        Node::Or(list) if negated => all(list, negated),
        Node::And(list) | Node::Or(list) => any(list, negated),
        Node::Leaf(Leaf::Is(list)) => is(list, negated),
        Node::Leaf(leaf) => Ok(vec![compile_leaf(leaf, negated)]),
    }
}

fn all(list: &[Node], negated: bool) -> Result<Vec<Alternative>> {
    let mut product = vec![Alternative::everything()];
    for node in list {
        let factor = compile(node, negated)?;
        if product.len() * factor.len() > MOST {
            return Err(Error::new(Code::InvalidQuery, "the query combines too many alternatives")
                .hint("Use comma lists such as is:done,snoozed instead of `or`, or split it."));
        }
        product = product.iter().flat_map(|a| factor.iter().map(|b| a.and(b))).collect();
    }
    Ok(product)
}

/// Expressions of the full text stay one, and so do states; the rest are alternatives.
fn any(list: &[Node], negated: bool) -> Result<Vec<Alternative>> {
    let mut texts = Vec::new();
    let mut states = None::<States>;
    let mut rest = Vec::new();
    for node in list {
        for alternative in compile(node, negated)? {
            if let Some(text) = alternative.only_text() {
                texts.push(text.clone());
            } else if alternative.only_states() {
                states = Some(states.map_or(alternative.states, |s| s.or(alternative.states)));
            } else {
                rest.push(alternative);
            }
        }
    }
    if !texts.is_empty() {
        let text = Some(Expr::Any(texts));
        rest.push(Alternative { text, ..Alternative::everything() });
    }
    if let Some(states) = states {
        rest.push(Alternative { states, ..Alternative::everything() });
    }
    Ok(rest)
}

fn compile_leaf(leaf: &Leaf, negated: bool) -> Alternative {
    let everything = Alternative::everything();
    let text = |expr: Expr| {
        let expr = if negated { Expr::Not(Box::new(expr)) } else { expr };
        Alternative { text: Some(expr), ..Alternative::everything() }
    };
    match leaf {
        Leaf::Text { text: words, prefix } => match words_expr(words, *prefix) {
            Some(expr) => text(expr),
            // Nothing that could be searched, such as "—": it neither adds nor takes away.
            None => everything,
        },
        Leaf::Has(list) => {
            let flags = list.iter().map(|has: &Has| flag("has", has.name(), negated)).collect();
            let expr = if negated { Expr::All(flags) } else { Expr::Any(flags) };
            Alternative { text: Some(expr), ..everything }
        }
        Leaf::Field(field, list) => text(any_term(field.name(), list.iter().map(String::as_str))),
        // Lists of states are compiled by `is`.
        Leaf::Is(_) => everything,
        Leaf::Older(when) | Leaf::Newer(when) => {
            let border = place::first_at(when.at.as_ms());
            if matches!(leaf, Leaf::Older(_)) != negated {
                Alternative { to: border - 1, ..everything }
            } else {
                Alternative { from: border, ..everything }
            }
        }
    }
}

/// `is:unread,starred` is a set of states; only `is:actionable` asks the full text.
fn is(list: &[Is], negated: bool) -> Result<Vec<Alternative>> {
    let states = list.iter().filter(|is| **is != Is::Actionable).map(|is| States::of(*is));
    let states = states.reduce(States::or).map(|states| Alternative {
        states: if negated { states.not() } else { states },
        ..Alternative::everything()
    });
    let actionable = list.contains(&Is::Actionable).then(|| Alternative {
        text: Some(flag("is", "actionable", negated)),
        ..Alternative::everything()
    });
    Ok(match (states, actionable) {
        (Some(states), Some(actionable)) if negated => vec![states.and(&actionable)],
        (states, actionable) => states.into_iter().chain(actionable).collect(),
    })
}

fn any_term<'a>(field: &str, values: impl Iterator<Item = &'a str>) -> Expr {
    Expr::Any(values.map(|value| Expr::attribute(field, value)).collect())
}

/// Of what an item has or has not, both are terms: nearly every item has a link, and taking a list
/// of nearly everything from a list of everything costs two walks over all items.
fn flag(field: &str, value: &str, negated: bool) -> Expr {
    Expr::attribute(if negated { "no" } else { field }, value)
}

/// The words as one phrase; None when they hold nothing that is indexed.
pub(crate) fn words_expr(words: &str, prefix: bool) -> Option<Expr> {
    let (list, prefix) = tokens::phrase(words, prefix);
    (!list.is_empty()).then_some(Expr::Term { tokens: list, prefix })
}

impl Expr {
    /// The term of an attribute's value.
    pub fn attribute(field: &str, value: &str) -> Self {
        Expr::Term { tokens: vec![tokens::term(field, value)], prefix: false }
    }

    fn everything() -> Self {
        Expr::Term { tokens: vec![EVERY.to_owned()], prefix: false }
    }

    /// As FTS5 reads it.
    pub fn to_fts(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Expr::Term { tokens, prefix } => {
                let phrase = tokens.join(" ").replace('"', "\"\"");
                // Writing to a String cannot fail.
                let _ = write!(out, "\"{phrase}\"{}", if *prefix { " *" } else { "" });
            }
            Expr::Not(inner) => match &**inner {
                Expr::Not(twice) => twice.write(out),
                inner => {
                    out.push('(');
                    Self::everything().write(out);
                    out.push_str(" NOT ");
                    inner.write(out);
                    out.push(')');
                }
            },
            Expr::Any(list) => Self::write_list(list, " OR ", out),
            Expr::All(list) => Self::write_all(list, out),
        }
    }

    fn write_list(list: &[Expr], between: &str, out: &mut String) {
        out.push('(');
        for (index, expr) in list.iter().enumerate() {
            if index > 0 {
                out.push_str(between);
            }
            expr.write(out);
        }
        out.push(')');
    }

    /// `(a AND b) NOT (c OR d)`: negations are taken from what is asked, not from everything.
    fn write_all(list: &[Expr], out: &mut String) {
        let mut wanted = Vec::new();
        let mut unwanted = Vec::new();
        Self::split(list, &mut wanted, &mut unwanted);
        if wanted.is_empty() {
            wanted.push(Self::everything());
        }
        if unwanted.is_empty() {
            return Self::write_list(&wanted, " AND ", out);
        }
        out.push('(');
        Self::write_list(&wanted, " AND ", out);
        out.push_str(" NOT ");
        Self::write_list(&unwanted, " OR ", out);
        out.push(')');
    }

    fn split(list: &[Expr], wanted: &mut Vec<Expr>, unwanted: &mut Vec<Expr>) {
        for expr in list {
            match expr {
                Expr::All(inner) => Self::split(inner, wanted, unwanted),
                Expr::Not(inner) => unwanted.push((**inner).clone()),
                other => wanted.push(other.clone()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use devrig_core::Timestamp;

    use super::*;
    use crate::query::parse;

    fn plan(text: &str) -> Vec<Alternative> {
        let now = Timestamp::from_ms(10_000_000_000);
        Plan::of(&parse(text, now).unwrap()).unwrap().alternatives
    }

    fn fts(text: &str) -> String {
        let [alternative] = plan(text).try_into().unwrap();
        alternative.text.unwrap().to_fts()
    }

    #[test]
    fn words_and_attributes_are_one_expression() {
        assert_eq!(
            fts("repo:a/b,c fix -author:bot -x"),
            "(((\"=repo:a/b\" OR \"=repo:c\") AND \"fix\") NOT ((\"=author:bot\") OR \"x\"))"
        );
        assert_eq!(fts("-fix"), "(\"=all\" NOT \"fix\")");
        assert_eq!(fts("(a or -b)"), "(\"a\" OR (\"=all\" NOT \"b\"))");
        assert_eq!(fts("文件测试"), "\"文件 件测 测试\"");
        assert_eq!(fts("文 deplo*"), "(\"文\" * AND \"deplo\" *)");
    }

    #[test]
    fn states_are_one_set_and_or_splits_only_what_it_must() {
        assert_eq!(plan("is:any").len(), 1);
        assert_eq!(plan("is:unread or is:done").len(), 1);
        assert_eq!(plan("(is:starred or fix) (is:done or bug)").len(), 4);
        assert_eq!(plan("is:done -is:done"), []);
        assert_eq!(plan("older:2d newer:1d"), []);
    }

    #[test]
    fn the_inbox_is_implied_unless_a_place_is_chosen() {
        assert_eq!(plan("fix")[0].states, States::of(Is::Inbox));
        assert_eq!(plan("")[0].states, States::of(Is::Inbox));
        assert_eq!(plan("fix is:done")[0].states, States::of(Is::Done));
        assert_eq!(plan("-is:done")[0].states, States::of(Is::Done).not());
    }

    #[test]
    fn what_cannot_be_searched_changes_nothing() {
        assert_eq!(plan("fix — !"), plan("fix"));
        assert_eq!(plan("fix -!!"), plan("fix"));
    }

    #[test]
    fn a_query_with_too_many_alternatives_is_refused() {
        let text = "(is:done or fix) ".repeat(8);
        let error = Plan::of(&parse(&text, Timestamp::from_ms(0)).unwrap()).unwrap_err();
        assert_eq!(error.code, Code::InvalidQuery);
    }
}
