//! Dates and checksums.

use serde_json::{Value, json};

use super::{Made, config, placeholder};
use crate::definition::model::to_name;
use crate::definition::n8n::context::Context;

pub(super) fn date(context: &mut Context<'_>) -> Made {
    tell_output(context);
    match operation(context) {
        "formatDate" => format(context),
        "addToDate" => add(context, false),
        "subtractFromDate" => add(context, true),
        "getTimeBetweenDates" => {
            let unit = context.list("units").next().cloned().unwrap_or("day".into());
            let (from, to) = (context.value("startDate"), context.value("endDate"));
            Made::call("date.diff", config([("from", from), ("to", to), ("unit", Some(unit))]))
        }
        "getCurrentDate" => {
            context.changed("the time is that at which the run began");
            Made::call("date.format", config([("date", Some("{{run.startedAt}}".into()))]))
        }
        other => {
            let reason = format!("{other} has no counterpart");
            context.not_mapped(reason, "Compute it in a code.js node.");
            placeholder(context)
        }
    }
}

fn is_older(context: &Context<'_>) -> bool {
    context.step().version < 2.0
}

fn operation<'a>(context: &Context<'a>) -> &'a str {
    match (is_older(context), context.text("action"), context.text("operation")) {
        (true, "calculate", "subtract") => "subtractFromDate",
        (true, "calculate", _) => "addToDate",
        (true, ..) => "formatDate",
        (false, _, "") => "getCurrentDate",
        (false, _, operation) => operation,
    }
}

fn format(context: &mut Context<'_>) -> Made {
    let date = context.value(if is_older(context) { "value" } else { "date" });
    let custom = context.value("customFormat").or_else(|| context.value("toFormat"));
    let format = custom.or_else(|| context.value("format"));
    context.changed("the signs of its date format may differ");
    Made::call("date.format", config([("date", date), ("format", format)]))
}

fn add(context: &mut Context<'_>, subtract: bool) -> Made {
    let date = context.value(if is_older(context) { "value" } else { "magnitude" });
    let amount = context.value("duration").unwrap_or(0.into());
    let amount = match (subtract, amount.as_i64()) {
        (false, _) => amount,
        (true, Some(number)) => number.saturating_neg().into(),
        (true, None) => format!("-{}", amount.as_str().unwrap_or("0")).into(),
    };
    let unit = context.value("timeUnit").unwrap_or("days".into());
    let fields = [("date", date), ("amount", Some(amount)), ("unit", Some(unit))];
    Made::call("date.add", config(fields))
}

/// There, the result is a field beside what came in; here it is the whole output.
fn tell_output(context: &mut Context<'_>) {
    let field = match (context.text("outputFieldName"), context.text("dataPropertyName")) {
        ("", "") => "data",
        ("", field) | (field, _) => field,
    };
    let what = format!("its output is the result itself; it was the field {field}");
    context.changed(what);
}

pub(super) fn crypto(context: &mut Context<'_>) -> Made {
    let algorithm = context.text("type").to_lowercase();
    let algorithm = if algorithm.is_empty() { "md5".to_owned() } else { algorithm };
    let value = context.value("value");
    let encoding = context.value("encoding");
    match context.text("action") {
        "generate" if matches!(context.text("encodingType"), "" | "uuid") => {
            tell_output(context);
            Made::call("crypto.uuid", config([]))
        }
        "hmac" => {
            tell_output(context);
            let secret = secret(context);
            let fields = [
                ("algorithm", Some(algorithm.into())),
                ("value", value),
                ("secret", Some(secret)),
                ("encoding", encoding),
            ];
            Made::call("crypto.hmac", config(fields))
        }
        "" | "hash" => {
            tell_output(context);
            let algorithm = Some(algorithm.into());
            let fields = [("algorithm", algorithm), ("value", value), ("encoding", encoding)];
            Made::call("crypto.hash", config(fields))
        }
        other => {
            let reason = format!("{other} has no counterpart");
            context.not_mapped(reason, "Compute it in a code.js node.");
            without_secret(placeholder(context))
        }
    }
}

/// A secret that stands in the workflow does not go into the flow.
fn secret(context: &mut Context<'_>) -> Value {
    let raw = context.text("secret");
    if raw.starts_with('=') {
        return context.value("secret").unwrap_or_default();
    }
    let name = to_name(&format!("{}_secret", context.step().id), "secret", |_| false);
    context.not_mapped(
        "its secret was not taken over",
        format!("Store it with `devrig secret set {name}`, and make a new one if others saw it."),
    );
    json!(format!("{{{{secrets.{name}}}}}"))
}

fn without_secret(mut made: Made) -> Made {
    if let crate::definition::model::NodeKind::Action(call) = &mut made.kind {
        call.config.retain(|name, _| !matches!(name.as_str(), "secret" | "privateKey"));
    }
    made
}
