//! Times as a person reads them.

use devrig_core::Timestamp;

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
    use std::time::Duration;

    use super::*;

    #[test]
    fn ages_have_one_unit() {
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        assert_eq!(ago(now, now), "now");
        assert_eq!(ago(now - Duration::from_secs(7_200), now), "2h ago");
    }
}
