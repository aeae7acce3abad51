//! What is done at set times.

use std::time::Duration;

use devrig_core::SystemClock;
use devrig_engine::api::inbox::{ImportArgs, OperateArgs, OperationKind, Target};
use devrig_engine::api::run::RunStatus;
use devrig_inbox::ItemInput;

use super::desk::Desk;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A pull request that waits for a review, that long.
fn review(title: &str, waits: Duration) -> ItemInput {
    ItemInput {
        external_id: title.to_owned(),
        kind: "pull_request".into(),
        title: title.to_owned(),
        repo: Some("acme/shop".into()),
        reason: Some("review_requested".into()),
        source_url: Some(format!("https://github.com/acme/shop/pull/{}", title.len())),
        is_actionable: Some(false),
        external_updated_at: Some(SystemClock::shared().now() - waits),
        ..ItemInput::default()
    }
}

async fn import(desk: &Desk, items: Vec<ItemInput>) {
    desk.rig.api.inbox_import(ImportArgs { items }).await.expect("an import");
}

#[tokio::test(flavor = "multi_thread")]
async fn reviews_that_wait_are_told_and_no_others() {
    let desk = Desk::with(&["review-reminder"]).await;
    import(&desk, vec![review("Fresh", DAY / 2)]).await;
    let silent = desk.fire("review-reminder", "mornings", None).await;
    assert_eq!(desk.run(&silent).await.run.status, RunStatus::Completed);

    import(&desk, vec![review("Older", 3 * DAY), review("Old", 2 * DAY)]).await;
    let loud = desk.fire("review-reminder", "mornings", None).await;
    let run = desk.run(&loud).await;
    assert_eq!(run.run.status, RunStatus::Completed, "{:?}", run.run.error);
    let notice = desk.told("2 reviews wait for you").await;
    assert_eq!(notice.body, "Old (acme/shop)\nOlder (acme/shop)");
    assert_eq!(desk.rig.notices.all().len(), 1, "the morning before was silent");
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_begins_with_a_digest() {
    let desk = Desk::with(&["daily-digest"]).await;
    let mut waiting = review("Fix the till", DAY);
    waiting.is_actionable = Some(true);
    import(&desk, vec![waiting, review("Print receipts", DAY / 2)]).await;
    let done = Target::Ids(vec![desk.rig.first("receipts").await]);
    let operate = OperateArgs { operation: OperationKind::Done, target: done };
    desk.rig.api.inbox_operate(operate).await.expect("it is done");

    let run = desk.run(&desk.fire("daily-digest", "mornings", None).await).await;
    assert_eq!(run.run.status, RunStatus::Completed, "{:?}", run.run.error);
    let day = run.payload["scheduledFor"].as_str().expect("a time").to_owned();
    let zone = run.payload["timezone"].as_str().expect("a zone");
    let day = if zone == "UTC" { day[..10].to_owned() } else { digest_day(&run) };
    let text = "## Waits for you (1)\n\n\
        - [Fix the till](https://github.com/acme/shop/pull/12) · acme/shop\n\n\
        ## Finished (1)\n\n\
        - [Print receipts](https://github.com/acme/shop/pull/14) · acme/shop\n";
    let file = desk.home.join("digests").join(format!("{day}.md"));
    let written = std::fs::read_to_string(file).expect("the digest");
    assert_eq!(written, format!("# {day}\n\n{text}"));
    let item = desk.item("type:digest").await;
    assert_eq!((item.summary.title, item.body.trim()), (format!("Digest of {day}"), text.trim()));
    desk.rig.end().await;
}

/// The day in the zone of this machine.
fn digest_day(run: &devrig_engine::api::run::RunDetail) -> String {
    let node = run.nodes.iter().find(|node| node.path == "digest").expect("the digest");
    node.output["day"].as_str().expect("a day").to_owned()
}
