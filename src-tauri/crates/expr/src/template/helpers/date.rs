//! Times, read in any usual form and written in a chosen one.

use devrig_core::{Error, Result};
use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{Args, Helper, Literals, Outcome};
use crate::instant;
use crate::template::budget::Budget;
use crate::view::View;
use crate::zone;

pub(super) const HELPERS: &[Helper] = &[Helper {
    name: "date",
    usage: "date when format tz=\"UTC\"",
    about: "A time in a chosen form: `%Y-%m-%d %H:%M`, as `strftime` has it, or RFC 3339 if none \
            is given. `when` is RFC 3339 text, a day, a mail's date or milliseconds since 1970; \
            nothing stays nothing.",
    example: ("{{date pr.createdAt \"%d.%m.%Y %H:%M\" tz=\"Europe/Berlin\"}}", "20.11.2026 10:30"),
    least: 1,
    most: 2,
    hash: &["tz"],
    run: date,
    check: Some(check),
}];

const LONGEST_FORMAT: usize = 200;

fn date<'a>(args: &mut Args<'a>, budget: &mut Budget) -> Outcome<'a> {
    let when = args.or_null(0);
    if matches!(when, View::Null) || when.text() == Some("") {
        return Ok(None);
    }
    let instant = instant::read(when).ok_or_else(|| {
        Error::invalid(format!("date was given {} that is no time", when.kind()))
            .hint("Give 2026-11-20T09:30:00Z, 2026-11-20, or milliseconds since 1970.")
    })?;
    let zone = match args.option("tz") {
        Some(view) => zone::named(view.text().unwrap_or_default())?,
        None => TimeZone::UTC,
    };
    let format = if args.values.len() > 1 { args.text(1)? } else { "".into() };
    let text = write(instant, zone, &format)?;
    budget.allow(text.len())?;
    Ok(Some(text.into()))
}

fn write(instant: Timestamp, zone: TimeZone, format: &str) -> Result<String> {
    let format = match format {
        "" if zone == TimeZone::UTC => return Ok(instant::write(instant)),
        "" => "%Y-%m-%dT%H:%M:%S%:z",
        format => format,
    };
    if format.len() > LONGEST_FORMAT {
        return Err(Error::invalid(format!("the format is longer than {LONGEST_FORMAT} bytes"))
            .hint("Write the text around the time outside of the tag."));
    }
    strtime::format(format, &instant.to_zoned(zone)).map_err(|error| {
        Error::invalid(format!("the format of date is not understood: {error}"))
            .hint("Use %Y %m %d %H %M %S %A %B and the like, and %% for a percent sign.")
    })
}

fn check(literals: &Literals<'_>) -> Result<()> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    if let Some((_, Some(value))) = literals.hash.first() {
        zone::named(value.as_str().unwrap_or_default())?;
    }
    let format = text(literals.values.get(1).copied().flatten()).unwrap_or_default();
    write(Timestamp::UNIX_EPOCH, TimeZone::UTC, &format).map(drop)
}
