//! Whether an answer's status is the one that is wanted, and what it means when it is not.

use std::time::Duration;

use devrig_core::{Code, Error, Result};
use devrig_net::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::header;

/// Of a body in an error's details, in characters.
const EXCERPT: usize = 2_000;

/// Statuses that count as success.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Wanted {
    One(Pattern),
    Many(Vec<Pattern>),
}

/// 200, or all from 200 on as `2xx`.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Pattern {
    Status(u16),
    Hundred(String),
}

impl Pattern {
    fn fits(&self, status: u16) -> bool {
        match self {
            Self::Status(wanted) => *wanted == status,
            Self::Hundred(text) => {
                text.strip_suffix("xx").is_some_and(|digit| digit == (status / 100).to_string())
            }
        }
    }
}

impl Wanted {
    fn fits(&self, status: u16) -> bool {
        match self {
            Self::One(pattern) => pattern.fits(status),
            Self::Many(patterns) => patterns.iter().any(|pattern| pattern.fits(status)),
        }
    }
}

/// Whoever wants to see redirects does not call them failures.
pub(super) fn check(response: &Response, wanted: Option<&Wanted>, redirects: bool) -> Result<()> {
    let status = response.status;
    let fits = match wanted {
        Some(wanted) => wanted.fits(status),
        None => (200..300).contains(&status) || !redirects && (300..400).contains(&status),
    };
    if fits { Ok(()) } else { Err(failure(response)) }
}

/// The error of an answer that is none, with what decides whether it is asked again.
pub(super) fn failure(response: &Response) -> Error {
    let status = response.status;
    let host = response.url.host_str().unwrap_or_default();
    let reason = StatusCode::from_u16(status).ok().and_then(|known| known.canonical_reason());
    let message = format!("{host} answered {status} {}", reason.unwrap_or_default());
    let message = message.trim_end().to_owned();
    let error = match status {
        // Some services say so when somebody asks too often.
        403 if retry_after(&response.headers).is_some() => too_often(message),
        401 | 403 => Error::new(Code::Unauthorized, message)
            .hint("Check the token or password that the node sends, and what it is allowed to do."),
        404 | 410 => Error::new(Code::NotFound, message).hint("Check the url."),
        429 => too_often(message),
        408 | 425 | 500..=599 => Error::new(Code::Http, message)
            .hint("The server is in trouble: the retry policy says how often it is asked again."),
        _ => Error::new(Code::Http, message)
            .permanent()
            .hint("The answer is in the error's details; `expect` says which statuses are fine."),
    };
    error.details(details(response))
}

fn too_often(message: String) -> Error {
    Error::new(Code::RateLimited, message)
        .hint("Ask less often; the retry policy waits as long as the server asks for.")
}

fn details(response: &Response) -> Value {
    let text = String::from_utf8_lossy(&response.body);
    let mut details = json!({
        "status": response.status,
        "body": text.chars().take(EXCERPT).collect::<String>(),
    });
    if let Some(wait) = retry_after(&response.headers) {
        details["retryAfterMs"] = json!(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    }
    details
}

/// How long the server asks to be left alone. A time is counted from the server's own clock, which
/// may differ from ours.
fn retry_after(headers: &[(String, String)]) -> Option<Duration> {
    let text = header(headers, "retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let (until, now) = (date(text)?, date(header(headers, "date")?)?);
    until.duration_since(now).try_into().ok()
}

fn date(text: &str) -> Option<jiff::Timestamp> {
    let zoned = jiff::fmt::rfc2822::DateTimeParser::new().parse_zoned(text.trim()).ok()?;
    Some(zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use devrig_core::Category;
    use devrig_net::Url;

    use super::*;

    fn answered(status: u16, headers: &[(&str, &str)]) -> Response {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Response {
            status,
            headers: headers.iter().map(own).collect(),
            body: "sorry".into(),
            url: Url::parse("https://api.test/a?token=x").unwrap(),
            redirected: false,
            hops: Vec::new(),
        }
    }

    #[test]
    fn the_status_decides_whether_it_is_tried_again() {
        use Category::{Permanent, Transient};
        for (status, code, category) in [
            (400, Code::Http, Permanent),
            (401, Code::Unauthorized, Permanent),
            (403, Code::Unauthorized, Permanent),
            (404, Code::NotFound, Permanent),
            (408, Code::Http, Transient),
            (422, Code::Http, Permanent),
            (429, Code::RateLimited, Transient),
            (500, Code::Http, Transient),
            (503, Code::Http, Transient),
            (302, Code::Http, Permanent),
        ] {
            let error = check(&answered(status, &[]), None, true).unwrap_err();
            assert_eq!((error.code, error.category), (code, category), "{status}");
            assert!(error.message.starts_with(&format!("api.test answered {status}")), "{error}");
            assert_eq!(error.details.unwrap()["body"], "sorry");
        }
    }

    #[test]
    fn what_is_wanted_is_no_failure() {
        let wanted = |value: Value| serde_json::from_value::<Wanted>(value).unwrap();
        for (value, fine, wrong) in [
            (json!("2xx"), 204, 404),
            (json!(["2xx", 404]), 404, 400),
            (json!(201), 201, 200),
            (json!("4xx"), 418, 200),
        ] {
            let wanted = wanted(value);
            assert!(check(&answered(fine, &[]), Some(&wanted), true).is_ok(), "{fine}");
            assert!(check(&answered(wrong, &[]), Some(&wanted), true).is_err(), "{wrong}");
        }
        assert!(
            check(&answered(302, &[]), None, false).is_ok(),
            "who does not follow wants to see"
        );
    }

    #[test]
    fn a_server_says_when_to_come_again() {
        let wait = |headers: &[(&str, &str)]| failure(&answered(503, headers)).retry_after_ms();
        assert_eq!(wait(&[("retry-after", "7")]), Some(7_000.0));
        let now = ("date", "Fri, 20 Nov 2026 09:00:00 GMT");
        let then = ("retry-after", "Fri, 20 Nov 2026 09:02:00 GMT");
        assert_eq!(wait(&[now, then]), Some(120_000.0));
        assert_eq!(wait(&[("date", then.1), ("retry-after", now.1)]), None, "it is over");
        let error = failure(&answered(403, &[("retry-after", "7")]));
        assert_eq!((error.code, error.retryable), (Code::RateLimited, true));
        for text in ["soon", "-1", "", "99999999999999999999999"] {
            assert_eq!(wait(&[("retry-after", text)]), None, "{text}");
        }
    }
}
