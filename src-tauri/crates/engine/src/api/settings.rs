//! Settings of DevRig itself, and the care of its database.

use std::collections::BTreeMap;
use std::path::PathBuf;

use devrig_core::{Error, Origin, Result};
pub use devrig_store::backup::Check;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::NoArgs;
use crate::Engine;
use crate::{autostart, settings};

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
