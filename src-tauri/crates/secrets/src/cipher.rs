//! Sealing and opening one value.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use devrig_core::{Code, Error, Result, Sensitive};
use zeroize::Zeroizing;

use crate::keychain::MasterKey;

/// What is stored of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub nonce: [u8; 12],
    pub ciphertext: Vec<u8>,
}

/// The format of this file; part of what authenticates a value.
const VERSION: &str = "1";

/// A value moved to another scope or name does not open there. Neither holds a `|`: account ids
/// and names are plain text.
fn associated(scope: &str, name: &str) -> String {
    format!("{VERSION}|{scope}|{name}")
}

/// Fills with random bytes from the system.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::internal(format!("the system gave no random bytes: {error}")))?;
    Ok(bytes)
}

pub fn seal(key: &MasterKey, scope: &str, name: &str, value: &[u8]) -> Result<Sealed> {
    let nonce = random()?;
    let aad = associated(scope, name);
    let ciphertext = cipher(key)
        .encrypt(&nonce.into(), Payload { msg: value, aad: aad.as_bytes() })
        .map_err(|_| Error::internal(format!("the secret {name} could not be encrypted")))?;
    Ok(Sealed { nonce, ciphertext })
}

/// # Errors
/// `SECRET_UNREADABLE` when key, scope, name or the stored bytes are not those of the sealing.
pub fn open(
    key: &MasterKey,
    scope: &str,
    name: &str,
    sealed: &Sealed,
) -> Result<Sensitive<String>> {
    let aad = associated(scope, name);
    let payload = Payload { msg: &sealed.ciphertext, aad: aad.as_bytes() };
    let plain = cipher(key)
        .decrypt(&sealed.nonce.into(), payload)
        .map(Zeroizing::new)
        .map_err(|_| unreadable(name))?;
    let text = std::str::from_utf8(&plain).map_err(|_| unreadable(name))?;
    Ok(Sensitive::new(text.to_owned()))
}

fn cipher(key: &MasterKey) -> Aes256Gcm {
    Aes256Gcm::new(key.expose().into())
}

fn unreadable(name: &str) -> Error {
    Error::new(
        Code::SecretUnreadable,
        format!("the secret {name} does not open under the present key"),
    )
    .hint("It was changed from outside, or belongs to another key: enter it again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> MasterKey {
        Sensitive::new([byte; 32])
    }

    #[test]
    fn what_was_sealed_opens_only_with_its_key_scope_and_name() {
        let sealed = seal(&key(1), "app", "token", "ghp_é".as_bytes()).unwrap();
        assert_eq!(open(&key(1), "app", "token", &sealed).unwrap().expose(), "ghp_é");
        let others = [(2, "app", "token"), (1, "account:a", "token"), (1, "app", "other")];
        for (byte, scope, name) in others {
            let error = open(&key(byte), scope, name, &sealed).unwrap_err();
            assert_eq!(error.code, Code::SecretUnreadable, "{byte} {scope} {name}");
        }
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let sealed = seal(&key(1), "app", "token", b"value").unwrap();
        for at in 0..sealed.ciphertext.len() {
            let mut changed = sealed.clone();
            changed.ciphertext[at] ^= 1;
            assert!(open(&key(1), "app", "token", &changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn equal_values_are_stored_differently() {
        let seal = || seal(&key(1), "app", "token", b"value").unwrap();
        let (a, b) = (seal(), seal());
        assert_ne!(a.nonce, b.nonce);
        assert_ne!(a.ciphertext, b.ciphertext);
    }
}
