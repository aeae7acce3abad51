//! From what was written to what is rendered: names get their meaning, and what has none is
//! refused.

use devrig_core::{Error, Result, nearest};
use serde_json::Value;

use super::ast::{self, Block, Literal, Node, PathExpr};
use super::helpers::{self, Helper, Literals};
use super::program::{Body, Call, Each, Expr, From, If, LoopValue, Op, Read, Section, With};
use super::reads::{Meaning, Reads};
use super::source::{At, Source};
use super::text::Escape;
use crate::path::Step;
use crate::reference::Reference;

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
            return self.name(&call.target);
        }
        self.call(call)
    }

    /// A literal in the place of a name is a name.
    fn name(&mut self, target: &ast::Expr) -> Result<Expr> {
        match target {
            ast::Expr::Path(path) => self.read(path),
            ast::Expr::Literal(literal) => {
                let steps = [Step::new(&literal.as_name())];
                Ok(self.context_read(0, steps.into(), At(0)))
            }
            ast::Expr::Call(call) => self.call(call),
        }
    }

    fn block(&mut self, block: &Block) -> Result<Op> {
        let name = match &block.call.target {
            ast::Expr::Path(path) => path.simple().map(str::to_owned),
            ast::Expr::Literal(literal) => Some(literal.as_name()),
            ast::Expr::Call(_) => None,
        };
        let name = name.filter(|name| self.param(name).is_none());
        match name.as_deref() {
            Some("if") => self.if_block(block, false),
            Some("unless") => self.if_block(block, true),
            Some("each") => self.each(block),
            Some("with") => self.with(block),
            Some("raw") => self.raw(block),
            _ => self.section(block, name.as_deref()),
        }
    }

    /// The one value that a block takes.
    fn subject(&mut self, block: &Block, options: &[&str]) -> Result<Expr> {
        let call = &block.call;
        let name = self.block_name(block);
        if let Some(pair) = call.hash.iter().find(|pair| !options.contains(&pair.name.as_str())) {
            let message = format!("{name} has no option {}", pair.name);
            let hint = match options {
                [] => "Leave it out.".to_owned(),
                options => format!("It has {}.", options.join(", ")),
            };
            return Err(self.error(pair.at, message, hint));
        }
        match call.args.as_slice() {
            [subject] => self.expr(subject),
            args => Err(self.error(
                call.at,
                format!("{name} takes one value, not {}", args.len()),
                format!("Write {{{{#{name} x}}}}; several are compared as (and x y) or (eq x y)."),
            )),
        }
    }

    fn block_name(&self, block: &Block) -> String {
        match &block.call.target {
            ast::Expr::Path(path) => path.original.clone(),
            _ => String::new(),
        }
    }

    fn no_names(&self, block: &Block) -> Result<()> {
        if block.params.is_empty() {
            return Ok(());
        }
        let message = format!("{} has no value to name", self.block_name(block));
        Err(self.error(block.call.at, message, "Only each and with take `as |name|`."))
    }

    fn if_block(&mut self, block: &Block, negated: bool) -> Result<Op> {
        self.no_names(block)?;
        let subject = self.subject(block, &["includeZero"])?;
        let include_zero = match block.call.hash.first() {
            Some(pair) => Some(self.expr(&pair.value)?),
            None => None,
        };
        let then = self.body(block.program.as_deref().unwrap_or_default())?;
        let otherwise = self.otherwise(block)?;
        let at = block.call.at;
        Ok(Op::If(Box::new(If { subject, include_zero, negated, then, otherwise, at })))
    }

    fn otherwise(&mut self, block: &Block) -> Result<Body> {
        self.body(block.inverse.as_ref().map_or(&[], |inverse| &inverse.body))
    }

    fn each(&mut self, block: &Block) -> Result<Op> {
        let subject = self.subject(block, &[])?;
        let inside = Inside { this: Meaning::Known, params: [Meaning::Known, Meaning::Known] };
        let body = self.program(block, inside)?;
        let (otherwise, named, at) =
            (self.otherwise(block)?, !block.params.is_empty(), block.call.at);
        Ok(Op::Each(Box::new(Each { subject, named, body, otherwise, at })))
    }

    fn program(&mut self, block: &Block, inside: Inside) -> Result<Body> {
        match &block.program {
            Some(nodes) => self.inside(nodes, &block.params, inside),
            // `{{^each x as |y|}}` shows only what has no y.
            None => self.no_names(block).map(|()| Vec::new()),
        }
    }

    fn with(&mut self, block: &Block) -> Result<Op> {
        let subject = self.subject(block, &[])?;
        let meaning = self.meaning(&subject);
        let this = meaning.clone();
        let body = self.program(block, Inside { this, params: [meaning, Meaning::Known] })?;
        let (otherwise, named, at) =
            (self.otherwise(block)?, !block.params.is_empty(), block.call.at);
        Ok(Op::With(Box::new(With { subject, named, body, otherwise, at })))
    }

    fn raw(&mut self, block: &Block) -> Result<Op> {
        let call = &block.call;
        if !call.args.is_empty() || !call.hash.is_empty() {
            return Err(self.error(call.at, "raw takes no values", "Write {{{{raw}}}}."));
        }
        self.no_names(block)?;
        self.body(block.program.as_deref().unwrap_or_default()).map(Op::Raw)
    }

    fn section(&mut self, block: &Block, name: Option<&str>) -> Result<Op> {
        let call = &block.call;
        if let Some(helper) = name.and_then(helpers::find) {
            return Err(self.error(
                call.at,
                format!("{} is no block", helper.name),
                format!("Write {{{{#if ({})}}}}.", helper.usage),
            ));
        }
        if !call.args.is_empty() || !call.hash.is_empty() {
            return Err(self.unknown_helper(call, name.unwrap_or_default(), true));
        }
        let subject = self.name(&call.target)?;
        let meaning = self.meaning(&subject);
        let this = Meaning::Perhaps(Box::new(meaning.clone()));
        let body = self.program(block, Inside { this, params: [meaning, Meaning::Known] })?;
        let (otherwise, named, at) = (self.otherwise(block)?, !block.params.is_empty(), call.at);
        Ok(Op::Section(Box::new(Section { subject, named, body, otherwise, at })))
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

    fn call(&mut self, call: &ast::Call) -> Result<Expr> {
        let name = match &call.target {
            ast::Expr::Path(path) => match path.simple() {
                Some(name) => name.to_owned(),
                None => return Err(self.unknown_helper(call, &path.original, false)),
            },
            ast::Expr::Literal(literal) => literal.as_name(),
            ast::Expr::Call(_) => String::new(),
        };
        if self.param(&name).is_some() {
            let hint = "Leave the values out, or give it another name.";
            let message = format!("{name} is the name of a value here, and takes none itself");
            return Err(self.error(call.at, message, hint));
        }
        match helpers::find(&name) {
            Some(helper) => self.helper(helper, call),
            None => Err(self.unknown_helper(call, &name, false)),
        }
    }

    fn helper(&mut self, helper: &'static Helper, call: &ast::Call) -> Result<Expr> {
        self.check_count(helper, call)?;
        let mut args = Vec::new();
        for arg in &call.args {
            args.push(self.expr(arg)?);
        }
        let mut hash = Vec::new();
        for pair in &call.hash {
            let Some(name) = helper.hash.iter().find(|name| **name == pair.name) else {
                let message = format!("{} has no option {}", helper.name, pair.name);
                let hint = format!("It is written {{{{{}}}}}.", helper.usage);
                return Err(self.error(pair.at, message, hint));
            };
            hash.push((*name, self.expr(&pair.value)?));
        }
        self.check_literals(helper, call.at, &args, &hash)?;
        let (args, hash) = (args.into(), hash.into());
        Ok(Expr::Call(Box::new(Call { helper, args, hash, at: call.at })))
    }

    fn check_count(&self, helper: &Helper, call: &ast::Call) -> Result<()> {
        let count = call.args.len();
        if (helper.least..=helper.most).contains(&count) {
            return Ok(());
        }
        let expected = match (helper.least, helper.most) {
            (least, helpers::MANY) => format!("{least} or more"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        let message = format!("{} takes {expected} values, not {count}", helper.name);
        Err(self.error(call.at, message, format!("It is written {{{{{}}}}}.", helper.usage)))
    }

    fn check_literals(
        &self,
        helper: &Helper,
        at: At,
        args: &[Expr],
        hash: &[(&'static str, Expr)],
    ) -> Result<()> {
        fn literal(expr: &Expr) -> Option<&serde_json::Value> {
            match expr {
                Expr::Literal(value) => Some(value),
                _ => None,
            }
        }
        let Some(check) = helper.check else { return Ok(()) };
        let values = args.iter().map(literal).collect();
        let hash = hash.iter().map(|(name, value)| (*name, literal(value))).collect();
        check(&Literals { values, hash }).map_err(|error| self.source.locate(at, error))
    }

    fn unknown_helper(&self, call: &ast::Call, name: &str, block: bool) -> Error {
        if helpers::is_block(name) && !block {
            let hint = format!("Write {{{{#{name} x}}}}…{{{{/{name}}}}}.");
            return self.error(call.at, format!("{name} is a block"), hint);
        }
        let mut known: Vec<&str> = helpers::BLOCKS.iter().map(|block| block.name).collect();
        if !block {
            known = helpers::helpers().map(|helper| helper.name).collect();
        }
        let hint = match nearest(name, &known) {
            Some(near) => format!("Did you mean {near}?"),
            None => format!(
                "There are {}. A field whose name has spaces stands in brackets: [first name].",
                known.join(", ")
            ),
        };
        self.error(call.at, format!("there is no helper {name}"), hint)
    }

    /// How many blocks with names up, which of its names, and what it means.
    fn param(&self, name: &str) -> Option<(usize, usize, &Meaning)> {
        self.params.iter().rev().enumerate().find_map(|(up, names)| {
            let index = names.iter().position(|(known, _)| known == name)?;
            Some((up, index, &names[index].1))
        })
    }

    fn read(&mut self, path: &PathExpr) -> Result<Expr> {
        let steps: Box<[Step]> = path.parts.iter().map(|part| Step::new(part)).collect();
        if path.data {
            return self.data_read(path, &steps);
        }
        if !path.scoped
            && let Some(first) = path.parts.first()
            && let Some((up, index, meaning)) = self.param(first)
        {
            let rest: Box<[Step]> = steps.iter().skip(1).cloned().collect();
            let meaning = meaning.clone();
            self.reads.read(&meaning, &rest, path.at, true);
            return Ok(Expr::Read(Read { from: From::Param(up, index), steps: rest }));
        }
        Ok(self.context_read(path.up, steps, path.at))
    }

    fn context_read(&mut self, up: usize, steps: Box<[Step]>, at: At) -> Expr {
        let contexts = self.reads.contexts(up);
        for meaning in &contexts {
            self.reads.read(meaning, &steps, at, contexts.len() == 1);
        }
        Expr::Read(Read { from: From::Context(up), steps })
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
