//! Times as a person reads them.

use std::time::Duration;

use devrig_core::{Error, Result, Timestamp};

/// `3m ago`, `2h ago`, `5d ago`.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(at).as_secs();
    match seconds {
        0..60 => "now".to_owned(),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..86_400 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// A time, or how long ago: `30m`, `6h`, `2d`, `1w`.
///
/// # Errors
/// `INVALID_INPUT` for anything else.
pub fn past(text: &str, now: Timestamp) -> Result<Timestamp> {
    if let Some(ago) = span(text.trim()) {
        return Ok(now - ago);
    }
    text.trim().parse().map_err(|_| {
        Error::invalid(format!("{text:?} is no time")).hint(
            "Write 30m, 6h, 2d or 1w for so long ago, or a time such as 2026-11-20T09:30:00Z.",
        )
    })
}

fn span(text: &str) -> Option<Duration> {
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    // A hundred years are enough, and no time that is told with them overflows.
    let count = count.parse::<u64>().ok().filter(|count| *count < 100 * 366 * 86_400)?;
    Some(Duration::from_secs((count * seconds).min(100 * 366 * 86_400)))
}

/// The day here, such as `Mon 2 Mar 2026`.
pub fn day(at: Timestamp) -> String {
    let zone = jiff::tz::TimeZone::system();
    match jiff::Timestamp::from_millisecond(at.as_ms()) {
        Ok(time) => time.to_zoned(zone).strftime("%a %-d %b %Y").to_string(),
        Err(_) => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_the_past_is_told_by_its_age_or_whole() {
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let told = |text| past(text, now).map(|at| at.to_string()).map_err(|error| error.code);
        assert_eq!(told("6h").unwrap(), "2026-11-20T03:00:00.000Z");
        assert_eq!(told("1w").unwrap(), "2026-11-13T09:00:00.000Z");
        assert_eq!(told("2026-11-01T00:00:00Z").unwrap(), "2026-11-01T00:00:00.000Z");
        for wrong in ["", "d", "2y", "-1d", "99999999999999999999d", "18446744073709551615w", "é"]
        {
            assert_eq!(told(wrong), Err(devrig_core::Code::InvalidInput), "{wrong}");
        }
    }

    #[test]
    fn ages_have_one_unit() {
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        assert_eq!(ago(now, now), "now");
        assert_eq!(ago(now - Duration::from_secs(7_200), now), "2h ago");
    }
}
