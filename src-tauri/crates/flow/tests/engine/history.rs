//! Runs are found by what they were, when, and by what their errors say.

use std::time::Duration;

use devrig_core::{Actor, Code};
use devrig_flow::history::{self, Wanted};
use devrig_flow::run::{RunKind, RunStatus};
use serde_json::json;

use crate::common::{Rig, node};

/// Flows `good` and `bad`: three runs of the first, an hour apart, and two failures of the second.
async fn told() -> (Rig, tempfile::TempDir, Vec<String>) {
    let (rig, folder) = Rig::new().await;
    let fails = |id: &str| {
        json!({"id": id, "type": "action", "action": "flow.fail", "config":
            {"message": "{{trigger.payload.why}}", "hint": "Look at api.example.org."}})
    };
    let mut ids = Vec::new();
    for (name, nodes) in
        [("good", json!([node("a", "test.give", json!({}))])), ("bad", json!([fails("a")]))]
    {
        let flow =
            json!({"id": name, "name": name, "schemaVersion": 1, "nodes": nodes, "edges": []});
        rig.flows.save(flow, Actor::Person).await.unwrap();
    }
    let whys = ["", "", "", "connection refused (ECONNREFUSED)", "timeout of \"größe\" at 17 %"];
    for (number, why) in whys.into_iter().enumerate() {
        let flow = if why.is_empty() { "good" } else { "bad" };
        let started = rig.flows.run(flow, None, json!({"why": why})).await.unwrap();
        let (rest, run) = rig.ended(started).await;
        assert_eq!(rest.status == RunStatus::Failed, flow == "bad", "run {number}: {rest:?}");
        ids.push(run.run.id);
        rig.clock.advance(Duration::from_secs(3_600));
    }
    (rig, folder, ids)
}

async fn found(rig: &Rig, ids: &[String], wanted: Wanted) -> Vec<usize> {
    let limit = wanted.limit.max(10);
    let runs = history::list(&rig.store, &Wanted { limit, ..wanted }).await.unwrap();
    let number = |id: &String| ids.iter().position(|each| each == id).unwrap();
    runs.iter().map(|run| number(&run.id)).collect()
}

#[tokio::test]
async fn each_filter_keeps_what_it_says_newest_first() {
    let (rig, _folder, ids) = told().await;
    let hour = |n: u64| {
        Some(
            "2026-11-20T09:00:00Z".parse::<devrig_core::Timestamp>().unwrap()
                + Duration::from_secs(n * 3_600),
        )
    };
    let text = |text: &str| Some(text.to_owned());
    let all = Wanted::default;
    for (wanted, expected) in [
        (all(), vec![4, 3, 2, 1, 0]),
        (Wanted { flow: text("good"), ..all() }, vec![2, 1, 0]),
        (Wanted { status: Some(RunStatus::Failed), ..all() }, vec![4, 3]),
        (Wanted { status: Some(RunStatus::Completed), ..all() }, vec![2, 1, 0]),
        (Wanted { kind: Some(RunKind::Manual), ..all() }, vec![4, 3, 2, 1, 0]),
        (Wanted { kind: Some(RunKind::Live), ..all() }, vec![]),
        (Wanted { trigger_type: text("manual"), flow: text("bad"), ..all() }, vec![4, 3]),
        (Wanted { trigger_type: text("webhook"), ..all() }, vec![]),
        (Wanted { since: hour(1), until: hour(4), ..all() }, vec![3, 2, 1]),
        (
            Wanted { since: hour(1), status: Some(RunStatus::Failed), flow: text("good"), ..all() },
            vec![],
        ),
        (Wanted { after: Some(ids[3].clone()), ..all() }, vec![2, 1, 0]),
    ] {
        assert_eq!(found(&rig, &ids, wanted.clone()).await, expected, "{wanted:?}");
    }
}

#[tokio::test]
async fn errors_are_found_by_their_words_and_runs_by_the_beginning_of_their_id() {
    let (rig, _folder, ids) = told().await;
    let text = |text: &str| Wanted { text: Some(text.to_owned()), ..Wanted::default() };
    for (words, expected) in [
        ("refused connection", vec![3]),
        ("econnref", vec![3]),
        ("GROSSE", vec![]),
        ("grosse größe", vec![]),
        ("\"größe\"", vec![4]),
        ("grö", vec![4]),
        ("api.example.org", vec![4, 3]),
        ("FLOW_FAILED", vec![4, 3]),
        ("nowhere", vec![]),
        (&ids[1], vec![1]),
        (&ids[1][..12], vec![1]),
        // Ids begin with the number of the run.
        (&ids[1][..8], vec![4, 3, 2, 1, 0]),
    ] {
        assert_eq!(found(&rig, &ids, text(words)).await, expected, "{words}");
    }
    let filtered = Wanted { after: Some(ids[4].clone()), ..text("flow_failed") };
    assert_eq!(found(&rig, &ids, filtered).await, [3]);
    let filtered = Wanted { after: Some(ids[3].clone()), ..text(&ids[0][..8]) };
    assert_eq!(found(&rig, &ids, filtered).await, [2, 1, 0]);
    for (flow, expected) in [("good", [2, 1, 0].as_slice()), ("bad", &[4, 3])] {
        let filtered = Wanted { flow: Some(flow.to_owned()), ..text(&ids[0][..8]) };
        assert_eq!(found(&rig, &ids, filtered).await, expected, "{flow}");
    }
    for wrong in ["", " \" ( ", "*"] {
        let error = history::list(&rig.store, &text(wrong)).await.unwrap_err();
        assert_eq!(error.code, Code::InvalidInput, "{wrong:?}");
    }
    for odd in ["a\" OR \"b", "NEAR(a b)", "error:refused", "a^b -c", "\u{0}a"] {
        history::list(&rig.store, &text(odd)).await.expect(odd);
    }
}

#[tokio::test]
async fn pages_of_any_length_give_every_run_once() {
    let (rig, _folder, ids) = told().await;
    for limit in 1..=3 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let wanted = Wanted { limit, after: after.clone(), ..Wanted::default() };
            let page = history::list(&rig.store, &wanted).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            seen.extend(page.into_iter().map(|run| run.id));
        }
        assert_eq!(seen, ids.iter().rev().cloned().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_type_of_triggers_that_is_none_is_told() {
    let (rig, _folder) = Rig::new().await;
    let wanted = Wanted { trigger_type: Some("webhok".into()), limit: 1, ..Wanted::default() };
    let error = history::list(&rig.store, &wanted).await.unwrap_err();
    assert!(error.hint.unwrap().contains("webhook"));
}
