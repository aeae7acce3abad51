//! Settings of DevRig itself, and the care of its database.

use std::collections::BTreeMap;
use std::path::PathBuf;

use devrig_core::{Error, Origin, Result};
use devrig_flow::limits;
pub use devrig_flow::retention::Cleaned;
pub use devrig_store::backup::Check;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::NoArgs;
use crate::Engine;
use crate::triggers::LIMITS;
use crate::{autostart, settings, upkeep};

/// No time that is told in days is longer than ten years.
const LONGEST_DAYS: u32 = 3650;

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct SettingArgs {
    pub key: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct SettingSetArgs {
    pub key: String,
    pub value: Value,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct BackupArgs {
    /// The backups folder when absent.
    #[serde(default)]
    pub path: Option<String>,
}

/// How long runs are kept this time, where it is not as the settings have it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CleanArgs {
    /// Days for runs that completed or were cancelled; 0 deletes all of them.
    #[serde(default)]
    pub days: Option<u32>,
    /// Days for runs that failed.
    #[serde(default)]
    pub failed_days: Option<u32>,
}

/// What was deleted, and how long the file is now.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct DbCleaned {
    #[serde(flatten)]
    pub deleted: Cleaned,
    #[specta(type = u32)]
    pub size_before: f64,
    #[specta(type = u32)]
    pub size_after: f64,
}

pub(super) async fn get(engine: &Engine, args: SettingArgs) -> Result<Value> {
    let known = settings::known(&args.key)?;
    let stored = devrig_store::settings::get(engine.store().reader(), &args.key).await?;
    Ok(stored.unwrap_or_else(|| known.default()))
}

pub(super) async fn all(engine: &Engine, _: NoArgs) -> Result<BTreeMap<String, Value>> {
    let mut all: BTreeMap<String, Value> =
        settings::KNOWN.iter().map(|setting| (setting.key.to_owned(), setting.default())).collect();
    for (key, value) in devrig_store::settings::all(engine.store().reader()).await? {
        // A setting of a later version stays in the file and is not shown.
        if all.contains_key(&key) {
            all.insert(key, value);
        }
    }
    Ok(all)
}

pub(super) async fn set(engine: &Engine, args: SettingSetArgs) -> Result<()> {
    settings::known(&args.key)?.check(&args.value)?;
    let SettingSetArgs { key, value } = args;
    if key == LIMITS {
        engine.flows().actions().check_limits(&limits::read(&value)?)?;
    }
    if key == autostart::SETTING {
        autostart::set(&engine.parts().window_program, value == Value::Bool(true))?;
    }
    engine
        .store()
        .write(async move |tx: &mut devrig_store::Tx| {
            devrig_store::settings::set(tx, &key, &value, &Origin::person()).await
        })
        .await
}

pub(super) async fn db_check(engine: &Engine, _: NoArgs) -> Result<Check> {
    engine.store().check().await
}

pub(super) async fn db_backup(engine: &Engine, args: BackupArgs) -> Result<String> {
    let target = args.path.map(PathBuf::from);
    if let Some(path) = target.as_deref().filter(|path| path.is_relative()) {
        return Err(Error::invalid(format!("{} is not a whole path", path.display()))
            .hint("Give the path from the root, because the owner may run in another folder."));
    }
    Ok(engine.store().backup(target).await?.display().to_string())
}

pub(super) async fn db_clean(engine: &Engine, args: CleanArgs) -> Result<DbCleaned> {
    let mut keep = upkeep::keep(engine).await?;
    let days = |days: u32| upkeep::DAY * days.min(LONGEST_DAYS);
    keep.ended = args.days.map_or(keep.ended, days);
    keep.failed = args.failed_days.map_or(keep.failed, days);
    let size_before = engine.store().size();
    let deleted = upkeep::clean_runs(engine, keep).await?;
    // The file is cut where the log is copied into it.
    engine.store().checkpoint().await?;
    let size_after = engine.store().size();
    Ok(DbCleaned { deleted, size_before: size_before as f64, size_after: size_after as f64 })
}
