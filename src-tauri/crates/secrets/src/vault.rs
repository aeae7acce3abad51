//! Storing, reading and listing secrets, and watching over the keychain.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use devrig_core::{Change, ChangeKind, Code, Error, Origin, Result, Sensitive, Timestamp};
use devrig_store::{Store, Tx};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::cipher::{self, Sealed};
use crate::keychain::{
    KeptIn, Keychain, KeychainFailure, KeychainState, KeychainStatus, MasterKey,
};
use crate::passphrase;
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
            kept_in: KeptIn::Keychain,
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

    /// Opens the secrets: with the passphrase, where the key is kept under one, else by asking the
    /// person to unlock the keychain, which may open a prompt and wait two minutes for them.
    ///
    /// # Errors
    /// `INVALID_INPUT` for a wrong passphrase, or one that nothing is kept under.
    pub async fn unlock(&self, passphrase: Option<Sensitive<String>>) -> Result<KeychainStatus> {
        let row = table::present_key(self.inner.store.reader()).await?;
        let wrap = row.as_ref().and_then(|row| row.wrap.as_ref());
        match (row.as_ref().zip(wrap), passphrase) {
            (Some((row, wrap)), Some(passphrase)) => {
                let key = passphrase::unwrap(&passphrase, &row.id, wrap).await?;
                cipher::open(&key, PROOF.0, PROOF.1, &row.proof).map_err(|_| wrong())?;
                self.inner.keep(row.id.clone(), key);
                Ok(self.status().await)
            }
            (None, Some(_)) => Err(Error::invalid("the secrets are not kept under a passphrase")
                .hint("Unlock the system's keychain.")),
            (_, None) => Ok(self.unlock_keychain().await),
        }
    }

    async fn unlock_keychain(&self) -> KeychainStatus {
        let unlocking = tokio::time::timeout(PROMPT, self.inner.keychain.unlock()).await;
        if let Ok(Err(failure)) = unlocking {
            tracing::info!(?failure, "the keychain was not unlocked");
        }
        self.status().await
    }

    /// Seals every secret anew under a fresh key, in the keychain.
    ///
    /// # Errors
    /// As [`Vault::set`]; nothing has changed then.
    pub async fn keep_in_keychain(&self) -> Result<KeychainStatus> {
        self.inner.replace_key(None).await?;
        Ok(self.status().await)
    }

    /// Seals every secret anew under a fresh key that this passphrase opens. From then on it is
    /// needed after each start.
    ///
    /// # Errors
    /// `INVALID_INPUT` for a short passphrase; as [`Vault::set`]; nothing has changed then.
    pub async fn keep_under_passphrase(
        &self,
        passphrase: Sensitive<String>,
    ) -> Result<KeychainStatus> {
        self.inner.replace_key(Some(passphrase)).await?;
        Ok(self.status().await)
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
        self.inner.tell(outcome.as_ref().err()).await;
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
        self.tell(outcome.err().as_ref()).await
    }

    /// The present key from the keychain, kept in memory from here on. Nothing when no secret was
    /// ever stored, unless one is to be made.
    async fn load(&self, make: bool) -> Result<Option<OpenKey>> {
        let Some(row) = table::present_key(self.store.reader()).await? else {
            bounded(self.keychain.probe()).await?;
            return if make { self.make().await.map(Some) } else { Ok(None) };
        };
        if row.wrap.is_some() {
            let open = lock(&self.open).clone().filter(|open| open.id == row.id);
            return open.map(Some).ok_or_else(needs_passphrase);
        }
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
        let (row, key) = self.fresh_key(None).await?;
        let id = row.id.clone();
        self.store
            .write(async move |tx: &mut Tx| {
                let now = tx.now();
                table::delete_unused_keys(tx.conn()).await?;
                table::insert_key(tx.conn(), &row, now).await
            })
            .await?;
        Ok(self.keep(id, key))
    }

    /// A new key and its row, the key itself already in its place.
    async fn fresh_key(
        &self,
        passphrase: Option<&Sensitive<String>>,
    ) -> Result<(KeyRow, MasterKey)> {
        let key = Sensitive::new(cipher::random::<32>()?);
        let id = devrig_core::id::fresh();
        let wrap = match passphrase {
            Some(passphrase) => Some(passphrase::wrap(passphrase, &id, &key).await?),
            None => {
                bounded(self.keychain.write(&id, &key)).await?;
                let kept = bounded(self.keychain.read(&id)).await?;
                if kept.is_none_or(|kept| kept.expose() != key.expose()) {
                    let why = "it does not keep what it is given".to_owned();
                    return Err(KeychainFailure::Broken(why).into());
                }
                None
            }
        };
        let proof: Sealed = cipher::seal(&key, PROOF.0, PROOF.1, PROOF.2)?;
        Ok((KeyRow { id, proof, wrap }, key))
    }

    /// Puts a fresh key in the place of the present one: all values are sealed anew in one
    /// transaction, so that whatever happens, one key opens all of them.
    async fn replace_key(self: &Arc<Self>, passphrase: Option<Sensitive<String>>) -> Result<()> {
        let _asking = self.asking.lock().await;
        let before = table::present_key(self.store.reader()).await?;
        let open = lock(&self.open).clone();
        let old = match open {
            Some(open) => Some(open),
            None if table::any(self.store.reader()).await? => self.load(false).await?,
            None => None,
        };
        let (row, key) = self.fresh_key(passphrase.as_ref()).await?;
        let (stored, new) = (row.clone(), key.clone());
        let replaced = self
            .store
            .write(async move |tx: &mut Tx| {
                let now = tx.now();
                table::insert_key(tx.conn(), &stored, now).await?;
                for mut secret in table::all(tx.conn()).await? {
                    let old =
                        old.as_ref().filter(|old| old.id == secret.key_id).ok_or_else(lost)?;
                    let value =
                        cipher::open(&old.key, &secret.scope, &secret.name, &secret.sealed)?;
                    let bytes = value.expose().as_bytes();
                    secret.sealed = cipher::seal(&new, &secret.scope, &secret.name, bytes)?;
                    secret.key_id.clone_from(&stored.id);
                    table::reseal(tx.conn(), &secret).await?;
                }
                table::delete_other_keys(tx.conn(), &stored.id).await
            })
            .await;
        if let (Err(error), None) = (&replaced, &row.wrap) {
            tracing::info!(%error, "the master key was not replaced");
            _ = bounded(self.keychain.remove(&row.id)).await;
        }
        replaced?;
        self.keep(row.id, key);
        // The file no longer needs it. One that cannot be removed now opens nothing any more.
        if let Some(before) = before.filter(|before| before.wrap.is_none())
            && let Err(error) = bounded(self.keychain.remove(&before.id)).await
        {
            tracing::info!(%error, "the old master key was left in the keychain");
        }
        Ok(())
    }

    fn keep(&self, id: String, key: MasterKey) -> OpenKey {
        let open = OpenKey { id, key };
        *lock(&self.open) = Some(open.clone());
        open
    }
}

impl Inner {
    /// Tells the watchers, and sees to it that a keychain which is not ready is looked at again.
    async fn tell(self: &Arc<Self>, error: Option<&Error>) -> KeychainStatus {
        let row = table::present_key(self.store.reader()).await.ok().flatten();
        let kept_in = match row {
            Some(KeyRow { wrap: Some(_), .. }) => KeptIn::Passphrase,
            _ => KeptIn::Keychain,
        };
        let status = match error {
            None => KeychainStatus::ready(kept_in),
            Some(error) => KeychainStatus::of(error, kept_in),
        };
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

fn needs_passphrase() -> Error {
    Error::new(Code::KeychainLocked, "the secrets are locked with your passphrase")
        .hint("Enter it in the window, or with `devrig secret unlock`.")
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
