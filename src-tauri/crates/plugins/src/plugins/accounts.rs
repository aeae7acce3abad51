//! Accounts: the ways in which a plugin is used, each with its own settings, grants and secrets.

use std::collections::HashSet;
use std::sync::Arc;

use devrig_core::id::AccountId;
use devrig_core::{Code, Error, Result, Sensitive};
use devrig_secrets::{Scope, Vault};
use devrig_store::Tx;
use serde_json::{Value, json};

use super::{Plugins, person};
use crate::access::{Access, check_settings};
use crate::connection;
use crate::info::AccountInfo;
use crate::manifest::Manifest;
use crate::permission::Permission;
use crate::schema::Schema;
use crate::scrub::SHORTEST;
use crate::seat::Seat;
use crate::table::account::{self, AccountRow};
use crate::table::{grant, sync as sync_table};
use crate::text::shown;

const LONGEST_NAME: usize = 60;
const LARGEST_SETTINGS: usize = 64 * 1024;

impl Plugins {
    /// Every account of every plugin that is there.
    pub async fn accounts(&self) -> Result<Vec<AccountInfo>> {
        let mut accounts = Vec::new();
        for seat in self.inner.core.seats() {
            accounts.push(self.account_info(&seat).await?);
        }
        Ok(accounts)
    }

    /// A further account of a plugin, without settings and grants.
    ///
    /// # Errors
    /// `NOT_FOUND`; `CONFLICT` when it has one of that name; `INVALID_INPUT`.
    pub async fn account_add(&self, plugin: &str, name: &str) -> Result<AccountInfo> {
        let _changing = self.inner.changing.lock().await;
        let core = &self.inner.core;
        let plugin = core.plugin(plugin)?;
        let row = AccountRow {
            id: AccountId::fresh(),
            plugin: plugin.name().to_owned(),
            name: account_name(name)?,
            settings: json!({}),
            connection: None,
        };
        let stored = row.clone();
        core.store
            .write(async move |tx: &mut Tx| account::insert(tx, &stored, &person()).await)
            .await?;
        let seat = self.seat(&plugin, row, HashSet::new()).await?;
        core.state_changed(plugin.name());
        self.account_info(&seat).await
    }

    /// Removes an account with its grants, secrets, storage and sync state; its items stay unless
    /// they are purged too.
    ///
    /// # Errors
    /// `NOT_FOUND`; `REFUSED` for the only one of a plugin.
    pub async fn account_remove(&self, id: &AccountId, purge_items: bool) -> Result<()> {
        let _changing = self.inner.changing.lock().await;
        let core = &self.inner.core;
        let seat = core.seat(id)?;
        let plugin = seat.plugin.name().to_owned();
        if core.seats_of(&plugin).len() == 1 {
            return Err(Error::new(Code::Refused, "this is the only account of its plugin")
                .hint("Disable or uninstall the plugin instead."));
        }
        core.remove_seat(id);
        seat.retire().await;
        let gone = id.clone();
        core.store
            .write(async move |tx: &mut Tx| {
                Vault::delete_all(tx, &Scope::Account(gone.clone())).await?;
                account::delete(tx, &gone, &person()).await
            })
            .await?;
        if purge_items {
            core.inbox.remove_account(id, &person()).await?;
        }
        core.state_changed(&plugin);
        Ok(())
    }

    pub async fn account_rename(&self, id: &AccountId, name: &str) -> Result<AccountInfo> {
        let _changing = self.inner.changing.lock().await;
        let seat = self.inner.core.seat(id)?;
        let name = account_name(name)?;
        self.store_account(&seat, name.clone(), seat.access().settings.clone(), Vec::new()).await?;
        seat.rename(name);
        self.inner.core.state_changed(seat.plugin.name());
        self.account_info(&seat).await
    }

    /// Stores the settings of an account, whole. A permission that names a setting is granted by
    /// the person setting it; the worker starts again with what is new.
    ///
    /// # Errors
    /// `INVALID_INPUT` naming the field, with `details.field` and all `details.problems`.
    pub async fn account_configure(&self, id: &AccountId, settings: Value) -> Result<AccountInfo> {
        let _changing = self.inner.changing.lock().await;
        let seat = self.inner.core.seat(id)?;
        let manifest = &seat.plugin.manifest;
        validate(manifest, &settings)?;
        let before = seat.access();
        let granted = granted_by(&manifest.permissions, &before.settings, &settings);
        self.store_account(&seat, seat.name(), settings.clone(), granted.clone()).await?;
        let mut access = Access::clone(&before);
        access.granted.extend(granted);
        access.settings = manifest.with_defaults(settings);
        seat.set_access(access);
        seat.stop().await;
        self.after_change(&seat).await
    }

    async fn store_account(
        &self,
        seat: &Arc<Seat>,
        name: String,
        settings: Value,
        granted: Vec<String>,
    ) -> Result<()> {
        let plugin = seat.plugin.name().to_owned();
        let row = AccountRow { id: seat.id.clone(), plugin, name, settings, connection: None };
        self.inner
            .core
            .store
            .write(async move |tx: &mut Tx| {
                account::update(tx, &row, &person()).await?;
                if !granted.is_empty() {
                    grant::insert(tx, &row.id, &granted, &person()).await?;
                }
                Ok(())
            })
            .await
    }

    /// Grants permissions to an account: those named, or all that the manifest declares.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` for what is not declared.
    pub async fn grant(
        &self,
        id: &AccountId,
        permissions: Option<Vec<String>>,
    ) -> Result<AccountInfo> {
        let _changing = self.inner.changing.lock().await;
        let seat = self.inner.core.seat(id)?;
        let declared = &seat.plugin.manifest.permissions;
        let permissions = match permissions {
            None => declared.iter().map(|permission| permission.text.clone()).collect(),
            Some(named) => named,
        };
        for name in &permissions {
            if !declared.iter().any(|permission| permission.text == *name) {
                let known: Vec<&str> = declared.iter().map(|one| one.text.as_str()).collect();
                return Err(Error::invalid(format!(
                    "{} does not ask for the permission {:?}",
                    seat.plugin.name(),
                    shown(name, 200)
                ))
                .hint(format!("It asks for: {}", shown(&known.join(", "), 1_000))));
            }
        }
        let (account, stored) = (id.clone(), permissions.clone());
        self.inner
            .core
            .store
            .write(async move |tx: &mut Tx| grant::insert(tx, &account, &stored, &person()).await)
            .await?;
        let mut access = Access::clone(&seat.access());
        access.granted.extend(permissions);
        seat.set_access(access);
        self.after_change(&seat).await
    }

    /// Takes a permission back; in force at once, also for calls that run.
    ///
    /// # Errors
    /// `NOT_FOUND`; `NOTHING_TO_DO` when it was not granted.
    pub async fn revoke(&self, id: &AccountId, permission: &str) -> Result<AccountInfo> {
        let _changing = self.inner.changing.lock().await;
        let seat = self.inner.core.seat(id)?;
        let mut access = Access::clone(&seat.access());
        if !access.granted.remove(permission) {
            let message = format!("{:?} was not granted", shown(permission, 200));
            return Err(Error::new(Code::NothingToDo, message));
        }
        seat.set_access(access);
        let (account, gone) = (id.clone(), permission.to_owned());
        self.inner
            .core
            .store
            .write(async move |tx: &mut Tx| {
                grant::delete(tx, &account, Some(&gone), &person()).await
            })
            .await?;
        self.after_change(&seat).await
    }

    /// Stores a secret of an account.
    ///
    /// # Errors
    /// `INVALID_INPUT` for a name that the manifest does not declare, or a value that is too short
    /// to be kept out of answers; what the keychain meets.
    pub async fn secret_set(
        &self,
        id: &AccountId,
        name: &str,
        value: Sensitive<String>,
    ) -> Result<()> {
        let seat = self.inner.core.seat(id)?;
        let manifest = &seat.plugin.manifest;
        let known = manifest.secrets();
        if !manifest.any_secret() && !known.iter().any(|one| one == name) {
            let error = format!("{} has no secret {:?}", seat.plugin.name(), shown(name, 64));
            return Err(Error::invalid(error).hint(match known.is_empty() {
                true => "It uses none.".to_owned(),
                false => format!("Its secrets: {}.", known.join(", ")),
            }));
        }
        if value.expose().trim().len() < SHORTEST {
            let message = format!("the secret {name} is shorter than {SHORTEST} characters");
            return Err(Error::invalid(message).hint("Check what was pasted."));
        }
        let scope = Scope::Account(id.clone());
        self.inner.core.vault.set(&scope, name, value).await?;
        self.forget_connection(&seat, name).await?;
        self.clear_waits(Some(id)).await
    }

    async fn forget_connection(&self, seat: &Arc<Seat>, secret: &str) -> Result<()> {
        match &seat.plugin.manifest.connection {
            Some(connect) if connect.secret == secret => {
                connection::forget(&self.inner.core, seat).await
            }
            _ => Ok(()),
        }
    }

    /// Asks the service of an account whether its secret works and who it belongs to. The answer
    /// is in `connection`, also when it does not work.
    ///
    /// # Errors
    /// `NOT_FOUND`; `UNSUPPORTED` for a plugin without such a check; why the plugin cannot run.
    pub async fn account_check(&self, id: &AccountId) -> Result<AccountInfo> {
        let seat = self.inner.core.seat(id)?;
        connection::check(&self.inner.core, &seat).await?;
        self.account_info(&seat).await
    }

    /// # Errors
    /// `NOT_FOUND`.
    pub async fn secret_delete(&self, id: &AccountId, name: &str) -> Result<()> {
        let seat = self.inner.core.seat(id)?;
        let scope = Scope::Account(seat.id.clone());
        if self.inner.core.vault.delete(&scope, name).await? {
            return self.forget_connection(&seat, name).await;
        }
        Err(Error::not_found(format!("the secret {:?}", shown(name, 64))))
    }

    async fn after_change(&self, seat: &Arc<Seat>) -> Result<AccountInfo> {
        self.clear_waits(Some(&seat.id)).await?;
        self.inner.core.state_changed(seat.plugin.name());
        self.account_info(seat).await
    }

    pub(super) async fn account_info(&self, seat: &Arc<Seat>) -> Result<AccountInfo> {
        let core = &self.inner.core;
        let access = seat.access();
        let stored = core.vault.list(&Scope::Account(seat.id.clone())).await?;
        let waiting = match crate::sync::missing(&self.inner.core, seat).await? {
            Some(why) => Some(why),
            None => self.waits(seat).await?,
        };
        Ok(AccountInfo {
            id: seat.id.clone(),
            plugin: seat.plugin.name().to_owned(),
            name: seat.name(),
            enabled: seat.plugin.status().enabled,
            settings: access.settings.clone(),
            granted: access.in_force(),
            secrets_set: stored.into_iter().map(|entry| entry.name).collect(),
            waiting,
            connect: seat
                .plugin
                .manifest
                .connection
                .as_ref()
                .map(|connect| connection::info(connect, &access.settings)),
            connection: seat.connection(),
        })
    }

    /// What the last sync found missing.
    async fn waits(&self, seat: &Arc<Seat>) -> Result<Option<String>> {
        for source in &seat.plugin.manifest.data_sources {
            let row = sync_table::one(self.inner.core.store.reader(), &seat.id, &source.id).await?;
            if let Some(why) = row.and_then(|row| row.waiting) {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }
}

fn account_name(name: &str) -> Result<String> {
    let name = shown(name.trim(), LONGEST_NAME + 1);
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Error::invalid("an account's name has 1 to 60 characters"));
    }
    Ok(name)
}

fn validate(manifest: &Manifest, settings: &Value) -> Result<()> {
    if !settings.is_object() || settings.to_string().len() > LARGEST_SETTINGS {
        return Err(Error::invalid("settings are one JSON object of at most 64 KB"));
    }
    match &manifest.settings_schema {
        Some(schema) => {
            let wrong = Schema::new(schema)?.check(settings);
            if let Some(first) = wrong.first() {
                let field = first.field.trim_start_matches('/');
                let message = format!("the setting {}: {}", shown(field, 60), first.message);
                let problems: Vec<Value> = wrong
                    .iter()
                    .map(|wrong| json!({ "field": wrong.field, "message": wrong.message }))
                    .collect();
                return Err(Error::invalid(message)
                    .details(json!({ "field": first.field, "problems": problems })));
            }
        }
        None if settings.as_object().is_some_and(|members| !members.is_empty()) => {
            return Err(Error::invalid(format!("{} has no settings", manifest.name)));
        }
        None => {}
    }
    check_settings(&manifest.permissions, settings)
}

/// Permissions that name a setting which the person has given another value just now.
fn granted_by(declared: &[Permission], before: &Value, after: &Value) -> Vec<String> {
    declared
        .iter()
        .filter(|permission| {
            permission.setting().is_some_and(|name| {
                let new = after.get(name);
                new.is_some_and(|new| !new.is_null()) && new != before.get(name)
            })
        })
        .map(|permission| permission.text.clone())
        .collect()
}
