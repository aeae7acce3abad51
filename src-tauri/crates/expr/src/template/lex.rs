//! Splits a template into text and tags, and each tag into tokens.
//!
//! The rules are those of handlebars.js, with one exception: `{{x}}}` is a tag and a brace, so
//! that JSON can be written around values.

use std::ops::Range;

use devrig_core::Result;

use super::source::{At, Source, is_space};

mod token;

use token::is_name;
pub(super) use token::{Token, TokenKind};

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
}

/// The name in `{{{{/name}}}}`, if that is how `text` begins.
fn raw_end(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("{{{{/")?;
    let end = inside.find(|c| !is_name(c))?;
    let (name, after) = inside.split_at(end);
    (!name.is_empty() && after.starts_with("}}}}")).then_some(name)
}
