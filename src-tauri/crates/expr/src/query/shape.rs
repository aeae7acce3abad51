//! What can be told about a query from its text alone.

use devrig_core::Result;

use super::error_at;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// `..` of JSONPath, each of which may go through all that lies below.
    pub descents: u32,
    /// Filters within filters in which JSONPath searches from the root again.
    pub root_filters: u32,
    /// How often JMESPath may repeat a value by writing it into lists and objects.
    pub copies: u64,
}

/// Brackets within brackets, and marks that the libraries go into themselves for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub depth: usize,
    pub marks: usize,
}

/// Above it arithmetic on positions could overflow.
const LONGEST_NUMBER: usize = 9;

/// # Errors
/// Where a bound is passed. What is wrong otherwise is left to the parser.
pub(super) fn shape(text: &str, bounds: Bounds) -> Result<Shape> {
    let mut scan = Scan { text, shape: Shape { copies: 1, ..Shape::default() }, open: Vec::new() };
    let mut marks = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' | '"' | '`' => skip_quoted(&mut chars, c),
            '0'..='9' => {
                let mut digits = 1;
                while chars.next_if(|(_, c)| c.is_ascii_digit()).is_some() {
                    digits += 1;
                }
                if digits > LONGEST_NUMBER {
                    let hint = format!("Use at most {LONGEST_NUMBER} digits.");
                    return Err(error_at(text, at, "the number is too large", &hint));
                }
            }
            c if "([{}]).,|&!<>=*?$:".contains(c) => {
                marks += 1;
                if marks > bounds.marks {
                    let hint = "Split it into several steps.";
                    return Err(error_at(text, at, "the query is too long to be read", hint));
                }
                scan.mark(at, c, bounds.depth)?;
            }
            _ => {}
        }
    }
    Ok(scan.shape)
}

fn skip_quoted(chars: &mut impl Iterator<Item = (usize, char)>, quote: char) {
    while let Some((_, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            c if c == quote => return,
            _ => {}
        }
    }
}

struct Scan<'t> {
    text: &'t str,
    shape: Shape,
    /// The brackets that are open, with whether they are a filter, and their commas.
    open: Vec<(char, bool, u64)>,
}

impl Scan<'_> {
    fn mark(&mut self, at: usize, c: char, deepest: usize) -> Result<()> {
        match c {
            '(' | '[' | '{' => {
                self.open.push((c, false, 0));
                if self.open.len() > deepest {
                    let hint = "Split it into several steps.";
                    let message = format!("more than {deepest} brackets are inside one another");
                    return Err(error_at(self.text, at, message, hint));
                }
            }
            ')' | ']' | '}' => self.close(),
            ',' => {
                if let Some((_, _, commas)) = self.open.last_mut() {
                    *commas += 1;
                }
            }
            '?' => {
                if let Some((_, filter, _)) = self.open.last_mut() {
                    *filter = true;
                }
            }
            '.' if self.text[at + 1..].starts_with('.') => self.shape.descents += 1,
            '$' if self.is_wide(at) => {
                let filters = self.open.iter().filter(|(_, filter, _)| *filter).count() as u32;
                self.shape.root_filters = self.shape.root_filters.max(filters);
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self) {
        // The arguments of a function are no list.
        if let Some((bracket, _, commas)) = self.open.pop()
            && bracket != '('
        {
            self.shape.copies = self.shape.copies.saturating_mul(commas + 1);
        }
    }

    /// Whether the path that begins with this `$` may lead to more than one value.
    fn is_wide(&self, at: usize) -> bool {
        let path = &self.text[at..];
        let end = path.find([' ', ')', '=', '<', '>', '!', '&', '|']).unwrap_or(path.len());
        path[..end].contains("..") || path[..end].contains(['*', '?', ':', ','])
    }
}
