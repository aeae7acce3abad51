//! Date formats: the signs of Luxon, and of the library before it, as those of strftime.

/// Longer signs before those that they begin with.
const SIGNS: [(&str, &str); 38] = [
    ("yyyy", "%Y"),
    ("YYYY", "%Y"),
    ("yy", "%y"),
    ("YY", "%y"),
    ("y", "%Y"),
    ("MMMM", "%B"),
    ("MMM", "%b"),
    ("MM", "%m"),
    ("M", "%-m"),
    ("LLLL", "%B"),
    ("LLL", "%b"),
    ("LL", "%m"),
    ("L", "%-m"),
    ("dddd", "%A"),
    ("ddd", "%a"),
    ("dd", "%d"),
    ("d", "%-d"),
    ("DD", "%d"),
    ("D", "%-d"),
    ("EEEE", "%A"),
    ("cccc", "%A"),
    ("EEE", "%a"),
    ("ccc", "%a"),
    ("HH", "%H"),
    ("H", "%-H"),
    ("hh", "%I"),
    ("h", "%-I"),
    ("mm", "%M"),
    ("m", "%-M"),
    ("SSS", "%3f"),
    ("ss", "%S"),
    ("s", "%-S"),
    ("a", "%p"),
    ("A", "%p"),
    ("ZZZ", "%z"),
    ("ZZ", "%:z"),
    ("z", "%Q"),
    ("Z", "%:z"),
];

/// The same format here; nothing where a sign has no counterpart, or the format is computed.
pub(super) fn of(format: &str) -> Option<String> {
    match format {
        "X" => return Some("seconds".to_owned()),
        "x" => return Some("milliseconds".to_owned()),
        computed if computed.starts_with('=') => return None,
        _ => {}
    }
    let (mut rest, mut made) = (format, String::new());
    while let Some(c) = rest.chars().next() {
        if let Some((sign, ours)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            made.push_str(ours);
            rest = &rest[sign.len()..];
        } else if let Some((text, after)) = quoted(rest) {
            made.push_str(&text.replace('%', "%%"));
            rest = after;
        } else if c.is_alphabetic() && c != 'T' {
            return None;
        } else {
            made.push_str(if c == '%' { "%%" } else { &rest[..c.len_utf8()] });
            rest = &rest[c.len_utf8()..];
        }
    }
    Some(made)
}

/// Text that stands for itself, and what follows it.
fn quoted(rest: &str) -> Option<(&str, &str)> {
    match rest.chars().next()? {
        '\'' => rest[1..].split_once('\''),
        '[' => rest[1..].split_once(']'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn formats_are_written_as_strftime_has_them() {
        for (theirs, ours) in [
            ("yyyy-MM-dd", "%Y-%m-%d"),
            ("MMMM dd yyyy", "%B %d %Y"),
            ("YYYY/MM/DD HH:mm:ss", "%Y/%m/%d %H:%M:%S"),
            ("EEEE d MMM 'at' h a", "%A %-d %b at %-I %p"),
            ("yyyy-MM-ddTHH:mm:ss.SSSZZ", "%Y-%m-%dT%H:%M:%S.%3f%:z"),
            ("100%", "100%%"),
            ("X", "seconds"),
        ] {
            assert_eq!(of(theirs).as_deref(), Some(ours), "{theirs}");
        }
        for none in ["={{ $json.format }}", "kkkk-'W'WW", "q"] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
