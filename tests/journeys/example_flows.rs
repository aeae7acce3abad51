//! The flows of `docs/flows`, as they are there: only the home folder is another one, and who
//! answers under the names of the internet.

mod calendar;
mod desk;
mod files;
mod hooks;
mod repositories;
mod web;

use std::collections::BTreeSet;

use desk::{Desk, README, examples};
use devrig_engine::NoArgs;
use devrig_engine::api::flow::{FlowSaveArgs, FlowValidateArgs, FlowVersionArgs};
use devrig_engine::api::trigger::Standing;
use devrig_tests::Rig;

#[tokio::test(flavor = "multi_thread")]
async fn each_is_written_as_devrig_writes_it() {
    let rig = Rig::start().await;
    for file in examples() {
        let args =
            FlowSaveArgs { definition: file.text.clone().into(), layout: None, must_be_new: true };
        let saved = rig.api.flow_save(args).await.unwrap_or_else(|error| {
            panic!("{}: {error} {:?}", file.id, error.details);
        });
        assert_eq!(saved.flow.id, file.id, "a file is called as its flow");
        let of = FlowVersionArgs { id: saved.flow.id, version: None };
        let written = rig.api.flow_export(of).await.expect("its file");
        if std::env::var_os("DEVRIG_WRITE_DOCS").is_some() {
            std::fs::write(&file.path, &written.text).expect("the file can be written");
        }
        assert_eq!(written.name, format!("{}.flow.json", file.id));
        assert!(
            std::fs::read_to_string(&file.path).expect("the file") == written.text,
            "{} is not canonical: set DEVRIG_WRITE_DOCS=1, run this test again and commit the file",
            file.id
        );
    }
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_can_be_used_with_what_its_page_says() {
    let files = examples();
    assert_eq!(files.len(), 10, "nine, one of which needs two; the tenth example is of n8n");
    // A flow that is called is there before the one that calls it, as the names have it.
    let ids: Vec<&str> = files.iter().map(|file| file.id.as_str()).collect();
    let desk = Desk::with(&[]).await;
    desk.folder("timesheets");
    for id in &ids {
        desk.keep(id, |_| {}).await;
    }
    for id in &ids {
        assert!(README.contains(&format!("({id}.flow.json)")), "{id} is not on the page");
        let args = FlowValidateArgs { definition: None, id: Some((*id).to_owned()) };
        let problems = desk.rig.api.flow_validate(args).await.expect("its problems");
        assert!(problems.is_empty(), "{id}: {problems:?}");
    }
    let triggers = desk.rig.api.trigger_list(NoArgs {}).await.expect("the triggers");
    let idle: Vec<_> = triggers.iter().filter(|one| one.state != Standing::Active).collect();
    assert!(idle.iter().all(|one| one.kind == "polling"), "{idle:?}");
    let heard: BTreeSet<&str> = triggers.iter().map(|one| one.flow.as_str()).collect();
    assert_eq!(heard, ids.iter().copied().collect(), "each has something that starts it");
    desk.rig.end().await;
}
