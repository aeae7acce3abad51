//! `date.parse`: a text as a time.

use devrig_core::{Error, Result};
use jiff::Zoned;
use jiff::civil::{Date, Time};
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use super::format::LONGEST_FORMAT;
use super::moment;
use crate::action::{About, Effect};
use crate::actions::compute::Compute;

const ABOUT: About = About {
    name: "date.parse",
    title: "Read a time",
    text: "Reads a time and gives its parts. Without `format` it reads ISO 8601 (RFC 3339, also \
        with a zone behind), dates with or without a time, what mails and HTTP headers have, and \
        numbers since 1970.\n\n\
        With `format` it reads any other form, written as `strptime` has it: `%d.%m.%Y %H:%M`, \
        `%b %d, %Y`, `%I:%M %p`. Names of months and days are English. What the format leaves out \
        is the first: the first day, midnight.\n\n\
        What says no zone is a time of `timezone`, and the result is given there: a time that a \
        change of the clock leaves out is the one after the change, of one that comes twice the \
        first is meant.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "date": {
                "type": ["string", "number", "object"],
                "description": "The time, or what another date action gave."
            },
            "format": {
                "type": "string",
                "description": "How it is written, such as `%d.%m.%Y`."
            },
            "unit": {
                "enum": ["milliseconds", "seconds"], "default": "milliseconds",
                "description": "What a number counts, also one in a text."
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
        "date": "20.11.2026 10:30",
        "format": "%d.%m.%Y %H:%M",
        "timezone": "Europe/Berlin"
    }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Parse;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    date: Value,
    format: Option<String>,
    unit: Option<Unit>,
    timezone: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Unit {
    Milliseconds = 1,
    Seconds = 1_000,
}

impl Compute for Parse {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let zone = moment::zone(input.timezone.as_deref())?;
        let time = match (&input.format, input.unit) {
            (Some(format), _) => formatted(&input.date, format, zone.as_ref())?,
            (None, Some(unit)) => counted(&input.date, unit).map_or_else(
                || moment::read(&input.date, zone.as_ref(), "date"),
                |time| Ok(moment::in_zone(time, zone.as_ref())),
            )?,
            (None, None) => moment::read(&input.date, zone.as_ref(), "date")?,
        };
        Ok(moment::describe(&time))
    }
}

fn counted(date: &Value, unit: Unit) -> Option<Zoned> {
    let number = match date {
        Value::String(text) => Value::Number(text.trim().parse().ok()?),
        other => other.clone(),
    };
    moment::from_number(&number, unit as i64)
}

fn formatted(date: &Value, format: &str, zone: Option<&TimeZone>) -> Result<Zoned> {
    let Value::String(text) = date else {
        return Err(Error::invalid("date is no text, so it has no format")
            .hint("Leave format out, or say the unit of a number."));
    };
    if format.len() > LONGEST_FORMAT {
        return Err(Error::invalid(format!("format is longer than {LONGEST_FORMAT} bytes")));
    }
    // The library's own message holds the text, which can be anything.
    let unread = |_| {
        Error::invalid(format!("date is not written as {format:?}"))
            .hint("The format must cover the whole text: %d.%m.%Y reads 20.11.2026.")
    };
    let parts = strtime::parse(format, text.trim()).map_err(unread)?;
    let time = assemble(parts, zone.cloned().unwrap_or(TimeZone::UTC)).map_err(unread)?;
    Ok(moment::in_zone(time, zone))
}

fn assemble(mut parts: BrokenDownTime, zone: TimeZone) -> Result<Zoned, jiff::Error> {
    if parts.timestamp().is_some() || parts.offset().is_some() || parts.iana_time_zone().is_some() {
        return parts.to_zoned();
    }
    let date = date(&mut parts)?;
    let time = if parts.hour().is_some() { parts.to_time()? } else { Time::midnight() };
    date.to_datetime(time).to_zoned(zone)
}

fn date(parts: &mut BrokenDownTime) -> Result<Date, jiff::Error> {
    parts.to_date().or_else(|_| {
        if parts.month().is_none() {
            parts.set_month(Some(1))?;
        }
        if parts.day().is_none() {
            parts.set_day(Some(1))?;
        }
        parts.to_date()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::actions::tests::{fails, run};

    fn iso(config: Value) -> Value {
        run("date.parse", config).unwrap()["iso"].take()
    }

    #[test]
    fn formats_say_how_it_is_written() {
        for (date, format, timezone, expected) in [
            ("20.11.2026", "%d.%m.%Y", "UTC", "2026-11-20T00:00:00Z"),
            (" 20.11.2026 10:30 ", "%d.%m.%Y %H:%M", "Europe/Berlin", "2026-11-20T10:30:00+01:00"),
            ("Nov 3, 2026 1:05 pm", "%b %d, %Y %I:%M %p", "UTC", "2026-11-03T13:05:00Z"),
            (
                "2026-11-20 10:30 -0500",
                "%Y-%m-%d %H:%M %z",
                "Europe/Berlin",
                "2026-11-20T16:30:00+01:00",
            ),
            ("1795167000", "%s", "Europe/Berlin", "2026-11-20T10:30:00+01:00"),
            ("November 2026", "%B %Y", "UTC", "2026-11-01T00:00:00Z"),
            ("2026", "%Y", "UTC", "2026-01-01T00:00:00Z"),
        ] {
            let config = json!({ "date": date, "format": format, "timezone": timezone });
            assert_eq!(iso(config), expected, "{date}");
        }
    }

    #[test]
    fn numbers_count_in_their_unit() {
        for (date, unit, expected) in [
            (json!(1_795_167_000), "seconds", "2026-11-20T09:30:00Z"),
            (json!("1795167000"), "seconds", "2026-11-20T09:30:00Z"),
            (json!(1_795_167_000.5), "seconds", "2026-11-20T09:30:00.5Z"),
            (json!("1795167000000"), "milliseconds", "2026-11-20T09:30:00Z"),
            (json!("2026-11-20"), "seconds", "2026-11-20T00:00:00Z"),
        ] {
            assert_eq!(iso(json!({ "date": date, "unit": unit })), expected, "{date}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told_without_the_text() {
        fails(
            "date.parse",
            &[
                (json!({ "date": "secret" }), "date is text that is no time"),
                (json!({ "date": "secret", "format": "%Y" }), "date is not written as \"%Y\""),
                (json!({ "date": "31.02.2026", "format": "%d.%m.%Y" }), "date is not written as"),
                (json!({ "date": "12:30", "format": "%H:%M" }), "date is not written as"),
                (json!({ "date": 1, "format": "%Y" }), "date is no text"),
                (json!({ "date": "a", "format": "%Y".repeat(200) }), "format is longer than"),
                (json!({ "date": "2026-01-01", "timezone": "Berlin" }), "timezone is not the name"),
            ],
        );
        let config = json!({ "date": "secret", "format": "%Y" });
        assert!(!run("date.parse", config).unwrap_err().message.contains("secret"));
    }
}
