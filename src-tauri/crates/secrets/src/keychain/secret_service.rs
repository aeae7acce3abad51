//! The Secret Service of Linux desktops (gnome-keyring, KWallet, KeePassXC) over D-Bus.
//!
//! This speaks to the service directly: the keyring crates unlock whatever they search, which
//! would let a background read open a prompt, and they take the bus from the environment only.

use std::collections::HashMap;

use async_trait::async_trait;
use devrig_core::Sensitive;
use secret_service::{EncryptionType, Error as Failure, SecretService as Service};
use zbus::connection::Builder;
use zeroize::Zeroizing;

use super::{Keychain, KeychainFailure, MasterKey};

const LABEL: &str = "DevRig master key";

/// A connection is made for each call: one that is kept would outlive the keychain behind it.
#[derive(Debug, Clone)]
pub struct SecretService {
    /// A bus other than the session's.
    address: Option<String>,
}

impl SecretService {
    /// On the session bus of this process.
    pub fn session() -> Self {
        Self { address: None }
    }

    /// On the bus with this address, such as `unix:path=/run/user/1000/bus`.
    pub fn at(address: impl Into<String>) -> Self {
        Self { address: Some(address.into()) }
    }

    async fn connect(&self) -> Result<Service<'static>, KeychainFailure> {
        let builder = match &self.address {
            Some(address) => Builder::address(address.as_str()),
            None => Builder::session(),
        };
        // Whatever keeps us from the bus, there is no keychain to be had without one.
        let bus = match builder {
            Ok(builder) => builder.build().await,
            Err(error) => Err(error),
        };
        let bus = bus.map_err(|error| {
            tracing::debug!(%error, "no session bus");
            KeychainFailure::Absent
        })?;
        // The key crosses the bus encrypted.
        Service::connect_with_existing(EncryptionType::Dh, bus).await.map_err(failure)
    }
}

fn attributes(id: &str) -> HashMap<&str, &str> {
    HashMap::from([("application", "dev.devrig.desktop"), ("key", id)])
}

/// The service runs and its default collection is open.
async fn probe(service: &Service<'_>) -> Result<(), KeychainFailure> {
    match service.get_default_collection().await {
        Ok(collection) if collection.is_locked().await.map_err(failure)? => {
            Err(KeychainFailure::Locked)
        }
        Ok(_) => Ok(()),
        // A service without any collection wants to be set up, which is a prompt as unlocking is.
        Err(Failure::NoResult) => Err(KeychainFailure::Locked),
        Err(error) => Err(failure(error)),
    }
}

#[async_trait]
impl Keychain for SecretService {
    async fn probe(&self) -> Result<(), KeychainFailure> {
        probe(&self.connect().await?).await
    }

    async fn read(&self, id: &str) -> Result<Option<MasterKey>, KeychainFailure> {
        let service = self.connect().await?;
        let found = service.search_items(attributes(id)).await.map_err(failure)?;
        let Some(item) = found.unlocked.first() else {
            if !found.locked.is_empty() {
                return Err(KeychainFailure::Locked);
            }
            // Some services do not show what a locked collection holds.
            probe(&service).await?;
            return Ok(None);
        };
        let bytes = Zeroizing::new(item.get_secret().await.map_err(failure)?);
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(key) => Ok(Some(Sensitive::new(key))),
            Err(_) => Err(KeychainFailure::Broken("its entry for DevRig is not a key".into())),
        }
    }

    async fn write(&self, id: &str, key: &MasterKey) -> Result<(), KeychainFailure> {
        let service = self.connect().await?;
        probe(&service).await?;
        let collection = service.get_default_collection().await.map_err(failure)?;
        collection
            .create_item(LABEL, attributes(id), key.expose(), true, "application/octet-stream")
            .await
            .map_err(failure)?;
        Ok(())
    }

    async fn remove(&self, id: &str) -> Result<(), KeychainFailure> {
        let service = self.connect().await?;
        let found = service.search_items(attributes(id)).await.map_err(failure)?;
        if !found.locked.is_empty() {
            return Err(KeychainFailure::Locked);
        }
        for item in found.unlocked {
            item.delete().await.map_err(failure)?;
        }
        Ok(())
    }

    async fn unlock(&self) -> Result<(), KeychainFailure> {
        let service = self.connect().await?;
        match service.get_default_collection().await {
            Ok(collection) => collection.unlock().await.map_err(failure),
            Err(Failure::NoResult) => {
                service.create_collection("Login", "default").await.map(drop).map_err(failure)
            }
            Err(error) => Err(failure(error)),
        }
    }
}

fn failure(error: Failure) -> KeychainFailure {
    match &error {
        Failure::Locked | Failure::Prompt => KeychainFailure::Locked,
        Failure::Unavailable => KeychainFailure::Absent,
        Failure::Zbus(zbus::Error::MethodError(name, ..)) => named(name.as_str(), &error),
        Failure::Zbus(zbus::Error::FDO(fdo)) => bus(fdo, &error),
        Failure::ZbusFdo(fdo) => bus(fdo, &error),
        _ => KeychainFailure::Broken(error.to_string()),
    }
}

fn bus(fdo: &zbus::fdo::Error, error: &Failure) -> KeychainFailure {
    use zbus::fdo::Error as Bus;
    match fdo {
        Bus::ServiceUnknown(_)
        | Bus::NameHasNoOwner(_)
        | Bus::SpawnChildExited(_)
        | Bus::SpawnExecFailed(_)
        | Bus::SpawnServiceNotFound(_) => KeychainFailure::Absent,
        _ => KeychainFailure::Broken(error.to_string()),
    }
}

fn named(name: &str, error: &Failure) -> KeychainFailure {
    match name {
        "org.freedesktop.Secret.Error.IsLocked" => KeychainFailure::Locked,
        "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NameHasNoOwner"
        // A service file is there and its program is not, or does not start.
        | "org.freedesktop.DBus.Error.Spawn.ChildExited"
        | "org.freedesktop.DBus.Error.Spawn.ExecFailed"
        | "org.freedesktop.DBus.Error.Spawn.ServiceNotFound" => KeychainFailure::Absent,
        _ => KeychainFailure::Broken(error.to_string()),
    }
}
