//! Secrets at rest: each value is sealed with AES-256-GCM under a master key that lives in the
//! system's keychain, or wrapped under a passphrase where the person chose that. A keychain that is locked, missing, late or restarted is a
//! state that passes without a restart of DevRig, never an excuse for a weaker key.

mod cipher;
mod keychain;
mod passphrase;
mod scope;
mod table;
mod vault;

pub use keychain::memory::{Behaviour, MemoryKeychain};
#[cfg(target_os = "linux")]
pub use keychain::secret_service::SecretService;
pub use keychain::{
    KeptIn, Keychain, KeychainFailure, KeychainState, KeychainStatus, MasterKey, system_keychain,
};
pub use scope::Scope;
pub use vault::{Entry, Vault};
