//! From what was written to what is rendered: names get their meaning, and what has none is
//! refused.

use devrig_core::{Error, Result, nearest};
use serde_json::Value;

use super::ast::{self, Literal, Node, PathExpr};
use super::program::{Body, Expr, From, LoopValue, Op, Read};
use super::reads::{Meaning, Reads};
use super::source::{At, Source};
use super::text::Escape;
use crate::path::Step;
use crate::reference::Reference;

mod block;
mod call;

pub(super) fn compile(
    source: &Source,
    nodes: &[Node],
    escape: Escape,
) -> Result<(Body, Vec<Reference>)> {
    let mut compiler = Compiler { source, reads: Reads::new(escape), params: Vec::new() };
    let body = compiler.body(nodes)?;
    Ok((body, compiler.reads.references(source)))
}

struct Compiler<'s> {
    source: &'s Source,
    reads: Reads,
    /// The names that the blocks around give, the innermost last.
    params: Vec<Vec<(String, Meaning)>>,
}

/// How a block goes on inside: the names that it gives, and what they and `this` mean there.
struct Inside {
    this: Meaning,
    params: [Meaning; 2],
}

impl Compiler<'_> {
    fn error(&self, at: At, message: impl std::fmt::Display, hint: impl Into<String>) -> Error {
        self.source.error(at, message, hint)
    }

    fn body(&mut self, nodes: &[Node]) -> Result<Body> {
        let mut ops = Vec::new();
        for node in nodes {
            match node {
                Node::Content(content) if content.kept.is_empty() => {}
                Node::Content(content) => {
                    ops.push(Op::Text(self.source.0[content.kept.clone()].into()));
                }
                Node::Comment { .. } => {}
                Node::Output { call, escaped, .. } => {
                    let value = self.output(call)?;
                    ops.push(Op::Write { value, escaped: *escaped, at: call.at });
                }
                Node::Block(block) => ops.push(self.block(block)?),
            }
        }
        Ok(ops)
    }

    /// The body of a block, with what its names mean.
    fn inside(&mut self, nodes: &[Node], names: &[String], inside: Inside) -> Result<Body> {
        if !names.is_empty() {
            let [first, second] = inside.params;
            let meanings = [first, second].into_iter().chain(std::iter::repeat(Meaning::Known));
            self.params.push(names.iter().cloned().zip(meanings).collect());
        }
        self.reads.enter(inside.this);
        let body = self.body(nodes);
        self.reads.leave();
        if !names.is_empty() {
            self.params.pop();
        }
        body
    }

    /// `{{x}}` is a helper's value when x takes values and got some, and otherwise a field.
    fn output(&mut self, call: &ast::Call) -> Result<Expr> {
        if call.args.is_empty() && call.hash.is_empty() {
            return self.name(&call.target, call.at);
        }
        self.call(call)
    }

    /// A literal in the place of a name is a name.
    fn name(&mut self, target: &ast::Expr, at: At) -> Result<Expr> {
        match target {
            ast::Expr::Path(path) => self.read(path),
            ast::Expr::Literal(literal) => {
                Ok(self.context_read(0, &[Step::new(&literal.as_name())], at))
            }
            ast::Expr::Call(call) => self.call(call),
        }
    }

    fn expr(&mut self, expr: &ast::Expr) -> Result<Expr> {
        match expr {
            ast::Expr::Path(path) => self.read(path),
            ast::Expr::Literal(literal) => self.literal(literal),
            ast::Expr::Call(call) => self.call(call),
        }
    }

    fn literal(&self, literal: &Literal) -> Result<Expr> {
        Ok(match literal {
            Literal::Text(text) => Expr::Literal(Value::String(text.clone())),
            Literal::Bool(flag) => Expr::Literal(Value::Bool(*flag)),
            Literal::Null => Expr::Literal(Value::Null),
            Literal::Undefined => Expr::Nothing,
            Literal::Number(text) => Expr::Literal(number(text)),
        })
    }

    /// How many blocks with names up, which of its names, and what it means.
    fn param(&self, name: &str) -> Option<(usize, usize, &Meaning)> {
        self.params.iter().rev().enumerate().find_map(|(up, names)| {
            let index = names.iter().position(|(known, _)| known == name)?;
            Some((up, index, &names[index].1))
        })
    }

    fn read(&mut self, path: &PathExpr) -> Result<Expr> {
        let steps: Vec<Step> = path.parts.iter().map(|part| Step::new(part)).collect();
        if path.data {
            return self.data_read(path, &steps);
        }
        if !path.scoped
            && let Some(first) = path.parts.first()
            && let Some((up, index, meaning)) = self.param(first)
        {
            let (meaning, rest) = (meaning.clone(), &steps[1..]);
            self.reads.read(&meaning, rest, path.at, true);
            return Ok(Expr::Read(Read { from: From::Param(up, index), steps: rest.into() }));
        }
        Ok(self.context_read(path.up, &steps, path.at))
    }

    fn context_read(&mut self, up: usize, steps: &[Step], at: At) -> Expr {
        let contexts = self.reads.contexts(up);
        for meaning in &contexts {
            self.reads.read(meaning, steps, at, contexts.len() == 1);
        }
        Expr::Read(Read { from: From::Context(up), steps: steps.into() })
    }

    fn data_read(&mut self, path: &PathExpr, steps: &[Step]) -> Result<Expr> {
        let Some((first, rest)) = steps.split_first() else {
            return Err(self.no_variable(path.at, &path.original));
        };
        let value = match first.name() {
            "root" => {
                self.reads.read(&Meaning::Root, rest, path.at, true);
                return Ok(Expr::Read(Read { from: From::Root, steps: rest.into() }));
            }
            "index" => LoopValue::Index,
            "key" => LoopValue::Key,
            "first" => LoopValue::First,
            "last" => LoopValue::Last,
            _ => return Err(self.no_variable(path.at, &path.original)),
        };
        Ok(Expr::Read(Read { from: From::Loop(path.up, value), steps: rest.into() }))
    }

    fn no_variable(&self, at: At, name: &str) -> Error {
        const KNOWN: [&str; 5] = ["@root", "@index", "@key", "@first", "@last"];
        let hint = match nearest(name, &KNOWN) {
            Some(near) => format!("Did you mean {near}?"),
            None => format!("There are {}.", KNOWN.join(", ")),
        };
        self.error(at, format!("there is no variable {name}"), hint)
    }

    /// What a value that was just compiled stands for, when its fields are read.
    fn meaning(&self, expr: &Expr) -> Meaning {
        let Expr::Read(read) = expr else { return Meaning::Known };
        let start = match read.from {
            From::Context(up) => self.reads.contexts(up).into_iter().next(),
            From::Root => Some(Meaning::Root),
            From::Param(up, index) => {
                let names = self.params.iter().rev().nth(up);
                names.and_then(|names| names.get(index)).map(|(_, meaning)| meaning.clone())
            }
            From::Loop(..) => None,
        };
        start.map_or(Meaning::Known, |start| start.field(&read.steps))
    }
}

/// Digits that fit no number are the nearest one that does.
fn number(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(whole) => whole.into(),
        Err(_) => text.parse::<f64>().unwrap_or_default().clamp(f64::MIN, f64::MAX).into(),
    }
}
