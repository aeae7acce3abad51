//! Expressions of every language: read or refused, and then evaluated or refused.

use devrig_core::Timestamp;
use devrig_expr::condition::Answers;
use devrig_expr::{Condition, Data, JmesPath, JsonPath, Options, Schedule, Template};
use serde_json::{Value, json};

/// Inputs that mean something, to begin from.
pub const SEEDS: &[&str] = &[
    r#"{"type":"and","conditions":[{"type":"exists","ref":{"type":"context","path":"a.b[0]"}},
        {"type":"not","condition":{"type":"matches","ref":{"type":"env","key":"a"},"pattern":"^a+$"}},
        {"type":"in","ref":{"type":"cast","to":"date","ref":{"type":"literal","value":"2026-01-01"}},"values":[1,"a",null]},
        {"type":"compare","left":{"type":"node","nodeId":"a","path":"b"},"operator":"startsWith","right":{"type":"secret","key":"k"}}]}"#,
    "{{#each list as |item at|}}{{at}}: {{upper item.name}}{{^}}none{{/each}} {{~json this indent=2~}}",
    "{{#if (and a (not b))}}{{lookup list 0}}{{else if c}}{{{raw}}}{{/if}} {{!-- no --}} \\{{x}}",
    "{{date at \"%Y\" tz=\"Europe/Berlin\"}} {{truncate text 3}} {{default a.[b c].d @root.e \"x\"}}",
    "$.items[?@.stars > 5 && match(@.name, 'a.*')]..['a','b'][1:5:2]",
    "items[?state == 'open'].{id: id, n: length(name)} | sort_by(@, &id)[::-1]",
    "*/15 2 1-5,LW * MON#2\nEurope/Berlin",
    "30 2 * * *\nAustralia/Lord_Howe",
];

fn data() -> Value {
    json!({
        "a": {"b": [1, "two", null, {"c": true}], "[b c]": {"d": 1.5}},
        "items": [{"id": 1, "name": "abc", "state": "open", "stars": 7}, {"id": 2, "state": "closed"}],
        "list": [{"name": "é"}, {"name": "z"}],
        "text": "a text", "at": "2026-03-29T02:30:00+01:00", "b": false, "c": 0,
    })
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

pub fn conditions(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    let Ok(condition) = Condition::parse(&value) else { return };
    let data = data();
    let data = Data::from(&data);
    let verdict = condition.evaluate(&data, &Answers::default());
    assert_eq!(verdict, condition.evaluate(&data, &Answers::default()), "it is pure");
    condition.explain(&data, &Answers::default());
    let (_, _) = (condition.references(), condition.dependencies());
}

pub fn templates(bytes: &[u8]) {
    let text = text(bytes);
    let Ok(template) = Template::compile(&text, Options::default()) else { return };
    let data = data();
    let _ = template.value(&Data::from(&data));
    template.references();
}

pub fn jsonpath(bytes: &[u8]) {
    let Ok(path) = JsonPath::parse(&text(bytes)) else { return };
    let data = data();
    let _ = path.query(&data).map(|found| found.len());
}

pub fn jmespath(bytes: &[u8]) {
    let Ok(path) = JmesPath::parse(&text(bytes)) else { return };
    let _ = path.search(&data());
}

/// A pattern, and on the next line a time zone.
pub fn cron(bytes: &[u8]) {
    let text = text(bytes);
    let (pattern, zone) = text.split_once('\n').unwrap_or((&text, "UTC"));
    let Ok(schedule) = Schedule::parse(pattern, zone) else { return };
    let mut last = Timestamp::from_ms(1_774_700_000_000);
    for next in schedule.upcoming(last, 20) {
        assert!(next > last, "{pattern:?} in {zone}: {next} is not after {last}");
        last = next;
    }
}
