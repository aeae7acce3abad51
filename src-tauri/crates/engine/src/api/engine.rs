//! The engine about itself.

use devrig_core::{Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::NoArgs;
use crate::Engine;
pub use crate::doctor::{Grade, Verdict};

/// Whose process answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// This process holds the home folder.
    Owner,
    /// Another process does, and this one asks it.
    Guest,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct EngineInfo {
    pub version: String,
    pub home: String,
    /// What kind of process owns the home folder: `window`, `headless` or `command`.
    pub owner: String,
    pub owner_pid: u32,
    pub started_at: Timestamp,
    /// Nothing was set up yet: no account has settings and no item was stored.
    pub first_run: bool,
    /// False when the machine has no route to anywhere.
    pub online: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct LogsArgs {
    #[serde(default)]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct AuditArgs {
    #[serde(default)]
    pub subject: Option<String>,
    #[serde(default)]
    #[specta(type = Option<u32>)]
    pub before: Option<f64>,
    #[serde(default)]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct AuditRow {
    #[specta(type = u32)]
    pub seq: f64,
    pub at: Timestamp,
    pub actor: String,
    pub subject: String,
    pub rule: String,
    pub action: String,
    pub verdict: String,
    pub detail: Value,
}

pub(super) async fn info(engine: &Engine, _: NoArgs) -> Result<EngineInfo> {
    engine.info().await
}

pub(super) async fn doctor(engine: &Engine, _: NoArgs) -> Result<Vec<Verdict>> {
    Ok(crate::doctor::run(engine).await)
}

/// Answers first and stops right after, so that the caller hears it.
pub(super) async fn stop(engine: &Engine, _: NoArgs) -> Result<()> {
    engine.request_stop();
    Ok(())
}

pub(super) async fn logs(engine: &Engine, args: LogsArgs) -> Result<Vec<String>> {
    crate::logging::tail(&engine.home().logs(), args.limit.unwrap_or(200) as usize)
}

pub(super) async fn audit(engine: &Engine, args: AuditArgs) -> Result<Vec<AuditRow>> {
    let rows = devrig_store::audit::list(
        engine.store().reader(),
        args.subject.as_deref(),
        args.before.map(|seq| seq as i64),
        args.limit.unwrap_or(100),
    )
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| AuditRow {
            seq: row.seq as f64,
            at: row.at,
            actor: row.entry.actor.as_str().to_owned(),
            subject: row.entry.subject,
            rule: row.entry.rule,
            action: row.entry.action,
            verdict: row.entry.verdict,
            detail: row.entry.detail,
        })
        .collect())
}
