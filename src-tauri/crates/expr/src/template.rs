//! Templates: text with `{{expressions}}`, the part of Handlebars that needs no code (reference
//! §8.4).
//!
//! What handlebars.js renders too, it renders the same (`tests/handlebars`). A template is
//! compiled once; names that mean nothing are errors then, with line, column and remedy. What is
//! missing from the data is empty text.

mod ast;
mod budget;
mod compile;
pub mod helpers;
mod lex;
mod parse;
mod program;
mod reads;
mod render;
mod scope;
mod source;
mod text;
mod whitespace;

use devrig_core::{Code, Error, Result};
use serde_json::Value;

use crate::data::Data;
use crate::reference::Reference;
use crate::view::View;

use ast::Node;
use program::{Body, Op};
use render::{Renderer, START};
use scope::{Context, Scope};
use source::Source;

pub(crate) use budget::Budget;
pub use budget::Limits;
pub use text::Escape;

/// A text with expressions in it, ready to be rendered any number of times.
#[derive(Debug, Clone)]
pub struct Template {
    source: Source,
    body: Body,
    /// It is one single expression, whose value keeps its type.
    single: bool,
    options: Options,
    references: Vec<Reference>,
}

/// How a template is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    pub escape: Escape,
    pub limits: Limits,
}

/// In bytes.
const LONGEST: usize = 256 * 1024;

impl Template {
    /// # Errors
    /// `INVALID_INPUT` with line and column, both from 1, in the message and in the details;
    /// `TOO_LARGE` for a text over 256 KiB.
    pub fn compile(text: &str, options: Options) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Error::new(
                Code::TooLarge,
                format!("the template has {} bytes, more than {LONGEST}", text.len()),
            )
            .hint("Put large texts into a file or into the data."));
        }
        let source = Source(text.into());
        let mut nodes = parse::parse(&source, lex::lex(&source)?)?;
        whitespace::strip(text, &mut nodes);
        let single = matches!(nodes.as_slice(), [Node::Output { .. }]);
        let (body, references) = compile::compile(&source, &nodes, options.escape)?;
        Ok(Self { source, body, single, options, references })
    }

    /// What the template gives as text.
    ///
    /// # Errors
    /// `TOO_LARGE` when a limit is reached, `INVALID_INPUT` when a helper cannot work with what
    /// it was given. No message holds any of the data.
    pub fn text(&self, data: &Data<'_>) -> Result<String> {
        self.text_within(data, &mut Budget::new(self.options.limits))
    }

    /// The value of a template that is one single expression, in its own type; the text of any
    /// other. What is missing is null.
    ///
    /// # Errors
    /// As [`Template::text`].
    pub fn value(&self, data: &Data<'_>) -> Result<Value> {
        self.value_within(data, &mut Budget::new(self.options.limits))
    }

    /// Whether [`Template::value`] keeps a type.
    pub fn is_single(&self) -> bool {
        self.single
    }

    /// The parts of the data that it reads, each once.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    pub fn source(&self) -> &str {
        &self.source.0
    }

    fn text_within(&self, data: &Data<'_>, budget: &mut Budget) -> Result<String> {
        let context = Context { this: data.view(), up: None };
        let scope = Scope::new(&context, self.options.escape == Escape::Html);
        let mut renderer = self.renderer(budget);
        let done = renderer.body(&self.body, scope);
        done.map_err(|error| self.source.locate(START, error))?;
        Ok(renderer.out)
    }

    /// As [`Template::value`], on an account that several templates share.
    pub(crate) fn value_within(&self, data: &Data<'_>, budget: &mut Budget) -> Result<Value> {
        let (true, [Op::Write { value, .. }]) = (self.single, self.body.as_slice()) else {
            return self.text_within(data, budget).map(Value::String);
        };
        let context = Context { this: data.view(), up: None };
        let scope = Scope::new(&context, self.options.escape == Escape::Html);
        let found = self.renderer(budget).eval(value, scope);
        let found = found.map_err(|error| self.source.locate(START, error))?;
        let Some(found) = found else { return Ok(Value::Null) };
        // A copy is cheaper than going through a text, and what is large may be handed on.
        budget.work(found.view().weight() / 8).map_err(|error| self.source.locate(START, error))?;
        Ok(match found.view() {
            // Only who names a secret gets it, not who takes all there is.
            object @ View::Object(_) => object.to_masked_value(),
            _ => found.into_value(),
        })
    }

    fn renderer<'r>(&'r self, budget: &'r mut Budget) -> Renderer<'r> {
        Renderer { source: &self.source, escape: self.options.escape, budget, out: String::new() }
    }
}

#[cfg(test)]
mod tests;
