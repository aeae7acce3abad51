//! Times as people write them: `next tue 9am`, `in 3 days`, `tomorrow evening`, `when merged`.
//!
//! A day without an hour means nine in the morning; a part of the day has an hour of its own. A
//! weekday is the coming one, with `next` the one of next week, which begins on Monday. An hour
//! that has passed today is tomorrow's. An hour that a clock change skips comes an hour later.

use std::time::Duration;

use devrig_core::{Error, Result, Timestamp};
use jiff::civil::{Date, DateTime, Time, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan, Unit};

use crate::wake::Wake;

const LONGEST: usize = 100;
const MORNING: i8 = 9;
/// Later today, when nothing else is said.
const LATER: Duration = Duration::from_secs(3 * 3600);

/// Reads what ends a snooze, by the clock of `zone`.
///
/// # Errors
/// `INVALID_INPUT` for words that say no time, and for times that have passed.
pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Wake> {
    let wrong = || {
        let shown: String = text.chars().take(LONGEST).collect();
        Error::invalid(format!("{shown:?} is no time")).hint(
            "Such as: 3h, in 2 days, tomorrow evening, next tue 9am, 16 mar 14:00, 2027-01-31, \
             until new activity, when merged.",
        )
    };
    let lower = text.trim().to_lowercase();
    if lower.is_empty() || lower.len() > LONGEST {
        return Err(wrong());
    }
    if let Ok(wake) = text.trim().parse::<Wake>() {
        return in_future(wake, now);
    }
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty() && !matches!(*word, "on" | "at" | "the"))
        .collect();
    if let Some(wake) = condition(&words) {
        return Ok(wake);
    }
    let here = jiff::Timestamp::from_millisecond(now.as_ms())
        .map_err(|_| wrong())?
        .to_zoned(zone.clone())
        .datetime();
    let moment = match span(&words).ok_or_else(wrong) {
        Ok(Ahead::Exact(span)) => return in_future(Wake::At(now + span), now),
        Ok(Ahead::Days(span)) => {
            let day = here.date().checked_add(span).map_err(|_| wrong())?;
            day.at(MORNING, 0, 0, 0)
        }
        Err(_) if matches!(words[..], ["later"] | ["later", "today"]) => {
            return Ok(Wake::At(now + LATER));
        }
        Err(_) => Moment::read(&words, here).ok_or_else(wrong)?.resolve(here).ok_or_else(wrong)?,
    };
    let at = moment.to_zoned(zone.clone()).map_err(|_| wrong())?.timestamp().as_millisecond();
    in_future(Wake::At(Timestamp::from_ms(at)), now)
}

fn in_future(wake: Wake, now: Timestamp) -> Result<Wake> {
    match wake {
        Wake::At(time) if time <= now => {
            Err(Error::invalid(format!("{time} has passed")).hint("Give a time in the future."))
        }
        wake => Ok(wake),
    }
}

fn condition(words: &[&str]) -> Option<Wake> {
    let words = match words {
        ["until" | "when" | "if" | "it's" | "it" | "is", rest @ ..] => return condition(rest),
        words => words,
    };
    match words {
        ["activity" | "news" | "reply" | "answered"]
        | ["new", "activity"]
        | ["there", "is", "news"] => Some(Wake::Activity),
        ["somebody" | "someone", "answers" | "replies"] => Some(Wake::Activity),
        ["merged"] | ["it", "is", "merged"] => Some(Wake::Merged),
        ["closed" | "ended" | "over"] | ["merged", "or", "closed"] | ["closed", "or", "merged"] => {
            Some(Wake::Ended)
        }
        _ => None,
    }
}

enum Ahead {
    /// To the minute.
    Exact(Duration),
    /// Whole days end in the morning.
    Days(Span),
}

/// `3h`, `in 2 days`, `1h 30m`, `in half an hour`, `a week`.
fn span(words: &[&str]) -> Option<Ahead> {
    let words = match words {
        ["in" | "for", rest @ ..] => rest,
        words => words,
    };
    if matches!(words, ["half", "an", "hour"]) {
        return Some(Ahead::Exact(Duration::from_secs(1800)));
    }
    let mut exact = Duration::ZERO;
    let mut days: Option<Span> = None;
    let mut rest = words;
    while !rest.is_empty() {
        let (count, unit, after) = amount(rest)?;
        rest = after;
        match unit {
            Unit::Minute => exact += Duration::from_secs(count.checked_mul(60)?),
            Unit::Hour => exact += Duration::from_secs(count.checked_mul(3600)?),
            unit => {
                let count = i64::try_from(count).ok()?;
                let more = match unit {
                    Unit::Day => count.days(),
                    Unit::Week => count.weeks(),
                    Unit::Month => count.months(),
                    _ => count.years(),
                };
                days = Some(match days {
                    None => more,
                    // Two spans of days are added on the calendar, not here.
                    Some(_) => return None,
                });
            }
        }
    }
    match (days, exact) {
        (Some(days), Duration::ZERO) => Some(Ahead::Days(days)),
        (None, exact) if exact > Duration::ZERO => Some(Ahead::Exact(exact)),
        _ => None,
    }
}

/// One amount at the front: `3h`, `3 hours`, `1h30m`, `a week`.
fn amount<'a, 'w>(words: &'a [&'w str]) -> Option<(u64, Unit, &'a [&'w str])> {
    let (first, rest) = words.split_first()?;
    let digits = first.len() - first.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    // Ten years of minutes are enough for any snooze.
    let count = |text: &str| text.parse::<u64>().ok().filter(|count| *count <= 5_256_000);
    if matches!(*first, "a" | "an" | "one") || digits == first.len() {
        let count = if digits == 0 { 1 } else { count(first)? };
        let (name, rest) = rest.split_first()?;
        return Some((count, unit(name)?, rest));
    }
    let (number, name) = first.split_at_checked(digits).filter(|_| digits > 0)?;
    Some((count(number)?, unit(name)?, rest))
}

fn unit(name: &str) -> Option<Unit> {
    Some(match name {
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "wk" | "week" | "weeks" => Unit::Week,
        "mo" | "month" | "months" => Unit::Month,
        "y" | "year" | "years" => Unit::Year,
        _ => return None,
    })
}

/// What the words name: a day, an hour, or both.
#[derive(Default)]
struct Moment {
    day: Option<Date>,
    /// Written without a year: the next one is meant when it has passed.
    every_year: bool,
    time: Option<Time>,
}

impl Moment {
    fn read(words: &[&str], here: DateTime) -> Option<Self> {
        let mut moment = Self::default();
        let mut rest = words;
        while !rest.is_empty() {
            rest = moment.take(rest, here)?;
        }
        Some(moment)
    }

    /// Takes words from the front, and gives those that are left.
    fn take<'a, 'w>(&mut self, words: &'a [&'w str], here: DateTime) -> Option<&'a [&'w str]> {
        let today = here.date();
        let (first, rest) = words.split_first()?;
        match (*first, rest) {
            ("today", _) => self.set_day(today)?,
            ("tonight", _) => {
                self.set_day(today)?;
                self.set_time(20, 0)?;
            }
            ("tomorrow" | "tmrw" | "tmr", _) => self.set_day(today.tomorrow().ok()?)?,
            ("this", [part, ..]) if hour_of(part).is_some() => self.set_day(today)?,
            ("this" | "coming", _) if !rest.is_empty() => return Some(rest),
            ("next", ["week", ..]) => {
                self.set_day(monday_after(today)?)?;
                return Some(&rest[1..]);
            }
            ("next", ["month", ..]) => {
                self.set_day(today.last_of_month().tomorrow().ok()?)?;
                return Some(&rest[1..]);
            }
            ("next", ["year", ..]) => {
                self.set_day(date(today.year().checked_add(1)?, 1, 1))?;
                return Some(&rest[1..]);
            }
            ("next", [name, ..]) => {
                let day = weekday(name)?;
                let monday = monday_after(today)?;
                let days = i64::from(day.to_monday_zero_offset());
                self.set_day(monday.checked_add(days.days()).ok()?)?;
                return Some(&rest[1..]);
            }
            ("weekend", _) => self.set_day(coming(today, Weekday::Saturday)?)?,
            ("end", ["of", "month" | "the", ..]) => {
                self.set_day(today.last_of_month())?;
                let left = &rest[1..];
                return Some(if left.first() == Some(&"the") { &left[2..] } else { &left[1..] });
            }
            (name, _) if weekday(name).is_some() => {
                self.set_day(coming(today, weekday(name)?)?)?;
            }
            (part, _) if hour_of(part).is_some() => {
                let (hour, minute) = hour_of(part)?;
                self.set_time(hour, minute)?;
            }
            _ => return self.take_number(words, today),
        }
        Some(rest)
    }

    /// `2027-01-31`, `16 mar`, `mar 16 2027`, `9am`, `9 pm`, `14:30`.
    fn take_number<'a, 'w>(&mut self, words: &'a [&'w str], today: Date) -> Option<&'a [&'w str]> {
        let (first, rest) = words.split_first()?;
        if let Ok(day) = first.parse::<Date>() {
            self.set_day(day)?;
            return Some(rest);
        }
        let named = |a: &str, b: &str| Some((month(a)?, day_of_month(b)?));
        if let Some(second) = rest.first()
            && let Some((month, day)) = named(first, second).or_else(|| named(second, first))
        {
            let year = rest.get(1).and_then(|word| word.parse().ok()).filter(|year| *year > 1000);
            self.every_year = year.is_none();
            self.set_day(Date::new(year.unwrap_or(today.year()), month, day).ok()?)?;
            return Some(&rest[if year.is_some() { 2 } else { 1 }..]);
        }
        let half = rest.first().filter(|word| matches!(**word, "am" | "pm"));
        let text = half.map_or_else(|| (*first).to_owned(), |half| format!("{first}{half}"));
        let (hour, minute) = clock(&text)?;
        self.set_time(hour, minute)?;
        Some(if half.is_some() { &rest[1..] } else { rest })
    }

    fn set_day(&mut self, day: Date) -> Option<()> {
        self.day.replace(day).is_none().then_some(())
    }

    fn set_time(&mut self, hour: i8, minute: i8) -> Option<()> {
        let time = Time::new(hour, minute, 0, 0).ok()?;
        self.time.replace(time).is_none().then_some(())
    }

    fn resolve(&self, here: DateTime) -> Option<DateTime> {
        let morning = Time::constant(MORNING, 0, 0, 0);
        let Some(day) = self.day else {
            let at = here.date().to_datetime(self.time?);
            return if at > here { Some(at) } else { at.checked_add(1.day()).ok() };
        };
        let at = day.to_datetime(self.time.unwrap_or(morning));
        if at > here || !self.every_year {
            return Some(at);
        }
        at.checked_add(1.year()).ok()
    }
}

fn monday_after(today: Date) -> Option<Date> {
    let days = 7 - i64::from(today.weekday().to_monday_zero_offset());
    today.checked_add(days.days()).ok()
}

/// The first such day after today.
fn coming(today: Date, day: Weekday) -> Option<Date> {
    let days = match i64::from(day.since(today.weekday())) {
        0 => 7,
        days => days,
    };
    today.checked_add(days.days()).ok()
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "mon" | "monday" => Weekday::Monday,
        "tue" | "tues" | "tuesday" => Weekday::Tuesday,
        "wed" | "wednesday" => Weekday::Wednesday,
        "thu" | "thur" | "thurs" | "thursday" => Weekday::Thursday,
        "fri" | "friday" => Weekday::Friday,
        "sat" | "saturday" => Weekday::Saturday,
        "sun" | "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

/// Parts of the day.
fn hour_of(part: &str) -> Option<(i8, i8)> {
    Some(match part {
        "morning" => (MORNING, 0),
        "noon" | "midday" | "lunch" => (12, 0),
        "afternoon" => (14, 0),
        "evening" => (18, 0),
        "night" => (20, 0),
        "eod" => (17, 0),
        _ => return None,
    })
}

fn month(name: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let short = name.trim_end_matches('.');
    let found = MONTHS.iter().position(|month| {
        *month == short || (short.len() >= 3 && short.len() <= 4 && month.starts_with(short))
    })?;
    i8::try_from(found + 1).ok()
}

fn day_of_month(text: &str) -> Option<i8> {
    let digits = text.trim_end_matches('.');
    let digits =
        ["st", "nd", "rd", "th"].iter().find_map(|end| digits.strip_suffix(end)).unwrap_or(digits);
    digits.parse().ok().filter(|day| (1..=31).contains(day))
}

/// `9am`, `12:30pm`, `14:30`, `9`.
fn clock(text: &str) -> Option<(i8, i8)> {
    let (time, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(time), _) => (time, Some(0)),
        (_, Some(time)) => (time, Some(12)),
        _ => (text, None),
    };
    let (hour, minute) = time.split_once([':', '.']).unwrap_or((time, "0"));
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(later) => hour % 12 + later,
    };
    ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some((hour, minute))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A Saturday, 10:20 in Berlin.
    const NOW: &str = "2026-11-21T09:20:00Z";

    fn read(text: &str) -> Result<String> {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let wake = parse(text, NOW.parse().unwrap(), &zone)?;
        Ok(match wake {
            Wake::At(time) => jiff::Timestamp::from_millisecond(time.as_ms())
                .unwrap()
                .to_zoned(zone)
                .strftime("%a %Y-%m-%d %H:%M")
                .to_string(),
            other => other.to_string(),
        })
    }

    #[test]
    fn what_people_write() {
        for (text, means) in [
            ("3h", "Sat 2026-11-21 13:20"),
            ("in 90 minutes", "Sat 2026-11-21 11:50"),
            ("1h 30m", "Sat 2026-11-21 11:50"),
            ("half an hour", "Sat 2026-11-21 10:50"),
            ("in an hour", "Sat 2026-11-21 11:20"),
            ("in 3 days", "Tue 2026-11-24 09:00"),
            ("2d", "Mon 2026-11-23 09:00"),
            ("a week", "Sat 2026-11-28 09:00"),
            ("in 2 months", "Thu 2027-01-21 09:00"),
            ("later", "Sat 2026-11-21 13:20"),
            ("today 18:00", "Sat 2026-11-21 18:00"),
            ("tonight", "Sat 2026-11-21 20:00"),
            ("this evening", "Sat 2026-11-21 18:00"),
            ("Tomorrow", "Sun 2026-11-22 09:00"),
            ("tomorrow evening", "Sun 2026-11-22 18:00"),
            ("tomorrow at 7:15am", "Sun 2026-11-22 07:15"),
            ("9am", "Sun 2026-11-22 09:00"),
            ("2 pm", "Sat 2026-11-21 14:00"),
            ("14:30", "Sat 2026-11-21 14:30"),
            ("noon", "Sat 2026-11-21 12:00"),
            ("mon", "Mon 2026-11-23 09:00"),
            ("sat", "Sat 2026-11-28 09:00"),
            ("on friday afternoon", "Fri 2026-11-27 14:00"),
            ("next tue 9am", "Tue 2026-11-24 09:00"),
            ("9am next tue", "Tue 2026-11-24 09:00"),
            ("next sunday", "Sun 2026-11-29 09:00"),
            ("next week", "Mon 2026-11-23 09:00"),
            ("next month", "Tue 2026-12-01 09:00"),
            ("weekend", "Sat 2026-11-28 09:00"),
            ("end of month", "Mon 2026-11-30 09:00"),
            ("2027-01-31", "Sun 2027-01-31 09:00"),
            ("2027-01-31 14:00", "Sun 2027-01-31 14:00"),
            ("16 mar", "Tue 2027-03-16 09:00"),
            ("Dec 3rd, 8am", "Thu 2026-12-03 08:00"),
            ("24 december 2028", "Sun 2028-12-24 09:00"),
            ("2026-11-22T09:30:00Z", "Sun 2026-11-22 10:30"),
            ("until new activity", "activity"),
            ("when merged", "merged"),
            ("when it is merged", "merged"),
            ("when closed", "ended"),
            ("activity", "activity"),
        ] {
            assert_eq!(read(text).unwrap(), means, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_told_with_examples() {
        for text in [
            "",
            "soon",
            "next",
            "-1d",
            "0h",
            "25:00",
            "13pm",
            "31 feb",
            "tomorrow tomorrow",
            "9am 10am",
            "yesterday",
            "99999999999999999999w",
            "é",
            "2020-01-01",
            "this",
        ] {
            let error = read(text).unwrap_err();
            assert!(error.hint.is_some(), "{text}: {}", error.message);
        }
    }

    #[test]
    fn an_hour_that_the_clock_skips_comes_an_hour_later() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = "2026-03-28T12:00:00Z".parse().unwrap();
        let wake = parse("tomorrow 2:30", now, &zone).unwrap();
        assert_eq!(wake.to_string(), "2026-03-29T01:30:00.000Z");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_gives_the_past(text in "\\PC{0,40}", words in prop::collection::vec("next|tue|9am|in|3|days|mar|16|2027|today|at|pm|[0-9]{1,6}", 0..6)) {
            let now: Timestamp = NOW.parse().unwrap();
            for text in [text, words.join(" ")] {
                if let Ok(Wake::At(at)) = parse(&text, now, &TimeZone::UTC) {
                    prop_assert!(at > now);
                }
            }
        }
    }
}
