//! A template as it was written, before names are resolved.

use std::ops::Range;

use super::lex::Strip;
use super::source::At;
use crate::number::Number;

#[derive(Debug)]
pub(super) enum Node {
    Content(Content),
    Comment { strip: Strip },
    Output { call: Call, escaped: bool, strip: Strip },
    Block(Box<Block>),
}

/// Text of the source, trimmed from both ends by the tags around it.
#[derive(Debug)]
pub(super) struct Content {
    pub original: Range<usize>,
    pub kept: Range<usize>,
    /// Trimmed once already for a tag that stands alone on its line.
    pub left_stripped: bool,
    pub right_stripped: bool,
}

#[derive(Debug)]
pub(super) struct Block {
    pub call: Call,
    /// The names in `as |item index|`.
    pub params: Vec<String>,
    /// What `{{#x}}` shows; missing in `{{^x}}` without an else.
    pub program: Option<Vec<Node>>,
    pub inverse: Option<Inverse>,
    pub open_strip: Strip,
    pub inverse_strip: Strip,
    pub close_strip: Strip,
}

#[derive(Debug)]
pub(super) struct Inverse {
    pub body: Vec<Node>,
    /// It came from `{{else if}}`, and its body is that one block.
    pub chained: bool,
}

/// A name with what stands behind it: a value, or a helper with its values.
#[derive(Debug)]
pub(super) struct Call {
    pub target: Expr,
    pub args: Vec<Expr>,
    pub hash: Vec<Pair>,
    pub at: At,
}

/// `name=value`
#[derive(Debug)]
pub(super) struct Pair {
    pub name: String,
    pub value: Expr,
    pub at: At,
}

#[derive(Debug)]
pub(super) enum Expr {
    Literal(Literal),
    Path(PathExpr),
    Call(Box<Call>),
}

#[derive(Debug, Clone)]
pub(super) enum Literal {
    Text(String),
    /// As it is written.
    Number(String),
    Bool(bool),
    Null,
    Undefined,
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

#[derive(Debug)]
pub(super) struct PathExpr {
    /// It begins with `@`.
    pub data: bool,
    /// How many `../` it begins with.
    pub up: usize,
    /// It begins with `this` or a dot, so it is never a helper.
    pub scoped: bool,
    pub parts: Vec<String>,
    /// As a closing tag repeats it.
    pub original: String,
    pub at: At,
}

impl PathExpr {
    /// The one name that it is, if it could be a helper's.
    pub fn simple(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [name] if !self.data && !self.scoped && self.up == 0 => Some(name),
            _ => None,
        }
    }
}
