//! Plugins around actions: they see what is about to be done, may refuse it, and hear how it went.

use std::time::Duration;

use devrig_core::{Code, Error};
use devrig_flow::action::{Effect, Level};
use devrig_flow::history::RunDetail;
use devrig_flow::hooks::{HookedAction, Silence};
use devrig_flow::run::RunStatus;
use devrig_flow::runs::{OneNode, Rest};
use serde_json::{Value, json};

use crate::common::{Diary, Rig, clock, ends, life, line, node, runtime};

async fn ran(rig: &Rig, nodes: Value, edges: Value) -> (Rest, RunDetail) {
    let started = rig.begin_allowed(&["plugin:desk", "secret:hook"], nodes, edges).await;
    rig.ended(started).await
}

fn retried(mut node: Value) -> Value {
    node["retryPolicy"] = json!({"maxAttempts": 3, "baseDelayMs": 1, "maxDelayMs": 1});
    node
}

#[tokio::test]
async fn what_a_plugin_refuses_is_not_begun_and_not_tried_again() {
    let (rig, _folder) = Rig::new().await;
    rig.guard.refuse("test.once", "not on a Sunday");
    let nodes = json!([retried(node("post", "test.once", json!({"to": "kim"})))]);
    let (rest, run) = ran(&rig, nodes, json!([])).await;
    let error = rest.error.unwrap();
    assert_eq!((rest.status, error.code), (RunStatus::Failed, Code::Refused));
    assert_eq!(error.message, "the plugin guard refuses test.once: not on a Sunday");
    assert!(error.hint.unwrap().contains("devrig plugin revoke guard flows:hooks"));
    assert!(rig.diary.lines().is_empty(), "nothing was done");
    assert_eq!((rig.guard.asked().len(), run.nodes[0].attempts), (1, 1), "{run:?}");
    assert!(rig.guard.told().is_empty(), "what did not begin does not end");
}

#[test]
fn a_crash_while_a_hook_is_asked_leaves_nothing_in_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let diary = Diary::default();
    let id = life(folder.path(), &diary, async |rig| {
        rig.guard.watch();
        rig.guard.hang();
        let started = rig.begin(json!([node("post", "test.once", json!({}))]), json!([])).await;
        while rig.guard.asked().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        started.id
    });
    assert!(diary.lines().is_empty());
    runtime().block_on(async {
        let rig = Rig::at(folder.path(), diary, clock()).await;
        rig.until(&id, RunStatus::Completed).await;
        assert_eq!(rig.diary.lines(), ["effect post"]);
    });
}

#[tokio::test]
async fn a_refusal_is_handled_as_any_error() {
    let (rig, _folder) = Rig::new().await;
    rig.guard.refuse("test.once", "no");
    let nodes = json!([
        node("post", "test.once", json!({})),
        node("instead", "test.give", json!({"why": "{{nodes.post.error.message}}"})),
    ]);
    let edges = json!([{"source": "post", "target": "instead", "port": "error"}]);
    let (rest, _) = ran(&rig, nodes, edges).await;
    let why = "the plugin guard refuses test.once: no";
    assert_eq!((rest.status, rest.output), (RunStatus::Completed, json!({ "why": why })));
}

#[tokio::test]
async fn each_attempt_is_asked_for_and_told_of() {
    let (rig, _folder) = Rig::new().await;
    rig.guard.watch();
    rig.diary.fail_next("busy", 1);
    let mut open = node("ticket", "desk.open", json!({"title": "a", "gives": {"number": 7}}));
    open["pluginId"] = json!("devrig-plugin-desk");
    let (_, run) = ran(&rig, json!([retried(open)]), json!([])).await;
    assert_eq!(run.run.status, RunStatus::Completed, "{run:?}");
    let asked = rig.guard.asked();
    assert_eq!(asked.iter().map(|call| call.attempt).collect::<Vec<_>>(), [1, 2]);
    let call = &asked[1];
    assert_eq!((&*call.flow.1, &call.flow.0), ("Test", &run.run.flow_id));
    assert_eq!((&call.run, &*call.node), (&run.run.id, "ticket"));
    let desk = HookedAction { plugin: Some("desk".to_owned()), name: "desk.open".to_owned() };
    assert_eq!((&call.action, call.effect), (&desk, Effect::Write));
    assert_eq!(call.input, json!({"title": "a", "gives": {"number": 7}}));
    let told = rig.guard.told();
    let [(first, failed), (second, done)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((first.attempt, second.attempt), (1, 2));
    assert_eq!(failed.error.as_ref().map(|error| error.code), Some(Code::Network));
    assert_eq!((&failed.output, failed.output_left_out), (&None, false));
    assert!(done.error.is_none() && done.output == Some(json!({"number": 7})), "{done:?}");
}

#[tokio::test]
async fn secrets_are_hidden_from_hooks() {
    let (rig, _folder) = Rig::new().await;
    rig.guard.watch();
    let config = json!({"token": "Bearer {{secrets.hook}}"});
    let (rest, _) = ran(&rig, json!([node("post", "test.once", config)]), json!([])).await;
    assert_eq!(rest.status, RunStatus::Completed, "{rest:?}");
    let hidden = json!({"token": "Bearer •••"});
    assert_eq!(rig.guard.asked()[0].input, hidden);
    let (call, outcome) = rig.guard.told().remove(0);
    assert_eq!((call.input, outcome.output), (hidden.clone(), Some(hidden)));
}

#[tokio::test]
async fn what_is_large_is_left_out_and_named() {
    let (rig, _folder) = Rig::new().await;
    rig.guard.watch();
    let nodes = json!([
        node("big", "test.big", json!({"bytes": 70_000})),
        node("post", "test.once", json!({"to": "kim", "body": "{{nodes.big.output.text}}"})),
    ]);
    let (rest, _) = ran(&rig, nodes, line(&["big", "post"])).await;
    assert_eq!(rest.status, RunStatus::Completed, "{rest:?}");
    let asked = rig.guard.asked();
    assert_eq!(asked[1].input, json!({"to": "kim"}));
    assert_eq!((asked[0].left_out.len(), &asked[1].left_out[..]), (0, &["body".to_owned()][..]));
    for (_, outcome) in rig.guard.told() {
        assert!(outcome.output.is_none() && outcome.output_left_out && outcome.error.is_none());
    }
}

#[tokio::test]
async fn silence_lets_pass_and_is_told_in_the_runs_log() {
    let (rig, _folder) = Rig::new().await;
    rig.guard.watch();
    let why = Error::new(Code::Timeout, "there was no answer within 500 ms");
    let rests = Some(Duration::from_secs(60));
    rig.guard.keep_silent(Silence { plugin: "guard".to_owned(), why, rests });
    let (rest, run) = ran(&rig, json!([node("post", "test.once", json!({}))]), json!([])).await;
    assert_eq!(rest.status, RunStatus::Completed, "{rest:?}");
    assert_eq!(rig.diary.lines(), ["effect post"]);
    let told = &run.log[0];
    assert_eq!(told.level, Level::Warn);
    for part in ["guard", "test.once goes on", "within 500 ms", "not asked for 60 s"] {
        assert!(told.message.contains(part), "{told:?}");
    }
}

#[tokio::test]
async fn only_what_reaches_out_has_hooks() {
    let (rig, _folder) = Rig::new().await;
    rig.guard.watch();
    let pinned = |id: &str| {
        let mut pinned = node(id, "test.once", json!({}));
        pinned["pin"] = json!({"pinned": true});
        pinned
    };
    let nodes = json!([
        node("give", "test.give", json!({"a": 1})),
        node("wait", "flow.delay", json!({"ms": 1})),
        pinned("fake"),
        node("try", "test.flaky", json!({})),
    ]);
    let (_, run) = ran(&rig, nodes, line(&["give", "wait", "fake", "try"])).await;
    assert_eq!(run.run.status, RunStatus::Completed, "{run:?}");
    assert!(rig.guard.asked().is_empty(), "flaky ones are only told of: {:?}", rig.guard.asked());
    let told = rig.guard.told();
    assert_eq!(told.iter().map(|(call, _)| &*call.node).collect::<Vec<_>>(), ["try"]);
    assert_eq!((told[0].0.effect, rig.guard.looks()), (Effect::Read, 1));
}

#[tokio::test]
async fn a_walk_that_touches_nothing_asks_nobody() {
    let (rig, _folder) = Rig::new().await;
    let nodes = json!([node("post", "test.once", json!({}))]);
    let (_, run) = ran(&rig, nodes, json!([])).await;
    rig.guard.refuse("test.once", "no");
    let program = rig.flows.program(&run.run.flow_id, None).await.unwrap();
    let test = json!({"name": "t", "pins": {"post": {"a": 1}}, "expect": {"output": {"a": 1}}});
    let tried = rig.runs.test(&program, json!({"tests": [test]})).await.unwrap();
    assert!(tried[0].passed, "{tried:?}");
    let backtest = rig.runs.backtest(program, 10).await.unwrap();
    assert_eq!((backtest.runs, backtest.same), (1, 1), "{backtest:?}");
    assert_eq!(rig.guard.looks(), 0);
}

#[tokio::test]
async fn a_node_that_is_run_alone_is_asked_for() {
    let (rig, _folder) = Rig::new().await;
    let (_, run) = ran(&rig, json!([node("post", "test.once", json!({}))]), json!([])).await;
    rig.guard.refuse("test.once", "no");
    let alone = OneNode { node: "post".to_owned(), ..OneNode::default() };
    let started = rig.flows.run_node(&run.run.flow_id, None, alone).await.unwrap();
    let (rest, _) = rig.ended(started).await;
    assert_eq!(rest.error.map(|error| error.code), Some(Code::Refused));
}

#[tokio::test]
async fn whoever_stops_waiting_for_an_action_tells_so() {
    let (rig, _folder) = Rig::new().await;
    rig.guard.watch();
    let mut slow = node("slow", "test.slow", json!({"ms": 60_000}));
    slow["timeoutMs"] = json!(30);
    slow["retryPolicy"] = json!({"maxAttempts": 1});
    ran(&rig, json!([slow.clone()]), json!([])).await;
    slow["timeoutMs"] = json!(60_000);
    let started = rig.begin(json!([slow]), json!([])).await;
    while rig.diary.lines().iter().filter(|line| *line == "begin slow").count() < 2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    rig.runs.cancel(&started.id).await.unwrap();
    rig.ended(started).await;
    let told = rig.guard.told();
    let codes: Vec<_> = told.iter().map(|(_, it)| it.error.as_ref().unwrap().code).collect();
    assert_eq!(codes, [Code::Timeout, Code::Cancelled]);
    assert!(told[0].1.took >= Duration::from_millis(25), "{told:?}");
}

#[tokio::test]
async fn a_run_can_be_cancelled_while_a_hook_is_asked() {
    let (rig, _folder) = Rig::new().await;
    rig.guard.watch();
    rig.guard.hang();
    let started = rig.begin(json!([node("post", "test.once", json!({}))]), json!([])).await;
    while rig.guard.asked().is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    rig.runs.cancel(&started.id).await.unwrap();
    let (rest, run) = rig.ended(started).await;
    assert_eq!(rest.status, RunStatus::Cancelled, "{run:?}");
    assert!(rig.diary.lines().is_empty(), "{:?}", ends(&run));
}

#[tokio::test]
async fn where_there_are_no_hooks_nobody_looks_for_them() {
    let (rig, _folder) = Rig::new().await;
    let (rest, _) = ran(&rig, json!([node("post", "test.once", json!({}))]), json!([])).await;
    assert_eq!(rest.status, RunStatus::Completed);
    assert_eq!(rig.guard.looks(), 0);
}
