//! What a GraphQL document asks for, as far as it decides what a crash means: nothing is checked
//! that the service checks.

/// The kind of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Query,
    Mutation,
    Subscription,
}

/// The kind of the operation with that name; of several without a name, the one that does most.
pub(super) fn operation(document: &str, name: Option<&str>) -> Operation {
    let all = operations(document);
    let named = all.iter().find(|(_, own)| name.is_some() && *own == name);
    let has = |kind| all.iter().any(|(each, _)| *each == kind);
    match named {
        Some((kind, _)) => *kind,
        None if has(Operation::Mutation) => Operation::Mutation,
        None if has(Operation::Subscription) => Operation::Subscription,
        None => Operation::Query,
    }
}

fn operations(document: &str) -> Vec<(Operation, Option<&str>)> {
    let mut found = Vec::new();
    let (mut rest, mut depth, mut begins) = (document, 0_usize, true);
    while let Some(token) = next(&mut rest) {
        match token {
            "{" if depth == 0 && begins => {
                found.push((Operation::Query, None));
                (depth, begins) = (1, false);
            }
            "{" | "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "}" => {
                depth = depth.saturating_sub(1);
                begins = depth == 0;
            }
            word if depth == 0 && begins => {
                begins = false;
                let kind = match word {
                    "query" => Operation::Query,
                    "mutation" => Operation::Mutation,
                    "subscription" => Operation::Subscription,
                    _ => continue,
                };
                let mut ahead = rest;
                let name = next(&mut ahead).filter(|token| is_name(token));
                found.push((kind, name));
            }
            _ => {}
        }
    }
    found
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// The next name, text or sign; comments and what separates are passed over.
fn next<'a>(rest: &mut &'a str) -> Option<&'a str> {
    loop {
        *rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',' || c == '\u{feff}');
        if !rest.starts_with('#') {
            break;
        }
        *rest = rest.find(['\n', '\r']).map_or("", |end| &rest[end..]);
    }
    let first = rest.chars().next()?;
    let length = match first {
        '"' => text_length(rest),
        c if c.is_ascii_alphanumeric() || c == '_' => {
            rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
        }
        c => c.len_utf8(),
    };
    let (token, after) = rest.split_at(length);
    *rest = after;
    Some(token)
}

/// How long the text is that begins here; to the end where it has none.
fn text_length(rest: &str) -> usize {
    if let Some(block) = rest.strip_prefix("\"\"\"") {
        let mut from = 0;
        while let Some(at) = block[from..].find("\"\"\"") {
            let end = from + at;
            if !block[..end].ends_with('\\') {
                return end + 6;
            }
            from = end + 3;
        }
        return rest.len();
    }
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Operation::{Mutation, Query, Subscription};
    use super::*;

    #[test]
    fn a_document_says_whether_it_changes_something() {
        for (document, name, kind) in [
            ("{ a }", None, Query),
            ("query Q { mutation }", None, Query),
            ("query mutation { a }", None, Query),
            ("mutation { a }", None, Mutation),
            ("# mutation\nquery { a }", None, Query),
            (
                "fragment f on X { a } mutation M($a: [X!] = [{b: 1}]) @d(x: {y: 1}) { a }",
                None,
                Mutation,
            ),
            ("query Q { a(t: \"} mutation {\") }", None, Query),
            ("query Q { a(t: \"\"\"} \\\"\"\" mutation {\"\"\") }", None, Query),
            ("query Q { a } mutation M { b }", Some("Q"), Query),
            ("query Q { a } mutation M { b }", Some("M"), Mutation),
            ("query Q { a } mutation M { b }", None, Mutation),
            ("query Q { a } mutation M { b }", Some("other"), Mutation),
            ("subscription { a }", None, Subscription),
            ("query Q { a }\nmutation\u{feff}M { b }", None, Mutation),
            ("", None, Query),
        ] {
            assert_eq!(operation(document, name), kind, "{document}");
        }
    }

    proptest! {
        #[test]
        fn no_document_makes_it_panic_or_hang(
            document in "([{}()\\[\\]\"#\\\\\n ]|\"\"\"|mutation|query|\\PC){0,60}",
        ) {
            operation(&document, Some("a"));
        }
    }
}
