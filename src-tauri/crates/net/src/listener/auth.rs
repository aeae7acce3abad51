//! Who may send: nobody in particular, whoever knows a token, or whoever signs the body.
//!
//! What can be seen to be wrong from the headers is refused before the body is read.

mod replay;
mod scheme;
mod secret;

use std::fmt;
use std::sync::Arc;

use devrig_core::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use sha2::Sha256;

use super::refusal::Refusal;
pub(super) use replay::{Claim, Replays};
pub(super) use scheme::Claimed;
pub use scheme::{Encoding, Scheme};
pub use secret::SecretSource;

/// How a route knows its senders.
#[derive(Clone)]
pub enum Auth {
    /// Anybody who can reach the path.
    None,
    /// An HMAC-SHA256 over the body as it came.
    Signed { scheme: Scheme, secret: Arc<dyn SecretSource> },
    /// The secret itself in a header; in `Authorization` it follows the word `Bearer`.
    Token { header: HeaderName, secret: Arc<dyn SecretSource> },
}

impl Auth {
    pub fn signed(scheme: Scheme, secret: impl SecretSource + 'static) -> Self {
        Self::Signed { scheme, secret: Arc::new(secret) }
    }

    pub fn token(header: HeaderName, secret: impl SecretSource + 'static) -> Self {
        Self::Token { header, secret: Arc::new(secret) }
    }

    /// The header that proves the sender, which nobody else should see.
    pub(super) fn header(&self) -> Option<&HeaderName> {
        match self {
            Auth::None => None,
            Auth::Signed { scheme, .. } => Some(scheme.header()),
            Auth::Token { header, .. } => Some(header),
        }
    }

    /// Checks what the headers alone can tell, and gives what the body has to live up to.
    pub(super) async fn before_body(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Option<Claimed>, Refusal> {
        match self {
            Auth::None => Ok(None),
            Auth::Signed { scheme, .. } => scheme.claimed(headers, now).map(Some),
            Auth::Token { header, secret } => {
                let token = presented(headers, header)?;
                let secret = secret::read(secret.as_ref()).await?;
                if same(token.as_bytes(), secret.expose()) {
                    Ok(None)
                } else {
                    Err(Refusal::Mismatch)
                }
            }
        }
    }

    /// Checks the body against what was claimed for it.
    pub(super) async fn after_body(
        &self,
        claimed: Option<Claimed>,
        body: &[u8],
    ) -> Result<Option<replay::Key>, Refusal> {
        let (Auth::Signed { secret, .. }, Some(claimed)) = (self, claimed) else {
            return Ok(None);
        };
        let secret = secret::read(secret.as_ref()).await?;
        let mac = claimed.verify(secret.expose(), body).ok_or(Refusal::Mismatch)?;
        Ok(claimed.signed_at.map(|at| replay::Key::new(at, &mac)))
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Auth::None => f.write_str("None"),
            Auth::Signed { scheme, .. } => f.debug_tuple("Signed").field(scheme).finish(),
            Auth::Token { header, .. } => f.debug_tuple("Token").field(header).finish(),
        }
    }
}

/// The one value of a header. A second one would let two readers disagree about which counts.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or_else(|| unsigned(name, "is missing"))?;
    if values.next().is_some() {
        return Err(unsigned(name, "came more than once"));
    }
    value.to_str().map_err(|_| unsigned(name, "is not plain text"))
}

fn unsigned(name: &HeaderName, why: &str) -> Refusal {
    Refusal::Unsigned(format!("the header {name} {why}"))
}

fn presented<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Refusal> {
    let value = only(headers, name)?;
    if name != AUTHORIZATION {
        return Ok(value);
    }
    match value.split_once(' ') {
        Some((word, token)) if word.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(unsigned(name, "does not hold a Bearer token")),
    }
}

/// Compares by MACs, so that neither content nor length shows in the time it takes.
fn same(presented: &[u8], secret: &[u8]) -> bool {
    let mac = |message| keyed(secret).chain_update(message);
    mac(presented).verify(&mac(secret).finalize().into_bytes()).is_ok()
}

fn keyed(secret: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests;
