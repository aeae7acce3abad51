//! Tokens to a tree.

use std::iter::Peekable;
use std::vec::IntoIter;

use devrig_core::{Error, Result};

use super::ast::{Block, Call, Content, Expr, Inverse, Literal, Node, Pair, PathExpr};
use super::lex::{Piece, Strip, Tag, TagKind, Token, TokenKind};
use super::source::{At, Source};
use crate::number::Number;

/// Blocks within blocks; each `{{else if}}` counts as one.
const DEEPEST: usize = 64;
/// Parentheses within parentheses.
const DEEPEST_CALL: usize = 32;

pub(super) fn parse(source: &Source, pieces: Vec<Piece>) -> Result<Vec<Node>> {
    let mut parser = Parser { source, pieces: pieces.into_iter().peekable() };
    let nodes = parser.program(0)?;
    match parser.pieces.next() {
        None => Ok(nodes),
        Some(piece) => Err(parser.stray(&piece)),
    }
}

struct Parser<'s> {
    source: &'s Source,
    pieces: Peekable<IntoIter<Piece>>,
}

impl Parser<'_> {
    /// Up to a tag that belongs to the block around it.
    fn program(&mut self, depth: usize) -> Result<Vec<Node>> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next_if(begins_node) {
            nodes.push(match piece {
                Piece::Content(range) => Node::Content(Content {
                    original: range.clone(),
                    kept: range,
                    left_stripped: false,
                    right_stripped: false,
                }),
                Piece::Comment { strip } => Node::Comment { strip },
                Piece::RawEnd { at, .. } => return Err(self.unopened(at)),
                Piece::Tag(tag) => self.tag(tag, depth)?,
            });
        }
        Ok(nodes)
    }

    fn tag(&mut self, tag: Tag, depth: usize) -> Result<Node> {
        let at = tag.at;
        if depth >= DEEPEST {
            return Err(self.source.error(
                at,
                format!("more than {DEEPEST} blocks are inside one another"),
                "Flatten the template; each {{else if}} counts.",
            ));
        }
        match tag.kind {
            TagKind::Output | TagKind::Unescaped => {
                let (escaped, strip) = (tag.kind == TagKind::Output, tag.strip);
                let call = self.tokens(tag.tokens, at).whole_call()?;
                Ok(Node::Output { call, escaped, strip })
            }
            TagKind::RawBlock => self.raw_block(tag),
            TagKind::InverseBlock => self.inverse_block(tag, depth),
            TagKind::Block => self.block(tag, depth),
            TagKind::Partial => Err(self.source.error(
                at,
                "partials ({{> name}}) are not supported",
                "Write the text here, or make it in an earlier step and read that step's output.",
            )),
            TagKind::Decorator => Err(self.source.error(
                at,
                "decorators ({{* name}}) are not supported",
                "Use {{#with}} to name a value.",
            )),
            TagKind::Else | TagKind::ElseChain | TagKind::End => Err(self.unopened(at)),
        }
    }

    fn unopened(&self, at: At) -> Error {
        self.source.error(at, "no block is open here", "Leave the tag out, or open the block.")
    }

    fn stray(&self, piece: &Piece) -> Error {
        match piece {
            Piece::Tag(Tag { at, .. }) | Piece::RawEnd { at, .. } => self.unopened(*at),
            Piece::Content(_) | Piece::Comment { .. } => {
                Error::internal("a template was read only in part")
            }
        }
    }

    fn tokens(&self, tokens: Vec<Token>, at: At) -> Tokens<'_> {
        Tokens { source: self.source, tokens: tokens.into_iter().peekable(), at }
    }

    fn block(&mut self, tag: Tag, depth: usize) -> Result<Node> {
        let (at, open_strip) = (tag.at, tag.strip);
        let (call, params) = self.tokens(tag.tokens, at).whole_opening()?;
        let program = self.program(depth + 1)?;
        let chain = self.chain(depth + 1)?;
        let close_strip = self.close(&call, at)?;
        let mut block = Block {
            call,
            params,
            program: Some(program),
            inverse: None,
            open_strip,
            inverse_strip: Strip::default(),
            close_strip,
        };
        block.attach(chain, close_strip);
        Ok(Node::Block(Box::new(block)))
    }

    /// `{{else}}` or `{{else if}}` with what follows them.
    fn chain(&mut self, depth: usize) -> Result<Option<(Strip, Inverse)>> {
        let next = |piece: &Piece| matches!(piece, Piece::Tag(tag) if matches!(tag.kind, TagKind::Else | TagKind::ElseChain));
        let Some(Piece::Tag(tag)) = self.pieces.next_if(next) else { return Ok(None) };
        if tag.kind == TagKind::ElseChain {
            return self.else_if(tag, depth).map(Some);
        }
        let body = self.program(depth)?;
        Ok(Some((tag.strip, Inverse { body, chained: false })))
    }

    fn else_if(&mut self, tag: Tag, depth: usize) -> Result<(Strip, Inverse)> {
        let strip = tag.strip;
        let (call, params) = self.tokens(tag.tokens, tag.at).whole_opening()?;
        if depth >= DEEPEST {
            return Err(self.source.error(
                tag.at,
                format!("more than {DEEPEST} blocks are inside one another"),
                "Use {{lookup}} on an object instead of so many {{else if}}.",
            ));
        }
        let program = self.program(depth + 1)?;
        let chain = self.chain(depth + 1)?;
        let mut block = Block {
            call,
            params,
            program: Some(program),
            inverse: None,
            open_strip: strip,
            inverse_strip: Strip::default(),
            close_strip: strip,
        };
        let next_strip = chain.as_ref().map_or(strip, |(strip, _)| *strip);
        block.attach(chain, next_strip);
        Ok((strip, Inverse { body: vec![Node::Block(Box::new(block))], chained: true }))
    }

    fn inverse_block(&mut self, tag: Tag, depth: usize) -> Result<Node> {
        let (at, open_strip) = (tag.at, tag.strip);
        let (call, params) = self.tokens(tag.tokens, at).whole_opening()?;
        let body = self.program(depth + 1)?;
        let otherwise = match self.chain(depth + 1)? {
            Some((_, Inverse { chained: true, .. })) => {
                return Err(self.source.error(
                    at,
                    "{{^…}} takes no {{else if}}",
                    "Write {{#unless}} or {{#if (not …)}}.",
                ));
            }
            otherwise => otherwise,
        };
        let close_strip = self.close(&call, at)?;
        let inverse_strip = otherwise.as_ref().map_or(Strip::default(), |(strip, _)| *strip);
        Ok(Node::Block(Box::new(Block {
            call,
            params,
            program: otherwise.map(|(_, inverse)| inverse.body),
            inverse: Some(Inverse { body, chained: false }),
            open_strip,
            inverse_strip,
            close_strip,
        })))
    }

    fn raw_block(&mut self, tag: Tag) -> Result<Node> {
        let at = tag.at;
        let call = self.tokens(tag.tokens, at).whole_call()?;
        let mut program = Vec::new();
        while let Some(Piece::Content(range)) = self.pieces.next_if(is_content) {
            program.push(Node::Content(Content {
                original: range.clone(),
                kept: range,
                left_stripped: false,
                right_stripped: false,
            }));
        }
        match self.pieces.next() {
            Some(Piece::RawEnd { name, .. }) if name == original(&call) => {}
            Some(Piece::RawEnd { name, at }) => return Err(self.mismatch(at, &call, &name)),
            _ => return Err(self.never_closed(at, &call)),
        }
        Ok(Node::Block(Box::new(Block {
            call,
            params: Vec::new(),
            program: Some(program),
            inverse: None,
            open_strip: Strip::default(),
            inverse_strip: Strip::default(),
            close_strip: Strip::default(),
        })))
    }

    fn close(&mut self, open: &Call, at: At) -> Result<Strip> {
        match self.pieces.next() {
            Some(Piece::Tag(tag)) if tag.kind == TagKind::End => {
                let name = self.tokens(tag.tokens, tag.at).whole_call()?;
                if original(&name) != original(open) || !name.args.is_empty() {
                    return Err(self.mismatch(tag.at, open, &original(&name)));
                }
                Ok(tag.strip)
            }
            Some(Piece::Tag(tag)) if matches!(tag.kind, TagKind::Else | TagKind::ElseChain) => {
                Err(self.source.error(
                    tag.at,
                    "this block has its {{else}} already",
                    "Leave one out, or write {{else if …}} before the last.",
                ))
            }
            _ => Err(self.never_closed(at, open)),
        }
    }

    fn mismatch(&self, at: At, open: &Call, found: &str) -> Error {
        let name = original(open);
        self.source.error(
            at,
            format!("{found:?} is closed here, but {name:?} is open"),
            format!("Close {name} first."),
        )
    }

    fn never_closed(&self, at: At, open: &Call) -> Error {
        let name = original(open);
        let message = format!("the block {name} is never closed");
        self.source.error(at, message, format!("Close it with {{{{/{name}}}}}."))
    }
}

impl Block {
    /// What a block does with the `{{else}}` that follows it. The `~` of the closing tag trims
    /// for the last of a chain.
    fn attach(&mut self, chain: Option<(Strip, Inverse)>, close: Strip) {
        let Some((strip, mut inverse)) = chain else { return };
        if let (true, Some(Node::Block(next))) = (inverse.chained, inverse.body.first_mut()) {
            next.close_strip = close;
        }
        self.inverse_strip = strip;
        self.inverse = Some(inverse);
    }
}

fn begins_node(piece: &Piece) -> bool {
    match piece {
        Piece::Tag(tag) => !matches!(tag.kind, TagKind::Else | TagKind::ElseChain | TagKind::End),
        Piece::Content(_) | Piece::Comment { .. } => true,
        Piece::RawEnd { .. } => false,
    }
}

fn is_content(piece: &Piece) -> bool {
    matches!(piece, Piece::Content(_))
}

fn original(call: &Call) -> String {
    match &call.target {
        Expr::Path(path) => path.original.clone(),
        Expr::Literal(literal) => literal.as_name(),
        Expr::Call(_) => String::new(),
    }
}

impl Literal {
    /// Where a name is expected, a literal is one: `{{"x y"}}` reads the field `x y`.
    pub fn as_name(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(text) => match serde_json::from_str::<serde_json::Number>(text) {
                Ok(number) => Number::of(&number).to_string(),
                Err(_) => text.clone(),
            },
            Self::Bool(flag) => flag.to_string(),
            Self::Null => "null".to_owned(),
            Self::Undefined => "undefined".to_owned(),
        }
    }
}

/// The tokens of one tag.
struct Tokens<'s> {
    source: &'s Source,
    tokens: Peekable<IntoIter<Token>>,
    at: At,
}

impl Tokens<'_> {
    fn whole_call(mut self) -> Result<Call> {
        let call = self.call(self.at, 0)?;
        match self.tokens.next() {
            None => Ok(call),
            Some(token) => Err(self.unexpected(&token)),
        }
    }

    fn whole_opening(mut self) -> Result<(Call, Vec<String>)> {
        let call = self.call(self.at, 0)?;
        let mut params = Vec::new();
        let Some(first) = self.tokens.next() else { return Ok((call, params)) };
        if first.kind != TokenKind::As {
            return Err(self.unexpected(&first));
        }
        loop {
            match self.tokens.next() {
                Some(Token { kind: TokenKind::Name { text, .. }, .. }) => params.push(text),
                Some(Token { kind: TokenKind::Bar, .. }) if !params.is_empty() => break,
                _ => {
                    let hint = "Write them as: as |item index|.";
                    return Err(self.source.error(first.at, "names are expected here", hint));
                }
            }
        }
        match self.tokens.next() {
            None => Ok((call, params)),
            Some(token) => Err(self.unexpected(&token)),
        }
    }

    fn unexpected(&self, token: &Token) -> Error {
        let (message, hint) = match token.kind {
            TokenKind::As | TokenKind::Bar => {
                ("names cannot be given here", "Only blocks give names: {{#each list as |item|}}.")
            }
            TokenKind::Close => ("no parenthesis is open here", "Leave it out."),
            TokenKind::Separator(_) => {
                ("a name is missing here", "Write one after the dot: trigger.payload.")
            }
            TokenKind::Open => (
                "a tag does not begin with a parenthesis",
                "Write the helper's name first: {{upper (trim x)}}.",
            ),
            _ => ("this is not expected here", "Values come first, then name=value."),
        };
        self.source.error(token.at, message, hint)
    }

    fn peek(&mut self) -> Option<&TokenKind> {
        self.tokens.peek().map(|token| &token.kind)
    }

    fn call(&mut self, at: At, depth: usize) -> Result<Call> {
        let target = match self.peek() {
            Some(TokenKind::Open) => {
                let at = self.tokens.peek().map_or(at, |token| token.at);
                return Err(self.unexpected(&Token { kind: TokenKind::Open, at }));
            }
            _ => self.expr(depth)?,
        };
        let mut args = Vec::new();
        let mut hash = Vec::new();
        loop {
            match self.peek() {
                None | Some(TokenKind::Close | TokenKind::As) => break,
                _ => {}
            }
            let at = self.tokens.peek().map_or(at, |token| token.at);
            match self.hash_name() {
                Some(name) => {
                    let value = self.expr(depth)?;
                    hash.push(Pair { name, value, at });
                }
                None if hash.is_empty() => args.push(self.expr(depth)?),
                None => {
                    let hint = "Values come first, then name=value.";
                    return Err(self.source.error(at, "a value stands behind name=value", hint));
                }
            }
        }
        Ok(Call { target, args, hash, at })
    }

    /// `name=`, if that is what comes.
    fn hash_name(&mut self) -> Option<String> {
        let mut ahead = self.tokens.clone();
        let name = match ahead.next()?.kind {
            TokenKind::Name { text, .. } => text,
            _ => return None,
        };
        if ahead.next()?.kind != TokenKind::Equals {
            return None;
        }
        self.tokens = ahead;
        Some(name)
    }

    fn expr(&mut self, depth: usize) -> Result<Expr> {
        let Some(token) = self.tokens.next() else {
            return Err(self.source.error(self.at, "a name is missing here", "Write one."));
        };
        Ok(match token.kind {
            TokenKind::Text(text) => Expr::Literal(Literal::Text(text)),
            TokenKind::Number(text) => Expr::Literal(Literal::Number(text)),
            TokenKind::True => Expr::Literal(Literal::Bool(true)),
            TokenKind::False => Expr::Literal(Literal::Bool(false)),
            TokenKind::Null => Expr::Literal(Literal::Null),
            TokenKind::Undefined => Expr::Literal(Literal::Undefined),
            TokenKind::At => match self.tokens.next() {
                Some(Token { kind: TokenKind::Name { text, literal }, at }) => {
                    Expr::Path(self.path(true, (text, literal), at)?)
                }
                _ => {
                    let hint = "Write @index, @key, @first, @last or @root.";
                    return Err(self.source.error(token.at, "a name is missing after @", hint));
                }
            },
            TokenKind::Name { text, literal } => {
                Expr::Path(self.path(false, (text, literal), token.at)?)
            }
            TokenKind::Open => Expr::Call(Box::new(self.parenthesis(token.at, depth)?)),
            _ => return Err(self.unexpected(&token)),
        })
    }

    fn parenthesis(&mut self, at: At, depth: usize) -> Result<Call> {
        if depth >= DEEPEST_CALL {
            let hint = "Make it in several steps, with {{#with … as |name|}}.";
            let message = format!("more than {DEEPEST_CALL} parentheses are inside one another");
            return Err(self.source.error(at, message, hint));
        }
        let call = self.call(at, depth + 1)?;
        match self.tokens.next().map(|token| token.kind) {
            Some(TokenKind::Close) => Ok(call),
            _ => Err(self.source.error(at, "this parenthesis is never closed", "Close it with ).")),
        }
    }

    fn path(&mut self, data: bool, first: (String, bool), at: At) -> Result<PathExpr> {
        let mut path = PathExpr {
            data,
            up: 0,
            scoped: !first.1 && matches!(first.0.as_str(), "." | ".." | "this"),
            parts: Vec::new(),
            original: if data { "@".to_owned() } else { String::new() },
            at,
        };
        self.part(&mut path, first)?;
        while let Some(TokenKind::Separator(separator)) = self.peek() {
            path.original.push(*separator);
            let separator = self.tokens.next();
            match self.tokens.next() {
                Some(Token { kind: TokenKind::Name { text, literal }, .. }) => {
                    self.part(&mut path, (text, literal))?;
                }
                _ => {
                    let at = separator.map_or(at, |token| token.at);
                    let hint = "Write one after the dot: trigger.payload.";
                    return Err(self.source.error(at, "a name is missing here", hint));
                }
            }
        }
        Ok(path)
    }

    fn part(&self, path: &mut PathExpr, (text, literal): (String, bool)) -> Result<()> {
        path.original.push_str(&text);
        match text.as_str() {
            "." | "this" | ".." if !literal => {
                if !path.parts.is_empty() {
                    let message = format!("{text} stands at the beginning of a path only");
                    let hint = "Write it first, or in brackets where it is a field's name.";
                    return Err(self.source.error(path.at, message, hint));
                }
                path.up += usize::from(text == "..");
            }
            _ => path.parts.push(text),
        }
        Ok(())
    }
}
