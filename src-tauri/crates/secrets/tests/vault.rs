//! The vault over a keychain that behaves as the test says.

use std::sync::Arc;
use std::time::{Duration, Instant};

use devrig_core::id::AccountId;
use devrig_core::{Code, Sensitive, SystemClock};
use devrig_secrets::{Behaviour, KeptIn, Keychain, KeychainState, MemoryKeychain, Scope, Vault};
use devrig_store::{Store, StoreOptions, Tx, from_sqlx};

struct Rig {
    keychain: Arc<MemoryKeychain>,
    vault: Vault,
    store: Store,
    folder: tempfile::TempDir,
}

impl Rig {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("devrig.db");
        let backups = folder.path().join("backups");
        let options = StoreOptions::new(file, backups, SystemClock::shared());
        let store = Store::open(options).await.unwrap();
        let keychain = Arc::new(MemoryKeychain::default());
        let vault = Vault::new(store.clone(), keychain.clone());
        Self { keychain, vault, store, folder }
    }

    /// As after a restart of DevRig: nothing is in memory.
    fn another_vault(&self) -> Vault {
        Vault::new(self.store.clone(), self.keychain.clone())
    }
}

fn value(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

fn account(id: &str) -> Scope {
    Scope::Account(AccountId::from(id))
}

async fn read(vault: &Vault, scope: &Scope, name: &str) -> Option<String> {
    vault.get(scope, name).await.unwrap().map(|value| value.expose().clone())
}

#[tokio::test]
async fn a_value_reads_back_in_its_own_scope_only() {
    let rig = Rig::new().await;
    rig.vault.set(&account("a"), "token", value("ghp_1")).await.unwrap();
    rig.vault.set(&account("b"), "token", value("ghp_2")).await.unwrap();
    rig.vault.set(&account("a"), "token", value("ghp_3")).await.unwrap();
    let vault = rig.another_vault();
    assert_eq!(read(&vault, &account("a"), "token").await.as_deref(), Some("ghp_3"));
    assert_eq!(read(&vault, &account("b"), "token").await.as_deref(), Some("ghp_2"));
    assert_eq!(read(&vault, &Scope::App, "token").await, None);
    let listed = vault.list(&account("a")).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name, "token");
    assert!(listed[0].updated_at >= listed[0].created_at);
    assert!(vault.delete(&account("a"), "token").await.unwrap());
    assert!(!vault.delete(&account("a"), "token").await.unwrap());
    assert_eq!(read(&vault, &account("a"), "token").await, None);
}

#[tokio::test]
async fn the_files_hold_neither_value_nor_key() {
    let rig = Rig::new().await;
    rig.vault.set(&Scope::App, "token", value("needle-in-the-haystack")).await.unwrap();
    for entry in std::fs::read_dir(rig.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(22).any(|part| part == b"needle-in-the-haystack");
            assert!(!found, "{}", path.display());
        }
    }
    let printed = format!("{:?} {:?}", rig.vault, rig.vault.get(&Scope::App, "token").await);
    assert!(!printed.contains("needle"), "{printed}");
}

#[tokio::test]
async fn a_row_moved_to_another_scope_or_name_does_not_open() {
    let rig = Rig::new().await;
    rig.vault.set(&account("a"), "token", value("mine")).await.unwrap();
    for (scope, name) in [("account:b", "token"), ("account:a", "other")] {
        rig.store
            .write(async move |tx: &mut Tx| {
                sqlx::query(
                    "INSERT INTO secret SELECT ?, ?, key_id, nonce, ciphertext, created_at,
                     updated_at FROM secret WHERE scope = 'account:a' AND name = 'token'",
                )
                .bind(scope)
                .bind(name)
                .execute(tx.conn())
                .await
                .map_err(from_sqlx)?;
                Ok(())
            })
            .await
            .unwrap();
    }
    let error = rig.vault.get(&account("b"), "token").await.unwrap_err();
    assert_eq!(error.code, Code::SecretUnreadable);
    let error = rig.vault.get(&account("a"), "other").await.unwrap_err();
    assert_eq!(error.code, Code::SecretUnreadable);
    assert!(error.hint.is_some());
}

#[tokio::test]
async fn a_lost_key_is_said_and_never_replaced_over_values() {
    let rig = Rig::new().await;
    rig.vault.set(&Scope::App, "token", value("old")).await.unwrap();
    rig.keychain.forget();
    let vault = rig.another_vault();
    for error in [
        vault.get(&Scope::App, "token").await.unwrap_err(),
        vault.set(&Scope::App, "second", value("new")).await.unwrap_err(),
    ] {
        assert_eq!(error.code, Code::SecretUnreadable);
        assert!(error.hint.unwrap().contains("delete the stored secrets"));
    }
    assert_eq!(vault.status().await.state, KeychainState::Error);
    assert_eq!(vault.list(&Scope::App).await.unwrap().len(), 1, "nothing was changed");

    // What the hint says works.
    vault.delete(&Scope::App, "token").await.unwrap();
    vault.set(&Scope::App, "token", value("again")).await.unwrap();
    assert_eq!(read(&rig.another_vault(), &Scope::App, "token").await.as_deref(), Some("again"));
}

#[tokio::test]
async fn a_wrong_key_is_refused_before_anything_is_written_with_it() {
    let rig = Rig::new().await;
    rig.vault.set(&Scope::App, "token", value("old")).await.unwrap();
    rig.keychain.corrupt();
    let vault = rig.another_vault();
    let error = vault.set(&Scope::App, "second", value("new")).await.unwrap_err();
    assert_eq!(error.code, Code::SecretUnreadable);
    rig.keychain.corrupt();
    assert_eq!(read(&vault, &Scope::App, "token").await.as_deref(), Some("old"));
}

#[tokio::test]
async fn locked_and_absent_are_states_that_pass_without_a_new_vault() {
    let rig = Rig::new().await;
    rig.vault.set(&Scope::App, "token", value("v")).await.unwrap();
    let vault = rig.another_vault();
    let cases = [
        (Behaviour::Locked, Code::KeychainLocked, KeychainState::Locked),
        (Behaviour::Absent, Code::KeychainAbsent, KeychainState::Absent),
    ];
    for (behaviour, code, state) in cases {
        rig.keychain.behave(behaviour);
        vault.lock();
        assert_eq!(vault.get(&Scope::App, "token").await.unwrap_err().code, code);
        let status = vault.status().await;
        assert_eq!(status.state, state);
        assert!(status.hint.is_some(), "it says what to do");
        rig.keychain.behave(Behaviour::Open);
        assert_eq!(read(&vault, &Scope::App, "token").await.as_deref(), Some("v"));
    }
    rig.keychain.behave(Behaviour::Locked);
    assert_eq!(vault.status().await.state, KeychainState::Locked);
    assert_eq!(vault.unlock(None).await.unwrap().state, KeychainState::Ready);
    rig.keychain.behave(Behaviour::Refused);
    assert_eq!(
        vault.unlock(None).await.unwrap().state,
        KeychainState::Locked,
        "the person said no"
    );
}

#[tokio::test]
async fn a_fresh_key_opens_everything_and_the_old_one_is_gone() {
    let rig = Rig::new().await;
    rig.vault.set(&Scope::App, "token", value("one")).await.unwrap();
    rig.vault.set(&account("a"), "token", value("two")).await.unwrap();
    assert_eq!(rig.vault.keep_in_keychain().await.unwrap().state, KeychainState::Ready);
    assert_eq!(rig.keychain.holds(), 1, "the old key is removed");
    let vault = rig.another_vault();
    assert_eq!(read(&vault, &Scope::App, "token").await.as_deref(), Some("one"));
    assert_eq!(read(&vault, &account("a"), "token").await.as_deref(), Some("two"));
    // A keychain that does not take the new key leaves all as it is.
    rig.keychain.behave(Behaviour::Absent);
    assert_eq!(rig.vault.keep_in_keychain().await.unwrap_err().code, Code::KeychainAbsent);
    rig.keychain.behave(Behaviour::Open);
    assert_eq!(read(&rig.another_vault(), &Scope::App, "token").await.as_deref(), Some("one"));
}

#[tokio::test]
async fn a_passphrase_is_an_explicit_choice_and_is_needed_after_each_start() {
    let rig = Rig::new().await;
    rig.keychain.behave(Behaviour::Absent);
    let error = rig.vault.set(&Scope::App, "token", value("v")).await.unwrap_err();
    assert_eq!(error.code, Code::KeychainAbsent, "never a silent fallback");
    let short = rig.vault.keep_under_passphrase(value("short")).await.unwrap_err();
    assert_eq!(short.code, Code::InvalidInput);
    let status = rig.vault.keep_under_passphrase(value("four words of mine")).await.unwrap();
    assert_eq!((status.state, status.kept_in), (KeychainState::Ready, KeptIn::Passphrase));
    rig.vault.set(&Scope::App, "token", value("v")).await.unwrap();

    let vault = rig.another_vault();
    let error = vault.get(&Scope::App, "token").await.unwrap_err();
    assert_eq!(error.code, Code::KeychainLocked);
    assert!(error.hint.is_some());
    let status = vault.status().await;
    assert_eq!((status.state, status.kept_in), (KeychainState::Locked, KeptIn::Passphrase));
    let wrong = vault.unlock(Some(value("four words of yours"))).await.unwrap_err();
    assert_eq!(wrong.code, Code::InvalidInput);
    let status = vault.unlock(Some(value("four words of mine"))).await.unwrap();
    assert_eq!(status.state, KeychainState::Ready);
    assert_eq!(read(&vault, &Scope::App, "token").await.as_deref(), Some("v"));

    vault.keep_under_passphrase(value("another four words")).await.unwrap();
    let changed = rig.another_vault();
    assert!(changed.unlock(Some(value("four words of mine"))).await.is_err());
    changed.unlock(Some(value("another four words"))).await.unwrap();
    rig.keychain.behave(Behaviour::Open);
    let status = changed.keep_in_keychain().await.unwrap();
    assert_eq!((status.state, status.kept_in), (KeychainState::Ready, KeptIn::Keychain));
    assert_eq!(read(&rig.another_vault(), &Scope::App, "token").await.as_deref(), Some("v"));
    let none = changed.unlock(Some(value("another four words"))).await.unwrap_err();
    assert_eq!(none.code, Code::InvalidInput);
}

#[tokio::test]
async fn a_locked_key_cannot_be_replaced() {
    let rig = Rig::new().await;
    rig.vault.set(&Scope::App, "token", value("v")).await.unwrap();
    rig.keychain.behave(Behaviour::Locked);
    let vault = rig.another_vault();
    let error = vault.keep_under_passphrase(value("four words of mine")).await.unwrap_err();
    assert_eq!(error.code, Code::KeychainLocked);
    rig.keychain.behave(Behaviour::Open);
    assert_eq!(read(&vault, &Scope::App, "token").await.as_deref(), Some("v"));
}

#[tokio::test]
async fn a_lock_that_is_noticed_takes_the_key_out_of_memory() {
    let rig = Rig::new().await;
    rig.vault.set(&Scope::App, "token", value("v")).await.unwrap();
    let before = rig.keychain.calls();
    for _ in 0..20 {
        rig.vault.get(&Scope::App, "token").await.unwrap();
    }
    assert_eq!(rig.keychain.calls(), before, "an open key asks the keychain no more");
    rig.keychain.behave(Behaviour::Locked);
    rig.vault.status().await;
    let error = rig.vault.get(&Scope::App, "token").await.unwrap_err();
    assert_eq!(error.code, Code::KeychainLocked);
}

#[tokio::test]
async fn an_absent_keychain_never_makes_a_weaker_key() {
    let rig = Rig::new().await;
    rig.keychain.behave(Behaviour::Absent);
    let error = rig.vault.set(&Scope::App, "token", value("v")).await.unwrap_err();
    assert_eq!(error.code, Code::KeychainAbsent);
    assert!(rig.vault.list(&Scope::App).await.unwrap().is_empty());
    assert_eq!(read(&rig.vault, &Scope::App, "token").await, None, "nothing stored needs no key");
}

#[tokio::test]
async fn many_first_callers_make_one_key() {
    let rig = Rig::new().await;
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..16 {
        let vault = rig.vault.clone();
        callers.spawn(async move {
            vault.set(&Scope::App, &format!("n{number}"), value("v")).await.unwrap();
        });
    }
    callers.join_all().await;
    let vault = rig.another_vault();
    for number in 0..16 {
        assert_eq!(read(&vault, &Scope::App, &format!("n{number}")).await.as_deref(), Some("v"));
    }
}

#[tokio::test]
async fn a_hung_keychain_costs_seconds_and_is_looked_at_again() {
    let rig = Rig::new().await;
    rig.vault.set(&Scope::App, "token", value("v")).await.unwrap();
    rig.keychain.behave(Behaviour::Hung);
    let vault = rig.another_vault();
    let mut watch = vault.watch();
    let start = Instant::now();
    let error = vault.get(&Scope::App, "token").await.unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(watch.borrow_and_update().state, KeychainState::Error);
    rig.keychain.behave(Behaviour::Open);
    // Nobody uses a secret; the vault looks by itself.
    tokio::time::timeout(Duration::from_secs(30), watch.changed()).await.unwrap().unwrap();
    assert_eq!(watch.borrow().state, KeychainState::Ready);
}

#[tokio::test]
async fn odd_names_and_long_values_are_refused() {
    let rig = Rig::new().await;
    for name in ["", "a b", "a|b", "a/b", "é", &"x".repeat(129)] {
        let error = rig.vault.set(&Scope::App, name, value("v")).await.unwrap_err();
        assert_eq!(error.code, Code::InvalidInput, "{name:?}");
    }
    let long = value(&"x".repeat(64 * 1024 + 1));
    assert_eq!(rig.vault.set(&Scope::App, "long", long).await.unwrap_err().code, Code::TooLarge);
}

#[tokio::test]
async fn the_memory_keychain_is_a_keychain() {
    let keychain = MemoryKeychain::default();
    assert!(keychain.read("a").await.unwrap().is_none());
    keychain.write("a", &Sensitive::new([7; 32])).await.unwrap();
    assert_eq!(keychain.read("a").await.unwrap().unwrap().expose(), &[7; 32]);
}
