use proptest::prelude::*;
use serde_json::{Value, json};

use crate::actions::tests::{fails, gives, run};

fn parse(text: &str, options: Value) -> Value {
    with(json!({ "operation": "parse", "text": text }), options)
}

fn write(items: Value, options: Value) -> Value {
    with(json!({ "operation": "write", "items": items }), options)
}

fn with(mut config: Value, options: Value) -> Value {
    config.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    config
}

#[test]
fn tables_are_read() {
    let none = || json!({});
    gives(
        "data.csv",
        &[
            (
                parse("a,b\n1,2\r\n3,4", none()),
                json!([{ "a": "1", "b": "2" }, { "a": "3", "b": "4" }]),
            ),
            (parse("a,b\n1,2\n", json!({ "header": false })), json!([["a", "b"], ["1", "2"]])),
            (parse("a\n\"x, \"\"y\"\"\nz\"\n", none()), json!([{ "a": "x, \"y\"\nz" }])),
            (parse("\u{feff}a\n\n1\n", none()), json!([{ "a": "1" }])),
            (parse("a,,c\n1,2,3\n", none()), json!([{ "a": "1", "column2": "2", "c": "3" }])),
            (
                parse("a;b\n1,5;'x;y'\n", json!({ "delimiter": ";", "quote": "'" })),
                json!([{ "a": "1,5", "b": "x;y" }]),
            ),
            (
                parse("a\tb\n007\t1.5\n", json!({ "delimiter": "\t", "numbers": true })),
                json!([{ "a": "007", "b": 1.5 }]),
            ),
            (
                parse("1,2\n", json!({ "header": false, "columns": ["a", "b"] })),
                json!([{ "a": "1", "b": "2" }]),
            ),
            (
                parse("x,y\n1,2\n", json!({ "columns": ["a", "b"] })),
                json!([{ "a": "1", "b": "2" }]),
            ),
            (
                parse("a,b\n1\n1,2,3\n", json!({ "ragged": true })),
                json!([{ "a": "1" }, { "a": "1", "b": "2", "column3": "3" }]),
            ),
            (parse("", none()), json!([])),
            (parse("a,b\n", none()), json!([])),
        ],
    );
}

#[test]
fn tables_are_written() {
    let rows =
        json!([{ "a": "x,y", "b": 1 }, { "b": null, "c": [1, "2"] }, { "a": true, "b": 1.0 }]);
    gives(
        "data.csv",
        &[
            (
                write(rows.clone(), json!({})),
                json!("a,b,c\n\"x,y\",1,\n,,\"[1,\"\"2\"\"]\"\ntrue,1,\n"),
            ),
            (write(rows.clone(), json!({ "columns": ["b"] })), json!("b\n1\n\"\"\n1\n")),
            (write(rows, json!({ "columns": ["b"], "header": false })), json!("1\n\"\"\n1\n")),
            (write(json!([["a", "b;"], [1]]), json!({ "delimiter": ";" })), json!("a;\"b;\"\n1\n")),
            (write(json!([["a"]]), json!({ "columns": ["x"] })), json!("x\na\n")),
            (write(json!([]), json!({ "columns": ["a", "b"] })), json!("a,b\n")),
            (write(json!([]), json!({})), json!("")),
            (write(json!([{}]), json!({})), json!("")),
            (write(json!(null), json!({})), json!("")),
        ],
    );
}

#[test]
fn what_is_no_table_is_told_with_its_line() {
    fails(
        "data.csv",
        &[
            (parse("a,b\n1,2\n1\n", json!({})), "line 3 has 1 cells, not 2"),
            (parse("a,a\n", json!({})), "two columns are named \"a\""),
            (parse("", json!({ "delimiter": ";;" })), "delimiter is not one ASCII character"),
            (parse("", json!({ "delimiter": "§" })), "delimiter is not one ASCII character"),
            (parse("", json!({ "quote": "," })), "the same character"),
            (json!({ "operation": "parse" }), "text is missing"),
            (
                write(json!([{}, []]), json!({ "columns": ["a"] })),
                "items[1] is a list, not an object",
            ),
            (write(json!([[], {}]), json!({})), "items[1] is an object, not a list"),
            (write(json!(["a"]), json!({ "columns": ["a"] })), "items[0] is text"),
        ],
    );
}

#[test]
fn tables_that_explode_are_stopped() {
    let name = "x".repeat(100_000);
    let cells = "a\n".repeat(1_000);
    let sparse: Vec<Value> = (0..4_500).map(|at| json!({ format!("f{at}"): 1 })).collect();
    for config in [parse(&format!("{name}\n{cells}"), json!({})), write(json!(sparse), json!({}))] {
        let error = run("data.csv", config).unwrap_err();
        assert!(error.message.contains("the output is larger than 16 MB"), "{error}");
    }
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c\",;\r\n 0-9-]{0,6}", "\\PC{0,6}"]
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        width in 1_usize..5,
        cells in prop::collection::vec(cell(), 0..40),
        delimiter in prop::sample::select(vec![",", ";", "\t", "|"]),
    ) {
        let rows: Vec<Value> = cells.chunks_exact(width).map(|row| {
            let named = |(at, cell): (usize, &String)| (format!("n,{at}"), cell.as_str().into());
            Value::Object(row.iter().enumerate().map(named).collect())
        }).collect();
        let layout = json!({ "delimiter": delimiter });
        let text = run("data.csv", write(json!(rows), layout.clone())).unwrap();
        let read = run("data.csv", parse(text.as_str().unwrap(), layout)).unwrap();
        prop_assert_eq!(read, json!(rows));
    }

    #[test]
    fn lists_read_back_too(
        rows in prop::collection::vec(prop::collection::vec(cell(), 1..4), 0..8),
    ) {
        // A mark at the very beginning is not part of the first cell.
        prop_assume!(!rows.first().is_some_and(|row| row[0].starts_with('\u{feff}')));
        let layout = json!({ "header": false, "ragged": true });
        let text = run("data.csv", write(json!(rows), layout.clone())).unwrap();
        let read = run("data.csv", parse(text.as_str().unwrap(), layout)).unwrap();
        prop_assert_eq!(read, json!(rows));
    }
}
