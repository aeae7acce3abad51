//! What templates can call. One list serves the compiler, the documentation and its test.

mod data;
mod date;
mod logic;
mod text;

use std::borrow::Cow;

use devrig_core::{Error, Result};

use super::budget::Budget;
use super::text::scalar;
use crate::data::Data;
use crate::view::View;

/// A function that gives a value: `{{upper name}}`, or `(upper name)` within a tag.
#[derive(Debug)]
pub struct Helper {
    pub name: &'static str,
    /// How it is written, with the names that the documentation uses.
    pub usage: &'static str,
    /// One sentence for the documentation.
    pub about: &'static str,
    /// A template and what comes of it, which a test holds to.
    pub example: (&'static str, &'static str),
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) hash: &'static [&'static str],
    pub(super) run: Run,
    /// Looks at what is written out in the template, so that a slip is found when it is saved.
    pub(super) check: Option<Check>,
}

/// A block: `{{#each list}}…{{/each}}`.
#[derive(Debug)]
pub struct BlockHelper {
    pub name: &'static str,
    pub usage: &'static str,
    pub about: &'static str,
    pub example: (&'static str, &'static str),
}

type Run = for<'a> fn(&mut Args<'a>, &mut Budget) -> Outcome<'a>;
type Check = fn(&Literals<'_>) -> Result<()>;
/// Nothing is what a missing field gives too.
type Outcome<'a> = Result<Option<Data<'a>>>;

pub(super) const MANY: usize = usize::MAX;

/// Every helper, in the order of the documentation.
pub fn helpers() -> impl Iterator<Item = &'static Helper> {
    [logic::HELPERS, data::HELPERS, text::HELPERS, date::HELPERS].into_iter().flatten()
}

/// The blocks that have a meaning of their own.
pub const BLOCKS: &[BlockHelper] = &[
    BlockHelper {
        name: "if",
        usage: "{{#if x}}…{{else if y}}…{{else}}…{{/if}}",
        about: "The first part whose value is something: not `false`, `null`, `0`, empty text or \
                an empty list, and not missing. `includeZero=true` counts `0` as something.",
        example: ("{{#if pr.draft}}draft{{else}}ready{{/if}}", "ready"),
    },
    BlockHelper {
        name: "unless",
        usage: "{{#unless x}}…{{else}}…{{/unless}}",
        about: "The opposite of `if`.",
        example: ("{{#unless pr.draft}}ready{{/unless}}", "ready"),
    },
    BlockHelper {
        name: "each",
        usage: "{{#each list as |item index|}}…{{else}}…{{/each}}",
        about: "Once for each element of a list or field of an object; the part after `else` when \
                there is none. Inside, `this` is the element, `@index` its number from 0, `@key` \
                the field's name, `@first` and `@last` say where it stands.",
        example: ("{{#each pr.labels}}{{@index}}:{{this}} {{/each}}", "0:bug 1:ui "),
    },
    BlockHelper {
        name: "with",
        usage: "{{#with x as |name|}}…{{else}}…{{/with}}",
        about: "Inside, `this` is x; the part after `else` when x is nothing.",
        example: ("{{#with pr}}{{title}}{{/with}}", "Fix login"),
    },
    BlockHelper {
        name: "raw",
        usage: "{{{{raw}}}}…{{{{/raw}}}}",
        about: "What is inside is written as it is, tags included.",
        example: ("{{{{raw}}}}{{title}}{{{{/raw}}}}", "{{title}}"),
    },
];

pub(super) fn find(name: &str) -> Option<&'static Helper> {
    helpers().find(|helper| helper.name == name)
}

pub(super) fn is_block(name: &str) -> bool {
    BLOCKS.iter().any(|block| block.name == name)
}

/// What a helper was called with.
pub(super) struct Args<'a> {
    pub helper: &'static Helper,
    /// Absent where what was named is missing from the data.
    pub values: Vec<Option<Data<'a>>>,
    pub hash: Vec<(&'static str, Option<Data<'a>>)>,
}

/// What of a call stands in the template itself.
pub(super) struct Literals<'l> {
    pub values: Vec<Option<&'l serde_json::Value>>,
    pub hash: Vec<(&'static str, Option<&'l serde_json::Value>)>,
}

impl<'a> Args<'a> {
    fn view(&self, index: usize) -> Option<View<'_>> {
        self.values.get(index)?.as_ref().map(Data::view)
    }

    /// As [`Args::view`], where missing and null are to mean the same.
    fn or_null(&self, index: usize) -> View<'_> {
        self.view(index).unwrap_or(View::Null)
    }

    fn take(&mut self, index: usize) -> Option<Data<'a>> {
        self.values.get_mut(index)?.take()
    }

    fn option(&self, name: &str) -> Option<View<'_>> {
        let (_, value) = self.hash.iter().find(|(known, _)| *known == name)?;
        value.as_ref().map(Data::view)
    }

    /// Numbers and booleans are written out; what is missing is empty.
    fn text(&self, index: usize) -> Result<Cow<'_, str>> {
        let view = self.or_null(index);
        scalar(view).ok_or_else(|| {
            let name = self.helper.name;
            Error::invalid(format!("{name} takes text, not {}", view.kind()))
                .hint("Make text of it first, with join or json.")
        })
    }

    fn whole(&self, index: usize) -> Result<i64> {
        let whole = match self.view(index) {
            Some(View::Number(number)) => number.to_whole(),
            _ => None,
        };
        whole.and_then(|whole| i64::try_from(whole).ok()).ok_or_else(|| {
            Error::invalid(format!(
                "value {} of {} is a whole number, not {}",
                index + 1,
                self.helper.name,
                self.view(index).map_or("nothing", View::kind),
            ))
            .hint(format!("It is written {{{{{}}}}}.", self.helper.usage))
        })
    }

    fn count(&self, index: usize) -> Result<usize> {
        let whole = self.whole(index)?;
        usize::try_from(whole).map_err(|_| {
            Error::invalid(format!("value {} of {} is negative", index + 1, self.helper.name))
                .hint("Give 0 or more.")
        })
    }
}

#[cfg(test)]
mod tests;
