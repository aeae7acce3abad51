//! What stands inside a tag: names, literals and marks.

use devrig_core::{Error, Result};

use super::Lexer;
use crate::template::source::{At, is_space};

#[derive(Debug, Clone, PartialEq)]
pub(in crate::template) struct Token {
    pub kind: TokenKind,
    pub at: At,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::template) enum TokenKind {
    /// A name, `.`, `..` or `this`; in brackets it is only ever a name.
    Name {
        text: String,
        literal: bool,
    },
    /// `.` or `/` between names.
    Separator(char),
    Text(String),
    Number(String),
    True,
    False,
    Null,
    Undefined,
    At,
    Equals,
    Open,
    Close,
    /// `as |`
    As,
    Bar,
}

impl TokenKind {
    pub fn is_name(&self) -> bool {
        matches!(self, Self::Name { .. })
    }
}

impl Lexer<'_> {
    /// `tag` is where the tag began that is being read, `last` the token before.
    pub(super) fn token(&mut self, tag: At, last: Option<&Token>) -> Result<Token> {
        let at = At(self.at as u32);
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Err(self.source.error(tag, "this tag is never closed", "Close it with }}."));
        };
        let kind = match first {
            '(' => self.one(TokenKind::Open),
            ')' => self.one(TokenKind::Close),
            '=' => self.one(TokenKind::Equals),
            '@' => self.one(TokenKind::At),
            '|' => self.one(TokenKind::Bar),
            '/' => self.one(TokenKind::Separator('/')),
            '"' | '\'' => TokenKind::Text(self.quoted(first, at)?),
            '[' => TokenKind::Name { text: self.bracketed(at)?, literal: true },
            '.' => self.dot(last),
            _ if rest.starts_with("{{") => {
                return Err(self.source.error(
                    at,
                    "a tag begins inside another",
                    "Close the first with }}, or use parentheses: {{upper (trim x)}}.",
                ));
            }
            _ => self.word(at, last)?,
        };
        Ok(Token { kind, at })
    }

    fn one(&mut self, kind: TokenKind) -> TokenKind {
        self.at += 1;
        kind
    }

    fn dot(&mut self, last: Option<&Token>) -> TokenKind {
        if self.skip("..") {
            return TokenKind::Name { text: "..".to_owned(), literal: false };
        }
        let joined = !self.text[..self.at].ends_with(is_space)
            && last.is_some_and(|last| last.kind.is_name());
        self.at += 1;
        match self.rest().chars().next() {
            Some(next) if ends_name(next) && !joined => {
                TokenKind::Name { text: ".".to_owned(), literal: false }
            }
            _ => TokenKind::Separator('.'),
        }
    }

    /// A backslash escapes the quote alone. If the text never ends otherwise, the last escaped
    /// quote ends it.
    fn quoted(&mut self, quote: char, at: At) -> Result<String> {
        let inside = &self.rest()[1..];
        let Some(end) = end_of_quoted(inside, quote) else {
            let hint = format!("Close it with {quote}.");
            return Err(self.source.error(at, "this text is never closed", hint));
        };
        self.at += end + 2;
        Ok(inside[..end].replace(&format!("\\{quote}"), &quote.to_string()))
    }

    fn bracketed(&mut self, at: At) -> Result<String> {
        let inside = &self.rest()[1..];
        let Some(end) = end_of_quoted(inside, ']') else {
            return Err(self.source.error(at, "this bracket is never closed", "Close it with ]."));
        };
        self.at += end + 2;
        let mut text = String::with_capacity(end);
        let mut chars = inside[..end].chars().peekable();
        while let Some(c) = chars.next() {
            match chars.next_if(|next| c == '\\' && matches!(next, '\\' | ']')) {
                Some(escaped) => text.push(escaped),
                None => text.push(c),
            }
        }
        Ok(text)
    }

    fn word(&mut self, at: At, last: Option<&Token>) -> Result<TokenKind> {
        let rest = self.rest();
        // `items.0` is a path, though 0 alone is a number.
        let in_path = last.is_some_and(|last| matches!(last.kind, TokenKind::Separator(_)));
        if let Some(number) = number(rest).filter(|_| !in_path) {
            self.at += number.len();
            return Ok(TokenKind::Number(number.to_owned()));
        }
        if let Some(bar) = as_bar(rest) {
            self.at += bar;
            return Ok(TokenKind::As);
        }
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let next = after.chars().next();
        if word.is_empty() || !next.is_none_or(ends_name) {
            return Err(self.unexpected(at, word));
        }
        self.at += end;
        let literal = !in_path && next.is_none_or(ends_literal);
        Ok(match word {
            "true" if literal => TokenKind::True,
            "false" if literal => TokenKind::False,
            "null" if literal => TokenKind::Null,
            "undefined" if literal => TokenKind::Undefined,
            word => TokenKind::Name { text: word.to_owned(), literal: false },
        })
    }

    fn unexpected(&self, at: At, word: &str) -> Error {
        let at = At(at.0 + word.len() as u32);
        let found = self.text[at.0 as usize..].chars().next().unwrap_or(' ');
        let hint = match found {
            '[' => "Put a dot before the bracket: items.[0].",
            '"' | '\'' => "Leave a space before the quote.",
            '}' => "A tag ends with }}, and with }}} if it began with {{{.",
            _ => "Names with other characters stand in brackets: {{headers.[x y]}}.",
        };
        self.source.error(at, format!("{found:?} is not expected here"), hint)
    }
}

fn end_of_quoted(inside: &str, quote: char) -> Option<usize> {
    let mut last_escaped = None;
    for (at, _) in inside.match_indices(quote) {
        if !inside[..at].ends_with('\\') {
            return Some(at);
        }
        last_escaped = Some(at);
    }
    last_escaped
}

/// `-1.5`, where it is not the beginning of a name.
fn number(text: &str) -> Option<&str> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let minus = usize::from(text.starts_with('-'));
    let whole = digits(&text[minus..]);
    let mut end = minus + whole;
    if let Some(fraction) = text[end..].strip_prefix('.')
        && digits(fraction) > 0
    {
        end += 1 + digits(fraction);
    }
    let alone = text[end..].chars().next().is_none_or(ends_literal);
    (whole > 0 && alone).then(|| &text[..end])
}

/// The length of `as |`.
fn as_bar(text: &str) -> Option<usize> {
    let after = text.strip_prefix("as")?;
    let bar = after.trim_start_matches(is_space).strip_prefix('|')?;
    (bar.len() + 1 < after.len()).then(|| text.len() - bar.len())
}

pub(super) fn is_name(c: char) -> bool {
    !is_space(c)
        && !matches!(
            c,
            '!' | '"' | '#' | '%'..=',' | '.' | '/' | ';'..='>' | '@' | '['..='^' | '`' | '{'..='~'
        )
}

fn ends_name(c: char) -> bool {
    is_space(c) || matches!(c, '=' | '~' | '}' | '/' | '.' | ')' | '|')
}

fn ends_literal(c: char) -> bool {
    is_space(c) || matches!(c, '~' | '}' | ')')
}
