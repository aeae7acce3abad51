//! The vault over a real Secret Service: gnome-keyring on a bus of the test's own.
#![cfg(target_os = "linux")]

#[path = "../../../../tests/src/secret_service.rs"]
mod secret_service;

use std::sync::Arc;
use std::time::{Duration, Instant};

use devrig_core::{Code, Sensitive, SystemClock};
use devrig_secrets::{KeychainState, Scope, SecretService, Vault};
use devrig_store::{Store, StoreOptions};
use secret_service::PrivateBus;

struct Rig {
    bus: PrivateBus,
    vault: Vault,
    store: Store,
    _folder: tempfile::TempDir,
}

impl Rig {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("devrig.db");
        let backups = folder.path().join("backups");
        let options = StoreOptions::new(file, backups, SystemClock::shared());
        let store = Store::open(options).await.unwrap();
        let bus = PrivateBus::start();
        let keychain = Arc::new(SecretService::at(bus.address()));
        Self { vault: Vault::new(store.clone(), keychain), bus, store, _folder: folder }
    }

    fn another_vault(&self) -> Vault {
        Vault::new(self.store.clone(), Arc::new(SecretService::at(self.bus.address())))
    }

    async fn set(&self) {
        self.vault.set(&Scope::App, "token", Sensitive::new("ghp_é".to_owned())).await.unwrap();
    }

    async fn read(&self) -> devrig_core::Result<Option<String>> {
        let value = self.vault.get(&Scope::App, "token").await?;
        Ok(value.map(|value| value.expose().clone()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unlocked_keeps_a_key_that_another_process_finds() {
    let mut rig = Rig::new().await;
    rig.bus.start_unlocked().await;
    assert_eq!(rig.vault.status().await.state, KeychainState::Ready);
    rig.set().await;
    let value = rig.another_vault().get(&Scope::App, "token").await.unwrap().unwrap();
    assert_eq!(value.expose(), "ghp_é");
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_is_said_and_unlocking_is_seen_without_a_restart() {
    let mut rig = Rig::new().await;
    rig.bus.start_unlocked().await;
    rig.set().await;
    rig.bus.lock().await;
    let status = rig.vault.status().await;
    assert_eq!(status.state, KeychainState::Locked, "{status:?}");
    let start = Instant::now();
    assert_eq!(rig.read().await.unwrap_err().code, Code::KeychainLocked);
    assert!(start.elapsed() < Duration::from_secs(3), "no prompt was waited for");
    let token = Sensitive::new("new".to_owned());
    let error = rig.vault.set(&Scope::App, "second", token).await.unwrap_err();
    assert_eq!(error.code, Code::KeychainLocked);
    rig.bus.unlock().await;
    assert_eq!(rig.read().await.unwrap().as_deref(), Some("ghp_é"));
    assert_eq!(rig.vault.status().await.state, KeychainState::Ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keychain_at_start_is_no_lost_key() {
    let mut rig = Rig::new().await;
    rig.bus.start_unlocked().await;
    rig.set().await;
    rig.bus.start_locked().await;
    let vault = rig.another_vault();
    let error = vault.get(&Scope::App, "token").await.unwrap_err();
    assert_eq!(error.code, Code::KeychainLocked, "{error:?}");
    rig.bus.unlock().await;
    assert!(vault.get(&Scope::App, "token").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_display_the_prompt_of_unlock_ends_as_locked() {
    let mut rig = Rig::new().await;
    rig.bus.start_unlocked().await;
    rig.set().await;
    rig.bus.lock().await;
    let status = tokio::time::timeout(Duration::from_secs(30), rig.vault.unlock(None));
    let status = status.await.unwrap().unwrap();
    assert_eq!(status.state, KeychainState::Locked, "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keychain_that_was_never_set_up_counts_as_locked() {
    let mut rig = Rig::new().await;
    rig.bus.start_locked().await;
    let status = rig.vault.status().await;
    assert_eq!(status.state, KeychainState::Locked, "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn absent_is_said_and_a_late_keychain_is_noticed_by_itself() {
    let mut rig = Rig::new().await;
    let mut watch = rig.vault.watch();
    let token = Sensitive::new("v".to_owned());
    let error = rig.vault.set(&Scope::App, "token", token).await.unwrap_err();
    assert_eq!(error.code, Code::KeychainAbsent, "{error:?}");
    assert!(error.hint.unwrap().contains("gnome-keyring"));
    assert_eq!(watch.borrow_and_update().state, KeychainState::Absent);
    rig.bus.start_unlocked().await;
    tokio::time::timeout(Duration::from_secs(30), watch.changed()).await.unwrap().unwrap();
    assert_eq!(watch.borrow().state, KeychainState::Ready);
    rig.set().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bus_at_all_is_absent() {
    let mut rig = Rig::new().await;
    let keychain = Arc::new(SecretService::at("unix:path=/nonexistent/devrig/bus"));
    rig.vault = Vault::new(rig.store.clone(), keychain);
    assert_eq!(rig.vault.status().await.state, KeychainState::Absent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_keychain_is_seen_without_a_restart() {
    let mut rig = Rig::new().await;
    rig.bus.start_unlocked().await;
    rig.set().await;
    rig.bus.stop();
    rig.vault.lock();
    assert_eq!(rig.read().await.unwrap_err().code, Code::KeychainAbsent);
    rig.bus.start_unlocked().await;
    assert_eq!(rig.read().await.unwrap().as_deref(), Some("ghp_é"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_keychain_does_not_hang_the_vault() {
    let mut rig = Rig::new().await;
    rig.bus.start_unlocked().await;
    rig.set().await;
    rig.bus.hang(true);
    assert_eq!(rig.read().await.unwrap().as_deref(), Some("ghp_é"), "the key is in memory");
    let start = Instant::now();
    let status = rig.vault.status().await;
    assert_eq!(status.state, KeychainState::Error, "{status:?}");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    rig.bus.hang(false);
    assert_eq!(rig.vault.status().await.state, KeychainState::Ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_lost_its_files_is_a_lost_key() {
    let mut rig = Rig::new().await;
    rig.bus.start_unlocked().await;
    rig.set().await;
    rig.bus.stop();
    for file in std::fs::read_dir(rig.bus.keyrings()).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    rig.bus.start_unlocked().await;
    let vault = rig.another_vault();
    let error = vault.get(&Scope::App, "token").await.unwrap_err();
    assert_eq!(error.code, Code::SecretUnreadable, "{error:?}");
    let token = Sensitive::new("new".to_owned());
    let error = vault.set(&Scope::App, "second", token).await.unwrap_err();
    assert_eq!(error.code, Code::SecretUnreadable, "no new key over old values");
}
