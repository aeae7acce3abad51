//! Making a child's output safe to show and to log.

use std::fmt::Write;

/// Text of several lines: newlines and tabs stay, every other control, ANSI, bidirectional or
/// invisible character is written out as an escape, and broken UTF-8 becomes U+FFFD.
pub fn escape_text(bytes: &[u8]) -> String {
    escape(bytes, |c| matches!(c, '\n' | '\t'))
}

/// As [`escape_text`], but on one line: newlines are escaped too, so that output cannot forge
/// a line of a log.
pub fn escape_line(bytes: &[u8]) -> String {
    escape(bytes, |_| false)
}

fn escape(bytes: &[u8], keep: impl Fn(char) -> bool) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if keep(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_ascii_control() => _ = write!(out, "\\x{:02x}", u32::from(c)),
            c if c.is_control() || is_deceptive(c) => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
            c => out.push(c),
        }
    }
    out
}

/// Characters that change how others appear, or that cannot be seen at all.
fn is_deceptive(c: char) -> bool {
    matches!(
        u32::from(c),
        0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
            | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe007f
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_tricks_are_written_out() {
        for (raw, shown) in [
            ("plain é 漢字 🦀", "plain é 漢字 🦀"),
            ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
            ("a\rb", "a\\rb"),
            ("two\nlines\tand tab", "two\nlines\tand tab"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("user\u{202e}gpj.exe", "user\\u{202e}gpj.exe"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("\0\x07\x7f", "\\x00\\x07\\x7f"),
        ] {
            assert_eq!(escape_text(raw.as_bytes()), shown);
        }
        assert_eq!(escape_text(b"\xff\xfeok"), "\u{fffd}\u{fffd}ok");
    }

    #[test]
    fn a_line_stays_one_line() {
        let line = escape_line(b"first\nERROR forged\r\nlast");
        assert_eq!(line, "first\\nERROR forged\\r\\nlast");
        assert_eq!(line.lines().count(), 1);
    }
}
