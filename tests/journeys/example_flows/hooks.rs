//! Requests that come in, signed as their senders sign them.

use devrig_core::SystemClock;
use devrig_engine::api::run::RunStatus;
use devrig_net::testnet::{Reply, Site};
use devrig_tests::rig::wait;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::desk::{Desk, SECRET};

fn signature(key: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length");
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends a request, and gives the status and the body of the answer.
async fn post(url: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let (host, path) = url.trim_start_matches("http://").split_once('/').expect("a path");
    let mut stream = TcpStream::connect(host).await.expect("it listens");
    let lines: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n{lines}\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.expect("an answer");
    let status = reply.split(' ').nth(1).expect("a status").parse().expect("a number");
    let (_, body) = reply.split_once("\r\n\r\n").expect("a head");
    (status, body.to_owned())
}

/// What GitHub sends when a run of a workflow has ended, as far as the flow looks.
fn workflow_run(number: u32, branch: &str, conclusion: &str) -> Value {
    json!({
        "action": "completed",
        "workflow_run": {
            "id": 30_433_642 + number, "name": "Build", "run_number": number,
            "workflow_id": 159_038, "head_branch": branch, "event": "push",
            "head_sha": "acb5820ced9479c074f688cc328bf03f341a511d",
            "display_title": "Print receipts", "status": "completed", "conclusion": conclusion,
            "html_url": format!("https://github.com/acme/shop/actions/runs/{}", 30_433_642 + number),
            "updated_at": SystemClock::shared().now(),
            "actor": {"login": "mona", "id": 1},
        },
        "repository": {"id": 1_296_269, "name": "shop", "full_name": "acme/shop"},
        "sender": {"login": "mona", "id": 1},
    })
}

async fn deliver(url: &str, key: &str, event: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let signed = format!("sha256={}", signature(key, &body));
    let headers = [("x-github-event", event), ("x-hub-signature-256", signed.as_str())];
    let (status, answer) = post(url, &headers, &body).await;
    (status, serde_json::from_str(&answer).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_build_is_one_item_until_it_passes() {
    let desk = Desk::with(&["ci-failure"]).await;
    let url = desk.address("ci-failure").await;
    let failed = workflow_run(1, "main", "failure");
    let (status, _) = deliver(&url, "another key", "workflow_run", &failed).await;
    assert_eq!(status, 401, "only GitHub is believed");
    for (event, body) in [
        ("ping", json!({"zen": "Keep it logically awesome."})),
        ("workflow_run", workflow_run(2, "try", "failure")),
    ] {
        let (status, answer) = deliver(&url, SECRET, event, &body).await;
        assert_eq!((status, &answer["run"]), (202, &Value::Null), "{event} is of no concern");
    }
    for number in [3, 4] {
        let failed = workflow_run(number, "main", "failure");
        let (status, answer) = deliver(&url, SECRET, "workflow_run", &failed).await;
        assert_eq!(status, 202);
        let run = desk.run(answer["run"].as_str().expect("a run")).await;
        assert_eq!(run.run.status, RunStatus::Completed, "{:?}", run.run.error);
    }
    let item = desk.item("type:build").await;
    assert_eq!(item.summary.title, "Build failed on main");
    assert!(item.body.contains("Run 4 of acme/shop at `acb5820c`"), "{}", item.body);
    let notice = desk.told("Build failed on main").await;
    assert_eq!(notice.item, Some(item.summary.id));

    for (number, told) in [(5, true), (6, false)] {
        let passed = workflow_run(number, "main", "success");
        let (_, answer) = deliver(&url, SECRET, "workflow_run", &passed).await;
        let run = desk.run(answer["run"].as_str().expect("a run")).await;
        assert_eq!(run.run.status, RunStatus::Completed, "{:?}", run.run.error);
        assert!(desk.rig.titles("type:build").await.is_empty(), "it is put away");
        if told {
            desk.told("Build passes again on main").await;
        } else {
            let tell = run.nodes.iter().find(|node| node.path == "tell");
            assert!(tell.is_none_or(|node| node.attempts == 0), "what passes is no news");
        }
    }
    desk.rig.end().await;
}

/// The answer of GitHub's documentation to "create an issue", as far as it matters here.
fn issue(number: u32, title: &str) -> Value {
    json!({
        "id": 1, "node_id": "MDU6SXNzdWUx", "number": number, "state": "open", "title": title,
        "url": format!("https://api.github.com/repos/acme/shop/issues/{number}"),
        "html_url": format!("https://github.com/acme/shop/issues/{number}"),
        "user": {"login": "kim", "id": 1}, "labels": [{"name": "report"}],
        "created_at": "2026-11-20T09:30:00Z", "updated_at": "2026-11-20T09:30:00Z",
    })
}

async fn report(url: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let signed = signature(SECRET, &body);
    let (status, answer) = post(url, &[("x-signature", &signed)], &body).await;
    (status, serde_json::from_str(&answer).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_becomes_an_issue_and_its_sender_is_answered() {
    let desk = Desk::with(&["report-to-issue"]).await;
    let github = Site::new("api.github.com", "140.82.112.5");
    let answer = |seen: &devrig_net::testnet::Seen| {
        let asked: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        match asked["title"].as_str() {
            Some("Broken") => Reply::new(503, r#"{"message": "Service Unavailable"}"#),
            title => Reply::new(201, issue(17, title.unwrap_or_default()).to_string())
                .header("content-type", "application/json; charset=utf-8")
                .header("location", "https://api.github.com/repos/acme/shop/issues/17"),
        }
    };
    desk.rig.net.serve(github, answer).await;
    let url = desk.address("report-to-issue").await;
    let (status, _) = post(&url, &[("x-signature", "00")], r#"{"title": "x"}"#).await;
    assert_eq!(status, 401, "who has not the key makes no issues");
    let missing = report(&url, &json!({"text": "No title"})).await;
    assert_eq!(missing, (422, json!({"error": "title is missing"})));

    let told = json!({"title": "The till is stuck", "text": "It says 17.", "from": "Mona"});
    let made = report(&url, &told).await;
    let address = "https://github.com/acme/shop/issues/17";
    assert_eq!(made, (201, json!({"number": 17, "url": address})));
    let seen = desk.rig.net.seen_by("api.github.com");
    assert_eq!(seen.len(), 1);
    assert_eq!((&*seen[0].method, &*seen[0].path), ("POST", "/repos/acme/shop/issues"));
    assert_eq!(seen[0].header("authorization"), format!("Bearer {SECRET}"));
    assert_eq!(seen[0].header("accept"), "application/vnd.github+json");
    assert_eq!(seen[0].header("x-github-api-version"), "2022-11-28");
    let asked: Value = serde_json::from_slice(&seen[0].body).expect("JSON");
    let wanted = json!({"title": "The till is stuck", "labels": ["report"],
        "body": "It says 17.\n\nReported by Mona."});
    assert_eq!(asked, wanted);

    let (status, refused) = report(&url, &json!({"title": "Broken", "text": ""})).await;
    assert_eq!(status, 502, "{refused}");
    assert!(refused["error"].as_str().expect("words").contains("503"), "{refused}");
    assert_eq!(desk.rig.net.seen_by("api.github.com").len(), 2, "it is sent once");
    wait("the run to fail", async || {
        let runs = desk.runs("report-to-issue").await;
        runs.iter().any(|run| run.status == RunStatus::Failed).then_some(())
    })
    .await;
    let item = desk.item("type:failure").await;
    assert_eq!(item.summary.title, "Report to issue failed at fail");
    assert!(item.body.contains("No issue was made of \"Broken\""), "{}", item.body);
    desk.rig.end().await;
}
