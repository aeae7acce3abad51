//! Schedules: when a cron pattern falls due in a time zone.

use devrig_core::{Error, Result, Timestamp};
use jiff::Zoned;
use jiff::tz::TimeZone;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use crate::zone;

/// A cron pattern of five fields, or of six with seconds first, in a time zone.
///
/// Each field takes `*`, lists, ranges and steps; the day of the month also `L` (the last), `LW`
/// and `15W` (the nearest weekday), the weekday also `FRI#2` (the second Friday) and `FRIL` (the
/// last). Where both days are given, either is enough; with a `+` before the weekday, both are
/// needed. `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly` stand for what they say.
///
/// **When the clock is changed.** A pattern whose second, minute and hour are single numbers names
/// a time of day, and fires once on each of its days: a time that the clock leaves out fires when
/// the gap ends, and a time that comes twice fires the first time. Any other pattern goes by what
/// the clock shows: it does not fire at times that are left out, and fires in both passes of times
/// that come twice.
///
/// In Berlin the clock goes from 02:00 to 03:00 in March, and from 03:00 back to 02:00 in October:
///
/// | pattern | in March | in October |
/// |---|---|---|
/// | `30 2 * * *` | 03:00 | 02:30, summer time |
/// | `*/15 2 * * *` | not that day | 02:00 to 02:45, twice |
/// | `0 * * * *` | 01:00, 03:00 | 02:00 twice |
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
    text: String,
}

/// The machine's time zone; UTC where it has none with a name.
pub fn own_zone() -> String {
    TimeZone::system().iana_name().unwrap_or("UTC").to_owned()
}

/// In bytes.
const LONGEST: usize = 200;

impl Schedule {
    /// # Errors
    /// `INVALID_INPUT` that names what is wrong, also when the pattern can never fall due, such as
    /// on the 30th of February.
    pub fn parse(pattern: &str, zone: &str) -> Result<Self> {
        if pattern.len() > LONGEST || !pattern.is_ascii() {
            return Err(wrong(
                pattern,
                format!("it has at most {LONGEST} characters, all of them plain ASCII"),
            ));
        }
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed);
        let cron = parser.build().parse(pattern).map_err(|error| wrong(pattern, error))?;
        let zone = zone::named(zone)
            .map_err(|error| error.context(format_args!("the time zone {zone:?}")))?;
        let schedule = Self { cron, zone, text: pattern.trim().to_owned() };
        match schedule.next_after(Timestamp::from_ms(0)) {
            Some(_) => Ok(schedule),
            None => Err(wrong(pattern, "no such day exists")),
        }
    }

    /// The first time that is later than `after`, in whole seconds.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let after = jiff::Timestamp::from_millisecond(after.as_ms()).ok()?;
        self.next_zoned(&after.to_zoned(self.zone.clone())).map(|next| moment(&next))
    }

    /// The next `count` times, at most a thousand of them.
    pub fn upcoming(&self, after: Timestamp, count: usize) -> Vec<Timestamp> {
        let next = |last: &Timestamp| self.next_after(*last);
        std::iter::successors(next(&after), next).take(count.min(1_000)).collect()
    }

    /// The pattern as it was written.
    pub fn pattern(&self) -> &str {
        &self.text
    }

    /// The time zone's name.
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    fn next_zoned(&self, after: &Zoned) -> Option<Zoned> {
        let next = self.cron.find_next_occurrence(after, false).ok()?;
        // A caller that asks from each answer must come on.
        (next.timestamp() > after.timestamp()).then_some(next)
    }
}

fn moment(time: &Zoned) -> Timestamp {
    Timestamp::from_ms(time.timestamp().as_millisecond())
}

fn wrong(pattern: &str, why: impl std::fmt::Display) -> Error {
    let shown: String = pattern.chars().take(60).collect();
    Error::invalid(format!("{shown:?} is no schedule: {why}")).hint(
        "Write minute, hour, day of month, month, weekday: 30 9 * * MON-FRI. A sixth field in \
         front is the second.",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn upcoming(pattern: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let schedule = Schedule::parse(pattern, zone).unwrap();
        schedule.upcoming(at(after), count).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn five_fields_and_six() {
        let after = "2026-11-20T09:30:00.500Z";
        for (pattern, expected) in [
            ("30 9 * * MON-FRI", "2026-11-23T09:30:00.000Z"),
            ("*/10 * * * * *", "2026-11-20T09:30:10.000Z"),
            ("1 30 9 * * *", "2026-11-20T09:30:01.000Z"),
            ("@daily", "2026-11-21T00:00:00.000Z"),
            ("0 0 L * *", "2026-11-30T00:00:00.000Z"),
            ("0 0 * * FRI#1", "2026-12-04T00:00:00.000Z"),
            ("0 0 * * 5L", "2026-11-27T00:00:00.000Z"),
            ("0 0 15W * *", "2026-12-15T00:00:00.000Z"),
            ("0 0 29 2 *", "2028-02-29T00:00:00.000Z"),
            ("0 0 13 * FRI", "2026-11-27T00:00:00.000Z"),
            ("0 0 13 * +FRI", "2027-08-13T00:00:00.000Z"),
            ("  0 12  * * 7 ", "2026-11-22T12:00:00.000Z"),
        ] {
            assert_eq!(upcoming(pattern, "UTC", after, 1), [expected], "{pattern}");
        }
    }

    /// The table in the documentation of [`Schedule`].
    #[test]
    fn changes_of_the_clock_follow_one_rule() {
        let march = "2026-03-28T23:30:00Z";
        let october = "2026-10-24T22:30:00Z";
        for (pattern, after, expected) in [
            ("30 2 * * *", march, &["2026-03-29T01:00:00.000Z", "2026-03-30T00:30:00.000Z"][..]),
            ("30 2 * * *", october, &["2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"]),
            ("*/15 2 * * *", march, &["2026-03-30T00:00:00.000Z"]),
            (
                "*/30 2 * * *",
                october,
                &[
                    "2026-10-25T00:00:00.000Z",
                    "2026-10-25T00:30:00.000Z",
                    "2026-10-25T01:00:00.000Z",
                    "2026-10-25T01:30:00.000Z",
                    "2026-10-26T01:00:00.000Z",
                ],
            ),
            ("0 * * * *", march, &["2026-03-29T00:00:00.000Z", "2026-03-29T01:00:00.000Z"]),
            (
                "0 * * * *",
                october,
                &[
                    "2026-10-24T23:00:00.000Z",
                    "2026-10-25T00:00:00.000Z",
                    "2026-10-25T01:00:00.000Z",
                    "2026-10-25T02:00:00.000Z",
                ],
            ),
        ] {
            assert_eq!(upcoming(pattern, "Europe/Berlin", after, expected.len()), expected);
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_the_reason() {
        for (pattern, zone, reason) in [
            ("", "UTC", "cannot be an empty string"),
            ("* * * *", "UTC", "field"),
            ("* * * * * * 2026", "UTC", "field"),
            ("60 * * * *", "UTC", "60"),
            ("* * * * MOON", "UTC", "illegal character"),
            ("0 0 30 2 *", "UTC", "no such day exists"),
            ("0 0 31 4,6,9,11 *", "UTC", "no such day exists"),
            ("é * * * *", "UTC", "plain ASCII"),
            ("* * * * *", "Europe/Berlim", "\"Europe/Berlim\": there is no time zone"),
            ("* * * * *", "", "there is no time zone"),
        ] {
            let error = Schedule::parse(pattern, zone).unwrap_err();
            assert!(error.message.contains(reason), "{pattern}: {error} is not {reason}");
            assert!(error.hint.is_some());
        }
        assert!(Schedule::parse(&"0,".repeat(200), "UTC").is_err());
    }

    #[test]
    fn a_schedule_tells_what_it_was_made_from() {
        let schedule = Schedule::parse(" 0 9 * * * ", "Europe/Berlin").unwrap();
        assert_eq!((schedule.pattern(), schedule.zone()), ("0 9 * * *", "Europe/Berlin"));
        assert!(schedule.upcoming(at("2026-01-01T00:00:00Z"), usize::MAX).len() == 1_000);
        assert_eq!(schedule.next_after(Timestamp::from_ms(i64::MAX)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        #[test]
        fn any_pattern_is_read_or_refused_and_time_goes_on(
            fields in prop::collection::vec("[0-9*/,\\-LW#A-Z+?@]{1,5}|\\*|[0-5]|\\*/[1-9]|MON-FRI", 4..8),
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]),
            after in 0_i64..4_000_000_000_000,
        ) {
            if let Ok(schedule) = Schedule::parse(&fields.join(" "), zone) {
                let times = schedule.upcoming(Timestamp::from_ms(after), 3);
                let mut last = Timestamp::from_ms(after);
                for time in times {
                    prop_assert!(time > last);
                    last = time;
                }
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,30}", zone in ".{0,20}") {
            let _ = Schedule::parse(&text, "UTC");
            let _ = Schedule::parse("* * * * *", &zone);
        }
    }
}
