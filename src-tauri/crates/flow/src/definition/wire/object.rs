//! An object whose fields are known by name; any other is refused.

use std::cell::{Cell, RefCell};

use serde_json::{Map, Value};

use super::{At, Owner, did_you_mean};
use crate::definition::problem::ProblemCode;

pub(crate) struct Object<'a> {
    at: At<'a>,
    map: &'a Map<String, Value>,
    known: RefCell<Vec<&'static str>>,
    all_known: Cell<bool>,
}

impl<'a> Object<'a> {
    pub fn new(at: At<'a>, map: &'a Map<String, Value>) -> Self {
        Self { at, map, known: RefCell::default(), all_known: Cell::default() }
    }

    /// The same fields, with problems told of the one who owns them.
    pub fn owned_by<T>(&self, owner: Owner<'_>, read: impl FnOnce(&Object<'_>) -> T) -> T {
        let owned = Object::new(At { owner, ..self.at }, self.map);
        let value = read(&owned);
        owned.refuse_unknown();
        self.know_all();
        value
    }

    pub fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// The text of a field without a judgement on it.
    pub fn peek(&self, name: &str) -> &'a str {
        self.map.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn optional<T>(&self, name: &'static str, read: impl FnOnce(At<'_>) -> T) -> Option<T> {
        self.known.borrow_mut().push(name);
        let value = self.map.get(name)?;
        let place = self.at.place.field(name);
        Some(read(At { value, place: &place, ..self.at }))
    }

    pub fn or<T>(&self, name: &'static str, usual: T, read: impl FnOnce(At<'_>) -> T) -> T {
        self.optional(name, read).unwrap_or(usual)
    }

    pub fn required<T: Default>(&self, name: &'static str, read: impl FnOnce(At<'_>) -> T) -> T {
        self.optional(name, read).unwrap_or_else(|| {
            self.missing(name);
            T::default()
        })
    }

    pub fn missing(&self, name: &'static str) {
        let place = self.at.place.field(name);
        let message = format!("{name} is missing");
        let hint = format!("Add the field {name}.");
        self.at.report_at(&place, ProblemCode::MissingField, message, hint);
    }

    /// Knows a field only to say why it may not stand here.
    pub fn refuse(&self, name: &'static str, why: &str) {
        if let Some(()) = self.optional(name, |_| ()) {
            let place = self.at.place.field(name);
            let message = format!("{name} does not belong here: {why}");
            self.at.report_at(&place, ProblemCode::UnknownField, message, "Leave it out.");
        }
    }

    /// Refuses no field, where it cannot be said which ones belong here.
    pub fn know_all(&self) {
        self.all_known.set(true);
    }

    pub fn refuse_unknown(&self) {
        if self.all_known.get() {
            return;
        }
        let known = self.known.borrow();
        for name in self.map.keys().filter(|name| !known.contains(&name.as_str())) {
            let place = self.at.place.field(name);
            let shown: String = name.chars().take(60).collect();
            let message = format!("there is no field {shown:?} here");
            let free: Vec<&str> = known.iter().copied().filter(|name| !self.has(name)).collect();
            let hint = did_you_mean(name, &free);
            self.at.report_at(&place, ProblemCode::UnknownField, message, hint);
        }
    }
}
