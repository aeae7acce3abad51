//! Flows over the list of calls: saved in versions, checked, run, waited for, and taken up again.

use std::time::{Duration, Instant};

use devrig_core::Code;
use devrig_engine::api::flow::{
    FlowArgs, FlowEnableArgs, FlowRunArgs, FlowSaveArgs, FlowSaved, FlowValidateArgs,
    FlowVersionArgs,
};
use devrig_engine::api::run::{RunArgs, RunDetail, RunGetArgs, RunListArgs, RunStatus};
use devrig_engine::events::EngineEvent;
use devrig_engine::{Api, NoArgs};
use devrig_tests::Rig;
use devrig_tests::rig::wait;
use futures::StreamExt;
use serde_json::{Value, json};

const PATIENCE: u32 = 60_000;

/// Goes through three items, two at a time, resting in each round.
fn rounds(rest_ms: u64) -> Value {
    let rest = json!({"id": "rest", "type": "action", "action": "flow.delay",
        "config": {"ms": rest_ms}});
    json!({
        "id": "rounds", "name": "Rounds",
        "nodes": [
            {"id": "each", "type": "action", "action": "flow.loop",
             "config": {"items": ["a", "b", "c"], "concurrency": 2}, "body": {"nodes": [rest]}},
            {"id": "after", "type": "junction"},
        ],
        "edges": [{"source": "each", "target": "after"}],
    })
}

/// Rests for so long that it holds no worker.
fn sleeper() -> Value {
    json!({"id": "sleeper", "name": "Sleeper", "nodes": [
        {"id": "sleep", "type": "action", "action": "flow.delay", "config": {"ms": 3_600_000}},
    ]})
}

async fn save(api: &dyn Api, definition: Value) -> FlowSaved {
    let args = FlowSaveArgs { definition, layout: None, must_be_new: false };
    api.flow_save(args).await.expect("it is saved")
}

async fn run(api: &dyn Api, id: &str, wait_ms: Option<u32>) -> RunDetail {
    let args = FlowRunArgs { id: id.to_owned(), version: None, input: json!({"n": 7}), wait_ms };
    api.flow_run(args).await.expect("it is started")
}

async fn status(api: &dyn Api, id: &str) -> RunStatus {
    let args = RunGetArgs { id: id.to_owned(), wait_ms: None };
    api.run_get(args).await.expect("the run").run.status
}

fn ids(run: &RunDetail) -> Vec<&str> {
    run.nodes.iter().map(|node| node.path.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_waited_for_answers_when_it_has_ended() {
    let rig = Rig::start().await;
    save(&*rig.api, rounds(100)).await;
    let begun = Instant::now();
    let done = run(&*rig.api, "rounds", Some(PATIENCE)).await;
    assert!(begun.elapsed() < Duration::from_secs(30), "it is told at once");
    assert_eq!((done.run.status, done.run.version), (RunStatus::Completed, 1));
    assert_eq!((done.trigger.as_str(), &done.payload), ("manual", &json!({"n": 7})));
    let mut rounds = ids(&done);
    rounds.sort_unstable();
    assert_eq!(rounds, ["after", "each", "each#0/rest", "each#1/rest", "each#2/rest"]);

    save(&*rig.api, sleeper()).await;
    let begun = Instant::now();
    let parked = run(&*rig.api, "sleeper", Some(300)).await;
    assert!(begun.elapsed() >= Duration::from_millis(300), "the whole time is waited");
    assert!(!parked.run.status.has_ended(), "it stands where it is: {:?}", parked.run);
    let long = RunGetArgs { id: parked.run.id, wait_ms: Some(u32::MAX) };
    let error = rig.api.run_get(long).await.expect_err("nobody waits for weeks");
    assert_eq!(error.code, Code::InvalidInput);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_hear_of_flows_and_runs() {
    let rig = Rig::start().await;
    let guest = rig.guest().await;
    let mut events = guest.events().await.expect("a subscription");
    save(&guest, rounds(10)).await;
    let done = run(&guest, "rounds", Some(PATIENCE)).await;
    assert_eq!(done.run.status, RunStatus::Completed);
    assert_eq!(
        serde_json::to_value(&done).expect("JSON"),
        serde_json::to_value(
            rig.api
                .run_get(RunGetArgs { id: done.run.id.clone(), wait_ms: None })
                .await
                .expect("it")
        )
        .expect("JSON"),
        "a guest is told the same as the owner"
    );
    let told = tokio::time::timeout(Duration::from_secs(20), async {
        let mut waiting = vec!["flows", "runs"];
        while let Some(event) = events.next().await {
            let EngineEvent::Stale { tags } = event else { continue };
            let tags = serde_json::to_value(tags).expect("JSON");
            waiting.retain(|tag| !tags.as_array().expect("a list").contains(&json!(tag)));
            if waiting.is_empty() {
                return;
            }
        }
    });
    told.await.expect("both are told in time");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_runs_are_told_of_together() {
    let rig = Rig::start().await;
    save(&*rig.api, rounds(0)).await;
    let mut events = rig.api.events().await.expect("a subscription");
    let begun = Instant::now();
    let runs = (0..300).map(|_| run(&*rig.api, "rounds", Some(PATIENCE)));
    let done = futures::future::join_all(runs).await;
    assert!(done.iter().all(|run| run.run.status == RunStatus::Completed));
    let mut told = 0;
    let settled = Duration::from_millis(500);
    while let Ok(Some(event)) = tokio::time::timeout(settled, events.next()).await {
        assert!(!matches!(event, EngineEvent::Lagged), "nothing is lost");
        told += usize::from(matches!(event, EngineEvent::Stale { .. }));
    }
    // What changes within 30 milliseconds travels together.
    let most = begun.elapsed().as_millis() as usize / 30 + 1;
    assert!((1..=most).contains(&told), "{told} events in {:?}", begun.elapsed());
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_on_waiting_after_a_restart_until_it_is_cancelled() {
    let mut rig = Rig::start().await;
    save(&*rig.api, sleeper()).await;
    let id = run(&*rig.api, "sleeper", None).await.run.id;
    wait("the run to give its place away", async || {
        (status(&*rig.api, &id).await == RunStatus::Waiting).then_some(())
    })
    .await;
    rig.restart().await;
    assert_eq!(status(&*rig.api, &id).await, RunStatus::Waiting);
    let waiting = RunListArgs { status: Some(RunStatus::Waiting), ..RunListArgs::default() };
    assert_eq!(rig.api.run_list(waiting).await.expect("the runs").len(), 1);
    rig.api.run_cancel(RunArgs { id: id.clone() }).await.expect("it is cancelled");
    assert_eq!(status(&*rig.api, &id).await, RunStatus::Cancelled);
    let again = rig.api.run_cancel(RunArgs { id }).await.expect_err("it has ended");
    assert_eq!(again.code, Code::NothingToDo);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_goes_on_survives_the_end_of_its_engine() {
    let mut rig = Rig::start().await;
    save(&*rig.api, rounds(700)).await;
    let id = run(&*rig.api, "rounds", None).await.run.id;
    rig.restart().await;
    let done = rig.api.run_get(RunGetArgs { id, wait_ms: Some(PATIENCE) }).await.expect("the run");
    assert_eq!(done.run.status, RunStatus::Completed);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_flow_means_is_checked_before_it_is_saved() {
    let rig = Rig::start().await;
    let mut wrong = rounds(1);
    wrong["edges"][0]["target"] = json!("nobody");
    wrong["nodes"][0]["config"] = json!({"items": 5});
    let rest = json!({"ms": "{{nodes.nobody.output}}"});
    wrong["nodes"][0]["body"]["nodes"][0]["config"] = rest;
    let args = FlowValidateArgs { definition: Some(wrong.clone()), id: None };
    let found = rig.api.flow_validate(args).await.expect("its problems");
    let fields: Vec<&str> = found.iter().map(|problem| problem.field.as_str()).collect();
    assert!(fields.contains(&"$.edges[0].target"), "{found:?}");
    assert!(fields.contains(&"$.nodes[0].config.items"), "{found:?}");
    assert!(fields.contains(&"$.nodes[0].body.nodes[0].config.ms"), "{found:?}");
    let save = FlowSaveArgs { definition: wrong, layout: None, must_be_new: false };
    let error = rig.api.flow_save(save).await.expect_err("it cannot run");
    assert_eq!(error.code, Code::InvalidInput);
    let told = error.details.expect("details")["problems"].as_array().expect("a list").len();
    assert_eq!(told, found.iter().filter(|problem| problem.is_error()).count());
    assert!(rig.api.flow_list(NoArgs {}).await.expect("flows").is_empty(), "nothing was saved");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_can_be_told_more_of_than_its_json_and_keeps_the_places_of_nodes() {
    let rig = Rig::start().await;
    let text =
        |text: &str| FlowSaveArgs { definition: text.into(), layout: None, must_be_new: false };
    let twice = rig.api.flow_save(text(r#"{"name": "a", "name": "b"}"#)).await;
    let error = twice.expect_err("one of the two would be lost");
    assert!(error.message.contains("twice"), "{error}");

    let mut placed = rounds(1);
    placed["nodes"][1]["position"] = json!({"x": 40, "y": 2});
    save(&*rig.api, placed).await;
    let of = FlowVersionArgs { id: "rounds".to_owned(), version: None };
    let file = rig.api.flow_export(of.clone()).await.expect("its files");
    assert!(!file.text.contains("position"), "the text says nothing of places");
    let renamed = file.text.replace("\"Rounds\"", "\"Around\"");
    let saved = rig.api.flow_save(text(&renamed)).await.expect("a second version");
    assert_eq!((saved.flow.latest, saved.flow.name.as_str()), (2, "Around"));
    let detail = rig.api.flow_get(of.clone()).await.expect("the flow");
    assert_eq!(detail.definition["nodes"][1]["position"], json!({"x": 40, "y": 2}));

    let layout = Some(r#"{"nodes": {"after": {"x": 1, "y": 1}}}"#.to_owned());
    let moved = FlowSaveArgs { layout, ..text(&renamed) };
    assert_eq!(rig.api.flow_save(moved).await.expect("a third version").flow.latest, 3);
    let versions = rig.api.flow_versions(FlowArgs { id: of.id }).await.expect("versions");
    let summaries: Vec<&str> = versions.iter().map(|each| each.summary.as_str()).collect();
    assert_eq!(summaries, ["layout changed", "renamed to Around", "first version"]);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_enabled_when_a_version_is_live_and_its_runs_outlive_it() {
    let rig = Rig::start().await;
    save(&*rig.api, rounds(1)).await;
    let enable = |enabled| FlowEnableArgs { id: "rounds".to_owned(), enabled };
    let error = rig.api.flow_enable(enable(true)).await.expect_err("nothing is live");
    assert_eq!(error.code, Code::Conflict);
    let of = |version| FlowVersionArgs { id: "rounds".to_owned(), version };
    let missing = rig.api.flow_publish(of(Some(9))).await.expect_err("there is no such version");
    assert_eq!(missing.code, Code::NotFound);
    assert_eq!(rig.api.flow_publish(of(None)).await.expect("live").live, Some(1));
    assert!(rig.api.flow_enable(enable(true)).await.expect("on").enabled);

    let done = run(&*rig.api, "rounds", Some(PATIENCE)).await;
    rig.api.flow_delete(FlowArgs { id: "rounds".to_owned() }).await.expect("it is deleted");
    let runs = rig.api.run_list(RunListArgs::default()).await.expect("the runs");
    assert_eq!((runs[0].id.as_str(), runs[0].flow_name.as_str()), (done.run.id.as_str(), ""));
    let gone = rig.api.flow_get(of(None)).await.expect_err("it is gone");
    assert_eq!(gone.code, Code::NotFound);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_describes_itself() {
    let rig = Rig::start().await;
    let actions = rig.api.flow_actions(NoArgs {}).await.expect("the actions");
    assert!(actions.iter().any(|action| action.name == "flow.loop"));
    for action in &actions {
        assert!(!action.title.is_empty() && !action.text.is_empty(), "{}", action.name);
        assert!(action.input.is_object() && action.output.is_object(), "{}", action.name);
        assert!(action.example.is_object(), "{}", action.name);
    }
    rig.end().await;
}
