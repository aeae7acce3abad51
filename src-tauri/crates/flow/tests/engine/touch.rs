//! What flows may touch, and that no secret is written down.

use devrig_core::Code;
use devrig_flow::run::RunStatus;
use serde_json::json;

use crate::common::{Rig, line, node};

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_used_when_allowed_and_written_nowhere() {
    let (rig, folder) = Rig::new().await;
    let nodes = json!([
        node("ask", "test.give", json!({ "authorization": "Bearer {{secrets.hook}}" })),
        node("tell", "test.again", json!({ "text": "{{nodes.ask.output.authorization}}" })),
    ]);
    let flow = json!({ "name": "Test", "schemaVersion": 1, "nodes": nodes, "edges": line(&["ask", "tell"]) });
    let flow = rig.flows.save(flow, devrig_core::Actor::Person).await.unwrap();
    let refused = rig.flows.run(&flow.id, None, json!({})).await.unwrap();
    let (rest, _) = rig.ended(refused).await;
    let error = rest.error.unwrap();
    assert_eq!((rest.status, error.code), (RunStatus::Failed, Code::Refused));
    assert!(error.hint.unwrap().contains("secret:hook"));

    rig.flows.permit(&flow.id, vec!["secret:hook".parse().unwrap()], vec![]).await.unwrap();
    let (rest, run) = rig.ended(rig.flows.run(&flow.id, None, json!({})).await.unwrap()).await;
    assert_eq!((rest.status, rest.output), (RunStatus::Completed, json!({ "text": "Bearer •••" })));
    assert!(run.nodes.iter().all(|node| !node.output.to_string().contains("open sesame")));
    rig.runs.stop().await;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap().path();
        let bytes = if file.is_file() { std::fs::read(&file).unwrap() } else { Vec::new() };
        assert!(!bytes.windows(11).any(|part| part == b"open sesame"), "{}", file.display());
    }
    rig.flows.permit(&flow.id, vec![], vec!["secret:hook".parse().unwrap()]).await.unwrap();
    assert_eq!(rig.flows.permissions(&flow.id).await.unwrap().iter().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_is_read_when_allowed() {
    let (rig, _folder) = Rig::new().await;
    let nodes = json!([node("home", "test.give", json!({ "is": "{{env.HOME}}" }))]);
    let (rest, _) = rig.run(nodes, json!([])).await;
    assert_eq!(rest.error.unwrap().code, Code::Refused);
}
