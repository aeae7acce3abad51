//! Secrets go in here and never come out again: no call returns a value.

use devrig_core::id::AccountId;
use devrig_core::{Result, Sensitive, Timestamp};
pub use devrig_secrets::KeychainStatus;
use devrig_secrets::Scope;
use serde::{Deserialize, Serialize};

use super::NoArgs;
use crate::Engine;

#[derive(Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct SecretSetArgs {
    pub account: AccountId,
    pub name: String,
    pub value: String,
}

impl std::fmt::Debug for SecretSetArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretSetArgs")
            .field("account", &self.account)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct SecretArgs {
    pub account: AccountId,
    pub name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct SecretInfo {
    pub name: String,
    pub account: AccountId,
    pub plugin: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

pub(super) async fn list(engine: &Engine, _: NoArgs) -> Result<Vec<SecretInfo>> {
    let mut secrets = Vec::new();
    for account in engine.plugins().accounts().await? {
        for entry in engine.vault().list(&Scope::Account(account.id.clone())).await? {
            secrets.push(SecretInfo {
                name: entry.name,
                account: account.id.clone(),
                plugin: account.plugin.clone(),
                created_at: entry.created_at,
                updated_at: entry.updated_at,
            });
        }
    }
    Ok(secrets)
}

pub(super) async fn set(engine: &Engine, args: SecretSetArgs) -> Result<()> {
    let value = Sensitive::new(args.value);
    engine.plugins().secret_set(&args.account, &args.name, value).await
}

pub(super) async fn delete(engine: &Engine, args: SecretArgs) -> Result<()> {
    engine.plugins().secret_delete(&args.account, &args.name).await
}

pub(super) async fn keychain_status(engine: &Engine, _: NoArgs) -> Result<KeychainStatus> {
    Ok(engine.vault().status().await)
}

pub(super) async fn keychain_unlock(engine: &Engine, _: NoArgs) -> Result<KeychainStatus> {
    let status = engine.vault().unlock().await;
    engine.plugins().recheck().await;
    Ok(status)
}
