//! `date.add`: a time some time later or earlier.

use devrig_core::{Error, Result};
use devrig_expr::View;
use jiff::civil::Date;
use jiff::{RoundMode, SignedDuration, Span, ToSpan, Unit, Zoned, ZonedRound};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::moment;
use crate::action::{About, Effect};
use crate::actions::compute::Compute;

const ABOUT: About = About {
    name: "date.add",
    title: "Add to a time",
    text: "Gives a time that is `add` later: an object of units such as \
        `{ \"months\": 1, \"days\": -3 }`, or a text such as `1 month`, `-3 days`, `2h 30m` or \
        `P1DT12H`.\n\n\
        Years, months, weeks and days go by the calendar of the zone: a day later is the same \
        hour, also where the clock is changed, and a month after January 31 is the last of \
        February. \
        Hours and less are exact. Years and months are added first, then days, then the rest.\n\n\
        With `startOf` it first goes back to the beginning of that unit; weeks begin on Monday. So \
        `startOf: \"month\"` with `1 month` is the beginning of the next month.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "date": {
                "type": ["string", "number", "object"],
                "description": "A time, milliseconds since 1970, or what another date action gave."
            },
            "add": {
                "type": ["object", "string"],
                "properties": {
                    "years": { "type": "integer" },
                    "months": { "type": "integer" },
                    "weeks": { "type": "integer" },
                    "days": { "type": "integer" },
                    "hours": { "type": "integer" },
                    "minutes": { "type": "integer" },
                    "seconds": { "type": "integer" },
                    "milliseconds": { "type": "integer" }
                },
                "additionalProperties": false,
                "description": "How much later; earlier where it is negative."
            },
            "startOf": {
                "enum": ["year", "quarter", "month", "week", "day", "hour", "minute"],
                "description": "The unit whose beginning is counted from."
            },
            "timezone": {
                "type": "string",
                "description": "A name such as `Europe/Berlin`. Without it the time's own, or UTC."
            }
        },
        "required": ["date"],
        "additionalProperties": false
    }"#,
    output: moment::OUTPUT,
    example: r#"{
        "date": "2026-11-20T09:30:00Z",
        "startOf": "day",
        "add": { "days": 1, "hours": 9 },
        "timezone": "Europe/Berlin"
    }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Add;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input {
    date: Value,
    add: Option<Amount>,
    start_of: Option<Start>,
    timezone: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Amount {
    Text(String),
    Units(Map<String, Value>),
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Start {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
}

impl Compute for Add {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let zone = moment::zone(input.timezone.as_deref())?;
        let mut time = moment::read(&input.date, zone.as_ref(), "date")?;
        if let Some(start) = input.start_of {
            time = start.of(&time).map_err(|_| out_of_range())?;
        }
        let sum = match input.add {
            None => Ok(time),
            Some(Amount::Text(text)) => time.checked_add(span(&text)?),
            Some(Amount::Units(units)) => Sum::of(&units)?.added_to(&time),
        };
        Ok(moment::describe(&sum.map_err(|_| out_of_range())?))
    }
}

fn out_of_range() -> Error {
    Error::invalid("the result is before the year -9999 or after 9999").hint("Add less.")
}

fn span(text: &str) -> Result<Span> {
    text.trim().parse().map_err(|_| {
        Error::invalid("add is no amount of time")
            .hint("Write 1 month, -3 days, 2h 30m or P1DT12H.")
    })
}

/// What is added, in three kinds. The library's spans are positive or negative as a whole, so
/// that they cannot hold a month less a day.
#[derive(Default)]
struct Sum {
    months: i64,
    days: i64,
    milliseconds: i64,
}

impl Sum {
    fn of(units: &Map<String, Value>) -> Result<Self> {
        let mut sum = Self::default();
        for (name, value) in units {
            let (kind, each) = sum.kind(name).ok_or_else(unknown_unit)?;
            let more = whole(name, value)?.checked_mul(each);
            *kind = more.and_then(|more| more.checked_add(*kind)).ok_or_else(out_of_range)?;
        }
        Ok(sum)
    }

    /// Where a unit is counted, and how many of that it has.
    fn kind(&mut self, unit: &str) -> Option<(&mut i64, i64)> {
        Some(match unit {
            "years" => (&mut self.months, 12),
            "months" => (&mut self.months, 1),
            "weeks" => (&mut self.days, 7),
            "days" => (&mut self.days, 1),
            "hours" => (&mut self.milliseconds, 3_600_000),
            "minutes" => (&mut self.milliseconds, 60_000),
            "seconds" => (&mut self.milliseconds, 1_000),
            "milliseconds" => (&mut self.milliseconds, 1),
            _ => return None,
        })
    }

    fn added_to(&self, time: &Zoned) -> Result<Zoned, jiff::Error> {
        let (months, days) =
            (Span::new().try_months(self.months)?, Span::new().try_days(self.days)?);
        let on_day = if self.months == 0 && self.days == 0 {
            time.clone()
        } else {
            // The clock's changes count only where this ends, not on the way.
            let local = time.datetime().checked_add(months)?.checked_add(days)?;
            local.to_zoned(time.time_zone().clone())?
        };
        on_day.checked_add(SignedDuration::from_millis(self.milliseconds))
    }
}

fn whole(name: &str, value: &Value) -> Result<i64> {
    let number = match View::of(value) {
        View::Number(number) => number.to_whole().and_then(|whole| i64::try_from(whole).ok()),
        _ => None,
    };
    number.ok_or_else(|| {
        Error::invalid(format!("add.{name} is not a whole number"))
            .hint("Use a smaller unit for parts of one.")
    })
}

fn unknown_unit() -> Error {
    Error::invalid("add has a unit that is not known")
        .hint("Use years, months, weeks, days, hours, minutes, seconds or milliseconds.")
}

impl Start {
    fn of(self, time: &Zoned) -> Result<Zoned, jiff::Error> {
        let day = time.date();
        let first = match self {
            Self::Year => Date::new(day.year(), 1, 1)?,
            Self::Quarter => Date::new(day.year(), (day.month() - 1) / 3 * 3 + 1, 1)?,
            Self::Month => day.first_of_month(),
            Self::Week => {
                day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days())?
            }
            Self::Day => day,
            Self::Hour => return time.round(down(Unit::Hour)),
            Self::Minute => return time.round(down(Unit::Minute)),
        };
        first.to_zoned(time.time_zone().clone())
    }
}

fn down(unit: Unit) -> ZonedRound {
    ZonedRound::new().smallest(unit).mode(RoundMode::Floor)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::actions::tests::{fails, run};

    fn later(date: &str, add: Value, start_of: Option<&str>) -> Value {
        let mut config = json!({ "date": date, "add": add, "timezone": "Europe/Berlin" });
        if let Some(unit) = start_of {
            config["startOf"] = json!(unit);
        }
        run("date.add", config).unwrap()["iso"].take()
    }

    #[test]
    fn calendar_units_keep_the_clock_and_others_the_length() {
        for (date, add, expected) in [
            ("2026-01-31T12:00", json!({ "months": 1 }), "2026-02-28T12:00:00+01:00"),
            ("2024-02-29T12:00", json!({ "years": 1 }), "2025-02-28T12:00:00+01:00"),
            ("2026-03-28T12:00", json!({ "days": 1 }), "2026-03-29T12:00:00+02:00"),
            ("2026-03-28T12:00", json!({ "hours": 24 }), "2026-03-29T13:00:00+02:00"),
            ("2026-03-28T02:30", json!("1 day"), "2026-03-29T03:30:00+02:00"),
            ("2026-01-29T02:30", json!({ "months": 2, "days": 1 }), "2026-03-30T02:30:00+02:00"),
            ("2026-10-24T02:30", json!("1 day"), "2026-10-25T02:30:00+02:00"),
            (
                "2026-11-20T12:00",
                json!({ "weeks": -1, "minutes": -30.0 }),
                "2026-11-13T11:30:00+01:00",
            ),
            ("2026-11-20T12:00", json!("-3 days"), "2026-11-17T12:00:00+01:00"),
            ("2026-11-20T12:00", json!("2h 30m"), "2026-11-20T14:30:00+01:00"),
            ("2026-11-20T12:00", json!("P1DT12H"), "2026-11-22T00:00:00+01:00"),
            ("2026-11-20T12:00", json!({ "milliseconds": 1 }), "2026-11-20T12:00:00.001+01:00"),
            ("2026-11-20T12:00", json!({}), "2026-11-20T12:00:00+01:00"),
        ] {
            assert_eq!(later(date, add.clone(), None), expected, "{date} {add}");
        }
    }

    #[test]
    fn units_begin_where_the_calendar_says() {
        for (unit, expected) in [
            ("year", "2026-01-01T00:00:00+01:00"),
            ("quarter", "2026-10-01T00:00:00+02:00"),
            ("month", "2026-11-01T00:00:00+01:00"),
            ("week", "2026-11-16T00:00:00+01:00"),
            ("day", "2026-11-22T00:00:00+01:00"),
            ("hour", "2026-11-22T13:00:00+01:00"),
            ("minute", "2026-11-22T13:45:00+01:00"),
        ] {
            assert_eq!(later("2026-11-22T13:45:59.9", json!({}), Some(unit)), expected, "{unit}");
        }
        let end = later("2026-02-10", json!({ "months": 1, "days": -1 }), Some("month"));
        assert_eq!(end, "2026-02-28T00:00:00+01:00", "the units are added one after the other");
    }

    #[test]
    fn the_zone_of_the_time_is_kept() {
        let given = json!({ "date": "2026-03-28T12:00:00-04:00", "add": "1 day" });
        let sum = run("date.add", given).unwrap();
        assert_eq!(
            (&sum["iso"], &sum["timezone"]),
            (&json!("2026-03-29T12:00:00-04:00"), &json!("-04:00"))
        );
    }

    #[test]
    fn what_cannot_be_added_is_told() {
        let of = |add: Value| json!({ "date": "2026-11-20", "add": add });
        fails(
            "date.add",
            &[
                (of(json!("soon")), "add is no amount of time"),
                (of(json!({ "days": 1.5 })), "add.days is not a whole number"),
                (of(json!({ "days": "1" })), "add.days is not a whole number"),
                (of(json!({ "moons": 1 })), "a unit that is not known"),
                (of(json!({ "years": 9_000 })), "before the year -9999 or after 9999"),
                (of(json!({ "years": i64::MAX })), "before the year -9999 or after 9999"),
                (of(json!(["1 day"])), "of another kind"),
            ],
        );
    }
}
