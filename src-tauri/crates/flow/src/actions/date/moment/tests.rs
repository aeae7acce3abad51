use serde_json::json;

use super::*;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

#[test]
fn every_usual_form_is_read() {
    for (value, own, in_berlin) in [
        (json!("2026-11-20T09:30:00Z"), "2026-11-20T09:30:00Z", "2026-11-20T10:30:00+01:00"),
        (json!(" 2026-11-20 09:30Z "), "2026-11-20T09:30:00Z", "2026-11-20T10:30:00+01:00"),
        (
            json!("2026-11-20T09:30:00.25-05:00"),
            "2026-11-20T09:30:00.25-05:00",
            "2026-11-20T15:30:00.25+01:00",
        ),
        (
            json!("2026-11-20T09:30:00[America/New_York]"),
            "2026-11-20T09:30:00-05:00",
            "2026-11-20T15:30:00+01:00",
        ),
        (json!("2026-11-20T09:30"), "2026-11-20T09:30:00Z", "2026-11-20T09:30:00+01:00"),
        (json!("2026-07-01"), "2026-07-01T00:00:00Z", "2026-07-01T00:00:00+02:00"),
        (
            json!("Fri, 20 Nov 2026 09:30:00 GMT"),
            "2026-11-20T09:30:00Z",
            "2026-11-20T10:30:00+01:00",
        ),
        (json!(1_795_167_000_000_i64), "2026-11-20T09:30:00Z", "2026-11-20T10:30:00+01:00"),
        (json!(1_795_167_000_000.0), "2026-11-20T09:30:00Z", "2026-11-20T10:30:00+01:00"),
    ] {
        assert_eq!(iso(&read(&value, None, "date").unwrap()), own, "{value}");
        assert_eq!(iso(&read(&value, Some(&berlin()), "date").unwrap()), in_berlin, "{value}");
    }
}

#[test]
fn what_is_given_is_read_back_with_its_zone() {
    let time = read(&json!("2026-03-28T12:00"), Some(&berlin()), "date").unwrap();
    let back = read(&describe(&time), None, "date").unwrap();
    assert_eq!(back.time_zone().iana_name(), Some("Europe/Berlin"));
    assert_eq!(back, time);
}

#[test]
fn clocks_that_are_changed_skip_forward_and_take_the_first() {
    for (local, instant) in [
        ("2026-03-29T02:30", "2026-03-29T03:30:00+02:00"),
        ("2026-10-25T02:30", "2026-10-25T02:30:00+02:00"),
    ] {
        assert_eq!(iso(&read(&json!(local), Some(&berlin()), "date").unwrap()), instant);
    }
}

#[test]
fn what_is_no_time_is_told_without_it() {
    for value in [
        json!("soon"),
        json!(""),
        json!("2026-13-01"),
        json!(1e300),
        json!(true),
        json!(null),
        json!([]),
        json!({ "iso": 1 }),
        json!({}),
        json!("2026-11-20T09:30:00Z[Nowhere/Land]"),
        json!(i64::MAX),
    ] {
        let error = read(&value, None, "from").unwrap_err();
        assert!(error.message.starts_with("from is "), "{value}: {error}");
        assert!(!error.message.contains("soon"));
    }
}

#[test]
fn a_misspelled_zone_is_recognised() {
    let hint = |name| zone(Some(name)).unwrap_err().hint.unwrap();
    assert_eq!(hint("Europe/Berln"), "Did you mean Europe/Berlin?");
    assert_eq!(hint("x"), "Use a name such as Europe/Berlin or UTC.");
}

#[test]
fn all_parts_are_of_the_zone() {
    let zone = TimeZone::get("Asia/Tokyo").unwrap();
    let time = read(&json!("2026-12-31T20:05:09Z"), Some(&zone), "date").unwrap();
    assert_eq!(
        describe(&time),
        json!({
            "iso": "2027-01-01T05:05:09+09:00",
            "utc": "2026-12-31T20:05:09Z",
            "milliseconds": 1_798_747_509_000_i64,
            "seconds": 1_798_747_509,
            "timezone": "Asia/Tokyo",
            "date": "2027-01-01",
            "time": "05:05:09",
            "year": 2027, "quarter": 1, "month": 1, "day": 1, "hour": 5, "minute": 5, "second": 9,
            "weekday": 5, "weekdayName": "Friday", "week": 53, "weekYear": 2026, "dayOfYear": 1,
        })
    );
}
