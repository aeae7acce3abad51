use proptest::prelude::*;
use serde_json::{Value, json};

use crate::actions::tests::{fails, gives, run};

const PAGE: &str = "<!doctype html><title>T</title><style>p{}</style>
    <div id=main class='a b'><p>One <b>bold</b>\n line.</p><p>Two<br>lines&nbsp;&amp; more</p>
    <script>var x = '<p>no</p>';</script></div>
    <ul><li data-id=1><a href='/x?y=1'>X</a></li><li data-id=2>none</li></ul>";

fn extract(fields: Value) -> Value {
    json!({ "html": PAGE, "fields": fields })
}

#[test]
fn selectors_find_elements() {
    gives(
        "data.html",
        &[
            (
                extract(
                    json!({ "title": "title", "first": "p", "bold": ".a > p b", "none": "h1" }),
                ),
                json!({ "title": "T", "first": "One bold line.", "bold": "bold", "none": null }),
            ),
            (
                extract(json!({
                    "all": { "selector": "p", "all": true },
                    "none": { "selector": "h1", "all": true },
                })),
                json!({ "all": ["One bold line.", "Two lines & more"], "none": [] }),
            ),
            (
                extract(json!({
                    "text": "#main",
                    "lines": { "selector": "#main", "get": "lines" },
                    "html": { "selector": "p", "get": "html" },
                    "outer": { "selector": "b", "get": "outerHtml" },
                    "class": { "selector": "#main", "attribute": "CLASS" },
                    "no": { "selector": "#main", "attribute": "title" },
                })),
                json!({
                    "text": "One bold line. Two lines & more",
                    "lines": "One bold line.\nTwo\nlines & more",
                    "html": "One <b>bold</b>\n line.",
                    "outer": "<b>bold</b>",
                    "class": "a b",
                    "no": null,
                }),
            ),
            (
                extract(json!({
                    "second": "li:nth-child(2)",
                    "not": "li:not([data-id='1'])",
                    "has": "li:has(a)",
                })),
                json!({ "second": "none", "not": "none", "has": "X" }),
            ),
        ],
    );
}

#[test]
fn fields_are_found_inside_of_elements() {
    let fields = json!({
        "id": { "attribute": "data-id" },
        "link": { "selector": "a", "attribute": "href" },
        "self": { "all": true },
    });
    let config = json!({
        "html": PAGE, "base": "https://example.com/a/b",
        "fields": { "list": { "selector": "li", "all": true, "fields": fields } },
    });
    gives(
        "data.html",
        &[(
            config,
            json!({ "list": [
        { "id": "1", "link": "https://example.com/x?y=1", "self": ["X"] },
        { "id": "2", "link": null, "self": ["none"] },
    ] }),
        )],
    );
}

#[test]
fn any_text_is_a_page() {
    for html in
        ["", "plain", "<", "<p", "<a href=", "</p></p>", "<table><p>x<tr>", "\0", "&#xfffff;"]
    {
        let config =
            json!({ "html": html, "fields": { "all": { "selector": "body", "get": "html" } } });
        assert!(run("data.html", config).unwrap()["all"].is_string(), "{html}");
    }
}

#[test]
fn what_cannot_be_looked_for_is_told_with_its_field() {
    let nested =
        (0..7).fold(json!("a"), |inner, _| json!({ "selector": "a", "fields": { "x": inner } }));
    fails(
        "data.html",
        &[
            (extract(json!({ "a": "p >" })), "fields.a: \"p >\" is no selector"),
            (extract(json!({ "a": "" })), "fields.a: \"\" is no selector"),
            (extract(json!({ "a": "p::before" })), "is no selector"),
            (extract(json!({ "a": ":is(".repeat(200) })), "the selector is too long"),
            (extract(json!({ "a": 1 })), "fields.a is neither a selector nor"),
            (extract(json!({ "a": { "get": "all" } })), "fields.a is neither"),
            (extract(json!({ "a": { "get": "html", "attribute": "b" } })), "fields.a: only one of"),
            (
                extract(json!({ "a": { "fields": { "b": "[" } } })),
                "fields.a.fields.b: \"[\" is no selector",
            ),
            (extract(json!({ "a": nested })), "nested more than 5 levels"),
            (json!({ "html": "", "fields": {}, "base": "/a" }), "base is no address"),
        ],
    );
}

#[test]
fn hostile_pages_are_refused() {
    let copied: String = (0..300).map(|at| format!("<b id={at}>")).collect();
    let copies = format!("<p>{copied}{}", "<p>x".repeat(5_000));
    for (html, said) in [
        ("<div>".repeat(5_000), "nested more than 400 levels"),
        ("<b><div>".repeat(10_000), "nested more than 400 levels"),
        (copies, "more than 500000 elements"),
    ] {
        fails("data.html", &[(json!({ "html": html, "fields": { "a": "p" } }), said)]);
    }
    let html = format!("{}{}", "<div>".repeat(300), "text ".repeat(20_000));
    let all = json!({ "a": { "selector": "div", "all": true } });
    fails(
        "data.html",
        &[(json!({ "html": html, "fields": all }), "the output is larger than 16 MB")],
    );
}

fn markup() -> impl Strategy<Value = String> {
    prop_oneof![
        "<[/!]?(a|b|p|td|tr|table|svg|math|select|template|script)[ =x'\"]{0,3}>?",
        "[a-c&;\0-]{0,3}",
    ]
}

proptest! {
    #[test]
    fn no_page_and_no_selector_panics(
        html in prop::collection::vec(markup(), 0..30),
        selector in "[a-p.#:>~+* ()\\[\\]='\",|^$!-]{0,12}",
    ) {
        let fields = json!({
            "a": { "selector": selector, "get": "lines", "all": true },
            "b": { "get": "outerHtml" },
        });
        let _ = run("data.html", json!({ "html": html.concat(), "fields": fields }));
    }
}
