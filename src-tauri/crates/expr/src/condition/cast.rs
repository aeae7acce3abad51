//! Conversions that a condition asks for by name.

use jiff::Timestamp;
use serde_json::Value;

use crate::data::Data;
use crate::instant;
use crate::number::Number;
use crate::view::View;

/// What a comparison looks at. Dates are a kind of their own, so that they cannot be mistaken for
/// their text.
#[derive(Debug, Clone)]
pub(super) enum Operand<'a> {
    Data(Data<'a>),
    Date(Timestamp),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cast {
    Number,
    String,
    Boolean,
    Date,
    Json,
}

impl Cast {
    pub const ALL: [(&'static str, Cast); 5] = [
        ("number", Cast::Number),
        ("string", Cast::String),
        ("boolean", Cast::Boolean),
        ("date", Cast::Date),
        ("json", Cast::Json),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, cast)| *cast == self).map_or("", |(name, _)| name)
    }
}

impl<'a> Operand<'a> {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Data(data) => data.view().kind(),
            Self::Date(_) => "a date",
        }
    }

    /// Null counts as absent: services write it for what is not set.
    pub fn is_there(&self) -> bool {
        !matches!(self, Self::Data(data) if matches!(data.view(), View::Null))
    }

    /// For whoever is asked outside: dates as text, secrets masked.
    pub fn to_public_value(&self) -> Value {
        match self {
            Self::Data(data) => data.view().to_masked_value(),
            Self::Date(date) => Value::String(instant::write(*date)),
        }
    }

    /// Nothing where the value cannot be read as that.
    pub fn cast(self, to: Cast) -> Option<Operand<'a>> {
        let cast = match to {
            Cast::Number => Data::from(self.number()?.to_json()),
            Cast::Boolean => Data::from(self.boolean()?),
            Cast::Date => return self.date().map(Operand::Date),
            Cast::String => return self.string(),
            Cast::Json => return self.json(),
        };
        Some(Operand::Data(cast))
    }

    fn number(&self) -> Option<Number> {
        match self {
            Self::Date(date) => Some(Number::Whole(date.as_millisecond().into())),
            Self::Data(data) => match data.view() {
                View::Number(number) => Some(number),
                view => {
                    let number: serde_json::Number =
                        serde_json::from_str(view.text()?.trim()).ok()?;
                    Some(Number::of(&number))
                }
            },
        }
    }

    fn boolean(&self) -> Option<bool> {
        let Self::Data(data) = self else { return None };
        match data.view() {
            View::Bool(flag) => Some(flag),
            View::Number(number) => match number.to_whole() {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
            view => {
                let text = view.text()?.trim();
                let is = |word: &str| text.eq_ignore_ascii_case(word);
                if is("true") { Some(true) } else { is("false").then_some(false) }
            }
        }
    }

    fn date(&self) -> Option<Timestamp> {
        match self {
            Self::Date(date) => Some(*date),
            Self::Data(data) => instant::read(data.view()),
        }
    }

    fn string(self) -> Option<Operand<'a>> {
        let text = match &self {
            Self::Date(date) => instant::write(*date),
            Self::Data(data) => match data.view() {
                View::Null => return None,
                View::Text(_) | View::Secret(_) => return Some(self),
                View::Number(number) => number.to_string(),
                // An object of roots may hold secrets, which no text may carry on.
                view => view.to_masked_value().to_string(),
            },
        };
        Some(Operand::Data(text.into()))
    }

    /// Text that holds JSON is parsed; everything else is JSON already.
    fn json(self) -> Option<Operand<'a>> {
        match &self {
            Self::Data(data) => match data.view().text() {
                Some(text) => {
                    let value: Value = serde_json::from_str(text).ok()?;
                    Some(Operand::Data(value.into()))
                }
                None => Some(self),
            },
            Self::Date(_) => self.string(),
        }
    }
}
