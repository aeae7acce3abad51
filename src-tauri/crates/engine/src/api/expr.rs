//! Expressions on data of the person's choice, as flows evaluate them.

use devrig_core::{Error, Result};
pub use devrig_expr::condition::Explanation;
use devrig_expr::{Answers, Condition, Data, Options, Template};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Engine;

/// A language of expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum ExprLang {
    /// Text with `{{expressions}}`. A single one keeps the type of its value.
    Template,
    /// The JSON of a condition.
    Condition,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct ExprEvalArgs {
    pub lang: ExprLang,
    pub expression: String,
    /// What the expression sees: an object of roots, such as `trigger`.
    #[serde(default)]
    pub input: Value,
}

/// What an expression gives.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct ExprAnswer {
    /// Of a condition whether it holds; null when that depends on a plugin or an item of the inbox.
    pub value: Value,
    /// Why a condition holds or not.
    pub explanation: Option<Explanation>,
}

pub(super) async fn eval(_: &Engine, args: ExprEvalArgs) -> Result<ExprAnswer> {
    let data = Data::from(&args.input);
    match args.lang {
        ExprLang::Template => template(&args.expression, &data),
        ExprLang::Condition => condition(&args.expression, &data),
    }
}

fn template(text: &str, data: &Data<'_>) -> Result<ExprAnswer> {
    let value = Template::compile(text, Options::default())?.value(data)?;
    Ok(ExprAnswer { value, explanation: None })
}

fn condition(text: &str, data: &Data<'_>) -> Result<ExprAnswer> {
    let value = serde_json::from_str(text).map_err(|error| {
        Error::invalid(format!("the condition is not JSON: {error}"))
            .hint("Write it as {\"type\": \"exists\", \"ref\": …}.")
    })?;
    let explanation = Condition::parse(&value)?.explain(data, &Answers::default());
    Ok(ExprAnswer { value: json!(explanation.holds), explanation: Some(explanation) })
}
