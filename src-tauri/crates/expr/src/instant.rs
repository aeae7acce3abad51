//! Times as other services write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

use crate::view::View;

/// RFC 3339 with an offset; without one it is UTC; a date alone begins at midnight UTC; the form
/// of mails and HTTP headers; a whole number is milliseconds since 1970.
pub(crate) fn read(view: View<'_>) -> Option<Timestamp> {
    match view {
        View::Number(number) => {
            let ms = i64::try_from(number.to_whole()?).ok()?;
            Timestamp::from_millisecond(ms).ok()
        }
        view => parse(view.text()?.trim()),
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let utc = |time: DateTime| time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    if let Ok(time) = text.parse::<DateTime>() {
        return utc(time);
    }
    if let Ok(date) = text.parse::<Date>() {
        return utc(date.at(0, 0, 0, 0));
    }
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

/// With the fraction that it has, at least whole seconds.
pub(crate) fn write(instant: Timestamp) -> String {
    instant.to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_usual_form_gives_the_same_instant() {
        for value in [
            json!("2026-11-20T09:30:00Z"),
            json!("2026-11-20T10:30:00+01:00"),
            json!("2026-11-20 09:30:00.000Z"),
            json!("2026-11-20T09:30:00"),
            json!(" 2026-11-20T09:30\n"),
            json!("Fri, 20 Nov 2026 09:30:00 +0000"),
            json!(1_795_167_000_000_i64),
            json!(1_795_167_000_000.0),
        ] {
            let read = read(View::of(&value)).map(write);
            assert_eq!(read.as_deref(), Some("2026-11-20T09:30:00Z"), "{value}");
        }
        assert_eq!(read(View::Text("2026-11-20")).map(write).unwrap(), "2026-11-20T00:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_nothing() {
        for value in
            [json!("soon"), json!(""), json!("2026-13-01"), json!(1.5), json!(1e300), json!(true)]
        {
            assert!(read(View::of(&value)).is_none(), "{value}");
        }
    }
}
