//! Where a field stands in a JSON text, so that an error can point at it.

use std::collections::BTreeMap;

/// Deeper than any manifest; what lies below has the position of what holds it.
const DEPTH: usize = 64;

/// Line and column of every value of a JSON text, by JSON pointer. Both count from 1, columns in
/// characters.
#[derive(Debug, Default)]
pub struct Positions {
    places: BTreeMap<String, (u32, u32)>,
}

impl Positions {
    /// Reads as far as the text is JSON.
    pub fn of(text: &str) -> Self {
        let mut scan = Scan { bytes: text.as_bytes(), at: 0, offsets: BTreeMap::new() };
        _ = scan.value(String::new(), 0);
        let mut offsets: Vec<(usize, String)> =
            scan.offsets.into_iter().map(|(pointer, at)| (at, pointer)).collect();
        offsets.sort_unstable();
        let (mut line, mut column, mut at) = (1, 1, 0);
        let mut places = BTreeMap::new();
        for (offset, pointer) in offsets {
            for c in text.get(at..offset).unwrap_or_default().chars() {
                if c == '\n' {
                    (line, column) = (line + 1, 1);
                } else {
                    column += 1;
                }
            }
            at = offset;
            places.insert(pointer, (line, column));
        }
        Self { places }
    }

    /// The place of a value, or of the nearest one that holds it.
    pub fn find(&self, pointer: &str) -> Option<(u32, u32)> {
        let mut pointer = pointer;
        loop {
            if let Some(&place) = self.places.get(pointer) {
                return Some(place);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    offsets: BTreeMap<String, usize>,
}

impl Scan<'_> {
    fn value(&mut self, pointer: String, depth: usize) -> Option<()> {
        self.space();
        self.offsets.insert(pointer.clone(), self.at);
        match self.peek()? {
            _ if depth == DEPTH => None,
            b'{' => self.members(&pointer, depth),
            b'[' => self.elements(&pointer, depth),
            b'"' => self.string().map(drop),
            _ => {
                while self.peek().is_some_and(|b| !b",]} \t\r\n".contains(&b)) {
                    self.at += 1;
                }
                Some(())
            }
        }
    }

    fn members(&mut self, pointer: &str, depth: usize) -> Option<()> {
        self.at += 1;
        loop {
            self.space();
            if self.peek()? == b'}' {
                self.at += 1;
                return Some(());
            }
            let name = self.string()?;
            self.space();
            self.expect(b':')?;
            self.value(format!("{pointer}/{}", escape(&name)), depth + 1)?;
            self.space();
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
    }

    fn elements(&mut self, pointer: &str, depth: usize) -> Option<()> {
        self.at += 1;
        for index in 0.. {
            self.space();
            if self.peek()? == b']' {
                self.at += 1;
                return Some(());
            }
            self.value(format!("{pointer}/{index}"), depth + 1)?;
            self.space();
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        None
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.expect(b'"')?;
        loop {
            match self.peek()? {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_slice(self.bytes.get(start..self.at)?).ok()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

/// A name as a segment of a JSON pointer.
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_place() {
        let text = "{\n  \"a\": [1, {\"b/c\": \"é\", \"d\": 2}],\n  \"e\\u0041\": null\n}";
        let positions = Positions::of(text);
        for (pointer, place) in [
            ("", (1, 1)),
            ("/a", (2, 8)),
            ("/a/0", (2, 9)),
            ("/a/1/b~1c", (2, 20)),
            ("/a/1/d", (2, 30)),
            ("/eA", (3, 14)),
            ("/a/1/missing", (2, 12)),
            ("/nowhere/at/all", (1, 1)),
        ] {
            assert_eq!(positions.find(pointer), Some(place), "{pointer}");
        }
    }

    #[test]
    fn broken_and_deep_texts_end_quietly() {
        for text in ["", "{", "{\"a\"", "[1,", "\"\\", "{\"a\": tru", "}", &"[".repeat(1_000_000)] {
            _ = Positions::of(text).find("/a");
        }
    }
}
