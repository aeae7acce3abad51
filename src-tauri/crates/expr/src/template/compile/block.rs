//! Blocks: which ones there are, and what is inside of them.

use devrig_core::Result;

use super::{Compiler, Inside};
use crate::template::ast::{self, Block};
use crate::template::helpers;
use crate::template::program::{Body, Each, Expr, If, Op, Section, With};
use crate::template::reads::Meaning;

impl Compiler<'_> {
    pub(super) fn block(&mut self, block: &Block) -> Result<Op> {
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
        let subject = self.name(&call.target, call.at)?;
        let meaning = self.meaning(&subject);
        let this = Meaning::Perhaps(Box::new(meaning.clone()));
        let body = self.program(block, Inside { this, params: [meaning, Meaning::Known] })?;
        let (otherwise, named, at) = (self.otherwise(block)?, !block.params.is_empty(), call.at);
        Ok(Op::Section(Box::new(Section { subject, named, body, otherwise, at })))
    }
}
