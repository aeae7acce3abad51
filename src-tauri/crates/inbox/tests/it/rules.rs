//! Rules: what they do, to what, why, and that each change is applied once.

use std::time::Duration;

use devrig_core::{Actor, Code};
use devrig_inbox::{ItemInput, OperationKind, Priority, RuleDraft, Wake};
use tokio_util::sync::CancellationToken;

use crate::rig::{Rig, item};

fn draft(name: &str, query: &str, operations: Vec<OperationKind>) -> RuleDraft {
    RuleDraft {
        name: name.into(),
        query: query.into(),
        operations,
        snooze: None,
        notify: false,
        enabled: true,
    }
}

/// Runs the rules until they have nothing to do for a while.
async fn apply(rig: &Rig) {
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (inbox, stop) = (rig.inbox.clone(), stop.clone());
        async move { inbox.run_rules(stop).await }
    });
    tokio::time::sleep(Duration::from_millis(400)).await;
    stop.cancel();
    running.await.unwrap().unwrap();
}

async fn without_shipped(rig: &Rig) {
    for rule in rig.inbox.rules().await.unwrap() {
        rig.inbox.delete_rule(rule.id).await.unwrap();
    }
    // From here on the feed is read.
    apply(rig).await;
}

fn stated(name: &str, at: i64, state: &str) -> ItemInput {
    ItemInput { state: Some(state.into()), ..item(name, at) }
}

#[tokio::test]
async fn what_matches_is_done_with_a_reason_and_can_be_taken_back() {
    let rig = Rig::new().await;
    without_shipped(&rig).await;
    let both = vec![OperationKind::Read, OperationKind::Done];
    rig.inbox.save_rule(None, draft("Drafts wait", "state:draft", both)).await.unwrap();
    let later = RuleDraft {
        snooze: Some("until new activity".into()),
        ..draft("Quiet ones", "quiet", vec![])
    };
    rig.inbox.save_rule(None, later).await.unwrap();
    let ids = rig.store(vec![stated("a", 1, "draft"), item("b", 2), item("quiet", 3)]).await.ids;
    apply(&rig).await;
    assert_eq!(rig.find("").await, ["b"]);
    assert_eq!(rig.find("is:done").await, ["a"]);
    assert_eq!(rig.get(&ids[2]).await.summary.triage.snoozed_until, Some(Wake::Activity));
    let history = rig.inbox.operations(10, None).await.unwrap();
    let done = history.iter().find(|row| row.kind == "done").unwrap();
    assert_eq!((done.actor, done.cause.as_deref()), (Actor::Rule, Some("rule Drafts wait")));
    let error = rig.inbox.undo(None).await.unwrap_err();
    assert_eq!(error.code, Code::NothingToDo, "the undo key is for the person's own");
    rig.inbox.undo(Some(done.id.clone())).await.unwrap();
    assert_eq!(rig.find("").await, ["b", "a"]);
    apply(&rig).await;
    assert_eq!(rig.find("").await, ["b", "a"], "what the person took back stays so");
    let rules = rig.inbox.rules().await.unwrap();
    assert_eq!((rules[0].applied, rules[0].words.as_str()), (1, "Marked read, Done"));
    rig.check_counts().await;
}

#[tokio::test]
async fn rules_look_at_what_sources_change_and_never_at_their_own_doing() {
    let rig = Rig::new().await;
    without_shipped(&rig).await;
    // Each would set off the other for ever.
    let label = |text: &str| OperationKind::AddLabels { labels: vec![text.into()] };
    rig.inbox.save_rule(None, draft("one", "is:any -label:a", vec![label("a")])).await.unwrap();
    rig.inbox.save_rule(None, draft("two", "is:any label:a", vec![label("b")])).await.unwrap();
    let ids = rig.store(vec![item("x", 1)]).await.ids;
    apply(&rig).await;
    assert_eq!(rig.get(&ids[0]).await.summary.triage.labels, ["a", "b"]);
    rig.on(OperationKind::RemoveLabels { labels: vec!["a".into()] }, &ids[0]).await;
    apply(&rig).await;
    assert_eq!(rig.get(&ids[0]).await.summary.triage.labels, ["b"], "the person's word stands");
    rig.store(vec![stated("x", 5, "open")]).await;
    apply(&rig).await;
    assert_eq!(rig.get(&ids[0]).await.summary.triage.labels, ["b", "a"], "the source spoke again");
}

#[tokio::test]
async fn what_happened_while_nobody_looked_is_caught_up_with_once() {
    let mut rig = Rig::new().await;
    without_shipped(&rig).await;
    let star = vec![OperationKind::Star];
    rig.inbox.save_rule(None, draft("Stars", "is:any", star)).await.unwrap();
    rig.store((0..700).map(|n| item(&n.to_string(), n)).collect()).await;
    rig.restart().await;
    apply(&rig).await;
    apply(&rig).await;
    assert_eq!(rig.inbox.count("is:starred").await.unwrap().count, 700);
    assert_eq!(rig.inbox.rules().await.unwrap()[0].applied, 700);
}

#[tokio::test]
async fn the_shipped_rules_put_away_what_is_over_and_nothing_that_asks() {
    let rig = Rig::new().await;
    apply(&rig).await;
    let of = |name: &str, state: &str, reason: &str, actor: &str| ItemInput {
        reason: Some(reason.into()),
        actor: Some(actor.into()),
        ..stated(name, 1, state)
    };
    rig.store(vec![
        of("merged", "merged", "author", "kim"),
        of("mentioned", "closed", "mention", "kim"),
        of("open", "open", "review_requested", "kim"),
        of("bot", "open", "subscribed", "dependabot[bot]"),
        ItemInput {
            is_actionable: Some(true),
            ..of("asks", "open", "review_requested", "dependabot")
        },
    ])
    .await;
    apply(&rig).await;
    assert_eq!(rig.find("is:done").await, ["merged"]);
    assert_eq!(rig.find("is:read is:inbox").await, ["bot"]);
    assert_eq!(rig.find("priority:low").await, ["bot"]);
    assert_eq!(rig.find("is:unread").await.len(), 3);
}

#[tokio::test]
async fn a_trial_counts_shows_and_changes_nothing() {
    let rig = Rig::new().await;
    let ids = rig.store((0..30).map(|n| item(&n.to_string(), n)).collect()).await.ids;
    rig.on(OperationKind::Done, &ids[0]).await;
    let trial = draft("t", "is:any", vec![OperationKind::Done]);
    let run = rig.inbox.try_rule(&trial).await.unwrap();
    assert_eq!((run.matching, run.changing, run.items.len()), (30, 29, 20));
    assert_eq!(run.items[0].title, rig.get(&ids[29]).await.summary.title, "the newest first");
    assert_eq!(rig.find("is:done").await.len(), 1);
}

#[tokio::test]
async fn what_a_rule_says_is_checked_when_it_is_saved() {
    let rig = Rig::new().await;
    let low = OperationKind::SetPriority { priority: Some(Priority::Low) };
    for (wrong, code) in [
        (draft("", "is:any", vec![low.clone()]), Code::InvalidInput),
        (draft("x", "colour:red", vec![low.clone()]), Code::InvalidQuery),
        (draft("x", "is:any", vec![]), Code::InvalidInput),
        (draft("x", "is:any", vec![OperationKind::Unread]), Code::InvalidInput),
        (
            RuleDraft { snooze: Some("soon".into()), ..draft("x", "is:any", vec![]) },
            Code::InvalidInput,
        ),
    ] {
        assert_eq!(rig.inbox.save_rule(None, wrong).await.unwrap_err().code, code);
    }
    let good = draft("x", "is:any", vec![low]);
    let missing = rig.inbox.save_rule(Some("nowhere".into()), good.clone()).await;
    assert_eq!(missing.unwrap_err().code, Code::NotFound);
    let saved = rig.inbox.save_rule(None, good.clone()).await.unwrap();
    let off = RuleDraft { enabled: false, ..good };
    assert!(!rig.inbox.save_rule(Some(saved.id), off).await.unwrap().draft.enabled);
}
