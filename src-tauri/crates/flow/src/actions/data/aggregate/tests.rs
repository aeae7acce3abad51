use serde_json::{Value, json};

use crate::actions::tests::{fails, gives, run};

fn figure(items: Value, op: &str, path: &str) -> Value {
    json!({ "items": items, "compute": { "x": { "op": op, "path": path } } })
}

#[test]
fn every_figure_over_values() {
    let rows = json!([{ "n": 3 }, { "n": null }, {}, { "n": 1 }, { "n": 3.0 }, { "n": 0.5 }]);
    let days = json!([{ "n": "2026-03-01" }, { "n": "2026-01-09" }]);
    for (op, items, expected) in [
        ("count", &rows, json!(4)),
        ("sum", &rows, json!(7.5)),
        ("avg", &rows, json!(1.875)),
        ("min", &rows, json!(0.5)),
        ("max", &rows, json!(3)),
        ("median", &rows, json!(2)),
        ("first", &rows, json!(3)),
        ("last", &rows, json!(0.5)),
        ("unique", &rows, json!([3, 1, 0.5])),
        ("list", &rows, json!([3, 1, 3.0, 0.5])),
        ("concat", &rows, json!("3, 1, 3, 0.5")),
        ("min", &days, json!("2026-01-09")),
        ("max", &days, json!("2026-03-01")),
    ] {
        gives("data.aggregate", &[(figure(items.clone(), op, "n"), json!({ "x": expected }))]);
    }
}

#[test]
fn every_figure_over_nothing() {
    for (op, expected) in [
        ("count", json!(0)),
        ("sum", json!(0)),
        ("avg", json!(null)),
        ("min", json!(null)),
        ("max", json!(null)),
        ("median", json!(null)),
        ("first", json!(null)),
        ("last", json!(null)),
        ("unique", json!([])),
        ("list", json!([])),
        ("concat", json!("")),
    ] {
        for items in [json!([]), json!(null), json!([{}, { "n": null }])] {
            gives("data.aggregate", &[(figure(items, op, "n"), json!({ "x": expected }))]);
        }
    }
}

#[test]
fn elements_without_a_path_are_looked_at_themselves() {
    let items = json!(["b", null, "a"]);
    let compute = json!({
        "all": { "op": "count" },
        "text": { "op": "concat", "separator": "" },
        "least": { "op": "min" },
    });
    gives(
        "data.aggregate",
        &[(
            json!({ "items": items, "compute": compute }),
            json!({ "all": 3, "text": "ba", "least": "a" }),
        )],
    );
}

#[test]
fn sums_lose_no_digit_that_a_number_has() {
    for (items, sum) in [
        (json!([i64::MAX, i64::MAX]), json!(18_446_744_073_709_551_614_u64)),
        (json!([u64::MAX, -1]), json!(18_446_744_073_709_551_614_u64)),
        (json!([0.1, 0.2, 0.3, -0.6]), json!(2.7755575615628914e-17)),
        (json!([1e100, 1.0, -1e100]), json!(1)),
    ] {
        gives("data.aggregate", &[(figure(items, "sum", ""), json!({ "x": sum }))]);
    }
}

#[test]
fn groups_have_their_values_and_figures() {
    let items = json!([
        { "r": { "name": "web" }, "s": "open", "n": 1 },
        { "r": { "name": "api" }, "s": "open", "n": 2 },
        { "r": { "name": "web" }, "s": "done", "n": 4 },
        { "n": 8 },
        { "r": null, "n": 16 },
    ]);
    let compute = json!({ "n": { "op": "sum", "path": "n" } });
    gives(
        "data.aggregate",
        &[
            (
                json!({ "items": items, "groupBy": "r.name", "compute": compute }),
                json!([
                    { "name": "web", "n": 5 },
                    { "name": "api", "n": 2 },
                    { "name": null, "n": 24 },
                ]),
            ),
            (
                json!({
                    "items": items,
                    "groupBy": [{ "path": "r.name", "as": "repo" }, "s"],
                    "compute": compute,
                }),
                json!([
                    { "repo": "web", "s": "open", "n": 1 },
                    { "repo": "api", "s": "open", "n": 2 },
                    { "repo": "web", "s": "done", "n": 4 },
                    { "repo": null, "s": null, "n": 24 },
                ]),
            ),
            (
                json!({ "items": [1, 1], "groupBy": { "path": "" }, "compute": {} }),
                json!([{ "value": 1 }]),
            ),
        ],
    );
}

#[test]
fn what_cannot_be_computed_is_told_with_its_place() {
    let text = json!([{ "n": 1 }, { "n": "2" }]);
    fails(
        "data.aggregate",
        &[
            (figure(text.clone(), "sum", "n"), "compute.x: items[1].n is text, not a number"),
            (
                figure(text, "max", "n"),
                "compute.x: items[1].n is text, not a number as those before",
            ),
            (
                figure(json!([[{}]]), "concat", "[0]"),
                "compute.x: items[0][0] is an object, not text",
            ),
            (figure(json!([true]), "min", ""), "items[0] is a boolean, not a number or text"),
            (figure(json!([1e308, 1e308]), "sum", ""), "larger than a number can be"),
            (figure(json!([]), "sum", "a."), "compute.x.path: the path"),
            (figure(json!([]), "total", "a"), "compute.x is not an op"),
            (
                json!({ "items": [], "compute": { "a": {} }, "groupBy": "b.a" }),
                "compute.a is not an op",
            ),
            (
                json!({ "items": [], "compute": { "a": { "op": "count" } }, "groupBy": "b.a" }),
                "two fields are named \"a\"",
            ),
            (
                json!({ "items": [], "compute": {}, "groupBy": ["a", "b.a"] }),
                "groupBy[1]: two fields",
            ),
        ],
    );
}

#[test]
fn a_text_that_explodes_is_stopped() {
    let compute = json!({ "x": { "op": "concat", "separator": "-".repeat(100_000) } });
    let error = run("data.aggregate", json!({ "items": vec!["a"; 1_000], "compute": compute }));
    assert!(error.unwrap_err().message.contains("larger than 16 MB"));
}
