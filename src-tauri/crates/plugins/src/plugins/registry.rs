//! Which plugins there are: found, installed, enabled, removed.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use devrig_core::id::AccountId;
use devrig_core::{Code, Error, Result};
use devrig_secrets::{Scope, Vault};
use devrig_store::Tx;

use super::{Plugins, blocking, person, system};
use crate::access::Access;
use crate::core::{Plugin, Status};
use crate::info::{
    ActionInfo, DataSourceInfo, PermissionInfo, PluginConditionInfo, PluginInfo, PluginSource,
    PluginState, PluginTriggerInfo,
};
use crate::install::{self, Found};
use crate::manifest::{Action, Condition, Effect, Trigger};
use crate::seat::Seat;
use crate::table::account::{self, AccountRow};
use crate::table::plugin::{self, PluginRow};
use crate::table::{grant, log, storage, sync};
use crate::text::shown;

impl Plugins {
    /// Every plugin, by name.
    pub async fn list(&self) -> Result<Vec<PluginInfo>> {
        let mut infos = Vec::new();
        for plugin in self.inner.core.plugins() {
            infos.push(self.info(&plugin).await?);
        }
        Ok(infos)
    }

    /// Copies the package in a folder into DevRig's home, in the place of an older version. Its
    /// accounts and their grants stay; the first account is made. Runs nothing of it.
    ///
    /// # Errors
    /// `INVALID_MANIFEST` with the place of the first problem; `CONFLICT` for a bundled name.
    pub async fn install(&self, folder: &Path) -> Result<PluginInfo> {
        let _changing = self.inner.changing.lock().await;
        let core = &self.inner.core;
        let (home, from, version) =
            (self.inner.home.clone(), folder.to_owned(), self.inner.version.clone());
        let known = core.plugins();
        let found = blocking(move || {
            let (manifest, _) = crate::check::check(&from, &version).into_manifest()?;
            install::refuse_impostor(&manifest.name, &known)?;
            install::install(&home, &from, &version)
        })
        .await?;
        let name = found.manifest.name.clone();
        let row = row_of(&found, PluginSource::Installed);
        core.store.write(async move |tx: &mut Tx| plugin::put(tx, &row, &person()).await).await?;
        let enabled = core.plugin(&name).map_or(true, |old| old.status().enabled);
        for seat in core.seats_of(&name) {
            core.remove_seat(&seat.id);
            seat.retire().await;
        }
        let folder = found.folder.clone();
        let status = Status { enabled, ..Status::default() };
        let plugin = Arc::new(Plugin::new(
            found.manifest,
            found.folder,
            PluginSource::Installed,
            found.files,
            status,
        ));
        core.put_plugin(Arc::clone(&plugin));
        self.seat_accounts(&plugin).await?;
        self.clear_waits(None).await?;
        let (home, kept) = (self.inner.home.clone(), name.clone());
        blocking(move || {
            install::clean(&home, &kept, Some(&folder));
            Ok(())
        })
        .await?;
        core.state_changed(&name);
        self.info(&plugin).await
    }

    /// Removes an installed plugin with its grants, secrets, storage and log. Its items and the
    /// accounts that they belong to stay, unless they are purged too.
    ///
    /// # Errors
    /// `NOT_FOUND`; `REFUSED` for a plugin that ships with DevRig.
    pub async fn uninstall(&self, name: &str, purge_items: bool) -> Result<()> {
        let _changing = self.inner.changing.lock().await;
        let core = &self.inner.core;
        let plugin = core.plugin(name)?;
        if plugin.source == PluginSource::Bundled {
            let message = format!("{} ships with DevRig", shown(name, 100));
            return Err(Error::new(Code::Refused, message).hint("Disable it instead."));
        }
        let mut ids = Vec::new();
        for seat in core.seats_of(name) {
            core.remove_seat(&seat.id);
            seat.retire().await;
            ids.push(seat.id.clone());
        }
        let (accounts, plugin_name) = (ids.clone(), name.to_owned());
        core.store
            .write(async move |tx: &mut Tx| {
                for id in &accounts {
                    Vault::delete_all(tx, &Scope::Account(id.clone())).await?;
                    grant::delete(tx, id, None, &person()).await?;
                    storage::clear(tx, id).await?;
                    if purge_items {
                        account::delete(tx, id, &person()).await?;
                    }
                }
                log::trim(tx, &plugin_name, 0).await?;
                plugin::delete(tx, &plugin_name, &person()).await
            })
            .await?;
        core.remove_plugin(name);
        if purge_items {
            for id in &ids {
                core.inbox.remove_account(id, &person()).await?;
            }
        }
        let (home, gone) = (self.inner.home.clone(), name.to_owned());
        blocking(move || {
            install::clean(&home, &gone, None);
            Ok(())
        })
        .await?;
        core.state_changed(name);
        Ok(())
    }

    /// Enables or disables a plugin. Enabling ends a quarantine.
    pub async fn toggle(&self, name: &str, enabled: bool) -> Result<PluginInfo> {
        let _changing = self.inner.changing.lock().await;
        let core = &self.inner.core;
        let plugin = core.plugin(name)?;
        let stored = name.to_owned();
        core.store
            .write(async move |tx: &mut Tx| {
                plugin::set_enabled(tx, &stored, enabled, &person()).await
            })
            .await?;
        plugin.set_status(|status| {
            status.enabled = enabled;
            status.quarantine = None;
            status.error = None;
        });
        for seat in core.seats_of(name) {
            seat.forgive().await;
            if !enabled {
                seat.stop().await;
            }
        }
        self.clear_waits(None).await?;
        core.state_changed(name);
        self.info(&plugin).await
    }

    /// As [`Plugins::toggle`].
    pub async fn enable(&self, name: &str) -> Result<PluginInfo> {
        self.toggle(name, true).await
    }

    /// As [`Plugins::toggle`].
    pub async fn disable(&self, name: &str) -> Result<PluginInfo> {
        self.toggle(name, false).await
    }

    pub(super) async fn discover(&self) -> Result<()> {
        let core = &self.inner.core;
        let rows = plugin::all(core.store.reader()).await?;
        let by_name: HashMap<String, PluginRow> =
            rows.into_iter().map(|row| (row.name.clone(), row)).collect();
        let (bundles, home, version) =
            (self.inner.bundled.clone(), self.inner.home.clone(), self.inner.version.clone());
        let rows = by_name.clone();
        let (bundled, installed) = blocking(move || {
            install::clean_staging(&home);
            let bundled = install::bundled(&bundles, &version);
            let installed: Vec<Plugin> = rows
                .values()
                .filter(|row| row.source == PluginSource::Installed)
                .filter_map(|row| match install::installed(&home, row, &version) {
                    Ok(plugin) => Some(plugin),
                    Err(error) => {
                        tracing::warn!(%error, "an installed plugin is unusable");
                        None
                    }
                })
                .collect();
            Ok((bundled, installed))
        })
        .await?;
        for plugin in installed {
            core.put_plugin(Arc::new(plugin));
        }
        for found in bundled {
            let old = by_name.get(&found.manifest.name);
            let row = row_of(&found, PluginSource::Bundled);
            let same = old.is_some_and(|old| {
                (old.source, &old.version) == (PluginSource::Bundled, &row.version)
            });
            if !same {
                core.store
                    .write(async move |tx: &mut Tx| plugin::put(tx, &row, &system()).await)
                    .await?;
            }
            let status = Status {
                enabled: old.is_none_or(|old| old.enabled),
                quarantine: old.filter(|_| same).and_then(|old| old.quarantine.clone()),
                ..Status::default()
            };
            let Found { manifest, folder, files } = found;
            let plugin = Plugin::new(manifest, folder, PluginSource::Bundled, files, status);
            core.put_plugin(Arc::new(plugin));
        }
        for plugin in core.plugins() {
            self.seat_accounts(&plugin).await?;
        }
        Ok(())
    }

    /// Gives every account of a plugin its seat; the first account is made silently.
    async fn seat_accounts(&self, plugin: &Arc<Plugin>) -> Result<()> {
        let core = &self.inner.core;
        let rows = account::all(core.store.reader()).await?;
        let mut rows: Vec<AccountRow> =
            rows.into_iter().filter(|row| row.plugin == plugin.name()).collect();
        if rows.is_empty() {
            let row = AccountRow {
                id: AccountId::fresh(),
                plugin: plugin.name().to_owned(),
                name: plugin.manifest.display_name.clone(),
                settings: serde_json::json!({}),
                connection: None,
            };
            let stored = row.clone();
            core.store
                .write(async move |tx: &mut Tx| account::insert(tx, &stored, &system()).await)
                .await?;
            rows.push(row);
        }
        let mut grants = grant::all(core.store.reader()).await?;
        for row in rows {
            let granted = grants.remove(&row.id).unwrap_or_default();
            self.seat(plugin, row, granted).await?;
        }
        Ok(())
    }

    pub(super) async fn seat(
        &self,
        plugin: &Arc<Plugin>,
        row: AccountRow,
        granted: std::collections::HashSet<String>,
    ) -> Result<Arc<Seat>> {
        let core = &self.inner.core;
        let access = Access {
            plugin: plugin.name().to_owned(),
            declared: plugin.manifest.permissions.clone(),
            granted,
            settings: plugin.manifest.with_defaults(row.settings),
        };
        let seat = Seat::new(core, Arc::clone(plugin), row.id, row.name, access);
        seat.set_connection(row.connection);
        let sources: Vec<String> =
            plugin.manifest.data_sources.iter().map(|source| source.id.clone()).collect();
        let id = seat.id.clone();
        core.store
            .write(async move |tx: &mut Tx| {
                for source in &sources {
                    sync::ensure(tx, &id, source).await?;
                }
                Ok(())
            })
            .await?;
        core.put_seat(Arc::clone(&seat));
        Ok(seat)
    }

    pub(super) async fn info(&self, plugin: &Arc<Plugin>) -> Result<PluginInfo> {
        let manifest = &plugin.manifest;
        let mut accounts = Vec::new();
        for seat in self.inner.core.seats_of(plugin.name()) {
            accounts.push(self.account_info(&seat).await?);
        }
        let granted = manifest.permissions.is_empty()
            || accounts.iter().any(|account| !account.granted.is_empty());
        let status = plugin.status();
        let state = plugin.state(granted);
        let error = match state {
            PluginState::Quarantined => status.quarantine,
            PluginState::Error => status.error,
            _ => None,
        };
        let permissions = manifest.permissions.iter().map(|permission| PermissionInfo {
            permission: permission.text.clone(),
            words: manifest.words(permission),
            wide: permission.is_wide(),
        });
        let data_sources = manifest.data_sources.iter().map(|source| DataSourceInfo {
            id: source.id.clone(),
            name: shown(&source.name, 100),
            description: shown(&source.description, 500),
            default_interval_ms: source.default_sync_interval_ms,
        });
        Ok(PluginInfo {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            display_name: manifest.display_name.clone(),
            description: manifest.description.clone(),
            author: manifest.author.clone(),
            source: plugin.source,
            state,
            error,
            warning: status.warning,
            permissions: permissions.collect(),
            data_sources: data_sources.collect(),
            actions: manifest.actions.iter().map(action_info).collect(),
            conditions: manifest.conditions.iter().map(condition_info).collect(),
            triggers: manifest.triggers.iter().map(trigger_info).collect(),
            settings_schema: manifest.settings_schema.clone(),
            secrets: manifest.secrets(),
            accounts,
        })
    }
}

fn action_info(action: &Action) -> ActionInfo {
    ActionInfo {
        id: action.id.clone(),
        name: shown(&action.name, 100),
        description: shown(&action.description, 500),
        input_schema: action.input_schema.clone(),
        applies_to: action.applies_to.clone(),
        idempotent: action.idempotent,
        read_only: action.effect != Effect::Write,
        reverse: action.reverse.clone(),
    }
}

fn condition_info(condition: &Condition) -> PluginConditionInfo {
    PluginConditionInfo {
        id: condition.id.clone(),
        name: shown(&condition.name, 100),
        description: shown(&condition.description, 500),
        config_schema: condition.config_schema.clone(),
    }
}

fn trigger_info(trigger: &Trigger) -> PluginTriggerInfo {
    PluginTriggerInfo {
        id: trigger.id.clone(),
        name: shown(&trigger.name, 100),
        description: shown(&trigger.description, 500),
        config_schema: trigger.config_schema.clone(),
        payload_schema: trigger.payload_schema.clone(),
        sample_payload: trigger.sample_payload.clone(),
        poll_interval_ms: trigger.poll_interval_ms.map(|ms| ms as f64),
    }
}

fn row_of(found: &Found, source: PluginSource) -> PluginRow {
    // Bundled files are hashed anew at each start: the bundle is replaced as a whole.
    let files = match source {
        PluginSource::Bundled => Default::default(),
        PluginSource::Installed => found.files.clone(),
    };
    PluginRow {
        name: found.manifest.name.clone(),
        version: found.manifest.version.clone(),
        source,
        files,
        enabled: true,
        quarantine: None,
    }
}
