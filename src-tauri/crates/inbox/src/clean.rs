//! Text from outside, made safe to show: no control characters, nothing that turns or hides text.

/// One line: breaks and tabs become spaces, runs of spaces one, ends are trimmed.
pub fn line(text: &str) -> String {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) && !text.contains("  ") {
        return text.trim().to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for c in visible(text) {
        if c.is_whitespace() {
            gap = !out.is_empty();
        } else {
            if std::mem::take(&mut gap) {
                out.push(' ');
            }
            out.push(c);
        }
    }
    out
}

/// Markdown: line breaks and tabs stay.
pub fn text(text: &str) -> String {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b) || b == b'\n' || b == b'\t') {
        return text.to_owned();
    }
    visible(text).collect()
}

/// The first 280 characters or so of a body as one line.
pub fn preview(body: &str) -> String {
    let head: String = body.chars().take(PREVIEW * 2).collect();
    line(&head).chars().take(PREVIEW).collect()
}

pub const PREVIEW: usize = 280;

fn visible(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut previous = ' ';
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || {
        loop {
            let c = chars.next()?;
            let shown = match c {
                '\n' | '\t' => true,
                c if c.is_control() => false,
                // Joiners belong to emoji and to several scripts, but not between Latin letters,
                // where they only make two equal words differ.
                '\u{200c}' | '\u{200d}' => {
                    !previous.is_ascii() && chars.peek().is_some_and(|next| !next.is_ascii())
                }
                c => !hides(c),
            };
            if shown {
                previous = c;
                return Some(c);
            }
            // "a\rb" stays two words.
            if c == '\r' && chars.peek() != Some(&'\n') {
                previous = '\n';
                return Some('\n');
            }
        }
    })
}

/// Bidirectional controls, zero-width characters, tags and other format characters that show
/// nothing by themselves.
fn hides(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_be_turned_around_or_hide_text() {
        assert_eq!(line("invoice\u{202e}fdp.exe"), "invoicefdp.exe");
        assert_eq!(line("pay\u{200b}pal\u{feff} \u{2066}x\u{2069}"), "paypal x");
        assert_eq!(line("pay\u{200d}pal"), "paypal");
    }

    #[test]
    fn emoji_sequences_and_persian_joiners_stay() {
        assert_eq!(line("👩\u{200d}💻 می\u{200c}خواهم"), "👩\u{200d}💻 می\u{200c}خواهم");
    }

    #[test]
    fn a_title_is_one_line_without_control_characters() {
        assert_eq!(line("  a\r\n\tb \u{1b}[31mred\u{7} "), "a b [31mred");
    }

    #[test]
    fn a_body_keeps_its_lines() {
        assert_eq!(text("a\r\nb\rc\u{0}\td"), "a\nb\nc\td");
    }

    #[test]
    fn a_preview_is_cut_at_a_character() {
        let body = "错".repeat(1000);
        assert_eq!(preview(&body).chars().count(), PREVIEW);
    }
}
