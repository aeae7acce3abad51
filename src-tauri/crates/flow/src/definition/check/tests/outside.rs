use serde_json::{Value, json};

use super::support::*;
use crate::definition::problem::ProblemCode::{self, *};

#[test]
fn actions_are_known_and_get_what_they_need() {
    let problem = only(flow(json!([call("a", "http.reqest")]), &[]));
    assert_eq!((problem.code, problem.field.as_str()), (UnknownAction, "$.nodes[0].action"));
    let problem = only(flow(json!([call("a", "http.request")]), &[]));
    assert_eq!((problem.code, problem.field.as_str()), (Config, "$.nodes[0].config.url"));
    let mut plugin = call("a", "ai.prompt");
    plugin["pluginId"] = json!("assistant");
    assert_eq!(codes(flow(json!([plugin.clone()]), &[])), []);
    plugin["action"] = json!("ai.sing");
    assert_eq!(only(flow(json!([plugin.clone()]), &[])).code, UnknownAction);
    plugin["pluginId"] = json!("github");
    let problem = only(flow(json!([plugin, step("b")]), &["a:whatever b"]));
    assert_eq!((problem.code, problem.is_error()), (UnknownPlugin, false));
}

#[test]
fn bodies_stand_where_they_are_run() {
    assert_eq!(only(flow(json!([call("a", "flow.loop")]), &[])).code, MissingBody);
    let body = json!([step("b")]);
    assert_eq!(only(flow(json!([with_body("a", "file.write", body)]), &[])).code, UnusedBody);
}

#[test]
fn only_a_loop_can_be_left() {
    let leave = || json!([call("b", "flow.break")]);
    assert_eq!(codes(flow(json!([with_body("l", "flow.loop", leave())]), &[])), []);
    let parallel = json!([with_body("p", "flow.parallel", leave())]);
    assert_eq!(codes(flow(json!([with_body("l", "flow.loop", parallel.clone())]), &[])), []);
    assert_eq!(codes(flow(parallel, &[])), [BreakOutsideLoop]);
    assert_eq!(codes(flow(leave(), &[])), [BreakOutsideLoop]);
}

fn trigger(trigger: Value) -> Vec<(ProblemCode, String)> {
    let mut flow = flow(json!([step("a")]), &[]);
    flow["triggers"] = json!([trigger]);
    found(flow)
}

#[test]
fn triggers_wait_for_what_can_happen() {
    for (wrong, code, field) in [
        (json!({ "type": "cron", "expression": "0 9 *" }), Cron, ".expression"),
        (json!({ "type": "inbox", "query": "is:nonsense" }), Query, ".query"),
        (json!({ "type": "filesystem", "paths": ["/a", "/[b"] }), Pattern, ".paths[1]"),
        (json!({ "type": "filesystem", "paths": ["/a", "notes"] }), Pattern, ".paths[1]"),
        (
            json!({ "type": "filesystem", "paths": ["/a"], "ignorePatterns": ["[b"] }),
            Pattern,
            ".ignorePatterns[0]",
        ),
        (
            json!({ "type": "manual", "inputSchema": { "type": "strin" } }),
            Schema,
            ".inputSchema.type",
        ),
        (
            json!({ "type": "event", "sourceFlowId": "nobody", "event": "any" }),
            UnknownFlow,
            ".sourceFlowId",
        ),
        (
            json!({ "type": "event", "sourceFlowId": "me", "event": "any" }),
            SelfReference,
            ".sourceFlowId",
        ),
        (
            json!({ "type": "plugin", "pluginId": "gone", "trigger": "x" }),
            UnknownPlugin,
            ".pluginId",
        ),
        (
            json!({ "type": "plugin", "pluginId": "assistant", "trigger": "ai.sang" }),
            Config,
            ".trigger",
        ),
        (
            json!({ "type": "plugin", "pluginId": "assistant", "trigger": "ai.spoke", "config": { "loud": true } }),
            Config,
            ".config.loud",
        ),
        (
            json!({ "type": "plugin", "pluginId": "assistant", "trigger": "ai.spoke", "intervalMs": 5000 }),
            Config,
            ".intervalMs",
        ),
        (
            json!({ "type": "polling", "intervalMs": 5000, "source": { "type": "plugin", "pluginId": "assistant", "functionName": "ai.sing" } }),
            Config,
            ".source.functionName",
        ),
        (
            json!({ "type": "polling", "intervalMs": 5000, "source": { "type": "plugin", "pluginId": "assistant", "functionName": "ai.prompt", "args": [{}, {}] } }),
            Config,
            ".source.args",
        ),
        (
            json!({ "type": "polling", "intervalMs": 5000, "source": { "type": "plugin", "pluginId": "gone", "functionName": "x" } }),
            UnknownPlugin,
            ".source.pluginId",
        ),
        (
            json!({ "type": "polling", "intervalMs": 5000, "source": { "type": "http", "url": "{{trigger.payload}}" } }),
            UnknownReference,
            ".source.url",
        ),
        (
            json!({ "type": "polling", "intervalMs": 5000, "source": { "type": "plugin", "pluginId": "assistant", "functionName": "ai.prompt", "args": [{ "a": ["{{run.id}}"] }] } }),
            UnknownReference,
            ".source.args[0].a[0]",
        ),
        (
            json!({ "type": "webhook", "auth": { "type": "hmac", "scheme": "github", "secret": "gone" } }),
            UnknownSecret,
            ".auth.secret",
        ),
    ] {
        let mut wrong = wrong;
        wrong["id"] = json!("t");
        assert_eq!(trigger(wrong.clone()), [(code, format!("$.triggers[0]{field}"))], "{wrong}");
    }
}

#[test]
fn two_webhooks_of_one_path_take_different_methods() {
    let mut hooks = flow(json!([step("a")]), &[]);
    let hook = |id: &str, path: &str, method: Value| json!({ "id": id, "type": "webhook", "path": path, "method": method });
    hooks["triggers"] = json!([
        hook("a", "x", json!("POST")),
        hook("b", "x", json!("GET")),
        hook("c", "y", json!("POST")),
        hook("d", "x", json!(["PUT", "POST"])),
    ]);
    let problem = only(hooks);
    assert_eq!((problem.code, problem.trigger), (DuplicateWebhook, Some("d".into())));
}

#[test]
fn a_flow_does_something_and_something_starts_it() {
    assert_eq!(codes(flow(json!([note("n")]), &[])), [Empty]);
    let mut alone = flow(json!([step("a")]), &[]);
    alone["triggers"][0]["disabled"] = json!(true);
    assert_eq!(only(alone.clone()).code, NoTrigger);
    alone["triggers"] = json!([]);
    assert_eq!(only(alone).code, NoTrigger);
}

#[test]
fn the_error_flow_is_another_one() {
    let mut flow = flow(json!([step("a")]), &[]);
    for (id, expected) in
        [("alarm", None), ("nobody", Some(UnknownFlow)), ("me", Some(SelfReference))]
    {
        flow["errorFlowId"] = json!(id);
        assert_eq!(codes(flow.clone()).first().copied(), expected, "{id}");
    }
}

#[test]
fn a_subflow_is_there_unless_it_is_named_when_it_runs() {
    for (id, expected) in [
        ("alarm", None),
        ("nobody", Some(UnknownFlow)),
        ("me", Some(SelfReference)),
        ("{{trigger.payload.flow}}", None),
    ] {
        let mut node = call("a", "flow.subflow");
        node["config"] = json!({ "flowId": id });
        assert_eq!(codes(flow(json!([node]), &[])).first().copied(), expected, "{id}");
    }
}

#[test]
fn a_retry_policy_does_not_contradict_itself() {
    let mut flow = flow(json!([step("a")]), &[]);
    flow["nodes"][0]["retryPolicy"] = json!({ "baseDelayMs": 70_000 });
    let problem = only(flow);
    assert_eq!((problem.code, problem.is_error()), (RetryPolicy, false));
}
