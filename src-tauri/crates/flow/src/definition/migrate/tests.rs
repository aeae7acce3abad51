use serde_json::{Value, json};

use super::*;
use crate::definition::{
    Branching, HmacAuth, HmacScheme, NodeKind, TriggerKind, WebhookAuth, port,
};
use crate::definition::{read_text, read_value};

fn old() -> Value {
    serde_json::from_str(include_str!("../../../tests/flows/reference-shape.json")).unwrap()
}

#[test]
fn the_references_shape_becomes_a_definition() {
    let flow = read_text(&old().to_string()).unwrap();
    let TriggerKind::Webhook(hook) = &flow.triggers[0].kind else { panic!("{flow:?}") };
    let secret = "trigger_secret".to_owned();
    let auth = HmacAuth { scheme: HmacScheme::Plain, secret, ..HmacAuth::default() };
    assert_eq!((&hook.auth, hook.tunnel), (&WebhookAuth::Hmac(auth), true));
    assert_eq!(flow.node("check").unwrap().call().unwrap().action, "http.request");
    let NodeKind::Condition(Branching::If(condition)) = &flow.node("node_2nd").unwrap().kind else {
        panic!("{flow:?}")
    };
    assert_eq!(condition["ref"]["nodeId"], "node_1st_step");
    let ports: Vec<&str> = flow.graph.edges.iter().map(|edge| edge.port.as_str()).collect();
    assert_eq!(ports, [port::OUT, port::OUT, port::TRUE, port::FALSE]);
    let text = flow.node("tell").unwrap().call().unwrap().config["title"].as_str().unwrap();
    assert_eq!(text, "{{nodes.node_1a.output.a}} and {{nodes.check.output}}");
}

#[test]
fn the_secret_itself_does_not_stay_in_the_definition() {
    assert!(old().to_string().contains("hunter2"));
    assert!(!migrate(old()).unwrap().to_string().contains("hunter2"));
}

#[test]
fn the_shape_is_known_without_a_version_too() {
    let mut flow = old();
    flow.as_object_mut().unwrap().remove("schemaVersion");
    assert_eq!(migrate(flow).unwrap(), migrate(old()).unwrap());
}

#[test]
fn migrating_twice_is_migrating_once() {
    let once = migrate(old()).unwrap();
    assert_eq!(migrate(once.clone()).unwrap(), once);
    let new = json!({ "id": "a", "name": "b", "nodes": [], "version": 3 });
    assert_eq!(migrate(new.clone()).unwrap(), new, "a field that is wrong today is not dropped");
}

#[test]
fn a_newer_version_is_refused_with_what_to_do() {
    for version in [json!(2), json!(u64::MAX)] {
        let error = migrate(json!({ "schemaVersion": version })).unwrap_err();
        assert_eq!(error.list()[0].code, ProblemCode::NewerSchema);
        assert!(error.list()[0].hint.starts_with("Update DevRig"), "{error:?}");
    }
    for version in [json!(-1), json!("1"), json!(null), json!(0.5)] {
        let error = migrate(json!({ "schemaVersion": version })).unwrap_err();
        assert_eq!(error.list()[0].field, "$.schemaVersion");
    }
}

#[test]
fn what_is_no_flow_at_all_passes_on_to_be_refused() {
    for value in [json!(null), json!([1]), json!({ "schemaVersion": 0, "nodes": 5, "edges": [1] })]
    {
        assert!(read_value(value).is_err());
    }
}

proptest::proptest! {
    #[test]
    fn whatever_is_migrated_is_migrated_once(value in crate::definition::testing::nearly_definitions()) {
        let mut old = value;
        if let Some(map) = old.as_object_mut() {
            map.insert("schemaVersion".to_owned(), 0.into());
        }
        if let Ok(once) = migrate(old) {
            proptest::prop_assert_eq!(&migrate(once.clone()).unwrap(), &once);
        }
    }
}
