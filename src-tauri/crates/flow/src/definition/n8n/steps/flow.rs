//! Code, waits, other flows and loops.

use serde_json::{Value, json};

use super::http::resource;
use super::{Made, config, placeholder};
use crate::definition::model::{Call, Graph, LONGEST_MS, NodeKind, port};
use crate::definition::n8n::context::Context;
use crate::definition::n8n::loops::outputs;

/// Names that n8n gives to code, and our code.js does not have.
const HELPERS: [&str; 8] = ["$input", "$json", "items", "$node", "$(", "$now", "$env", "require("];

pub(super) fn code(context: &mut Context<'_>) -> Made {
    if context.text("language").starts_with("python") {
        context.not_mapped("it is written in Python", "Write it in JavaScript, in a code.js node.");
        return placeholder(context);
    }
    let code = [context.text("jsCode"), context.text("functionCode")].concat();
    let used: Vec<&str> = HELPERS.into_iter().filter(|name| code.contains(name)).collect();
    let uses = match used.as_slice() {
        [] => String::new(),
        used => format!("; it uses {}", used.join(", ")),
    };
    context.changed(format!(
        "code gets its data as `input` and returns any JSON, without items and `json` around it{uses}"
    ));
    let input = context.input();
    Made::call("code.js", config([("code", Some(code.into())), ("input", Some(input))]))
}

pub(super) fn wait(context: &mut Context<'_>) -> Made {
    match context.text("resume") {
        "" | "timeInterval" => interval(context),
        "specificTime" => {
            let until = context.value("dateTime");
            Made::call("flow.wait", config([("until", until)]))
        }
        "webhook" => {
            context.changed("the address that ends the wait is another one");
            Made::call("flow.wait", config([("for", Some("webhook".into()))]))
        }
        other => {
            let reason = format!("waiting for a {other} has no counterpart");
            context.not_mapped(reason, "Wait for a webhook or an approval instead.");
            placeholder(context)
        }
    }
}

fn interval(context: &mut Context<'_>) -> Made {
    // The older form counts hours where nothing is said, the newer one seconds.
    let older = context.step().version < 1.1;
    let unit = match context.text("unit") {
        "" if older => "hours",
        "" => "seconds",
        unit => unit,
    };
    let unit_ms = match unit {
        "milliseconds" => 1.0,
        "seconds" => 1_000.0,
        "minutes" => 60_000.0,
        "hours" => 3_600_000.0,
        _ => 86_400_000.0,
    };
    let usual = json!(if older { 1 } else { 5 });
    let Some(amount) = context.get("amount").unwrap_or(&usual).as_f64() else {
        let reason = "how long it waits is computed";
        context.not_mapped(reason, "Give flow.delay a template for its milliseconds.");
        let amount = context.value("amount");
        return Made::call("flow.delay", config([("ms", amount)]));
    };
    let ms = (amount * unit_ms).round().clamp(0.0, LONGEST_MS as f64) as u64;
    Made::call("flow.delay", config([("ms", Some(ms.into()))]))
}

pub(super) fn fail(context: &mut Context<'_>) -> Made {
    let field = match context.text("errorType") {
        "errorObject" => "errorObject",
        _ => "errorMessage",
    };
    let message = context.value(field);
    Made { ports: Vec::new(), ..Made::call("flow.fail", config([("message", message)])) }
}

pub(super) fn subflow(context: &mut Context<'_>) -> Made {
    if !matches!(context.text("source"), "" | "database") {
        context.not_mapped(
            "the workflow that it calls is not stored in n8n",
            "Import that workflow, and choose it here.",
        );
    }
    let id = context.convert_text(resource(context, "workflowId"), "workflowId");
    let input = match context.get("workflowInputs.value").and_then(Value::as_object) {
        Some(fields) if !fields.is_empty() => context.value("workflowInputs.value"),
        _ => Some(context.input()),
    };
    context.not_mapped(
        format!("the workflow {id} has another id here"),
        "Import that workflow too, and choose it here.",
    );
    Made::call("flow.subflow", config([("flowId", Some(id.into())), ("input", input)]))
}

pub(super) fn shell(context: &mut Context<'_>) -> Made {
    context.changed("a command runs only after you have allowed it for this flow");
    let command = context.value("command");
    Made::call("shell.exec", config([("command", command), ("shell", Some(true.into()))]))
}

/// The body is filled in when all nodes are there.
pub(super) fn batches(context: &mut Context<'_>) -> Made {
    let (each, done) = outputs(context.step());
    let mut ports = vec![Vec::new(); 2];
    ports[done].push(port::OUT.to_owned());
    if !context.data.loops.has(context.index) {
        context.not_mapped(
            "what it repeats cannot be told from the rest",
            "Make a flow.loop, and put the nodes that it repeats into its body.",
        );
        ports[each].push("each".to_owned());
        return Made { ports, ..placeholder(context) };
    }
    let size = context.get("batchSize").and_then(Value::as_u64).unwrap_or(1);
    if size != 1 {
        context.changed(format!("its body runs for each item; it ran for {size} at once"));
    }
    let call = Call {
        config: config([("items", Some(context.input()))]),
        body: Some(Graph::default()),
        ..Call::new("flow.loop")
    };
    Made { kind: NodeKind::Action(call), ports, runs: true }
}
