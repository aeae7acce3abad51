use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::definition::model::*;
use crate::definition::problem::ProblemCode;
use crate::definition::testing::{definitions, nearly_definitions, values};

fn problems(value: Value) -> Vec<(String, String, String)> {
    let problems = read_value(value).expect_err("it is wrong");
    let shown = |problem: &crate::definition::Problem| {
        (problem.field.clone(), problem.message.clone(), problem.hint.clone())
    };
    problems.list().iter().map(shown).collect()
}

fn small() -> Value {
    json!({
        "id": "daily", "name": "Daily digest", "schemaVersion": 1,
        "triggers": [{ "id": "morning", "type": "cron", "expression": "0 9 * * *" }],
        "nodes": [{ "id": "fetch", "type": "action", "action": "http.request" }],
    })
}

#[test]
fn defaults_are_filled_in() {
    let flow = read_value(small()).unwrap();
    assert_eq!(flow.settings, Settings::default());
    assert_eq!(flow.settings.retry_policy.base_delay_ms, 1_000);
    assert_eq!(flow.settings.timeout_ms, 3_600_000);
    let TriggerKind::Cron(cron) = &flow.triggers[0].kind else { panic!("{flow:?}") };
    assert_eq!((cron.misfire, cron.no_overlap), (Misfire::One, false));
}

#[test]
fn every_field_of_every_part_is_read() {
    let flow = read_text(include_str!("../../../tests/flows/everything.flow.json")).unwrap();
    assert_eq!(flow.triggers.len(), 9);
    assert_eq!(flow.nodes().count(), 10);
    let types: Vec<&str> = flow.triggers.iter().map(|t| t.trigger_type().as_str()).collect();
    assert_eq!(types[..4], ["cron", "webhook", "webhook", "filesystem"]);
    let TriggerKind::Webhook(hook) = &flow.triggers[1].kind else { panic!() };
    assert_eq!(hook.methods, [Method::Post, Method::Put]);
    let WebhookAuth::Hmac(auth) = &hook.auth else { panic!() };
    assert_eq!((auth.scheme, auth.tolerance_seconds), (HmacScheme::Slack, Some(60)));
    let each = flow.node("each").unwrap();
    assert_eq!(each.body().unwrap().edges[0].port, port::ERROR);
    assert_eq!(flow.node("inner").unwrap().on_error, Some(ErrorHandling::Skip));
    let NodeKind::Condition(branching) = &flow.node("route").unwrap().kind else { panic!() };
    assert_eq!(branching.ports(), ["urgent", "later", "else"]);
}

#[test]
fn an_unknown_field_is_refused_with_its_path_and_the_nearest_name() {
    let mut flow = small();
    flow["nodes"][0]["timeoutms"] = json!(5);
    flow["triggers"][0]["timezome"] = json!("UTC");
    flow["colour"] = json!("red");
    let found = problems(flow);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[0].0, "$.triggers[0].timezome");
    assert_eq!(found[0].2, "Did you mean `timezone`?");
    assert_eq!(found[1].0, "$.nodes[0].timeoutms");
    assert_eq!(found[1].1, r#"node `fetch`: there is no field "timeoutms" here"#);
    assert_eq!(found[2].0, "$.colour");
}

#[test]
fn every_problem_is_told_at_once_with_its_owner() {
    let flow = json!({
        "id": "a b", "name": "", "schemaVersion": 1,
        "triggers": [
            { "id": "p", "type": "polling", "intervalMs": 4999, "source": { "type": "http" } },
            { "id": "q", "type": "crom", "expression": "x" },
        ],
        "nodes": [
            { "id": "1a", "type": "action" },
            { "id": "n", "type": "note", "config": { "text": "x" }, "action": "a.b" },
        ],
        "edges": [{ "source": "a" }],
        "settings": { "maxConcurrentRuns": 0, "priority": 11 },
    });
    let error = read_value(flow).unwrap_err();
    let fields: Vec<&str> = error.list().iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "$.id",
            "$.name",
            "$.triggers[0].intervalMs",
            "$.triggers[0].source.url",
            "$.triggers[1].type",
            "$.nodes[0].id",
            "$.nodes[0].action",
            "$.nodes[1].action",
            "$.edges[0].target",
            "$.settings.maxConcurrentRuns",
            "$.settings.priority",
        ]
    );
    assert_eq!(error.list()[2].trigger, Some("p".into()));
    assert_eq!(error.list()[4].hint, "Did you mean `cron`?");
    assert_eq!(error.list()[8].edge.as_deref(), Some("`a` → ``"));
    assert_eq!(error.list()[9].code, ProblemCode::WrongValue);
}

#[test]
fn a_value_in_the_wrong_place_is_never_repeated() {
    let flow = json!({
        "id": "a", "name": "a", "nodes": [],
        "triggers": [{
            "id": "w", "type": "webhook",
            "auth": { "type": "hmac", "scheme": "github", "secret": "hunter2 is the password" },
        }],
    });
    let found = problems(flow);
    assert_eq!(found[0].0, "$.triggers[0].auth.secret");
    assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
}

#[test]
fn whole_numbers_written_with_a_fraction_are_whole() {
    let mut flow = small();
    flow["nodes"][0]["timeoutMs"] = json!(1000.0);
    assert_eq!(read_value(flow.clone()).unwrap().graph.nodes[0].timeout_ms, Some(1000));
    for wrong in [json!(1000.5), json!(-1), json!(1e300), json!(u64::MAX), json!("5"), json!(null)]
    {
        flow["nodes"][0]["timeoutMs"] = wrong.clone();
        assert_eq!(problems(flow.clone())[0].0, "$.nodes[0].timeoutMs", "{wrong}");
    }
}

#[test]
fn null_is_an_output_that_can_be_pinned() {
    let mut flow = small();
    flow["nodes"][0]["pin"] = json!(null);
    assert_eq!(read_value(flow).unwrap().graph.nodes[0].pin, Some(Value::Null));
}

#[test]
fn what_is_not_json_is_told_with_line_and_column() {
    let error = read_text("{\n  \"id\": \"a\",\n  oops\n}").unwrap_err();
    assert_eq!(error.list()[0].code, ProblemCode::NotJson);
    assert!(error.list()[0].message.contains("line 3"), "{error}");
    assert!(read_text("{} {}").is_err());
    assert!(read_text("").is_err());
    assert_eq!(problems(json!([])).len(), 1);
}

#[test]
fn a_name_twice_in_one_object_is_refused_rather_than_lost() {
    let text = r#"{ "id": "a", "name": "b", "nodes": [{ "id": "x", "id": "y" }] }"#;
    let error = read_text(text).unwrap_err();
    assert_eq!(error.list()[0].code, ProblemCode::DuplicateKey);
    assert_eq!(error.list()[0].field, "$.nodes[0].id");
}

#[test]
fn a_mark_at_the_beginning_of_the_file_does_no_harm() {
    assert!(read_text(&format!("\u{feff}{}", small())).is_ok());
}

/// Objects `levels` deep, inside of a flow's variables, which are the second level.
fn deep(levels: usize) -> Value {
    let mut flow = small();
    let inner = (2..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
    flow["variables"] = inner;
    flow
}

#[test]
fn depth_is_bounded_alike_for_text_and_values() {
    let (fits, too_deep) = (deep(MOST_JSON_DEPTH), deep(MOST_JSON_DEPTH + 1));
    assert!(read_text(&fits.to_string()).is_ok());
    assert!(read_value(fits).is_ok());
    let error = read_text(&too_deep.to_string()).unwrap_err();
    assert_eq!(error.list()[0].code, ProblemCode::TooLarge);
    assert!(error.list()[0].field.starts_with("$.variables.a.a"), "{error}");
    assert_eq!(problems(too_deep).len(), 1);
    for open in ["[", "{\"a\":", "[{\"a\":"] {
        assert!(read_text(&open.repeat(400_000)).is_err());
    }
}

#[test]
fn size_nodes_edges_and_bodies_are_bounded() {
    let node = |index: usize| json!({ "id": format!("n{index}"), "type": "junction" });
    let nodes = |count: usize| (0..count).map(node).collect::<Vec<_>>();
    let mut flow = small();
    flow["nodes"] = nodes(MOST_NODES).into();
    assert!(read_value(flow.clone()).is_ok());
    let body = json!({ "id": "l", "type": "action", "action": "flow.loop",
                       "body": { "nodes": nodes(1) } });
    flow["nodes"].as_array_mut().unwrap()[0] = body;
    assert!(problems(flow.clone())[0].1.contains("2001 nodes"));
    flow["nodes"] = nodes(2).into();
    flow["edges"] = vec![json!({ "source": "n0", "target": "n1" }); MOST_EDGES + 1].into();
    assert_eq!(problems(flow)[0].0, "$.edges");

    let mut large = small();
    large["variables"]["text"] = "x".repeat(MOST_BYTES).into();
    assert!(problems(large.clone())[0].1.contains("bytes"));
    assert!(read_text(&large.to_string()).is_err());
    assert!(read_text(&" ".repeat(MOST_TEXT_BYTES + 1)).is_err());
}

fn nested(levels: usize) -> Value {
    let mut flow = small();
    let inner = json!({ "id": "n", "type": "junction" });
    flow["nodes"] = (0..levels).fold(json!([inner]), |nodes, level| {
        json!([{ "id": format!("l{level}"), "type": "action", "action": "flow.loop",
                 "body": { "nodes": nodes } }])
    });
    flow
}

#[test]
fn bodies_stand_in_each_other_five_levels_deep() {
    assert_eq!(read_value(nested(5)).unwrap().nodes().count(), 6);
    let found = problems(nested(6));
    assert_eq!(found.len(), 1);
    assert!(found[0].1.contains("body is nested more than 5 levels"), "{found:?}");
}

#[test]
fn a_list_of_thousands_of_wrong_things_gives_a_hundred_problems() {
    let mut flow = small();
    flow["nodes"] = vec![json!(1); 2_000].into();
    assert_eq!(problems(flow).len(), 100);
}

#[test]
fn parts_read_and_write_through_serde() {
    let text = r#"{"id":"c","type":"cron","expression":"* * * * *","noOverlap":true}"#;
    let trigger: Trigger = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&trigger).unwrap(), text);
    let error = serde_json::from_str::<RetryPolicy>(r#"{"jiter":false}"#).unwrap_err();
    assert!(error.to_string().contains("$.jiter"), "{error}");
    let flow: Definition = serde_json::from_value(small()).unwrap();
    assert_eq!(serde_json::to_value(&flow).unwrap(), flow.to_value());
}

#[test]
fn the_error_that_travels_keeps_every_problem() {
    let mut flow = small();
    flow["nodes"][0]["tmeoutMs"] = json!(1);
    flow["x"] = json!(1);
    let error = devrig_core::Error::from(read_value(flow).unwrap_err());
    assert!(error.message.contains("and one more problem"), "{error}");
    assert_eq!(error.hint.as_deref(), Some("Did you mean `timeoutMs`?"));
    assert_eq!(error.details.unwrap()["problems"][1]["field"], "$.x");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn anything_is_read_or_refused_with_a_place(value in nearly_definitions()) {
        let text = value.to_string();
        let (from_value, from_text) = (read_value(value), read_text(&text));
        prop_assert_eq!(&from_value, &from_text, "text and value are judged alike");
        if let Err(problems) = from_value {
            prop_assert!(!problems.list().is_empty());
            for problem in problems.list() {
                prop_assert!(problem.field.starts_with('$'), "{:?}", problem);
                prop_assert!(!problem.message.is_empty() && !problem.hint.is_empty());
            }
        }
    }

    #[test]
    fn other_json_is_no_flow_and_does_no_harm(value in values()) {
        let _ = read_value(value);
    }

    #[test]
    fn text_cut_anywhere_does_no_harm(flow in definitions(), at in any::<prop::sample::Index>()) {
        let text = crate::definition::to_text(&flow);
        let text = text.trim_end();
        let end = text.floor_char_boundary(at.index(text.len()));
        prop_assert!(read_text(&text[..end]).is_err());
    }
}
