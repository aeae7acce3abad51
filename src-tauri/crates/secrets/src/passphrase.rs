//! A master key kept under a passphrase, where a person chose that: sealed with a key that
//! Argon2id (RFC 9106) makes of it.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use devrig_core::{Code, Error, Result, Sensitive};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::cipher::{self, Sealed};
use crate::keychain::MasterKey;

/// In characters. What cannot be tried a billion times still has to be no word of a list.
pub const SHORTEST: usize = 12;
const LONGEST: usize = 1_024;

/// RFC 9106's second choice, with one lane: 64 MiB and three passes, some tenths of a second.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// What a file may ask of this machine.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 32;

/// The sealed key with all that opens it again, but for the passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wrap {
    kdf: Kdf,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    /// The rest is base64.
    salt: String,
    nonce: String,
    key: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kdf {
    Argon2id,
}

/// Seals the key with this id.
///
/// # Errors
/// `INVALID_INPUT` for a passphrase that is too short.
pub async fn wrap(passphrase: &Sensitive<String>, id: &str, key: &MasterKey) -> Result<Wrap> {
    let length = passphrase.expose().chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        let message = format!("a passphrase has {SHORTEST} to {LONGEST} characters");
        return Err(Error::invalid(message).hint("Some words that do not belong together do well."));
    }
    let salt = cipher::random::<16>()?;
    let under = derive(passphrase, &salt, MEMORY_KIB, PASSES, LANES).await?;
    let text = Zeroizing::new(STANDARD.encode(key.expose()));
    let sealed = cipher::seal(&under, "passphrase", id, text.as_bytes())?;
    Ok(Wrap {
        kdf: Kdf::Argon2id,
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
        salt: STANDARD.encode(salt),
        nonce: STANDARD.encode(sealed.nonce),
        key: STANDARD.encode(sealed.ciphertext),
    })
}

/// # Errors
/// `INVALID_INPUT` when the passphrase is not the one; `SECRET_UNREADABLE` for a damaged file.
pub async fn unwrap(passphrase: &Sensitive<String>, id: &str, wrap: &Wrap) -> Result<MasterKey> {
    let bounded = wrap.memory_kib <= MOST_MEMORY_KIB && wrap.passes <= MOST_PASSES;
    let bytes = |text: &str| STANDARD.decode(text).ok();
    let parts = (bytes(&wrap.salt), bytes(&wrap.nonce), bytes(&wrap.key));
    let (Some(salt), Some(nonce), Some(ciphertext)) = parts else { return Err(damaged()) };
    let Ok(nonce) = nonce.try_into() else { return Err(damaged()) };
    if !bounded {
        return Err(damaged());
    }
    let under = derive(passphrase, &salt, wrap.memory_kib, wrap.passes, wrap.lanes).await?;
    let text = cipher::open(&under, "passphrase", id, &Sealed { nonce, ciphertext })
        .map_err(|_| Error::invalid("that is not the passphrase").hint("Try again."))?;
    let key = Zeroizing::new(STANDARD.decode(text.expose()).map_err(|_| damaged())?);
    Ok(Sensitive::new(<[u8; 32]>::try_from(key.as_slice()).map_err(|_| damaged())?))
}

async fn derive(
    passphrase: &Sensitive<String>,
    salt: &[u8],
    memory_kib: u32,
    passes: u32,
    lanes: u32,
) -> Result<MasterKey> {
    let (passphrase, salt) = (passphrase.clone(), salt.to_vec());
    let derived = tokio::task::spawn_blocking(move || {
        let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| damaged())?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose().as_bytes(), &salt, key.as_mut())
            .map_err(|_| damaged())?;
        Ok(Sensitive::new(*key))
    });
    derived.await.unwrap_or_else(|error| Err(Error::internal(format!("deriving a key: {error}"))))
}

fn damaged() -> Error {
    Error::new(Code::SecretUnreadable, "the stored form of the master key is damaged")
        .hint("Restore a backup, or delete the stored secrets and enter them again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Sensitive<String> {
        Sensitive::new(text.to_owned())
    }

    #[tokio::test]
    async fn only_the_passphrase_opens_what_it_wrapped() {
        let key: MasterKey = Sensitive::new([7; 32]);
        let wrapped = wrap(&text("correct horse battery"), "k1", &key).await.unwrap();
        let opened = unwrap(&text("correct horse battery"), "k1", &wrapped).await.unwrap();
        assert_eq!(opened.expose(), key.expose());
        let wrong = unwrap(&text("correct horse batterz"), "k1", &wrapped).await.unwrap_err();
        assert_eq!(wrong.code, Code::InvalidInput);
        assert!(unwrap(&text("correct horse battery"), "k2", &wrapped).await.is_err(), "its id");
        let json = serde_json::to_string(&wrapped).unwrap();
        assert_eq!(serde_json::from_str::<Wrap>(&json).unwrap(), wrapped);
    }

    #[tokio::test]
    async fn short_passphrases_and_greedy_files_are_refused() {
        let key: MasterKey = Sensitive::new([7; 32]);
        assert_eq!(
            wrap(&text("elf letters"), "k", &key).await.unwrap_err().code,
            Code::InvalidInput
        );
        let mut wrapped = wrap(&text("twelve or more"), "k", &key).await.unwrap();
        wrapped.memory_kib = u32::MAX;
        let error = unwrap(&text("twelve or more"), "k", &wrapped).await.unwrap_err();
        assert_eq!(error.code, Code::SecretUnreadable);
    }
}
