//! Where in the person's own source something happened, read from the engine's traces.

/// How the source is named in traces.
pub const FILE: &str = "code.js";

/// Most lines of a trace that are kept.
const LINES: usize = 20;

/// The lines of a trace that are in the person's source.
pub fn own_lines(stack: &str) -> String {
    let own = stack.lines().filter(|line| place(line).is_some()).take(LINES);
    own.map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Line and column of the innermost place in the person's source.
pub fn innermost(stack: &str) -> Option<(u32, u32)> {
    stack.lines().find_map(place)
}

/// `    at name (code.js:3:5)`
fn place(line: &str) -> Option<(u32, u32)> {
    let (_, rest) = line.rsplit_once(FILE)?;
    let mut numbers = rest.trim_end_matches(')').split(':').skip(1);
    let row = numbers.next()?.parse().ok()?;
    Some((row, numbers.next().and_then(|column| column.parse().ok()).unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_persons_own_places_are_told() {
        let stack = "    at toJSON (devrig:snippet)\n    at map (native)\n    at deep (code.js:3:15)\n    at <anonymous> (code.js:7:2)\n";
        assert_eq!(innermost(stack), Some((3, 15)));
        assert_eq!(
            own_lines(stack),
            "    at deep (code.js:3:15)\n    at <anonymous> (code.js:7:2)"
        );
        assert_eq!(innermost("    at code.js:2:1"), Some((2, 1)));
        assert_eq!(innermost("no place"), None);
        assert_eq!(own_lines(&"    at a (code.js:1:1)\n".repeat(99)).lines().count(), LINES);
    }
}
