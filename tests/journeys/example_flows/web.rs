//! What others publish: a feed, and a status page by way of n8n.

use std::sync::{Arc, Mutex};

use devrig_engine::api::flow::FlowConvertArgs;
use devrig_engine::api::run::RunStatus;
use devrig_net::testnet::{Reply, Site};
use serde_json::{Value, json};

use super::desk::{Desk, README, file};

/// The releases of a repository as GitHub publishes them.
fn feed(tags: &[&str]) -> String {
    let entry = |tag: &&str| {
        format!(
            r#"<entry>
                <id>tag:github.com,2008:Repository/724712/{tag}</id>
                <updated>2026-11-20T09:30:00Z</updated>
                <link rel="alternate" type="text/html" href="https://github.com/rust-lang/rust/releases/tag/{tag}"/>
                <title>Rust {tag}</title>
                <content type="html">&lt;h2&gt;Language&lt;/h2&gt;&lt;ul&gt;&lt;li&gt;Faster &amp;amp; smaller&lt;/li&gt;&lt;/ul&gt;</content>
                <author><name>mona</name></author>
            </entry>"#
        )
    };
    let entries: String = tags.iter().map(entry).collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-US">
            <id>tag:github.com,2008:https://github.com/rust-lang/rust/releases</id>
            <link type="text/html" rel="alternate" href="https://github.com/rust-lang/rust/releases"/>
            <title>Release notes from rust</title><updated>2026-11-20T09:30:00Z</updated>{entries}</feed>"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_release_comes_into_the_inbox() {
    let desk = Desk::with(&[]).await;
    let published = Arc::new(Mutex::new(feed(&["1.91.0"])));
    let given = Arc::clone(&published);
    let answer = move |seen: &devrig_net::testnet::Seen| match &*seen.path {
        "/rust-lang/rust/releases.atom" => {
            Reply::ok(given.lock().expect("no panic while it was held").clone())
                .header("content-type", "application/atom+xml; charset=utf-8")
        }
        _ => Reply::new(404, "Not Found"),
    };
    desk.rig.net.serve(Site::new("github.com", "140.82.112.3"), answer).await;
    // Half an hour is too long for a test.
    desk.keep("release-feed", |flow| flow["triggers"][0]["intervalMs"] = json!(5_000)).await;
    devrig_tests::rig::wait("the feed to be known", async || {
        (!desk.rig.net.seen_by("github.com").is_empty()).then_some(())
    })
    .await;
    *published.lock().expect("no panic while it was held") = feed(&["1.91.1", "1.91.0"]);
    let item = desk.item("type:release").await;
    assert_eq!(item.summary.title, "rust-lang/rust: Rust 1.91.1");
    assert_eq!(item.body.trim(), "Language\nFaster & smaller");
    let page = "https://github.com/rust-lang/rust/releases/tag/1.91.1";
    assert_eq!(item.summary.source_url.as_deref(), Some(page));
    assert_eq!(item.external_id, "tag:github.com,2008:Repository/724712/1.91.1");
    assert_eq!(desk.runs("release-feed").await.len(), 1, "what was there before is no news");
    desk.rig.end().await;
}

/// The status of a page of Statuspage.
fn status(indicator: &str, description: &str) -> Value {
    json!({
        "page": {"id": "kctbh9vrtdwd", "name": "GitHub", "url": "https://www.githubstatus.com",
            "time_zone": "Etc/UTC", "updated_at": "2026-11-20T09:30:00.000Z"},
        "status": {"indicator": indicator, "description": description},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_of_n8n_does_here_what_it_did_there() {
    let name = "status-to-ntfy.n8n.json";
    assert!(README.contains(&format!("({name})")), "it is on the page");
    let desk = Desk::with(&[]).await;
    let now = Arc::new(Mutex::new(status("none", "All Systems Operational")));
    let given = Arc::clone(&now);
    let page = Site::new("www.githubstatus.com", "18.165.98.1");
    let answer = move |_: &devrig_net::testnet::Seen| {
        Reply::ok(given.lock().expect("no panic while it was held").to_string())
            .header("content-type", "application/json; charset=utf-8")
    };
    desk.rig.net.serve(page, answer).await;
    let ntfy = Site::new("ntfy.example.com", "159.203.148.75");
    desk.rig.net.serve(ntfy, |_| Reply::ok(r#"{"id": "x", "event": "message"}"#)).await;

    let convert = FlowConvertArgs { text: file(name) };
    let flow = desk.rig.api.flow_convert(convert).await.expect("a flow");
    assert!(flow.report.not_mapped.is_empty(), "{:?}", flow.report);
    let id = flow.definition["id"].as_str().expect("an id").to_owned();
    let command = format!("devrig flow allow {id} ");
    let allow = README.lines().find_map(|line| line.strip_prefix(&command)).expect("on the page");
    let allow: Vec<String> = allow.split_whitespace().map(str::to_owned).collect();
    desk.save(flow.definition.clone()).await;
    desk.let_go(&id, &allow).await;
    let trigger = flow.definition["triggers"][0]["id"].as_str().expect("a trigger");

    for (indicator, description) in
        [("none", "All Systems Operational"), ("major", "Partial System Outage")]
    {
        *now.lock().expect("no panic while it was held") = status(indicator, description);
        let run = desk.run(&desk.fire(&id, trigger, None).await).await;
        assert_eq!(run.run.status, RunStatus::Completed, "{:?}", run.run.error);
    }
    let seen = desk.rig.net.seen_by("ntfy.example.com");
    assert_eq!(seen.len(), 1, "nothing is sent while all is well");
    let sent: Value = serde_json::from_slice(&seen[0].body).expect("JSON");
    let wanted = json!({"topic": "ops", "title": "GitHub: major",
        "message": "Partial System Outage", "click": "https://www.githubstatus.com"});
    assert_eq!((&*seen[0].method, sent), ("POST", wanted));
    desk.rig.end().await;
}
