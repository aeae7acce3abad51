//! Hours in which a source is not synced by itself, or nothing is shown: `22:00-07:00 Europe/Berlin`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::{Error, Result, Timestamp};

/// From `start` until before `end`, each day by the clock of `zone`; over midnight when the end
/// comes first.
#[derive(Debug, Clone, PartialEq)]
pub struct QuietHours {
    start: Time,
    end: Time,
    zone: TimeZone,
}

impl QuietHours {
    /// When the quiet hours end that `now` lies in.
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let here = jiff::Timestamp::from_millisecond(now.as_ms()).ok()?.to_zoned(self.zone.clone());
        let time = here.time();
        let quiet = if self.start < self.end {
            (self.start..self.end).contains(&time)
        } else {
            time >= self.start || time < self.end
        };
        if !quiet {
            return None;
        }
        let date = if time < self.end { here.date() } else { here.date().tomorrow().ok()? };
        // A time that a clock change skips comes an hour later, as it does in calendars.
        let end = date.to_datetime(self.end).to_zoned(self.zone.clone()).ok()?;
        Some(Timestamp::from_ms(end.timestamp().as_millisecond()))
    }
}

/// Enough of a wrong text to know it again.
fn clip(text: &str) -> String {
    text.chars().take(60).collect()
}

/// `HH:MM-HH:MM`, then a time zone's name; without one it is the zone that this machine is in.
impl FromStr for QuietHours {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (hours, zone) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let wrong = || {
            Error::invalid(format!("{:?} are no quiet hours", clip(text)))
                .hint("Write them as 22:00-07:00 Europe/Berlin.")
        };
        let (start, end) = hours.split_once('-').ok_or_else(wrong)?;
        let time = |text: &str| Time::strptime("%H:%M", text).map_err(|_| wrong());
        let (start, end) = (time(start)?, time(end)?);
        if start == end {
            return Err(wrong());
        }
        let zone = match zone.trim() {
            "" => TimeZone::system(),
            name => TimeZone::get(name).map_err(|_| {
                Error::invalid(format!("the time zone {:?} is not known", clip(name)))
                    .hint("Name it as Europe/Berlin or America/New_York.")
            })?,
        };
        if zone.iana_name().is_none() {
            return Err(Error::invalid("this machine's time zone has no name")
                .hint("Name one, such as 22:00-07:00 Europe/Berlin."));
        }
        Ok(Self { start, end, zone })
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = (self.start.strftime("%H:%M"), self.end.strftime("%H:%M"));
        write!(f, "{start}-{end} {}", self.zone.iana_name().unwrap_or("UTC"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn until(hours: &str, now: &str) -> Option<String> {
        hours.parse::<QuietHours>().unwrap().until(at(now)).map(|end| end.to_string())
    }

    #[test]
    fn a_night_ends_in_the_morning_of_its_zone() {
        let night = "22:00-07:00 Europe/Berlin";
        for (now, end) in [
            ("2026-01-10T20:59:59.999Z", None),
            ("2026-01-10T21:00:00.000Z", Some("2026-01-11T06:00:00.000Z")),
            ("2026-01-11T05:59:59.999Z", Some("2026-01-11T06:00:00.000Z")),
            ("2026-01-11T06:00:00.000Z", None),
            // The clock goes forward in this night.
            ("2026-03-28T22:30:00.000Z", Some("2026-03-29T05:00:00.000Z")),
        ] {
            assert_eq!(until(night, now).as_deref(), end, "{now}");
        }
        assert_eq!(
            until("09:00-17:30 America/New_York", "2026-07-01T13:00:00.000Z").as_deref(),
            Some("2026-07-01T21:30:00.000Z")
        );
        assert_eq!(until("09:00-17:30 America/New_York", "2026-07-01T12:59:00.000Z"), None);
    }

    #[test]
    fn an_end_that_a_clock_change_skips_still_comes() {
        let end = until("23:00-02:30 Europe/Berlin", "2026-03-28T23:00:00.000Z");
        assert_eq!(end.as_deref(), Some("2026-03-29T01:30:00.000Z"));
    }

    #[test]
    fn what_is_written_reads_back_and_nonsense_says_how() {
        let hours: QuietHours = " 7:05-08:00 UTC".parse().unwrap();
        assert_eq!(hours.to_string(), "07:05-08:00 UTC");
        assert_eq!(hours.to_string().parse::<QuietHours>().unwrap(), hours);
        for bad in
            ["", "22:00", "22:00-25:00 UTC", "22:00-22:00 UTC", "22-7 UTC", "1:00-2:00 Mars/X"]
        {
            assert!(bad.parse::<QuietHours>().unwrap_err().hint.is_some(), "{bad}");
        }
    }
}
