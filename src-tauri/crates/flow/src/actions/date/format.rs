//! `date.format`: a time as text.

use devrig_core::{Error, Result, nearest};
use jiff::Zoned;
use jiff::fmt::{rfc2822, strtime};
use serde::Deserialize;
use serde_json::Value;

use super::moment;
use crate::action::{About, Effect};
use crate::actions::compute::Compute;

const ABOUT: About = About {
    name: "date.format",
    title: "Write a time",
    text: "Writes a time as text. `format` is one of\n\n\
        - `iso`: RFC 3339, `2026-11-20T10:30:00+01:00`\n\
        - `date`: `2026-11-20`, `time`: `10:30:00`\n\
        - `mail`: as mails have it, `http`: as HTTP headers have it\n\
        - `seconds`, `milliseconds`: since 1970\n\n\
        or a form with `%` as `strftime` has it: `%d.%m.%Y %H:%M`, `%A, %B %-d`. Names are \
        English.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "date": {
                "type": ["string", "number", "object"],
                "description": "A time, milliseconds since 1970, or what another date action gave."
            },
            "format": {
                "type": "string", "default": "iso",
                "description": "A name such as `iso`, or a form such as `%d.%m.%Y`."
            },
            "timezone": {
                "type": "string",
                "description": "A name such as `Europe/Berlin`. Without it the time's own, or UTC."
            }
        },
        "required": ["date"],
        "additionalProperties": false
    }"#,
    output: r#"{ "type": "string" }"#,
    example: r#"{
        "date": "2026-11-20T09:30:00Z",
        "format": "%A, %d.%m.%Y %H:%M",
        "timezone": "Europe/Berlin"
    }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) const LONGEST_FORMAT: usize = 200;

pub(super) struct Format;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    date: Value,
    format: Option<String>,
    timezone: Option<String>,
}

const NAMES: [&str; 7] = ["iso", "date", "time", "mail", "http", "seconds", "milliseconds"];

impl Compute for Format {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let zone = moment::zone(input.timezone.as_deref())?;
        let time = moment::read(&input.date, zone.as_ref(), "date")?;
        write(&time, input.format.as_deref().unwrap_or("iso")).map(Value::String)
    }
}

fn write(time: &Zoned, format: &str) -> Result<String> {
    let instant = time.timestamp();
    let out_of_range = |_| Error::invalid("the year is outside of what that format can write");
    match format {
        "iso" => Ok(moment::iso(time)),
        "date" => Ok(time.date().to_string()),
        "time" => Ok(time.strftime("%H:%M:%S").to_string()),
        "mail" => rfc2822::to_string(time).map_err(out_of_range),
        "http" => rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&instant)
            .map_err(out_of_range),
        "seconds" => Ok(instant.as_second().to_string()),
        "milliseconds" => Ok(instant.as_millisecond().to_string()),
        format => formed(time, format),
    }
}

fn formed(time: &Zoned, format: &str) -> Result<String> {
    if format.len() > LONGEST_FORMAT {
        return Err(Error::invalid(format!("format is longer than {LONGEST_FORMAT} bytes"))
            .hint("Write the text around the time outside of it."));
    }
    if !format.contains('%') {
        let hint = match nearest(format, &NAMES) {
            Some(near) => format!("Did you mean {near}?"),
            None => format!("Use a form such as %d.%m.%Y, or one of {}.", NAMES.join(", ")),
        };
        return Err(Error::invalid(format!("there is no format {format:?}")).hint(hint));
    }
    strtime::format(format, time).map_err(|error| {
        Error::invalid(format!("the format is not understood: {error}"))
            .hint("Use %Y %m %d %H %M %S %A %B and the like, and %% for a percent sign.")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::actions::tests::{fails, gives};

    #[test]
    fn names_and_forms_are_written() {
        let date = "2026-03-01T09:05:07.25Z";
        let of =
            |format: &str| json!({ "date": date, "format": format, "timezone": "Europe/Berlin" });
        gives(
            "date.format",
            &[
                (json!({ "date": 0 }), json!("1970-01-01T00:00:00Z")),
                (of("iso"), json!("2026-03-01T10:05:07.25+01:00")),
                (of("date"), json!("2026-03-01")),
                (of("time"), json!("10:05:07")),
                (of("mail"), json!("Sun, 1 Mar 2026 10:05:07 +0100")),
                (of("http"), json!("Sun, 01 Mar 2026 09:05:07 GMT")),
                (of("seconds"), json!("1772355907")),
                (of("milliseconds"), json!("1772355907250")),
                (of("%A %-d %B, %I:%M %p %Z 100%%"), json!("Sunday 1 March, 10:05 AM CET 100%")),
                (of("%Y-W%V %j %Q"), json!("2026-W09 060 Europe/Berlin")),
            ],
        );
    }

    #[test]
    fn unknown_formats_are_told() {
        let of = |format: &str| json!({ "date": 0, "format": format });
        fails(
            "date.format",
            &[
                (of("YYYY"), "there is no format \"YYYY\""),
                (of("%"), "the format is not understood"),
                (of("%!"), "the format is not understood"),
                (of(&"%Y".repeat(101)), "format is longer than 200"),
                (
                    json!({ "date": -62_200_000_000_000_i64, "format": "mail" }),
                    "outside of what that format",
                ),
            ],
        );
    }
}
