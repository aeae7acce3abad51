use serde_json::{Value, json};

use super::*;
use crate::template::{Options, Template};

fn data() -> Value {
    json!({
        "title": "Fix login",
        "pr": {
            "title": "Fix login", "state": "open", "number": 7, "comments": 5, "draft": false,
            "milestone": null, "labels": ["bug", "ui"], "repo": "acme/shop",
            "sha": "9fceb02d0ae598e95dc970b74767f19372d61af8", "createdAt": "2026-11-20T09:30:00Z",
        },
        "emoji": "a\u{1f600}b", "long": "abcdef", "list": [1, 2, 3, 4], "mixed": [1, "1", null, [2], { "a": 1 }],
    })
}

fn value(text: &str) -> Value {
    let data = data();
    let template = Template::compile(text, Options::default()).unwrap();
    template.value(&Data::from(&data)).unwrap()
}

#[test]
fn every_example_in_the_documentation_holds() {
    let data = data();
    let examples = helpers().map(|helper| (helper.name, helper.example));
    for (name, (text, expected)) in examples.chain(BLOCKS.iter().map(|b| (b.name, b.example))) {
        let template = Template::compile(text, Options::default()).unwrap();
        assert_eq!(template.text(&Data::from(&data)).unwrap(), expected, "{name}");
    }
}

#[test]
fn names_are_given_once() {
    let mut names: Vec<&str> = helpers().map(|helper| helper.name).collect();
    names.extend(BLOCKS.iter().map(|block| block.name));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn a_helpers_name_without_values_is_a_field() {
    let data = json!({ "date": "today", "length": 3, "items": [{ "default": 1 }] });
    let template = Template::compile(
        "{{date}} {{length}} {{#each items}}{{default}}{{/each}}",
        Options::default(),
    );
    assert_eq!(template.unwrap().text(&Data::from(&data)).unwrap(), "today 3 1");
}

#[test]
fn comparing_is_strict_in_kind() {
    for (text, expected) in [
        ("{{eq 1 \"1\"}}", false),
        ("{{eq 1 1.0}}", true),
        ("{{eq missing null}}", true),
        ("{{eq missing false}}", false),
        ("{{eq pr.labels (split \"bug,ui\" \",\")}}", true),
        ("{{ne missing 1}}", true),
        ("{{gt \"10\" 9}}", false),
        ("{{lt \"10\" 9}}", false),
        ("{{gt \"b\" \"a\"}}", true),
        ("{{gte missing missing}}", false),
        ("{{and 1 \"x\" list}}", true),
        ("{{and 1 0}}", false),
        ("{{or 0 \"\" missing}}", false),
        ("{{not list}}", false),
        ("{{contains mixed \"1\"}}", true),
        ("{{contains mixed 2}}", false),
        ("{{contains mixed missing}}", true),
        ("{{contains missing \"x\"}}", false),
        ("{{contains \"abc\" \"\"}}", true),
        ("{{startsWith missing \"x\"}}", false),
        ("{{startsWith 123 1}}", true),
    ] {
        assert_eq!(value(text), json!(expected), "{text}");
    }
}

#[test]
fn text_is_cut_and_filled_by_characters() {
    for (text, expected) in [
        ("{{length emoji}}", json!(3)),
        ("{{slice emoji 1 2}}", json!("\u{1f600}")),
        ("{{slice long -2}}", json!("ef")),
        ("{{slice long 1 -1}}", json!("bcde")),
        ("{{slice long 4 2}}", json!("")),
        ("{{slice long 99}}", json!("")),
        ("{{slice list 1 3}}", json!([2, 3])),
        ("{{slice list -1}}", json!([4])),
        ("{{slice missing 0}}", json!("")),
        ("{{truncate long 6}}", json!("abcdef")),
        ("{{truncate long 5}}", json!("abcd…")),
        ("{{truncate long 3 suffix=\"...\"}}", json!("...")),
        ("{{truncate long 2 suffix=\"...\"}}", json!("..")),
        ("{{truncate long 0}}", json!("")),
        ("{{truncate emoji 2 suffix=\"\"}}", json!("a\u{1f600}")),
        ("{{padStart 7 3}}", json!("  7")),
        ("{{padStart long 8 \"xyz\"}}", json!("xyabcdef")),
        ("{{padStart long 3 \"x\"}}", json!("abcdef")),
        ("{{padStart long 9 \"\"}}", json!("abcdef")),
        ("{{split emoji \"\"}}", json!(["a", "\u{1f600}", "b"])),
        ("{{split \"\" \",\"}}", json!([""])),
        ("{{split missing \",\"}}", json!([])),
        ("{{join mixed \"|\"}}", json!("1|1||2|{\"a\":1}")),
        ("{{join missing}}", json!("")),
        ("{{join long}}", json!("abcdef")),
        ("{{replace long \"\" \"x\"}}", json!("abcdef")),
        ("{{replace \"a.a\" \".\" \"\"}}", json!("aa")),
        ("{{capitalize \"éa\"}}", json!("Éa")),
        ("{{capitalize \"\"}}", json!("")),
        ("{{upper missing}}", json!("")),
        ("{{upper true}}", json!("TRUE")),
        ("{{trim \"\u{a0} x\n\"}}", json!("x")),
        ("{{urlEncode \"a b&ü/~\"}}", json!("a%20b%26%C3%BC%2F~")),
        ("{{base64 \"\"}}", json!("")),
        ("{{json missing}}", json!("null")),
        ("{{json list indent=1}}", json!("[\n 1,\n 2,\n 3,\n 4\n]")),
        ("{{default \"\" missing null 0}}", json!(0)),
        ("{{default missing \"\"}}", json!("")),
        ("{{default \"\" missing}}", json!(null)),
        ("{{lookup pr \"labels\"}}", json!(["bug", "ui"])),
        ("{{lookup pr.labels 9}}", json!(null)),
        ("{{length pr}}", json!(10)),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn times_are_written_in_the_zone_that_is_named() {
    for (text, expected) in [
        ("{{date pr.createdAt}}", json!("2026-11-20T09:30:00Z")),
        ("{{date \"2026-11-20T09:30:00.123+01:00\"}}", json!("2026-11-20T08:30:00.123Z")),
        ("{{date pr.createdAt tz=\"America/New_York\"}}", json!("2026-11-20T04:30:00-05:00")),
        ("{{date pr.createdAt \"%A, %-d %B %Y\"}}", json!("Friday, 20 November 2026")),
        ("{{date 0 \"%s\"}}", json!("0")),
        ("{{date \"2026-03-29\" \"%H:%M %Z\" tz=\"Europe/Berlin\"}}", json!("01:00 CET")),
        ("{{date missing}}", json!(null)),
        ("{{date \"\"}}", json!(null)),
        ("{{default (date missing) \"never\"}}", json!("never")),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}
