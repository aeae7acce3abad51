use proptest::prelude::*;

use super::*;

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn shown(text: &str) -> String {
    parse(text, now()).unwrap().to_string()
}

/// Column, length and hint of the error.
fn error(text: &str) -> (u64, u64, String) {
    let error = parse(text, now()).unwrap_err();
    assert_eq!(error.code, devrig_core::Code::InvalidQuery);
    let details = error.details.unwrap();
    let number = |key: &str| details[key].as_u64().unwrap();
    (number("column"), number("length"), error.hint.unwrap())
}

#[test]
fn the_language_of_the_design_is_read() {
    let text = "is:unread is:actionable from:github repo:a/b type:pull_request \
                reason:review_requested label:bug priority:high state:open older:2d has:draft \
                -author:bot \"exact phrase\" words";
    assert_eq!(shown(text), text);
    assert_eq!(shown("IS:Unread,archived  a OR (b c)"), "((is:unread,done a) or (b c))");
    assert_eq!(shown("-(a or b) \"x yes\"* deplo*"), "-(a or b) \"x yes\"* deplo*");
    assert_eq!(shown("label:\"good first issue\",bug"), "label:\"good first issue\",bug");
    assert_eq!(shown("--a"), "a");
    assert_eq!(shown("  "), "");
}

#[test]
fn ordinary_texts_with_colons_are_words() {
    assert_eq!(shown("fix: login"), "\"fix:\" login");
    assert_eq!(shown("https://a.b/c foo::bar 12:30"), "\"https://a.b/c\" \"foo::bar\" \"12:30\"");
    assert_eq!(shown("a - b"), "a \"-\" b");
}

#[test]
fn errors_point_at_the_place_and_say_what_to_do() {
    assert_eq!(error("a is:unred"), (6, 5, "Did you mean is:unread?".into()));
    assert_eq!(error("issue is:inbox lable:x").0, 16);
    assert!(error("lable:x").2.contains("label:"));
    assert!(error("zzzz:x").2.starts_with("Quote it"));
    assert_eq!(error("文件 \"abc").0, 4);
    assert_eq!(error("(a").0, 1);
    assert_eq!(error("a)").0, 2);
    assert_eq!(error("()").0, 1);
    assert_eq!(error("or a").0, 1);
    assert_eq!(error("a or").0, 3);
    assert_eq!(error("de*").0, 1);
    assert_eq!(error("repo:").0, 6);
    assert_eq!(error("repo:a,,b").0, 8);
    assert!(error("older:5m").2.contains("min"));
    assert!(error("priority:hihg").2.contains("priority:high"));
    assert_eq!(error(&"(".repeat(30)).0, 25);
    assert_eq!(error(&"a ".repeat(150)).0, 201);
    assert_eq!(error(&"a".repeat(5_000)).0, 4_001);
}

#[test]
fn the_last_word_is_open_while_typing() {
    let typing = |text: &str| parse_typing(text, now()).unwrap().to_string();
    assert_eq!(typing("is:unread dep"), "is:unread dep*");
    assert_eq!(typing("dep "), "dep");
    assert_eq!(typing("de"), "de", "half of all items have a word that begins so");
    assert_eq!(typing("a or dep"), "(a or dep)");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".*") {
        let _ = parse(&text, now());
    }

    #[test]
    fn what_is_shown_reads_back(parts in prop::collection::vec(
        prop::sample::select(vec![
            "is:unread", "-", "(", ")", " or ", "\"a b\"", "wor\"d", "*", ":", ",", "repo:a/b,\"c d\"",
            "older:2d", "文件", " ", "\\", "\"x\\\"y\"", "has:link", "OR", "x:", "/", "label:", "\n",
        ]), 0..12)
    ) {
        if let Ok(query) = parse(&parts.concat(), now()) {
            let text = query.to_string();
            let again = parse(&text, now());
            prop_assert_eq!(again.as_ref().ok(), Some(&query), "{}", text);
            prop_assert_eq!(again.unwrap().to_string(), text);
        }
    }
}
