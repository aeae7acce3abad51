//! What holds for every action that only computes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use devrig_core::{Error, Result};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::bounds::MOST_BYTES;
use crate::action::{Actions, Does, Effect, Registered};

static ALL: LazyLock<Actions> = LazyLock::new(|| {
    let mut actions = Actions::default();
    super::add_all(&mut actions).unwrap();
    actions
});

static OUTPUTS: LazyLock<BTreeMap<&str, Validator>> = LazyLock::new(|| {
    let schema = |text| jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap();
    ALL.all().map(|action| (action.about.name, schema(action.about.output))).collect()
});

fn all() -> impl Iterator<Item = &'static Registered> {
    ALL.all()
}

fn fits_output(action: &Registered, output: &Value) -> bool {
    OUTPUTS[action.about.name].is_valid(output)
}

fn compute(action: &Registered, input: Value) -> Result<Value> {
    let Does::Pure(function) = action.does else { panic!("{} computes", action.about.name) };
    function(input)
}

pub(super) fn run(name: &str, input: Value) -> Result<Value> {
    compute(ALL.get(name).unwrap(), input)
}

/// Each config fits the schema and gives that output, which fits the other schema.
#[track_caller]
pub(super) fn gives(name: &str, cases: &[(Value, Value)]) {
    let action = ALL.get(name).unwrap();
    for (input, expected) in cases {
        action.check(input).unwrap();
        let given = compute(action, input.clone()).unwrap_or_else(|e| panic!("{input}: {e}"));
        assert_eq!(given, *expected, "{input}");
        assert!(fits_output(action, &given), "{input} gives {given}");
    }
}

/// Each config is refused with a message that says so, under the name of the action.
#[track_caller]
pub(super) fn fails(name: &str, cases: &[(Value, &str)]) {
    for (input, said) in cases {
        let error = error(name, input);
        assert!(error.message.contains(said), "{input}: {error}");
        assert!(error.message.starts_with(name), "{error}");
    }
}

#[track_caller]
fn error(name: &str, input: &Value) -> Error {
    match run(name, input.clone()) {
        Ok(output) => panic!("{input} gives {output}"),
        Err(error) => error,
    }
}

fn example(action: &Registered) -> Value {
    serde_json::from_str(action.about.example).unwrap()
}

#[test]
fn every_example_fits_the_schemas_and_runs() {
    for action in all() {
        let (about, example) = (&action.about, example(action));
        action.check(&example).unwrap();
        let output = compute(action, example).unwrap_or_else(|e| panic!("{}: {e}", about.name));
        assert!(fits_output(action, &output), "{} gives {output}", about.name);
    }
}

/// Expressions in an example have no values yet.
#[test]
fn every_action_that_ships_is_described_and_its_example_fits() {
    for action in super::builtin().unwrap().all() {
        let about = &action.about;
        let Value::Object(config) = example(action) else { panic!("{}", about.name) };
        let call = crate::definition::Call { config, ..crate::definition::Call::new(about.name) };
        assert_eq!(crate::shape::of_call(action, &call).faults, [], "{}", about.name);
        let input: Value = serde_json::from_str(about.input).unwrap();
        assert_eq!(input["additionalProperties"], json!(false), "{}: slips are told", about.name);
        let output: Value = serde_json::from_str(about.output).unwrap();
        assert!(jsonschema::validator_for(&output).is_ok(), "{}", about.name);
    }
}

#[test]
fn every_action_is_described() {
    for action in all() {
        let about = &action.about;
        assert!(about.idempotent, "{}", about.name);
        assert!(!about.title.is_empty() && about.text.ends_with(['.', '`']), "{}", about.name);
        let input: Value = serde_json::from_str(about.input).unwrap();
        assert_eq!(input["additionalProperties"], json!(false), "{}: slips are told", about.name);
        for (name, field) in input["properties"].as_object().unwrap() {
            assert!(field["description"].is_string(), "{}: {name}", about.name);
        }
    }
}

/// The schema and the code know the same fields.
#[test]
fn every_field_of_a_schema_is_read() {
    for action in all() {
        let input: Value = serde_json::from_str(action.about.input).unwrap();
        for name in input["properties"].as_object().unwrap().keys() {
            let mut config = example(action);
            config.as_object_mut().unwrap().entry(name).or_insert(Value::Null);
            if let Err(error) = compute(action, config) {
                assert!(!error.message.contains("unknown field"), "{error}");
            }
        }
    }
}

#[test]
fn what_only_computes_gives_the_same_twice() {
    for action in all().filter(|action| action.about.effect == Effect::Pure) {
        let [first, second] = [(); 2].map(|()| compute(action, example(action)).unwrap());
        assert_eq!(first, second, "{}", action.about.name);
    }
}

#[test]
fn no_message_is_as_long_as_the_data() {
    let name = "<".repeat(100_000);
    for (action, config) in [
        ("data.xml", json!({ "operation": "write", "value": { name.clone(): 1 } })),
        ("data.csv", json!({ "operation": "parse", "text": format!("{name},{name}") })),
        ("data.set", json!({ "fields": { "a": 1, format!("a[\"{name}\"]"): 1 } })),
        ("data.aggregate", json!({ "items": [], "compute": { name.clone(): 1 } })),
        ("date.format", json!({ "date": 0, "format": name })),
    ] {
        let error = run(action, config).unwrap_err();
        assert!(error.message.chars().count() < 500, "{action}: {}", error.message.len());
    }
}

#[test]
fn no_action_takes_more_than_its_bounds() {
    let large = Value::String("x".repeat(MOST_BYTES + 1));
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    for action in all() {
        for value in [&large, &deep] {
            let mut config = example(action);
            config.as_object_mut().unwrap().insert("items".to_owned(), value.clone());
            let error = compute(action, config).unwrap_err();
            assert!(error.message.contains("the input is"), "{error}");
        }
    }
}

#[test]
fn values_as_deep_as_allowed_overflow_no_stack() {
    let lists = (0..98).fold(json!(1), |inner, _| json!([inner]));
    let objects = (0..98).fold(json!(1), |inner, _| json!({ "a": inner }));
    for action in all() {
        for name in example(action).as_object().unwrap().keys() {
            for deep in [&lists, &objects, &json!([objects, objects])] {
                let mut config = example(action);
                config[name] = deep.clone();
                let _ = compute(action, config);
            }
        }
    }
    let merged = json!({ "mode": "deep", "inputs": [objects, objects] });
    assert_eq!(run("data.merge", merged).unwrap(), objects);
    let written = run("data.xml", json!({ "operation": "write", "value": objects })).unwrap();
    let read = run("data.xml", json!({ "operation": "parse", "text": written, "numbers": true }));
    assert_eq!(read.unwrap(), objects);
    let unique = json!({ "op": "unique" });
    let config = json!({ "items": [objects, objects, lists], "compute": { "x": unique } });
    assert_eq!(run("data.aggregate", config).unwrap()["x"], json!([objects, lists]));
    for (language, expression) in [("jmespath", "@"), ("template", "{{this}}"), ("jsonpath", "$")] {
        let config = json!({
            "value": objects, "language": language, "expression": expression, "first": true,
        });
        assert_eq!(run("data.transform", config).unwrap(), objects, "{language}");
    }
}

/// Any JSON, with names and texts that mean something to some action.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-5_i64..5).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((any_text(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-c]{0,2}",
        2 => "\\PC{0,12}",
        1 => any::<String>(),
        2 => "[-+0-9.:TZeEP ]{0,20}",
        2 => "[<>/&;=\"'!a-b\\[\\] #@\n-]{0,30}",
        2 => "[-:,&*!|>?{}\\[\\]'\"%@`#a-b0 \n]{0,30}",
        2 => "[\\\\.^$|?*+(){}\\[\\]a-c0-9<>P:-]{0,20}",
        2 => "%[-_0^#]?[0-9]{0,3}[:.]{0,2}[a-zA-Z%]",
        1 => "\\{\\{[a-c.#/ ]{0,8}\\}\\}",
    ]
}

/// The example with some of its fields, or fields in them, being something else.
fn changed(mut config: Value, changes: Vec<(Vec<usize>, Value)>) -> Value {
    changes.into_iter().for_each(|(way, value)| change(&mut config, &way, value));
    config
}

fn change(here: &mut Value, way: &[usize], value: Value) {
    let Some((turn, rest)) = way.split_first() else {
        *here = value;
        return;
    };
    match here {
        Value::Object(map) if !map.is_empty() => {
            let turn = turn % map.len();
            change(map.values_mut().nth(turn).unwrap(), rest, value);
        }
        Value::Array(list) if !list.is_empty() => {
            let turn = turn % list.len();
            change(&mut list[turn], rest, value);
        }
        here => *here = value,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_input_makes_any_action_panic(input in any_json()) {
        for action in all() {
            let _ = compute(action, input.clone());
        }
    }

    #[test]
    fn no_change_of_an_example_makes_its_action_panic(
        changes in prop::collection::vec(
            (prop::collection::vec(0_usize..8, 1..4), any_json()),
            1..4,
        ),
    ) {
        for action in all() {
            let config = changed(example(action), changes.clone());
            let fits = action.check(&config).is_ok();
            if let (Ok(given), true) = (compute(action, config.clone()), fits) {
                prop_assert!(fits_output(action, &given), "{config} gives {given}");
            }
        }
    }
}
