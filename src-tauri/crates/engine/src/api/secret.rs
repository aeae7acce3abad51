//! Secrets go in here and never come out again: no call returns a value.

use devrig_core::id::AccountId;
use devrig_core::{Error, Result, Sensitive, Timestamp};
use devrig_secrets::Scope;
pub use devrig_secrets::{KeptIn, KeychainState, KeychainStatus};
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

#[derive(Clone, Default, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct UnlockArgs {
    /// Where the secrets are kept under one.
    #[serde(default)]
    pub passphrase: Option<String>,
}

impl std::fmt::Debug for UnlockArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnlockArgs").finish_non_exhaustive()
    }
}

/// Seals every secret under a fresh key, kept as said.
#[derive(Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeepArgs {
    pub kept_in: KeptIn,
    /// The new one, when the key is to be kept under a passphrase.
    #[serde(default)]
    pub passphrase: Option<String>,
}

impl std::fmt::Debug for KeepArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeepArgs").field("kept_in", &self.kept_in).finish_non_exhaustive()
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

pub(super) async fn keychain_unlock(engine: &Engine, args: UnlockArgs) -> Result<KeychainStatus> {
    let status = engine.vault().unlock(args.passphrase.map(Sensitive::new)).await?;
    engine.plugins().recheck().await;
    Ok(status)
}

pub(super) async fn keychain_keep(engine: &Engine, args: KeepArgs) -> Result<KeychainStatus> {
    let vault = engine.vault();
    let status = match (args.kept_in, args.passphrase) {
        (KeptIn::Keychain, None) => vault.keep_in_keychain().await?,
        (KeptIn::Passphrase, Some(passphrase)) => {
            vault.keep_under_passphrase(Sensitive::new(passphrase)).await?
        }
        (KeptIn::Keychain, Some(_)) => {
            return Err(Error::invalid("a key in the keychain has no passphrase"));
        }
        (KeptIn::Passphrase, None) => return Err(Error::invalid("the passphrase is missing")),
    };
    engine.plugins().recheck().await;
    Ok(status)
}
