//! A trigger that fires at times of the calendar.

use crate::definition::wire::{Object, Writer, words};

/// Times of the calendar.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cron {
    /// Five fields, or six with seconds first.
    pub expression: String,
    /// An IANA name such as `Europe/Berlin`; absent: the machine's.
    pub timezone: Option<String>,
    /// It stops after so many.
    pub max_executions: Option<u32>,
    /// A time at which the last run is still going on is left out.
    pub no_overlap: bool,
    pub misfire: Misfire,
}

words! {
    /// What becomes of times at which DevRig did not run or the machine slept.
    Misfire {
        /// One run for all of them.
        One = "one",
        /// A run for each.
        All = "all",
        /// None.
        Skip = "skip",
    }
}

impl Cron {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        Self {
            expression: object.required("expression", |at| at.line(200)),
            timezone: object.optional("timezone", |at| at.line(64)),
            max_executions: object.optional("maxExecutions", |at| at.integer(1..=1_000_000_000)),
            no_overlap: object.or("noOverlap", false, |at| at.flag()),
            misfire: object.or("misfire", Misfire::One, |at| at.word()),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        into.put("expression", &self.expression);
        into.some("timezone", &self.timezone);
        into.some("maxExecutions", &self.max_executions);
        into.unless("noOverlap", &self.no_overlap, &false);
        into.unless("misfire", &self.misfire, &Misfire::One);
    }
}
