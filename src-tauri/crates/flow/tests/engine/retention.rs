//! Runs whose time is over go, the others stay, and the file gets shorter.

use std::time::Duration;

use devrig_core::Actor;
use devrig_flow::history::{self, Wanted};
use devrig_flow::retention::{self, Cleaned, Keep};
use devrig_flow::run::RunStatus;
use serde_json::json;

use crate::common::{Rig, node};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const KEEP: Keep =
    Keep { ended: DAY.saturating_mul(10), failed: DAY.saturating_mul(30), per_flow: 1_000 };

async fn ids(rig: &Rig) -> Vec<String> {
    let wanted = Wanted { limit: 500, ..Wanted::default() };
    history::list(&rig.store, &wanted).await.unwrap().into_iter().map(|run| run.id).collect()
}

async fn count(rig: &Rig, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(rig.store.reader()).await.unwrap()
}

/// One run of a flow of this name, which fails, waits or completes.
async fn run(rig: &Rig, name: &str, settings: serde_json::Value) -> String {
    let work = match name {
        "fails" => node("a", "flow.fail", json!({"message": "no"})),
        "waits" => node("a", "flow.delay", json!({"ms": 1_000_000_000_u64})),
        _ => node("a", "test.give", json!({"text": "x".repeat(2_000)})),
    };
    let flow = json!({"id": name, "name": name, "schemaVersion": 1, "settings": settings,
        "nodes": [work], "edges": []});
    rig.flows.save(flow, Actor::Person).await.unwrap();
    let started = rig.flows.run(name, None, json!({})).await.unwrap();
    rig.ended(started).await.1.run.id
}

#[tokio::test]
async fn what_failed_stays_longer_and_what_is_open_stays() {
    let (rig, _folder) = Rig::new().await;
    let all = json!({});
    let done = run(&rig, "done", all.clone()).await;
    let failed = run(&rig, "fails", all.clone()).await;
    let waits = run(&rig, "waits", all.clone()).await;
    rig.clock.advance(DAY * 9);
    let later = run(&rig, "done", all.clone()).await;
    assert_eq!(retention::clean(&rig.store, &KEEP).await.unwrap(), Cleaned::default());
    rig.clock.advance(DAY);
    let cleaned = retention::clean(&rig.store, &KEEP).await.unwrap();
    assert_eq!(cleaned, Cleaned { runs: 1, events: 1 });
    assert_eq!(ids(&rig).await, [later.clone(), waits.clone(), failed.clone()]);
    assert!(history::get(&rig.store, &done).await.is_err());
    assert_eq!(count(&rig, "SELECT count(DISTINCT run) FROM run_journal").await, 3, "its own went");
    rig.clock.advance(DAY * 90);
    // The one that waits has its time now, and may go on beside this.
    retention::clean(&rig.store, &KEEP).await.unwrap();
    let left = ids(&rig).await;
    assert!(!left.contains(&failed) && !left.contains(&later), "{left:?}");
    assert_eq!(left, [waits]);
    let found = Wanted { text: Some("no".into()), limit: 5, ..Wanted::default() };
    assert!(history::list(&rig.store, &found).await.unwrap().is_empty());
    assert_eq!(count(&rig, "SELECT count(*) FROM trigger_event").await, 1);
}

#[tokio::test]
async fn the_newest_of_a_flow_stay_even_where_all_came_at_once() {
    let (rig, _folder) = Rig::new().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(run(&rig, "done", json!({})).await);
    }
    let other = run(&rig, "fails", json!({})).await;
    let keep = Keep { per_flow: 2, ..KEEP };
    assert_eq!(retention::clean(&rig.store, &keep).await.unwrap().runs, 3);
    assert_eq!(ids(&rig).await, [other, made[4].clone(), made[3].clone()]);
}

#[tokio::test]
async fn a_flow_may_keep_only_its_failures() {
    let (rig, _folder) = Rig::new().await;
    let sparing = json!({"saveRuns": "failed"});
    run(&rig, "done", sparing.clone()).await;
    let failed = run(&rig, "fails", sparing).await;
    assert_eq!(retention::clean(&rig.store, &KEEP).await.unwrap().runs, 1);
    let left = history::get(&rig.store, &failed).await.unwrap();
    assert_eq!(left.run.status, RunStatus::Failed);
}

#[tokio::test]
async fn an_event_that_names_itself_is_known_after_its_run_is_gone() {
    let (rig, _folder) = Rig::new().await;
    run(&rig, "done", json!({"saveRuns": "failed"})).await;
    let name_it = async |tx: &mut devrig_store::Tx| {
        sqlx::query("UPDATE trigger_event SET key = 'once'")
            .execute(tx.conn())
            .await
            .map_err(devrig_store::from_sqlx)
    };
    rig.store.write(name_it).await.unwrap();
    let cleaned = retention::clean(&rig.store, &KEEP).await.unwrap();
    assert_eq!(cleaned, Cleaned { runs: 1, events: 0 });
    rig.clock.advance(KEEP.ended);
    let cleaned = retention::clean(&rig.store, &KEEP).await.unwrap();
    assert_eq!(cleaned, Cleaned { runs: 0, events: 1 });
}

#[tokio::test]
async fn the_file_gets_shorter() {
    let (rig, folder) = Rig::new().await;
    for _ in 0..600 {
        run(&rig, "done", json!({})).await;
    }
    rig.store.checkpoint().await.unwrap();
    let before = std::fs::metadata(folder.path().join("devrig.db")).unwrap().len();
    rig.clock.advance(DAY * 20);
    assert_eq!(retention::clean(&rig.store, &KEEP).await.unwrap().runs, 600);
    rig.store.shrink().await.unwrap();
    rig.store.checkpoint().await.unwrap();
    let after = std::fs::metadata(folder.path().join("devrig.db")).unwrap().len();
    assert!(after + 600 * 2_000 < before, "from {before} to {after} bytes");
    assert!(rig.store.check().await.unwrap().ok);
}
