//! Which parts of the data a template reads, worked out without data.

use super::source::{At, Source};
use super::text::Escape;
use crate::path::{Path, Step};
use crate::reference::Reference;

/// What a context or a name stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Meaning {
    /// All of the data.
    Root,
    /// The part at this path.
    Part(Vec<Step>),
    /// Something within a part that was noted already, or made by a helper.
    Known,
    /// The context of a plain section: its value, or what is outside if the value is `true`.
    Perhaps(Box<Meaning>),
}

/// Deeper places are told as the part that they lie in.
const DEEPEST: usize = 16;

impl Meaning {
    pub fn field(&self, steps: &[Step]) -> Meaning {
        let part =
            |path: &[Step]| Self::Part(path.iter().chain(steps).take(DEEPEST).cloned().collect());
        match self {
            _ if steps.is_empty() => self.clone(),
            Self::Root => part(&[]),
            Self::Part(path) => part(path),
            Self::Known => Self::Known,
            Self::Perhaps(inner) => inner.field(steps),
        }
    }
}

pub(super) struct Reads {
    /// The contexts of the blocks around, the innermost last.
    contexts: Vec<Meaning>,
    found: Vec<(Vec<Step>, At, bool)>,
    /// As in handlebars.js, any block whose context is the same as outside is no level.
    faithful: bool,
}

impl Reads {
    pub fn new(escape: Escape) -> Self {
        let faithful = escape == Escape::Html;
        Self { contexts: vec![Meaning::Root], found: Vec::new(), faithful }
    }

    pub fn enter(&mut self, this: Meaning) {
        self.contexts.push(this);
    }

    pub fn leave(&mut self) {
        self.contexts.pop();
    }

    /// What may stand so many levels up; more than one thing where the data decides what is a
    /// level.
    pub fn contexts(&self, up: usize) -> Vec<Meaning> {
        let mut found = Vec::new();
        // How many levels may be left to go, from the inside out.
        let mut left = vec![up];
        for context in self.contexts.iter().rev() {
            if left.contains(&0) {
                found.push(context.clone());
            }
            let perhaps = matches!(context, Meaning::Perhaps(_));
            let stays = |up: &&usize| perhaps || (self.faithful && **up > 0);
            let goes = left.iter().filter_map(|up| up.checked_sub(1));
            left = goes.chain(left.iter().filter(stays).copied()).collect();
            left.sort_unstable();
            left.dedup();
        }
        found
    }

    pub fn read(&mut self, from: &Meaning, steps: &[Step], at: At, certain: bool) {
        match from.field(steps) {
            Meaning::Root => self.found.push((Vec::new(), at, certain)),
            Meaning::Part(path) => self.found.push((path, at, certain)),
            Meaning::Perhaps(inner) => self.read(&inner, &[], at, certain),
            Meaning::Known => {}
        }
    }

    /// Each path once, at the first place that reads it for sure; in the order of the text.
    pub fn references(self, source: &Source) -> Vec<Reference> {
        let mut found = self.found;
        found.sort_by(|a, b| (&a.0, !a.2, a.1.0).cmp(&(&b.0, !b.2, b.1.0)));
        found.dedup_by(|later, first| later.0 == first.0);
        found.sort_by_key(|(_, at, _)| at.0);
        let mut places = source.places();
        let reference = |(steps, at, certain): (Vec<Step>, At, bool)| Reference {
            path: Path::new(steps),
            place: places.name(at),
            certain,
        };
        found.into_iter().map(reference).collect()
    }
}
