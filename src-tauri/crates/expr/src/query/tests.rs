use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn data() -> Value {
    json!({
        "items": [
            { "title": "Fix login", "state": "open", "size": 3, "labels": [{ "name": "bug" }] },
            { "title": "Add tests", "state": "closed", "size": 8, "labels": [] },
        ],
        "limit": 5, "id": 9_007_199_254_740_993_u64,
    })
}

fn json_path(text: &str) -> Value {
    let data = data();
    let found = JsonPath::parse(text).unwrap().query(&data).unwrap();
    Value::Array(found.into_iter().cloned().collect())
}

fn jmes_path(text: &str) -> Value {
    JmesPath::parse(text).unwrap().search(&data()).unwrap()
}

#[test]
fn json_path_finds_values_in_order() {
    for (text, expected) in [
        ("$.items[*].title", json!(["Fix login", "Add tests"])),
        ("$.items[?@.state == 'open'].size", json!([3])),
        ("$.items[?@.size > $.limit].title", json!(["Add tests"])),
        ("$..name", json!(["bug"])),
        ("$.items[-1:].title", json!(["Add tests"])),
        ("$.items[?length(@.labels) > 0].title", json!(["Fix login"])),
        ("$.items[?@.labels[?@.name == 'bug']].title", json!(["Fix login"])),
        ("$.items[?search(@.title, '^Add')].size", json!([8])),
        ("$.id", json!([9_007_199_254_740_993_u64])),
        ("$.missing.deep", json!([])),
    ] {
        assert_eq!(json_path(text), expected, "{text}");
    }
}

#[test]
fn jmes_path_gives_one_value() {
    for (text, expected) in [
        ("items[?state == 'open'].title", json!(["Fix login"])),
        ("items[].labels[].name | [0]", json!("bug")),
        (
            "{ n: length(items), titles: items[*].title }",
            json!({ "n": 2, "titles": ["Fix login", "Add tests"] }),
        ),
        ("join(', ', items[*].title)", json!("Fix login, Add tests")),
        ("to_string(items[0].labels)", json!("[{\"name\":\"bug\"}]")),
        ("to_string('x')", json!("x")),
        ("sort_by(items, &size)[-1].title", json!("Add tests")),
        ("sum(items[*].size)", json!(11.0)),
        ("id", json!(9_007_199_254_740_993_u64)),
        ("missing.deep", json!(null)),
    ] {
        let found = jmes_path(text);
        let same = crate::View::of(&found).same(crate::View::of(&expected));
        assert!(same, "{text}: {found} is not {expected}");
    }
}

#[test]
fn errors_point_at_the_column() {
    for (text, column) in [("$.items[", 8), ("items", 1), ("$.items[?@.a ==]", 14), ("$.ä[x]", 4)]
    {
        let error = JsonPath::parse(text).unwrap_err();
        assert_eq!(error.details.clone().unwrap()["column"], column, "{text}: {error}");
        assert!(error.message.contains("not JSONPath") && error.hint.is_some(), "{error}");
    }
    for (text, column) in [("items[", 7), ("a.b.", 5), ("ä", 1), ("foo(", 5)] {
        let error = JmesPath::parse(text).unwrap_err();
        assert_eq!(error.details.clone().unwrap()["column"], column, "{text}: {error}");
        assert!(error.message.contains("not JMESPath") && error.hint.is_some(), "{error}");
    }
    let error = JmesPath::parse("items | nope(@)").unwrap().search(&data()).unwrap_err();
    assert_eq!(error.details.clone().unwrap()["column"], 13, "{error}");
    let error = JmesPath::parse("&items").unwrap().search(&data()).unwrap_err();
    assert!(error.message.contains("an expression, not a value"), "{error}");
}

#[test]
fn what_would_overflow_or_go_too_deep_is_refused() {
    for text in [
        "[1::2147483647]".to_owned(),
        "[9999999999]".to_owned(),
        "!".repeat(500),
        "(".repeat(100),
        "[".repeat(100),
        "a|".repeat(500),
        "a.".repeat(900),
        "a".repeat(LONGEST + 1),
    ] {
        assert!(JmesPath::parse(&text).is_err(), "{text}");
    }
    for text in [
        format!("$[?{}1==1{}]", "(".repeat(10), ")".repeat(10)),
        format!("$[?{}@.a{}>1]", "length(".repeat(10), ")".repeat(10)),
        format!("${}1{}", "[?@".repeat(10), "]".repeat(10)),
        format!("$[{}]", "99999999999"),
        format!("${}", ".a".repeat(900)),
    ] {
        assert!(JsonPath::parse(&text).is_err(), "{text}");
    }
}

/// The largest that are let through, on a small stack.
#[test]
fn the_deepest_expressions_fit_the_stack_and_the_time() {
    let begun = Instant::now();
    let jmes = [
        format!("a{}", "|a".repeat(149)),
        format!("a{}", ".a".repeat(149)),
        "!".repeat(149) + "a",
        format!("{}a{}", "[".repeat(16), "]".repeat(16)),
        format!("{}a{}", "(".repeat(16), ")".repeat(16)),
        format!("{}a{}", "not_null(".repeat(16), ")".repeat(16)),
        format!("a{}", "[]".repeat(74)),
        format!("a{}", "[*]".repeat(49)),
        format!("a{}", " || a".repeat(70)),
    ];
    let paths = [
        format!("$[?{}1==1{}]", "(".repeat(5), ")".repeat(5)),
        format!("$[?{}@.a{}>1]", "length(".repeat(5), ")".repeat(5)),
        format!("${}{}", "[?@".repeat(6), "]".repeat(6)),
        format!("$[?{}@.a{}]", "count(".repeat(5), ")".repeat(5)),
        format!("$[?@.a{}]", " && @.b".repeat(30)),
        format!("${}", "..a".repeat(60)),
    ];
    let data = (0..100).fold(json!({ "a": 1 }), |inner, _| json!({ "a": [inner] }));
    for text in jmes {
        let _ = JmesPath::parse(&text).and_then(|path| path.search(&data));
    }
    for text in paths {
        let _ = JsonPath::parse(&text).and_then(|path| path.query(&data).map(|found| found.len()));
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn what_multiplies_is_refused_on_large_data_only() {
    let wide = json!({ "items": vec![json!({ "a": "x".repeat(100) }); 10_000], "one": 1 });
    let small = data();
    let path = |text: &str, data: &Value| {
        JsonPath::parse(text).unwrap().query(data).map(|found| found.len()).map_err(|e| e.code)
    };
    for text in ["$.items[?$..a]", "$.items[?count($.*) > 1]", "$.items[?$.items[?@.a]]"] {
        assert_eq!(path(text, &wide), Err(Code::TooLarge), "{text}");
        assert!(path(text, &small).is_ok(), "{text}");
    }
    assert_eq!(path("$.items[?@.a != $.one].a", &wide), Ok(10_000));
    assert_eq!(path("$..a", &wide), Ok(10_000));

    let search = |text: &str, data: &Value| {
        JmesPath::parse(text).unwrap().search(data).map(drop).map_err(|error| error.code)
    };
    let doubled = format!("@{}", " | [@, @]".repeat(14));
    let grown = format!("'ab' {}", "| join('', [@, @])".repeat(15));
    let escaped = format!("'\"' {}", "| to_string([@])".repeat(30));
    assert_eq!(search(&doubled, &wide), Err(Code::TooLarge));
    assert!(search(&doubled, &json!(1)).is_ok());
    assert!(search(&grown, &json!(1)).is_ok());
    assert_eq!(search(&escaped, &json!(1)), Err(Code::TooLarge));
    assert!(search("items[*].{ a: a, b: a }", &wide).is_ok());
    let long = format!("join('{}', items[*].a)", "x".repeat(1_900));
    assert_eq!(search(&long, &wide), Err(Code::TooLarge));
}

#[test]
fn data_nested_too_deeply_is_refused() {
    let deep = (0..2_000).fold(json!(1), |inner, _| Value::Array(vec![inner]));
    assert_eq!(JmesPath::parse("[0]").unwrap().search(&deep).unwrap_err().code, Code::TooLarge);
    assert_eq!(JsonPath::parse("$..a").unwrap().query(&deep).unwrap_err().code, Code::TooLarge);
    // serde_json frees nested values by recursion, which is the test's own trouble.
    std::mem::forget(deep);
}

fn any_data() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-c]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-c]", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

const JMES_WORDS: &[&str] = &[
    "a",
    "b",
    "@",
    "*",
    ".",
    "|",
    "||",
    "&&",
    "!",
    "[",
    "]",
    "[]",
    "[*]",
    "[?",
    "[0]",
    "[-1]",
    "[::2]",
    "[:-1:-3]",
    "[-9:9:-1]",
    "{",
    "}",
    "a:",
    ",",
    "(",
    ")",
    "&a",
    "==",
    "<",
    "`1`",
    "`[1,\"x\"]`",
    "'x'",
    "\"a\"",
    "length(",
    "sort(",
    "sort_by(",
    "max_by(",
    "min_by(",
    "map(&",
    "join(",
    "to_string(",
    "to_number(",
    "merge(",
    "keys(",
    "values(",
    "sum(",
    "avg(",
    "max(",
    "min(",
    "reverse(",
    "contains(",
    "ceil(",
    "abs(",
    "floor(",
    "not_null(",
    "type(",
    "to_array(",
    "starts_with(",
    "ends_with(",
    " ",
];

const PATH_WORDS: &[&str] = &[
    "$", "@", ".a", ".b", "..a", "..*", ".*", "[*]", "[0]", "[-1]", "[1:5:2]", "[::-1]", "['a']",
    "[?", "]", "(", ")", "@.a", "==", "!=", "<", ">=", "1", "'a'", "null", "&&", "||", "!",
    "length(", "count(", "match(", "search(", "value(", ",", " ", "[",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_jmes_path_is_searched_or_refused(
        words in prop::collection::vec(prop::sample::select(JMES_WORDS), 0..12),
        data in any_data(),
    ) {
        let found = JmesPath::parse(&words.concat()).and_then(|path| path.search(&data));
        prop_assert_ne!(found.err().map(|error| error.code), Some(Code::Internal), "{:?}", words);
    }

    #[test]
    fn any_call_of_a_jmes_function_is_answered(
        name in prop::sample::select(JMES_WORDS.iter().copied().filter(|word| word.ends_with('(')).collect::<Vec<_>>()),
        args in prop::collection::vec(prop::sample::select(vec!["@", "a", "b", "&a", "&b", "`1`", "'x'", "[*]", "*"]), 1..3),
        data in any_data(),
    ) {
        let text = format!("{name}{})", args.join(", "));
        let found = JmesPath::parse(&text).and_then(|path| path.search(&data));
        prop_assert_ne!(found.err().map(|error| error.code), Some(Code::Internal), "{}", text);
    }

    #[test]
    fn any_json_path_is_searched_or_refused(
        words in prop::collection::vec(prop::sample::select(PATH_WORDS), 0..12),
        data in any_data(),
    ) {
        if let Ok(path) = JsonPath::parse(&format!("${}", words.concat())) {
            let _ = path.query(&data);
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in ".{0,60}") {
        let _ = JmesPath::parse(&text);
        let _ = JsonPath::parse(&text);
        let _ = JsonPath::parse(&format!("${text}"));
    }
}
