//! Runs that are done again: retried, replayed, run from a node, forgotten.

use crate::common::{Diary, Rig, life, line, node};
use devrig_core::Actor;
use devrig_flow::history::{self, Wanted};
use devrig_flow::run::RunStatus;
use devrig_flow::runs::Of;
use serde_json::{Value, json};

/// `post` has an effect, `bad` fails as often as it is told, `after` comes then.
fn nodes(label: &str) -> Value {
    let mut bad = node("bad", "test.flaky", json!({"label": label}));
    bad["retryPolicy"] = json!({"maxAttempts": 1});
    json!([node("post", "test.once", json!({})), bad, node("after", "test.give", json!({"x": 1}))])
}

fn flow(id: &str, label: &str) -> Value {
    json!({"schemaVersion": 1, "id": id, "name": id, "nodes": nodes(label),
        "edges": line(&["post", "bad", "after"])})
}

async fn failed(rig: &Rig, times: u32) -> String {
    rig.diary.fail_next("bad", times);
    rig.flows.save(flow("f", "one"), Actor::Person).await.unwrap();
    let started = rig.flows.run("f", None, json!({"who": "kim"})).await.unwrap();
    let (rest, _) = rig.ended(started).await;
    assert_eq!(rest.status, RunStatus::Failed);
    let wanted = Wanted { limit: 1, ..Wanted::default() };
    history::list(&rig.store, &wanted).await.unwrap()[0].id.clone()
}

fn effects(rig: &Rig) -> usize {
    rig.diary.lines().iter().filter(|line| line.starts_with("effect")).count()
}

#[tokio::test]
async fn a_retry_goes_on_from_the_failed_node_in_a_run_of_its_own() {
    let (rig, _folder) = Rig::new().await;
    let first = failed(&rig, 2).await;
    let second = rig.runs.retry(&first, Of::Same).await.unwrap();
    let (rest, run) = rig.ended(second).await;
    assert_eq!(rest.status, RunStatus::Failed, "it fails once more");
    assert_eq!(run.run.retry_of.as_deref(), Some(first.as_str()));
    let (rest, run) = rig.ended(rig.runs.retry(&run.run.id, Of::Same).await.unwrap()).await;
    assert_eq!((rest.status, rest.output), (RunStatus::Completed, json!({"x": 1})));
    assert_eq!(run.run.retry_of.as_deref(), Some(first.as_str()), "the first of them");
    assert_eq!(effects(&rig), 1, "what had ended well is not done again");
    assert_eq!((run.payload, run.nodes.len()), (json!({"who": "kim"}), 3));
    let before = history::get(&rig.store, &first).await.unwrap();
    assert_eq!(before.run.status, RunStatus::Failed, "the old run stays what it was");
    let none = rig.runs.retry(&run.run.id, Of::Same).await.unwrap_err();
    assert_eq!(none.code.as_str(), "NOTHING_TO_DO");
}

#[tokio::test]
async fn a_retry_with_the_newest_version_runs_what_changed() {
    let (rig, _folder) = Rig::new().await;
    let first = failed(&rig, 1).await;
    let mut changed = flow("f", "one");
    changed["nodes"][2]["config"]["x"] = json!(2);
    rig.flows.save(changed.clone(), Actor::Person).await.unwrap();
    let (rest, run) = rig.ended(rig.runs.retry(&first, Of::Latest).await.unwrap()).await;
    assert_eq!((rest.output, run.run.version, effects(&rig)), (json!({"x": 2}), 2, 1));

    changed["nodes"][0]["config"]["new"] = json!(true);
    rig.flows.save(changed, Actor::Person).await.unwrap();
    rig.ended(rig.runs.retry(&first, Of::Latest).await.unwrap()).await;
    assert_eq!(effects(&rig), 2, "the node with the effect changed, so it is run again");
}

#[tokio::test]
async fn a_replay_does_everything_again_with_what_the_trigger_told() {
    let (rig, _folder) = Rig::new().await;
    let first = failed(&rig, 1).await;
    let (rest, run) = rig.ended(rig.runs.replay(&first, Of::Same).await.unwrap()).await;
    assert_eq!((rest.status, effects(&rig)), (RunStatus::Completed, 2));
    assert_eq!((run.payload, run.run.retry_of), (json!({"who": "kim"}), None));
}

#[tokio::test]
async fn a_run_from_a_node_takes_the_rest_from_another_run() {
    let (rig, _folder) = Rig::new().await;
    let first = failed(&rig, 1).await;
    let (rest, _) = rig.ended(rig.flows.run_from("f", None, "bad", &first).await.unwrap()).await;
    assert_eq!((rest.status, effects(&rig)), (RunStatus::Completed, 1));
    let error = rig.flows.run_from("f", None, "nobody", &first).await.unwrap_err();
    assert_eq!(error.code.as_str(), "NOT_FOUND");
    rig.flows.save(flow("g", "one"), Actor::Person).await.unwrap();
    assert!(rig.flows.run_from("g", None, "bad", &first).await.is_err(), "a run of another flow");
}

#[tokio::test]
async fn a_run_that_was_discarded_leaves_nothing_behind() {
    let (rig, _folder) = Rig::new().await;
    let first = failed(&rig, 1).await;
    let again = rig.runs.replay(&first, Of::Same).await.unwrap();
    let (_, run) = rig.ended(again).await;
    rig.runs.discard(&first).await.unwrap();
    assert!(history::get(&rig.store, &first).await.is_err());
    let kept = history::get(&rig.store, &run.run.id).await.unwrap();
    assert_eq!(kept.payload, json!({"who": "kim"}), "the event is still needed");
    rig.runs.discard(&run.run.id).await.unwrap();
    for table in ["run", "run_journal", "run_wait", "trigger_event"] {
        let mut query = sqlx::QueryBuilder::<sqlx::Sqlite>::new("SELECT count(*) FROM ");
        query.push(table);
        let rows: i64 = query.build_query_scalar().fetch_one(rig.store.reader()).await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

#[test]
fn a_retry_that_waits_for_its_turn_survives_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let diary = Diary::default();
    let id = life(folder.path(), &diary, async |rig| {
        let first = failed(rig, 1).await;
        rig.runs.retry(&first, Of::Same).await.unwrap().id
    });
    life(folder.path(), &diary, async |rig| {
        rig.until(&id, RunStatus::Completed).await;
        assert_eq!(effects(rig), 1);
    });
}
