//! Work on data.

use serde_json::{Map, Value, json};

use super::{Made, config, placeholder};
use crate::definition::n8n::context::Context;
use crate::definition::n8n::workflow::text;

/// Fields by name. There are three forms: lists by type, one list, and the present one.
pub(super) fn set(context: &mut Context<'_>) -> Made {
    let keep = match context.step().version {
        version if version < 3.0 => !context.flag("keepOnlySet"),
        version if version < 3.3 => !matches!(context.text("include"), "none"),
        _ => context.flag("includeOtherFields"),
    };
    if matches!(context.text("include"), "selected" | "except") {
        context.changed("all other fields are kept; only some of them were");
    }
    let input = keep.then(|| context.input());
    if context.text("mode") == "raw" {
        let raw = context.text("jsonOutput");
        let fields = match serde_json::from_str::<Value>(raw) {
            Ok(value) => context.convert(&value, "jsonOutput"),
            Err(_) => context.value("jsonOutput").unwrap_or_default(),
        };
        return Made::call("data.set", config([("input", input), ("fields", Some(fields))]));
    }
    let mut fields = Map::new();
    for list in ["assignments.assignments", "fields.values"] {
        add_fields(context, list, &mut fields);
    }
    for kind in ["string", "number", "boolean"] {
        add_fields(context, &format!("values.{kind}"), &mut fields);
    }
    let fields = Some(Value::Object(fields));
    Made::call("data.set", config([("input", input), ("fields", fields)]))
}

fn add_fields(context: &mut Context<'_>, list: &str, fields: &mut Map<String, Value>) {
    for entry in context.list(list) {
        let name = text(entry, "name");
        // Between versions the value's field had the name of its type.
        let typed = entry.get(text(entry, "type")).filter(|_| entry.get("value").is_none());
        let value = entry.get("value").or(typed).unwrap_or(&Value::Null);
        if name.is_empty() {
            continue;
        }
        if name.contains('.') {
            context
                .changed(format!("the field {name} has a dot in its name, and is one field here"));
        }
        let value = context.convert(value, &format!("{list}.{name}"));
        fields.insert(name.to_owned(), value);
    }
}

pub(super) fn merge(context: &mut Context<'_>) -> Made {
    let mode = match (context.text("mode"), context.text("combineBy")) {
        ("" | "append", _) => "append",
        ("combine", "combineByPosition") | ("mergeByIndex", _) => "position",
        ("combine", "combineAll") | ("multiplex", _) => "all",
        ("combine", "" | "combineByFields") | ("mergeByKey", _) => "fields",
        ("chooseBranch" | "passThrough" | "wait", _) => "first",
        (other, _) => {
            let reason = format!("merging by {other} has no counterpart");
            context.not_mapped(reason, "Merge in a code.js node.");
            return placeholder(context);
        }
    };
    let on = context.text("fieldsToMatchString");
    let fields = match context.list("mergeByFields.values").next() {
        Some(pair) if text(pair, "field1") != text(pair, "field2") => {
            context
                .not_mapped("it matches two fields of different names", "Merge in a code.js node.");
            None
        }
        Some(pair) => Some(json!([text(pair, "field1")])),
        None => (!on.is_empty()).then(|| names(on)),
    };
    let inputs = inputs(context);
    Made::call(
        "data.merge",
        config([("mode", Some(mode.into())), ("inputs", Some(inputs)), ("fields", fields)]),
    )
}

/// What each wire to it brings, in the order of its inputs.
fn inputs(context: &mut Context<'_>) -> Value {
    let mut wires = context.data.workflow.incoming(context.index).to_vec();
    wires.sort_by_key(|wire| wire.input);
    let place = |source| context.data.output_from(source, context.index)?.in_template();
    let inputs: Vec<Option<String>> = wires.iter().map(|wire| place(wire.source)).collect();
    if inputs.iter().any(Option::is_none) {
        context.not_mapped("one of its inputs cannot be told", "Add it to `inputs`.");
    }
    inputs.into_iter().flatten().map(|path| format!("{{{{{path}}}}}")).collect()
}

fn names(list: &str) -> Value {
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}

pub(super) fn sort(context: &mut Context<'_>) -> Made {
    if !matches!(context.text("type"), "" | "simple") {
        let reason = format!("sorting by {} has no counterpart", context.text("type"));
        context.not_mapped(reason, "Sort in a code.js node.");
        return placeholder(context);
    }
    let fields = context.list("sortFieldsUi.sortField").map(|field| {
        let descending = text(field, "order") == "descending";
        json!({ "field": text(field, "fieldName"), "order": if descending { "desc" } else { "asc" } })
    });
    let by = Value::Array(fields.collect());
    Made::call("data.sort", config([("items", Some(context.input())), ("by", Some(by))]))
}

pub(super) fn limit(context: &mut Context<'_>) -> Made {
    let count = context.value("maxItems").unwrap_or(1.into());
    let from = (context.text("keep") == "lastItems").then(|| "end".into());
    Made::call(
        "data.limit",
        config([("items", Some(context.input())), ("count", Some(count)), ("from", from)]),
    )
}

pub(super) fn dedupe(context: &mut Context<'_>) -> Made {
    if context.text("operation") == "removeItemsSeenInPreviousExecutions" {
        context.not_mapped(
            "it remembers the items of earlier runs",
            "Use a polling trigger, which only fires for what is new.",
        );
        return placeholder(context);
    }
    if context.text("compare") == "allFieldsExcept" {
        context.not_mapped("it compares all fields but some", "Name the fields that count.");
    }
    let listed =
        context.list("fieldsToCompare.fields").map(|field| text(field, "fieldName").into());
    let listed: Vec<Value> = listed.collect();
    let fields = match (context.text("compare"), context.text("fieldsToCompare")) {
        ("selectedFields", "") => Some(Value::Array(listed)),
        ("selectedFields", list) => Some(names(list)),
        _ => None,
    };
    Made::call("data.dedupe", config([("items", Some(context.input())), ("fields", fields)]))
}

pub(super) fn aggregate(context: &mut Context<'_>) -> Made {
    let input = Some(context.input());
    if context.text("aggregate") == "aggregateAllItemData" {
        let field = match context.text("destinationFieldName") {
            "" => "data",
            field => field,
        };
        let fields = json!({ field: input });
        return Made::call("data.set", config([("fields", Some(fields))]));
    }
    let collect = context.list("fieldsToAggregate.fieldToAggregate").map(|field| {
        let from = text(field, "fieldToAggregate");
        let into = text(field, "outputFieldName");
        json!({ "field": from, "operation": "list", "as": if into.is_empty() { from } else { into } })
    });
    let collect = Value::Array(collect.collect());
    Made::call("data.aggregate", config([("items", input), ("values", Some(collect))]))
}

pub(super) fn split(context: &mut Context<'_>) -> Made {
    context.changed("it gives one list; what follows runs once, so put it into a flow.loop");
    let field = context.value("fieldToSplitOut");
    Made::call("data.split", config([("input", Some(context.input())), ("field", field)]))
}

pub(super) fn xml(context: &mut Context<'_>) -> Made {
    let write = context.text("mode") == "jsonToxml";
    let field = context.text("dataPropertyName");
    let field = if field.is_empty() { "data" } else { field };
    let input = field_of_input(context, if write { "" } else { field });
    let operation = if write { "stringify" } else { "parse" };
    Made::call("data.xml", config([("operation", Some(operation.into())), ("input", Some(input))]))
}

/// A field of what comes in, by name. A text that a request brought was its field `data`; here
/// it is the body itself.
fn field_of_input(context: &mut Context<'_>, field: &str) -> Value {
    match field {
        "" => context.input(),
        "data" if context.data.is_answer(context.index) => context.input(),
        field => {
            let raw = format!("={{{{ $json[{}] }}}}", json!(field));
            context.convert(&raw.into(), "dataPropertyName")
        }
    }
}

pub(super) fn html(context: &mut Context<'_>) -> Made {
    if !matches!(context.text("operation"), "" | "extractHtmlContent") {
        let reason = format!("{} has no counterpart", context.text("operation"));
        context.not_mapped(reason, "Write the page as a template in data.set.");
        return placeholder(context);
    }
    let mut extract = Map::new();
    for value in context.list("extractionValues.values") {
        let kind = match text(value, "returnValue") {
            "" => "text",
            kind => kind.trim_start_matches('='),
        };
        let attribute = (kind == "attribute").then(|| text(value, "attribute").into());
        let entry = config([
            ("selector", Some(text(value, "cssSelector").into())),
            ("take", Some(kind.into())),
            ("attribute", attribute),
            ("all", value.get("returnArray").filter(|all| **all == true).cloned()),
        ]);
        extract.insert(text(value, "key").to_owned(), Value::Object(entry));
    }
    let field = context.text("dataPropertyName");
    let input = field_of_input(context, if field.is_empty() { "data" } else { field });
    let extract = Some(Value::Object(extract));
    Made::call("data.html", config([("input", Some(input)), ("extract", extract)]))
}
