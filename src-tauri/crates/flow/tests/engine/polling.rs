//! Real servers that are polled, good ones and bad ones.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use devrig_core::{Actor, Code, Error};
use devrig_flow::history::{self, Wanted};
use devrig_flow::triggers::Triggers;
use devrig_net::testnet::{Reply, Seen, TestNet};
use serde_json::{Value, json};

use crate::common::{Rig, node};

/// A server whose answer a test changes.
#[derive(Clone)]
struct Server {
    reply: Arc<Mutex<Reply>>,
    net: Arc<TestNet>,
    port: u16,
}

impl Server {
    async fn new(reply: Reply) -> Self {
        let (reply, net) = (Arc::new(Mutex::new(reply)), Arc::new(TestNet::new()));
        let given = reply.clone();
        let port = net.loopback(move |_| given.lock().unwrap().clone()).await;
        Self { reply, net, port }
    }

    fn says(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/list", self.port)
    }

    fn permission(&self) -> String {
        format!("network:127.0.0.1:{}", self.port)
    }

    fn seen(&self) -> Vec<Seen> {
        self.net.seen()
    }
}

fn said(value: Value) -> Reply {
    Reply::ok(value.to_string()).header("content-type", "application/json")
}

struct Polled {
    rig: Rig,
    triggers: Triggers,
    flow: String,
    server: Server,
    _folder: tempfile::TempDir,
}

impl Polled {
    async fn new(server: &Server, source: Value, more: Value) -> Self {
        Self::allowed(server, source, more, &[&server.permission()]).await
    }

    async fn allowed(server: &Server, mut source: Value, more: Value, may: &[&str]) -> Self {
        let (rig, folder) = Rig::new().await;
        source["type"] = json!("http");
        let own = source.as_object_mut().unwrap();
        own.entry("url").or_insert_with(|| json!(server.url()));
        let mut trigger =
            json!({"id": "poll", "type": "polling", "intervalMs": 5_000, "source": source});
        for (name, value) in more.as_object().unwrap() {
            trigger[name] = value.clone();
        }
        let flow = json!({
            "schemaVersion": 1, "name": "Poll", "triggers": [trigger],
            "variables": {"kind": "bug"},
            "nodes": [node("a", "test.give", json!({}))], "edges": [],
        });
        let saved = rig.flows.save(flow, Actor::Person).await.unwrap();
        let may = may.iter().map(|text| text.parse().unwrap()).collect();
        rig.flows.permit(&saved.id, may, vec![]).await.unwrap();
        rig.flows.publish(&saved.id, None).await.unwrap();
        rig.flows.enable(&saved.id, true).await.unwrap();
        let triggers = rig.triggers();
        triggers.follow().await.unwrap();
        let server = server.clone();
        Self { rig, triggers, flow: saved.id, server, _folder: folder }
    }

    /// Waits until the server was asked so often.
    async fn asked(&self, count: usize) {
        let start = Instant::now();
        while self.server.seen().len() < count {
            assert!(start.elapsed() < Duration::from_secs(20), "{:?}", self.error().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asks at once, as after a start.
    async fn again(&self) {
        let before = self.server.seen().len();
        self.rig.flows.enable(&self.flow, false).await.unwrap();
        self.triggers.follow().await.unwrap();
        self.rig.flows.enable(&self.flow, true).await.unwrap();
        self.triggers.follow().await.unwrap();
        self.asked(before + 1).await;
    }

    async fn cursor(&self) -> Option<String> {
        sqlx::query_scalar("SELECT cursor FROM trigger_cursor")
            .fetch_optional(&mut *self.rig.store.read().await.unwrap())
            .await
            .unwrap()
    }

    async fn forget_since(&self, cursor: &str) {
        let cursor = cursor.to_owned();
        let back = async move |tx: &mut devrig_store::Tx| {
            let back = sqlx::query("UPDATE trigger_cursor SET cursor = ?").bind(&cursor);
            back.execute(tx.conn()).await.map_err(devrig_store::from_sqlx)?;
            Ok(())
        };
        self.rig.store.write(back).await.unwrap();
    }

    /// Waits until the first answer is remembered.
    async fn remembered(&self) {
        let start = Instant::now();
        while self.cursor().await.is_none() {
            assert!(start.elapsed() < Duration::from_secs(20), "{:?}", self.error().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn error(&self) -> Option<Error> {
        self.triggers.states().await.remove(0).error
    }

    async fn fails(&self) -> Error {
        let start = Instant::now();
        loop {
            if let Some(error) = self.error().await {
                return error;
            }
            assert!(start.elapsed() < Duration::from_secs(20));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What was told, oldest first, when it is as many.
    async fn told(&self, count: usize) -> Vec<Value> {
        let start = Instant::now();
        loop {
            let wanted = Wanted { limit: 100, ..Wanted::default() };
            let runs = history::list(&self.rig.store, &wanted).await.unwrap();
            if runs.len() >= count {
                let mut payloads = Vec::new();
                for run in runs.iter().rev() {
                    let run = history::get(&self.rig.store, &run.id).await.unwrap();
                    payloads.push(run.payload);
                }
                return payloads;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{:?}", self.error().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_answer_is_remembered_and_another_one_is_told() {
    let server = Server::new(said(json!({"state": "up"})).header("etag", "\"one\"")).await;
    let polled = Polled::new(&server, json!({}), json!({})).await;
    polled.remembered().await;
    polled.again().await;
    assert_eq!(server.seen()[0].header("if-none-match"), "");
    assert_eq!(server.seen()[1].header("if-none-match"), "\"one\"", "over a start too");
    server.says(said(json!({"state": "down"})));
    polled.again().await;
    let told = polled.told(1).await;
    assert_eq!(told, [json!({"data": {"state": "down"}, "previous": {"state": "up"}})]);
    polled.again().await;
    server.says(Reply::new(304, ""));
    polled.again().await;
    assert_eq!(polled.told(1).await.len(), 1);
    assert!(polled.error().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_asked_by_itself_at_its_interval() {
    let count = Arc::new(AtomicU32::new(0));
    let net = Arc::new(TestNet::new());
    let counted = count.clone();
    let port =
        net.loopback(move |_| said(json!({"n": counted.fetch_add(1, Ordering::Relaxed)}))).await;
    let server = Server { reply: Arc::new(Mutex::new(Reply::ok(""))), net, port };
    let polled = Polled::new(&server, json!({}), json!({"fireOnFirst": true})).await;
    let start = Instant::now();
    let told = polled.told(2).await;
    assert!(start.elapsed() >= Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(told[1], json!({"data": {"n": 1}, "previous": {"n": 0}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn new_elements_are_told_once_each_also_over_a_start() {
    let items = |ids: &[u32]| {
        let items: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        said(json!({ "items": items, "at": ids.len() }))
    };
    let server = Server::new(items(&[1, 2])).await;
    let by = json!({"deduplication": {"strategy": "field", "field": "items.id"}});
    let polled = Polled::new(&server, json!({}), by).await;
    polled.remembered().await;
    let before = polled.cursor().await.unwrap();
    server.says(items(&[1, 2, 3, 4]));
    polled.again().await;
    let data = |ids: &[u32]| ids.iter().map(|id| json!({"data": {"id": id}})).collect::<Vec<_>>();
    assert_eq!(polled.told(2).await, data(&[3, 4]));
    // As after a crash behind the events and before the cursor was written.
    polled.forget_since(&before).await;
    polled.again().await;
    server.says(items(&[2, 4, 5]));
    polled.again().await;
    assert_eq!(polled.told(3).await, data(&[3, 4, 5]));
    server.says(items(&[1, 2, 3, 4, 5]));
    polled.again().await;
    polled.again().await;
    assert_eq!(polled.told(3).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_a_feed_are_told_oldest_first() {
    let feed = |ids: &[&str]| {
        let items: String = ids
            .iter()
            .map(|id| format!("<item><title>T {id}</title><guid>{id}</guid></item>"))
            .collect();
        let text = format!(
            "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>N</title>{items}</channel></rss>"
        );
        Reply::ok(text).header("content-type", "application/rss+xml")
    };
    let server = Server::new(feed(&["a"])).await;
    let by = json!({"deduplication": {"strategy": "field", "field": "entries.id"}});
    let polled = Polled::new(&server, json!({}), by).await;
    polled.remembered().await;
    server.says(feed(&["c", "b", "a"]));
    polled.again().await;
    let told = polled.told(2).await;
    let titles: Vec<_> = told.iter().map(|told| told["data"]["title"].clone()).collect();
    assert_eq!(titles, ["T b", "T c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_filled_in_and_a_secret_is_written_nowhere() {
    let server = Server::new(Reply::new(500, "no: open sesame")).await;
    let source = json!({
        "url": format!("{}?kind={{{{variables.kind}}}}", server.url()), "method": "POST",
        "headers": {"authorization": "Bearer {{secrets.hook}}"},
        "body": {"flow": "{{flow.name}}"},
    });
    let may = [&*server.permission(), "secret:hook"];
    let polled = Polled::allowed(&server, source, json!({"fireOnFirst": true}), &may).await;
    let error = polled.fails().await;
    assert!(!serde_json::to_string(&error).unwrap().contains("open sesame"), "{error:?}");
    let seen = &server.seen()[0];
    assert_eq!(
        (&*seen.path, seen.body.clone()),
        ("/list?kind=bug", Bytes::from(r#"{"flow":"Poll"}"#))
    );
    assert_eq!(seen.header("authorization"), "Bearer open sesame");
    server.says(said(json!({"echo": "open sesame"})));
    assert_eq!(polled.told(1).await, [json!({"data": {"echo": "•••"}})]);
    assert!(!polled.cursor().await.unwrap().contains("open sesame"));
    assert!(polled.error().await.is_none(), "what went wrong is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_allowed_is_asked_whoever_leads_there() {
    let server = Server::new(said(json!(1))).await;
    let refused = Polled::allowed(&server, json!({}), json!({}), &[]).await;
    let error = refused.fails().await;
    assert_eq!(error.code, Code::Refused);
    assert!(error.hint.unwrap().contains(&server.permission()));
    assert!(server.seen().is_empty());

    let leads = Server::new(Reply::redirect(302, &server.url())).await;
    let polled = Polled::new(&leads, json!({}), json!({})).await;
    assert_eq!(polled.fails().await.code, Code::Refused);
    assert!(server.seen().is_empty(), "no redirect leads to what is not allowed");
    let secret = json!({"headers": {"x": "{{secrets.hook}}"}});
    let polled = Polled::new(&server, secret, json!({})).await;
    assert!(polled.fails().await.hint.unwrap().contains("secret:hook"));
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_is_told_asked_again_and_costs_no_event() {
    let server = Server::new(said(json!([{"id": 1}]))).await;
    let by = json!({"deduplication": {"strategy": "field", "field": "id"}});
    let polled = Polled::new(&server, json!({}), by).await;
    polled.remembered().await;
    let huge = Reply::ok(vec![b'x'; 1024 * 1024]).repeat(20, Duration::ZERO);
    let wrong = [
        (Reply::new(500, "no"), Code::Http),
        (Reply::hang_up(), Code::Network),
        (Reply::ok("[{\"id\":").header("content-length", "100"), Code::Network),
        (huge, Code::TooLarge),
        (said(json!({"message": "no list"})), Code::InvalidInput),
        (Reply::new(404, "gone"), Code::NotFound),
        (Reply::new(429, "slowly").header("retry-after", "7200"), Code::RateLimited),
    ];
    for (reply, code) in wrong {
        server.says(reply);
        polled.again().await;
        assert_eq!(polled.fails().await.code, code);
    }
    server.says(said(json!([{"id": 1}, {"id": 2}])));
    polled.again().await;
    assert_eq!(polled.told(1).await, [json!({"data": {"id": 2}})]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_asked_again_before_the_interval_ends() {
    let server = Server::new(Reply::new(503, "busy")).await;
    let more = json!({"intervalMs": 3_600_000, "fireOnFirst": true});
    let polled = Polled::new(&server, json!({}), more).await;
    polled.asked(2).await;
    server.says(said(json!("well")));
    assert_eq!(polled.told(1).await, [json!({"data": "well"})]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_question_begins_anew_and_a_plugin_that_cannot_be_asked_is_told() {
    let server = Server::new(said(json!(1))).await;
    let polled = Polled::new(&server, json!({}), json!({})).await;
    polled.remembered().await;
    server.says(said(json!(2)));
    let before = server.seen().len();
    let source = json!({"type": "http", "url": format!("{}?other", server.url())});
    let mut flow = json!({
        "schemaVersion": 1, "name": "Poll", "id": polled.flow,
        "triggers": [{"id": "poll", "type": "polling", "intervalMs": 5_000, "source": source}],
        "nodes": [node("a", "test.give", json!({}))], "edges": [],
    });
    polled.rig.flows.save(flow.clone(), Actor::Person).await.unwrap();
    polled.rig.flows.publish(&polled.flow, None).await.unwrap();
    polled.triggers.follow().await.unwrap();
    polled.asked(before + 1).await;
    polled.again().await;
    let wanted = Wanted { limit: 10, ..Wanted::default() };
    assert!(history::list(&polled.rig.store, &wanted).await.unwrap().is_empty());

    flow["triggers"] = json!([
        {"id": "a", "type": "polling", "intervalMs": 5_000,
         "source": {"type": "plugin", "pluginId": "p", "functionName": "f"}},
        {"id": "b", "type": "plugin", "pluginId": "p", "trigger": "t"},
    ]);
    polled.rig.flows.save(flow, Actor::Person).await.unwrap();
    polled.rig.flows.publish(&polled.flow, None).await.unwrap();
    polled.triggers.follow().await.unwrap();
    let start = Instant::now();
    let errors = loop {
        let states = polled.triggers.states().await;
        let errors: Vec<_> = states.iter().filter_map(|state| state.error.clone()).collect();
        if errors.len() == 2 {
            break errors;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{errors:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    for error in errors {
        assert!(error.message.contains("plugin") && error.hint.is_some(), "{error:?}");
    }
}
