//! What happens when something fails, level by level: a test for each row of the table in
//! docs/flows.md.

use std::time::Duration;

use devrig_core::{Actor, Code};
use devrig_flow::action::Level;
use devrig_flow::history::RunDetail;
use devrig_flow::run::{Rest, RunStatus};
use devrig_flow::runs::Of;
use serde_json::{Value, json};

use crate::common::{Rig, ends, line, node};

fn policy(most: u32) -> Value {
    json!({"maxAttempts": most, "baseDelayMs": 1, "jitter": false})
}

/// `a` fails as often as it is told, `b` comes after it.
fn flow(of_node: Option<u32>, settings: Value) -> Value {
    let mut a = node("a", "test.flaky", json!({}));
    if let Some(most) = of_node {
        a["retryPolicy"] = policy(most);
    }
    json!({"nodes": [a, node("b", "test.give", json!({}))], "edges": line(&["a", "b"]),
        "settings": settings})
}

async fn ran(rig: &Rig, flow: Value, failures: u32) -> (Rest, RunDetail) {
    rig.diary.fail_next("a", failures);
    let started = rig.begin_with(flow).await;
    rig.ended(started).await
}

fn ended(run: &RunDetail) -> Vec<String> {
    ends(run).into_iter().map(|(path, how)| format!("{path} {how}")).collect()
}

#[tokio::test]
async fn action_an_attempt_that_fails_is_tried_again_by_the_retry_policy() {
    let (rig, _folder) = Rig::new().await;
    let settings = json!({"retryPolicy": policy(3)});
    let (rest, run) = ran(&rig, flow(None, settings.clone()), 2).await;
    assert_eq!((rest.status, run.nodes[0].attempts), (RunStatus::Completed, 3));
    assert_eq!(run.log.len(), 2, "each attempt that failed is told: {:?}", run.log);
    assert!(run.log.iter().all(|line| line.message.contains("the line is down")), "{:?}", run.log);

    let (rest, run) = ran(&rig, flow(None, settings.clone()), 3).await;
    assert_eq!((rest.status, run.nodes[0].attempts), (RunStatus::Failed, 3), "until it is used up");

    // What another attempt cannot help is not tried again.
    let mut broken = flow(None, settings);
    broken["nodes"][0] = node("a", "data.sort", json!({"items": "{{trigger.payload.who}}"}));
    let (rest, run) = ran(&rig, broken, 0).await;
    assert_eq!((rest.status, run.nodes[0].attempts), (RunStatus::Failed, 1));
    assert_eq!(rest.error.unwrap().code, Code::InvalidInput);
}

#[tokio::test]
async fn node_its_own_policy_counts_and_then_its_error_port() {
    let (rig, _folder) = Rig::new().await;
    let mut handled = flow(Some(2), json!({"retryPolicy": policy(9)}));
    handled["nodes"].as_array_mut().unwrap().push(node(
        "oh",
        "test.give",
        json!({
            "why": "{{nodes.a.error.message}}", "code": "{{nodes.a.error.code}}"
        }),
    ));
    handled["edges"]
        .as_array_mut()
        .unwrap()
        .push(json!({"source": "a", "target": "oh", "port": "error"}));
    let (rest, run) = ran(&rig, handled, 9).await;
    assert_eq!((rest.status, run.nodes[0].attempts), (RunStatus::Completed, 2));
    assert_eq!(ended(&run), ["a failed", "oh completed"]);
    assert_eq!(run.nodes[1].output, json!({"why": "the line is down", "code": "NETWORK"}));
}

#[tokio::test]
async fn workflow_stop_fails_the_run() {
    let (rig, _folder) = Rig::new().await;
    let (rest, run) = ran(&rig, flow(Some(1), json!({"errorHandling": "stop"})), 1).await;
    assert_eq!(rest.status, RunStatus::Failed);
    assert_eq!(ended(&run), ["a failed"], "nothing comes after it");
    let error = run.run.error.unwrap();
    assert_eq!((error.code, error.retryable), (Code::Network, true));
}

#[tokio::test]
async fn workflow_skip_goes_on_without_the_node() {
    let (rig, _folder) = Rig::new().await;
    let (rest, run) = ran(&rig, flow(Some(1), json!({"errorHandling": "skip"})), 1).await;
    assert_eq!(rest.status, RunStatus::Completed);
    assert_eq!(ended(&run), ["a skipped", "b completed"]);
    assert_eq!(run.nodes[0].error.as_ref().unwrap().code, Code::Network, "why is still told");
}

#[tokio::test]
async fn workflow_retry_tries_the_run_again_from_the_node() {
    let (rig, _folder) = Rig::new().await;
    let settings = json!({"errorHandling": "retry", "retryPolicy": policy(3)});
    let (rest, run) = ran(&rig, flow(Some(2), settings.clone()), 5).await;
    assert_eq!((rest.status, run.nodes[0].attempts), (RunStatus::Completed, 6), "3 times 2");
    let (rest, _) = ran(&rig, flow(Some(2), settings), 6).await;
    assert_eq!(rest.status, RunStatus::Failed, "until that is used up, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn engine_a_defect_fails_its_run_is_told_and_harms_nothing_else() {
    let (rig, _folder) = Rig::new().await;
    let mut defects = rig.runs.defects();
    let other = rig.begin(json!([node("wait", "test.slow", json!({"ms": 50}))]), json!([])).await;
    let mut each = node("each", "flow.loop", json!({"items": [1]}));
    each["body"] = json!({"nodes": [node("bad", "test.defect", json!({}))]});
    // One that computes for long does so elsewhere, and is told no less.
    let large: Vec<u32> = (0..20_000).collect();
    let heavy = node("heavy", "test.defect", json!({"items": large}));
    for (node, path) in [(each, "each#0/bad"), (heavy, "heavy")] {
        let (rest, run) = rig.run(json!([node]), json!([])).await;
        let error = run.run.error.unwrap();
        assert_eq!((rest.status, error.code), (RunStatus::Failed, Code::Internal));
        assert!(error.message.contains("a defect for tests"), "{error}");
        assert!(error.message.starts_with(path), "{error}");
        assert!(error.hint.is_some());
        let told = tokio::time::timeout(Duration::from_secs(10), defects.recv()).await;
        let told = told.expect("it is told").unwrap();
        assert_eq!((told.run, told.node.as_deref()), (run.run.id, Some(path)));
    }
    assert_eq!(rig.ended(other).await.0.status, RunStatus::Completed);
    assert_eq!(rig.runs.counts(), (0, 0), "the places are free again");
}

#[tokio::test]
async fn plugin_one_that_is_stopped_degrades_the_flows_that_use_it() {
    let (rig, _folder) = Rig::new().await;
    let ticket = json!({"id": "ticket", "type": "action", "pluginId": "desk", "action": "desk.open",
        "retryPolicy": {"maxAttempts": 1}, "config": {"title": "x", "gives": {"number": 1}}});
    let elsewhere = json!({"id": "gone", "type": "action", "pluginId": "devrig-plugin-nowhere", "action": "n.do"});
    rig.enabled("uses", json!([]), json!([ticket.clone()])).await;
    rig.enabled("lost", json!([]), json!([ticket, elsewhere])).await;
    rig.enabled("other", json!([]), json!([node("a", "test.give", json!({"pluginId": "desk"}))]))
        .await;
    rig.flows.permit("uses", vec!["plugin:desk".parse().unwrap()], vec![]).await.unwrap();
    let lost = async || {
        let all = rig.flows.list().await.unwrap().into_iter();
        let told = |lost: devrig_flow::Degraded| {
            format!("{} {} {}", lost.plugin, lost.why.code.as_str(), lost.nodes.join(" "))
        };
        all.flat_map(|flow| {
            flow.degraded.into_iter().map(move |lost| format!("{}: {}", flow.id, told(lost)))
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(lost().await, ["lost: nowhere NOT_FOUND gone"]);
    rig.diary.fail_next("asleep", 1);
    assert_eq!(
        lost().await,
        [
            "lost: desk PLUGIN_QUARANTINED ticket",
            "lost: nowhere NOT_FOUND gone",
            "uses: desk PLUGIN_QUARANTINED ticket",
        ]
    );
    let why = &rig.flows.get("uses", None).await.unwrap().0.degraded[0].why;
    assert!(why.hint.as_ref().unwrap().contains("devrig plugin enable desk"), "{why:?}");
    let started = rig.flows.run("uses", None, json!({})).await.unwrap();
    let (rest, _) = rig.ended(started).await;
    assert_eq!(rest.error.unwrap().code, Code::PluginQuarantined, "what needs it fails at once");
    rig.diary.fail_next("asleep", 0);
    assert_eq!(lost().await, ["lost: nowhere NOT_FOUND gone"], "it is whole again by itself");
}

#[tokio::test]
async fn dead_letter_a_failed_run_keeps_everything_until_it_is_retried_or_discarded() {
    let (rig, _folder) = Rig::new().await;
    let mut definition = flow(Some(3), json!({}));
    let before = node("before", "test.once", json!({"n": "{{trigger.payload.n}}"}));
    definition["nodes"].as_array_mut().unwrap().insert(0, before);
    definition["edges"] = line(&["before", "a", "b"]);
    definition["id"] = json!("f");
    definition["name"] = json!("f");
    definition["schemaVersion"] = json!(1);
    rig.flows.save(definition, Actor::Person).await.unwrap();
    rig.diary.fail_next("a", 3);
    let started = rig.flows.run("f", None, json!({"n": 7})).await.unwrap();
    let (_, dead) = rig.ended(started).await;
    assert_eq!(dead.run.status, RunStatus::Failed);
    let attempts: Vec<_> = dead.log.iter().filter(|line| line.level == Level::Warn).collect();
    assert_eq!(
        (attempts.len(), dead.nodes[1].attempts),
        (2, 3),
        "all attempts, with the last in its end"
    );
    assert_eq!(dead.nodes[1].error.as_ref().unwrap().code, Code::Network);
    assert_eq!(
        (&dead.payload, &dead.nodes[0].output),
        (&json!({"n": 7}), &json!({"n": 7})),
        "what it worked with"
    );

    let again = rig.runs.retry(&dead.run.id, Of::Same).await.unwrap();
    let (rest, _) = rig.ended(again).await;
    assert_eq!(rest.status, RunStatus::Completed);
    let effects = rig.diary.lines().into_iter().filter(|line| line.starts_with("effect")).count();
    assert_eq!(effects, 1, "what had ended well is not done again");
    rig.runs.discard(&dead.run.id).await.unwrap();
    let gone = devrig_flow::history::get(&rig.store, &dead.run.id).await.unwrap_err();
    assert_eq!(gone.code, Code::NotFound);
}
