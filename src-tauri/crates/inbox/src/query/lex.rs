//! Splits a query into words, operators and punctuation, each with its column.

use std::fmt;

use devrig_core::{Code, Error, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    Minus,
    Or,
    Word {
        text: String,
        prefix: bool,
        quoted: bool,
    },
    /// `name:` with its values.
    Operator {
        name: String,
        values: Vec<Value>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub text: String,
    pub at: Span,
}

/// Where in the query, in characters; columns count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub column: usize,
    pub length: usize,
}

impl Span {
    pub fn error(self, message: impl Into<String>, hint: impl Into<String>) -> Error {
        Error::new(Code::InvalidQuery, format!("column {}: {}", self.column, message.into()))
            .hint(hint)
            .details(serde_json::json!({ "column": self.column, "length": self.length }))
    }
}

const LONGEST: usize = 4_000;

pub(super) fn lex(query: &str) -> Result<Vec<(Token, Span)>> {
    let chars: Vec<char> = query.chars().collect();
    if chars.len() > LONGEST {
        let span = Span { column: LONGEST + 1, length: chars.len() - LONGEST };
        return Err(span.error(
            format!("the query is longer than {LONGEST} characters"),
            "Split it into several.",
        ));
    }
    let mut lexer = Lexer { chars, at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn span(&self, from: usize) -> Span {
        Span { column: from + 1, length: (self.at - from).max(1) }
    }

    fn next(&mut self) -> Result<Option<(Token, Span)>> {
        while self.peek(0).is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        let from = self.at;
        let Some(c) = self.peek(0) else { return Ok(None) };
        let token = match c {
            '(' => self.one(Token::Open),
            ')' => self.one(Token::Close),
            '-' if self.peek(1).is_some_and(|next| !next.is_whitespace() && next != ')') => {
                self.one(Token::Minus)
            }
            '"' => {
                let text = self.quoted()?;
                let prefix = self.star();
                Token::Word { text, prefix, quoted: true }
            }
            _ => self.word_or_operator()?,
        };
        Ok(Some((token, self.span(from))))
    }

    fn one(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    fn star(&mut self) -> bool {
        let star = self.peek(0) == Some('*');
        self.at += usize::from(star);
        star
    }

    /// After the opening quote to the closing one; `\"` and `\\` stand for themselves.
    fn quoted(&mut self) -> Result<String> {
        let from = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('\\'), Some(c @ ('"' | '\\'))) => {
                    text.push(c);
                    self.at += 2;
                }
                (Some('"'), _) => {
                    self.at += 1;
                    return Ok(text);
                }
                (Some(c), _) => {
                    text.push(c);
                    self.at += 1;
                }
                (None, _) => {
                    return Err(self.span(from).error(
                        "this quote is never closed",
                        "Close it with \", or leave it out.",
                    ));
                }
            }
        }
    }

    fn word_or_operator(&mut self) -> Result<Token> {
        let from = self.at;
        while self.peek(0).is_some_and(|c| c.is_ascii_alphabetic()) {
            self.at += 1;
        }
        // `fix: login`, `foo::bar` and `https://…` are words.
        let after = self.peek(1).filter(|c| !c.is_whitespace() && !matches!(c, ':' | '/' | ')'));
        if self.at > from && self.peek(0) == Some(':') && (after.is_some() || self.known(from)) {
            let name = self.chars[from..self.at].iter().collect::<String>().to_ascii_lowercase();
            self.at += 1;
            return Ok(Token::Operator { name, values: self.values()? });
        }
        while self.peek(0).is_some_and(|c| !ends_word(c)) {
            self.at += 1;
        }
        let mut text: String = self.chars[from..self.at].iter().collect();
        if text.eq_ignore_ascii_case("or") {
            return Ok(Token::Or);
        }
        let prefix = text.len() > 1 && text.ends_with('*');
        if prefix {
            text.pop();
        }
        Ok(Token::Word { text, prefix, quoted: false })
    }

    fn known(&self, from: usize) -> bool {
        let name: String = self.chars[from..self.at].iter().collect();
        self.peek(1).is_none_or(|next| !matches!(next, ':' | '/'))
            && super::OPERATORS.iter().any(|operator| name.eq_ignore_ascii_case(operator.name))
    }

    fn values(&mut self) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        loop {
            let from = self.at;
            let text = if self.peek(0) == Some('"') {
                self.quoted()?
            } else {
                while self.peek(0).is_some_and(|c| !ends_value(c)) {
                    self.at += 1;
                }
                self.chars[from..self.at].iter().collect()
            };
            values.push(Value { text, at: self.span(from) });
            if self.peek(0) != Some(',') {
                return Ok(values);
            }
            self.at += 1;
        }
    }
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '"')
}

fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '"' | ',')
}

/// Writes a word so that it reads back as that word.
pub(super) fn write_word(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let plain = !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('*')
        && !text.eq_ignore_ascii_case("or")
        && !text.chars().any(|c| ends_word(c) || c == ':');
    if plain { f.write_str(text) } else { write_quoted(text, f) }
}

pub(super) fn write_value(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let plain = !text.is_empty() && !text.chars().any(ends_value);
    let plain = plain && !text.starts_with([':', '/']);
    if plain { f.write_str(text) } else { write_quoted(text, f) }
}

fn write_quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
