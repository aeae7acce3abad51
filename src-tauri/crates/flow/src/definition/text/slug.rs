//! A file name made of a flow's name.

const LONGEST: usize = 60;

/// Names that Windows keeps for devices, whatever follows them.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Letters and digits of any script in lower case, with a dash for everything between.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase).take(LONGEST) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    match slug {
        "" => "flow".to_owned(),
        device if is_device(device) => format!("{device}-flow"),
        slug => slug.to_owned(),
    }
}

fn is_device(name: &str) -> bool {
    let port = name.strip_prefix("com").or(name.strip_prefix("lpt"));
    DEVICES.contains(&name)
        || port.is_some_and(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn names_become_file_names() {
        for (name, expected) in [
            ("Daily digest", "daily-digest"),
            ("  CI: failed → notify!  ", "ci-failed-notify"),
            ("Tägliche Übersicht", "tägliche-übersicht"),
            ("日報", "日報"),
            ("../../etc/passwd", "etc-passwd"),
            ("???", "flow"),
            ("CON", "con-flow"),
            ("com7", "com7-flow"),
            ("common", "common"),
        ] {
            assert_eq!(slug(name), expected, "{name}");
        }
        assert!(slug(&"x".repeat(500)).len() <= 60);
    }
}
