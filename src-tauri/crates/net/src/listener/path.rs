//! One spelling for each path, so that a lookup is a comparison of text.

use std::borrow::Cow;

use devrig_core::{Error, Result};

const LONGEST: usize = 512;

/// The spelling under which a route is kept, or why the path cannot be one.
pub(super) fn checked(path: &str) -> Result<String> {
    let refuse = |why: &str| {
        Error::invalid(format!("{path:?} cannot be a path of the listener: {why}"))
            .hint("Write it like /hooks/builds: letters, digits and - . _ ~ between slashes.")
    };
    let Some(segments) = path.strip_prefix('/') else {
        return Err(refuse("it does not begin with a slash"));
    };
    if path.len() > LONGEST {
        return Err(refuse("it is longer than 512 characters"));
    }
    let segments = segments.strip_suffix('/').unwrap_or(segments);
    if segments.is_empty() {
        // Whoever asks for "/" is looking around, and finds nothing.
        return Err(refuse("the root is nobody's"));
    }
    if let Some(odd) = path.chars().find(|&c| !is_plain(c)) {
        return Err(refuse(&format!("it holds {odd:?}")));
    }
    let path = normalised(path);
    // Clients resolve these away before they send, so such a route would never be reached.
    if path.split('/').skip(1).any(|segment| matches!(segment, "" | "." | "..")) {
        return Err(refuse("it has an empty, . or .. segment"));
    }
    Ok(path.into_owned())
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/%".contains(c)
}

/// What the route of everything beside a path is called: `/wait/*` for `/wait/a` and `/wait/a/b`.
pub(super) fn all_beside(path: &str) -> Option<String> {
    let (first, _) = path.strip_prefix('/')?.split_once('/')?;
    Some(format!("/{first}/*"))
}

/// The same spelling for every way to write a path: escapes that need not be are undone, the
/// others are in capitals, and one closing slash is dropped. Free for what is normal already.
pub(super) fn normalised(path: &str) -> Cow<'_, str> {
    let trimmed = match path.strip_suffix('/') {
        Some("") | None => path,
        Some(rest) => rest,
    };
    if trimmed.contains('%') { Cow::Owned(unescaped(trimmed)) } else { Cow::Borrowed(trimmed) }
}

fn unescaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let Some(byte) = after.get(..2).and_then(hex_byte) else {
            // A stray percent sign stands for itself, and is escaped so that it stays one.
            out.push_str("%25");
            rest = after;
            continue;
        };
        match char::from(byte) {
            c if c.is_ascii_alphanumeric() || "-._~".contains(c) => out.push(c),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        rest = &after[2..];
    }
    out.push_str(rest);
    out
}

fn hex_byte(digits: &str) -> Option<u8> {
    let mut byte = [0];
    hex::decode_to_slice(digits, &mut byte).ok()?;
    Some(byte[0])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_spellings_of_a_path_become_the_same() {
        for (path, normal) in [
            ("/hooks/a", "/hooks/a"),
            ("/hooks/a/", "/hooks/a"),
            ("/%68ooks/%61", "/hooks/a"),
            ("/a%2fb", "/a%2Fb"),
            ("/a%20b", "/a%20b"),
            ("/a%", "/a%25"),
            ("/a%zz", "/a%25zz"),
            ("/a%é", "/a%25é"),
            ("/Hooks", "/Hooks"),
            ("/", "/"),
            ("", ""),
            ("*", "*"),
        ] {
            assert_eq!(normalised(path), normal, "{path}");
        }
    }

    #[test]
    fn what_no_client_would_send_is_no_route() {
        for path in [
            "",
            "/",
            "//",
            "hooks",
            "/a//b",
            "/a/../b",
            "/.",
            "/%2e%2E/a",
            "/a b",
            "/a?b",
            "/a#b",
            "/é",
            "/a\n",
            "/a\\b",
        ] {
            let error = checked(path).unwrap_err();
            assert!(error.hint.is_some(), "{path:?}");
        }
        assert!(checked(&format!("/{}", "a".repeat(LONGEST))).is_err());
        assert_eq!(checked("/hooks/%7Eme/").unwrap(), "/hooks/~me");
    }

    #[test]
    fn a_route_may_be_for_everything_below_a_name() {
        assert_eq!(all_beside("/wait/a/b").as_deref(), Some("/wait/*"));
        assert_eq!(all_beside("/wait/a").as_deref(), Some("/wait/*"));
        assert_eq!(all_beside("/wait"), None);
        assert_eq!(all_beside("wait/a"), None);
    }

    proptest! {
        #[test]
        fn a_normal_path_is_left_as_it_is(path in "/([%a-f0-9A-F/.é~]{0,20})") {
            let once = normalised(&path).into_owned();
            // Of several closing slashes one goes at a time; no route has two.
            if !once.ends_with('/') {
                prop_assert_eq!(normalised(&once), once.as_str());
            }
            if let Ok(kept) = checked(&path) {
                prop_assert_eq!(&kept, &once);
                prop_assert_eq!(checked(&kept).unwrap(), kept);
            }
        }
    }
}
