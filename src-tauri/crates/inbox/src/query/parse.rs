//! Words to conditions, with errors that point at the place.

use std::time::Duration;

use devrig_core::{Result, Timestamp, nearest};

use super::lex::{Span, Token, Value, lex};
use super::{Field, Has, Is, Leaf, Node, OPERATORS, Query, When};
use crate::item::Priority;
use crate::tokens;

const DEEPEST: usize = 24;
const MOST: usize = 100;

/// Reads a query. `now` is what ages such as `older:2d` count from.
///
/// # Errors
/// `INVALID_QUERY`, whose details hold the column (from 1) and length, with a hint.
pub fn parse(query: &str, now: Timestamp) -> Result<Query> {
    let tokens = lex(query)?;
    let end = Span { column: query.chars().count() + 1, length: 1 };
    let mut parser = Parser { tokens, at: 0, now, end, leaves: 0 };
    let root = parser.either(0)?;
    match parser.tokens.get(parser.at) {
        None => Ok(Query { root }),
        // Only a closing parenthesis ends `either` early.
        Some((_, span)) => {
            Err(span.error("nothing is open here", "Leave the parenthesis out, or quote it."))
        }
    }
}

/// As [`parse`], for a query that is still being typed: its last word counts as the beginning of
/// one.
pub fn parse_typing(query: &str, now: Timestamp) -> Result<Query> {
    let mut parsed = parse(query, now)?;
    let open = query.chars().next_back().is_some_and(char::is_alphanumeric);
    let last = match &mut parsed.root {
        Some(Node::And(list)) => list.last_mut(),
        root => root.as_mut(),
    };
    if let (true, Some(Node::Leaf(Leaf::Text { prefix, text }))) = (open, last) {
        *prefix |= tokens::may_be_open(text);
    }
    Ok(parsed)
}

struct Parser {
    tokens: Vec<(Token, Span)>,
    at: usize,
    now: Timestamp,
    end: Span,
    leaves: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn here(&self) -> Span {
        self.tokens.get(self.at).map_or(self.end, |(_, span)| *span)
    }

    fn either(&mut self, depth: usize) -> Result<Option<Node>> {
        let mut sides = Vec::new();
        let first = self.all(depth)?;
        sides.extend(first);
        while self.peek() == Some(&Token::Or) {
            let span = self.here();
            self.at += 1;
            let side = self.all(depth)?;
            let (false, Some(side)) = (sides.is_empty(), side) else {
                return Err(span.error(
                    "`or` stands between two conditions",
                    "Write one on each side, or \"or\" in quotes to search the word.",
                ));
            };
            sides.push(side);
        }
        Ok(combine(sides, Node::Or))
    }

    fn all(&mut self, depth: usize) -> Result<Option<Node>> {
        let mut parts = Vec::new();
        while !matches!(self.peek(), None | Some(Token::Or | Token::Close)) {
            parts.push(self.one(depth)?);
        }
        Ok(combine(parts, Node::And))
    }

    fn one(&mut self, depth: usize) -> Result<Node> {
        let Some((token, span)) = self.tokens.get(self.at).cloned() else {
            return Err(self.end.error("a condition is missing here", "Write one."));
        };
        self.at += 1;
        match token {
            Token::Minus => {
                if depth >= DEEPEST {
                    return Err(too_deep(span));
                }
                Ok(match self.one(depth + 1)? {
                    Node::Not(inner) => *inner,
                    node => Node::Not(Box::new(node)),
                })
            }
            Token::Open => self.group(span, depth),
            Token::Word { text, prefix, .. } => {
                if prefix && !tokens::may_be_open(&text) {
                    return Err(span.error(
                        "the beginning of a word is 3 letters or more",
                        "Write more letters before the *, or the whole word.",
                    ));
                }
                self.leaf(span, Leaf::Text { text, prefix })
            }
            Token::Operator { name, values } => {
                let leaf = operator(&name, span, values, self.now)?;
                self.leaf(span, leaf)
            }
            // `-or`, `-)`: the lexer gives Minus only before something.
            Token::Or | Token::Close => {
                Err(span.error("a condition is missing here", "Write one, or quote the word."))
            }
        }
    }

    fn leaf(&mut self, span: Span, leaf: Leaf) -> Result<Node> {
        self.leaves += 1;
        if self.leaves > MOST {
            return Err(span.error(
                format!("the query has more than {MOST} conditions"),
                "Use comma lists such as repo:a,b, or split it.",
            ));
        }
        Ok(Node::Leaf(leaf))
    }

    fn group(&mut self, open: Span, depth: usize) -> Result<Node> {
        if depth >= DEEPEST {
            return Err(too_deep(open));
        }
        let inner = self.either(depth + 1)?;
        if self.peek() != Some(&Token::Close) {
            return Err(open.error("this parenthesis is never closed", "Close it with )."));
        }
        self.at += 1;
        inner.ok_or_else(|| open.error("nothing is between the parentheses", "Leave them out."))
    }
}

fn too_deep(span: Span) -> devrig_core::Error {
    span.error(format!("more than {DEEPEST} levels are nested"), "Flatten the query.")
}

/// Flat, and no list of one.
fn combine(mut parts: Vec<Node>, list: fn(Vec<Node>) -> Node) -> Option<Node> {
    if parts.len() < 2 {
        return parts.pop();
    }
    let is_and = matches!(list(Vec::new()), Node::And(_));
    let flat = parts
        .into_iter()
        .flat_map(|part| match part {
            Node::And(inner) if is_and => inner,
            Node::Or(inner) if !is_and => inner,
            other => vec![other],
        })
        .collect();
    Some(list(flat))
}

fn operator(name: &str, span: Span, values: Vec<Value>, now: Timestamp) -> Result<Leaf> {
    let Some(operator) = OPERATORS.iter().find(|operator| operator.name == name) else {
        let names: Vec<&str> = OPERATORS.iter().map(|operator| operator.name).collect();
        let hint = match nearest(name, &names) {
            Some(near) => format!("Did you mean {near}:? Quote it to search the words."),
            None => "Quote it to search the words.".to_owned(),
        };
        return Err(span.error(format!("there is no operator {name}:"), hint));
    };
    if let Some(empty) = values.iter().find(|value| value.text.trim().is_empty()) {
        let examples = operator.values.join(", ");
        return Err(empty
            .at
            .error(format!("{name}: needs a value"), format!("Such as {examples}.")));
    }
    match name {
        "is" => Ok(Leaf::Is(each(&values, |value| {
            let text = value.text.to_ascii_lowercase();
            let text = if text == "archived" { "done" } else { &text };
            let found = Is::NAMES.iter().position(|known| *known == text);
            found.map(|index| Is::ALL[index]).ok_or_else(|| unknown("is", value, &Is::NAMES))
        })?)),
        "has" => Ok(Leaf::Has(each(&values, |value| {
            let text = value.text.to_ascii_lowercase();
            let found = Has::NAMES.iter().position(|known| *known == text);
            found.map(|index| Has::ALL[index]).ok_or_else(|| unknown("has", value, &Has::NAMES))
        })?)),
        "older" | "newer" => {
            let [value] = values.as_slice() else {
                return Err(span.error(format!("{name}: takes one time"), "Write a single age."));
            };
            let when = when(value, now)?;
            Ok(if name == "older" { Leaf::Older(when) } else { Leaf::Newer(when) })
        }
        _ => {
            let field = Field::ALL.into_iter().find(|field| field.name() == name);
            let Some(field) = field else {
                return Err(devrig_core::Error::internal(format!("{name}: has no meaning yet")));
            };
            if field == Field::Priority {
                let names = Priority::ALL.map(Priority::as_str);
                for value in &values {
                    if !names.contains(&value.text.to_ascii_lowercase().as_str()) {
                        return Err(unknown("priority", value, &names));
                    }
                }
            }
            Ok(Leaf::Field(field, values.into_iter().map(|value| value.text).collect()))
        }
    }
}

fn each<T>(values: &[Value], read: impl Fn(&Value) -> Result<T>) -> Result<Vec<T>> {
    values.iter().map(read).collect()
}

fn unknown(name: &str, value: &Value, known: &[&str]) -> devrig_core::Error {
    let hint = match nearest(&value.text.to_ascii_lowercase(), known) {
        Some(near) => format!("Did you mean {name}:{near}?"),
        None => format!("It takes {}.", known.join(", ")),
    };
    value.at.error(format!("{name}: does not know {:?}", value.text), hint)
}

fn when(value: &Value, now: Timestamp) -> Result<When> {
    let text = value.text.to_ascii_lowercase();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let hours = match unit {
        "h" => Some(1),
        "d" => Some(24),
        "w" => Some(24 * 7),
        "mo" => Some(24 * 30),
        "y" => Some(24 * 365),
        _ => None,
    };
    let at = match (number.parse::<u32>(), hours) {
        (Ok(number), Some(hours)) => {
            Some(now - Duration::from_secs(u64::from(number) * hours * 3600))
        }
        (Ok(number), None) if unit == "min" => {
            Some(now - Duration::from_secs(u64::from(number) * 60))
        }
        _ => format!("{text}T00:00:00Z").to_uppercase().parse().ok(),
    };
    let at = at.ok_or_else(|| {
        value.at.error(
            format!("{:?} is neither an age nor a day", value.text),
            "Write 30min, 12h, 2d, 3w, 6mo, 1y or 2026-01-31.",
        )
    })?;
    Ok(When { text, at })
}

#[cfg(test)]
mod tests;
