use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::definition::testing::definitions;
use crate::definition::{Edge, Node, NodeKind, Position, TriggerKind, port, read_text};

fn flow() -> Definition {
    read_text(include_str!("../../../tests/flows/canonical.flow.json")).unwrap()
}

fn summary(change: impl FnOnce(&mut Definition)) -> String {
    let mut after = flow();
    change(&mut after);
    diff(&flow(), &after).summary
}

fn url(flow: &mut Definition, url: &str) {
    let NodeKind::Action(call) = &mut flow.graph.nodes[0].kind else { panic!() };
    call.config.insert("url".to_owned(), url.into());
}

fn cron(flow: &mut Definition, expression: &str) {
    let TriggerKind::Cron(cron) = &mut flow.triggers[0].kind else { panic!() };
    cron.expression = expression.to_owned();
}

fn junction(id: &str) -> Node {
    Node::new(id, NodeKind::Junction(Default::default()))
}

#[test]
fn the_sentence_tells_what_a_person_would() {
    assert_eq!(summary(|_| {}), "nothing changed");
    assert_eq!(summary(|flow| flow.name = "Digest".to_owned()), "renamed to Digest");
    assert_eq!(
        summary(|flow| {
            flow.graph.nodes.extend([junction("a"), junction("b")]);
            flow.graph.edges.push(Edge::new("tell", "a"));
            url(flow, "https://example.org");
            cron(flow, "0 8 * * *");
        }),
        "cron 0 9 * * 1-5 → 0 8 * * *, 2 nodes added, `fetch` changed"
    );
    assert_eq!(summary(|flow| flow.graph.edges.clear()), "1 edge removed");
    assert_eq!(summary(|flow| flow.settings.timeout_ms = 5), "timeoutMs default → 5");
    assert_eq!(summary(|flow| flow.triggers.clear()), "trigger `morning` removed");
    assert_eq!(summary(|flow| flow.graph.nodes.reverse()), "order changed");
    let place = Some(Position { x: 1.0, y: 2.0 });
    assert_eq!(summary(|flow| flow.graph.nodes[0].position = place), "layout changed");
}

#[test]
fn a_long_list_of_changes_is_cut() {
    let sentence = summary(|flow| {
        flow.name = "x".repeat(100);
        flow.description = "y".to_owned();
        flow.folder = Some("z".to_owned());
        flow.tags = vec!["t".to_owned()];
        flow.triggers.clear();
        flow.graph.nodes.clear();
        flow.settings.priority = 3;
    });
    assert!(sentence.ends_with("trigger `morning` removed and 2 more changes"), "{sentence}");
    assert!(sentence.starts_with(&format!("renamed to {}…,", "x".repeat(40))), "{sentence}");
}

#[test]
fn fields_have_their_values_before_and_after() {
    let mut after = flow();
    url(&mut after, "https://example.org");
    after.graph.nodes[1].disabled = true;
    let changes = diff(&flow(), &after);
    let fetch = &changes.nodes.changed[0];
    assert_eq!(fetch.id, "fetch");
    assert_eq!(fetch.fields[0].field, "config.url");
    assert_eq!(fetch.fields[0].before, Some(json!("https://example.com/items")));
    assert_eq!(fetch.fields[0].after, Some(json!("https://example.org")));
    assert_eq!(changes.nodes.changed[1].fields[0].before, None, "absent is the default");
    let value = serde_json::to_value(&changes).unwrap();
    assert_eq!(
        value["nodes"]["changed"][1]["fields"][0],
        json!({ "field": "disabled", "after": true })
    );
}

#[test]
fn a_node_that_goes_into_a_body_changed_its_place_in_the_graph() {
    let read = |nodes: serde_json::Value| {
        let flow = json!({ "id": "a", "name": "a", "nodes": nodes });
        crate::definition::read_value(flow).unwrap()
    };
    let (loops, step) = (
        |body: serde_json::Value| json!({ "id": "each", "type": "action", "action": "flow.loop", "body": { "nodes": body } }),
        json!({ "id": "step", "type": "junction" }),
    );
    let changes =
        diff(&read(json!([loops(json!([])), step])), &read(json!([loops(json!([step]))])));
    assert_eq!(changes.summary, "`step` changed");
    assert_eq!(changes.nodes.changed[0].fields[0].field, "in");
}

#[test]
fn the_error_port_is_another_edge() {
    let mut after = flow();
    after.graph.edges[0].port = port::ERROR.to_owned();
    let changes = diff(&flow(), &after);
    assert_eq!(changes.edges.added, ["fetch (error) → tell"]);
    assert_eq!(changes.edges.removed, ["fetch → tell"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_definition_does_not_differ_from_itself(flow in definitions()) {
        let changes = diff(&flow, &flow);
        prop_assert!(changes.is_layout_only() && changes.moved.is_empty());
        prop_assert_eq!(changes.summary, "nothing changed");
    }

    #[test]
    fn what_one_way_adds_the_other_way_removes(a in definitions(), b in definitions()) {
        let (there, back) = (diff(&a, &b), diff(&b, &a));
        prop_assert_eq!(sorted(&there.nodes.added), sorted(&back.nodes.removed));
        prop_assert_eq!(sorted(&there.edges.added), sorted(&back.edges.removed));
        prop_assert_eq!(there.nodes.changed.len(), back.nodes.changed.len());
        prop_assert_eq!(there.is_layout_only(), back.is_layout_only());
        prop_assert!(!there.summary.is_empty() && !there.summary.contains('\n'));
    }
}

fn sorted(list: &[String]) -> Vec<String> {
    let mut list = list.to_vec();
    list.sort();
    list
}
