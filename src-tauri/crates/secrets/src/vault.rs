//! Storing, reading and listing secrets, and watching over the keychain.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use devrig_core::{Change, ChangeKind, Code, Error, Origin, Result, Sensitive, Timestamp};
use devrig_store::{Store, Tx};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::cipher::{self, Sealed};
use crate::keychain::{Keychain, KeychainFailure, KeychainState, KeychainStatus, MasterKey};
use crate::scope::{Scope, check_name};
use crate::table::{self, KeyRow};

/// A keychain that takes longer is taken for hung.
const ANSWER: Duration = Duration::from_secs(5);
/// The person gets this long in front of a prompt.
const PROMPT: Duration = Duration::from_secs(120);
/// Between two looks at a keychain that is not ready.
const LOOK: Duration = Duration::from_secs(10);
/// Longest value, in bytes.
const LONGEST: usize = 64 * 1024;
/// The text under a key's proof, and the place it is bound to.
const PROOF: (&str, &str, &[u8]) = ("key", "proof", b"devrig");

/// A secret as lists show it. The value is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A handle on the secrets. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    keychain: Arc<dyn Keychain>,
    /// The open key, held in memory so that a plugin's hundred requests ask the keychain once.
    open: Mutex<Option<OpenKey>>,
    /// One caller at a time asks the keychain, so that no two make a first key.
    asking: tokio::sync::Mutex<()>,
    status: watch::Sender<KeychainStatus>,
    look: Mutex<Option<AbortHandle>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("keychain", &self.keychain).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct OpenKey {
    id: String,
    key: MasterKey,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(look) = lock(&self.look).take() {
            look.abort();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Vault {
    /// The keychain is not asked before it is needed.
    pub fn new(store: Store, keychain: Arc<dyn Keychain>) -> Self {
        let not_asked = KeychainStatus {
            state: KeychainState::Absent,
            message: "the keychain has not been asked yet".to_owned(),
            hint: None,
        };
        Self {
            inner: Arc::new(Inner {
                store,
                keychain,
                open: Mutex::default(),
                asking: tokio::sync::Mutex::default(),
                status: watch::Sender::new(not_asked),
                look: Mutex::default(),
            }),
        }
    }

    /// Stores a value in the place of the one before, and makes the master key when there is none
    /// and nothing was sealed with one.
    ///
    /// # Errors
    /// `KEYCHAIN_LOCKED`, `KEYCHAIN_ABSENT`; `SECRET_UNREADABLE` when the key is lost;
    /// `INVALID_INPUT` for a bad name, `TOO_LARGE` over 64 KiB.
    pub async fn set(&self, scope: &Scope, name: &str, value: Sensitive<String>) -> Result<()> {
        check_name(name)?;
        if value.expose().len() > LONGEST {
            return Err(Error::new(
                Code::TooLarge,
                format!("the secret {name} is longer than 64 KiB"),
            ));
        }
        let open = self.key(true).await?.ok_or_else(|| Error::internal("no key was made"))?;
        let (scope, name) = (scope.to_string(), name.to_owned());
        let sealed = cipher::seal(&open.key, &scope, &name, value.expose().as_bytes())?;
        self.inner
            .store
            .write(async move |tx: &mut Tx| {
                let now = tx.now();
                let created = table::put(tx.conn(), &scope, &name, &open.id, &sealed, now).await?;
                let kind = if created { ChangeKind::Created } else { ChangeKind::Updated };
                tx.change(change(&scope, &name, kind));
                Ok(())
            })
            .await
    }

    /// The value, or nothing when none is stored; then the keychain is not asked.
    ///
    /// # Errors
    /// As [`Vault::set`].
    pub async fn get(&self, scope: &Scope, name: &str) -> Result<Option<Sensitive<String>>> {
        let scope = scope.to_string();
        let Some((key_id, sealed)) = table::get(self.inner.store.reader(), &scope, name).await?
        else {
            return Ok(None);
        };
        let open = self.key(false).await?.filter(|open| open.id == key_id).ok_or_else(|| {
            Error::new(Code::SecretUnreadable, format!("the secret {name} needs an older key"))
                .hint("Enter it again.")
        })?;
        cipher::open(&open.key, &scope, name, &sealed).map(Some)
    }

    /// Removes a value; needs no key. False when there was none.
    pub async fn delete(&self, scope: &Scope, name: &str) -> Result<bool> {
        let (scope, name) = (scope.clone(), name.to_owned());
        self.inner
            .store
            .write(async move |tx: &mut Tx| Self::delete_with(tx, &scope, &name).await)
            .await
    }

    async fn delete_with(tx: &mut Tx, scope: &Scope, name: &str) -> Result<bool> {
        let scope = scope.to_string();
        let deleted = table::delete(tx.conn(), &scope, name).await?;
        if deleted {
            tx.change(change(&scope, name, ChangeKind::Deleted));
        }
        Ok(deleted)
    }

    /// Removes every value of a scope with the caller's transaction: its account goes.
    pub async fn delete_all(tx: &mut Tx, scope: &Scope) -> Result<u64> {
        let names = table::names(&mut *tx.conn(), &scope.to_string()).await?;
        for (name, ..) in &names {
            Self::delete_with(tx, scope, name).await?;
        }
        Ok(names.len() as u64)
    }

    /// What is stored for a scope, by name; needs no key.
    pub async fn list(&self, scope: &Scope) -> Result<Vec<Entry>> {
        let names = table::names(self.inner.store.reader(), &scope.to_string()).await?;
        Ok(names
            .into_iter()
            .map(|(name, created_at, updated_at)| Entry { name, created_at, updated_at })
            .collect())
    }

    /// Asks the keychain and says what it found. Opens no prompt. A keychain that turns out to be
    /// locked takes the key out of memory.
    pub async fn status(&self) -> KeychainStatus {
        self.inner.ask().await
    }

    /// Asks the person to unlock the keychain; may open a prompt and wait two minutes for them.
    pub async fn unlock(&self) -> KeychainStatus {
        let unlocking = tokio::time::timeout(PROMPT, self.inner.keychain.unlock()).await;
        if let Ok(Err(failure)) = unlocking {
            tracing::info!(?failure, "the keychain was not unlocked");
        }
        self.status().await
    }

    /// The status as it changes: it is seen on each use, and while the keychain is not ready every
    /// ten seconds.
    pub fn watch(&self) -> watch::Receiver<KeychainStatus> {
        self.inner.status.subscribe()
    }

    /// Takes the key out of memory; the next use asks the keychain again.
    pub fn lock(&self) {
        lock(&self.inner.open).take();
    }

    async fn key(&self, make: bool) -> Result<Option<OpenKey>> {
        if let Some(open) = lock(&self.inner.open).clone() {
            return Ok(Some(open));
        }
        let _asking = self.inner.asking.lock().await;
        if let Some(open) = lock(&self.inner.open).clone() {
            return Ok(Some(open));
        }
        let outcome = self.inner.load(make).await;
        self.inner.tell(outcome.as_ref().err());
        outcome
    }
}

impl Inner {
    /// Looks at the keychain anew.
    async fn ask(self: &Arc<Self>) -> KeychainStatus {
        let _asking = self.asking.lock().await;
        let outcome = self.load(false).await;
        // One that went away without a word keeps the key usable: it may only be restarting.
        if let Err(Error { code: Code::KeychainLocked | Code::SecretUnreadable, .. }) = &outcome {
            lock(&self.open).take();
        }
        self.tell(outcome.err().as_ref())
    }

    /// The present key from the keychain, kept in memory from here on. Nothing when no secret was
    /// ever stored, unless one is to be made.
    async fn load(&self, make: bool) -> Result<Option<OpenKey>> {
        let Some(row) = table::present_key(self.store.reader()).await? else {
            bounded(self.keychain.probe()).await?;
            return if make { self.make().await.map(Some) } else { Ok(None) };
        };
        let Some(key) = bounded(self.keychain.read(&row.id)).await? else {
            if table::any(self.store.reader()).await? {
                return Err(lost());
            }
            return if make { self.make().await.map(Some) } else { Ok(None) };
        };
        cipher::open(&key, PROOF.0, PROOF.1, &row.proof).map_err(|_| wrong())?;
        Ok(Some(self.keep(row.id, key)))
    }

    /// A new key, in the keychain before the file knows of it: the other way round, a crash would
    /// leave a file that waits for a key nobody has.
    async fn make(&self) -> Result<OpenKey> {
        let key = Sensitive::new(cipher::random::<32>()?);
        let id = devrig_core::id::fresh();
        bounded(self.keychain.write(&id, &key)).await?;
        let kept = bounded(self.keychain.read(&id)).await?;
        if kept.is_none_or(|kept| kept.expose() != key.expose()) {
            return Err(KeychainFailure::Broken("it does not keep what it is given".into()).into());
        }
        let proof: Sealed = cipher::seal(&key, PROOF.0, PROOF.1, PROOF.2)?;
        let row = KeyRow { id: id.clone(), proof };
        self.store
            .write(async move |tx: &mut Tx| {
                let now = tx.now();
                table::delete_unused_keys(tx.conn()).await?;
                table::insert_key(tx.conn(), &row, now).await
            })
            .await?;
        Ok(self.keep(id, key))
    }

    fn keep(&self, id: String, key: MasterKey) -> OpenKey {
        let open = OpenKey { id, key };
        *lock(&self.open) = Some(open.clone());
        open
    }
}

impl Inner {
    /// Tells the watchers, and sees to it that a keychain which is not ready is looked at again.
    fn tell(self: &Arc<Self>, error: Option<&Error>) -> KeychainStatus {
        let status = error.map_or_else(KeychainStatus::ready, KeychainStatus::of);
        self.status.send_if_modified(|now| {
            let changed = *now != status;
            now.clone_from(&status);
            changed
        });
        if status.state != KeychainState::Ready {
            self.look_again();
        }
        status
    }

    fn look_again(self: &Arc<Self>) {
        let mut look = lock(&self.look);
        if look.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        *look = Some(tokio::spawn(look_until_ready(Arc::downgrade(self))).abort_handle());
    }
}

/// Ends when the keychain is ready or the vault is gone.
async fn look_until_ready(vault: Weak<Inner>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(vault) = vault.upgrade() else { return };
        if vault.ask().await.state == KeychainState::Ready {
            return;
        }
    }
}

async fn bounded<T>(call: impl Future<Output = Result<T, KeychainFailure>>) -> Result<T> {
    match tokio::time::timeout(ANSWER, call).await {
        Ok(outcome) => outcome.map_err(Error::from),
        Err(_) => Err(Error::new(
            Code::Timeout,
            format!("the system's keychain did not answer within {} seconds", ANSWER.as_secs()),
        )
        .hint("Restart the keychain or log in again; DevRig goes on by itself.")),
    }
}

fn lost() -> Error {
    Error::new(Code::SecretUnreadable, "the keychain no longer holds DevRig's master key").hint(
        "Restore the keychain that this home folder was used with, or delete the stored \
             secrets and enter them again.",
    )
}

fn wrong() -> Error {
    Error::new(Code::SecretUnreadable, "the master key in the keychain is not the one in use here")
        .hint(
            "Restore the keychain that this home folder was used with, or delete the stored \
             secrets and enter them again.",
        )
}

fn change(scope: &str, name: &str, kind: ChangeKind) -> Change {
    Change::new("secret", format!("{scope}/{name}"), kind, &Origin::person())
}
