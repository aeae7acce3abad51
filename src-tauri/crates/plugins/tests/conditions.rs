//! Conditions are answered soon, by whatever a plugin does.

mod common;

use std::time::{Duration, Instant};

use common::{Rig, until};
use devrig_core::protocol::FlowRef;
use devrig_core::{Code, Timestamp};
use devrig_plugins::{Question, Said};
use futures::future::join_all;
use serde_json::{Value, json};

/// Its one condition does what its first argument says.
const JUDGE: &str = "
devrig.activate((sdk) => {
  sdk.conditions.register('judge.says', async ([what, more], context) => {
    if (what === 'yes') return true;
    if (what === 'no') return false;
    if (what === 'same') return more === context.flow.name;
    if (what === 'throws') throw new Error('the court is closed');
    if (what === 'odd') return 'perhaps';
    if (what === 'circles') for (;;);
    if (what === 'native') Array.prototype.reverse.call({ length: 2 ** 53 - 1 });
    if (what === 'waits') await new Promise(() => {});
  });
});";

fn manifest() -> Value {
    let says = json!({ "type": "array", "prefixItems": [{ "type": "string" }], "minItems": 1 });
    json!({
        "name": "judge", "version": "1.0.0", "displayName": "Judge", "engine": ">=0.1.0",
        "main": "index.js", "permissions": [],
        "capabilities": { "conditions": [
            { "id": "judge.says", "name": "Says so", "configSchema": says },
            { "id": "judge.forgot", "name": "Never registered" },
        ] },
    })
}

fn question(condition: &str, args: Value) -> Question {
    let Value::Array(args) = args else { panic!("arguments are a list") };
    let flow = FlowRef { id: "f".to_owned(), name: "Flow".to_owned() };
    let (plugin, condition) = ("judge".to_owned(), condition.to_owned());
    Question { plugin, condition, account: None, args, flow }
}

async fn asked(rig: &Rig, args: Value) -> Said {
    rig.plugins.ask(question("judge.says", args)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_true_or_false_and_all_else_is_no() {
    let rig = Rig::new().await;
    rig.install(manifest(), JUDGE).await;
    for (args, holds) in [
        (json!(["yes"]), true),
        (json!(["no"]), false),
        (json!(["same", "Flow"]), true),
        (json!(["same", "Other"]), false),
    ] {
        let said = asked(&rig, args.clone()).await;
        assert_eq!((said.holds, said.wrong.is_none()), (holds, true), "{args}: {said:?}");
    }
    for (args, why) in [
        (json!(["throws"]), "the court is closed"),
        (json!(["odd"]), "it answered \"perhaps\""),
        (json!(["nothing"]), "it answered null"),
        (json!([7]), "args 0"),
        (json!([]), "args"),
    ] {
        let said = asked(&rig, args.clone()).await;
        let wrong = said.wrong.expect("it is told what is wrong");
        assert!(!said.holds && wrong.message.contains(why), "{args}: {wrong}");
    }
    let forgot = rig.plugins.ask(question("judge.forgot", json!([]))).await.unwrap();
    assert!(forgot.wrong.unwrap().message.contains("not registered"));
    until("the plugin's log to have it", async || {
        let lines = rig.plugins.logs("judge", None, None, 50).await.unwrap();
        lines.iter().any(|line| line.message.contains("counts as false: the court is closed"))
    })
    .await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_has_to_see_to_is_an_error() {
    let rig = Rig::new().await;
    let error = rig.plugins.ask(question("judge.says", json!([]))).await.unwrap_err();
    assert_eq!(error.code, Code::NotFound, "{error}");
    rig.install(manifest(), JUDGE).await;
    let error = rig.plugins.ask(question("judge.sings", json!([]))).await.unwrap_err();
    assert!(error.message.contains("judge.sings") && error.hint.is_some(), "{error}");
    rig.plugins.account_add("judge", "Second").await.unwrap();
    let error = rig.plugins.ask(question("judge.says", json!(["yes"]))).await.unwrap_err();
    assert!(error.message.contains("several accounts"), "{error}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_end_is_waited_for_no_longer_than_half_a_second() {
    let rig = Rig::new().await;
    rig.install(manifest(), JUDGE).await;
    assert!(asked(&rig, json!(["yes"])).await.holds);
    let timed = async |what: &str| {
        let begun = Instant::now();
        let said = asked(&rig, json!([what])).await;
        assert_eq!(said.wrong.expect("no answer").code, Code::Timeout, "{what}");
        // The machine may be busy, but nobody waits for the 30 s that other calls have.
        assert!(begun.elapsed() < Duration::from_secs(5), "{what}: {:?}", begun.elapsed());
    };
    timed("waits").await;
    assert!(asked(&rig, json!(["yes"])).await.holds, "one that waits holds up nobody");
    assert!(rig.audits("judge").await.is_empty(), "and its worker goes on");
    for what in ["circles", "native"] {
        timed(what).await;
        let stopped = rig.audited("judge", "budget:condition").await;
        assert_eq!(stopped.entry.verdict, "stopped");
        until("another worker to answer", async || asked(&rig, json!(["yes"])).await.holds).await;
    }
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_do_not_make_it_start_more_often() {
    let rig = Rig::new().await;
    rig.install(manifest(), "throw new Error('never')").await;
    let all = (0..20).map(|_| rig.plugins.ask(question("judge.says", json!(["yes"]))));
    for said in join_all(all).await {
        assert!(!said.is_ok_and(|said| said.holds));
    }
    let mut starts: Vec<_> = rig.audits("judge").await.iter().map(|one| one.at).collect();
    starts.sort();
    let soon = |pair: &[Timestamp]| pair[1].since(pair[0]) < Duration::from_millis(950);
    assert!(starts.len() < 5 && !starts.windows(2).any(soon), "it was started at {starts:?}");
    rig.close().await;
}
