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
        return Made::call("data.set", config([("from", input), ("fields", Some(fields))]));
    }
    let mut fields = Map::new();
    for list in ["assignments.assignments", "fields.values"] {
        add_fields(context, list, &mut fields);
    }
    for kind in ["string", "number", "boolean"] {
        add_fields(context, &format!("values.{kind}"), &mut fields);
    }
    let fields = Some(Value::Object(fields));
    Made::call("data.set", config([("from", input), ("fields", fields)]))
}

/// A dot in a name leads into a field, there as here, unless an option says that it does not.
fn add_fields(context: &mut Context<'_>, list: &str, fields: &mut Map<String, Value>) {
    let whole = context.get("options.dotNotation").is_some_and(|dots| *dots == false);
    for entry in context.list(list) {
        let name = text(entry, "name");
        // Between versions the value's field had the name of its type.
        let typed = entry.get(text(entry, "type")).filter(|_| entry.get("value").is_none());
        let value = entry.get("value").or(typed).unwrap_or(&Value::Null);
        if name.is_empty() {
            continue;
        }
        let value = context.convert(value, &format!("{list}.{name}"));
        fields.insert(path_of(name, whole), value);
    }
}

/// The path of a field, which n8n names as JavaScript does. What is no path is one name.
fn path_of(name: &str, whole: bool) -> String {
    match name.parse::<devrig_expr::Path>() {
        Ok(_) if !whole => name.to_owned(),
        _ => devrig_expr::Path::new([devrig_expr::Step::new(name)]).to_string(),
    }
}

pub(super) fn merge(context: &mut Context<'_>) -> Made {
    match (context.text("mode"), context.text("combineBy")) {
        ("" | "append", _) => combine(context, "append"),
        ("combine", "combineByPosition") | ("mergeByIndex", _) => {
            context.changed("it makes one object of several; of lists each pair was made one");
            combine(context, "shallow")
        }
        ("combine", "" | "combineByFields") | ("mergeByKey", _) => join(context),
        ("chooseBranch" | "passThrough" | "wait", _) => {
            let first = inputs(context).into_iter().next();
            whole(first.map_or(Value::Null, Value::from))
        }
        (mode, by) => {
            let how = if by.is_empty() { mode } else { by };
            let reason = format!("merging by {how} has no counterpart");
            context.not_mapped(reason, "Merge in a code.js node.");
            placeholder(context)
        }
    }
}

fn combine(context: &mut Context<'_>, mode: &str) -> Made {
    let inputs = inputs(context);
    Made::call("data.merge", config([("mode", Some(mode.into())), ("inputs", Some(json!(inputs)))]))
}

/// Lists of objects, matched by a field of each.
fn join(context: &mut Context<'_>) -> Made {
    let pairs: Vec<&Value> = context.list("mergeByFields.values").collect();
    let named = names(context.text("fieldsToMatchString"));
    let on = match (pairs.as_slice(), named.as_slice()) {
        ([pair], _) => json!({ "left": text(pair, "field1"), "right": text(pair, "field2") }),
        ([], [name]) => json!(name),
        _ => {
            let reason = "it matches by several fields, or by none";
            context.not_mapped(reason, "Merge in a code.js node.");
            return placeholder(context);
        }
    };
    let mut inputs = inputs(context);
    let kept = match context.text("joinMode") {
        "" | "keepMatches" => "inner",
        "keepEverything" => "outer",
        "enrichInput1" => "left",
        "enrichInput2" => {
            inputs.reverse();
            "left"
        }
        other => {
            context.not_mapped(
                format!("joining by {other} has no counterpart"),
                "Merge in a code.js node.",
            );
            return placeholder(context);
        }
    };
    let on = match (context.text("joinMode"), &on) {
        ("enrichInput2", Value::Object(on)) => json!({ "left": on["right"], "right": on["left"] }),
        _ => on,
    };
    let fields = [
        ("mode", Some("join".into())),
        ("join", Some(kept.into())),
        ("inputs", Some(json!(inputs))),
        ("on", Some(on)),
    ];
    Made::call("data.merge", config(fields))
}

/// Gives a value as it is.
fn whole(value: Value) -> Made {
    let (language, expression) = (Some("jmespath".into()), Some("@".into()));
    let fields = [("value", Some(value)), ("language", language), ("expression", expression)];
    Made::call("data.transform", config(fields))
}

/// What each wire to it brings, in the order of its inputs.
fn inputs(context: &mut Context<'_>) -> Vec<String> {
    let mut wires = context.data.workflow.incoming(context.index).to_vec();
    wires.sort_by_key(|wire| wire.input);
    let place = |source| context.data.output_from(source, context.index)?.in_template();
    let inputs: Vec<Option<String>> = wires.iter().map(|wire| place(wire.source)).collect();
    if inputs.iter().any(Option::is_none) {
        context.not_mapped("one of its inputs cannot be told", "Add it to `inputs`.");
    }
    inputs.into_iter().flatten().map(|path| format!("{{{{{path}}}}}")).collect()
}

fn names(list: &str) -> Vec<&str> {
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
        let order = if descending { "descending" } else { "ascending" };
        json!({ "path": path_of(text(field, "fieldName"), false), "order": order })
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
    let listed = context.list("fieldsToCompare.fields").map(|field| text(field, "fieldName"));
    let listed: Vec<&str> = listed.collect();
    let by = match (context.text("compare"), context.text("fieldsToCompare")) {
        ("selectedFields", "") => Some(listed),
        ("selectedFields", list) => Some(names(list)),
        _ => None,
    };
    let by = by.map(|by| by.into_iter().map(|name| path_of(name, false)).collect());
    Made::call("data.dedupe", config([("items", Some(context.input())), ("by", by)]))
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
        let name = if into.is_empty() { from } else { into };
        (name.to_owned(), json!({ "op": "list", "path": path_of(from, false) }))
    });
    let collect = Value::Object(collect.collect());
    Made::call("data.aggregate", config([("items", input), ("compute", Some(collect))]))
}

/// A list that lies in a field. Lists need not be taken apart here.
pub(super) fn split(context: &mut Context<'_>) -> Made {
    context.changed("it gives one list; what follows runs once, so put it into a flow.loop");
    let field = context.text("fieldToSplitOut").to_owned();
    if field.contains(',') {
        context.not_mapped("it takes several fields apart at once", "Name one of them.");
    }
    whole(field_of_input(context, field.split(',').next().unwrap_or_default().trim()))
}

pub(super) fn xml(context: &mut Context<'_>) -> Made {
    let write = context.text("mode") == "jsonToxml";
    let field = context.text("dataPropertyName");
    let field = if field.is_empty() { "data" } else { field };
    let input = field_of_input(context, if write { "" } else { field });
    let (operation, given) = if write { ("write", "value") } else { ("parse", "text") };
    Made::call("data.xml", config([("operation", Some(operation.into())), (given, Some(input))]))
}

/// A field of what comes in, by name. A text that a request brought was its field `data`; here
/// it is the body itself.
fn field_of_input(context: &mut Context<'_>, field: &str) -> Value {
    match field {
        "" => context.input(),
        "data" if context.data.is_answer(context.index) => context.input(),
        field => {
            let raw = format!("={{{{ $json{} }}}}", steps(field));
            context.convert(&raw.into(), "dataPropertyName")
        }
    }
}

/// A dotted name as the steps of a JavaScript expression.
fn steps(field: &str) -> String {
    match field.parse::<devrig_expr::Path>() {
        Ok(path) => path.steps().iter().map(|step| format!("[{}]", json!(step.name()))).collect(),
        Err(_) => format!("[{}]", json!(field)),
    }
}

pub(super) fn html(context: &mut Context<'_>) -> Made {
    if !matches!(context.text("operation"), "" | "extractHtmlContent") {
        let reason = format!("{} has no counterpart", context.text("operation"));
        context.not_mapped(reason, "Write the page as a template in data.set.");
        return placeholder(context);
    }
    let mut fields = Map::new();
    for value in context.list("extractionValues.values") {
        let (get, attribute) = match text(value, "returnValue").trim_start_matches('=') {
            "attribute" => (None, Some(text(value, "attribute"))),
            "value" => (None, Some("value")),
            "html" => (Some("html"), None),
            _ => (Some("text"), None),
        };
        let entry = config([
            ("selector", Some(text(value, "cssSelector").into())),
            ("get", get.map(Value::from)),
            ("attribute", attribute.map(Value::from)),
            ("all", value.get("returnArray").filter(|all| **all == true).cloned()),
        ]);
        fields.insert(text(value, "key").to_owned(), Value::Object(entry));
    }
    let field = context.text("dataPropertyName");
    let input = field_of_input(context, if field.is_empty() { "data" } else { field });
    let fields = Some(Value::Object(fields));
    Made::call("data.html", config([("html", Some(input)), ("fields", fields)]))
}
