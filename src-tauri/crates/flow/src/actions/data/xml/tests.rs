use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::actions::tests::{fails, gives, run};

fn parse(text: &str) -> Value {
    json!({ "operation": "parse", "text": text })
}

fn write(value: Value) -> Value {
    json!({ "operation": "write", "value": value, "declaration": false, "indent": false })
}

fn with(mut config: Value, name: &str, value: Value) -> Value {
    config[name] = value;
    config
}

#[test]
fn elements_become_fields() {
    gives(
        "data.xml",
        &[
            (parse("<a/>"), json!({ "a": "" })),
            (parse("<a> x &amp; &#x79; <![CDATA[<z>]]> </a>"), json!({ "a": "x & y <z>" })),
            (parse("<a x=\"1\"><b>2</b><b/></a>"), json!({ "a": { "@x": "1", "b": ["2", ""] } })),
            (parse("<a x='&lt;&quot;\n'>t</a>"), json!({ "a": { "@x": "<\" ", "#text": "t" } })),
            (parse("<a>one<b/>two</a>"), json!({ "a": { "b": "", "#text": "onetwo" } })),
            (
                parse(
                    "\u{feff}<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ELEMENT a ANY>]>\n\
                     <!-- c --><a:b xmlns:a='u'><?p?></a:b>\n",
                ),
                json!({ "a:b": { "@xmlns:a": "u" } }),
            ),
            (with(parse("<r><i>1</i></r>"), "lists", json!(["i"])), json!({ "r": { "i": ["1"] } })),
            (with(parse("<r/>"), "lists", json!("r")), json!({ "r": [""] })),
            (
                with(parse("<r n='1'><i>1.5</i><i>007</i></r>"), "numbers", json!(true)),
                json!({ "r": { "@n": 1, "i": [1.5, "007"] } }),
            ),
            (
                with(parse("<r> a\r\nb <i> </i>\n</r>"), "trim", json!(false)),
                json!({ "r": { "i": " ", "#text": " a\nb \n" } }),
            ),
            (with(parse("<r>\n<i/>\n</r>"), "trim", json!(false)), json!({ "r": { "i": "" } })),
        ],
    );
}

#[test]
fn fields_become_elements() {
    gives(
        "data.xml",
        &[
            (write(json!({ "a": null })), json!("<a/>")),
            (write(json!({ "a": 1.0 })), json!("<a>1</a>")),
            (
                write(json!({
                    "a": { "b": [1, { "@x": true, "#text": "<t>" }], "@y": "\"\n", "c": [] },
                })),
                json!("<a y=\"&quot;&#10;\"><b>1</b><b x=\"true\">&lt;t&gt;</b></a>"),
            ),
            (write(json!({ "a": { "#text": "t", "b": "" } })), json!("<a>t<b/></a>")),
            (write(json!({ "a": {} })), json!("<a/>")),
            (write(json!({ "a": [{ "@b": "" }] })), json!("<a b=\"\"/>")),
            (
                json!({
                    "operation": "write",
                    "value": { "a": { "b": { "c": 1 }, "d": ["x", ""] } },
                }),
                json!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                     <a>\n  <b>\n    <c>1</c>\n  </b>\n  <d>x</d>\n  <d/>\n</a>\n"
                ),
            ),
        ],
    );
}

#[test]
fn what_is_no_xml_is_told_with_its_line() {
    fails(
        "data.xml",
        &[
            (parse(""), "line 1: this is no XML: there is no element"),
            (parse("<a>\n<b>\n</a>"), "line 3: this is no XML"),
            (parse("<a>\n<b>"), "line 2: this is no XML: the element b is never closed"),
            (parse("<a/><b/>"), "a second root"),
            (parse("<a/>x"), "text outside of the root"),
            (parse("</a>"), "line 1: this is no XML"),
            (parse("<a x=1/>"), "this is no XML"),
            (parse("<a x='1' x='2'/>"), "the attribute x is there twice"),
            (parse("<a>&x;</a>"), "the entity &x; is not known"),
            (parse("<a y='&x;'/>"), "this is no XML"),
            (parse("<a>&#0;</a>"), "this is no XML"),
            (parse("<a>&#8;</a>"), "it holds the character '\\u{8}'"),
            (parse("<1/>"), "\"1\" is no name"),
            (parse("<a <b/>"), "this is no XML"),
            (json!({ "operation": "parse" }), "text is missing"),
        ],
    );
}

#[test]
fn what_xml_cannot_hold_is_told() {
    fails(
        "data.xml",
        &[
            (write(json!({})), "value is not an object with one field"),
            (write(json!({ "a": 1, "b": 2 })), "value is not an object with one field"),
            (write(json!({ "a": [1, 2] })), "value is not an object with one field"),
            (write(json!({ "a": [[1]] })), "a is a list in a list"),
            (write(json!({ "a": { "b c": 1 } })), "\"b c\" cannot be the name of an element"),
            (write(json!({ "a": { "@": 1 } })), "\"\" cannot be the name of an attribute"),
            (write(json!({ "a": { "@b": {} } })), "b is an object, where only text can be"),
            (write(json!({ "a": { "#text": [] } })), "#text is a list, where only text can be"),
            (write(json!({ "a": "\u{1}" })), "a holds '\\u{1}'"),
            (write(json!({ "#text": "x" })), "\"#text\" cannot be the name"),
            (json!({ "operation": "write" }), "value is missing"),
        ],
    );
}

#[test]
fn entities_expand_to_nothing() {
    let bomb = "<!DOCTYPE a [<!ENTITY a \"0123456789\"><!ENTITY b \"&a;&a;&a;&a;\">]><a>&b;</a>";
    let file = "<!DOCTYPE a [<!ENTITY f SYSTEM \"file:///etc/hostname\">]><a>&f;</a>";
    let outside = "<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/x.dtd\"><a>ok</a>";
    fails(
        "data.xml",
        &[
            (parse(bomb), "the entity &b; is not known"),
            (parse(file), "the entity &f; is not known"),
        ],
    );
    gives("data.xml", &[(parse(outside), json!({ "a": "ok" }))]);
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
    let shallow = run("data.xml", parse(&deep(99)));
    assert!(shallow.is_ok());
    let named = json!({ "a": { "x".repeat(100_000): vec![1; 1_000] } });
    fails(
        "data.xml",
        &[
            (parse(&deep(1_000_000)), "nested more than 100 levels"),
            (write(named), "the output is larger than 16 MB"),
        ],
    );
}

#[test]
fn many_attributes_take_no_longer_than_their_length() {
    let attributes: String = (0..200_000).map(|at| format!(" a{at}=''")).collect();
    let read = run("data.xml", parse(&format!("<r{attributes}/>"))).unwrap();
    assert_eq!(read["r"].as_object().unwrap().len(), 200_000);
}

fn text() -> impl Strategy<Value = String> {
    let any = prop_oneof!["[ a-c<>&;\"'\\]\r\n\t-]{1,8}", "\\PC{1,8}"];
    any.prop_filter("XML cannot hold it", |text| super::name::forbidden(text).is_none())
}

fn name() -> impl Strategy<Value = String> {
    "[a-cé_:][a-c0-9.-]{0,2}"
}

/// As reading gives it: no list of less than two, no blank text beside elements.
fn element() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just("".to_owned()), text()].prop_map(Value::from);
    leaf.prop_recursive(3, 24, 4, |inner| {
        let many = prop::collection::vec(inner.clone(), 2..4).prop_map(Value::Array);
        let elements = prop::collection::btree_map(name(), prop_oneof![inner, many], 0..4);
        let attributes = prop::collection::btree_map(name(), text(), 0..3);
        let own = prop::option::of(text().prop_filter("blank", |text| !text.trim().is_empty()));
        (attributes, elements, own).prop_filter_map("a bare text", |(attributes, elements, own)| {
            let mut fields = Map::new();
            fields.extend(
                attributes.into_iter().map(|(name, text)| (format!("@{name}"), text.into())),
            );
            fields.extend(elements);
            let own = own.filter(|_| !fields.is_empty());
            fields.extend(own.map(|text| ("#text".to_owned(), text.into())));
            (!fields.is_empty()).then_some(Value::Object(fields))
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(name in name(), element in element(), indent: bool) {
        let root = json!({ name: element });
        let text = run("data.xml", with(write(root.clone()), "indent", indent.into())).unwrap();
        let config = with(parse(text.as_str().unwrap()), "trim", json!(false));
        // Lines between elements join the text beside them.
        if !indent {
            prop_assert_eq!(run("data.xml", config).unwrap(), root);
        } else {
            prop_assert!(run("data.xml", config).is_ok(), "{text}");
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[<>/!?&;=\"'a-c#\\[\\]x0-9 -]{0,40}") {
        if let Ok(read) = run("data.xml", parse(&text)) {
            let written = run("data.xml", write(read.clone())).unwrap();
            prop_assert_eq!(run("data.xml", parse(written.as_str().unwrap())).unwrap(), read);
        }
    }
}
