use serde_json::json;

use super::support::*;
use crate::definition::problem::ProblemCode::*;

#[test]
fn expressions_name_what_is_there() {
    let in_text = |text: &str| {
        let mut flow = flow(
            json!([step("fetch"), says("tell", text), step("later")]),
            &["fetch tell", "tell later"],
        );
        flow["variables"] = json!({ "limit": 3 });
        problems_of(flow)
            .into_iter()
            .map(|problem| (problem.code, problem.is_error(), problem.hint))
            .collect::<Vec<_>>()
    };
    for good in [
        "plain text",
        "{{nodes.fetch.output.a}} {{nodes.fetch.status}} {{nodes.fetch}} {{nodes}}",
        "{{trigger.payload.x}} {{env.HOME}} {{secrets.api}} {{flow.name}} {{run.id}}",
        "{{variables.limit}}",
    ] {
        assert_eq!(in_text(good), [], "{good}");
    }
    for (text, code, is_error, hint) in [
        ("{{nodes.fetch.output", Template, true, "Correct it."),
        ("{{nodes.fatch.output}}", UnknownReference, true, "Did you mean nodes.fetch?"),
        ("{{nodes.fetch.outptu}}", UnknownReference, false, "Did you mean `output`?"),
        (
            "{{nodes.later.output}}",
            NotUpstream,
            true,
            "Lead an edge from `later` to here, or name a node that runs before.",
        ),
        (
            "{{nodes.tell.output}}",
            NotUpstream,
            true,
            "Lead an edge from `tell` to here, or name a node that runs before.",
        ),
        ("{{node.fetch.output}}", UnknownReference, true, "Did you mean `nodes`?"),
        ("{{trigger.body}}", UnknownReference, false, "It takes payload, type, firedAt."),
        ("{{variables.limits}}", UnknownReference, true, "Did you mean variables.limit?"),
        ("{{secrets.token}}", UnknownSecret, false, "Store it with `devrig secret set`."),
        (
            "{{loop.item}}",
            UnknownReference,
            true,
            "Name the node whose output is meant, such as nodes.fetch.output.",
        ),
    ] {
        assert_eq!(in_text(text), [(code, is_error, hint.to_owned())], "{text}");
    }
}

#[test]
fn expressions_are_found_however_deep() {
    let config = json!({ "a": [{ "b c": "{{oops.x}}" }], "code": "{{oops.y}}" });
    let node = json!({ "id": "n", "type": "action", "action": "file.write", "config": config });
    let fields = found(flow(json!([node.clone()]), &[]));
    assert_eq!(fields[0].1, r#"$.nodes[0].config.a[0]["b c"]"#);
    assert_eq!(fields.len(), 2);
    let mut code = node;
    code["action"] = json!("code.js");
    assert_eq!(found(flow(json!([code]), &[])).len(), 1, "code is no template");
}

#[test]
fn a_body_sees_its_loop_and_what_runs_before_it() {
    let body = |text: &str| {
        let nodes = json!([
            step("before"),
            with_body("l", "flow.loop", json!([step("first"), says("tell", text)])),
            step("after"),
        ]);
        let mut flow = flow(nodes, &["before l", "l after"]);
        flow["nodes"][1]["body"]["edges"] = json!([{ "source": "first", "target": "tell" }]);
        codes(flow)
    };
    assert_eq!(body("{{loop.item.x}} {{nodes.before.output}} {{nodes.first.output}}"), []);
    assert_eq!(body("{{nodes.after.output}}"), [NotUpstream]);
    assert_eq!(body("{{nodes.l.output}}"), [NotUpstream]);
    assert_eq!(body("{{loop.itm}}"), [UnknownReference]);
    let nodes = json!([
        with_body("l", "flow.loop", json!([step("in")])),
        says("tell", "{{nodes.in.output}}")
    ]);
    let problem = only(flow(nodes, &["l tell"]));
    assert_eq!(problem.hint, "Outside of the body, use nodes.l.output.");
}

#[test]
fn conditions_are_checked_wherever_they_stand() {
    let node = |id: &str| json!({ "type": "exists", "ref": { "type": "node", "nodeId": id, "path": "items" } });
    let both = json!({ "type": "and", "conditions": [holds(), node("b")] });
    let mut all = flow(
        json!([
            step("a"),
            { "id": "b", "type": "condition", "config": { "condition": node("b") } },
            { "id": "c", "type": "condition", "config": { "cases": [{ "port": "x", "condition": both }] } },
            { "id": "d", "type": "action", "action": "data.filter", "config": { "condition": node("nobody") } },
        ]),
        &["a b", "b:true c", "c:x d"],
    );
    all["entryConditions"] = json!([holds(), node("a")]);
    all["edges"][0]["condition"] = node("a");
    all["edges"][1]["condition"] = node("d");
    all["triggers"] = json!([{
        "id": "e", "type": "event", "sourceFlowId": "alarm", "event": "any", "filter": { "type": "no" },
    }]);
    assert_eq!(
        found(all),
        [
            (UnknownReference, "$.entryConditions[1].ref".to_owned()),
            (Condition, "$.triggers[0].filter.type".to_owned()),
            (NotUpstream, "$.nodes[1].config.condition.ref".to_owned()),
            (UnknownReference, "$.nodes[3].config.condition.ref".to_owned()),
            (NotUpstream, "$.edges[1].condition.ref".to_owned()),
        ]
    );
}

#[test]
fn a_disabled_node_has_nothing_to_say() {
    let nodes = json!([step("a"), off(step("b")), says("c", "{{nodes.b.output}}")]);
    let problem = only(flow(nodes, &["a b", "b c"]));
    assert_eq!((problem.code, problem.is_error()), (DisabledReference, false));
}
