//! The inside of a tag: a helper or a path, with values behind it.

use std::collections::VecDeque;

use devrig_core::{Error, Result};

use crate::template::ast::{Call, Expr, Literal, Pair, PathExpr};
use crate::template::lex::{Token, TokenKind};
use crate::template::source::{At, Source};

/// Parentheses within parentheses.
const DEEPEST_CALL: usize = 32;

/// The tokens of one tag.
pub(super) struct Tokens<'s> {
    source: &'s Source,
    left: VecDeque<Token>,
    at: At,
}

impl<'s> Tokens<'s> {
    pub fn new(source: &'s Source, tokens: Vec<Token>, at: At) -> Self {
        Self { source, left: tokens.into(), at }
    }

    /// All of a tag that gives no names.
    pub fn whole_call(mut self) -> Result<Call> {
        let call = self.call(self.at, 0)?;
        self.end()?;
        Ok(call)
    }

    /// All of a tag that opens a block, with the names in `as |item index|`.
    pub fn whole_opening(mut self) -> Result<(Call, Vec<String>)> {
        let call = self.call(self.at, 0)?;
        let names = match self.next() {
            None => Vec::new(),
            Some(Token { kind: TokenKind::As, at }) => self.names(at)?,
            Some(token) => return Err(self.unexpected(&token)),
        };
        self.end()?;
        Ok((call, names))
    }

    fn names(&mut self, at: At) -> Result<Vec<String>> {
        let mut names = Vec::new();
        loop {
            match self.next().map(|token| token.kind) {
                Some(TokenKind::Name { text, .. }) => names.push(text),
                Some(TokenKind::Bar) if (1..=2).contains(&names.len()) => return Ok(names),
                _ => {
                    let hint = "Write them as: as |item index|.";
                    return Err(self.source.error(at, "one or two names are expected here", hint));
                }
            }
        }
    }

    fn end(&mut self) -> Result<()> {
        match self.next() {
            None => Ok(()),
            Some(token) => Err(self.unexpected(&token)),
        }
    }

    fn next(&mut self) -> Option<Token> {
        self.left.pop_front()
    }

    fn peek(&self) -> Option<&TokenKind> {
        self.left.front().map(|token| &token.kind)
    }

    /// Where the next token stands.
    fn here(&self, otherwise: At) -> At {
        self.left.front().map_or(otherwise, |token| token.at)
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

    fn call(&mut self, at: At, depth: usize) -> Result<Call> {
        if self.peek() == Some(&TokenKind::Open) {
            return Err(self.unexpected(&Token { kind: TokenKind::Open, at: self.here(at) }));
        }
        let target = self.expr(depth)?;
        let (mut args, mut hash) = (Vec::new(), Vec::new());
        while !matches!(self.peek(), None | Some(TokenKind::Close | TokenKind::As)) {
            let at = self.here(at);
            match self.hash_name() {
                Some(name) => hash.push(Pair { name, value: self.expr(depth)?, at }),
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
        if self.left.get(1)?.kind != TokenKind::Equals || !self.peek()?.is_name() {
            return None;
        }
        let name = self.next()?;
        self.next();
        match name.kind {
            TokenKind::Name { text, .. } => Some(text),
            _ => None,
        }
    }

    fn expr(&mut self, depth: usize) -> Result<Expr> {
        let Some(token) = self.next() else {
            return Err(self.source.error(self.at, "a name is missing here", "Write one."));
        };
        Ok(match token.kind {
            TokenKind::Text(text) => Expr::Literal(Literal::Text(text)),
            TokenKind::Number(text) => Expr::Literal(Literal::Number(text)),
            TokenKind::True => Expr::Literal(Literal::Bool(true)),
            TokenKind::False => Expr::Literal(Literal::Bool(false)),
            TokenKind::Null => Expr::Literal(Literal::Null),
            TokenKind::Undefined => Expr::Literal(Literal::Undefined),
            TokenKind::At => match self.next() {
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
        match self.next().map(|token| token.kind) {
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
            let separator = self.next();
            match self.next() {
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
