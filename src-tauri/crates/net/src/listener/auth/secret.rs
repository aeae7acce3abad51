//! Where the shared secret comes from.

use std::time::Duration;

use async_trait::async_trait;
use devrig_core::{Code, Error, Result, Sensitive};

use crate::listener::refusal::Refusal;

/// A keychain that asks the person may take as long as the person; the sender does not wait so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Gives the secret that a route shares with its sender, at each request. A locked keychain is
/// an error, and the sender is asked to come back.
///
/// A closure that answers at once is one too.
#[async_trait]
pub trait SecretSource: Send + Sync {
    async fn secret(&self) -> Result<Sensitive<Vec<u8>>>;
}

#[async_trait]
impl<F: Fn() -> Result<Sensitive<Vec<u8>>> + Send + Sync> SecretSource for F {
    async fn secret(&self) -> Result<Sensitive<Vec<u8>>> {
        self()
    }
}

pub(super) async fn read(source: &dyn SecretSource) -> Result<Sensitive<Vec<u8>>, Refusal> {
    let read = match tokio::time::timeout(PATIENCE, source.secret()).await {
        // Anybody can sign with the empty key.
        Ok(Ok(secret)) if secret.expose().is_empty() => Err(Error::invalid("the secret is empty")),
        Ok(read) => read,
        Err(_) => Err(Error::new(Code::Timeout, "the secret was not read in time")),
    };
    read.map_err(|error| {
        tracing::warn!(%error, "a request is refused, as the secret to check it cannot be read");
        Refusal::Secret(error)
    })
}
