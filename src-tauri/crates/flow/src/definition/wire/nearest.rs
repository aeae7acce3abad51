//! The name that was probably meant.

/// The nearest known name, when it is near enough to have been meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let near = known.into_iter().map(|name| (distance(&word, &name.to_ascii_lowercase()), name));
    let (distance, name) = near.min()?;
    (distance <= 1 + name.len() / 4 && distance < name.len()).then_some(name)
}

/// A hint: the nearest name as a question, else the names when they are few.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(name) => format!("Did you mean `{name}`?"),
        None if known.is_empty() => "Leave it out.".to_owned(),
        None if known.len() <= 16 => format!("It takes {}.", known.join(", ")),
        None => format!("It takes {} and others.", known[..16].join(", ")),
    }
}

fn distance(a: &str, b: &str) -> usize {
    // Names are short; a pasted page is not compared letter by letter.
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(80).collect(), b.chars().collect());
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
    fn a_slip_is_named_and_another_word_is_not() {
        let known = ["timeoutMs", "retryPolicy", "name"];
        assert_eq!(nearest("timeoutms", known), Some("timeoutMs"));
        assert_eq!(nearest("retrypolcy", known), Some("retryPolicy"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(did_you_mean("colour", &known), "It takes timeoutMs, retryPolicy, name.");
        assert_eq!(did_you_mean("nam", &known), "Did you mean `name`?");
    }
}
