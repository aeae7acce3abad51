mod expressions;
mod graph;
mod outside;
mod random;
mod simulated;
mod support;

use serde_json::{Value, json};

use super::*;
use crate::definition::testing::World;
use crate::definition::{read_text, read_value};
use support::*;

#[test]
fn a_good_flow_has_no_problem() {
    for text in [
        include_str!("../../../tests/flows/canonical.flow.json"),
        include_str!("../../../tests/flows/everything.flow.json"),
    ] {
        let problems = check(&read_text(text).unwrap(), &World);
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        // The one where everything occurs also names what this world does not have.
        let missing = ["no secret `slack_signing`", "the plugin `quotes`"];
        let expected = |told: &String| missing.iter().any(|missing| told.contains(missing));
        assert!(told.iter().all(expected), "{told:#?}");
    }
}

#[test]
fn errors_come_before_warnings() {
    let problems = problems_of(flow(json!([choice("if"), call("a", "no.such")]), &[]));
    let errors: Vec<bool> = problems.iter().map(Problem::is_error).collect();
    assert_eq!(errors, [true, false]);
}

#[test]
fn a_large_graph_is_checked_in_no_time() {
    let count = 2_000;
    let mut nodes: Vec<Value> = (0..count)
        .map(|n| match n % 4 {
            0 => choice(&format!("n{n}")),
            1 => join(&format!("n{n}")),
            _ => says(&format!("n{n}"), "{{nodes.n0.output}}"),
        })
        .collect();
    nodes[count - 1] = says("end", "{{nodes.n1.output}}");
    let edges: Vec<Value> = (0..count - 1)
        .flat_map(|n| (1..=5).map(move |step| (n, n + step)))
        .filter(|(_, to)| *to < count - 1)
        .map(|(from, to)| {
            let port = if from % 4 == 0 { "true" } else { "out" };
            json!({ "source": format!("n{from}"), "target": format!("n{to}"), "port": port })
        })
        .collect();
    let mut large = flow(json!(nodes), &[]);
    large["edges"] = edges.into();
    let large = read_value(large).unwrap();
    let began = std::time::Instant::now();
    let problems = check(&large, &World);
    // A tenth of it as a rule; a machine with other work gets the rest.
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    assert_eq!(problems.len(), 1, "`end` is not led to: {problems:?}");
}
