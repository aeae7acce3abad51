//! A template whose names are resolved: what rendering walks.

use serde_json::Value;

use super::helpers::Helper;
use super::source::At;
use crate::path::Step;

pub(super) type Body = Vec<Op>;

#[derive(Debug, Clone)]
pub(super) enum Op {
    Text(Box<str>),
    Write {
        value: Expr,
        escaped: bool,
        at: At,
    },
    If(Box<If>),
    Each(Box<Each>),
    With(Box<With>),
    Section(Box<Section>),
    /// A raw block's text.
    Raw(Body),
}

/// `{{#if}}` and `{{#unless}}`.
#[derive(Debug, Clone)]
pub(super) struct If {
    pub subject: Expr,
    /// Zero counts as something.
    pub include_zero: Option<Expr>,
    pub negated: bool,
    pub then: Body,
    pub otherwise: Body,
    pub at: At,
}

#[derive(Debug, Clone)]
pub(super) struct Each {
    pub subject: Expr,
    pub named: bool,
    pub body: Body,
    pub otherwise: Body,
    pub at: At,
}

#[derive(Debug, Clone)]
pub(super) struct With {
    pub subject: Expr,
    pub named: bool,
    pub body: Body,
    pub otherwise: Body,
    pub at: At,
}

/// `{{#x}}` and `{{^x}}` without a helper: what happens depends on what x is.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub subject: Expr,
    pub named: bool,
    pub body: Body,
    pub otherwise: Body,
    pub at: At,
}

#[derive(Debug, Clone)]
pub(super) enum Expr {
    Literal(Value),
    Nothing,
    Read(Read),
    Call(Box<Call>),
}

#[derive(Debug, Clone)]
pub(super) struct Read {
    pub from: From,
    pub steps: Box<[Step]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// So many contexts up.
    Context(usize),
    Root,
    /// So many blocks with names up, and which of its two names.
    Param(usize, usize),
    /// So many loops up.
    Loop(usize, LoopValue),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoopValue {
    Index,
    Key,
    First,
    Last,
}

#[derive(Debug, Clone)]
pub(super) struct Call {
    pub helper: &'static Helper,
    pub args: Box<[Expr]>,
    pub hash: Box<[(&'static str, Expr)]>,
    pub at: At,
}
