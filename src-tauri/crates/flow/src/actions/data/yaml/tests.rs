use proptest::prelude::*;
use serde_json::{Value, json};

use crate::actions::tests::{any_json, fails, gives, run};

fn parse(text: &str) -> Value {
    json!({ "operation": "parse", "text": text })
}

fn write(value: Value) -> Value {
    json!({ "operation": "write", "value": value })
}

fn documents(mut config: Value) -> Value {
    config["documents"] = json!(true);
    config
}

#[test]
fn texts_are_read_as_what_they_say() {
    gives(
        "data.yaml",
        &[
            (
                parse("a: 1\nb: [x, 2.5, null, ~, true]\n"),
                json!({ "a": 1, "b": ["x", 2.5, null, null, true] }),
            ),
            (
                parse("- yes\n- no\n- on\n- 'true'\n- True\n"),
                json!(["yes", "no", "on", "true", true]),
            ),
            (
                parse("[2026-11-21, 12:30:45, 007, 1_000, 0x1F, 0o17, 1e3, .inf, .nan]"),
                json!(["2026-11-21", "12:30:45", "007", "1_000", 31, 15, 1000.0, ".inf", ".nan"]),
            ),
            (parse("[18446744073709551615, -9223372036854775808]"), json!([u64::MAX, i64::MIN])),
            (parse("1: a\ntrue: b\n1.5: d\n"), json!({ "1": "a", "true": "b", "1.5": "d" })),
            (parse("a: |\n  x\n  y\nb: >\n  x\n  y\n"), json!({ "a": "x\ny\n", "b": "x y\n" })),
            (
                parse("a: &x { b: 1 }\nc: *x\nd: { <<: *x, e: 2 }\n"),
                json!({ "a": { "b": 1 }, "c": { "b": 1 }, "d": { "b": 1, "e": 2 } }),
            ),
            (parse("# nothing\n"), json!(null)),
            (parse(""), json!(null)),
            (parse("--- 1\n"), json!(1)),
            (documents(parse("--- 1\n---\na: 2\n")), json!([1, { "a": 2 }])),
            (documents(parse("")), json!([])),
            (parse("!!str 1"), json!("1")),
            (parse("a: !custom [1]"), json!({ "a": [1] })),
        ],
    );
}

#[test]
fn values_are_written_as_yaml() {
    gives(
        "data.yaml",
        &[
            (
                write(json!({ "a": [1, { "b": null, "c": "x" }], "d": {} })),
                json!("a:\n- 1\n- b: null\n  c: x\nd: {}\n"),
            ),
            (write(json!(null)), json!("null\n")),
            (documents(write(json!([1, { "a": 2 }]))), json!("---\n1\n---\na: 2\n")),
        ],
    );
}

#[test]
fn what_is_no_yaml_is_told_with_its_place() {
    fails(
        "data.yaml",
        &[
            (parse("a: [1, 2\nb: 3"), "line 2"),
            (parse("a: 1\na: 2\n"), "line 2"),
            (parse("a: *x"), "line 1"),
            (parse("--- 1\n--- 2\n"), "line"),
            (parse("~: 1"), "line 1"),
            (json!({ "operation": "parse" }), "text is missing"),
            (json!({ "operation": "write" }), "value is missing"),
            (documents(write(json!({}))), "value is an object, not a list"),
        ],
    );
}

#[test]
fn one_anchor_may_serve_many() {
    let text = format!("a: &a {{ x: 1 }}\nb:\n{}", "- { <<: *a }\n- *a\n".repeat(1_000));
    let read = run("data.yaml", parse(&text)).unwrap();
    assert_eq!(read["b"], json!(vec![json!({ "x": 1 }); 2_000]));
}

#[test]
fn bombs_do_not_go_off() {
    let laughs = (1..10).fold("a0: &a0 [x, x]\n".to_owned(), |text, at| {
        let inner = vec![format!("*a{}", at - 1); 10].join(", ");
        format!("{text}a{at}: &a{at} [{inner}]\n")
    });
    let copies =
        format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(1_000_000), vec!["*a"; 90].join(", "));
    let merged = format!(
        "a: &a {{ k: \"{}\" }}\nb:\n{}",
        "x".repeat(1_000_000),
        "- { <<: *a }\n".repeat(90)
    );
    for text in [
        laughs,
        copies,
        merged,
        "[".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(10_000),
        "{a: ".repeat(5_000),
    ] {
        let error = run("data.yaml", parse(&text)).unwrap_err();
        let start: String = text.chars().take(20).collect();
        assert!(error.message.len() < 500, "{start}: {error}");
    }
}

#[test]
fn a_text_that_grows_by_its_indent_is_stopped() {
    let deep = (0..98).fold(json!("x\ny\n".repeat(50_000)), |inner, _| json!({ "a": inner }));
    fails("data.yaml", &[(write(deep), "the output is larger than 16 MB")]);
}

fn line() -> impl Strategy<Value = String> {
    "[-:,&*!|>?{}\\[\\]'\"%@`#~=<a-b0-9.eExtrufalsnyo \n\r\t\u{85}\u{a0}\u{feff}\u{2028}\\\\]{0,16}"
}

proptest! {
    #[test]
    fn what_is_written_reads_back(value in any_json()) {
        let text = run("data.yaml", write(value.clone())).unwrap();
        let read = run("data.yaml", parse(text.as_str().unwrap())).unwrap();
        prop_assert_eq!(&read, &value, "{}", text);
    }

    #[test]
    fn texts_and_keys_are_quoted_where_they_need_it(key in line(), text in line()) {
        let value = json!([{ key: [text.clone()] }, text]);
        let written = run("data.yaml", documents(write(value.clone()))).unwrap();
        let read = run("data.yaml", documents(parse(written.as_str().unwrap()))).unwrap();
        prop_assert_eq!(&read, &value, "{}", written);
    }

    #[test]
    fn any_text_is_read_or_refused(text in line()) {
        let _ = run("data.yaml", parse(&text));
    }
}
