use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::definition::problem::ProblemCode;
use crate::definition::testing::{definitions, nearly_definitions};
use crate::definition::{Problem, read_value};

fn schema() -> Value {
    serde_json::from_str(FLOW_SCHEMA).unwrap()
}

thread_local! {
    static VALIDATOR: Validator = jsonschema::options().offline().build(&schema()).unwrap();
}

/// What the schema has to say against a value.
fn against(value: &Value) -> Vec<String> {
    VALIDATOR.with(|validator| {
        let errors = validator.iter_errors(value);
        errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
    })
}

#[test]
fn the_schema_is_one_of_its_draft() {
    assert!(jsonschema::meta::is_valid(&schema()));
    assert_eq!(schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn the_examples_fit() {
    for text in [
        include_str!("../../../tests/flows/everything.flow.json"),
        include_str!("../../../tests/flows/canonical.flow.json"),
    ] {
        assert_eq!(against(&serde_json::from_str(text).unwrap()), [""; 0]);
    }
}

/// A node or trigger of each type, with only what it needs.
fn bases() -> Vec<(&'static str, &'static str, Value)> {
    let http = json!({ "type": "http", "url": "https://example.com" });
    let source = json!({ "type": "plugin", "pluginId": "p", "functionName": "f" });
    let condition = json!({ "type": "exists" });
    vec![
        ("triggers", "cronTrigger", json!({ "type": "cron", "expression": "* * * * *" })),
        ("triggers", "webhookTrigger", json!({ "type": "webhook" })),
        ("triggers", "filesystemTrigger", json!({ "type": "filesystem", "paths": ["/a"] })),
        (
            "triggers",
            "pollingTrigger",
            json!({ "type": "polling", "intervalMs": 5000, "source": http }),
        ),
        (
            "triggers",
            "pollingTrigger",
            json!({ "type": "polling", "intervalMs": 5000, "source": source }),
        ),
        ("triggers", "manualTrigger", json!({ "type": "manual" })),
        (
            "triggers",
            "eventTrigger",
            json!({ "type": "event", "sourceFlowId": "*", "event": "any" }),
        ),
        ("triggers", "inboxTrigger", json!({ "type": "inbox", "query": "" })),
        ("triggers", "pluginTrigger", json!({ "type": "plugin", "pluginId": "p", "trigger": "t" })),
        ("nodes", "call", json!({ "type": "action", "action": "a.b" })),
        ("nodes", "call", json!({ "type": "ai", "action": "a.b" })),
        (
            "nodes",
            "branching",
            json!({ "type": "condition", "config": { "condition": condition } }),
        ),
        ("nodes", "joining", json!({ "type": "junction" })),
        ("nodes", "annotation", json!({ "type": "note", "config": { "text": "" } })),
    ]
}

fn flow_with(list: &str, entry: &Value) -> Value {
    let mut entry = entry.clone();
    entry["id"] = json!("x");
    let mut flow = json!({ "id": "a", "name": "a", "nodes": [] });
    flow[list] = json!([entry]);
    flow
}

fn is_unknown(problem: &Problem) -> bool {
    problem.code == ProblemCode::UnknownField
}

/// Every field that the schema names, in a place where it may stand.
fn named_fields() -> Vec<(String, Value, Option<Value>)> {
    let schema = schema();
    let mut fields = Vec::new();
    let mut add = |base: &Value, path: &str, properties: &Value| {
        for (name, property) in properties.as_object().expect("properties") {
            fields.push((format!("{path}/{name}"), base.clone(), property.get("default").cloned()));
        }
    };
    for (list, definition, mut base) in bases() {
        if definition == "call" {
            // An account is one of a plugin.
            base["pluginId"] = json!("p");
        }
        let flow = flow_with(list, &base);
        add(&flow, &format!("/{list}/0"), &schema["$defs"][definition]["properties"]);
        let common = if list == "nodes" { "node" } else { "trigger" };
        add(&flow, &format!("/{list}/0"), &schema["$defs"][common]["properties"]);
    }
    let mut flow = flow_with("edges", &json!({ "source": "a", "target": "b" }));
    flow["settings"] = json!({ "retryPolicy": {}, "circuitBreaker": {} });
    add(&flow, "", &schema["properties"]);
    add(&flow, "/edges/0", &schema["$defs"]["edge"]["properties"]);
    for (name, path) in [
        ("settings", "/settings"),
        ("retryPolicy", "/settings/retryPolicy"),
        ("circuitBreaker", "/settings/circuitBreaker"),
    ] {
        add(&flow, path, &schema["$defs"][name]["properties"]);
    }
    fields
}

fn set(flow: &Value, path: &str, value: Value) -> Value {
    let mut flow = flow.clone();
    let (parent, name) = path.rsplit_once('/').expect("a path");
    flow.pointer_mut(parent).expect("it is there")[name] = value;
    flow
}

#[test]
fn the_reader_knows_every_field_that_the_schema_names() {
    let fields = named_fields();
    assert!(fields.len() > 150, "{}", fields.len());
    for (path, flow, _) in fields {
        // Of no type that any field has, so that the reader looks at it and no further.
        let wrong = json!([[[]]]);
        if let Err(problems) = read_value(set(&flow, &path, wrong)) {
            assert!(!problems.list().iter().any(is_unknown), "{path}: {problems}");
        }
    }
}

#[test]
fn defaults_are_those_of_the_model() {
    let with_default = named_fields()
        .into_iter()
        .filter_map(|(path, flow, value)| Some((set(&flow, &path, value?), flow, path)));
    let with_default: Vec<_> = with_default.collect();
    assert!(with_default.len() > 40, "{}", with_default.len());
    for (with, without, path) in with_default {
        assert_eq!(read_value(with), read_value(without), "{path}");
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let mut wrong = Vec::new();
    for (list, _, base) in bases() {
        let mut extra = base.clone();
        extra["nobody"] = json!(1);
        wrong.push(flow_with(list, &extra));
        for name in base.as_object().unwrap().keys() {
            let mut less = base.clone();
            less.as_object_mut().unwrap().remove(name);
            wrong.push(flow_with(list, &less));
        }
    }
    for (path, value) in [
        ("/settings", json!({ "maxConcurrentRuns": 0 })),
        ("/settings", json!({ "priority": 11 })),
        ("/settings", json!({ "retryPolicy": { "retryOn": ["cancelled"] } })),
        ("/settings", json!({ "timeoutMs": 1.5 })),
        ("/triggers", json!([{ "id": "p", "type": "polling", "intervalMs": 4999, "source": {} }])),
        ("/triggers", json!([{ "id": "w", "type": "webhook", "path": "/a" }])),
        ("/triggers", json!([{ "id": "w", "type": "webhook", "method": [] }])),
        ("/triggers", json!([{ "id": "w", "type": "webhook", "auth": { "type": "hmac" } }])),
        (
            "/triggers",
            json!([{ "id": "w", "type": "webhook", "auth": { "type": "none", "secret": "a" } }]),
        ),
        ("/nodes", json!([{ "id": "n", "type": "action", "action": "a.b", "accountId": "c" }])),
        ("/edges", json!([{ "source": "1", "target": "b" }])),
        ("/edges", json!([{ "source": "a", "target": "b", "port": "" }])),
        ("/tags", json!(["", "a"])),
        ("/variables", json!([])),
        ("/nobody", json!(1)),
        ("/id", json!("a b")),
    ] {
        wrong.push(set(&json!({ "id": "a", "name": "a", "nodes": [] }), path, value));
    }
    for flow in wrong {
        assert!(read_value(flow.clone()).is_err(), "{flow}");
        assert_ne!(against(&flow), [""; 0], "{flow}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_fits_the_schema(flow in definitions()) {
        prop_assert_eq!(against(&flow.to_value()), [""; 0]);
    }

    #[test]
    fn what_is_read_fits_the_schema(value in nearly_definitions()) {
        // Of an older version the schema says nothing.
        let present = value.get("schemaVersion") == Some(&json!(1));
        if present && read_value(value.clone()).is_ok() {
            prop_assert_eq!(against(&value), [""; 0]);
        }
    }
}
