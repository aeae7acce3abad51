//! A keychain for tests, which behaves as it is told.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use devrig_core::Sensitive;

use super::{Keychain, KeychainFailure, MasterKey};

/// Keeps keys in memory.
#[derive(Debug, Default)]
pub struct MemoryKeychain {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    behaviour: Behaviour,
    keys: HashMap<String, [u8; 32]>,
    calls: usize,
}

/// How the keychain answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Behaviour {
    #[default]
    Open,
    /// Until [`Keychain::unlock`].
    Locked,
    /// As `Locked`, and the person dismisses every prompt.
    Refused,
    Absent,
    /// Never answers.
    Hung,
}

impl MemoryKeychain {
    pub fn absent() -> Self {
        let keychain = Self::default();
        keychain.behave(Behaviour::Absent);
        keychain
    }

    /// Answers so from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.lock().behaviour = behaviour;
    }

    /// Loses every key, as a reinstalled system does.
    pub fn forget(&self) {
        self.lock().keys.clear();
    }

    /// Puts other keys in the place of those it has.
    pub fn corrupt(&self) {
        self.lock().keys.values_mut().for_each(|key| key[0] ^= 1);
    }

    /// How many keys it holds.
    pub fn holds(&self) -> usize {
        self.lock().keys.len()
    }

    /// Calls that reached the keychain.
    pub fn calls(&self) -> usize {
        self.lock().calls
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self) -> Result<(), KeychainFailure> {
        let behaviour = {
            let mut inner = self.lock();
            inner.calls += 1;
            inner.behaviour
        };
        match behaviour {
            Behaviour::Open => Ok(()),
            Behaviour::Locked | Behaviour::Refused => Err(KeychainFailure::Locked),
            Behaviour::Absent => Err(KeychainFailure::Absent),
            Behaviour::Hung => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Keychain for MemoryKeychain {
    async fn probe(&self) -> Result<(), KeychainFailure> {
        self.answer().await
    }

    async fn read(&self, id: &str) -> Result<Option<MasterKey>, KeychainFailure> {
        self.answer().await?;
        Ok(self.lock().keys.get(id).copied().map(Sensitive::new))
    }

    async fn write(&self, id: &str, key: &MasterKey) -> Result<(), KeychainFailure> {
        self.answer().await?;
        self.lock().keys.insert(id.to_owned(), *key.expose());
        Ok(())
    }

    async fn remove(&self, id: &str) -> Result<(), KeychainFailure> {
        self.answer().await?;
        self.lock().keys.remove(id);
        Ok(())
    }

    async fn unlock(&self) -> Result<(), KeychainFailure> {
        let behaviour = self.lock().behaviour;
        if behaviour == Behaviour::Locked {
            self.behave(Behaviour::Open);
        }
        self.answer().await
    }
}
