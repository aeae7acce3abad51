//! One node that is run alone.

use crate::common::{Diary, Rig, life, line, node};
use devrig_core::{Actor, Error};
use devrig_flow::action::Level;
use devrig_flow::history::RunDetail;
use devrig_flow::run::{NodeStatus, RunKind, RunStatus};
use devrig_flow::runs::{Of, OneNode, Started};
use serde_json::{Value, json};

/// `fetch` reads the trigger, `post` reads `fetch` and has an effect, `after` comes then.
fn flow() -> Value {
    json!({"schemaVersion": 1, "id": "f", "name": "f", "nodes": [
        node("fetch", "test.give", json!({"n": "{{trigger.payload.n}}"})),
        node("post", "test.once", json!({"got": "{{nodes.fetch.output.n}}", "who": "{{trigger.payload.who}}"})),
        node("after", "test.once", json!({})),
    ], "edges": line(&["fetch", "post", "after"])})
}

async fn save(rig: &Rig, flow: Value) {
    rig.flows.save(flow, Actor::Person).await.unwrap();
}

fn asked(node: &str) -> OneNode {
    OneNode { node: node.to_owned(), ..OneNode::default() }
}

async fn begin(rig: &Rig, asked: OneNode) -> Result<Started, Error> {
    rig.flows.run_node("f", None, asked).await
}

fn effects(rig: &Rig) -> Vec<String> {
    rig.diary.lines().into_iter().filter(|line| line.starts_with("effect")).collect()
}

async fn whole_run(rig: &Rig, input: Value) -> RunDetail {
    let started = rig.flows.run("f", None, input).await.unwrap();
    rig.ended(started).await.1
}

#[tokio::test]
async fn it_runs_with_what_another_run_had_and_nothing_else_is_run() {
    let (rig, _folder) = Rig::new().await;
    save(&rig, flow()).await;
    let past = whole_run(&rig, json!({"n": 7, "who": "kim"})).await.run.id;
    let of = Some(past.clone());
    let started = begin(&rig, OneNode { of: of.clone(), ..asked("post") }).await.unwrap();
    let (rest, run) = rig.ended(started).await;
    assert_eq!((rest.status, rest.output), (RunStatus::Completed, json!({"got": 7, "who": "kim"})));
    assert_eq!(effects(&rig), ["effect post", "effect after", "effect post"]);
    assert_eq!(
        (run.run.kind, run.run.retry_of, run.payload["n"].clone()),
        (RunKind::Node, None, json!(7))
    );
    let nodes: Vec<&str> = run.nodes.iter().map(|node| node.path.as_str()).collect();
    assert_eq!(nodes, ["fetch", "post"], "what it was given is told, too");
    let told = &run.log[0];
    assert_eq!(told.level, Level::Info);
    assert!(told.message.contains(&format!("As in the run {past}: fetch")), "{told:?}");

    let input = Some(json!({"who": "lee"}));
    let started = begin(&rig, OneNode { of, input, ..asked("post") }).await.unwrap();
    let (rest, _) = rig.ended(started).await;
    assert_eq!(rest.output, json!({"got": 7, "who": "lee"}), "the input is told beside it");
}

#[tokio::test]
async fn it_runs_with_what_is_pinned_and_its_own_pin_is_left_aside() {
    let (rig, _folder) = Rig::new().await;
    let mut pinned = flow();
    pinned["nodes"][0]["pin"] = json!({"n": 3});
    pinned["nodes"][1]["pin"] = json!("not run");
    pinned["nodes"][1]["disabled"] = json!(true);
    save(&rig, pinned).await;
    let (rest, run) = rig.ended(begin(&rig, asked("post")).await.unwrap()).await;
    assert_eq!((rest.status, rest.output), (RunStatus::Completed, json!({"got": 3, "who": null})));
    assert_eq!(effects(&rig), ["effect post"]);
    assert_eq!(run.payload, json!({}));
    assert!(run.log[0].message.contains("Fixed by the flow: fetch"), "{:?}", run.log);
}

#[tokio::test]
async fn an_output_that_is_nowhere_is_named_with_the_remedy() {
    let (rig, _folder) = Rig::new().await;
    save(&rig, flow()).await;
    let error = begin(&rig, asked("post")).await.unwrap_err();
    assert_eq!(error.message, "post reads the output of fetch, which is not pinned");
    let hint = error.hint.unwrap();
    assert!(hint.contains("--from-run RUN") && hint.contains("pin"), "{hint}");

    let mut wrong = flow();
    wrong["nodes"][0] = node("fetch", "flow.fail", json!({"message": "no"}));
    save(&rig, wrong).await;
    let past = whole_run(&rig, json!({})).await.run.id;
    save(&rig, flow()).await;
    let of = Some(past.clone());
    let error = begin(&rig, OneNode { of: of.clone(), ..asked("post") }).await.unwrap_err();
    assert!(error.message.ends_with(&format!("not pinned and gave none in {past}")), "{error}");
    let started = begin(&rig, OneNode { of: of.clone(), ..asked("after") }).await;
    rig.ended(started.expect("a node that reads nothing needs nothing")).await;

    save(&rig, json!({"schemaVersion": 1, "id": "g", "name": "g", "nodes": [node("x", "test.give", json!({}))]})).await;
    let other = rig.flows.run_node("g", None, OneNode { of, ..asked("x") }).await.unwrap_err();
    assert_eq!(other.code.as_str(), "INVALID_INPUT", "a run of another flow: {other}");
    assert_eq!(begin(&rig, asked("nobody")).await.unwrap_err().code.as_str(), "NOT_FOUND");
}

#[tokio::test]
async fn what_did_not_run_there_is_nothing_where_the_node_ran_without_it() {
    let (rig, _folder) = Rig::new().await;
    let choice = json!({"id": "choice", "type": "condition", "config": {"condition":
        {"type": "exists", "ref": {"type": "context", "path": "trigger.payload.n"}}}});
    save(
        &rig,
        json!({"schemaVersion": 1, "id": "f", "name": "f", "nodes": [
            choice, node("some", "test.give", json!({"n": 1})),
            node("told", "test.give", json!({"n": "{{nodes.some.output.n}}"})),
        ], "edges": [
            {"source": "choice", "target": "some", "port": "true"},
            {"source": "choice", "target": "told", "port": "false"},
            {"source": "some", "target": "told"},
        ]}),
    )
    .await;
    let past = whole_run(&rig, json!({})).await.run.id;
    let started = begin(&rig, OneNode { of: Some(past), ..asked("told") }).await.unwrap();
    assert_eq!(rig.ended(started).await.0.output, json!({"n": null}));
}

#[tokio::test]
async fn a_failure_is_the_runs_and_a_retry_is_given_the_same() {
    let (rig, _folder) = Rig::new().await;
    let mut bad = node("bad", "test.flaky", json!({"got": "{{nodes.fetch.output.n}}"}));
    bad["retryPolicy"] = json!({"maxAttempts": 1});
    bad["onError"] = json!("skip");
    let mut flow = flow();
    flow["nodes"][1] = bad;
    flow["edges"] = line(&["fetch", "bad", "after"]);
    flow["nodes"][0]["pin"] = json!({"n": 3});
    save(&rig, flow.clone()).await;
    rig.diary.fail_next("bad", 1);
    let (rest, run) = rig.ended(begin(&rig, asked("bad")).await.unwrap()).await;
    assert_eq!(rest.status, RunStatus::Failed, "although onError is skip");
    assert_eq!(run.run.error.unwrap().code.as_str(), "NETWORK");
    flow["nodes"][0]["pin"] = json!({"n": 4});
    save(&rig, flow).await;
    for of in [Of::Same, Of::Latest] {
        let (rest, again) = rig.ended(rig.runs.retry(&run.run.id, of).await.unwrap()).await;
        assert_eq!((rest.status, rest.output), (RunStatus::Completed, json!({"got": 3})), "{of:?}");
        assert_eq!(again.run.kind, RunKind::Node);
    }
    let (rest, _) = rig.ended(rig.runs.replay(&run.run.id, Of::Latest).await.unwrap()).await;
    assert_eq!((rest.output, effects(&rig).len()), (json!({"got": 3}), 0));
}

#[tokio::test]
async fn a_node_of_a_body_is_told_its_item() {
    let (rig, _folder) = Rig::new().await;
    let mut each = node("each", "flow.loop", json!({"items": [5, 6]}));
    each["body"] = json!({"nodes": [
        node("one", "test.give", json!({"n": "{{loop.item}}"})),
        node("two", "test.give", json!({"n": "{{nodes.one.output.n}}", "item": "{{loop.item}}", "last": "{{loop.last}}"})),
    ], "edges": line(&["one", "two"])});
    save(&rig, json!({"schemaVersion": 1, "id": "f", "name": "f", "nodes": [each]})).await;
    let past = whole_run(&rig, json!({})).await.run.id;
    let of = Some(past);
    let error = begin(&rig, OneNode { of: of.clone(), ..asked("two") }).await.unwrap_err();
    assert!(error.hint.as_ref().unwrap().contains("--item"), "{error}");
    let item = Some(json!("x"));
    let started = begin(&rig, OneNode { of, item, ..asked("two") }).await.unwrap();
    let (rest, _) = rig.ended(started).await;
    assert_eq!(rest.output, json!({"n": 5, "item": "x", "last": true}));
    let (rest, run) = rig.ended(begin(&rig, asked("each")).await.unwrap()).await;
    assert_eq!(rest.output.as_array().map(Vec::len), Some(2), "a loop runs with its body");
    assert_eq!(run.nodes.last().unwrap().status, Some(NodeStatus::Completed));
}

#[tokio::test]
async fn what_the_flow_may_not_is_refused_as_in_any_run() {
    let (rig, _folder) = Rig::new().await;
    let ask = node("ask", "http.request", json!({"url": "https://api.example.com/"}));
    save(&rig, json!({"schemaVersion": 1, "id": "f", "name": "f", "nodes": [ask]})).await;
    let (rest, _) = rig.ended(begin(&rig, asked("ask")).await.unwrap()).await;
    assert_eq!(rest.error.unwrap().code.as_str(), "REFUSED");
}

#[test]
fn it_goes_on_alone_after_a_crash_and_an_effect_in_doubt_asks() {
    let folder = tempfile::tempdir().unwrap();
    let diary = Diary::default();
    let id = life(folder.path(), &diary, async |rig| {
        let mut pinned = flow();
        pinned["nodes"][0]["pin"] = json!({"n": 3});
        pinned["nodes"][1]["config"]["hangs"] = json!(true);
        save(rig, pinned).await;
        rig.diary.fail_next("hang", 1);
        let id = begin(rig, asked("post")).await.unwrap().id;
        while effects(rig).is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        id
    });
    life(folder.path(), &diary, async |rig| {
        rig.until(&id, RunStatus::NeedsDecision).await;
        rig.runs.decide(&id, devrig_flow::runs::Decision::Again).await.unwrap();
        let run = rig.until(&id, RunStatus::Completed).await;
        assert_eq!(effects(rig), ["effect post", "effect post"], "nothing comes after it");
        assert_eq!(run.nodes.last().unwrap().output["got"], json!(3));
    });
}
