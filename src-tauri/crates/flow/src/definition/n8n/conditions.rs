//! The conditions of If, Switch and Filter nodes in the condition language. There are two forms:
//! the present one, a list with operators, and the older one, lists by type.

use serde_json::{Value, json};

use super::context::Context;
use super::expression::Meaning;
use super::workflow::text;

/// Conditions that are joined, of either form. What has no counterpart is reported and stays in
/// the flow as it was, where the checks refuse it.
pub(super) fn convert(context: &mut Context<'_>, conditions: &Value, any: bool) -> Value {
    if let Some(list) = conditions.get("conditions").and_then(Value::as_array) {
        note_options(context, conditions);
        let any = text(conditions, "combinator") == "or";
        let parts = list.iter().map(|condition| present(context, condition)).collect();
        return join(parts, any);
    }
    let mut parts = Vec::new();
    for (kind, list) in conditions.as_object().into_iter().flatten() {
        for condition in list.as_array().into_iter().flatten() {
            let (left, right) = (condition.get("value1"), condition.get("value2"));
            let operation = operation_of(condition, kind);
            parts.push(compare(context, left, (kind, operation), right));
        }
    }
    join(parts, any)
}

/// One comparison of a switch in its older form.
pub(super) fn rule(context: &mut Context<'_>, kind: &str, rule: &Value) -> Value {
    let left = context.get("value1");
    compare(context, left, (kind, operation_of(rule, kind)), rule.get("value2"))
}

fn operation_of<'a>(condition: &'a Value, kind: &str) -> &'a str {
    match text(condition, "operation") {
        "" if kind == "number" => "smaller",
        "" => "equal",
        operation => operation,
    }
}

fn note_options(context: &mut Context<'_>, conditions: &Value) {
    let options = conditions.get("options").unwrap_or(&Value::Null);
    if options.get("caseSensitive").and_then(Value::as_bool) == Some(false) {
        context.changed("texts are compared with their capitals; they were compared without");
    }
    if text(options, "typeValidation") == "loose" || context.flag("looseTypeValidation") {
        context.changed("values of different types are never equal; they were converted before");
    }
}

fn join(mut parts: Vec<Value>, any: bool) -> Value {
    match parts.len() {
        1 => parts.remove(0),
        _ => json!({ "type": if any { "or" } else { "and" }, "conditions": parts }),
    }
}

fn present(context: &mut Context<'_>, condition: &Value) -> Value {
    let operator = condition.get("operator").unwrap_or(&Value::Null);
    let how = (text(operator, "type"), text(operator, "operation"));
    compare(context, condition.get("leftValue"), how, condition.get("rightValue"))
}

fn compare(
    context: &mut Context<'_>,
    left: Option<&Value>,
    (kind, operation): (&str, &str),
    right: Option<&Value>,
) -> Value {
    let operands = operand(context, left, kind).zip(operand(context, right, kind));
    let made = operands.and_then(|(left, right)| make(left, (kind, operation), right));
    made.unwrap_or_else(|| {
        let reason =
            format!("the comparison \"{operation}\" of {kind} has no counterpart as it is");
        context.not_mapped(reason, "Write the condition anew.");
        let (left, right) = (left.cloned(), right.cloned());
        json!({ "type": "n8n", "operation": operation, "left": left, "right": right })
    })
}

/// What stands on one side: a reference, or a literal of the type that is compared.
fn operand(context: &Context<'_>, value: Option<&Value>, kind: &str) -> Option<Value> {
    let Some(Value::String(raw)) = value else {
        return Some(literal(value.cloned().unwrap_or_default()));
    };
    if !raw.starts_with('=') {
        return Some(literal(typed(raw, kind)));
    }
    match context.meaning(raw)? {
        Meaning::Value(path) => Some(path.in_condition()),
        Meaning::Literal(Value::String(text)) => Some(literal(typed(&text, kind))),
        Meaning::Literal(other) => Some(literal(other)),
        Meaning::Json(_) | Meaning::Default(..) => None,
    }
}

fn literal(value: Value) -> Value {
    json!({ "type": "literal", "value": value })
}

/// n8n keeps numbers and truth values as texts where they were typed into a field.
fn typed(text: &str, kind: &str) -> Value {
    let other = match kind {
        "number" => serde_json::from_str(text).ok().filter(Value::is_number),
        "boolean" => serde_json::from_str(text).ok().filter(Value::is_boolean),
        _ => None,
    };
    other.unwrap_or_else(|| text.into())
}

fn make(left: Value, (kind, operation): (&str, &str), right: Value) -> Option<Value> {
    let compared = |operator: &str, right: &Value| json!({ "type": "compare", "left": left, "operator": operator, "right": right });
    let exists = || json!({ "type": "exists", "ref": left });
    let not = |condition: Value| json!({ "type": "not", "condition": condition });
    let empty = || {
        let nothing = match kind {
            "array" => json!([]),
            "object" => json!({}),
            _ => json!(""),
        };
        let parts = [not(exists()), compared("eq", &literal(nothing))];
        json!({ "type": "or", "conditions": parts })
    };
    let matches = || {
        let pattern = pattern_of(right["value"].as_str()?)?;
        Some(json!({ "type": "matches", "ref": left, "pattern": pattern }))
    };
    // Times are texts here, and only equal ones can be compared as such.
    if kind == "dateTime" && !matches!(operation, "exists" | "notExists" | "empty" | "notEmpty") {
        return None;
    }
    Some(match operation {
        "equals" | "equal" => compared("eq", &right),
        "notEquals" | "notEqual" => compared("neq", &right),
        "contains" => compared("contains", &right),
        "notContains" => not(compared("contains", &right)),
        "startsWith" => compared("startsWith", &right),
        "notStartsWith" => not(compared("startsWith", &right)),
        "endsWith" => compared("endsWith", &right),
        "notEndsWith" => not(compared("endsWith", &right)),
        "gt" | "larger" => compared("gt", &right),
        "gte" | "largerEqual" => compared("gte", &right),
        "lt" | "smaller" => compared("lt", &right),
        "lte" | "smallerEqual" => compared("lte", &right),
        "true" => compared("eq", &literal(true.into())),
        "false" => compared("eq", &literal(false.into())),
        "exists" => exists(),
        "notExists" => not(exists()),
        "empty" | "isEmpty" => empty(),
        "notEmpty" | "isNotEmpty" => not(empty()),
        "regex" => matches()?,
        "notRegex" => not(matches()?),
        _ => return None,
    })
}

/// `/…/` is how a pattern may be written there; one with flags has no counterpart.
fn pattern_of(text: &str) -> Option<String> {
    let inside = text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
    match inside {
        None => Some(text.to_owned()),
        Some((pattern, "")) => Some(pattern.to_owned()),
        Some((pattern, "i")) => Some(format!("(?i){pattern}")),
        Some(_) => None,
    }
}
