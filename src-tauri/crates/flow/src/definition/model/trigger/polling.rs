//! A trigger that asks again and again, and fires when the answer is another one.

mod source;

pub use source::PollingSource;

use crate::definition::model::LONGEST;
use crate::definition::wire::{Object, Writer, words};

/// Something that is asked at an interval.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Polling {
    /// At least five seconds.
    pub interval_ms: u64,
    pub source: PollingSource,
    pub deduplication: Deduplication,
    /// How often a question that failed is asked again before the next interval.
    pub max_retries: u32,
    /// What the first answer brings is told too, and not only remembered.
    pub fire_on_first: bool,
}

/// How a new answer is told from an old one.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Deduplication {
    /// The whole answer is another.
    #[default]
    Hash,
    /// What stands at this path is another.
    Field(String),
    /// The time at this path is later.
    Timestamp(String),
}

words! {
    Strategy {
        Hash = "hash",
        Field = "field",
        Timestamp = "timestamp",
    }
}

const USUAL_RETRIES: u32 = 3;

impl Polling {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        Self {
            interval_ms: object.required("intervalMs", |at| at.integer(5_000..=LONGEST)),
            source: object.required("source", |at| at.object(PollingSource::read)),
            deduplication: object
                .or("deduplication", Deduplication::Hash, |at| at.object(Deduplication::read)),
            max_retries: object.or("maxRetries", USUAL_RETRIES, |at| at.integer(0..=100)),
            fire_on_first: object.or("fireOnFirst", false, |at| at.flag()),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        into.put("intervalMs", self.interval_ms);
        into.put("source", self.source.to_map());
        self.deduplication.write(into);
        into.unless("maxRetries", &self.max_retries, &USUAL_RETRIES);
        into.unless("fireOnFirst", &self.fire_on_first, &false);
    }
}

impl Deduplication {
    fn read(object: &Object<'_>) -> Self {
        let strategy = object.required("strategy", |at| at.word());
        if strategy == Strategy::Hash {
            object.refuse("field", "the strategy hash compares the whole answer");
            return Self::Hash;
        }
        let field = object.required("field", |at| at.line(500));
        match strategy {
            Strategy::Timestamp => Self::Timestamp(field),
            _ => Self::Field(field),
        }
    }

    fn write(&self, into: &mut Writer) {
        let (strategy, field) = match self {
            Self::Hash => return,
            Self::Field(field) => (Strategy::Field, field),
            Self::Timestamp(field) => (Strategy::Timestamp, field),
        };
        into.put("deduplication", serde_json::json!({ "strategy": strategy, "field": field }));
    }
}
