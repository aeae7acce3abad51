//! What is told outside the window, when, and what its buttons do.

use std::time::Duration;

use devrig_core::notify::Answer;
use devrig_core::{SystemClock, Timestamp};
use devrig_engine::api::inbox::{ImportArgs, OperateArgs, OperationKind, Target};
use devrig_engine::api::rule::{RuleDraft, RuleSaveArgs};
use devrig_engine::api::settings::SettingSetArgs;
use devrig_inbox::ItemInput;
use devrig_tests::rig::wait;
use devrig_tests::{Package, Rig};
use serde_json::{Value, json};

/// Longer than what is gathered waits.
const SETTLED: Duration = Duration::from_secs(5);

async fn import(rig: &Rig, titles: &[&str], actionable: bool) {
    let now = SystemClock::shared().now();
    let items = titles
        .iter()
        .map(|title| ItemInput {
            external_id: (*title).to_owned(),
            kind: "note".into(),
            title: (*title).to_owned(),
            is_actionable: Some(actionable),
            external_updated_at: Some(now),
            ..ItemInput::default()
        })
        .collect();
    rig.api.inbox_import(ImportArgs { items }).await.expect("an import");
}

async fn set(rig: &Rig, key: &str, value: Value) {
    rig.api.settings_set(SettingSetArgs { key: key.into(), value }).await.expect("it is taken");
}

async fn told(rig: &Rig, count: usize) -> Vec<String> {
    wait("the notices", async || {
        let titles: Vec<String> =
            rig.notices.all().into_iter().map(|notice| notice.title).collect();
        (titles.len() >= count).then_some(titles)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_the_person_is_told_once_and_its_buttons_work() {
    let rig = Rig::start().await;
    import(&rig, &["of no concern"], false).await;
    import(&rig, &["first", "second"], true).await;
    let mut titles = told(&rig, 2).await;
    titles.sort();
    assert_eq!(titles, ["first", "second"]);

    let place = rig.notices.all().iter().position(|notice| notice.title == "first").expect("told");
    rig.notices.answer(place, Answer::Done);
    wait("the item to be done", async || (rig.titles("is:done").await == ["first"]).then_some(()))
        .await;
    rig.notices.answer(1 - place, Answer::Snooze);
    wait("the item to be snoozed", async || {
        (rig.titles("is:snoozed").await == ["second"]).then_some(())
    })
    .await;

    tokio::time::sleep(SETTLED).await;
    assert_eq!(rig.notices.all().len(), 2, "nothing is told twice");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_told_as_one_and_what_was_seen_is_left_out() {
    let rig = Rig::start().await;
    import(&rig, &["a", "b", "c", "d", "e", "f", "seen"], true).await;
    let target = Target::Ids(vec![rig.first("seen").await]);
    let read = OperateArgs { operation: OperationKind::Read, target };
    rig.api.inbox_operate(read).await.expect("read");
    assert_eq!(told(&rig, 1).await, ["6 new items"]);
    let body = rig.notices.all()[0].body.clone();
    assert!(body.ends_with("and 2 more"), "{body}");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_what_comes_over_a_restart_and_a_rule_can_tell_too() {
    let mut rig = Rig::start().await;
    let later = SystemClock::shared().now() + Duration::from_secs(3_600);
    set(&rig, "notifications.pausedUntil", json!(later)).await;
    let rule = RuleDraft {
        name: "Deploys".into(),
        query: "deploy".into(),
        operations: Vec::new(),
        snooze: None,
        notify: true,
        enabled: true,
    };
    rig.api.rule_save(RuleSaveArgs { id: None, rule }).await.expect("a rule");
    import(&rig, &["the deploy failed"], false).await;
    tokio::time::sleep(SETTLED).await;
    assert!(rig.notices.all().is_empty(), "it is paused");
    rig.restart().await;
    set(&rig, "notifications.pausedUntil", Value::Null).await;
    assert_eq!(told(&rig, 1).await, ["the deploy failed"]);

    set(&rig, "notifications.enabled", json!(false)).await;
    import(&rig, &["another deploy failed"], false).await;
    tokio::time::sleep(SETTLED).await;
    set(&rig, "notifications.enabled", json!(true)).await;
    tokio::time::sleep(SETTLED).await;
    assert_eq!(rig.notices.all().len(), 1, "what came while they were off is in the inbox");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_that_a_new_source_brings_is_not_told() {
    let rig = Rig::start().await;
    let now: Timestamp = SystemClock::shared().now();
    let code = format!(
        "let round = 0; devrig.activate((sdk) => {{
           sdk.dataSources.register('news.items', {{ async sync(cursor, ds) {{
             round += 1;
             await ds.storeItems([{{ externalId: 'n' + round, type: 'note', title: 'round ' + round,
               isActionable: true, externalUpdatedAt: '{now}' }}]);
             return {{ cursor: String(round), itemCount: 1, hasMore: false }};
           }} }});
         }})"
    );
    let account = rig.install(&Package::new("news", &["inbox:write"], &code)).await;
    wait("the first sync", async || (rig.titles("is:any").await.len() == 1).then_some(())).await;
    tokio::time::sleep(SETTLED).await;
    assert!(rig.notices.all().is_empty(), "history is no news");
    rig.sync(&account).await;
    assert_eq!(told(&rig, 1).await, ["round 2"]);
    rig.end().await;
}
