//! Which known word was probably meant by an unknown one.

/// The nearest known word, when it is near enough to have been meant.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|name| (distance(word, name), *name)).min()?;
    (near.0 <= 1 + near.1.len() / 4 && near.0 < near.1.len()).then_some(near.1)
}

/// Letters to change, add or leave out to come from one to the other.
fn distance(a: &str, b: &str) -> usize {
    // What is longer is no misspelling of a known word, and need not be measured.
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(32).collect(), b.chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_a_letter_is_recognised_and_another_word_is_not() {
        let known = ["startsWith", "endsWith", "eq"];
        assert_eq!(nearest("startWith", &known), Some("startsWith"));
        assert_eq!(nearest("eqq", &known), Some("eq"));
        assert_eq!(nearest("banana", &known), None);
        assert_eq!(nearest("", &known), None);
        assert_eq!(nearest("x", &[]), None);
    }
}
