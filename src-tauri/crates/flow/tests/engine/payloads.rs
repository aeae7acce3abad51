//! Large values lie in the store once, and are read back wherever they are asked for.

use std::time::Duration;

use crate::common::{Diary, Rig, life, line, node};
use devrig_core::Actor;
use devrig_flow::events;
use devrig_flow::history::{self, Wanted};
use devrig_flow::retention::{self, Keep};
use devrig_flow::run::{RunKind, RunStatus};
use devrig_flow::runs::Of;
use serde_json::{Value, json};

const SIZE: usize = 200_000;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const KEEP: Keep =
    Keep { ended: DAY.saturating_mul(10), failed: DAY.saturating_mul(10), per_flow: 100 };

const PAYLOADS: &str = "SELECT count(*) FROM payload WHERE whole = 1";
const ROWS: &str = "SELECT (SELECT count(*) FROM payload) + (SELECT count(*) FROM payload_part)
                    + (SELECT count(*) FROM payload_use)";

fn big(id: &str, seed: u64) -> Value {
    node(id, "test.big", json!({"bytes": SIZE, "seed": seed}))
}

async fn count(rig: &Rig, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(rig.store.reader()).await.unwrap()
}

async fn save(rig: &Rig, id: &str, nodes: Value, edges: Value, more: Value) {
    let mut flow =
        json!({"schemaVersion": 1, "id": id, "name": id, "nodes": nodes, "edges": edges});
    for (name, value) in more.as_object().unwrap() {
        flow[name] = value.clone();
    }
    rig.flows.save(flow, Actor::Person).await.unwrap();
    rig.flows.publish(id, None).await.unwrap();
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, str::len)
}

#[tokio::test]
async fn a_large_output_is_stored_once_and_read_where_it_is_named() {
    let (rig, _folder) = Rig::new().await;
    let path = |id: &str| json!({"type": "context", "path": format!("nodes.{id}.output.text")});
    let same = json!({"type": "compare", "left": path("a"), "operator": "eq", "right": path("b")});
    let nodes = json!([
        big("a", 1),
        big("b", 1),
        {"id": "same", "type": "condition", "config": {"condition": same}},
        node("use", "test.give", json!({
            "text": "<{{nodes.a.output.text}}>", "whole": "{{nodes.b.output}}",
            "status": "{{nodes.a.status}}",
        })),
    ]);
    let mut edges = line(&["a", "b", "same", "use"]);
    edges[0]["condition"] = json!({"type": "compare", "left": path("a"), "operator": "contains",
        "right": {"type": "literal", "value": "a"}});
    edges[2]["port"] = json!("true");
    let (rest, run) = rig.run(nodes, edges).await;
    assert_eq!(rest.status, RunStatus::Completed, "{:?}", rest.error);
    let text = run.nodes[0].output["text"].as_str().expect("the run shows it").to_owned();
    assert_eq!((text.len(), run.nodes[0].output_bytes), (SIZE, None));
    assert_eq!(rest.output["text"], format!("<{text}>"), "who waits gets all of it");
    assert_eq!(
        (&rest.output["whole"]["text"], &rest.output["status"]),
        (&json!(text), &json!("completed"))
    );
    assert_eq!(run.nodes.last().unwrap().output, rest.output);
    assert_eq!(count(&rig, PAYLOADS).await, 2, "a and b are one");
    let journal = count(&rig, "SELECT sum(length(entries)) FROM run_journal").await;
    assert!(journal < 2_000, "{journal} bytes");
    let stored = count(&rig, "SELECT sum(length(bytes)) FROM payload_part").await;
    assert!(stored < 3 * SIZE as i64, "compressed: {stored} bytes");
}

#[tokio::test]
async fn what_is_small_stays_where_it_is() {
    let (rig, _folder) = Rig::new().await;
    let text = "x".repeat(60_000);
    let nodes = json!([
        node("a", "test.give", json!({"text": text})),
        node("b", "test.once", json!({"text": "{{nodes.a.output.text}}"})),
    ]);
    let (rest, _) = rig.run(nodes, line(&["a", "b"])).await;
    assert_eq!((rest.output["text"] == json!(text), count(&rig, ROWS).await), (true, 0));
}

#[tokio::test]
async fn a_loop_gives_large_outputs_in_their_order_among_small_ones() {
    let (rig, _folder) = Rig::new().await;
    let choose = json!({"id": "choose", "type": "condition", "config": {"condition":
        {"type": "compare", "left": {"type": "context", "path": "loop.item"}, "operator": "gt",
            "right": {"type": "literal", "value": 1}}}});
    let body = json!([
        choose,
        node("large", "test.big", json!({"bytes": SIZE, "seed": "{{loop.item}}"})),
        node("small", "test.give", json!({"text": "s{{loop.item}}"})),
    ]);
    let ways = json!([{"source": "choose", "target": "large", "port": "true"},
        {"source": "choose", "target": "small", "port": "false"}]);
    let each = json!({"id": "each", "type": "action", "action": "flow.loop",
        "config": {"items": [1, 2, 1, 3], "concurrency": 3},
        "body": {"nodes": body, "edges": ways}});
    let after = json!({
        "first": "{{nodes.each.output.[0].small.text}}",
        "large": "{{nodes.each.output.[3].large.text}}",
        "rounds": "{{nodes.each.output.length}}",
    });
    let nodes = json!([each, node("after", "test.give", after)]);
    let (rest, run) = rig.run(nodes, line(&["each", "after"])).await;
    assert_eq!(rest.status, RunStatus::Completed, "{:?}", rest.error);
    assert_eq!((&rest.output["first"], &rest.output["rounds"]), (&json!("s1"), &json!(4)));
    let each = run.nodes.iter().find(|node| node.path == "each").expect("the loop");
    let rounds = each.output.as_array().expect("a list");
    let lengths: Vec<usize> = rounds.iter().map(|it| length(&it["large"]["text"])).collect();
    assert_eq!(lengths, [0, SIZE, 0, SIZE]);
    assert_eq!(rest.output["large"], rounds[3]["large"]["text"]);
    assert_eq!(count(&rig, PAYLOADS).await, 3, "the list points to what its rounds stored");
}

#[tokio::test]
async fn many_small_outputs_of_a_loop_are_stored_together() {
    let (rig, _folder) = Rig::new().await;
    let items: Vec<usize> = (0..60).collect();
    let give = node("give", "test.give", json!({"n": "{{loop.item}}", "text": "x".repeat(40_000)}));
    let each = json!({"id": "each", "type": "action", "action": "flow.loop",
        "config": {"items": items}, "body": {"nodes": [give], "edges": []}});
    let last = node("last", "test.give", json!({"n": "{{nodes.each.output.[59].n}}"}));
    let (rest, run) = rig.run(json!([each, last]), line(&["each", "last"])).await;
    assert_eq!(rest.output, json!({"n": 59}), "{:?}", rest.error);
    let each = run.nodes.iter().find(|node| node.path == "each").expect("the loop");
    let numbers: Vec<u64> =
        each.output.as_array().unwrap().iter().map(|it| it["n"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..60).collect::<Vec<u64>>());
    assert_eq!(count(&rig, PAYLOADS).await, 3, "two megabytes and what is left");
}

#[test]
fn what_is_stored_is_there_after_a_crash_and_nothing_is_done_again() {
    let (folder, diary) = (tempfile::tempdir().unwrap(), Diary::default());
    diary.fail_next("hang", 1);
    let told = "t".repeat(100_000);
    let id = life(folder.path(), &diary, async |rig| {
        let give = json!({
            "text": "{{nodes.a.output.text}}", "told": "{{trigger.payload.text}}",
        });
        let hangs = json!({"hangs": true, "text": "{{nodes.a.output.text}}"});
        let nodes =
            json!([big("a", 1), node("b", "test.again", hangs), node("use", "test.give", give)]);
        save(rig, "f", nodes, line(&["a", "b", "use"]), json!({})).await;
        let started = rig.flows.run("f", None, json!({"text": told})).await.unwrap();
        while !diary.lines().contains(&"effect b".to_owned()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let events = count(rig, "SELECT sum(length(payload)) FROM trigger_event").await;
        assert!(events <= 200, "what was told is stored as well: {events} bytes");
        started.id
    });
    let run = life(folder.path(), &diary, async |rig| {
        // Of an event that was never written.
        let lost = async |tx: &mut devrig_store::Tx| {
            sqlx::query("INSERT INTO payload_use SELECT -77, hash FROM payload")
                .execute(tx.conn())
                .await
                .map_err(devrig_store::from_sqlx)
        };
        rig.store.write(lost).await.unwrap();
        rig.until(&id, RunStatus::Completed).await
    });
    let output = |path: &str| &run.nodes.iter().find(|node| node.path == path).unwrap().output;
    assert_eq!(output("use")["text"], output("a")["text"]);
    assert_eq!((&output("use")["told"], &run.payload["text"]), (&json!(told), &json!(told)));
    let big = diary.lines().iter().filter(|line| *line == "big a").count();
    assert_eq!(big, 1, "it had ended, so it is not done again");
    life(folder.path(), &diary, async |rig| {
        let started = std::time::Instant::now();
        while count(rig, "SELECT count(*) FROM payload_use WHERE holder = -77").await > 0 {
            assert!(started.elapsed() < Duration::from_secs(20), "nobody forgets it");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let next = rig.flows.run("f", None, json!({})).await.unwrap();
        rig.ended(next).await;
        assert_eq!(count(rig, "SELECT max(seq) FROM trigger_event").await, 78, "nor its number");
    });
}

#[tokio::test]
async fn what_nobody_points_to_goes_with_the_last_run() {
    let (rig, _folder) = Rig::new().await;
    let run = async |seed: u64| {
        let id = format!("f{seed}");
        save(&rig, &id, json!([big("a", 1), big("b", seed)]), line(&["a", "b"]), json!({})).await;
        let input = json!({"text": "x".repeat(SIZE)});
        let started = rig.flows.run(&id, None, input).await.unwrap();
        rig.ended(started).await.1
    };
    run(2).await;
    rig.clock.advance(DAY * 5);
    let later = run(3).await;
    assert_eq!(count(&rig, PAYLOADS).await, 4, "three outputs, and what both were told");
    rig.clock.advance(DAY * 5);
    assert_eq!(retention::clean(&rig.store, &KEEP).await.unwrap().runs, 1);
    assert_eq!(count(&rig, PAYLOADS).await, 3, "what the later run points to stays");
    let shown = history::get(&rig.store, &later.run.id).await.unwrap();
    assert_eq!(shown.nodes[0].output["text"], later.nodes[0].output["text"]);
    assert_eq!(length(&shown.payload["text"]), SIZE);
    rig.clock.advance(DAY * 5);
    retention::clean(&rig.store, &KEEP).await.unwrap();
    assert_eq!(count(&rig, ROWS).await, 0);
    assert!(rig.store.check().await.unwrap().ok);
}

#[tokio::test]
async fn a_retry_keeps_what_it_took_over_when_the_first_run_is_forgotten() {
    let (rig, _folder) = Rig::new().await;
    let mut bad = node("bad", "test.flaky", json!({"text": "{{nodes.a.output.text}}"}));
    bad["retryPolicy"] = json!({"maxAttempts": 1});
    rig.diary.fail_next("bad", 1);
    save(&rig, "f", json!([big("a", 1), bad]), line(&["a", "bad"]), json!({})).await;
    let input = json!({"text": "x".repeat(SIZE)});
    let started = rig.flows.run("f", None, input).await.unwrap();
    let (rest, first) = rig.ended(started).await;
    assert_eq!(rest.status, RunStatus::Failed);
    let (rest, second) = rig.ended(rig.runs.retry(&first.run.id, Of::Same).await.unwrap()).await;
    assert_eq!(rest.status, RunStatus::Completed, "{:?}", rest.error);
    rig.runs.discard(&first.run.id).await.unwrap();
    let shown = history::get(&rig.store, &second.run.id).await.unwrap();
    assert_eq!(shown.nodes[0].output["text"], rest.output["text"]);
    assert_eq!(length(&shown.payload["text"]), SIZE, "both had the same event");
    let lines = rig.diary.lines();
    assert_eq!(lines.iter().filter(|line| *line == "big a").count(), 1);
    let (rest, _) = rig.ended(rig.runs.replay(&second.run.id, Of::Same).await.unwrap()).await;
    assert_eq!(rest.status, RunStatus::Completed);
    let wanted = Wanted { limit: 9, ..Wanted::default() };
    for run in history::list(&rig.store, &wanted).await.unwrap() {
        rig.runs.discard(&run.id).await.unwrap();
    }
    assert_eq!(count(&rig, ROWS).await, 0);
}

#[tokio::test]
async fn a_run_that_called_another_keeps_what_that_one_gave() {
    let (rig, _folder) = Rig::new().await;
    save(&rig, "called", json!([big("a", 1)]), json!([]), json!({})).await;
    let slow = json!([node("wait", "flow.delay", json!({"ms": 60_000})), big("a", 2)]);
    save(&rig, "later", slow, line(&["wait", "a"]), json!({})).await;
    let call = |id: &str, flow: &str| node(id, "flow.subflow", json!({"flowId": flow}));
    let give = json!({"one": "{{nodes.one.output.text}}", "two": "{{nodes.two.output.text}}"});
    let nodes =
        json!([call("one", "called"), call("two", "later"), node("use", "test.give", give)]);
    let edges = json!([{"source": "one", "target": "use"}, {"source": "two", "target": "use"}]);
    let started = rig.begin(nodes, edges).await;
    let waiting = rig.until(&started.id, RunStatus::Waiting).await;
    rig.clock.advance(Duration::from_secs(120));
    rig.runs.look();
    let run = rig.until(&waiting.run.id, RunStatus::Completed).await;
    let waits = count(&rig, "SELECT max(length(answer)) FROM run_wait").await;
    assert!(waits < 1_000, "what is told of its end points to it as well: {waits} bytes");
    let wanted = Wanted { kind: Some(RunKind::Sub), limit: 9, ..Wanted::default() };
    for child in history::list(&rig.store, &wanted).await.unwrap() {
        rig.runs.discard(&child.id).await.unwrap();
    }
    let shown = history::get(&rig.store, &run.run.id).await.unwrap();
    let output = |path: &str| &shown.nodes.iter().find(|node| node.path == path).unwrap().output;
    assert_eq!((length(&output("one")["text"]), length(&output("two")["text"])), (SIZE, SIZE));
    assert_eq!(output("use")["two"], output("two")["text"]);
    rig.runs.discard(&run.run.id).await.unwrap();
    assert_eq!(count(&rig, ROWS).await, 0);
}

#[tokio::test]
async fn an_error_flow_is_told_all_that_the_trigger_told() {
    let (rig, _folder) = Rig::new().await;
    let size = json!({"text": "{{trigger.payload.trigger.payload.text}}"});
    save(&rig, "hears", json!([node("use", "test.give", size)]), json!([]), json!({})).await;
    let fails = json!([node("no", "flow.fail", json!({"message": "no"}))]);
    save(&rig, "fails", fails, json!([]), json!({"errorFlowId": "hears"})).await;
    let told = json!({"text": "x".repeat(SIZE)});
    let start = devrig_flow::runs::Start {
        program: rig.flows.program("fails", None).await.unwrap(),
        trigger: "hook".into(),
        trigger_type: "event",
        kind: RunKind::Live,
        key: None,
        payload: told.clone(),
        cursor: None,
        depth: 0,
        parent: None,
        answer: None,
    };
    rig.runs.begin(start).await.unwrap();
    let wanted = Wanted { kind: Some(RunKind::Error), limit: 1, ..Wanted::default() };
    let begun = std::time::Instant::now();
    let heard = loop {
        let found = history::list(&rig.store, &wanted).await.unwrap().pop();
        if let Some(run) = found {
            break rig.until(&run.id, RunStatus::Completed).await;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody hears of it");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(heard.nodes[0].output, told);
    let listed =
        events::list(&rig.store, "fails", &events::Wanted { limit: 9, ..Default::default() })
            .await
            .unwrap();
    assert_eq!(listed[0].bytes, told.to_string().len() as i64);
    assert!(told.to_string().starts_with(&listed[0].preview) && listed[0].preview.len() == 200);
    let event = events::get(&rig.store, "fails", listed[0].number).await.unwrap();
    assert_eq!(event.payload, told);
}

#[tokio::test]
async fn secrets_are_hidden_before_anything_is_stored() {
    let (rig, _folder) = Rig::new().await;
    let text = format!("{{{{secrets.hook}}}}{}", "x".repeat(SIZE));
    let nodes = json!([
        node("a", "test.give", json!({ "text": text })),
        node("b", "test.again", json!({"text": "{{secrets.hook}} {{nodes.a.output.text}}"})),
    ]);
    let started = rig.begin_allowed(&["secret:hook"], nodes, line(&["a", "b"])).await;
    let (rest, run) = rig.ended(started).await;
    assert_eq!(rest.status, RunStatus::Completed, "{:?}", rest.error);
    assert_eq!(count(&rig, PAYLOADS).await, 2, "b's input and output are one");
    for node in &run.nodes {
        let text = node.output["text"].as_str().expect("the run shows it");
        assert!(text.starts_with("•••") && !text.contains("open sesame"), "{}", &text[..40]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backtest_compares_large_values() {
    let (rig, _folder) = Rig::new().await;
    let give = |n: u64| {
        node(
            "use",
            "test.give",
            json!({"text": "{{nodes.a.output.text}}", "n": n,
            "told": "{{trigger.payload.text}}"}),
        )
    };
    save(&rig, "f", json!([big("a", 1), give(1)]), line(&["a", "use"]), json!({})).await;
    let input = json!({"text": "x".repeat(SIZE)});
    let started = rig.flows.run("f", None, input).await.unwrap();
    let (_, run) = rig.ended(started).await;
    let before = count(&rig, ROWS).await;
    for (n, same) in [(1, 1), (2, 0)] {
        let flow = json!({"schemaVersion": 1, "id": "f", "name": "f",
            "nodes": [big("a", 1), give(n)], "edges": line(&["a", "use"])});
        let definition = devrig_flow::definition::read_value(flow).unwrap();
        let program = rig.flows.trial(definition).await.unwrap();
        let found = rig.runs.backtest(program, 10).await.unwrap();
        assert_eq!((found.runs, found.same), (1, same), "{n}");
        if let Some(other) = found.others.first() {
            assert_eq!(other.output_before.as_ref(), Some(&run.nodes[1].output));
            assert_eq!(other.output_after.as_ref().unwrap()["n"], json!(n));
        }
    }
    assert_eq!(count(&rig, ROWS).await, before, "nothing is stored by that");
}

#[tokio::test]
async fn code_sees_what_it_names() {
    let (rig, _folder) = Rig::new().await;
    let code = "return { length: nodes.a.output.text.length, told: trigger.payload.text.length }";
    let nodes = json!([big("a", 1), node("c", "code.js", json!({ "code": code }))]);
    save(&rig, "f", nodes, line(&["a", "c"]), json!({})).await;
    let input = json!({"text": "x".repeat(SIZE)});
    let started = rig.flows.run("f", None, input).await.unwrap();
    let (rest, _) = rig.ended(started).await;
    assert_eq!(rest.output, json!({"length": SIZE, "told": SIZE}), "{:?}", rest.error);
}

#[tokio::test]
async fn a_run_is_shown_without_what_is_gone_or_too_large() {
    let (rig, _folder) = Rig::new().await;
    let huge = node("huge", "test.big", json!({"bytes": 17 * 1024 * 1024}));
    let nodes = json!([big("a", 1), huge, node("b", "test.give", json!({"ok": true}))]);
    let (_, run) = rig.run(nodes, line(&["a", "huge", "b"])).await;
    assert_eq!(length(&run.nodes[0].output["text"]), SIZE);
    assert_eq!((&run.nodes[1].output, &run.nodes[2].output), (&json!(null), &json!({"ok": true})));
    assert!(run.nodes[1].output_bytes.unwrap() > 17.0 * 1024.0 * 1024.0);
    let lose = async |tx: &mut devrig_store::Tx| {
        sqlx::query("DELETE FROM payload").execute(tx.conn()).await.map_err(devrig_store::from_sqlx)
    };
    rig.store.write(lose).await.unwrap();
    let shown = history::get(&rig.store, &run.run.id).await.unwrap();
    assert_eq!(
        (&shown.nodes[0].output, &shown.nodes[2].output),
        (&json!(null), &json!({"ok": true}))
    );
    assert!(shown.nodes[0].output_bytes.unwrap() > SIZE as f64);
}
