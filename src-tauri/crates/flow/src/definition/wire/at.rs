//! One value of the JSON with its place, and the readers of plain values.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::object::Object;
use super::{Place, Word, did_you_mean};
use crate::definition::model::{NodeId, TriggerId};
use crate::definition::problem::{Problem, ProblemCode};

/// More than anybody reads; a file of another kind would give thousands.
const MOST_PROBLEMS: usize = 100;

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Gathered(RefCell<Vec<Problem>>);

impl Gathered {
    pub fn add(&self, problem: Problem) {
        let mut list = self.0.borrow_mut();
        if list.len() < MOST_PROBLEMS {
            list.push(problem);
        }
    }

    pub fn is_full(&self) -> bool {
        self.0.borrow().len() >= MOST_PROBLEMS
    }

    pub fn into_list(self) -> Vec<Problem> {
        self.0.into_inner()
    }
}

/// The innermost thing with an id around a value.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Owner<'a> {
    #[default]
    Flow,
    Node(&'a str),
    Trigger(&'a str),
    Edge(&'a str),
}

/// A value on its way into the model.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub value: &'a Value,
    pub place: &'a Place<'a>,
    pub owner: Owner<'a>,
    pub gathered: &'a Gathered,
}

impl<'a> At<'a> {
    pub fn report(&self, code: ProblemCode, message: String, hint: impl Into<String>) {
        self.report_at(self.place, code, message, hint);
    }

    pub fn report_at(
        &self,
        place: &Place,
        code: ProblemCode,
        message: String,
        hint: impl Into<String>,
    ) {
        let mut problem = Problem::error(code, place.to_string(), "", hint);
        problem.message = match self.owner {
            Owner::Flow => message,
            Owner::Node(id) => format!("node `{id}`: {message}"),
            Owner::Trigger(id) => format!("trigger `{id}`: {message}"),
            Owner::Edge(id) => format!("edge {id}: {message}"),
        };
        match self.owner {
            Owner::Flow => {}
            Owner::Node(id) => problem.node = Some(NodeId::from(id)),
            Owner::Trigger(id) => problem.trigger = Some(TriggerId::from(id)),
            Owner::Edge(id) => problem.edge = Some(id.to_owned()),
        }
        self.gathered.add(problem);
    }

    /// Says that the value is of another type than `expected`. The value is not repeated: it may
    /// be a secret in the wrong field.
    pub fn wrong_type<T: Default>(&self, expected: &str) -> T {
        let is = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        let hint = match self.value {
            Value::Null => "Leave the field out, or give it a value.".to_owned(),
            _ => format!("Write {expected}."),
        };
        let message = format!("{} must be {expected}, but is {is}", self.place.name());
        self.report(ProblemCode::WrongType, message, hint);
        T::default()
    }

    /// Says that the value is of the right type, but not one that may stand here.
    pub fn wrong_value<T: Default>(&self, must: &str, hint: impl Into<String>) -> T {
        let message = format!("{} {must}", self.place.name());
        self.report(ProblemCode::WrongValue, message, hint);
        T::default()
    }

    pub fn any(self) -> Value {
        self.value.clone()
    }

    pub fn flag(self) -> bool {
        match self.value {
            Value::Bool(flag) => *flag,
            _ => self.wrong_type("true or false"),
        }
    }

    /// A text that is not blank, of at most `most` characters.
    pub fn text(self, most: usize) -> String {
        let text = self.any_text(most);
        if self.value.is_string() && text.trim().is_empty() {
            return self.wrong_value("is empty", "Write a text, or leave the field out.");
        }
        text
    }

    /// As [`At::text`], but it may be blank.
    pub fn any_text(self, most: usize) -> String {
        let Value::String(text) = self.value else { return self.wrong_type("a text") };
        if text.chars().nth(most).is_some() {
            return self.wrong_value(
                &format!("is longer than {most} characters"),
                "Shorten it, or keep it in a file.",
            );
        }
        text.clone()
    }

    /// One line that is shown in lists.
    pub fn line(self, most: usize) -> String {
        let text = self.text(most);
        if text.chars().any(char::is_control) {
            return self.wrong_value("has a line break or control character", "Use one line.");
        }
        text
    }

    pub fn integer<N: TryFrom<i64> + Default>(self, range: RangeInclusive<i64>) -> N {
        let expected = || format!("a whole number from {} to {}", range.start(), range.end());
        let Value::Number(number) = self.value else { return self.wrong_type(&expected()) };
        // Programs write 1000.0 and 1e3 where they mean 1000.
        let float = || number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9e15);
        let whole = number.as_i64().or_else(|| float().map(|n| n as i64));
        let fits = whole.filter(|whole| range.contains(whole));
        match fits.and_then(|whole| N::try_from(whole).ok()) {
            Some(number) => number,
            None => self.wrong_value(&format!("must be {}", expected()), "Change the number."),
        }
    }

    pub fn number(self) -> f64 {
        self.value.as_f64().unwrap_or_else(|| self.wrong_type("a number"))
    }

    pub fn word<W: Word>(self) -> W {
        let Value::String(text) = self.value else { return self.wrong_type("a text") };
        match W::ALL.iter().find(|(word, _)| word == text) {
            Some((_, value)) => *value,
            None => self.wrong_value("is not a word that is known here", {
                did_you_mean(text, &W::known())
            }),
        }
    }

    pub fn map(self) -> Map<String, Value> {
        match self.value {
            Value::Object(map) => map.clone(),
            _ => self.wrong_type("an object"),
        }
    }

    pub fn object<T: Default>(self, read: impl FnOnce(&Object<'_>) -> T) -> T {
        let Value::Object(map) = self.value else { return self.wrong_type("an object") };
        let object = Object::new(self, map);
        let value = read(&object);
        object.refuse_unknown();
        value
    }

    /// A list of `few` to `most`, each read in its turn.
    pub fn list<T>(self, range: RangeInclusive<usize>, each: impl Fn(At<'_>) -> T) -> Vec<T> {
        let Value::Array(values) = self.value else { return self.wrong_type("a list") };
        if values.len() < *range.start() {
            return self.wrong_value(
                &format!("needs at least {}", range.start()),
                "Add one, or leave the field out.",
            );
        }
        if values.len() > *range.end() {
            let message = format!("{} has more than {}", self.place.name(), range.end());
            self.report(ProblemCode::TooLarge, message, "Split it.");
            return Vec::new();
        }
        let read = values.iter().enumerate().map(|(index, value)| {
            let place = self.place.index(index);
            each(At { value, place: &place, ..self })
        });
        // Past a hundred problems nobody learns more, and a hostile list would cost time.
        read.take_while(|_| !self.gathered.is_full()).collect()
    }

    /// A list of different words.
    pub fn words<W: Word>(self, fewest: usize) -> Vec<W> {
        // More than there are would name one twice; saying so is clearer than a count.
        let words: Vec<W> = self.list(fewest..=100, |word| word.word());
        let whole = self.value.as_array().is_some_and(|list| list.len() == words.len());
        if whole && (1..words.len()).any(|index| words[..index].contains(&words[index])) {
            return self.wrong_value("names a word twice", "Name each once.");
        }
        words
    }

    /// The fields of a free object, each read in its turn.
    pub fn fields<T>(self, most: usize, each: impl Fn(At<'_>) -> T) -> Vec<(String, T)> {
        let Value::Object(map) = self.value else { return self.wrong_type("an object") };
        if map.len() > most {
            let message = format!("{} has more than {most} fields", self.place.name());
            self.report(ProblemCode::TooLarge, message, "Leave some out.");
            return Vec::new();
        }
        let read = map.iter().map(|(name, value)| {
            let place = self.place.field(name);
            (name.clone(), each(At { value, place: &place, ..self }))
        });
        read.collect()
    }
}
