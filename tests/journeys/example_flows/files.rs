//! Files that are watched, and a flow that hears of failures.

use devrig_engine::api::run::{RunKind, RunStatus};
use devrig_tests::rig::wait;

use super::desk::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn a_timesheet_that_is_saved_is_summed_up_and_a_broken_one_is_reported() {
    let desk = Desk::with(&[]).await;
    let sheets = desk.folder("timesheets");
    desk.keep("timesheet", |_| {}).await;
    let november = "date,project,hours\n\
        2026-11-18,till,3\n2026-11-18,receipts,2.5\n2026-11-19,till,4\n";
    std::fs::write(sheets.join("november.csv"), november).expect("a file");
    let summary = sheets.join("summaries/november.csv");
    let written = wait("the summary", async || std::fs::read_to_string(&summary).ok()).await;
    assert_eq!(written.replace("\r\n", "\n"), "project,entries,hours\ntill,2,7\nreceipts,1,2.5\n");
    assert_eq!(desk.told("Summary of november").await.body, "till: 7 h\nreceipts: 2.5 h");

    std::fs::write(sheets.join("december.csv"), "date,project,hours\n2026-12-01,till,eight\n")
        .expect("a file");
    let item = desk.item("type:failure").await;
    assert_eq!(item.summary.title, "Timesheet failed at sums");
    assert!(item.body.contains("items[0].hours is text, not a number"), "{}", item.body);
    let runs = desk.runs("timesheet").await;
    let failed: Vec<_> = runs.iter().filter(|run| run.status == RunStatus::Failed).collect();
    assert_eq!((failed.len(), runs.len()), (1, 2), "{runs:?}");
    assert!(item.body.contains(&format!("devrig run retry {}", failed[0].id)), "{}", item.body);
    let report = desk.run(&desk.runs("failure-report").await[0].id).await;
    assert_eq!(report.run.kind, RunKind::Error);
    assert_eq!(report.payload["flow"]["name"], "Timesheet");
    desk.told("Timesheet failed at sums").await;
    assert!(!sheets.join("summaries/december.csv").exists());
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_a_failure_can_be_looked_at_without_one() {
    let desk = Desk::with(&[]).await;
    let run = desk.run(&desk.fire("failure-report", "by-hand", None).await).await;
    assert_eq!(run.run.status, RunStatus::Completed, "{:?}", run.run.error);
    let item = desk.item("type:failure").await;
    assert_eq!(item.summary.title, "A flow failed");
    assert!(item.body.contains("This is how a failure looks."), "{}", item.body);
    desk.rig.end().await;
}
