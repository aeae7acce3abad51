//! What handlebars.js renders too is rendered the same: `handlebars/agreed.json`.

use devrig_expr::{Data, Escape, Options, Template};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Agreed {
    handlebars: String,
    shop: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    group: String,
    template: String,
    #[serde(default, deserialize_with = "given")]
    data: Option<Value>,
    html: String,
}

/// Null is data too, and not the same as none.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn agreed() -> Agreed {
    serde_json::from_str(include_str!("handlebars/agreed.json")).unwrap()
}

fn render(case: &Case, shop: &Value) -> String {
    let options = Options { escape: Escape::Html, ..Options::default() };
    match Template::compile(&case.template, options) {
        Ok(template) => template
            .text(&Data::from(case.data.as_ref().unwrap_or(shop)))
            .unwrap_or_else(|error| format!("error: {error}")),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn html_is_what_handlebars_writes() {
    let agreed = agreed();
    let differs = |case: &Case| {
        let (found, expected) = (render(case, &agreed.shop), &case.html);
        let group = &case.group;
        (found != *expected)
            .then(|| format!("{group} {:?}: {found:?} is not {expected:?}", case.template))
    };
    let differences: Vec<String> = agreed.cases.iter().filter_map(differs).collect();
    let version = &agreed.handlebars;
    assert!(differences.is_empty(), "handlebars.js {version}:\n{}", differences.join("\n"));
}

#[test]
fn the_table_is_large_enough_to_mean_something() {
    assert!(agreed().cases.len() >= 500);
}
