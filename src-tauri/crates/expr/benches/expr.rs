//! What an expression costs once it is compiled: templates, conditions, queries, schedules.

use std::hint::black_box;
use std::time::{Duration, Instant};

use devrig_core::Timestamp;
use devrig_expr::{
    Answers, Condition, Config, Data, JmesPath, JsonPath, Options, Schedule, Template,
};
use serde_json::{Value, json};

/// The fastest of several rounds: the others measure the rest of the machine.
fn measure<T>(name: &str, mut run: impl FnMut() -> T) {
    let mut round = |calls: u32| {
        let begun = Instant::now();
        for _ in 0..calls {
            black_box(run());
        }
        begun.elapsed()
    };
    let mut calls = 1;
    while round(calls) < Duration::from_millis(20) {
        calls *= 4;
    }
    let best = (0..5).map(|_| round(calls)).min().unwrap_or_default();
    println!("{name:<46} {:>10.3} µs", best.as_secs_f64() * 1e6 / f64::from(calls));
}

fn payload() -> Value {
    json!({
        "action": "opened", "number": 1347,
        "repository": { "full_name": "acme/shop", "private": false },
        "pull_request": {
            "title": "Fix the login form on small screens", "draft": false, "comments": 3,
            "user": { "login": "ada" }, "head": { "sha": "9fceb02d0ae598e95dc970b74767f19372d61af8" },
            "created_at": "2026-11-20T09:30:00Z",
            "labels": [{ "name": "bug" }, { "name": "ui" }, { "name": "mobile" }],
        },
    })
}

fn data(payload: &Value) -> Data<'_> {
    Data::object([
        (
            "trigger",
            Data::object([("type", Data::from("webhook")), ("payload", Data::from(payload))]),
        ),
        ("env", Data::object([("CI", Data::from("true"))])),
        ("run", Data::object([("id", Data::from("r1"))])),
    ])
}

fn templates(data: &Data<'_>) {
    for (name, text) in [
        ("one value", "{{trigger.payload.number}}"),
        (
            "a message",
            "{{trigger.payload.pull_request.user.login}} opened #{{trigger.payload.number}} in \
             {{trigger.payload.repository.full_name}}: {{trigger.payload.pull_request.title}}\
             {{#if trigger.payload.pull_request.draft}} (draft){{/if}} \
             {{#each trigger.payload.pull_request.labels}}[{{name}}]{{/each}}",
        ),
        (
            "helpers",
            "{{#if (and (eq trigger.type \"webhook\") (gt trigger.payload.pull_request.comments 2))}}\
             {{upper (truncate trigger.payload.pull_request.title 20)}}{{else}}-{{/if}} \
             {{slice trigger.payload.pull_request.head.sha 0 7}}",
        ),
        (
            "a date in a zone",
            "{{date trigger.payload.pull_request.created_at \"%d.%m. %H:%M\" tz=\"Europe/Berlin\"}}",
        ),
    ] {
        let template = Template::compile(text, Options::default()).unwrap();
        template.text(data).unwrap();
        measure(&format!("template, {name}: render"), || template.text(data).unwrap());
        measure(&format!("template, {name}: compile"), || {
            Template::compile(text, Options::default()).unwrap()
        });
    }
    let config = json!({
        "url": "https://api.example.org/{{trigger.payload.repository.full_name}}/issues",
        "method": "POST",
        "body": { "title": "{{trigger.payload.pull_request.title}}", "labels": "{{trigger.payload.pull_request.labels}}" },
    });
    let config = Config::compile(&config, Options::default()).unwrap();
    measure("config, three templates: resolve", || config.resolve(data).unwrap());
}

fn conditions(data: &Data<'_>) {
    let path = |path: &str| json!({ "type": "context", "path": format!("trigger.payload.{path}") });
    let condition = json!({ "type": "and", "conditions": [
        { "type": "compare", "left": path("action"), "operator": "eq", "right": { "type": "literal", "value": "opened" } },
        { "type": "not", "condition": {
            "type": "compare", "left": path("pull_request.draft"), "operator": "eq",
            "right": { "type": "literal", "value": true },
        } },
        { "type": "matches", "ref": path("pull_request.title"), "pattern": "(?i)\\b(fix|bug)\\b" },
        { "type": "in", "ref": path("pull_request.user.login"), "values": ["grace", "ada"] },
    ] });
    let compiled = Condition::parse(&condition).unwrap();
    let answers = Answers::default();
    measure("condition, four parts: evaluate", || compiled.evaluate(data, &answers));
    measure("condition, four parts: explain", || compiled.explain(data, &answers));
    measure("condition, four parts: parse", || Condition::parse(&condition).unwrap());
}

fn queries(payload: &Value) {
    let path = JsonPath::parse("$.pull_request.labels[?@.name == 'ui'].name").unwrap();
    measure("JSONPath with a filter", || path.query(payload).unwrap().len());
    let path = JmesPath::parse("pull_request.labels[?name == 'ui'].name | [0]").unwrap();
    measure("JMESPath with a filter", || path.search(payload).unwrap());
}

fn schedules() {
    let after: Timestamp = "2026-11-20T09:30:00Z".parse().unwrap();
    for (pattern, zone) in [
        ("*/5 * * * *", "UTC"),
        ("30 9 * * MON-FRI", "Europe/Berlin"),
        ("0 0 29 2 *", "Europe/Berlin"),
    ] {
        let schedule = Schedule::parse(pattern, zone).unwrap();
        measure(&format!("cron {pattern} in {zone}: next"), || schedule.next_after(after));
    }
    measure("cron 30 9 * * MON-FRI: parse", || {
        Schedule::parse("30 9 * * MON-FRI", "Europe/Berlin").unwrap()
    });
}

fn main() {
    let payload = payload();
    let data = data(&payload);
    templates(&data);
    conditions(&data);
    queries(&payload);
    schedules();
}
