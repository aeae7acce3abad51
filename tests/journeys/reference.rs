//! The pages that are generated are what DevRig tells of itself.

use devrig_tests::{CommandLine, Rig, reference};

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_of_flows_is_what_there_is() {
    let rig = Rig::start().await;
    let page = reference::page(&*rig.api).await.expect("the page");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/flow-reference.md");
    if std::env::var_os("DEVRIG_WRITE_DOCS").is_some() {
        std::fs::write(file, &page).expect("the page can be written");
    }
    let checked_in = std::fs::read_to_string(file).expect("the page is checked in");
    assert!(
        checked_in == page,
        "docs/flow-reference.md is stale: set DEVRIG_WRITE_DOCS=1, run this test again and commit \
         the file"
    );
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_is_told_on_the_command_line() {
    let rig = Rig::start().await;
    let devrig = CommandLine::of(&rig);
    let cron = devrig.text(&["flow", "triggers", "cron"]).await;
    assert!(cron.contains("expression") && cron.contains("needed"), "{cron}");
    let unknown = devrig.error(&["flow", "triggers", "cronn"], "").await;
    assert_eq!(unknown["hint"], "Did you mean cron?");
    let all = devrig.json(&["flow", "triggers"]).await;
    assert!(all.as_array().is_some_and(|all| all.len() >= 8), "{all}");
    let set = devrig.text(&["flow", "actions", "data.set"]).await;
    assert!(set.contains("fields") && set.contains("Values by path"), "{set}");
    let helpers = devrig.text(&["expr", "helpers"]).await;
    for part in ["upper", "startsWith", "{{#each", "matches"] {
        assert!(helpers.contains(part), "{part} is missing:\n{helpers}");
    }
    rig.end().await;
}
