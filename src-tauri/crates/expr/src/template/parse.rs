//! Tokens to a tree.

use std::iter::Peekable;
use std::vec::IntoIter;

use devrig_core::{Error, Result};

use super::ast::{Block, Call, Content, Expr, Inverse, Node};
use super::lex::{Piece, Strip, Tag, TagKind};
use super::source::{At, Source};

mod expression;

use expression::Tokens;

/// Blocks within blocks; each `{{else if}}` counts as one.
const DEEPEST: usize = 64;

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
                let call = Tokens::new(self.source, tag.tokens, at).whole_call()?;
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

    fn block(&mut self, tag: Tag, depth: usize) -> Result<Node> {
        let (at, open_strip) = (tag.at, tag.strip);
        let (call, params) = Tokens::new(self.source, tag.tokens, at).whole_opening()?;
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
        let (call, params) = Tokens::new(self.source, tag.tokens, tag.at).whole_opening()?;
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
        let (call, params) = Tokens::new(self.source, tag.tokens, at).whole_opening()?;
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
        let call = Tokens::new(self.source, tag.tokens, at).whole_call()?;
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
                let name = Tokens::new(self.source, tag.tokens, tag.at).whole_call()?;
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
