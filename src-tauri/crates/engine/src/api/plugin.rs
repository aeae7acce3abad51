//! Plugins, their accounts, grants, settings and syncs.

use std::path::PathBuf;

use devrig_core::Result;
use devrig_core::id::AccountId;
pub use devrig_plugins::info::{
    AccountInfo, ActionInfo, ConnectInfo, ConnectionState, DataSourceInfo, LogLine, PermissionInfo,
    PluginConditionInfo, PluginInfo, PluginSource, PluginState, PluginTriggerInfo, Problem,
    SyncProgress, SyncState, SyncStatus,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::NoArgs;
use crate::Engine;

macro_rules! args {
    ($($name:ident { $($(#[$attr:meta])* $field:ident: $type:ty),* $(,)? })*) => {$(
        #[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name { $($(#[$attr])* pub $field: $type),* }
    )*};
}

args! {
    InstallArgs { /** A folder that holds `devrig-plugin.json`. */ path: String }
    UninstallArgs { name: String, /** Deletes its items too. */ #[serde(default)] purge_items: bool }
    ToggleArgs { name: String, enabled: bool }
    PluginLogsArgs {
        plugin: String,
        #[serde(default)] account: Option<AccountId>,
        #[serde(default)] #[specta(type = Option<u32>)] before: Option<f64>,
        #[serde(default)] limit: Option<u32>,
    }
    AccountAddArgs { plugin: String, name: String }
    AccountRemoveArgs { id: AccountId, #[serde(default)] purge_items: bool }
    AccountArgs { id: AccountId }
    AccountRenameArgs { id: AccountId, name: String }
    AccountConfigureArgs { id: AccountId, settings: Value }
    GrantArgs { id: AccountId, /** All that the manifest declares when absent. */ #[serde(default)] permissions: Option<Vec<String>> }
    RevokeArgs { id: AccountId, permission: String }
    SyncArgs { #[serde(default)] account: Option<AccountId>, #[serde(default)] source: Option<String> }
    SyncConfigureArgs {
        account: AccountId,
        source: String,
        #[serde(default)] #[specta(type = Option<u32>)] interval_ms: Option<f64>,
        #[serde(default)] enabled: Option<bool>,
        /** Such as `22:00-07:00 Europe/Berlin`; empty for none. */
        #[serde(default)] quiet_hours: Option<String>,
    }
}

pub(super) async fn list(engine: &Engine, _: NoArgs) -> Result<Vec<PluginInfo>> {
    engine.plugins().list().await
}

pub(super) async fn install(engine: &Engine, args: InstallArgs) -> Result<PluginInfo> {
    engine.plugins().install(&PathBuf::from(args.path)).await
}

pub(super) async fn check(engine: &Engine, args: InstallArgs) -> Result<Vec<Problem>> {
    engine.plugins().check(&PathBuf::from(args.path)).await
}

pub(super) async fn uninstall(engine: &Engine, args: UninstallArgs) -> Result<()> {
    engine.plugins().uninstall(&args.name, args.purge_items).await
}

pub(super) async fn toggle(engine: &Engine, args: ToggleArgs) -> Result<PluginInfo> {
    engine.plugins().toggle(&args.name, args.enabled).await
}

pub(super) async fn logs(engine: &Engine, args: PluginLogsArgs) -> Result<Vec<LogLine>> {
    let before = args.before.map(|seq| seq as i64);
    engine.plugins().logs(&args.plugin, args.account, before, args.limit.unwrap_or(200)).await
}

pub(super) async fn account_add(engine: &Engine, args: AccountAddArgs) -> Result<AccountInfo> {
    engine.plugins().account_add(&args.plugin, &args.name).await
}

pub(super) async fn account_remove(engine: &Engine, args: AccountRemoveArgs) -> Result<()> {
    engine.plugins().account_remove(&args.id, args.purge_items).await
}

pub(super) async fn account_rename(
    engine: &Engine,
    args: AccountRenameArgs,
) -> Result<AccountInfo> {
    engine.plugins().account_rename(&args.id, &args.name).await
}

pub(super) async fn account_check(engine: &Engine, args: AccountArgs) -> Result<AccountInfo> {
    engine.plugins().account_check(&args.id).await
}

pub(super) async fn account_configure(
    engine: &Engine,
    args: AccountConfigureArgs,
) -> Result<AccountInfo> {
    engine.plugins().account_configure(&args.id, args.settings).await
}

pub(super) async fn account_grant(engine: &Engine, args: GrantArgs) -> Result<AccountInfo> {
    engine.plugins().grant(&args.id, args.permissions).await
}

pub(super) async fn account_revoke(engine: &Engine, args: RevokeArgs) -> Result<AccountInfo> {
    engine.plugins().revoke(&args.id, &args.permission).await
}

pub(super) async fn sync_status(engine: &Engine, _: NoArgs) -> Result<Vec<SyncStatus>> {
    engine.plugins().sync_status().await
}

pub(super) async fn sync_now(engine: &Engine, args: SyncArgs) -> Result<()> {
    engine.plugins().sync_now(args.account, args.source).await
}

pub(super) async fn sync_configure(engine: &Engine, args: SyncConfigureArgs) -> Result<SyncStatus> {
    let SyncConfigureArgs { account, source, interval_ms, enabled, quiet_hours } = args;
    engine.plugins().sync_configure(&account, &source, interval_ms, enabled, quiet_hours).await
}
