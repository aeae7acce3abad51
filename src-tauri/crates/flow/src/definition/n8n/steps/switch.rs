//! A node that chooses between several outputs.

use serde_json::Value;

use super::{Made, placeholder};
use crate::definition::model::{Branching, Case, NodeKind, port, to_name};
use crate::definition::n8n::conditions;
use crate::definition::n8n::context::Context;
use crate::definition::n8n::workflow::text;

/// What a condition node takes.
const MOST: usize = 100;

pub(super) fn switch(context: &mut Context<'_>) -> Made {
    if context.text("mode") == "expression" {
        let remedy = "Make a condition node with a case for each output.";
        context.not_mapped("the output is computed by an expression", remedy);
        return placeholder(context);
    }
    if context.flag("options.allMatchingOutputs") {
        context.changed("only the first case that holds is taken; all of them were");
    }
    let older = context.step().version < 3.0;
    let list = if older { "rules.rules" } else { "rules.values" };
    let rules: Vec<Value> = context.list(list).take(MOST + 1).cloned().collect();
    if rules.is_empty() || rules.len() > MOST {
        let remedy = "Make a condition node with cases.";
        context.not_mapped(format!("it has no rules, or more than {MOST}"), remedy);
        return placeholder(context);
    }
    let (cases, ports) = ways(context, older, &rules);
    Made { kind: NodeKind::Condition(Branching::Cases(cases)), ports, runs: true }
}

/// A case for each rule, and the ports of each output.
fn ways(context: &mut Context<'_>, older: bool, rules: &[Value]) -> (Vec<Case>, Vec<Vec<String>>) {
    let (mut cases, mut ports) = (Vec::new(), Vec::new());
    for (index, rule) in rules.iter().enumerate() {
        let port = port_for(rule, index, &cases);
        let condition = if older {
            older_condition(context, rule)
        } else {
            let conditions = rule.get("conditions").cloned().unwrap_or_default();
            conditions::convert(context, &conditions, false)
        };
        let output = rule.get("output").and_then(Value::as_u64).filter(|_| older);
        add_port(&mut ports, output.unwrap_or(index as u64), port.clone());
        cases.push(Case { port, condition });
    }
    add_fallback(context, &mut ports);
    (cases, ports)
}

fn port_for(rule: &Value, index: usize, cases: &[Case]) -> String {
    let taken = |port: &str| {
        matches!(port, port::ELSE | port::ERROR) || cases.iter().any(|case| case.port == port)
    };
    to_name(&text(rule, "outputKey").to_lowercase(), &format!("case_{}", index + 1), taken)
}

fn older_condition(context: &mut Context<'_>, rule: &Value) -> Value {
    let kind = match context.text("dataType") {
        "" => "number",
        kind => kind,
    };
    conditions::rule(context, kind, rule)
}

/// Several rules of the older form may share an output. A number that no node has is left out.
fn add_port(ports: &mut Vec<Vec<String>>, output: u64, port: String) {
    let Some(output) = usize::try_from(output).ok().filter(|output| *output <= MOST) else {
        return;
    };
    ports.resize_with(ports.len().max(output + 1), Vec::new);
    ports[output].push(port);
}

/// The output for what fits no rule: one more, or one of the others.
fn add_fallback(context: &Context<'_>, ports: &mut Vec<Vec<String>>) {
    let fallback = context.get("options.fallbackOutput").or_else(|| context.get("fallbackOutput"));
    let otherwise = port::ELSE.to_owned();
    match fallback {
        Some(Value::String(word)) if word == "extra" => ports.push(vec![otherwise]),
        Some(Value::Number(number)) => {
            if let Some(output) = number.as_u64() {
                add_port(ports, output, otherwise);
            }
        }
        _ => {}
    }
}
