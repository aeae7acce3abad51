//! Where in a text the thing is that a problem names.

use devrig_expr::Path;

use super::problem::{Problem, ProblemCode};

/// Line and column of a problem in the text that the definition was read from, both from 1. What
/// is missing is told at the thing around it.
pub fn line_and_column(problem: &Problem, text: &str) -> Option<(u32, u32)> {
    if let Some(said) = said(&problem.message) {
        return Some(said);
    }
    if problem.code == ProblemCode::NotJson {
        return None;
    }
    let path: Path = problem.field.parse().ok()?;
    let steps = path.steps().iter().skip(1).map(|step| (step.name(), step.index()));
    let at = Reader { text, at: 0 }.find(steps);
    Some(counted(text, at))
}

/// What could not even be parsed says so itself.
fn said(message: &str) -> Option<(u32, u32)> {
    let (_, place) = message.rsplit_once("(line ")?;
    let (line, column) = place.strip_suffix(')')?.split_once(", column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

fn counted(text: &str, at: usize) -> (u32, u32) {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// Goes through JSON that was parsed before, so that nothing here has to be checked again.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    /// The byte at which the value begins that the steps lead to, or the last one on the way.
    fn find<'s>(mut self, steps: impl Iterator<Item = (&'s str, Option<usize>)>) -> usize {
        self.space();
        let mut begin = self.at;
        for (name, index) in steps {
            let entered = match (self.peek(), index) {
                (Some(b'{'), _) => self.enter_field(name),
                (Some(b'['), Some(index)) => self.enter_element(index),
                _ => false,
            };
            if !entered {
                break;
            }
            begin = self.at;
        }
        begin
    }

    fn enter_field(&mut self, wanted: &str) -> bool {
        self.at += 1;
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return false;
            }
            let name = self.string();
            self.space();
            self.at += 1;
            self.space();
            if serde_json::from_str::<String>(name).is_ok_and(|name| name == wanted) {
                return true;
            }
            if !self.skip() {
                return false;
            }
        }
    }

    fn enter_element(&mut self, wanted: usize) -> bool {
        self.at += 1;
        for _ in 0..wanted {
            self.space();
            if !self.skip() {
                return false;
            }
        }
        self.space();
        !matches!(self.peek(), None | Some(b']'))
    }

    /// Over a value and the comma behind it; false where no other follows.
    fn skip(&mut self) -> bool {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => return false,
                b'}' | b']' => depth -= 1,
                b',' if depth == 0 => {
                    self.at += 1;
                    return true;
                }
                _ => {}
            }
            self.at += 1;
        }
        false
    }

    /// A text with its quotes.
    fn string(&mut self) -> &'t str {
        let begin = self.at;
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        self.at = self.at.min(self.text.len());
        self.text.get(begin..self.at).unwrap_or_default()
    }

    fn space(&mut self) {
        // A mark that editors on Windows begin files with is passed over, too.
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace() || !byte.is_ascii()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::definition::read::parse_text;
    use crate::definition::testing::values;
    use crate::definition::text::indented;

    const TEXT: &str = "\u{feff}{\n  \"name\": \"a \\\" [ {\",\n  \"nodes\": [\n    {\"id\": \"x\"},\n    {\"id\": \"ü\", \"config\": {\"a b\": [1, {\"url\": 5}]}}\n  ]\n}\n";

    fn at(field: &str) -> Option<(u32, u32)> {
        let problem = Problem::error(ProblemCode::WrongType, field, "", "");
        line_and_column(&problem, TEXT)
    }

    #[test]
    fn a_problem_has_a_line_and_a_column() {
        for (field, place) in [
            ("$.name", (2, 11)),
            ("$.nodes[0]", (4, 5)),
            ("$.nodes[1].id", (5, 12)),
            (r#"$.nodes[1].config["a b"][1].url"#, (5, 47)),
            // What is missing, at the thing around it.
            ("$.nodes[0].config.url", (4, 5)),
            ("$.nodes[7].id", (3, 12)),
            ("$.settings", (1, 2)),
        ] {
            assert_eq!(at(field), Some(place), "{field}");
        }
    }

    #[test]
    fn what_is_no_json_says_where_itself() {
        let problems = parse_text("{\n  \"a\": 1,\n  oops\n}").unwrap_err();
        assert_eq!(line_and_column(&problems.list()[0], ""), Some((3, 3)));
    }

    /// The places of all values, as problems name them.
    fn places(value: &Value, place: String, all: &mut Vec<(String, Value)>) {
        match value {
            Value::Array(list) => {
                for (index, inner) in list.iter().enumerate() {
                    places(inner, format!("{place}[{index}]"), all);
                }
            }
            Value::Object(map) => {
                for (name, inner) in map {
                    places(inner, format!("{place}[{}]", Value::from(name.as_str())), all);
                }
            }
            _ => {}
        }
        all.push((place, value.clone()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn every_value_is_found_where_it_stands(value in values()) {
            let text = indented(&value);
            let mut all = Vec::new();
            places(&value, "$".to_owned(), &mut all);
            for (field, expected) in all {
                let Ok(path) = field.parse::<Path>() else { continue };
                let steps = path.steps().iter().skip(1).map(|step| (step.name(), step.index()));
                let at = Reader { text: &text, at: 0 }.find(steps);
                let mut read = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
                prop_assert_eq!(read.next().unwrap().unwrap(), expected, "{}", field);
            }
        }

        #[test]
        fn any_text_has_some_place(text in ".{0,60}", field in r#"\$([.][a-c]|\[[0-3]\]){0,5}"#) {
            let problem = Problem::error(ProblemCode::WrongType, field, "", "");
            let (line, column) = line_and_column(&problem, &text).unwrap();
            prop_assert!(line >= 1 && column >= 1);
        }
    }
}
