use proptest::prelude::*;

use super::*;
use crate::definition::read_text;
use crate::definition::testing::definitions;

#[test]
fn the_text_is_as_it_was_written_by_hand() {
    let file = include_str!("../../../tests/flows/canonical.flow.json");
    let flow = read_text(file).unwrap();
    assert_eq!(to_text(&flow), file);
}

#[test]
fn moving_a_node_changes_the_layout_alone() {
    let mut flow = read_text(include_str!("../../../tests/flows/everything.flow.json")).unwrap();
    let before = to_files(&flow);
    assert_eq!(before.name, "every-field-of-every-part.flow.json");
    assert_eq!(before.layout_name, "every-field-of-every-part.layout.json");
    flow.graph.nodes[0].position = Some(crate::definition::Position { x: 1.0, y: 2.0 });
    let after = to_files(&flow);
    assert_eq!(after.text, before.text);
    assert_ne!(after.layout, before.layout);
    flow.graph.nodes[0].position = None;
    assert_eq!(to_files(&flow).layout, None);
}

#[test]
fn a_layout_of_another_flow_does_no_harm() {
    let mut flow = read_text(include_str!("../../../tests/flows/canonical.flow.json")).unwrap();
    let before = flow.clone();
    let other = r#"{ "nodes": { "nobody": { "x": 1, "y": 2 } } }"#;
    Layout::read_text(other).unwrap().apply(&mut flow);
    assert_eq!(flow, before);
    let error = Layout::read_text(r#"{ "nodes": { "a": { "x": "1" } } }"#).unwrap_err();
    assert_eq!(error.list()[0].field, "$.nodes.a.x");
}

/// A layout names nodes, so two of one id have one place.
fn make_ids_differ(flow: &mut Definition) {
    let mut count = 0;
    flow.graph.each_node_mut(&mut |node| {
        count += 1;
        node.id = format!("{}_{count}", node.id).into();
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn reading_the_files_gives_the_same_definition(flow in definitions()) {
        let mut flow = flow;
        make_ids_differ(&mut flow);
        let files = to_files(&flow);
        let mut back = read_text(&files.text).unwrap();
        if let Some(layout) = &files.layout {
            Layout::read_text(layout).unwrap().apply(&mut back);
        }
        prop_assert_eq!(&back, &flow);
        // Maps are equal in any order; the texts show that the order was kept too.
        prop_assert_eq!(to_files(&back), files);
    }

    #[test]
    fn the_value_reads_back_with_its_layout(flow in definitions()) {
        let value = flow.to_value();
        prop_assert_eq!(crate::definition::read_value(value).unwrap(), flow);
    }
}
