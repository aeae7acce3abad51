//! Making what plugins write safe to show beside DevRig's own words.

/// One line of at most `most` characters: control, bidirectional and invisible characters are
/// dropped, and so are the quotation marks that DevRig itself puts around plugin text.
pub fn shown(text: &str, most: usize) -> String {
    let mut line = String::new();
    for (count, c) in text.chars().filter(|&c| is_plain(c)).enumerate() {
        if count == most {
            line.push('…');
            break;
        }
        line.push(if c.is_whitespace() { ' ' } else { c });
    }
    line
}

fn is_plain(c: char) -> bool {
    let hidden = matches!(
        u32::from(c),
        0xad | 0x34f | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
            | 0xfe00..=0xfe0f | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe0fff
    );
    !hidden && !c.is_control() && !matches!(c, '“' | '”')
}

/// At most `most` bytes, cut between two characters.
pub fn clip(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tricks_are_dropped_and_length_is_bounded() {
        assert_eq!(shown("a\u{202e}b\u{200b}\n“c” é漢", 50), "abc é漢");
        assert_eq!(shown("abcdef", 3), "abc…");
        assert_eq!(clip("aé", 2), "a");
    }
}
