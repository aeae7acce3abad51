//! Secrets go in here and never come out again: no call returns a value.

use devrig_core::id::AccountId;
use devrig_core::{Error, Result, Sensitive, Timestamp};
use devrig_secrets::{Entry, Scope};
pub use devrig_secrets::{KeptIn, KeychainState, KeychainStatus};
use serde::{Deserialize, Serialize};

use super::NoArgs;
use super::plugin::AccountInfo;
use crate::Engine;

#[derive(Clone, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct SecretSetArgs {
    /// Absent: a secret of flows.
    #[serde(default)]
    pub account: Option<AccountId>,
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
    /// Absent: a secret of flows.
    #[serde(default)]
    pub account: Option<AccountId>,
    pub name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct SecretInfo {
    pub name: String,
    /// Both absent for a secret of flows.
    pub account: Option<AccountId>,
    pub plugin: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

pub(super) async fn list(engine: &Engine, _: NoArgs) -> Result<Vec<SecretInfo>> {
    let mut secrets = Vec::new();
    let mut add = |entries: Vec<Entry>, account: Option<&AccountInfo>| {
        secrets.extend(entries.into_iter().map(|entry| SecretInfo {
            name: entry.name,
            account: account.map(|account| account.id.clone()),
            plugin: account.map(|account| account.plugin.clone()),
            created_at: entry.created_at,
            updated_at: entry.updated_at,
        }));
    };
    for account in engine.plugins().accounts().await? {
        add(engine.vault().list(&Scope::Account(account.id.clone())).await?, Some(&account));
    }
    add(engine.vault().list(&Scope::Flows).await?, None);
    Ok(secrets)
}

pub(super) async fn set(engine: &Engine, args: SecretSetArgs) -> Result<()> {
    let value = Sensitive::new(args.value);
    match &args.account {
        Some(account) => engine.plugins().secret_set(account, &args.name, value).await,
        None => engine.vault().set(&Scope::Flows, &args.name, value).await,
    }
}

pub(super) async fn delete(engine: &Engine, args: SecretArgs) -> Result<()> {
    if let Some(account) = &args.account {
        return engine.plugins().secret_delete(account, &args.name).await;
    }
    match engine.vault().delete(&Scope::Flows, &args.name).await? {
        true => Ok(()),
        false => Err(Error::not_found(format!("the secret {}", args.name))
            .hint("`devrig secret list` lists them.")),
    }
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
