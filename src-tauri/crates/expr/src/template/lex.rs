//! Splits a template into text and tags, and each tag into tokens.
//!
//! The rules are those of handlebars.js, with one exception: `{{x}}}` is a tag and a brace, so
//! that JSON can be written around values.

use std::ops::Range;

use devrig_core::Result;

use super::source::{At, Source, is_space};

#[derive(Debug)]
pub(super) enum Piece {
    Content(Range<usize>),
    Comment {
        strip: Strip,
    },
    Tag(Tag),
    /// `{{{{/name}}}}`
    RawEnd {
        name: String,
        at: At,
    },
}

#[derive(Debug)]
pub(super) struct Tag {
    pub kind: TagKind,
    pub tokens: Vec<Token>,
    pub strip: Strip,
    pub at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagKind {
    Output,
    /// `{{{x}}}` and `{{&x}}`
    Unescaped,
    /// `{{#x}}`
    Block,
    /// `{{^x}}`
    InverseBlock,
    /// `{{else}}` and `{{^}}`
    Else,
    /// `{{else if x}}`
    ElseChain,
    End,
    /// `{{{{x}}}}`
    RawBlock,
    Partial,
    Decorator,
}

/// Whether `~` asks to trim the text before the tag and after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Strip {
    pub open: bool,
    pub close: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub at: At,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
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

pub(super) fn lex(source: &Source) -> Result<Vec<Piece>> {
    let mut lexer = Lexer { source, text: &source.0, at: 0, pieces: Vec::new() };
    while lexer.at < lexer.text.len() {
        lexer.content();
        if lexer.at < lexer.text.len() {
            lexer.tag()?;
        }
    }
    Ok(lexer.pieces)
}

struct Lexer<'s> {
    source: &'s Source,
    text: &'s str,
    at: usize,
    pieces: Vec<Piece>,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        &self.text[self.at..]
    }

    fn push_content(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.pieces.push(Piece::Content(range));
        }
    }

    /// Up to the next tag that no backslash escapes.
    fn content(&mut self) {
        while let Some(found) = self.rest().find("{{") {
            let open = self.at + found;
            let before = &self.text[self.at..open];
            if !before.ends_with('\\') || before.ends_with("\\\\") {
                let escaped = usize::from(before.ends_with('\\'));
                self.push_content(self.at..open - escaped);
                self.at = open;
                return;
            }
            self.push_content(self.at..open - 1);
            let end = self.end_of_escaped(open);
            self.push_content(open..end);
            self.at = end;
        }
        self.push_content(self.at..self.text.len());
        self.at = self.text.len();
    }

    /// An escaped tag is text up to the next tag, whose own backslashes do not belong to it.
    fn end_of_escaped(&self, open: usize) -> usize {
        let from = open + 2;
        let Some(found) = self.text[from..].find("{{") else { return self.text.len() };
        let between = &self.text[from..from + found];
        let backslashes = between.len() - between.trim_end_matches('\\').len();
        from + found - backslashes.min(2)
    }

    fn tag(&mut self) -> Result<()> {
        let at = At(self.at as u32);
        if self.rest().starts_with("{{{{") {
            return self.raw_block(at);
        }
        self.at += 2;
        let open = self.skip("~");
        let kind = match self.rest().chars().next() {
            Some('!') => return self.comment(at, open),
            Some('>') => self.mark(1, TagKind::Partial),
            Some('#') if self.rest().starts_with("#>") => self.mark(2, TagKind::Partial),
            Some('#') if self.rest().starts_with("#*") => self.mark(2, TagKind::Decorator),
            Some('#') => self.mark(1, TagKind::Block),
            Some('/') => self.mark(1, TagKind::End),
            Some('^') => self.mark(1, TagKind::InverseBlock),
            Some('&') => self.mark(1, TagKind::Unescaped),
            Some('*') => self.mark(1, TagKind::Decorator),
            Some('{') => {
                self.at += 1;
                return self.finish(at, TagKind::Unescaped, open, "}");
            }
            _ => self.output_or_else(),
        };
        self.finish(at, kind, open, "")
    }

    fn mark(&mut self, length: usize, kind: TagKind) -> TagKind {
        self.at += length;
        kind
    }

    fn output_or_else(&mut self) -> TagKind {
        let inside = self.rest().trim_start_matches(is_space);
        let word_goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
        match inside.strip_prefix("else") {
            Some(after) if !after.starts_with(word_goes_on) => {
                self.at = self.text.len() - after.len();
                TagKind::ElseChain
            }
            _ => TagKind::Output,
        }
    }

    /// The tokens and the closing braces; `brace` is the third one of `{{{x}}}`.
    fn finish(&mut self, at: At, kind: TagKind, open: bool, brace: &str) -> Result<()> {
        let mut tokens = Vec::new();
        let close = loop {
            if let Some(close) = self.closing(brace) {
                break close;
            }
            tokens.push(self.token(at, tokens.last())?);
        };
        let kind = match kind {
            TagKind::ElseChain | TagKind::InverseBlock if tokens.is_empty() => TagKind::Else,
            kind => kind,
        };
        self.pieces.push(Piece::Tag(Tag { kind, tokens, strip: Strip { open, close }, at }));
        Ok(())
    }

    /// Past `}}` if that is what comes, and whether a `~` stood before it.
    fn closing(&mut self, brace: &str) -> Option<bool> {
        self.skip_space();
        let rest = self.rest().strip_prefix(brace)?;
        let (rest, strip) = match rest.strip_prefix('~') {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let rest = rest.strip_prefix("}}")?;
        self.at = self.text.len() - rest.len();
        Some(strip)
    }

    fn comment(&mut self, at: At, open: bool) -> Result<()> {
        self.at += 1;
        let long = self.rest().starts_with("--");
        let mut from = self.at;
        while let Some(found) = self.text[from..].find("}}") {
            let end = from + found;
            let inside = &self.text[self.at..end];
            let (inside, close) = match inside.strip_suffix('~') {
                Some(inside) => (inside, true),
                None => (inside, false),
            };
            if !long || inside.ends_with("--") {
                self.pieces.push(Piece::Comment { strip: Strip { open, close } });
                self.at = end + 2;
                return Ok(());
            }
            from = end + 1;
        }
        let end = if long { "--}}" } else { "}}" };
        Err(self.source.error(at, "this comment is never closed", format!("Close it with {end}.")))
    }

    /// Everything between `{{{{name}}}}` and its end is text, raw blocks within included.
    fn raw_block(&mut self, at: At) -> Result<()> {
        self.at += 4;
        let mut tokens = Vec::new();
        loop {
            self.skip_space();
            if self.skip("}}}}") {
                break;
            }
            tokens.push(self.token(at, tokens.last())?);
        }
        let strip = Strip::default();
        self.pieces.push(Piece::Tag(Tag { kind: TagKind::RawBlock, tokens, strip, at }));
        self.raw_content(at)
    }

    fn raw_content(&mut self, at: At) -> Result<()> {
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(found) = self.rest().find("{{{{") {
            let brace = self.at + found;
            let rest = &self.text[brace..];
            match raw_end(rest) {
                Some(name) => {
                    self.at = brace + name.len() + "{{{{/}}}}".len();
                    if depth == 0 {
                        self.push_content(start..brace);
                        let (name, at) = (name.to_owned(), At(brace as u32));
                        self.pieces.push(Piece::RawEnd { name, at });
                        return Ok(());
                    }
                    depth -= 1;
                }
                None if rest.starts_with("{{{{/") => self.at = brace + 1,
                None => {
                    depth += 1;
                    self.at = brace + 4;
                }
            }
        }
        Err(self.source.error(at, "this raw block is never closed", "Close it with {{{{/name}}}}."))
    }

    fn skip(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(is_space).len();
    }

    /// `tag` is where the tag began that is being read, `last` the token before.
    fn token(&mut self, tag: At, last: Option<&Token>) -> Result<Token> {
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
            '.' => self.dot(),
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

    fn dot(&mut self) -> TokenKind {
        if self.skip("..") {
            return TokenKind::Name { text: "..".to_owned(), literal: false };
        }
        self.at += 1;
        match self.rest().chars().next() {
            Some(next) if ends_name(next) => {
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

    fn unexpected(&self, at: At, word: &str) -> devrig_core::Error {
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

/// The name in `{{{{/name}}}}`, if that is how `text` begins.
fn raw_end(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("{{{{/")?;
    let end = inside.find(|c| !is_name(c))?;
    let (name, after) = inside.split_at(end);
    (!name.is_empty() && after.starts_with("}}}}")).then_some(name)
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

fn is_name(c: char) -> bool {
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
