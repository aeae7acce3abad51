use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::definition::testing::{Choices, World, values};
use crate::definition::{NodeKind, ProblemCode, TriggerKind, check, to_text};

/// Name, workflow, and the flow and report that were found right by reading them.
macro_rules! fixtures {
    ($($name:literal,)+) => {
        [$((
            $name,
            include_str!(concat!("../../../tests/n8n/", $name, ".json")),
            include_str!(concat!("../../../tests/n8n/", $name, ".flow.json")),
            include_str!(concat!("../../../tests/n8n/", $name, ".report.json")),
        ),)+]
    };
}

const FIXTURES: [(&str, &str, &str, &str); 7] = fixtures![
    "webhook-to-issue",
    "weekly-digest",
    "loop-over-items",
    "switch-and-merge",
    "older-versions",
    "transforms",
    "without-counterpart",
];

/// With the variable `DEVRIG_WRITE_FIXTURES` set, the files are written anew, to be read and
/// committed.
#[test]
fn workflows_become_the_flows_that_were_found_right() {
    for (name, workflow, flow, report) in FIXTURES {
        let import = import(workflow).unwrap();
        let told = serde_json::to_string_pretty(&import.report).unwrap() + "\n";
        if std::env::var_os("DEVRIG_WRITE_FIXTURES").is_some() {
            let file =
                |kind: &str| format!("{}/tests/n8n/{name}.{kind}.json", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(file("flow"), to_text(&import.definition)).unwrap();
            std::fs::write(file("report"), &told).unwrap();
            continue;
        }
        assert_eq!(to_text(&import.definition), flow, "{name}");
        assert_eq!(told, report, "{name}");
    }
}

#[test]
fn whatever_keeps_a_flow_from_running_is_in_the_report() {
    for (name, workflow, ..) in FIXTURES {
        let Import { definition, report } = import(workflow).unwrap();
        for problem in check(&definition, &World).iter().filter(|problem| problem.is_error()) {
            let id = problem.node.as_ref().unwrap_or_else(|| panic!("{name}: {problem:?}"));
            let node = definition.node(id.as_str()).unwrap();
            let place = format!("node \"{}\"", node.name.as_deref().unwrap_or(id.as_str()));
            let told = report.not_mapped.iter().any(|told| told.place.starts_with(&place));
            // The loops that workflows make with edges are the one thing only the checks see.
            assert!(told || problem.code == ProblemCode::Cycle, "{name}: {problem:?}");
        }
    }
}

#[test]
fn most_of_these_workflows_can_run_when_their_secrets_are_there() {
    let errors = |name: &str| {
        let fixture = FIXTURES.iter().find(|fixture| fixture.0 == name).unwrap();
        let definition = import(fixture.1).unwrap().definition;
        check(&definition, &World)
            .into_iter()
            .filter(|problem| problem.is_error())
            .collect::<Vec<_>>()
    };
    for name in ["webhook-to-issue", "loop-over-items", "transforms"] {
        assert_eq!(errors(name), [], "{name}");
    }
}

/// By the schemas of the actions themselves, as far as this can be said before expressions have
/// their values.
#[test]
fn what_actions_are_given_is_what_they_take() {
    let mut actions = crate::actions::builtin().unwrap();
    let clock = devrig_core::SystemClock::shared();
    let egress = devrig_net::Egress::new(devrig_net::EgressParts::system(clock)).unwrap();
    let network = crate::network::Network::new(std::sync::Arc::new(egress));
    crate::actions::http::add_all(&mut actions, &network).unwrap();
    let (mut wrong, mut judged) = (Vec::new(), 0);
    for (name, workflow, ..) in FIXTURES {
        let definition = import(workflow).unwrap().definition;
        for (node, call) in definition.nodes().filter_map(|node| Some((node, node.call()?))) {
            let Some(action) = actions.get(&call.action) else { continue };
            judged += 1;
            let faults = crate::shape::of_call(action, call).faults;
            wrong.extend(faults.iter().map(|fault| {
                format!("{name}: {} ({}){}: {}", node.id, call.action, fault.at, fault.message)
            }));
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(judged > 25, "{judged}");
}

#[test]
fn every_node_is_in_the_report() {
    for (name, workflow, ..) in FIXTURES {
        let report = import(workflow).unwrap().report;
        let workflow: Value = serde_json::from_str(workflow).unwrap();
        for node in workflow["nodes"].as_array().unwrap() {
            let node = node["name"].as_str().unwrap();
            let mapped = report.mapped.iter().any(|mapped| mapped.name == node);
            let place = format!("node \"{node}\"");
            let told = report.not_mapped.iter().any(|told| told.place.starts_with(&place));
            assert!(mapped || told, "{name}: {node}");
        }
    }
}

#[test]
fn no_secret_comes_along() {
    for (name, workflow, ..) in FIXTURES {
        let import = import(workflow).unwrap();
        let all = format!("{import:?}");
        assert!(!all.contains("hunter2"), "{name}");
    }
    assert!(FIXTURES.iter().any(|(_, workflow, ..)| workflow.contains("hunter2")));
}

fn imported(nodes: Value, connections: Value) -> Import {
    let workflow = json!({ "name": "W", "nodes": nodes, "connections": connections });
    import(&workflow.to_string()).unwrap()
}

fn node(name: &str, kind: &str, parameters: Value) -> Value {
    json!({ "name": name, "type": format!("n8n-nodes-base.{kind}"), "typeVersion": 3,
            "parameters": parameters, "position": [0, 0] })
}

fn to(name: &str) -> Value {
    json!({ "main": [[{ "node": name, "type": "main", "index": 0 }]] })
}

#[test]
fn a_part_of_a_workflow_without_a_trigger_runs_as_it_is() {
    let nodes = json!([node("A", "httpRequest", json!({})), node("B", "noOp", json!({}))]);
    let Import { definition, .. } = imported(nodes, json!({ "A": to("B") }));
    assert!(definition.nodes().all(|node| !node.disabled));
    assert_eq!(definition.graph.edges.len(), 1);
}

#[test]
fn nested_loops_become_nested_bodies() {
    let two = |done: &str, each: &str| {
        let end = |name: &str| match name {
            "" => json!([]),
            name => json!([{ "node": name, "type": "main", "index": 0 }]),
        };
        json!({ "main": [end(done), end(each)] })
    };
    let nodes = json!([
        node("T", "manualTrigger", json!({})),
        node("Outer", "splitInBatches", json!({})),
        node("Inner", "splitInBatches", json!({})),
        node(
            "Post",
            "set",
            json!({
            "assignments": { "assignments": [
                { "name": "mine", "value": "={{ $json.a }}" },
                { "name": "outer", "value": "={{ $('Outer').item.json.b }}" },
            ] } })
        ),
    ]);
    let connections = json!({
        "T": to("Outer"), "Outer": two("", "Inner"), "Inner": two("Outer", "Post"), "Post": to("Inner"),
    });
    let Import { definition, report } = imported(nodes, connections);
    let outer = definition.graph.node("outer").unwrap().body().unwrap();
    let inner = outer.node("inner").unwrap().body().unwrap();
    let post = inner.node("post").unwrap().call().unwrap();
    assert_eq!(definition.graph.nodes.len(), 1);
    assert_eq!(post.config["fields"]["mine"], "{{loop.item.a}}");
    // Only the innermost item has a name, so the other one is told.
    assert!(report.not_mapped[0].reason.contains("$('Outer').item.json.b"), "{report:?}");
}

#[test]
fn an_older_connection_for_errors_leads_from_the_error_port() {
    let nodes = json!([
        node("T", "manualTrigger", json!({})),
        node("A", "httpRequest", json!({})),
        node("B", "set", json!({ "mode": "raw", "jsonOutput": "={{ $json.error }}" })),
    ]);
    let end = json!([[{ "node": "B", "type": "main", "index": 0 }]]);
    let import = imported(nodes, json!({ "T": to("A"), "A": { "error": end } }));
    assert_eq!(import.definition.graph.edges[0].port, "error");
    let call = import.definition.node("b").unwrap().call().unwrap();
    assert_eq!(call.config["fields"], "{{nodes.a.error}}");
}

#[test]
fn names_that_ids_cannot_have_are_made_ones() {
    let nodes = json!([
        node("1. Día\n", "noOp", json!({})),
        node("???", "noOp", json!({})),
        node("???", "noOp", json!({})),
        node("", "noOp", json!({})),
        json!({}),
        json!(7),
    ]);
    let ids: Vec<String> =
        imported(nodes, json!({})).definition.nodes().map(|node| node.id.to_string()).collect();
    assert_eq!(ids, ["step_1_d_a", "step", "step_2", "noop", "node"]);
}

#[test]
fn what_is_no_workflow_is_refused() {
    for text in ["", "{}", "[]", r#"{"nodes": 5}"#, r#"[{"nodes": []}, {"nodes": []}]"#, "null"] {
        assert!(import(text).is_err(), "{text}");
    }
    let one = import(r#"[{"nodes": []}]"#).unwrap();
    assert_eq!(one.definition.name, "Imported flow");
}

#[test]
fn size_is_bounded_before_work_is_done() {
    let many = json!({ "nodes": vec![json!({}); 2_001] });
    let error = import(&many.to_string()).unwrap_err();
    assert!(error.to_string().contains("2001 nodes"), "{error}");
}

/// Chains of nodes that only pass data on, loops beside each other, and many names.
#[test]
fn a_workflow_made_to_be_slow_is_not() {
    let count = 1_900;
    let kind = |n: usize| match n % 3 {
        0 => "splitInBatches",
        1 => "if",
        _ => "noOp",
    };
    let nodes: Vec<Value> = (0..count)
        .map(|n| {
            node(
                &format!("N{n}"),
                kind(n),
                json!({ "a": format!("={{{{ $('N{}').item.json.x }}}}", count - 1 - n) }),
            )
        })
        .collect();
    let wires = (0..count).map(|n| {
        let ends: Vec<Value> = (1..5)
            .map(|step| json!([{ "node": format!("N{}", (n + step * 7) % count), "index": 0 }]))
            .collect();
        (format!("N{n}"), json!({ "main": ends }))
    });
    let connections: serde_json::Map<String, Value> = wires.collect();
    let workflow = json!({ "name": "W", "nodes": nodes, "connections": connections }).to_string();
    let began = std::time::Instant::now();
    let _ = import(&workflow);
    // A second as a rule, unoptimised; a machine with other work gets the rest.
    assert!(began.elapsed().as_secs() < 8, "{:?}", began.elapsed());
}

#[test]
fn triggers_of_one_type_that_lead_apart_are_told() {
    let nodes = json!([
        node("One", "webhook", json!({ "path": "one" })),
        node("Two", "webhook", json!({ "path": "two" })),
        node("A", "noOp", json!({})),
        node("B", "noOp", json!({})),
    ]);
    let Import { definition, report } = imported(nodes, json!({ "One": to("A"), "Two": to("B") }));
    assert!(report.not_mapped[0].reason.contains("triggers of the same type"), "{report:?}");
    assert!(
        definition.triggers.iter().all(|trigger| matches!(trigger.kind, TriggerKind::Webhook(_)))
    );
    assert!(matches!(definition.graph.nodes[0].kind, NodeKind::Junction(_)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn damaged_workflows_are_imported_or_refused(
        which in 0..FIXTURES.len(),
        numbers in prop::collection::vec(any::<u16>(), 0..60),
    ) {
        let mut workflow: Value = serde_json::from_str(FIXTURES[which].1).unwrap();
        let mut choices = Choices::new(numbers);
        for _ in 0..=choices.below(4) {
            choices.spoil(&mut workflow);
        }
        if let Ok(import) = import(&workflow.to_string()) {
            prop_assert!(crate::definition::read_text(&to_text(&import.definition)).is_ok());
            check(&import.definition, &World);
        }
    }

    #[test]
    fn other_json_is_no_workflow_and_does_no_harm(value in values()) {
        let _ = import(&value.to_string());
        let _ = import(&json!({ "nodes": [value], "connections": value }).to_string());
    }

    #[test]
    fn any_text_is_some_template(text in "[={} a-z$.()'\"|?\\[\\]0-9é]{0,60}") {
        let place_of = |_: &expression::Root| Some(path::Path::of("nodes.a.output"));
        let converted = expression::convert(&text, &place_of);
        prop_assert!(converted.left.len() <= text.matches("{{").count());
        let _ = expression::single(&text, &place_of);
    }
}
