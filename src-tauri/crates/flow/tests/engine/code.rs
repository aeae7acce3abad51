//! JavaScript of the person's own, in real workers.

use devrig_core::Code;
use devrig_flow::run::RunStatus;
use serde_json::json;

use crate::common::{Rig, line, node};

#[tokio::test(flavor = "multi_thread")]
async fn code_computes_on_what_it_names_and_says_what_it_wants() {
    let (rig, _folder) = Rig::new().await;
    let code = "console.warn('counting'); \
                return { sum: input.reduce((a, b) => a + b, 0), who: trigger.payload.who, \
                         before: nodes.first.output.a }";
    let nodes = json!([
        node("first", "test.give", json!({ "a": "`{{trigger.payload.who}}`" })),
        node("code", "code.js", json!({ "input": [1, 2, 3], "code": code })),
    ]);
    let flow = json!({ "nodes": nodes, "edges": line(&["first", "code"]) });
    let (rest, run) = rig.ended(rig.begin_with(flow).await).await;
    assert_eq!(rest.output, json!({ "sum": 6, "who": "kim", "before": "`kim`" }));
    assert!(run.log.iter().any(|line| line.message == "counting"), "{:?}", run.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_does_not_end_is_ended() {
    let (rig, _folder) = Rig::new().await;
    let nodes = json!([node("code", "code.js", json!({ "code": "for (;;) {}", "cpuMs": 50 }))]);
    let (rest, _) = rig.run(nodes, json!([])).await;
    assert_eq!((rest.status, rest.error.unwrap().code), (RunStatus::Failed, Code::Timeout));
    let thrown = json!([node("code", "code.js", json!({ "code": "\nthrow new Error('no')" }))]);
    let (rest, _) = rig.run(thrown, json!([])).await;
    let error = rest.error.unwrap();
    assert_eq!(error.code, Code::CodeFailed);
    assert!(error.message.contains("line 2: Error: no"), "{error}");
}
