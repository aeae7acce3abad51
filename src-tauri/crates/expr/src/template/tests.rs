use devrig_core::Sensitive;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::view::MASK;

fn compile(text: &str) -> Template {
    Template::compile(text, Options::default()).unwrap()
}

fn error(text: &str) -> Error {
    Template::compile(text, Options::default()).unwrap_err()
}

fn render(text: &str, data: &Value) -> String {
    compile(text).text(&Data::from(data)).unwrap()
}

fn fails(text: &str, data: &Value) -> Error {
    compile(text).text(&Data::from(data)).unwrap_err()
}

fn limited(text: &str, data: &Value, limits: Limits) -> Result<String> {
    let options = Options { limits, ..Options::default() };
    Template::compile(text, options)?.text(&Data::from(data))
}

#[test]
fn a_single_expression_keeps_its_type() {
    let data = json!({ "n": 5, "f": 1.0, "list": [1, { "a": null }], "flag": false, "t": "x" });
    for (text, value) in [
        ("{{n}}", json!(5)),
        ("{{{n}}}", json!(5)),
        ("{{~ n ~}}", json!(5)),
        ("{{f}}", json!(1.0)),
        ("{{list}}", json!([1, { "a": null }])),
        ("{{list.1}}", json!({ "a": null })),
        ("{{flag}}", json!(false)),
        ("{{missing}}", json!(null)),
        ("{{eq n 5}}", json!(true)),
        ("{{length list}}", json!(2)),
        ("{{split \"a,b\" \",\"}}", json!(["a", "b"])),
        ("{{lookup (split \"a,b\" \",\") 1}}", json!("b")),
        ("{{default missing list}}", json!([1, { "a": null }])),
        ("{{this}}", data.clone()),
        (" {{n}}", json!(" 5")),
        ("{{n}}{{flag}}", json!("5false")),
        ("{{#if true}}{{n}}{{/if}}", json!("5")),
        ("{{! c }}{{n}}", json!("5")),
        ("{{missing}} ", json!(" ")),
        ("", json!("")),
    ] {
        assert_eq!(compile(text).value(&Data::from(&data)).unwrap(), value, "{text}");
    }
    assert!(compile("{{n}}").is_single() && !compile("{{n}} ").is_single());
}

#[test]
fn plain_text_has_objects_as_json_and_nothing_escaped() {
    let data = json!({
        "html": "<b>&", "object": { "a": [1, "x"] }, "list": [{ "a": 1 }, [2, null], "b"], "nothing": null,
    });
    assert_eq!(render("{{html}} {{{html}}}", &data), "<b>& <b>&");
    assert_eq!(render("{{object}}", &data), "{\"a\":[1,\"x\"]}");
    assert_eq!(render("{{list}}", &data), "{\"a\":1},2,,b");
    assert_eq!(render("{\"a\":{\"b\":{{json object.a}}}}", &data), "{\"a\":{\"b\":[1,\"x\"]}}");
    assert_eq!(render("{{#if nothing}}{{else}}[{{nothing}}]{{/if}}", &data), "[]");
}

#[test]
fn one_level_up_is_one_level_up_whatever_the_data() {
    let data = json!({ "name": "root", "hours": [0, 1], "minutes": [0, 30] });
    let text =
        "{{#each hours}}{{#each ../minutes}}{{..}}:{{this}} {{../../name}} {{/each}}{{/each}}";
    assert_eq!(render(text, &data), "0:0 root 0:30 root 1:0 root 1:30 root ");
}

#[test]
fn whole_numbers_keep_every_digit() {
    let data = json!({ "id": 9_007_199_254_740_993_u64, "big": u64::MAX });
    assert_eq!(render("{{id}} {{big}}", &data), "9007199254740993 18446744073709551615");
    assert_eq!(compile("{{id}}").value(&Data::from(&data)).unwrap(), data["id"]);
}

#[test]
fn indexes_are_written_with_and_without_brackets() {
    let data = json!({ "items": [{ "a": { "0": "zero" } }], "1": ["x"] });
    for text in ["{{items.0.a.0}}", "{{items.[0].a.[0]}}", "{{items/0/a/0}}"] {
        assert_eq!(render(text, &data), "zero", "{text}");
    }
    assert_eq!(render("{{this.1.0}}{{./1.0}}", &data), "xx");
}

#[test]
fn errors_name_line_column_and_remedy() {
    for (text, place, message, hint) in [
        ("a\n  {{#if x}}b", (2, 3), "the block if is never closed", "{{/if}}"),
        ("{{#if x}}a{{/each}}", (1, 11), "\"each\" is closed here, but \"if\" is open", "if first"),
        ("a{{/if}}", (1, 2), "no block is open here", "Leave the tag out"),
        ("a{{else}}", (1, 2), "no block is open here", "open the block"),
        ("{{#if x}}a{{else}}b{{else}}c{{/if}}", (1, 20), "has its {{else}} already", "else if"),
        ("{{^if x}}a{{else if y}}b{{/if}}", (1, 1), "takes no {{else if}}", "unless"),
        ("ä {{name", (1, 3), "this tag is never closed", "}}"),
        ("{{{name}}", (1, 8), "'}' is not expected here", "}}}"),
        ("{{name {{x}}", (1, 8), "a tag begins inside another", "parentheses"),
        ("{{! x", (1, 1), "this comment is never closed", "}}"),
        ("{{!-- x }}", (1, 1), "this comment is never closed", "--}}"),
        ("{{{{raw}}}} x", (1, 1), "this raw block is never closed", "{{{{/name}}}}"),
        ("{{{{raw}}}}x{{{{/row}}}}", (1, 13), "\"row\" is closed here", "raw first"),
        ("{{upper \"x}}", (1, 9), "this text is never closed", "\""),
        ("{{a.[x}}", (1, 5), "this bracket is never closed", "]"),
        ("{{a[0]}}", (1, 4), "'[' is not expected here", "items.[0]"),
        ("{{a.}}", (1, 4), "a name is missing here", "after the dot"),
        ("{{}}", (1, 1), "a name is missing here", "Write one"),
        ("{{a.this}}", (1, 3), "this stands at the beginning", "first"),
        ("{{a b}}", (1, 1), "there is no helper a", "There are eq"),
        ("{{uper name}}", (1, 1), "there is no helper uper", "Did you mean upper?"),
        ("{{upper (trmi name)}}", (1, 9), "there is no helper trmi", "Did you mean trim?"),
        ("{{#ech x y}}{{/ech}}", (1, 1), "there is no helper ech", "Did you mean each?"),
        ("{{log x}}", (1, 1), "there is no helper log", "There are"),
        ("{{if x}}", (1, 1), "if is a block", "{{#if x}}"),
        ("{{#eq a b}}x{{/eq}}", (1, 1), "eq is no block", "{{#if (eq a b)}}"),
        ("{{#if a b}}{{/if}}", (1, 1), "if takes one value, not 2", "(and x y)"),
        ("{{#each}}{{/each}}", (1, 1), "each takes one value, not 0", "{{#each x}}"),
        ("{{#each a b=1}}{{/each}}", (1, 11), "each has no option b", "Leave it out"),
        ("{{#if a zero=1}}{{/if}}", (1, 9), "if has no option zero", "includeZero"),
        ("{{#if a as |b|}}{{/if}}", (1, 1), "if has no value to name", "each and with"),
        ("{{eq a}}", (1, 1), "eq takes 2 values, not 1", "{{eq a b}}"),
        ("{{json a b=1}}", (1, 10), "json has no option b", "indent"),
        ("{{eq a=1 b}}", (1, 10), "a value stands behind name=value", "Values come first"),
        ("{{(upper x)}}", (1, 3), "does not begin with a parenthesis", "{{upper"),
        ("{{upper (trim x}}", (1, 9), "this parenthesis is never closed", ")"),
        ("{{upper x)}}", (1, 10), "no parenthesis is open here", "Leave it out"),
        ("{{x as |y|}}", (1, 5), "names cannot be given here", "each"),
        (
            "{{#each x as ||}}{{/each}}",
            (1, 11),
            "one or two names are expected here",
            "as |item index|",
        ),
        ("{{> header}}", (1, 1), "partials ({{> name}}) are not supported", "earlier step"),
        ("{{#> header}}{{/header}}", (1, 1), "partials", "Write the text here"),
        ("{{* d}}", (1, 1), "decorators", "{{#with}}"),
        ("{{@idnex}}", (1, 4), "there is no variable @idnex", "Did you mean @index?"),
        (
            "{{#each a as |upper|}}{{upper x}}{{/each}}",
            (1, 23),
            "upper is the name of a value",
            "name",
        ),
        ("{{date x \"%\"}}", (1, 1), "the format of date is not understood", "%Y"),
        ("{{date x \"%Y\" tz=\"Mars\"}}", (1, 1), "there is no time zone of that name", "Berlin"),
    ] {
        let error = error(text);
        let details = error.details.clone().unwrap();
        assert_eq!(
            (&details["line"], &details["column"]),
            (&json!(place.0), &json!(place.1)),
            "{text}"
        );
        assert!(error.message.contains(message), "{text}: {error} is not {message}");
        let found = error.hint.unwrap();
        assert!(found.contains(hint), "{text}: {found} is not {hint}");
    }
}

#[test]
fn errors_of_a_rendering_name_the_place_and_none_of_the_data() {
    let data = json!({ "list": ["hunter2"], "text": "hunter2" });
    for (text, column, message) in [
        ("ab {{upper list}}", 4, "upper takes text, not a list"),
        ("{{#each list}}{{truncate this \"x\"}}{{/each}}", 15, "a whole number, not text"),
        ("{{padStart text -1}}", 1, "is negative"),
        ("{{date text}}", 1, "date was given text that is no time"),
        ("{{eq 1 (length true)}}", 8, "a boolean has no length"),
        ("{{json list indent=text}}", 1, "the indent of json"),
        ("{{date 0 text}}{{date 0 \"%Y\" tz=text}}", 16, "no time zone of that name"),
    ] {
        let error = fails(text, &data);
        assert!(error.message.starts_with(&format!("line 1, column {column}: ")), "{error}");
        assert!(error.message.contains(message), "{text}: {error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn what_comes_out_is_bounded() {
    let limits = Limits { output: 100, steps: 10_000 };
    let data = json!({ "a": "x".repeat(60), "n": 1_000_000_000 });
    assert_eq!(limited("{{a}}{{slice a 0 40}}", &data, limits).unwrap().len(), 100);
    for text in [
        "{{a}}{{a}}",
        "{{padStart a n}}",
        "{{replace a \"x\" a}}",
        "{{length (replace a \"x\" a)}}",
        "{{length (join (split a \"\") a)}}",
        "{{json (split a \"\")}}",
    ] {
        let error = limited(text, &data, limits).unwrap_err();
        assert_eq!(error.code, Code::TooLarge, "{text}");
        assert!(error.message.starts_with("line 1, column "), "{error}");
    }
}

#[test]
fn nested_loops_end_with_an_error() {
    let list: Vec<u32> = (0..1_000).collect();
    let data = json!({ "l": list });
    let text = "{{#each l}}{{#each ../l}}{{#each ../../l}}{{/each}}{{/each}}{{/each}}";
    let error = fails(text, &data);
    assert_eq!(error.code, Code::TooLarge);
    assert!(error.message.contains("more than 1000000 steps"), "{error}");
    assert!(error.hint.unwrap().contains("filter the list"));
}

#[test]
fn work_on_large_values_counts() {
    let data = json!({ "l": vec!["y"; 2_000], "t": "z".repeat(100_000) });
    let limits = Limits { steps: 50_000, ..Limits::default() };
    for text in [
        "{{#each l}}{{#if (eq @root.l @root.l)}}{{/if}}{{/each}}",
        "{{#each l}}{{#if (contains @root.l \"x\")}}{{/if}}{{/each}}",
        "{{#each l}}{{#if (contains @root.t \"x\")}}{{/if}}{{/each}}",
        "{{#each l}}{{#if (length @root.t)}}{{/if}}{{/each}}",
        "{{#each l}}{{#if (upper @root.t)}}{{/if}}{{/each}}",
        "{{#each l}}{{#if (json @root.l)}}{{/if}}{{/each}}",
        "{{#each l}}{{#if (join @root.l)}}{{/if}}{{/each}}",
        "{{#each l}}{{#if @root.t.length}}{{/if}}{{/each}}",
        "{{#each l}}{{#if (lookup @root.t 5)}}{{/if}}{{/each}}",
        "{{#each l}}{{#if (lookup @root @root.t)}}{{/if}}{{/each}}",
        "{{#each l}}{{#if (padStart @root.t 1)}}{{/if}}{{/each}}",
        "{{#each l}}{{#if (gt @root.t @root.t)}}{{/if}}{{/each}}",
    ] {
        let code = limited(text, &data, limits).map_err(|error| error.code);
        assert_eq!(code, Err(Code::TooLarge), "{text}");
    }
}

#[test]
fn depth_is_bounded_where_it_is_written() {
    let nest = |open: &str, middle: &str, close: &str, count: usize| {
        format!("{}{middle}{}", open.repeat(count), close.repeat(count))
    };
    let data = json!({ "a": true });
    let call = format!("{{{{upper {}}}}}", nest("(upper ", "\"x\"", ")", 32));
    for (open, close) in [
        ("{{#if @root.a}}", "{{/if}}"),
        ("{{#with @root as |x|}}", "{{/with}}"),
        ("{{#@root.a}}", "{{/@root.a}}"),
        ("{{#each (split \"a\" \",\")}}", "{{/each}}"),
    ] {
        assert_eq!(render(&nest(open, &call, close, 63), &data), "X");
    }
    for text in [
        nest("{{#if a}}", "x", "{{/if}}", 65),
        nest("{{^a}}", "x", "{{/a}}", 10_000),
        format!("{{{{#if b}}}}{}{{{{/if}}}}", "{{else if b}}".repeat(5_000)),
        format!("{{{{upper {}}}}}", nest("(upper ", "a", ")", 5_000)),
        nest("{{#each a}}", "", "", 5_000),
        nest("{{upper (", "", "", 5_000),
    ] {
        assert_eq!(error(&text).code, Code::InvalidInput);
    }
    assert_eq!(error(&"x".repeat(LONGEST + 1)).code, Code::TooLarge);
    let path = format!("{{{{a{}}}}}", ".a".repeat(10_000));
    assert_eq!(render(&path, &data), "");
}

#[test]
fn references_name_what_is_read_and_where() {
    let found = |text: &str| -> Vec<String> {
        let show = |reference: &Reference| {
            let sure = if reference.certain { "" } else { "?" };
            format!("{}{sure}", reference.path)
        };
        compile(text).references().iter().map(show).collect()
    };
    for (text, expected) in [
        ("plain", &[][..]),
        ("{{trigger.payload.a}} {{trigger.payload.a}}", &["trigger.payload.a"]),
        ("{{@root.env.CI}}", &["env.CI"]),
        ("{{this}}", &[""]),
        ("{{json .}}", &[""]),
        ("{{upper (default secrets.a env.b)}}", &["secrets.a", "env.b"]),
        ("{{#if a.b}}{{c.d}}{{else}}{{e}}{{/if}}", &["a.b", "c.d", "e"]),
        (
            "{{#each nodes.fetch.output.items}}{{name}}{{../run.id}}{{this}}{{/each}}",
            &["nodes.fetch.output.items", "run.id"],
        ),
        ("{{#with trigger}}{{payload.a}}{{../x}}{{/with}}", &["trigger", "trigger.payload.a", "x"]),
        (
            "{{#with a as |b|}}{{b.c}}{{#each b.d as |e i|}}{{e.f}}{{i}}{{/each}}{{/with}}",
            &["a", "a.c", "a.d"],
        ),
        ("{{#each a}}{{#each b}}{{../c}}{{../../d}}{{/each}}{{/each}}", &["a", "d"]),
        ("{{#a}}{{b}}{{/a}}", &["a", "a.b?", "b?"]),
        ("{{#a}}{{#b}}{{../c}}{{/b}}{{/a}}", &["a", "a.b?", "b?", "a.c?", "c?"]),
        ("{{lookup nodes.x.output key}}", &["nodes.x.output", "key"]),
        ("{{@index}}{{#each a}}{{@key}}{{/each}}", &["a"]),
        ("{{{{raw}}}}{{a}}{{{{/raw}}}}\\{{b}}", &[]),
        ("{{nodes.[a b].output}}", &["nodes[\"a b\"].output"]),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
    let template = compile("x\n {{a}} {{upper b}}");
    let places: Vec<&str> =
        template.references().iter().map(|reference| reference.place.as_str()).collect();
    assert_eq!(places, ["line 2, column 4", "line 2, column 16"]);
}

#[test]
fn as_handlebars_has_it_a_level_may_be_none() {
    let options = Options { escape: Escape::Html, ..Options::default() };
    let template = Template::compile("{{#each a}}{{#each b}}{{../c}}{{/each}}{{/each}}", options);
    let template = template.unwrap();
    let paths: Vec<String> =
        template.references().iter().map(|reference| reference.path.to_string()).collect();
    assert_eq!(paths, ["a", "c"], "whatever may be read is told");
}

#[test]
fn secrets_are_written_out_and_never_shown() {
    let token = Sensitive::from("hunter2".to_owned());
    let data = Data::object([("secrets", Data::object([("token", Data::secret(&token))]))]);
    let text = |text: &str| compile(text).text(&data).unwrap();
    assert_eq!(text("Bearer {{secrets.token}}"), "Bearer hunter2");
    assert_eq!(text("{{base64 secrets.token}}"), "aHVudGVyMg==");
    assert_eq!(compile("{{secrets.token}}").value(&data).unwrap(), json!("hunter2"));
    // Only who names a secret gets it: written out as a whole, the roots are masked.
    for whole in ["{{this}}", "{{json this}}", "{{secrets}}", "{{json secrets indent=2}}"] {
        assert!(!text(whole).contains("hunter2") && text(whole).contains(MASK), "{whole}");
    }
    assert_eq!(compile("{{secrets}}").value(&data).unwrap(), json!({ "token": MASK }));
}

/// Templates from the grammar, right and wrong.
fn any_template() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "a",
        "b",
        "this",
        ".",
        "..",
        "../a",
        "a.b",
        "a.0",
        "@index",
        "@root.a",
        "@key",
        "\"x\"",
        "1",
        "-2.5",
        "true",
        "null",
        "[x y]",
        "length a",
        "upper b",
        "(eq a b)",
        "(split a \",\")",
        "json this",
        "slice a 1",
        "default a b",
        "join a",
        "date a",
        "a=1",
        "lookup a 0",
        "truncate b 2",
    ]);
    let text = prop::sample::select(vec![
        "",
        " ",
        "\n",
        "x",
        "\\",
        "{",
        "}",
        "ä\u{1f600}",
        "\r\n",
        "\u{feff}",
    ]);
    let tag =
        (word, prop::sample::select(vec!["", "~"]), 0..6_u8).prop_map(|(word, strip, kind)| {
            match kind {
                0 => format!("{{{{{{{word}}}}}}}"),
                1 => format!("{{{{{strip}&{word}{strip}}}}}"),
                2 => format!("{{{{{strip}!{word}}}}}"),
                _ => format!("{{{{{strip}{word}{strip}}}}}"),
            }
        });
    let leaf = prop_oneof![text.prop_map(str::to_owned), tag];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let body = prop::collection::vec(inner, 0..4).prop_map(|parts| parts.concat());
        let name = prop::sample::select(vec![
            ("#if a", "if"),
            ("#unless b", "unless"),
            ("#each a", "each"),
            ("#each this as |a i|", "each"),
            ("#with a.b", "with"),
            ("#a", "a"),
            ("^a", "a"),
            ("#this", "this"),
            ("#each (split b \"\")", "each"),
            ("#if (or a b) includeZero=true", "if"),
            ("#b", "a"),
            ("#each ../a", "each"),
        ]);
        let other = prop::sample::select(vec![
            "",
            "{{else}}",
            "{{~^~}}",
            "{{else if b}}",
            "{{else each a}}",
        ]);
        prop_oneof![
            body.clone(),
            (name, body.clone(), other, body.clone()).prop_map(
                |((open, close), then, other, otherwise)| format!(
                    "{{{{{open}}}}}{then}{other}{otherwise}{{{{/{close}}}}}"
                )
            ),
            body.prop_map(|body| format!("{{{{{{{{raw}}}}}}}}{body}{{{{{{{{/raw}}}}}}}}")),
        ]
    })
}

fn any_data() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(vec!["a", "b", "0", "x y"]), inner), 0..4)
                .prop_map(|fields| {
                    let owned = |(name, value): (&str, Value)| (name.to_owned(), value);
                    Value::Object(fields.into_iter().map(owned).collect())
                }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_compiled_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = Template::compile(&text, Options::default());
    }

    #[test]
    fn any_tags_are_compiled_or_refused(text in "(\\{\\{|\\}\\}|[{}~#/^!&.()|=@\"'\\\\ \n\\[\\]a-c0-1]|else|if|as){0,40}") {
        let _ = Template::compile(&text, Options::default());
    }

    #[test]
    fn rendering_ends_and_is_the_same_each_time(text in any_template(), data in any_data(), html in any::<bool>()) {
        let escape = if html { Escape::Html } else { Escape::None };
        let limits = Limits { output: 10_000, steps: 10_000 };
        if let Ok(template) = Template::compile(&text, Options { escape, limits }) {
            let data = Data::from(&data);
            let first = template.text(&data);
            prop_assert_eq!(first.is_ok(), template.text(&data).is_ok());
            if let Ok(first) = first {
                prop_assert!(first.len() <= limits.output);
                prop_assert_eq!(first, template.text(&data).unwrap());
            }
            let _ = template.value(&data);
        }
    }

    #[test]
    fn what_is_read_is_among_the_references(text in any_template(), data in any_data()) {
        let options = Options { limits: Limits { output: 10_000, steps: 10_000 }, ..Options::default() };
        if let Ok(template) = Template::compile(&text, options) {
            let whole = template.text(&Data::from(&data));
            let part = only_referenced(&data, template.references());
            let from_part = template.text(&Data::from(&part));
            prop_assert_eq!(whole.ok(), from_part.ok(), "{} {:?}", part, template.references());
        }
    }
}

/// The data with all top fields emptied that the template does not say it reads.
fn only_referenced(data: &Value, references: &[Reference]) -> Value {
    if references.iter().any(|reference| reference.path.steps().is_empty()) {
        return data.clone();
    }
    let Value::Object(map) = data else { return data.clone() };
    let named = |name: &str| references.iter().any(|reference| reference.root() == Some(name));
    let keep = |(name, value): (&String, &Value)| (name.clone(), value.clone());
    Value::Object(map.iter().filter(|(name, _)| named(name)).map(keep).collect())
}

#[test]
fn a_template_made_to_be_slow_is_compiled_in_time() {
    let wide = |part: &str| part.repeat(LONGEST / part.len() - 100);
    let numbered =
        |from: usize| (from..from + 20_000).map(|n| format!("{{{{a{n}}}}}")).collect::<String>();
    let begun = std::time::Instant::now();
    for text in [
        wide("{{a}}"),
        numbered(0),
        format!(
            "{{{{#with a{}}}}}{}{{{{/with}}}}",
            ".a".repeat(40_000),
            &numbered(0)[..150_000 / 9 * 9]
        ),
        format!("{{{{eq {}}}}}", wide("a ")),
        format!("{{{{json a {}}}}}", wide("b=1 ")),
        wide("\\{{"),
        wide("{{!--"),
        wide("{{{{a}}}}"),
        wide("{{a.["),
        wide("{{\"\\\""),
        wide("../"),
        format!("{{{{{}}}}}", wide("../")),
        wide("{{#a}}\n"),
        wide(" {{! }} \n"),
    ] {
        let _ = Template::compile(&text, Options::default());
    }
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}
