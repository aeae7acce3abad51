//! Webhooks over a real listener on loopback: what starts runs, what is answered, what is refused.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{Rig, line, node};
use devrig_core::{Actor, SystemClock};
use devrig_flow::history::{self, Wanted};
use devrig_flow::limits;
use devrig_flow::run::RunStatus;
use devrig_flow::triggers::Triggers;
use devrig_flow::triggers::wait::WaitDoor;
use devrig_net::listener::{Listener, ListenerOptions};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Hooks {
    pub rig: Rig,
    triggers: Triggers,
    listener: Arc<Listener>,
    _folder: tempfile::TempDir,
}

impl Hooks {
    pub async fn new() -> Self {
        let (rig, folder) = Rig::new().await;
        let options = ListenerOptions { port: 0, ..ListenerOptions::default() };
        let listener = Arc::new(Listener::new(options, SystemClock::shared()));
        rig.runs.set_door(Arc::new(WaitDoor::new(rig.runs.clone(), listener.clone())));
        let triggers = rig.triggers_with(listener.clone());
        Self { rig, triggers, listener, _folder: folder }
    }

    /// Saves, publishes and enables a flow with one webhook.
    async fn flow(&self, hook: Value, more: Value) -> String {
        let mut flow = json!({
            "schemaVersion": 1, "name": "Hooked", "triggers": [hook],
            "nodes": [
                node("a", "test.give", json!({"x": 1})),
                node("reply", "http.respond", json!({"status": 201, "body": {"ok": true},
                    "headers": {"x-lamp": "bright"}})),
            ],
            "edges": line(&["a", "reply"]),
        });
        for (name, value) in more.as_object().unwrap() {
            flow[name] = value.clone();
        }
        let saved = self.rig.flows.save(flow, Actor::Person).await.unwrap();
        self.rig.flows.publish(&saved.id, None).await.unwrap();
        self.rig.flows.enable(&saved.id, true).await.unwrap();
        self.triggers.follow().await.unwrap();
        saved.id
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let address = self.listener.address().expect("a route is open");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{request}\r\n{body}").as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        let status = reply.split(' ').nth(1).unwrap().parse().unwrap();
        (status, reply)
    }

    async fn runs(&self) -> Vec<history::RunInfo> {
        let wanted = Wanted { limit: 100, ..Wanted::default() };
        history::list(&self.rig.store, &wanted).await.unwrap()
    }
}

fn hook(more: Value) -> Value {
    let mut hook = json!({"id": "hook", "type": "webhook", "path": "ci/done"});
    for (name, value) in more.as_object().unwrap() {
        hook[name] = value.clone();
    }
    hook
}

pub const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_flow_answers_the_request_that_started_it() {
    let hooks = Hooks::new().await;
    hooks.flow(hook(json!({"respond": "whenDone"})), json!({})).await;
    let (status, reply) = hooks.post("/hooks/ci/done", &[JSON], r#"{"build": 17}"#).await;
    assert_eq!(status, 201, "{reply}");
    assert!(reply.contains("x-lamp: bright") && reply.ends_with(r#"{"ok":true}"#), "{reply}");
    let runs = hooks.runs().await;
    let run = hooks.rig.until(&runs[0].id, RunStatus::Completed).await;
    assert_eq!(run.payload["rawBody"], json!(r#"{"build": 17}"#), "the body is kept as it came");
}

#[tokio::test]
async fn an_answer_at_once_names_the_run_that_is_on_disk() {
    let hooks = Hooks::new().await;
    hooks.flow(hook(json!({})), json!({})).await;
    let (status, reply) = hooks.post("/hooks/ci/done", &[], "x").await;
    assert_eq!(status, 202, "{reply}");
    let told: Value = serde_json::from_str(reply.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let run = told["run"].as_str().unwrap();
    hooks.rig.until(run, RunStatus::Completed).await;
}

#[tokio::test]
async fn a_delivery_that_is_sent_again_starts_nothing() {
    let hooks = Hooks::new().await;
    hooks.flow(hook(json!({})), json!({})).await;
    let key = [("idempotency-key", "one")];
    let send = || hooks.post("/hooks/ci/done", &key, "x");
    let both = tokio::join!(send(), send());
    assert_eq!((both.0.0, both.1.0), (202, 202), "senders need not know");
    assert_eq!(hooks.runs().await.len(), 1);
    hooks.rig.clock.advance(Duration::from_secs(61));
    send().await;
    assert_eq!(hooks.runs().await.len(), 2, "after the window it is another event");
}

#[tokio::test]
async fn only_who_signs_gets_in() {
    let hooks = Hooks::new().await;
    let auth = json!({"type": "hmac", "scheme": "github", "secret": "hook"});
    hooks.flow(hook(json!({"auth": auth})), json!({})).await;
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"open sesame").unwrap();
    mac.update(b"{}");
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    let signed = format!("sha256={hex}");
    let signature = "x-hub-signature-256";
    assert_eq!(hooks.post("/hooks/ci/done", &[(signature, &signed)], "{}").await.0, 202);
    assert_eq!(hooks.post("/hooks/ci/done", &[(signature, &signed)], "{} ").await.0, 401);
    assert_eq!(hooks.post("/hooks/ci/done", &[], "{}").await.0, 401);
    assert_eq!(hooks.runs().await.len(), 1);
}

#[tokio::test]
async fn entry_conditions_keep_events_out_and_say_so() {
    let hooks = Hooks::new().await;
    let path = json!({"type": "context", "path": "trigger.payload.body.action"});
    let condition = json!({"type": "compare", "left": path, "operator": "eq",
        "right": {"type": "literal", "value": "opened"}});
    hooks.flow(hook(json!({})), json!({"entryConditions": [condition]})).await;
    let (status, reply) = hooks.post("/hooks/ci/done", &[JSON], r#"{"action": "closed"}"#).await;
    assert!(status == 202 && reply.contains("entry conditions"), "{reply}");
    assert!(hooks.runs().await.is_empty());
    hooks.post("/hooks/ci/done", &[JSON], r#"{"action": "opened"}"#).await;
    assert_eq!(hooks.runs().await.len(), 1);
}

#[tokio::test]
async fn a_path_closes_with_its_flow_and_belongs_to_one() {
    let hooks = Hooks::new().await;
    let first = hooks.flow(hook(json!({})), json!({})).await;
    hooks.flow(hook(json!({})), json!({"name": "Second"})).await;
    let states = hooks.triggers.states().await;
    let refused: Vec<_> = states.iter().filter_map(|state| state.error.as_ref()).collect();
    assert_eq!(refused.len(), 1, "{states:?}");
    assert!(refused[0].message.contains("Hooked"), "it names who has the path: {}", refused[0]);
    hooks.rig.flows.enable(&first, false).await.unwrap();
    hooks.triggers.follow().await.unwrap();
    assert!(hooks.triggers.states().await.iter().all(|state| state.error.is_none()));
    hooks.triggers.stop().await;
    let closed = async {
        while hooks.listener.address().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), closed).await.expect("the port closes");
}

#[tokio::test]
async fn an_answer_does_not_wait_for_the_turn_of_what_follows_it() {
    let hooks = Hooks::new().await;
    let limit = limits::read(&json!({"test.slow": {"atOnce": 1}})).unwrap();
    hooks.rig.flows.actions().limits().set(limit);
    let slow = |ms: u64| node("later", "test.slow", json!({ "ms": ms }));
    let first = hooks.rig.begin(json!([slow(60_000)]), json!([])).await;
    hooks.rig.until(&first.id, RunStatus::Running).await;
    let nodes = json!([node("reply", "http.respond", json!({})), slow(1)]);
    let more = json!({"nodes": nodes, "edges": line(&["reply", "later"])});
    hooks.flow(hook(json!({"respond": "whenDone"})), more).await;
    let reply = hooks.post("/hooks/ci/done", &[], "{}");
    let (status, _) = tokio::time::timeout(Duration::from_secs(8), reply).await.unwrap();
    assert_eq!(status, 200);
    let waiting = hooks.runs().await.remove(0);
    assert_eq!(waiting.status, RunStatus::Running, "it waits for its turn");
    hooks.rig.runs.cancel(&first.id).await.unwrap();
    hooks.rig.until(&waiting.id, RunStatus::Completed).await;
}

/// The run is walked where its answer is waited for.
#[tokio::test]
async fn a_run_goes_on_when_its_client_leaves_and_when_the_listener_ends() {
    let hooks = Hooks::new().await;
    let nodes = json!([
        node("later", "test.slow", json!({"ms": 300})),
        node("reply", "http.respond", json!({})),
    ]);
    let more = json!({"nodes": nodes, "edges": line(&["later", "reply"])});
    hooks.flow(hook(json!({"respond": "whenDone"})), more).await;
    let address = hooks.listener.address().unwrap();
    let send = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = "POST /hooks/ci/done HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    };
    let begun = async |count: usize| {
        while hooks.runs().await.len() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };

    let leaves = send().await;
    begun(1).await;
    drop(leaves);
    hooks.rig.until(&hooks.runs().await[0].id, RunStatus::Completed).await;

    let _stays = send().await;
    begun(2).await;
    hooks.listener.shutdown(Duration::ZERO).await;
    let cut = hooks.runs().await.remove(0);
    assert_eq!(cut.status, RunStatus::Running);
    hooks.rig.until(&cut.id, RunStatus::Completed).await;
}

#[tokio::test]
async fn a_large_output_is_the_answer_where_the_flow_gives_none() {
    let hooks = Hooks::new().await;
    let text = "x".repeat(200_000);
    let more = json!({"nodes": [node("a", "test.give", json!({"text": text}))], "edges": []});
    hooks.flow(hook(json!({"respond": "whenDone"})), more).await;
    let reply = hooks.post("/hooks/ci/done", &[], "x");
    let (status, reply) = tokio::time::timeout(Duration::from_secs(8), reply).await.unwrap();
    assert_eq!(status, 200);
    assert!(reply.contains(&text), "{} bytes", reply.len());
}
