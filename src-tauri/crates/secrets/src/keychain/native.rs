//! The keychain of macOS and the credential manager of Windows.
//!
//! UNVERIFIED: written against the stores' documentation, never run on these systems.

use std::sync::Arc;

use async_trait::async_trait;
use devrig_core::Sensitive;
use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error as Failure};
use zeroize::Zeroizing;

use super::{Keychain, KeychainFailure, MasterKey};

const SERVICE: &str = "dev.devrig.desktop";

/// The store is made anew for each call.
#[derive(Debug, Clone, Copy)]
pub struct Native;

fn entry(id: &str) -> Result<Entry, Failure> {
    #[cfg(target_os = "macos")]
    let store: Arc<CredentialStore> = apple_native_keyring_store::keychain::Store::new()?;
    #[cfg(target_os = "windows")]
    let store: Arc<CredentialStore> = windows_native_keyring_store::Store::new()?;
    store.build(SERVICE, id, None)
}

/// These stores block, so they run on a thread that may.
async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, KeychainFailure> {
    match tokio::task::spawn_blocking(run).await {
        Ok(outcome) => outcome.map_err(failure),
        Err(error) => Err(KeychainFailure::Broken(error.to_string())),
    }
}

fn get(id: &str) -> Result<Option<Vec<u8>>, Failure> {
    match entry(id)?.get_secret() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Failure::NoEntry) => Ok(None),
        Err(error) => Err(error),
    }
}

fn failure(error: Failure) -> KeychainFailure {
    match error {
        Failure::NoStorageAccess(_) => KeychainFailure::Locked,
        Failure::NoDefaultStore => KeychainFailure::Absent,
        other => KeychainFailure::Broken(other.to_string()),
    }
}

#[async_trait]
impl Keychain for Native {
    async fn probe(&self) -> Result<(), KeychainFailure> {
        blocking(|| get("probe").map(drop)).await
    }

    async fn read(&self, id: &str) -> Result<Option<MasterKey>, KeychainFailure> {
        let id = id.to_owned();
        let Some(bytes) = blocking(move || get(&id)).await?.map(Zeroizing::new) else {
            return Ok(None);
        };
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(key) => Ok(Some(Sensitive::new(key))),
            Err(_) => Err(KeychainFailure::Broken("its entry for DevRig is not a key".into())),
        }
    }

    async fn write(&self, id: &str, key: &MasterKey) -> Result<(), KeychainFailure> {
        let (id, key) = (id.to_owned(), key.clone());
        blocking(move || entry(&id)?.set_secret(key.expose())).await
    }

    async fn remove(&self, id: &str) -> Result<(), KeychainFailure> {
        let id = id.to_owned();
        blocking(move || match entry(&id)?.delete_credential() {
            Err(Failure::NoEntry) => Ok(()),
            outcome => outcome,
        })
        .await
    }

    /// Reading is what makes these systems ask.
    async fn unlock(&self) -> Result<(), KeychainFailure> {
        self.probe().await
    }
}
