//! Dates and checksums.

mod signs;

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
        "getTimeBetweenDates" => diff(context),
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
    let written = ["customFormat", "toFormat", "format"].map(|field| context.text(field));
    let written = written.into_iter().find(|text| !matches!(*text, "" | "custom"));
    let format = match written.map(|text| (text, signs::of(text))) {
        None => None,
        Some((_, Some(format))) => Some(format),
        Some((text, None)) => {
            let reason = format!("the date format {text} has no counterpart");
            context.not_mapped(reason, "Write it as strftime does, such as %d.%m.%Y.");
            None
        }
    };
    Made::call("date.format", config([("date", date), ("format", format.map(Value::from))]))
}

/// Units of time, in the plural that actions want.
const UNITS: [&str; 8] =
    ["years", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds"];

fn unit(name: &str) -> Option<&'static str> {
    UNITS.into_iter().find(|unit| *unit == name || unit.strip_suffix('s') == Some(name))
}

fn diff(context: &mut Context<'_>) -> Made {
    let named = context.list("units").next().and_then(Value::as_str).unwrap_or("day");
    let Some(unit) = unit(named) else { return no_unit(context, named) };
    let (from, to) = (context.value("startDate"), context.value("endDate"));
    Made::call("date.diff", config([("from", from), ("to", to), ("unit", Some(unit.into()))]))
}

fn add(context: &mut Context<'_>, subtract: bool) -> Made {
    let date = context.value(if is_older(context) { "value" } else { "magnitude" });
    let named = match context.text("timeUnit") {
        "" => "days",
        named => named,
    };
    // A quarter is three months.
    let (unit, times) = match (named, unit(named)) {
        ("quarters", _) => ("months", 3),
        (_, Some(unit)) => (unit, 1),
        (_, None) => return no_unit(context, named),
    };
    let sign = if subtract { -times } else { times };
    let amount = match context.value("duration").unwrap_or(0.into()) {
        Value::Number(number) => number.as_i64().unwrap_or_default().saturating_mul(sign).into(),
        computed if sign == 1 => computed,
        _ => {
            let reason = "how much is taken away is computed";
            context.not_mapped(reason, "Compute the negative number before, and name it in `add`.");
            Value::Null
        }
    };
    let add = json!({ unit: amount });
    Made::call("date.add", config([("date", date), ("add", Some(add))]))
}

fn no_unit(context: &mut Context<'_>, named: &str) -> Made {
    let reason = format!("the unit of time {named} has no counterpart, or is computed");
    context.not_mapped(reason, "Choose one of years to milliseconds in a date node.");
    placeholder(context)
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
    let known = ["sha256", "sha384", "sha512", "sha1", "md5"].contains(&algorithm.as_str());
    let mut fields = vec![
        ("algorithm", Some(algorithm.into())),
        ("text", context.value("value")),
        ("output", context.value("encoding")),
    ];
    match context.text("action") {
        "generate" if matches!(context.text("encodingType"), "" | "uuid") => {
            tell_output(context);
            Made::call("crypto.uuid", config([]))
        }
        "hmac" if known => {
            tell_output(context);
            fields.push(("key", Some(secret(context))));
            Made::call("crypto.hmac", config(fields))
        }
        "" | "hash" if known => {
            tell_output(context);
            Made::call("crypto.hash", config(fields))
        }
        other => {
            let what = if known { other } else { context.text("type") };
            context
                .not_mapped(format!("{what} has no counterpart"), "Compute it in a code.js node.");
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
