use proptest::prelude::*;
use serde_json::Value;

use crate::definition::check::check;
use crate::definition::problem::ProblemCode::*;
use crate::definition::testing::{World, definitions};
use crate::definition::{Edge, Graph};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn checking_never_panics_and_points_at_what_is_there(flow in definitions()) {
        let value = flow.to_value();
        for problem in check(&flow, &World) {
            let owner = problem.field.split(".config").next().unwrap_or_default();
            prop_assert!(exists(&value, owner), "{problem:?}\n{value}");
        }
    }

    #[test]
    fn a_flow_without_errors_has_an_order(flow in definitions()) {
        let wrong = [Cycle, SelfEdge, UnknownNode, CrossingEdge, DuplicateId, NoteEdge];
        let problems = check(&flow, &World);
        if problems.iter().all(|problem| !wrong.contains(&problem.code)) {
            let graphs = flow.nodes().filter_map(|node| node.body()).chain([&flow.graph]);
            for graph in graphs {
                prop_assert!(has_an_order(graph));
            }
        }
    }
}

/// True when a path, or what it is a field of, is in the value.
fn exists(value: &Value, path: &str) -> bool {
    let steps = steps(path);
    let mut at = value;
    for (index, step) in steps.iter().enumerate() {
        let next = match step.parse::<usize>() {
            Ok(number) if at.is_array() => at.get(number),
            _ => at.get(step),
        };
        match next {
            Some(next) => at = next,
            // The last name may be one that is left out, being the default.
            None => return index + 1 >= steps.len(),
        }
    }
    true
}

/// The steps of a JSON path: `.name`, `[0]` and `["a name"]`.
fn steps(path: &str) -> Vec<String> {
    let mut rest = path.trim_start_matches('$');
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let after = &rest[1..];
        if after.starts_with('"') {
            let mut read = serde_json::Deserializer::from_str(after).into_iter::<String>();
            steps.extend(read.next().and_then(Result::ok));
            rest = &after[read.byte_offset()..];
            rest = rest.strip_prefix(']').unwrap_or(rest);
        } else {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            steps.push(after[..end].trim_end_matches(']').to_owned());
            rest = &after[end..];
        }
    }
    steps
}

fn has_an_order(graph: &Graph) -> bool {
    let mut left: Vec<&Edge> = graph.edges.iter().collect();
    let mut nodes: Vec<&str> = graph.nodes.iter().map(|node| node.id.as_str()).collect();
    loop {
        let before = nodes.len();
        nodes.retain(|node| left.iter().any(|edge| edge.target.as_str() == *node));
        left.retain(|edge| nodes.contains(&edge.source.as_str()));
        if nodes.is_empty() || nodes.len() == before {
            return nodes.is_empty();
        }
    }
}
