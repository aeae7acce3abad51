//! Expressions on data of the person's choice, as flows evaluate them.

use devrig_core::{Error, Result, Timestamp};
pub use devrig_expr::condition::Explanation;
use devrig_expr::condition::terms::{self, Term};
use devrig_expr::template::helpers;
use devrig_expr::{
    Answers, Condition, Data, JmesPath, JsonPath, Options, Schedule, Template, cron,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::NoArgs;
use crate::Engine;

/// A language of expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum ExprLang {
    /// Text with `{{expressions}}`. A single one keeps the type of its value.
    Template,
    /// The JSON of a condition.
    Condition,
    /// RFC 9535; gives a list of all that it leads to.
    Jsonpath,
    Jmespath,
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

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct CronNextArgs {
    /// Five fields, or six with seconds first.
    pub expression: String,
    /// Such as `Europe/Berlin`; the machine's when absent.
    #[serde(default)]
    pub zone: Option<String>,
    /// Times after this one; after now when absent.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// 5 when absent, at most 1000.
    #[serde(default)]
    pub count: Option<u32>,
}

/// Everything that expressions can be made of.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct ExprReference {
    /// Functions of templates, and blocks.
    pub helpers: Vec<ExprHelper>,
    pub blocks: Vec<ExprHelper>,
    /// Types of conditions and of the values in them, operators of `compare`, and what `cast` makes.
    pub conditions: Vec<ExprTerm>,
    pub values: Vec<ExprTerm>,
    pub operators: Vec<ExprTerm>,
    pub casts: Vec<ExprTerm>,
}

/// A helper of templates.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct ExprHelper {
    pub name: String,
    /// How it is written.
    pub usage: String,
    pub about: String,
    /// A template and what comes of it.
    pub example: (String, String),
}

/// A name that stands in conditions.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct ExprTerm {
    pub name: String,
    /// The fields beside `type`.
    pub fields: Vec<String>,
    pub about: String,
}

pub(super) async fn reference(_: &Engine, _: NoArgs) -> Result<ExprReference> {
    let told = |(name, usage, about, example): (&str, &str, &str, (&str, &str))| ExprHelper {
        name: name.to_owned(),
        usage: usage.to_owned(),
        about: about.to_owned(),
        example: (example.0.to_owned(), example.1.to_owned()),
    };
    let blocks = helpers::BLOCKS.iter();
    Ok(ExprReference {
        helpers: helpers::helpers().map(|h| told((h.name, h.usage, h.about, h.example))).collect(),
        blocks: blocks.map(|b| told((b.name, b.usage, b.about, b.example))).collect(),
        conditions: terms::kinds().map(ExprTerm::from).collect(),
        values: terms::values().map(ExprTerm::from).collect(),
        operators: terms::operators().map(ExprTerm::from).collect(),
        casts: terms::casts().map(ExprTerm::from).collect(),
    })
}

impl From<Term> for ExprTerm {
    fn from(term: Term) -> Self {
        Self {
            name: term.name.to_owned(),
            fields: term.fields.iter().map(|field| (*field).to_owned()).collect(),
            about: term.about.to_owned(),
        }
    }
}

/// A search through much data takes its time, in which others are answered.
pub(super) async fn eval(_: &Engine, args: ExprEvalArgs) -> Result<ExprAnswer> {
    let evaluated = tokio::task::spawn_blocking(move || evaluate(&args)).await;
    evaluated.map_err(|error| Error::internal(format!("evaluating ended: {error}")))?
}

pub(super) async fn cron_next(engine: &Engine, args: CronNextArgs) -> Result<Vec<Timestamp>> {
    let CronNextArgs { expression, zone, from, count } = args;
    let schedule = Schedule::parse(&expression, &zone.unwrap_or_else(cron::own_zone))?;
    let from = from.unwrap_or_else(|| engine.clock().now());
    Ok(schedule.upcoming(from, count.unwrap_or(5) as usize))
}

fn evaluate(args: &ExprEvalArgs) -> Result<ExprAnswer> {
    let ExprEvalArgs { lang, expression, input } = args;
    let value = match lang {
        ExprLang::Condition => return condition(expression, &Data::from(input)),
        ExprLang::Template => {
            Template::compile(expression, Options::default())?.value(&Data::from(input))?
        }
        ExprLang::Jsonpath => {
            JsonPath::parse(expression)?.query(input)?.into_iter().cloned().collect()
        }
        ExprLang::Jmespath => JmesPath::parse(expression)?.search(input)?,
    };
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
