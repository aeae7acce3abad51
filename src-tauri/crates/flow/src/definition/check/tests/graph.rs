use serde_json::json;

use super::support::*;
use crate::definition::problem::ProblemCode::*;

#[test]
fn an_id_stands_for_one_thing() {
    let nodes =
        json!([step("a"), with_body("l", "flow.loop", json!([step("a"), step("b")])), step("b")]);
    let mut twice = flow(nodes, &["a l", "l b"]);
    twice["triggers"] = json!([{ "id": "t", "type": "manual" }, { "id": "t", "type": "manual" }]);
    twice["edges"][0]["id"] = json!("e");
    twice["edges"][1]["id"] = json!("e");
    assert_eq!(
        found(twice),
        [
            (DuplicateId, "$.nodes[1].body.nodes[0].id".to_owned()),
            (DuplicateId, "$.nodes[1].body.nodes[1].id".to_owned()),
            (DuplicateId, "$.triggers[1].id".to_owned()),
            (DuplicateId, "$.edges[1].id".to_owned()),
        ]
    );
}

#[test]
fn edges_lead_from_ports_to_nodes_that_are_there() {
    let nodes = json!([
        step("fetch"),
        choice("check"),
        cases("route", &["urgent"]),
        join("all"),
        note("why"),
        call("wait", "flow.wait"),
        call("stop", "flow.fail"),
        step("end"),
    ]);
    let flow = |edge: &str| {
        let mut edges = vec!["fetch check", "check:true end", "route:urgent end", "all end"];
        edges.extend(["wait:approved end", "fetch stop", edge]);
        problems_of(flow(nodes.clone(), &edges))
            .into_iter()
            .filter(|problem| problem.is_error())
            .map(|problem| (problem.code, problem.message, problem.hint))
            .collect::<Vec<_>>()
    };
    for good in ["fetch:error wait", "check:false all", "route:else wait", "stop:error wait"] {
        assert_eq!(flow(good), [], "{good}");
    }
    for (edge, code, message, hint) in [
        (
            "fetch fatch",
            UnknownNode,
            "edge `fetch` → `fatch`: there is no node `fatch`",
            "Did you mean `fetch`?",
        ),
        ("end why", NoteEdge, "edge `end` → `why`: `why` is a note", "Remove the edge."),
        ("why end", NoteEdge, "edge `why` → `end`: `why` is a note", "Remove the edge."),
        (
            "check end",
            UnknownPort,
            "edge `check` → `end`: `check` has no port out",
            "It takes true, false.",
        ),
        (
            "route:urgnt end",
            UnknownPort,
            "edge `route` (urgnt) → `end`: `route` has no port urgnt",
            "Did you mean `urgent`?",
        ),
        (
            "all:error end",
            UnknownPort,
            "edge `all` (error) → `end`: `all` has no port error",
            "It takes out.",
        ),
        (
            "check:error end",
            UnknownPort,
            "edge `check` (error) → `end`: `check` has no port error",
            "It takes true, false.",
        ),
        ("stop end", UnknownPort, "edge `stop` → `end`: `stop` has no port out", "It takes error."),
        (
            "wait:out end",
            UnknownPort,
            "edge `wait` → `end`: `wait` has no port out",
            "It takes approved, rejected, error.",
        ),
        (
            "all all",
            SelfEdge,
            "edge `all` → `all`: it leads from a node to itself",
            "Remove it; what is to be repeated belongs into a flow.loop.",
        ),
        (
            "all end",
            DuplicateEdge,
            "edge `all` → `end`: it is the same as $.edges[3]",
            "Remove one of them.",
        ),
    ] {
        assert_eq!(flow(edge), [(code, message.to_owned(), hint.to_owned())], "{edge}");
    }
}

#[test]
fn edges_stay_in_their_body() {
    let nodes = json!([step("a"), with_body("l", "flow.loop", json!([step("in")]))]);
    assert_eq!(only(flow(nodes.clone(), &["a l", "a in"])).code, CrossingEdge);
    let mut inside = flow(nodes, &["a l"]);
    inside["nodes"][1]["body"]["edges"] = json!([{ "source": "in", "target": "a" }]);
    let problem = only(inside);
    assert_eq!(
        (problem.code, problem.field.as_str()),
        (CrossingEdge, "$.nodes[1].body.edges[0].target")
    );
}

#[test]
fn two_edges_with_different_conditions_are_two() {
    let mut two = flow(json!([step("a"), step("b")]), &["a b", "a b"]);
    two["edges"][0]["condition"] = holds();
    assert_eq!(codes(two.clone()), []);
    two["edges"][1]["condition"] = holds();
    assert_eq!(codes(two), [DuplicateEdge]);
}

#[test]
fn a_cycle_names_its_nodes_on_the_shortest_way_round() {
    let nodes = json!([step("start"), step("a"), step("b"), step("c"), step("d")]);
    let edges = ["start a", "a b", "b c", "c d", "d a", "b a"];
    let problem = only(flow(nodes, &edges));
    assert_eq!(problem.code, Cycle);
    assert_eq!(problem.message, "node `a`: it is part of a cycle: `a` → `b` → `a`");
    let body = json!([step("x"), step("y")]);
    let mut inside = flow(json!([with_body("l", "flow.loop", body)]), &[]);
    inside["nodes"][0]["body"]["edges"] =
        json!([{ "source": "x", "target": "y" }, { "source": "y", "target": "x" }]);
    assert_eq!(only(inside).field, "$.nodes[0].body.nodes[0]");
}

#[test]
fn each_knot_is_told_once() {
    let nodes = json!([step("a"), step("b"), step("c"), step("d")]);
    assert_eq!(codes(flow(nodes, &["a b", "b a", "b c", "c d", "d c"])), [Cycle, Cycle]);
}

#[test]
fn what_only_a_disabled_choice_leads_to_is_not_reached() {
    let nodes = json!([step("a"), off(choice("check")), step("b"), join("c"), off(step("d"))]);
    let problem = only(flow(nodes, &["a check", "check:true b", "b c", "c d"]));
    assert_eq!(problem.message, "node `b`: no run can come to it", "`c` follows from it");
}

#[test]
fn a_run_goes_on_behind_a_disabled_action() {
    let nodes = json!([step("a"), off(step("b")), step("c"), step("d")]);
    assert_eq!(codes(flow(nodes.clone(), &["a b", "b c"])), []);
    let problem = only(flow(nodes, &["a b", "b c", "b:error d"]));
    assert_eq!((problem.code, problem.is_error()), (Unreachable, false));
    assert_eq!(problem.node, Some("d".into()));
}

#[test]
fn a_disabled_start_is_told() {
    let nodes = json!([off(step("a")), step("b"), off(step("alone"))]);
    let problem = only(flow(nodes, &["a b"]));
    assert_eq!((problem.code, problem.field.as_str()), (DisabledStart, "$.nodes[0].disabled"));
}

#[test]
fn a_join_goes_on_behind_ways_that_exclude_each_other() {
    let diamond = json!([choice("if"), step("a"), step("b"), join("all")]);
    for edges in [
        ["if:true a", "if:false b", "a all", "b all"],
        ["if:true all", "if:false b", "b a", "a all"],
        ["if:true a", "if:true b", "a all", "b all"],
    ] {
        assert_eq!(problem_codes(diamond.clone(), &edges), [], "{edges:?}");
    }
    let failing = json!([step("a"), step("b"), join("all")]);
    assert_eq!(problem_codes(failing, &["a b", "b all", "a:error all"]), []);
    let routed = json!([cases("r", &["x", "y"]), step("a"), step("b"), join("all")]);
    assert_eq!(problem_codes(routed, &["r:x a", "r:else b", "r:y b", "a all", "b all"]), []);
}

#[test]
fn a_join_goes_on_without_the_way_that_is_always_dead() {
    let nodes = json!([step("a"), off(choice("if")), step("b"), join("all"), step("c")]);
    let edges = ["a if", "a all", "if:true b", "b all", "if:false all", "all c"];
    let problem = only(flow(nodes, &edges));
    assert_eq!(problem.message, "node `b`: no run can come to it");
}

#[test]
fn a_join_into_which_every_way_is_dead_never_starts() {
    let any = json!({ "id": "any", "type": "junction", "config": { "mode": "any" } });
    for join in [join("all"), any] {
        let id = join["id"].as_str().unwrap().to_owned();
        let nodes = json!([step("a"), off(choice("if")), join, step("c")]);
        let into = [format!("if:true {id}"), format!("if:false {id}"), format!("{id} c")];
        let edges: Vec<&str> =
            std::iter::once("a if").chain(into.iter().map(String::as_str)).collect();
        let problem = only(flow(nodes, &edges));
        assert_eq!((problem.code, problem.is_error()), (JoinStarves, false));
        assert!(problem.message.contains("no way into it can be taken"), "`c` follows from it");
    }
}

#[test]
fn a_choice_leads_somewhere() {
    let nodes = json!([choice("if"), step("a")]);
    assert_eq!(problem_codes(nodes.clone(), &["if:true a"]), [], "a filter is common");
    assert_eq!(only(flow(nodes, &[])).code, MissingPort);
    let nodes = json!([cases("r", &["x", "y"]), step("a")]);
    let problem = only(flow(nodes, &["r:x a"]));
    assert_eq!(problem.message, "node `r`: nothing leads on from its port y");
}

#[test]
fn cases_have_ports_of_their_own() {
    let nodes = json!([cases("r", &["x", "x", "else", "error"]), step("a")]);
    let fields = found(flow(nodes, &["r:x a", "r:else a", "r:error a"]));
    let port = |index: usize| (DuplicatePort, format!("$.nodes[0].config.cases[{index}].port"));
    assert_eq!(fields, [port(1), port(2), port(3)]);
}
