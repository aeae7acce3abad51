//! Secrets: placeholders to use them, and the value itself only by a grant of its own.

use devrig_core::{Code, Error, Result, Sensitive};
use devrig_secrets::Scope;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Broker, Desk, read};
use crate::permission::secret_name;
use crate::worker::Need;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Basic {
    user: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Broker {
    pub(super) async fn secret_ref(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        let Name { name } = read(params)?;
        let name = secret_name(&name)?;
        desk.access.secret(&name).map_err(|refused| self.refuse(desk, refused))?;
        if self.secret_value(desk, &name).await?.is_none() {
            desk.note_need(Need::Secret(name.clone()));
            return Err(Error::not_found(format!("a value of the secret {name}"))
                .hint("Enter it in the plugin's settings."));
        }
        Ok(json!(self.placeholders.secret(&name)?))
    }

    pub(super) async fn secret_get(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        let Name { name } = read(params)?;
        let name = secret_name(&name)?;
        desk.access.reveal(&name).map_err(|refused| {
            let error = self.refuse(desk, refused);
            let hint = "Use sdk.secrets.ref: it works in headers without showing the value.";
            Error { hint: error.hint.map(|known| format!("{known} {hint}")), ..error }
        })?;
        let value = self.secret_value(desk, &name).await?;
        if let Some(value) = &value {
            self.lock(&self.revealed).add(value.expose(), "(secret)");
            desk.core.audit(
                desk.plugin(),
                "secret:reveal",
                &format!("secrets.get {name}"),
                "allowed",
                json!({ "account": desk.seat.id }),
            );
        }
        Ok(json!(value.as_ref().map(Sensitive::expose)))
    }

    /// Texts and placeholders alike; what they mean is looked at when they are sent.
    pub(super) fn secret_basic(&self, params: &RawValue) -> Result<Value> {
        let Basic { user, password } = read(params)?;
        Ok(json!(self.placeholders.basic(&user, &password)?))
    }

    /// Of this account, and of those that the manifest names.
    pub(super) async fn secret_list(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        let Nothing {} = read(params)?;
        let manifest = &desk.seat.plugin.manifest;
        let known = manifest.secrets();
        let stored = desk.core.vault.list(&self.scope(desk)).await?;
        let names: Vec<String> = stored
            .into_iter()
            .map(|entry| entry.name)
            .filter(|name| manifest.any_secret() || known.contains(name))
            .collect();
        Ok(json!(names))
    }

    fn scope(&self, desk: &Desk) -> Scope {
        Scope::Account(desk.seat.id.clone())
    }

    pub(super) async fn secret_value(
        &self,
        desk: &Desk,
        name: &str,
    ) -> Result<Option<Sensitive<String>>> {
        let value = desk.core.vault.get(&self.scope(desk), name).await;
        value.inspect_err(|error| match error.code {
            Code::KeychainLocked | Code::KeychainAbsent => desk.note_need(Need::Keychain),
            Code::SecretUnreadable => desk.note_need(Need::Secret(name.to_owned())),
            _ => {}
        })
    }
}
