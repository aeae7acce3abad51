//! Which headers a caller may set, and how they reach the wire.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::policy::{Refusal, Rule};

/// More than any API asks for.
const MAX_HEADERS: usize = 100;
const MAX_BYTES: usize = 64 * 1024;

/// Those that steer the connection or a browser's privileges. The client sets what is needed.
const FORBIDDEN: [&str; 16] = [
    "accept-encoding",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "date",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];
const FORBIDDEN_PREFIXES: [&str; 2] = ["proxy-", "sec-"];

/// Dropped when a redirect leaves the host: they were meant for the one that was asked.
const FOR_ONE_HOST: [HeaderName; 1] = [header::AUTHORIZATION];

/// Refuses what a caller may not set.
pub(crate) fn check(headers: &[(String, String)]) -> Result<(), Refusal> {
    for (name, _) in headers {
        let lower = name.to_ascii_lowercase();
        if FORBIDDEN.contains(&lower.as_str())
            || FORBIDDEN_PREFIXES.iter().any(|prefix| lower.starts_with(prefix))
        {
            return Err(Refusal::new(
                Rule::Header,
                format!("the header {lower} may not be set"),
                "Leave it out: the connection is not yours to steer.",
            ));
        }
    }
    to_map(headers, headers).map(|_| ())
}

/// The headers of one hop. Values that a hook put in are marked sensitive, so that HTTP/2 does
/// not index them. Errors name headers, never values.
pub(crate) fn to_map(
    headers: &[(String, String)],
    original: &[(String, String)],
) -> Result<HeaderMap, Refusal> {
    let refuse = |what: String| {
        Err(Refusal::new(Rule::Header, what, "Use plain visible characters, without line breaks."))
    };
    let size: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if headers.len() > MAX_HEADERS || size > MAX_BYTES {
        return refuse(format!("more than {MAX_HEADERS} headers or {MAX_BYTES} bytes of them"));
    }
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
            return refuse(format!("{name:?} cannot name a header"));
        };
        let Ok(mut value_) = HeaderValue::from_str(value) else {
            return refuse(format!(
                "the value of the header {parsed} has characters that it may not have"
            ));
        };
        let same = original.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && v == value);
        value_.set_sensitive(!same || FOR_ONE_HOST.contains(&parsed));
        map.append(parsed, value_);
    }
    Ok(map)
}

/// Removes what must not follow to another host.
pub(crate) fn drop_for_one_host(headers: &mut Vec<(String, String)>) {
    headers.retain(|(name, _)| {
        !FOR_ONE_HOST.iter().any(|one| name.eq_ignore_ascii_case(one.as_str()))
    });
}

/// Removes what describes a body that is no longer sent.
pub(crate) fn drop_body_headers(headers: &mut Vec<(String, String)>) {
    headers.retain(|(name, _)| {
        let lower = name.to_ascii_lowercase();
        !["content-type", "content-encoding", "content-language", "content-location"]
            .contains(&lower.as_str())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn connection_headers_and_injections_are_refused() {
        for name in [
            "Host",
            "cookie",
            "PROXY-Authorization",
            "proxy-connection",
            "Transfer-Encoding",
            "connection",
            "Content-Length",
            "Upgrade",
            "TE",
            "Sec-Fetch-Mode",
            "a b",
            "a:b",
            "",
            "a\r\nb",
        ] {
            assert_eq!(check(&one(name, "x")).expect_err(name).rule, Rule::Header);
        }
        for value in ["a\r\nHost: evil.test", "a\nb", "a\rb", "a\0b"] {
            assert!(check(&one("x-ok", value)).is_err(), "{value:?}");
        }
        check(&one("Authorization", "Bearer x")).unwrap();
        check(&one("X-Custom", "grün")).unwrap();
    }

    #[test]
    fn a_refused_value_is_not_repeated() {
        let refusal = check(&one("x-key", "hunter2\r\n")).unwrap_err();
        assert!(!format!("{refusal:?}").contains("hunter2"));
    }

    #[test]
    fn what_a_hook_put_in_is_sensitive() {
        let map = to_map(&one("x-key", "secret"), &one("x-key", "{{placeholder}}")).unwrap();
        assert!(map["x-key"].is_sensitive());
        let map = to_map(&one("x-key", "plain"), &one("x-key", "plain")).unwrap();
        assert!(!map["x-key"].is_sensitive());
    }

    #[test]
    fn too_many_are_refused() {
        let many: Vec<_> = (0..101).map(|n| (format!("x-{n}"), String::new())).collect();
        assert!(check(&many).is_err());
    }
}
