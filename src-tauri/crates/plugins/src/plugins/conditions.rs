//! Conditions as flows ask them: soon answered, or not at all.

use std::sync::Arc;
use std::time::Duration;

use devrig_core::id::AccountId;
use devrig_core::protocol::{ConditionInput, FlowRef, Handler};
use devrig_core::{Code, Error, Result};
use serde_json::Value;

use super::Plugins;
use crate::manifest::Condition;
use crate::schema::Schema;
use crate::seat::Seat;
use crate::text::shown;
use crate::worker::Purpose;

/// For an answer, from a worker that runs (reference §7.2).
const WITHIN: Duration = Duration::from_millis(500);

/// A condition that a flow asks.
#[derive(Debug, Clone)]
pub struct Question {
    /// By its whole name, or by what follows `devrig-plugin-`.
    pub plugin: String,
    pub condition: String,
    /// The one account of the plugin when absent.
    pub account: Option<AccountId>,
    pub args: Vec<Value>,
    /// Who asks.
    pub flow: FlowRef,
}

/// What came of asking.
#[derive(Debug, Clone)]
pub struct Said {
    pub holds: bool,
    /// Why there is no answer, which counts as no.
    pub wrong: Option<Error>,
}

/// What a manifest says of a condition.
#[derive(Debug, Clone)]
pub struct ConditionAbout {
    /// The plugin's whole name.
    pub plugin: String,
    pub id: String,
    /// What people call it.
    pub name: String,
    pub description: String,
    /// JSON Schema of the list of its arguments.
    pub args: Option<Value>,
}

impl Plugins {
    /// What is declared of a plugin's condition, if both are there.
    pub fn about_condition(&self, plugin: &str, condition: &str) -> Option<ConditionAbout> {
        let plugin = self.named(plugin)?;
        let declared = plugin.manifest.condition(condition)?;
        Some(ConditionAbout {
            plugin: plugin.name().to_owned(),
            id: declared.id.clone(),
            name: shown(&declared.name, 100),
            description: shown(&declared.description, 500),
            args: declared.config_schema.clone(),
        })
    }

    /// Asks a condition. An evaluator that fails, takes too long or answers something else than true
    /// or false says no, and what is wrong stands in the plugin's log too.
    ///
    /// # Errors
    /// What only a person can change: `NOT_FOUND` for a plugin, an account or a condition that is
    /// not there, and why the plugin may not run.
    pub async fn ask(&self, question: Question) -> Result<Said> {
        let seat = self.chosen(&question.plugin, question.account.as_ref())?;
        seat.plugin.may_run()?;
        let declared = declared(&seat, &question.condition)?;
        let name = declared.id.clone();
        match answer(&seat, declared, question).await {
            Ok(holds) => Ok(Said { holds, wrong: None }),
            Err(error) => {
                let message = format!("The condition {name} counts as false: {}", error.message);
                self.inner.core.note(seat.plugin.name(), &seat.id, "warn", message);
                Ok(Said { holds: false, wrong: Some(error) })
            }
        }
    }
}

fn declared<'a>(seat: &'a Seat, condition: &str) -> Result<&'a Condition> {
    seat.plugin.manifest.condition(condition).ok_or_else(|| {
        let (plugin, condition) = (shown(seat.plugin.name(), 100), shown(condition, 100));
        Error::not_found(format!("the condition {condition:?} of {plugin}"))
            .hint(format!("`devrig plugin show {plugin}` names those that it has."))
    })
}

async fn answer(seat: &Arc<Seat>, declared: &Condition, question: Question) -> Result<bool> {
    let args = Value::Array(question.args);
    check_args(declared, &args)?;
    let Value::Array(args) = args else { return Ok(false) };
    let worker = seat.worker().await?;
    let input = serde_json::to_value(ConditionInput { args, flow: question.flow })?;
    let handler = Handler::Condition { condition: declared.id.clone() };
    let answer = worker.ask(handler, input, Purpose::Condition, WITHIN).await?;
    match answer.get().trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => {
            let message = format!("it answered {}", shown(other, 100));
            Err(Error::new(Code::PluginFailed, message).hint("It answers true or false."))
        }
    }
}

fn check_args(declared: &Condition, args: &Value) -> Result<()> {
    let Some(schema) = &declared.config_schema else { return Ok(()) };
    match Schema::new(schema)?.check(args).first() {
        None => Ok(()),
        Some(wrong) => {
            let at = shown(wrong.field.trim_start_matches('/'), 60);
            Err(Error::invalid(format!("args {at}: {}", wrong.message)))
        }
    }
}
