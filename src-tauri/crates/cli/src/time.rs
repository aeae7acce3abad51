//! Times as a person writes them.

use std::time::Duration;

use devrig_core::{Error, Result, Timestamp};

/// An instant, or a span from `now` such as `90m`, `3h`, `2d` or `1w`.
pub fn until(text: &str, now: Timestamp) -> Result<Timestamp> {
    if let Some(span) = span(text) {
        return Ok(now + span);
    }
    text.parse().map_err(|_| {
        Error::invalid(format!("{text:?} is not a time"))
            .hint("Write a time such as 2026-11-20T09:30:00Z, or a span such as 90m, 3h, 2d or 1w.")
    })
}

fn span(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    Some(Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_instants_are_read_and_words_are_not() {
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        assert_eq!(until("2d", now).unwrap().to_string(), "2026-11-22T09:00:00.000Z");
        assert_eq!(until("90m", now).unwrap().to_string(), "2026-11-20T10:30:00.000Z");
        assert_eq!(
            until("2027-01-01T00:00:00Z", now).unwrap().to_string(),
            "2027-01-01T00:00:00.000Z"
        );
        for wrong in ["soon", "", "d", "-1d", "99999999999999999999w", "é"] {
            assert!(until(wrong, now).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ages_have_one_unit() {
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        assert_eq!(ago(now, now), "now");
        assert_eq!(ago(now - Duration::from_secs(7_200), now), "2h ago");
    }
}
