//! Flows that call the person.

use devrig_core::Code;
use devrig_core::notify::Urgency;
use serde_json::json;

use crate::common::{Rig, node};

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_says_what_the_flow_says() {
    let (rig, _folder) = Rig::new().await;
    let config = json!({
        "title": "Hello\u{7} {{trigger.payload.who}}", "text": "x".repeat(5_000),
        "urgency": "critical", "group": "builds", "url": "https://ci.test/7",
    });
    rig.run(json!([node("tell", "notify.desktop", config)]), json!([])).await;
    let notices = rig.notices.lock().unwrap();
    let [notice] = &notices[..] else { panic!("one is told: {notices:?}") };
    assert_eq!((&*notice.title, notice.body.len()), ("Hello  kim", 1_000));
    assert_eq!(
        (notice.urgency, notice.page.as_deref()),
        (Urgency::Critical, Some("https://ci.test/7"))
    );
    assert!(notice.group.as_ref().unwrap().ends_with("/builds"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_are_opened_and_only_allowed_files_are_played() {
    let (rig, _folder) = Rig::new().await;
    // DevRig's own folder stays closed, whatever is allowed.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.wav");
    std::fs::write(&file, "sound").unwrap();
    for (action, config, code) in [
        ("notify.desktop", json!({"title": "a", "url": "file:///bin/sh"}), Code::InvalidInput),
        ("notify.sound", json!({"file": file}), Code::Refused),
        ("notify.sound", json!({"file": "own.wav"}), Code::InvalidInput),
        ("notify.sound", json!({"sound": "../../secret"}), Code::InvalidInput),
    ] {
        let (rest, _) = rig.run(json!([node("n", action, config.clone())]), json!([])).await;
        let error = rest.error.unwrap();
        assert_eq!(error.code, code, "{config}: {error}");
        assert!(error.hint.is_some(), "{error}");
    }
    let allowed = format!("read:{}", folder.path().canonicalize().unwrap().display());
    let nodes = json!([node("n", "notify.sound", json!({"file": file.canonicalize().unwrap()}))]);
    let started = rig.begin_allowed(&[&allowed], nodes, json!([])).await;
    let output = rig.ended(started).await.0.output;
    assert_eq!(output["played"], json!(false), "no program of this test plays it: {output}");
    assert!(rig.notices.lock().unwrap().is_empty());
}
