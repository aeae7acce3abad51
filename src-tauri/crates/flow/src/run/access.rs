//! What a run takes from the person's own things: secrets and variables, as far as it may.

use std::sync::Arc;

use devrig_core::{Code, Error, Result};
use serde_json::{Map, Value, json};

use crate::input::Reads;
use crate::permissions::Permissions;
use crate::permits::Permits;
use crate::secrets::{Masks, Secrets};

/// The way of one run to them.
#[derive(Clone)]
pub struct Access {
    flow: i64,
    permits: Permits,
    secrets: Arc<dyn Secrets>,
}

impl Access {
    /// `flow` is the flow's number.
    pub fn new(flow: i64, permits: Permits, secrets: Arc<dyn Secrets>) -> Self {
        Self { flow, permits, secrets }
    }

    /// What the flow may touch at this moment.
    ///
    /// # Errors
    /// What reading meets.
    pub async fn permissions(&self) -> Result<Arc<Permissions>> {
        self.permits.of(self.flow).await
    }

    /// The roots `secrets` and `env` with what is read, which is hidden from now on where it is a
    /// secret.
    ///
    /// # Errors
    /// `REFUSED` for what the flow may not use, `NOT_FOUND` for what is not there.
    pub async fn roots(&self, reads: &Reads, masks: &Masks) -> Result<Vec<(&'static str, Value)>> {
        if reads.is_empty() {
            return Ok(Vec::new());
        }
        let permissions = self.permissions().await?;
        let (mut secrets, mut env) = (Map::new(), Map::new());
        for name in &reads.secrets {
            permissions.secret(name)?;
            let secret = self.secret(name).await?;
            masks.add(&secret);
            secrets.insert(name.clone(), json!(secret));
        }
        for name in &reads.env {
            permissions.env(name)?;
            env.insert(name.clone(), json!(std::env::var(name).ok()));
        }
        Ok(vec![("secrets", Value::Object(secrets)), ("env", Value::Object(env))])
    }

    async fn secret(&self, name: &str) -> Result<String> {
        let bytes = self.secrets.source(name).secret().await?;
        String::from_utf8(bytes.expose().clone()).map_err(|_| {
            Error::new(Code::SecretUnreadable, format!("the secret {name} is not text"))
        })
    }
}
