//! Requests and answers.

use serde_json::{Map, Value};

use super::{Made, config};
use crate::definition::model::to_name;
use crate::definition::n8n::context::Context;
use crate::definition::n8n::workflow::text;

pub(super) fn request(context: &mut Context<'_>) -> Made {
    let method = context.value("method").or_else(|| context.value("requestMethod"));
    let mut headers = pairs(context, "Headers", "headerParameters");
    hide_secrets(context, &mut headers);
    authenticate(context, &mut headers);
    let query = pairs(context, "Query", "queryParameters");
    let body = body(context, &mut headers);
    let config = config([
        ("method", method),
        ("url", context.value("url")),
        ("query", some(query)),
        ("headers", some(headers)),
        ("body", body),
        ("timeoutMs", context.value("options.timeout")),
    ]);
    tell_options(context);
    Made::call("http.request", config)
}

fn some(map: Map<String, Value>) -> Option<Value> {
    (!map.is_empty()).then_some(Value::Object(map))
}

/// Headers or the query: as pairs, or as one JSON object. Before version 3 they had other names.
fn pairs(context: &mut Context<'_>, what: &str, list: &str) -> Map<String, Value> {
    if context.step().version < 3.0 {
        return context.pairs(&format!("{list}Ui.parameter"));
    }
    if !context.flag(&format!("send{what}")) {
        return Map::new();
    }
    if context.text(&format!("specify{what}")) != "json" {
        return context.pairs(&format!("{list}.parameters"));
    }
    let field = format!("json{what}");
    match json_text(context, &field) {
        Some(Value::Object(map)) => map,
        _ => {
            let reason = format!("its {field} is no JSON object until it runs");
            context.not_mapped(reason, "Write each of them as a field.");
            Map::new()
        }
    }
}

/// A text that holds JSON: read where it is JSON already, else kept as a template.
fn json_text(context: &mut Context<'_>, field: &str) -> Option<Value> {
    let raw = context.text(field);
    let plain = raw.strip_prefix('=').unwrap_or(raw);
    match serde_json::from_str::<Value>(plain) {
        Ok(value) if raw.starts_with('=') => Some(with_expressions(context, &value, field)),
        Ok(value) => Some(context.convert(&value, field)),
        Err(_) => context.value(field),
    }
}

/// The texts of a JSON text with expressions have them without a `=` each.
fn with_expressions(context: &mut Context<'_>, value: &Value, path: &str) -> Value {
    match value {
        Value::String(text) => context.convert(&format!("={text}").into(), path),
        Value::Array(values) => {
            values.iter().map(|value| with_expressions(context, value, path)).collect()
        }
        Value::Object(map) => {
            let each = map.iter();
            let each =
                each.map(|(name, value)| (name.clone(), with_expressions(context, value, path)));
            Value::Object(each.collect())
        }
        other => other.clone(),
    }
}

fn body(context: &mut Context<'_>, headers: &mut Map<String, Value>) -> Option<Value> {
    if context.step().version < 3.0 {
        return match context.flag("jsonParameters") {
            true => json_text(context, "bodyParametersJson"),
            false => some(context.pairs("bodyParametersUi.parameter")),
        };
    }
    if !context.flag("sendBody") {
        return None;
    }
    match (context.text("contentType"), context.text("specifyBody")) {
        ("" | "json", "json") => json_text(context, "jsonBody"),
        ("" | "json", _) => some(context.pairs("bodyParameters.parameters")),
        ("raw", _) => {
            set_type(headers, context.text("rawContentType"));
            context.value("body")
        }
        ("form-urlencoded", how) => {
            set_type(headers, "application/x-www-form-urlencoded");
            match how {
                "string" => context.value("body"),
                _ => some(context.pairs("bodyParameters.parameters")),
            }
        }
        (kind, _) => {
            let reason = format!("a body of the kind {kind} has no counterpart");
            context.not_mapped(reason, "Build the body in a node before, or send it as JSON.");
            None
        }
    }
}

fn set_type(headers: &mut Map<String, Value>, kind: &str) {
    let is_there = headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
    if !kind.is_empty() && !is_there {
        headers.insert("content-type".to_owned(), kind.into());
    }
}

/// Credentials never leave n8n with an export. A token becomes a header that names a secret.
fn authenticate(context: &mut Context<'_>, headers: &mut Map<String, Value>) {
    let kind = match context.text("authentication") {
        "" | "none" => return,
        "genericCredentialType" => context.text("genericAuthType"),
        "predefinedCredentialType" => context.text("nodeCredentialType"),
        older => older,
    };
    if kind == "httpBearerAuth" {
        let secret = to_name(&format!("{}_token", context.step().id), "token", |_| false);
        headers
            .insert("authorization".to_owned(), format!("Bearer {{{{secrets.{secret}}}}}").into());
        context.not_mapped(
            "its token is not part of the export",
            format!("Store the token with `devrig secret set {secret}`."),
        );
        return;
    }
    context.not_mapped(
        format!("its credentials ({kind}) are not part of the export"),
        "Store what is needed with `devrig secret set`, and name it as {{secrets.NAME}} in a header.",
    );
}

/// Headers whose values let somebody in.
const SECRET_HEADERS: [&str; 6] =
    ["authorization", "x-api-key", "api-key", "apikey", "x-auth-token", "private-token"];

/// A secret that stands in the workflow does not go into the flow.
fn hide_secrets(context: &mut Context<'_>, headers: &mut Map<String, Value>) {
    for (name, value) in headers {
        let plain = value.as_str().is_some_and(|text| !text.is_empty() && !text.contains("{{"));
        if !plain || !SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            continue;
        }
        let secret =
            to_name(&format!("{}_{}", context.step().id, name.to_lowercase()), "secret", |_| false);
        *value = format!("{{{{secrets.{secret}}}}}").into();
        context.not_mapped(
            format!("the value of its header {name} was not taken over: it is a secret"),
            format!("Store the whole value with `devrig secret set {secret}`."),
        );
    }
}

fn tell_options(context: &mut Context<'_>) {
    let Some(options) = context.get("options").and_then(Value::as_object) else { return };
    let left: Vec<&str> =
        options.keys().map(String::as_str).filter(|name| *name != "timeout").collect();
    if !left.is_empty() {
        context.changed(format!("its options were left out: {}", left.join(", ")));
    }
}

pub(super) fn graphql(context: &mut Context<'_>) -> Made {
    let variables = json_text(context, "variables").filter(|value| value != "");
    let mut headers = context.pairs("headerParametersUi.parameter");
    authenticate(context, &mut headers);
    let config = config([
        ("url", context.value("endpoint")),
        ("query", context.value("query")),
        ("variables", variables),
        ("headers", some(headers)),
    ]);
    Made::call("http.graphql", config)
}

pub(super) fn respond(context: &mut Context<'_>) -> Made {
    let mut headers = context.pairs("options.responseHeaders.entries");
    let (mut status, mut body) = (context.value("options.responseCode"), None);
    match context.text("respondWith") {
        "json" => body = json_text(context, "responseBody"),
        "text" => body = context.value("responseBody"),
        "noData" => {}
        "redirect" => {
            headers.insert("location".to_owned(), context.value("redirectURL").unwrap_or_default());
            status = status.or(Some(302.into()));
        }
        "" | "firstIncomingItem" | "allIncomingItems" => body = Some(context.input()),
        other => {
            let reason = format!("answering with {other} has no counterpart");
            context.not_mapped(reason, "Give the body as a text or as JSON.");
        }
    }
    let config = config([("status", status), ("headers", some(headers)), ("body", body)]);
    Made::call("http.respond", config)
}

/// The id of a workflow, which newer exports keep in an object.
pub(super) fn resource<'a>(context: &Context<'a>, field: &str) -> &'a str {
    match context.get(field) {
        Some(object @ Value::Object(_)) => text(object, "value"),
        _ => context.text(field),
    }
}
