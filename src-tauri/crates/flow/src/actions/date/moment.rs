//! A time as actions are given it, and as they give it.

use devrig_core::{Error, Result, nearest};
use devrig_expr::View;
use jiff::fmt::rfc2822;
use jiff::fmt::temporal::{DateTimeParser, DateTimePrinter};
use jiff::tz::{self, TimeZone};
use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};

/// The zone of that name, or nothing where none is named.
pub(super) fn zone(name: Option<&str>) -> Result<Option<TimeZone>> {
    name.map(named).transpose()
}

fn named(name: &str) -> Result<TimeZone> {
    TimeZone::get(name).map_err(|_| {
        let known: Vec<String> = tz::db().available().map(|name| name.to_string()).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let hint = match nearest(name, &known) {
            Some(near) => format!("Did you mean {near}?"),
            None => "Use a name such as Europe/Berlin or UTC.".to_owned(),
        };
        Error::invalid("timezone is not the name of a time zone").hint(hint)
    })
}

/// Reads RFC 3339, also with a zone behind (RFC 9557); a date with or without time, which is
/// `zone`'s; what mails and HTTP headers have; milliseconds since 1970; and what these actions
/// give. It comes in `zone`, otherwise as it is written, otherwise in UTC.
pub(super) fn read(value: &Value, zone: Option<&TimeZone>, field: &str) -> Result<Zoned> {
    let read = match value {
        Value::String(text) => parse(text.trim(), zone),
        Value::Number(_) => from_number(value, 1),
        Value::Object(map) => map.get("iso").and_then(Value::as_str).and_then(|iso| {
            let own = map.get("timezone").and_then(Value::as_str);
            let own = own.and_then(|name| TimeZone::get(name).ok());
            parse(iso, None).map(|time| in_zone(time, own.as_ref()))
        }),
        _ => None,
    };
    read.map(|time| in_zone(time, zone)).ok_or_else(|| unread(value, field))
}

fn unread(value: &Value, field: &str) -> Error {
    let kind = View::of(value).kind();
    Error::invalid(format!("{field} is {kind} that is no time")).hint(
        "Give 2026-11-20T09:30:00Z, 2026-11-20 or milliseconds; date.parse reads other forms.",
    )
}

fn parse(text: &str, zone: Option<&TimeZone>) -> Option<Zoned> {
    const PARSER: DateTimeParser = DateTimeParser::new();
    let Ok(pieces) = PARSER.parse_pieces(text) else {
        return rfc2822::parse(text).ok();
    };
    if pieces.time_zone_annotation().is_some() {
        return PARSER.parse_zoned(text).ok();
    }
    if let Some(offset) = pieces.to_numeric_offset() {
        let zone = TimeZone::fixed(offset);
        return PARSER.parse_timestamp(text).ok().map(|instant| instant.to_zoned(zone));
    }
    let local = pieces.date().to_datetime(pieces.time().unwrap_or_default());
    local.to_zoned(zone.cloned().unwrap_or(TimeZone::UTC)).ok()
}

/// In units of that many milliseconds.
pub(super) fn from_number(value: &Value, unit: i64) -> Option<Zoned> {
    let View::Number(number) = View::of(value) else { return None };
    let milliseconds = match number.to_whole() {
        Some(whole) => i64::try_from(whole).ok()?.checked_mul(unit)?,
        // Seconds with a fraction are usual in logs.
        None => value.as_f64().map(|float| (float * unit as f64).round() as i64)?,
    };
    Some(Timestamp::from_millisecond(milliseconds).ok()?.to_zoned(TimeZone::UTC))
}

pub(super) fn in_zone(time: Zoned, zone: Option<&TimeZone>) -> Zoned {
    match zone {
        Some(zone) => time.with_time_zone(zone.clone()),
        None => time,
    }
}

/// RFC 3339.
pub(super) fn iso(time: &Zoned) -> String {
    if time.offset().is_zero() {
        return time.timestamp().to_string();
    }
    DateTimePrinter::new().timestamp_with_offset_to_string(&time.timestamp(), time.offset())
}

/// What actions give: the time in several forms, and its parts.
pub(super) fn describe(time: &Zoned) -> Value {
    let week = time.date().iso_week_date();
    json!({
        "iso": iso(time),
        "utc": time.timestamp().to_string(),
        "milliseconds": time.timestamp().as_millisecond(),
        "seconds": time.timestamp().as_second(),
        "timezone": zone_name(time),
        "date": time.date().to_string(),
        "time": time.strftime("%H:%M:%S").to_string(),
        "year": time.year(),
        "quarter": (time.month() + 2) / 3,
        "month": time.month(),
        "day": time.day(),
        "hour": time.hour(),
        "minute": time.minute(),
        "second": time.second(),
        "weekday": time.weekday().to_monday_one_offset(),
        "weekdayName": time.strftime("%A").to_string(),
        "week": week.week(),
        "weekYear": week.year(),
        "dayOfYear": time.day_of_year(),
    })
}

fn zone_name(time: &Zoned) -> String {
    match time.time_zone().iana_name() {
        Some(name) => name.to_owned(),
        None => time.strftime("%:z").to_string(),
    }
}

/// The schema of what [`describe`] gives.
pub(super) const OUTPUT: &str = r#"{
    "type": "object",
    "properties": {
        "iso": { "type": "string", "description": "RFC 3339, with the offset of the zone." },
        "utc": { "type": "string", "description": "RFC 3339 in UTC." },
        "milliseconds": { "type": "integer", "description": "Since 1970." },
        "seconds": { "type": "integer", "description": "Since 1970." },
        "timezone": { "type": "string", "description": "The zone's name, or its offset." },
        "date": { "type": "string" },
        "time": { "type": "string" },
        "year": { "type": "integer" },
        "quarter": { "type": "integer" },
        "month": { "type": "integer" },
        "day": { "type": "integer" },
        "hour": { "type": "integer" },
        "minute": { "type": "integer" },
        "second": { "type": "integer" },
        "weekday": { "type": "integer", "description": "From 1, Monday, to 7." },
        "weekdayName": { "type": "string" },
        "week": { "type": "integer", "description": "As ISO 8601 counts." },
        "weekYear": { "type": "integer", "description": "The year that the week belongs to." },
        "dayOfYear": { "type": "integer" }
    },
    "required": ["iso", "utc", "milliseconds", "timezone"]
}"#;

#[cfg(test)]
mod tests;
