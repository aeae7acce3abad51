use devrig_core::Sensitive;
use proptest::prelude::*;
use regex::Regex;
use serde_json::{Value, json};

use super::compare::Operator;
use super::*;
use crate::view::MASK;

fn context(path: &str) -> Value {
    json!({ "type": "context", "path": path })
}

fn literal(value: Value) -> Value {
    json!({ "type": "literal", "value": value })
}

fn cast(to: &str, of: Value) -> Value {
    json!({ "type": "cast", "to": to, "ref": of })
}

fn compare(left: Value, operator: &str, right: Value) -> Value {
    json!({ "type": "compare", "left": left, "operator": operator, "right": right })
}

fn data() -> Value {
    json!({
        "trigger": { "payload": {
            "n": 5, "big": 9007199254740993_u64, "text": "Fix login", "flag": true, "none": null,
            "list": ["bug", 1, { "a": 1 }], "object": { "a": [1] }, "number": " 12.5 ",
            "when": "2026-11-20T09:30:00Z", "json": "{\"a\": [1, 2]}", "no": "False"
        } },
        "nodes": { "fetch": { "output": { "items": [{ "id": 7 }] } }, "0": { "output": 3 } },
        "env": { "CI": "true" },
    })
}

fn verdict(condition: &Value) -> Verdict {
    let condition = Condition::parse(condition).unwrap();
    let data = data();
    condition.evaluate(&Data::from(&data), &Answers::default())
}

fn holds(condition: Value) -> bool {
    match verdict(&condition) {
        Verdict::True => true,
        Verdict::False => false,
        Verdict::Ask(question) => panic!("asked {question:?}"),
    }
}

fn payload(name: &str) -> Value {
    context(&format!("trigger.payload.{name}"))
}

#[test]
fn operators_hold_for_values_of_one_kind() {
    for (left, operator, right, expected) in [
        (payload("n"), "eq", json!(5.0), true),
        (payload("n"), "neq", json!(6), true),
        (payload("n"), "gt", json!(4), true),
        (payload("n"), "gte", json!(5), true),
        (payload("n"), "lt", json!(5), false),
        (payload("n"), "lte", json!(5), true),
        (payload("big"), "eq", json!(9007199254740992_u64), false),
        (payload("big"), "gt", json!(9007199254740992_u64), true),
        (payload("text"), "eq", json!("Fix login"), true),
        (payload("text"), "lt", json!("Fiy"), true),
        (payload("text"), "contains", json!("log"), true),
        (payload("text"), "contains", json!("LOG"), false),
        (payload("text"), "startsWith", json!("Fix"), true),
        (payload("text"), "endsWith", json!("in"), true),
        (payload("text"), "endsWith", json!("Fix"), false),
        (payload("list"), "contains", json!("bug"), true),
        (payload("list"), "contains", json!({ "a": 1.0 }), true),
        (payload("list"), "contains", json!("1"), false),
        (payload("object"), "eq", json!({ "a": [1] }), true),
        (payload("list"), "neq", json!([]), true),
        (payload("flag"), "eq", json!(true), true),
        (payload("none"), "eq", json!(null), true),
    ] {
        let condition = compare(left, operator, literal(right));
        assert_eq!(holds(condition.clone()), expected, "{condition}");
    }
}

#[test]
fn kinds_that_differ_compare_as_false_whatever_the_operator() {
    for (left, right) in [
        (payload("n"), json!("5")),
        (payload("flag"), json!("true")),
        (payload("flag"), json!(1)),
        (payload("none"), json!("")),
        (payload("none"), json!(false)),
        (payload("missing"), json!(null)),
        (payload("missing"), json!("x")),
        (payload("when"), json!(1_795_167_000_000_i64)),
    ] {
        for (operator, _) in Operator::ALL {
            let condition = compare(left.clone(), operator, literal(right.clone()));
            assert!(!holds(condition.clone()), "{condition}");
        }
    }
}

#[test]
fn a_cast_says_where_a_conversion_is_meant() {
    for (to, name, operator, right, expected) in [
        ("number", "number", "eq", json!(12.5), true),
        ("number", "text", "eq", json!(0), false),
        ("number", "flag", "eq", json!(1), false),
        ("string", "n", "eq", json!("5"), true),
        ("string", "flag", "eq", json!("true"), true),
        ("string", "object", "eq", json!("{\"a\":[1]}"), true),
        ("string", "none", "eq", json!("null"), false),
        ("boolean", "no", "eq", json!(false), true),
        ("boolean", "text", "eq", json!(true), false),
        ("json", "json", "eq", json!({ "a": [1, 2] }), true),
        ("json", "list", "contains", json!("bug"), true),
        ("json", "text", "eq", json!("Fix login"), false),
        ("date", "when", "eq", json!("2026-11-20T09:30:00Z"), false),
    ] {
        let condition = compare(cast(to, payload(name)), operator, literal(right));
        assert_eq!(holds(condition.clone()), expected, "{condition}");
    }
}

#[test]
fn dates_compare_with_dates() {
    let date = |value: Value| cast("date", value);
    for (operator, other, expected) in [
        ("eq", json!("2026-11-20T10:30:00+01:00"), true),
        ("gt", json!("2026-11-20"), true),
        ("lt", json!(1_795_167_000_001_i64), true),
        ("gte", json!("Fri, 20 Nov 2026 09:30:00 GMT"), true),
        ("neq", json!("not a date"), false),
        ("contains", json!("2026-11-20"), false),
    ] {
        let condition = compare(date(payload("when")), operator, date(literal(other)));
        assert_eq!(holds(condition.clone()), expected, "{condition}");
    }
    let twice =
        compare(cast("number", date(payload("when"))), "eq", literal(json!(1_795_167_000_000_i64)));
    assert!(holds(twice));
}

#[test]
fn every_value_ref_reads_its_place() {
    let node = |id: &str, path: &str| json!({ "type": "node", "nodeId": id, "path": path });
    assert!(holds(compare(node("fetch", "items[0].id"), "eq", literal(json!(7)))));
    assert!(holds(compare(node("0", ""), "eq", literal(json!(3)))));
    let env = json!({ "type": "env", "key": "CI" });
    assert!(holds(compare(env, "eq", literal(json!("true")))));
    assert!(holds(json!({ "type": "exists", "ref": context("") })));
    for (name, expected) in [("n", true), ("none", false), ("missing.deep[3].er", false)] {
        assert_eq!(holds(json!({ "type": "exists", "ref": payload(name) })), expected, "{name}");
    }
}

#[test]
fn patterns_match_text_alone() {
    let matches = |name: &str, pattern: &str| {
        holds(json!({ "type": "matches", "ref": payload(name), "pattern": pattern }))
    };
    assert!(matches("text", "log"));
    assert!(matches("text", "(?i)^fix\\s"));
    assert!(!matches("text", "^login"));
    assert!(!matches("n", "5"));
    assert!(!matches("missing", ""));
}

#[test]
fn a_value_is_in_a_list_when_it_is_the_same() {
    let is_in = |name: &str, values: Value| {
        holds(json!({ "type": "in", "ref": payload(name), "values": values }))
    };
    assert!(is_in("n", json!([1, 5.0])));
    assert!(!is_in("n", json!(["5"])));
    assert!(is_in("none", json!([null])));
    assert!(!is_in("missing", json!([null])));
    assert!(!is_in("n", json!([])));
}

fn custom(name: &str) -> Value {
    json!({ "type": "custom", "pluginId": "p", "functionName": name, "args": [payload("n")] })
}

fn yes() -> Value {
    json!({ "type": "exists", "ref": payload("n") })
}

fn no() -> Value {
    json!({ "type": "exists", "ref": payload("missing") })
}

fn list(kind: &str, conditions: &[Value]) -> Value {
    json!({ "type": kind, "conditions": conditions })
}

#[test]
fn lists_stop_where_they_are_decided() {
    assert!(holds(list("and", &[])));
    assert!(!holds(list("or", &[])));
    assert!(holds(list("and", &[yes(), yes()])));
    assert!(!holds(list("and", &[yes(), no(), custom("never asked")])));
    assert!(holds(list("or", &[no(), yes(), custom("never asked")])));
    assert!(holds(json!({ "type": "not", "condition": no() })));
}

#[test]
fn questions_are_asked_in_order_and_answered_once() {
    let query = json!({ "type": "query", "query": "is:unread", "ref": payload("object") });
    let value = list("and", &[yes(), custom("a"), list("or", &[custom("b"), query]), no()]);
    let condition = Condition::parse(&value).unwrap();
    let data = data();
    let data = Data::from(&data);
    let mut answers = Answers::default();
    let mut asked = Vec::new();
    while let Verdict::Ask(question) = condition.evaluate(&data, &answers) {
        answers.give(question.id, question.asked != custom_asked("b"));
        asked.push(question.asked);
    }
    let query = Asked::Query { query: "is:unread".to_owned(), item: Some(json!({ "a": [1] })) };
    assert_eq!(asked, [custom_asked("a"), custom_asked("b"), query]);
    assert_eq!(condition.evaluate(&data, &answers), Verdict::False, "the last part is false");
}

fn custom_asked(function: &str) -> Asked {
    let (plugin_id, function) = ("p".to_owned(), function.to_owned());
    Asked::Custom { plugin_id, account_id: None, function, args: vec![json!(5)] }
}

#[test]
fn a_secret_is_compared_but_never_handed_out_or_shown() {
    let token = Sensitive::from("hunter2".to_owned());
    let secrets = || Data::object([("token", Data::secret(&token))]);
    let data = Data::object([("secrets", secrets()), ("also", secrets())]);
    let secret = json!({ "type": "secret", "key": "token" });
    let condition = list(
        "and",
        &[
            compare(secret.clone(), "endsWith", literal(json!("ter2"))),
            compare(cast("string", context("also.token")), "startsWith", literal(json!("hunt"))),
            json!({
                "type": "custom", "pluginId": "p", "functionName": "f",
                "args": [
                    context(""), context("also.token"),
                    cast("string", context("also")), cast("json", context("also.token")),
                ],
            }),
        ],
    );
    let condition = Condition::parse(&condition).unwrap();
    let Verdict::Ask(question) = condition.evaluate(&data, &Answers::default()) else {
        panic!("the comparisons hold, so the plugin is asked");
    };
    let explanation = condition.explain(&data, &Answers::default());
    assert_eq!(explanation.parts[0].read[0].value, Some(json!(MASK)));
    let shown = format!("{question:?} {}", serde_json::to_string(&explanation).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");

    for value in [secret.clone(), cast("json", secret), context("secrets.token")] {
        let refused =
            json!({ "type": "custom", "pluginId": "p", "functionName": "f", "args": [value] });
        let error = Condition::parse(&refused).unwrap_err();
        assert!(error.message.starts_with("args[0]: a secret"), "{error}");
    }
}

#[test]
fn errors_name_the_place_and_the_remedy() {
    let deep = (0..40).fold(yes(), |inner, _| json!({ "type": "not", "condition": inner }));
    let many = list("and", &vec![yes(); 1_001]);
    let in_list = |part: Value| list("and", &[yes(), part]);
    for (condition, message, hint) in [
        (json!(1), "a condition is an object, not a number", "type"),
        (json!({}), "the field type is missing", "Add \"type\""),
        (json!({ "type": "nott" }), "type: \"nott\" is not known", "Did you mean not?"),
        (json!({ "type": "xor" }), "type: \"xor\" is not known", "or"),
        (
            in_list(compare(context("a..b"), "eq", literal(json!(1)))),
            "conditions[1].left.path: column 3: a name is missing here",
            "trigger.payload",
        ),
        (
            in_list(compare(context("a"), "equals", literal(json!(1)))),
            "conditions[1].operator: \"equals\" is not known",
            "It is one of eq, neq",
        ),
        (
            compare(context("a"), "startWith", literal(json!(1))),
            "operator: \"startWith\" is not known",
            "Did you mean startsWith?",
        ),
        (
            json!({ "type": "exists", "reff": context("a") }),
            "reff: a condition of this type has no such field",
            "Did you mean ref?",
        ),
        (
            json!({ "type": "exists", "ref": { "type": "env", "name": "CI" } }),
            "ref.name: a value of this type has no such field",
            "It has type, key.",
        ),
        (
            json!({ "type": "exists", "ref": cast("int", context("a")) }),
            "ref.to: \"int\" is not known",
            "number",
        ),
        (
            json!({ "type": "in", "ref": context("a"), "values": "a" }),
            "values: a list is expected, not text",
            "Write a list.",
        ),
        (
            json!({ "type": "matches", "ref": context("a"), "pattern": "(a" }),
            "pattern: not a regular expression: unclosed group",
            "linear",
        ),
        (
            json!({ "type": "matches", "ref": context("a"), "pattern": "(?=a)b" }),
            "pattern: not a regular expression: look-around",
            "Look-around",
        ),
        (
            json!({ "type": "matches", "ref": context("a"), "pattern": "(\\w{100}){100}" }),
            "pattern: the patterns of the condition take too much memory",
            "smaller repetition",
        ),
        (deep, "condition.condition", "Flatten"),
        (many, "conditions[499].ref: the condition has more", "split it"),
    ] {
        let error = Condition::parse(&condition).unwrap_err();
        assert!(error.message.starts_with(message), "{error} is not {message}");
        assert!(error.hint.as_ref().unwrap().contains(hint), "{:?} is not {hint}", error.hint);
    }
}

#[test]
fn references_and_dependencies_are_known_before_evaluation() {
    let condition = list(
        "and",
        &[
            compare(cast("number", payload("n")), "gt", literal(json!(1))),
            json!({ "type": "not", "condition": {
                "type": "exists", "ref": { "type": "node", "nodeId": "fetch", "path": "a" },
            } }),
            custom("f"),
            json!({ "type": "query", "query": "is:unread" }),
        ],
    );
    let condition = Condition::parse(&condition).unwrap();
    let found: Vec<(String, String)> = condition
        .references()
        .into_iter()
        .map(|reference| (reference.path.to_string(), reference.place))
        .collect();
    let expected = [
        ("trigger.payload.n", "conditions[0].left"),
        ("nodes.fetch.output.a", "conditions[1].condition.ref"),
        ("trigger.payload.n", "conditions[2].args[0]"),
    ];
    assert_eq!(found, expected.map(|(path, place)| (path.to_owned(), place.to_owned())));
    assert_eq!(condition.references()[1].name(), Some("fetch"));
    let places: Vec<String> = condition.dependencies().into_iter().map(|on| on.place).collect();
    assert_eq!(places, ["conditions[2]", "conditions[3]"]);
}

#[test]
fn an_explanation_shows_what_was_compared_and_why_it_fails() {
    let condition = list(
        "or",
        &[
            compare(payload("n"), "gt", literal(json!("4"))),
            compare(payload("missing"), "eq", literal(json!(1))),
            compare(cast("number", payload("text")), "eq", literal(json!(1))),
            json!({ "type": "matches", "ref": payload("n"), "pattern": "5" }),
            custom("f"),
            yes(),
        ],
    );
    let condition = Condition::parse(&condition).unwrap();
    let data = data();
    let explained = condition.explain(&Data::from(&data), &Answers::default());
    assert_eq!(explained.holds, Some(true), "one open question changes nothing");
    let notes: Vec<Option<&str>> =
        explained.parts.iter().map(|part| part.note.as_deref()).collect();
    assert_eq!(
        notes,
        [
            Some("gt has no meaning for a number and text."),
            Some("There is no trigger.payload.missing."),
            Some("trigger.payload.text cannot be read as number."),
            Some("Only text matches, not a number."),
            Some("This was not asked yet."),
            None,
        ]
    );
    let first = &explained.parts[0];
    assert_eq!(first.place, "conditions[0]");
    assert_eq!(first.condition, "trigger.payload.n gt \"4\"");
    assert_eq!(first.read[0].value, Some(json!(5)));
    assert_eq!(first.read[1].kind, "text");
}

#[test]
fn an_explanation_stays_short_whatever_the_data() {
    let long: Vec<Value> = (0..1_000).map(|_| json!({ "a": "x".repeat(5_000) })).collect();
    let data = json!({ "list": long, "deep": [[[[[[1]]]]]] });
    let condition = list(
        "and",
        &[
            json!({ "type": "exists", "ref": context("list") }),
            json!({ "type": "exists", "ref": context("deep") }),
        ],
    );
    let condition = Condition::parse(&condition).unwrap();
    let explained = condition.explain(&Data::from(&data), &Answers::default());
    let text = serde_json::to_string(&explained).unwrap();
    assert!(text.len() < 10_000, "{} bytes", text.len());
    assert!(text.contains("… and 980 more") && text.contains("[…]"));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..9).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-c]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[a-c]", inner), 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_ref() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any_value().prop_map(literal),
        "[a-c]([.][a-c]|\\[[01]\\]){0,2}".prop_map(|path| context(&path)),
        "[a-c]".prop_map(|key| json!({ "type": "env", "key": key })),
        "[a-c]".prop_map(|id| json!({ "type": "node", "nodeId": id, "path": "a[0]" })),
        "[a-c]".prop_map(|key| json!({ "type": "secret", "key": key })),
    ];
    leaf.prop_recursive(2, 4, 1, |inner| {
        (prop::sample::select(vec!["number", "string", "boolean", "date", "json"]), inner)
            .prop_map(|(to, of)| cast(to, of))
    })
}

fn any_condition() -> impl Strategy<Value = Value> {
    let operators: Vec<&str> = Operator::ALL.iter().map(|(name, _)| *name).collect();
    let public = || "[a-c][.]x".prop_map(|path| context(&path));
    let leaf = prop_oneof![
        (any_ref(), prop::sample::select(operators), any_ref())
            .prop_map(|(left, operator, right)| compare(left, operator, right)),
        any_ref().prop_map(|subject| json!({ "type": "exists", "ref": subject })),
        (any_ref(), "[a-c.*]{0,4}")
            .prop_filter("a pattern that compiles", |(_, pattern)| Regex::new(pattern).is_ok())
            .prop_map(|(subject, pattern)| {
                json!({ "type": "matches", "ref": subject, "pattern": pattern })
            }),
        (any_ref(), prop::collection::vec(any_value(), 0..3)).prop_map(
            |(subject, values)| json!({ "type": "in", "ref": subject, "values": values })
        ),
        (prop::collection::vec(public(), 0..3), any::<bool>()).prop_map(|(args, named)| {
            let mut custom =
                json!({ "type": "custom", "pluginId": "p", "functionName": "f", "args": args });
            if named {
                custom["accountId"] = json!("a");
            }
            custom
        }),
        public().prop_map(|of| json!({ "type": "query", "query": "is:unread", "ref": of })),
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        prop_oneof![
            (prop::sample::select(vec!["and", "or"]), prop::collection::vec(inner.clone(), 0..4))
                .prop_map(|(kind, conditions)| list(kind, &conditions)),
            inner.prop_map(|inner| json!({ "type": "not", "condition": inner })),
        ]
    })
}

proptest! {
    #[test]
    fn any_condition_prints_reads_back_and_is_decided(
        value in any_condition(),
        data in any_value(),
        pick in any::<bool>(),
    ) {
        let condition = Condition::parse(&value).unwrap();
        prop_assert_eq!(&Condition::parse(&condition.to_value()).unwrap(), &condition);
        let data = Data::from(&data);
        let mut answers = Answers::default();
        let mut asked = 0;
        let verdict = loop {
            match condition.evaluate(&data, &answers) {
                Verdict::Ask(question) => answers.give(question.id, pick),
                verdict => break verdict,
            }
            asked += 1;
            prop_assert!(asked <= condition.dependencies().len(), "a question came twice");
        };
        let explained = condition.explain(&data, &answers).holds;
        if let Some(holds) = explained {
            prop_assert_eq!(Verdict::from(holds), verdict);
        }
    }

    #[test]
    fn any_json_is_read_or_refused(value in any_value(), kind in "[a-z]{2,8}") {
        let _ = Condition::parse(&value);
        let _ = Condition::parse(&json!({ "type": kind, "conditions": [value] }));
    }
}
