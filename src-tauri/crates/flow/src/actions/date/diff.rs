//! `date.diff`: how long it is between two times.

use devrig_core::{Error, Result};
use jiff::{Span, Unit, Zoned};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::moment;
use crate::action::{About, Effect};
use crate::actions::compute::Compute;

const ABOUT: About = About {
    name: "date.diff",
    title: "Between two times",
    text: "Gives how long it is from one time to another; negative when `to` is before `from`. \
        Days and longer units go by the calendar of the zone, so a day is not always 24 hours.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "from": {
                "type": ["string", "number", "object"],
                "description": "A time, milliseconds since 1970, or what another date action gave."
            },
            "to": {
                "type": ["string", "number", "object"],
                "description": "As `from`."
            },
            "unit": {
                "enum": [
                    "years", "months", "weeks", "days", "hours", "minutes", "seconds",
                    "milliseconds"
                ],
                "default": "days",
                "description": "What is counted, and the largest of the parts."
            },
            "timezone": {
                "type": "string",
                "description": "A name such as `Europe/Berlin`. Without it that of `from`, or UTC."
            }
        },
        "required": ["from", "to"],
        "additionalProperties": false
    }"#,
    output: r#"{
        "type": "object",
        "properties": {
            "total": { "type": "number", "description": "In the unit, with a fraction." },
            "whole": { "type": "integer", "description": "In the unit, without what is left." },
            "parts": {
                "type": "object",
                "additionalProperties": { "type": "integer" },
                "description": "The whole units and what is left, down to milliseconds."
            },
            "iso": { "type": "string", "description": "Such as `P3DT4H`." },
            "milliseconds": { "type": "integer" }
        },
        "required": ["total", "whole", "parts", "iso", "milliseconds"]
    }"#,
    example: r#"{
        "from": "2026-11-20T09:30:00Z",
        "to": "2026-11-23T21:30:00Z",
        "unit": "days"
    }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Diff;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    from: Value,
    to: Value,
    #[serde(default)]
    unit: Largest,
    timezone: Option<String>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Largest {
    Years,
    Months,
    Weeks,
    #[default]
    Days,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

impl Compute for Diff {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let zone = moment::zone(input.timezone.as_deref())?;
        let from = moment::read(&input.from, zone.as_ref(), "from")?;
        let to = moment::read(&input.to, zone.as_ref(), "to")?;
        let to = to.with_time_zone(from.time_zone().clone());
        // Every difference of two times that can be written fits a span.
        between(&from, &to, input.unit.unit()).map_err(|error| Error::internal(error.to_string()))
    }
}

impl Largest {
    fn unit(self) -> Unit {
        match self {
            Self::Years => Unit::Year,
            Self::Months => Unit::Month,
            Self::Weeks => Unit::Week,
            Self::Days => Unit::Day,
            Self::Hours => Unit::Hour,
            Self::Minutes => Unit::Minute,
            Self::Seconds => Unit::Second,
            Self::Milliseconds => Unit::Millisecond,
        }
    }
}

fn between(from: &Zoned, to: &Zoned, unit: Unit) -> Result<Value, jiff::Error> {
    let span = from.until((unit, to))?;
    let parts = parts(&span, unit);
    Ok(json!({
        "total": span.total((unit, from))?,
        "whole": parts.values().next(),
        "parts": parts,
        "iso": span.to_string(),
        "milliseconds": to.timestamp().as_millisecond() - from.timestamp().as_millisecond(),
    }))
}

/// From the largest unit down. Weeks are only counted when they are the largest.
fn parts(span: &Span, largest: Unit) -> Map<String, Value> {
    let all: [(Unit, &str, i64); 8] = [
        (Unit::Year, "years", span.get_years().into()),
        (Unit::Month, "months", span.get_months().into()),
        (Unit::Week, "weeks", span.get_weeks().into()),
        (Unit::Day, "days", span.get_days().into()),
        (Unit::Hour, "hours", span.get_hours().into()),
        (Unit::Minute, "minutes", span.get_minutes()),
        (Unit::Second, "seconds", span.get_seconds()),
        (Unit::Millisecond, "milliseconds", span.get_milliseconds()),
    ];
    let counted = all
        .into_iter()
        .filter(|(unit, ..)| *unit <= largest && (*unit != Unit::Week || largest == Unit::Week));
    counted.map(|(_, name, count)| (name.to_owned(), count.into())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use crate::actions::tests::{fails, gives, run};

    fn diff(from: &str, to: &str, unit: &str) -> Value {
        json!({ "from": from, "to": to, "unit": unit, "timezone": "Europe/Berlin" })
    }

    #[test]
    fn each_unit_is_counted_by_the_calendar() {
        gives(
            "date.diff",
            &[
                (
                    diff("2026-01-31T12:00", "2027-03-01T13:30", "years"),
                    json!({
                        "total": 1.0796232876712328, "whole": 1, "iso": "P1Y1M1DT1H30M",
                        "milliseconds": 34_047_000_000_i64,
                        "parts": {
                            "years": 1, "months": 1, "days": 1,
                            "hours": 1, "minutes": 30, "seconds": 0, "milliseconds": 0,
                        },
                    }),
                ),
                (
                    diff("2026-03-28T12:00", "2026-03-29T12:00", "days"),
                    json!({
                        "total": 1.0, "whole": 1, "iso": "P1D", "milliseconds": 82_800_000,
                        "parts": {
                            "days": 1, "hours": 0, "minutes": 0, "seconds": 0, "milliseconds": 0,
                        },
                    }),
                ),
                (
                    diff("2026-03-29T12:00", "2026-03-28T12:00", "hours"),
                    json!({
                        "total": -23.0, "whole": -23, "iso": "-PT23H", "milliseconds": -82_800_000,
                        "parts": { "hours": -23, "minutes": 0, "seconds": 0, "milliseconds": 0 },
                    }),
                ),
                (
                    diff("2026-11-01", "2026-11-18T12:00", "weeks"),
                    json!({
                        "total": 2.5, "whole": 2, "iso": "P2W3DT12H", "milliseconds": 1_512_000_000,
                        "parts": {
                            "weeks": 2, "days": 3,
                            "hours": 12, "minutes": 0, "seconds": 0, "milliseconds": 0,
                        },
                    }),
                ),
                (
                    json!({ "from": 0, "to": 1.0, "unit": "milliseconds" }),
                    json!({
                        "total": 1.0, "whole": 1, "iso": "PT0.001S", "milliseconds": 1,
                        "parts": { "milliseconds": 1 },
                    }),
                ),
            ],
        );
    }

    #[test]
    fn times_are_told_by_their_field() {
        fails(
            "date.diff",
            &[
                (json!({ "from": "x", "to": 0 }), "from is text that is no time"),
                (json!({ "from": 0, "to": [] }), "to is a list that is no time"),
            ],
        );
    }

    const UNITS: [&str; 8] =
        ["years", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds"];

    proptest! {
        #[test]
        fn what_is_between_two_times_leads_from_one_to_the_other(
            from in -60_000_000_000_000_i64..200_000_000_000_000,
            to in -60_000_000_000_000_i64..200_000_000_000_000,
            unit in prop::sample::select(UNITS.to_vec()),
        ) {
            let zone = "America/New_York";
            let diff = json!({ "from": from, "to": to, "unit": unit, "timezone": zone });
            let parts = run("date.diff", diff).unwrap()["parts"].take();
            let add = json!({ "date": from, "add": parts, "timezone": zone });
            prop_assert_eq!(&run("date.add", add).unwrap()["milliseconds"], to);
        }
    }
}
