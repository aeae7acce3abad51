//! Expressions.

use std::process::ExitCode;

use devrig_core::Result;
use devrig_engine::api::expr::{
    CronNextArgs, Explanation, ExprAnswer, ExprEvalArgs, ExprHelper, ExprLang, ExprReference,
    ExprTerm,
};
use devrig_engine::{Api, NoArgs};
use serde_json::{Value, json};

use crate::args::{Expr, Lang};
use crate::input;
use crate::output::{Output, brief, table};

pub async fn run(command: Expr, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Expr::Eval { lang, expression, input } => {
            let input = match input {
                Some(file) => input::json_in(&file)?,
                None => json!({}),
            };
            let lang = match lang {
                Lang::Template => ExprLang::Template,
                Lang::Condition => ExprLang::Condition,
                Lang::Jsonpath => ExprLang::Jsonpath,
                Lang::Jmespath => ExprLang::Jmespath,
            };
            let answer = api.expr_eval(ExprEvalArgs { lang, expression, input }).await?;
            output.show(&answer, people)
        }
        Expr::Helpers => output.show(&api.expr_reference(NoArgs {}).await?, reference),
        Expr::CronNext { expression, tz: zone, from, count } => {
            let from = from.map(|from| from.parse()).transpose()?;
            let args = CronNextArgs { expression, zone, from, count: Some(count) };
            let times = api.expr_cron_next(args).await?;
            output.show(&times, |times| {
                let lines: Vec<String> = times.iter().map(ToString::to_string).collect();
                lines.join("\n")
            })
        }
    }
}

fn reference(all: &ExprReference) -> String {
    let helpers = |list: &[ExprHelper]| {
        let rows = list.iter().map(|each| {
            let (template, gives) = &each.example;
            [each.usage.clone(), each.about.clone(), format!("{template} → {gives}")]
        });
        table(["TEMPLATES", "", "EXAMPLE"], rows)
    };
    let terms = |title: &'static str, list: &[ExprTerm]| {
        let rows =
            list.iter().map(|each| [each.name.clone(), each.fields.join(", "), each.about.clone()]);
        table([title, "FIELDS", ""], rows)
    };
    [
        helpers(&all.blocks),
        helpers(&all.helpers),
        terms("CONDITIONS", &all.conditions),
        terms("OPERATORS", &all.operators),
        terms("VALUES", &all.values),
        terms("CASTS", &all.casts),
    ]
    .join("\n\n")
}

/// The value alone, as a pipe wants it; of a condition also why.
fn people(answer: &ExprAnswer) -> String {
    let value = match &answer.value {
        Value::String(text) => text.clone(),
        value => format!("{value:#}"),
    };
    match &answer.explanation {
        Some(explanation) => {
            let mut lines = vec![value];
            explain(explanation, 1, &mut lines);
            lines.join("\n")
        }
        None => value,
    }
}

fn explain(part: &Explanation, depth: usize, lines: &mut Vec<String>) {
    let holds = match part.holds {
        Some(true) => "holds",
        Some(false) => "does not hold",
        None => "is not known here",
    };
    let read = part.read.iter().map(|reading| {
        let value = reading.value.as_ref().map_or("nothing".to_owned(), brief);
        format!("; {} is {value}", reading.from)
    });
    let note = part.note.iter().map(|note| format!("; {note}"));
    let more: String = read.chain(note).collect();
    lines.push(format!("{}{} {holds}{more}", "  ".repeat(depth), part.condition));
    for part in &part.parts {
        explain(part, depth + 1, lines);
    }
}
