//! Writing a template's text, and giving a single expression's value.

use devrig_core::Result;

use super::budget::Budget;
use super::helpers::Args;
use super::program::{Call, Each, Expr, If, Op, Section, With};
use super::scope::{Context, Loop, Params, Scope};
use super::source::{At, Source};
use super::text::{self, Escape, escape_tail};
use crate::data::Data;
use crate::path::Step;
use crate::view::View;

pub(super) struct Renderer<'r> {
    pub source: &'r Source,
    pub escape: Escape,
    pub budget: &'r mut Budget,
    pub out: String,
}

impl Renderer<'_> {
    pub fn body(&mut self, ops: &[Op], scope: Scope<'_>) -> Result<()> {
        ops.iter().try_for_each(|op| self.op(op, scope))
    }

    fn op(&mut self, op: &Op, scope: Scope<'_>) -> Result<()> {
        let (at, done) = match op {
            Op::Text(text) => return self.push(text),
            Op::Raw(body) => return self.body(body, scope),
            Op::Write { value, escaped, at } => (*at, self.write(value, *escaped, scope)),
            Op::If(block) => (block.at, self.if_block(block, scope)),
            Op::Each(block) => (block.at, self.each(block, scope)),
            Op::With(block) => (block.at, self.with(block, scope)),
            Op::Section(block) => (block.at, self.section(block, scope)),
        };
        done.map_err(|error| self.source.locate(at, error))
    }

    fn push(&mut self, text: &str) -> Result<()> {
        self.budget.write(text.len())?;
        self.out.push_str(text);
        Ok(())
    }

    fn write(&mut self, value: &Expr, escaped: bool, scope: Scope<'_>) -> Result<()> {
        self.budget.step()?;
        let from = self.out.len();
        let found = self.eval(value, scope)?;
        if let Some(found) = &found {
            text::write(found.view(), self.escape, &mut self.out, self.budget)?;
        }
        if escaped && self.escape == Escape::Html {
            escape_tail(&mut self.out, from, self.budget)?;
        }
        Ok(())
    }

    /// Nothing where a name leads nowhere.
    pub fn eval<'s>(&mut self, expr: &'s Expr, scope: Scope<'s>) -> Result<Option<Data<'s>>> {
        match expr {
            Expr::Literal(value) => Ok(Some(value.into())),
            Expr::Nothing => Ok(None),
            Expr::Read(read) => {
                let mut bytes = 0;
                let found = scope.read(read, &mut bytes);
                self.budget.read(bytes)?;
                Ok(found.map(Data::from))
            }
            Expr::Call(call) => {
                self.call(call, scope).map_err(|error| self.source.locate(call.at, error))
            }
        }
    }

    fn call<'s>(&mut self, call: &'s Call, scope: Scope<'s>) -> Result<Option<Data<'s>>> {
        self.budget.step()?;
        let mut values = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            values.push(self.eval(arg, scope)?);
        }
        let mut hash = Vec::with_capacity(call.hash.len());
        for (name, value) in &call.hash {
            hash.push((*name, self.eval(value, scope)?));
        }
        let mut args = Args { helper: call.helper, values, hash };
        (call.helper.run)(&mut args, self.budget)
    }

    fn if_block(&mut self, block: &If, scope: Scope<'_>) -> Result<()> {
        self.budget.step()?;
        let include_zero = match &block.include_zero {
            Some(option) => {
                let option = self.eval(option, scope)?;
                option.is_some_and(|option| is_truthy(option.view()))
            }
            None => false,
        };
        let subject = self.eval(&block.subject, scope)?;
        let holds = subject.is_some_and(|subject| {
            subject.view().is_something() || (include_zero && subject.view().is_zero())
        });
        let chosen = if holds != block.negated { &block.then } else { &block.otherwise };
        self.unchanged(chosen, scope)
    }

    /// A part of a block that has no context of its own.
    fn unchanged(&mut self, body: &[Op], scope: Scope<'_>) -> Result<()> {
        self.body(body, scope.unchanged())
    }

    fn each(&mut self, block: &Each, scope: Scope<'_>) -> Result<()> {
        self.budget.step()?;
        let subject = self.eval(&block.subject, scope)?;
        let rounds = rounds(subject.as_ref().map_or(View::Null, Data::view));
        if rounds.len() == 0 {
            return self.unchanged(&block.otherwise, scope);
        }
        self.rounds(rounds, &block.body, block.named, scope)
    }

    fn rounds(
        &mut self,
        rounds: Rounds<'_>,
        body: &[Op],
        named: bool,
        scope: Scope<'_>,
    ) -> Result<()> {
        let count = rounds.len();
        for index in 0..count {
            let Some((key, this)) = rounds.get(index) else { break };
            self.budget.step()?;
            let context = self.context(this, &scope)?;
            let looping = Loop { index, key, last: index + 1 == count, up: scope.looping };
            let params = Params { values: [Some(this), Some(key)], up: scope.params };
            let params = if named { Some(&params) } else { scope.params };
            let scope = Scope { this, context: &context, looping: Some(&looping), params, ..scope };
            self.body(body, scope)?;
        }
        Ok(())
    }

    fn with(&mut self, block: &With, scope: Scope<'_>) -> Result<()> {
        self.budget.step()?;
        let subject = self.eval(&block.subject, scope)?;
        let view = subject.as_ref().map(Data::view);
        match view.filter(|view| view.is_something() || view.is_zero()) {
            None => self.unchanged(&block.otherwise, scope),
            Some(this) => self.within(this, &block.body, block.named, scope),
        }
    }

    /// A part of a block whose context is `this`.
    fn within(&mut self, this: View<'_>, body: &[Op], named: bool, scope: Scope<'_>) -> Result<()> {
        let context = self.context(this, &scope)?;
        self.named(body, named, this, Scope { this, context: &context, ..scope })
    }

    fn context<'s>(&mut self, this: View<'s>, scope: &Scope<'s>) -> Result<Context<'s>> {
        // Text is compared with the text outside.
        if let (Some(this), Some(outside)) = (this.text(), scope.context.this.text()) {
            self.budget.read(this.len().min(outside.len()))?;
        }
        Ok(scope.context_of(this))
    }

    fn named(&mut self, body: &[Op], named: bool, value: View<'_>, scope: Scope<'_>) -> Result<()> {
        let params = Params { values: [Some(value), None], up: scope.params };
        let params = if named { Some(&params) } else { scope.params };
        self.body(body, Scope { params, ..scope })
    }

    /// A list is looped over, `true` changes nothing, and anything else but nothing becomes the
    /// context.
    fn section(&mut self, block: &Section, scope: Scope<'_>) -> Result<()> {
        self.budget.step()?;
        let subject = self.eval(&block.subject, scope)?;
        match subject.as_ref().map_or(View::Null, Data::view) {
            View::Null | View::Bool(false) => self.body(&block.otherwise, scope),
            View::List([]) => self.body(&block.otherwise, scope),
            View::List(list) => self.rounds(Rounds::List(list), &block.body, block.named, scope),
            flag @ View::Bool(true) => self.named(&block.body, block.named, flag, scope),
            this => self.within(this, &block.body, block.named, scope),
        }
    }
}

/// Of an option, an empty list counts as something, as in JavaScript.
fn is_truthy(view: View<'_>) -> bool {
    matches!(view, View::List(_)) || view.is_something()
}

/// What a loop goes over.
enum Rounds<'v> {
    List(&'v [serde_json::Value]),
    Fields(Vec<(&'v str, View<'v>)>),
}

fn rounds(view: View<'_>) -> Rounds<'_> {
    match view {
        View::List(list) => Rounds::List(list),
        view => {
            let mut fields = view.fields();
            in_order_of_javascript(&mut fields);
            Rounds::Fields(fields)
        }
    }
}

/// Names that are numbers come first, in their order; the others keep theirs.
fn in_order_of_javascript(fields: &mut [(&str, View<'_>)]) {
    let number = |name: &str| Step::new(name).index().filter(|index| *index < u32::MAX as usize);
    if fields.iter().any(|(name, _)| number(name).is_some()) {
        fields.sort_by_key(|(name, _)| number(name).unwrap_or(usize::MAX));
    }
}

impl<'v> Rounds<'v> {
    fn len(&self) -> usize {
        match self {
            Self::List(list) => list.len(),
            Self::Fields(fields) => fields.len(),
        }
    }

    fn get(&self, index: usize) -> Option<(View<'v>, View<'v>)> {
        match self {
            Self::List(list) => {
                list.get(index).map(|value| (View::Number(index.into()), View::of(value)))
            }
            Self::Fields(fields) => {
                fields.get(index).map(|(name, value)| (View::Text(name), *value))
            }
        }
    }
}

/// Where the renderer stands when an error has no place of its own.
pub(super) const START: At = At(0);
