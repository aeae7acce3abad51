//! Where the master key lives, and what a keychain may answer.

use std::sync::Arc;

use async_trait::async_trait;
use devrig_core::{Code, Error, Sensitive};
use serde::{Deserialize, Serialize};

pub mod memory;
#[cfg(any(target_os = "macos", target_os = "windows"))]
mod native;
#[cfg(target_os = "linux")]
pub mod secret_service;

/// 256 random bits that open every secret; wiped from memory on drop.
pub type MasterKey = Sensitive<[u8; 32]>;

/// The system's store of keys. Every call asks it anew, so a keychain that was unlocked, restarted
/// or started late is seen by the next call. Calls may be slow; the vault bounds them.
#[async_trait]
pub trait Keychain: Send + Sync + std::fmt::Debug {
    /// Whether it could be read and written now. Never opens a prompt.
    async fn probe(&self) -> Result<(), KeychainFailure>;

    /// The key with this id, or nothing when an open keychain has none. Never opens a prompt.
    async fn read(&self, id: &str) -> Result<Option<MasterKey>, KeychainFailure>;

    /// Stores a key. Never opens a prompt.
    async fn write(&self, id: &str, key: &MasterKey) -> Result<(), KeychainFailure>;

    /// Removes a key; one that is not there is no failure. Never opens a prompt.
    async fn remove(&self, id: &str) -> Result<(), KeychainFailure>;

    /// Asks the person to unlock it; may open a prompt and wait for them.
    async fn unlock(&self) -> Result<(), KeychainFailure>;
}

/// Why a keychain did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeychainFailure {
    /// It is there and wants to be unlocked.
    Locked,
    /// There is none on this system, or it is not running.
    Absent,
    /// It is there and does not work.
    Broken(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum KeychainState {
    Ready,
    Locked,
    Absent,
    Error,
}

/// Where the master key is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum KeptIn {
    #[default]
    Keychain,
    Passphrase,
}

/// What the person is told about the keychain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct KeychainStatus {
    pub state: KeychainState,
    /// What opens the secrets: the system's keychain, or the person's passphrase.
    pub kept_in: KeptIn,
    pub message: String,
    /// What to do about it; absent when ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl KeychainStatus {
    pub(crate) fn ready(kept_in: KeptIn) -> Self {
        let message = match kept_in {
            KeptIn::Keychain => "secrets are encrypted with a key in the system's keychain",
            KeptIn::Passphrase => "secrets are encrypted with a key under your passphrase",
        };
        Self { state: KeychainState::Ready, kept_in, message: message.to_owned(), hint: None }
    }

    pub(crate) fn of(error: &Error, kept_in: KeptIn) -> Self {
        let state = match error.code {
            Code::KeychainLocked => KeychainState::Locked,
            Code::KeychainAbsent => KeychainState::Absent,
            _ => KeychainState::Error,
        };
        Self { state, kept_in, message: error.message.clone(), hint: error.hint.clone() }
    }
}

impl From<KeychainFailure> for Error {
    fn from(failure: KeychainFailure) -> Self {
        match failure {
            KeychainFailure::Locked => {
                Error::new(Code::KeychainLocked, "the system's keychain is locked")
                    .hint("Unlock it, here or in your desktop; DevRig goes on by itself.")
            }
            KeychainFailure::Absent => {
                Error::new(Code::KeychainAbsent, "no keychain is running on this system")
                    .hint(INSTALL)
            }
            KeychainFailure::Broken(why) => {
                Error::new(Code::Io, format!("the system's keychain does not work: {why}"))
                    .hint("Restart the keychain or log in again; DevRig goes on by itself.")
            }
        }
    }
}

#[cfg(target_os = "linux")]
const INSTALL: &str = "Install and start a Secret Service, such as gnome-keyring, KWallet or \
                       KeePassXC; DevRig notices it by itself.";
#[cfg(not(target_os = "linux"))]
const INSTALL: &str = "Log in to a session that has one; DevRig notices it by itself.";

/// The keychain of this machine's person.
pub fn system_keychain() -> Arc<dyn Keychain> {
    #[cfg(target_os = "linux")]
    return Arc::new(secret_service::SecretService::session());
    #[cfg(any(target_os = "macos", target_os = "windows"))]
    return Arc::new(native::Native);
    #[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
    return Arc::new(memory::MemoryKeychain::absent());
}
