//! What names mean at one place of a template while it is rendered. The parts lie on the stack of
//! the blocks that they belong to.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::program::{From, LoopValue, Read};
use super::text::scalar;
use crate::number::Number;
use crate::view::View;

#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    /// What a name without `../` is a field of.
    pub this: View<'s>,
    pub context: &'s Context<'s>,
    pub looping: Option<&'s Loop<'s>>,
    pub params: Option<&'s Params<'s>>,
    /// Names mean what they mean in handlebars.js, where that is odd too.
    pub faithful: bool,
}

/// What `this` is, and what it was outside.
#[derive(Clone, Copy)]
pub(super) struct Context<'s> {
    pub this: View<'s>,
    pub up: Option<&'s Context<'s>>,
}

/// The round of an `{{#each}}`.
#[derive(Clone, Copy)]
pub(super) struct Loop<'s> {
    pub index: usize,
    /// The field's name, or the element's number.
    pub key: View<'s>,
    pub last: bool,
    pub up: Option<&'s Loop<'s>>,
}

/// The values of `as |a b|`.
#[derive(Clone, Copy)]
pub(super) struct Params<'s> {
    pub values: [Option<View<'s>>; 2],
    pub up: Option<&'s Params<'s>>,
}

static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

impl<'s> Scope<'s> {
    pub fn new(root: &'s Context<'s>, faithful: bool) -> Self {
        Self { this: root.this, context: root, looping: None, params: None, faithful }
    }

    /// Of a part of a block that has no context of its own. Where the context is null,
    /// handlebars.js puts an empty object there.
    pub fn unchanged(self) -> Self {
        match self.this {
            View::Null if self.faithful => Self { this: View::Map(&EMPTY), ..self },
            _ => self,
        }
    }

    /// The context of a block around `this`. handlebars.js adds no level where it is the same as
    /// the one outside, so that `../` leads further out; a number that happens to be equal counts.
    pub fn context_of(&self, this: View<'s>) -> Context<'s> {
        if self.faithful && equals_in_javascript(this, self.context.this) {
            return *self.context;
        }
        Context { this, up: Some(self.context) }
    }

    /// Adds to `bytes` how much text was gone through.
    pub fn read(&self, read: &Read, bytes: &mut usize) -> Option<View<'s>> {
        let start = match read.from {
            From::Context(0) => self.this,
            From::Context(up) => self.context.up(up)?.this,
            From::Root => return self.after_variable(self.context.root(), read, bytes),
            From::Loop(up, value) => {
                let found = (0..up).try_fold(self.looping?, |looping, _| looping.up)?;
                return self.after_variable(found.value(value), read, bytes);
            }
            From::Param(up, index) => {
                let found = (0..up).try_fold(self.params?, |params, _| params.up)?;
                (*found.values.get(index)?)?
            }
        };
        read.steps.iter().try_fold(start, |view, step| step.get_counting(view, bytes))
    }

    /// Behind `@root`, handlebars.js stops at the first value that is nothing: `@root.zero.x` is 0.
    fn after_variable(&self, start: View<'s>, read: &Read, bytes: &mut usize) -> Option<View<'s>> {
        read.steps.iter().try_fold(start, |view, step| {
            let stops = self.faithful && !matches!(view, View::List(_)) && !view.is_something();
            if stops { Some(view) } else { step.get_counting(view, bytes) }
        })
    }
}

impl<'s> Context<'s> {
    fn up(&'s self, levels: usize) -> Option<&'s Context<'s>> {
        (0..levels).try_fold(self, |context, _| context.up)
    }

    fn root(&self) -> View<'s> {
        let mut context = self;
        while let Some(up) = context.up {
            context = up;
        }
        context.this
    }
}

/// `a == b`: the same object, or single values that are equal after conversion.
fn equals_in_javascript(a: View<'_>, b: View<'_>) -> bool {
    match (a, b) {
        (View::Null, View::Null) => true,
        (View::Null, _) | (_, View::Null) => false,
        (View::List(a), View::List(b)) => std::ptr::eq(a, b),
        (View::Map(a), View::Map(b)) => std::ptr::eq(a, b),
        (View::Object(a), View::Object(b)) => std::ptr::eq(a, b),
        (View::List(list), other) | (other, View::List(list)) if is_single(other) => {
            list_text(list).is_some_and(|text| equals_in_javascript(View::Text(&text), other))
        }
        _ if !is_single(a) || !is_single(b) => false,
        _ => match (a.text(), b.text()) {
            (Some(a), Some(b)) => a == b,
            _ => number_of(a).zip(number_of(b)).is_some_and(|(a, b)| a == b),
        },
    }
}

fn is_single(view: View<'_>) -> bool {
    !matches!(view, View::List(_) | View::Map(_) | View::Object(_))
}

/// What a list is compared as. Longer ones have commas in it, and are taken as different.
fn list_text(list: &[Value]) -> Option<Cow<'_, str>> {
    match list {
        [] => Some(Cow::Borrowed("")),
        [only] => scalar(View::of(only)),
        _ => None,
    }
}

fn number_of(view: View<'_>) -> Option<Number> {
    match view {
        View::Number(number) => Some(number),
        View::Bool(flag) => Some(Number::Whole(flag.into())),
        view => match view.text()?.trim() {
            "" => Some(Number::Whole(0)),
            text => text.parse().ok().map(Number::Float),
        },
    }
}

impl<'s> Loop<'s> {
    fn value(&self, value: LoopValue) -> View<'s> {
        match value {
            LoopValue::Index => View::Number(self.index.into()),
            LoopValue::Key => self.key,
            LoopValue::First => View::Bool(self.index == 0),
            LoopValue::Last => View::Bool(self.last),
        }
    }
}
